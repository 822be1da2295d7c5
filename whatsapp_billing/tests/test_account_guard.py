# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What keeps an account's secrets, and what others may not say in its name."""

import json
import time
from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..clients.signatures import sign_meta
from .common import (
    APP_UID,
    PHONE_UID,
    SECRET,
    TOKEN,
    WABA_UID,
    WhatsappBillingCommon,
)

EVENT_LOGGER = "odoo.addons.whatsapp_billing.models.inbox.webhook_event"


class TwoCompanies(WhatsappBillingCommon):
    """A company that is connected, and another whose manager would like to be it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.env["res.company"].create({"name": "Company B"})
        cls.stranger = cls._make_user(
            "wab_stranger",
            "account.group_account_manager,whatsapp_billing.group_manager"
            ",base.group_allow_export",
            cls.other_company,
        )

    def _create_as_stranger(self, **values):
        return (
            self.env["whatsapp.billing.account"]
            .with_user(self.stranger)
            .create(
                {
                    "name": "B",
                    "company_id": self.other_company.id,
                    "app_uid": APP_UID,
                    "waba_uid": WABA_UID,
                    "access_token": "token-of-B",
                    **values,
                }
            )
        )

    def _post(self, account, secret, value, field="messages", waba_uid=WABA_UID):
        """Deliver a webhook to an account's address; return whether it was believed."""
        body = json.dumps(
            {
                "object": "whatsapp_business_account",
                "entry": [
                    {"id": waba_uid, "changes": [{"field": field, "value": value}]}
                ],
            }
        ).encode()
        token = account.sudo().webhook_token
        headers = {"X-Hub-Signature-256": sign_meta(secret, body)}
        events = self.env["whatsapp.billing.webhook.event"].sudo()
        genuine = events._receive(token, body, headers)
        events.search([("state", "=", "new")])._process()
        return genuine

    def _text(self, wamid, text="Hello", phone_uid=PHONE_UID):
        return {
            "metadata": {"phone_number_id": phone_uid},
            "messages": [
                {
                    "from": "34600000001",
                    "id": wamid,
                    "timestamp": "1790000000",
                    "type": "text",
                    "text": {"body": text},
                }
            ],
        }


@tagged("post_install", "-at_install")
class TestAddressOfTheApi(TwoCompanies):
    """A secret goes to the origin that it was typed for, and nowhere else."""

    def _assert_forgotten(self, account):
        account.invalidate_recordset()
        self.assertFalse(account.has_access_token)
        self.assertFalse(account.has_app_secret)
        self.assertEqual(account.sudo()._get_secret("access_token"), "")
        self.assertEqual(account._webhook_secrets(), [])

    def test_every_change_of_origin_forgets_whatever_the_state(self):
        for state in ("draft", "pending", "connected", "inactive", "error"):
            for address in (
                "https://evil.example.com",
                "https://graph.facebook.com:8443",
                "http://127.0.0.1",
                "https://graph.facebook.com.evil.example.com",
            ):
                with self.subTest(state=state, address=address):
                    account = self.account
                    account.write(
                        {
                            "api_url": "https://graph.facebook.com",
                            "access_token": TOKEN,
                            "app_secret": SECRET,
                            "state": state,
                        }
                    )
                    account.with_user(self.manager).api_url = address
                    self._assert_forgotten(account)

    def test_another_provider_is_another_origin(self):
        self.account.with_user(self.manager).provider = "dialog360"
        self.assertFalse(self.account.has_access_token)
        self.assertNotIn(SECRET, self.account._webhook_secrets())

    def test_the_same_origin_keeps_them(self):
        account = self.account.with_user(self.manager)
        for address in (
            "https://graph.facebook.com/",
            "https://GRAPH.facebook.com:443",
            " https://graph.facebook.com/whatsapp ",
        ):
            account.api_url = address
            self.assertTrue(account.has_access_token, address)
            self.assertTrue(account.has_app_secret, address)

    def test_secrets_typed_with_the_new_address_are_kept(self):
        account = self.account.with_user(self.manager)
        account.write(
            {"api_url": "https://api.example.com", "access_token": "typed for it"}
        )
        self.assertEqual(account.sudo()._get_secret("access_token"), "typed for it")
        self.assertEqual(account._webhook_secrets(), [])

    def test_addresses_that_two_parsers_read_differently_are_refused(self):
        for address in (
            "http://evil.example.com:8901\\@graph.facebook.com",
            "https://graph.facebook.com\\.evil.example.com",
            "https://evil.example.com#@graph.facebook.com",
            "https://evil.example.com?@graph.facebook.com",
            "https://graph.facebook.com@evil.example.com",
            "https://user:pass@graph.facebook.com",
            "https://graph.facebook.com/?a=b",
            "https://graph.facebook.com/#top",
            "https://graph.facebook.com:99999",
            "https://graph.facebook.com:",
            "https://graph.facebook.com/a b",
            "https://graph.face\tbook.com",
            "https://graph.face\nbook.com",
            "https://graph%2efacebook.com",
            "https://graph.facebook.com\u3002evil.example.com",
            "https://gr\u0430ph.facebook.com",
            "https://graph.facebook.com/..%2f..",
            "https:///graph.facebook.com",
            "https:graph.facebook.com",
            "//graph.facebook.com",
            "ftp://graph.facebook.com",
            "https://[::1",
            "https://",
        ):
            with self.subTest(address=address), self.assertRaises(ValidationError):
                self.account.with_user(self.manager).api_url = address

    def test_plain_http_is_for_this_machine_only(self):
        account = self.account.with_user(self.manager)
        for address in ("http://graph.facebook.com", "http://192.168.1.3:8301"):
            with self.assertRaises(ValidationError):
                account.api_url = address
        for address in ("http://127.0.0.1:8301", "http://localhost", "http://[::1]:8"):
            account.api_url = address
            self.assertEqual(account.api_url, address)

    def test_the_version_is_no_part_of_an_address(self):
        account = self.account.with_user(self.manager)
        for version in ("../v1", "v25.0?x=", "@evil.example.com", "v25.0/x"):
            with self.subTest(version=version), self.assertRaises(ValidationError):
                account.api_version = version


@tagged("post_install", "-at_install")
class TestSystemFields(TwoCompanies):
    """What the provider or the system says is written by the system only."""

    ACCOUNT = {
        "state": "connected",
        "state_detail": "All is well",
        "webhook_token": "mine",
        "webhook_verify_token": "mine",
        "last_webhook_at": "2026-01-01 00:00:00",
        "last_sync_at": "2026-01-01 00:00:00",
        "remote_facts": {"subscribed": True},
        "binding": "mine",
        "access_token_cipher": "x",
    }
    PHONE = {
        "phone_uid": "1",
        "number": "+34910000009",
        "verified_name": "Bank",
        "is_verified": True,
        "is_registered": True,
        "pace": 9999,
        "quality": "GREEN",
        "tier": "TIER_UNLIMITED",
        "status": "CONNECTED",
        "is_vanished": False,
        "last_webhook_at": "2026-01-01 00:00:00",
        "last_status_at": "2026-01-01 00:00:00",
    }
    TEMPLATE = {
        "status": "approved",
        "status_detail": "x",
        "raw_status": "APPROVED",
        "template_uid": "5",
        "rejected_reason": "x",
        "quality": "GREEN",
        "remote_components": [],
        "unsupported": False,
        "last_checked_at": "2026-01-01 00:00:00",
        "remote_time": 0,
        "edited_at": [],
    }

    def _assert_refused(self, record, values):
        record = record.with_user(self.manager)
        for name, value in values.items():
            with self.subTest(model=record._name, name=name):
                with self.assertRaises(AccessError):
                    record.write({name: value})
                with self.assertRaises(AccessError):
                    record.web_save({name: value}, {})

    def test_nobody_writes_them(self):
        self._assert_refused(self.account, self.ACCOUNT)
        self._assert_refused(self.phone, self.PHONE)
        self._assert_refused(self.templates["invoice"], self.TEMPLATE)
        self._assert_refused(
            self.templates["invoice"].button_ids,
            {"remote_value": "https://x.y", "own_address": "https://x.y"},
        )

    def test_a_default_that_a_user_keeps_is_not_taken(self):
        """Odoo lets everybody keep defaults of their own for any field."""
        defaults = self.env["ir.default"].with_user(self.manager)
        for model, values in (
            ("whatsapp.billing.account", self.ACCOUNT),
            ("whatsapp.billing.template", self.TEMPLATE),
            ("mail.message", {"wab_company_id": self.other_company.id}),
            ("mail.activity", {"wab_company_id": self.other_company.id}),
        ):
            for name, value in values.items():
                defaults.set(model, name, value, user_id=True)
        mine = self.env["whatsapp.billing.account"].with_user(self.manager)
        account = mine.create({"name": "Mine", "company_id": self.company.id}).sudo()
        template = (
            self.templates["invoice"]
            .with_user(self.manager)
            .create(
                {
                    "name": "Mine",
                    "template_name": "mine",
                    "lang_code": "en",
                    "account_id": self.account.id,
                    "document_type": "invoice",
                    "body": "Hello",
                }
            )
            .sudo()
        )
        for record, values, kept in (
            (account, self.ACCOUNT, {"state": "draft"}),
            (template, self.TEMPLATE, {"status": "draft"}),
        ):
            for name, value in values.items():
                with self.subTest(model=record._name, name=name):
                    self.assertNotEqual(record[name], value or True)
            self.assertRecordValues(record, [kept])
        self.manager.group_ids |= self.env.ref("base.group_partner_manager")
        contact = self.partner.with_user(self.manager)
        line = contact.message_post(body="Hello")
        request = contact.activity_schedule("mail.mail_activity_data_todo")
        self.assertFalse(line.sudo().wab_company_id)
        self.assertFalse(request.sudo().wab_company_id)

    def test_the_refusal_names_the_field_in_words(self):
        with self.assertRaisesRegex(AccessError, "State"):
            self.account.with_user(self.manager).write({"state": "connected"})

    def test_nobody_creates_records_with_them(self):
        for name, value in (("state", "connected"), ("webhook_token", "mine")):
            with self.assertRaises(AccessError):
                self._create_as_stranger(**{name: value})
        with self.assertRaises(AccessError):
            self.env["whatsapp.billing.phone"].with_user(self.manager).create(
                {"account_id": self.account.id, "phone_uid": "1"}
            )
        templates = self.env["whatsapp.billing.template"].with_user(self.manager)
        with self.assertRaises(AccessError):
            templates.create({"name": "T", "body": "Hello", "status": "approved"})

    def test_defaults_in_the_context_are_no_way_around(self):
        accounts = self.env["whatsapp.billing.account"].with_user(self.manager)
        account = accounts.with_context(
            default_state="connected", default_webhook_token="mine"
        ).create({"name": "B"})
        self.assertEqual(account.state, "draft")
        self.assertNotEqual(account.sudo().webhook_token, "mine")
        template = (
            self.env["whatsapp.billing.template"]
            .with_user(self.manager)
            .with_context(default_status="approved", default_template_uid="5")
            .create({"name": "T", "body": "Hello"})
        )
        self.assertEqual((template.status, template.template_uid), ("draft", False))

    def test_imports_and_lines_of_the_account_are_no_way_around(self):
        accounts = self.env["whatsapp.billing.account"].with_user(self.manager)
        result = accounts.load(["name", "state"], [["B", "Connected"]])
        self.assertFalse(result["ids"])
        with self.assertRaises(AccessError):
            self.account.with_user(self.manager).write(
                {"phone_ids": [Command.update(self.phone.id, {"phone_uid": "1"})]}
            )

    def test_a_copy_is_not_connected(self):
        copied = self.account.with_user(self.manager).copy()
        self.assertRecordValues(copied, [{"state": "draft", "has_access_token": False}])
        self.assertFalse(copied.phone_ids)
        with self.assertRaises(AccessError):
            self.account.with_user(self.manager).copy({"state": "connected"})

    def test_no_way_of_reading_shows_a_secret(self):
        account = self.account.with_user(self.manager)
        names = ["access_token", "app_secret", "has_access_token"]
        shown = [
            account.read(names),
            account.web_read({name: {} for name in names}),
            account.export_data(names),
            account.copy_data(),
            account.default_get(names),
            account.onchange({"name": "x"}, ["name"], {name: {} for name in names}),
            account.search_read([("id", "=", account.id)], names),
            account.fields_get(),
        ]
        for secret in (TOKEN, SECRET, self.account.access_token_cipher):
            self.assertNotIn(secret, str(shown))
        for name in ("access_token_cipher", "app_secret_cipher", "webhook_token"):
            with self.assertRaises(AccessError):
                account.formatted_read_group([], [name], ["__count"])
            with self.assertRaises(AccessError):
                account.search([], order=name)


@tagged("post_install", "-at_install")
class TestOneApp(TwoCompanies):
    """Who joins an app proves it with the secret."""

    def test_naming_an_app_gives_nothing_of_it(self):
        theirs = self._create_as_stranger()
        self.assertFalse(theirs.has_app_secret)
        self.assertEqual(theirs._webhook_secrets(), [])
        ours = self.account.sudo()
        self.assertNotEqual(theirs.sudo().webhook_token, ours.webhook_token)
        self.assertNotEqual(theirs.webhook_verify_token, ours.webhook_verify_token)
        self.assertNotEqual(theirs.webhook_url, ours.webhook_url)

    def test_naming_it_afterwards_gives_nothing_either(self):
        theirs = self._create_as_stranger(app_uid="5", app_secret="of B")
        theirs.app_uid = APP_UID
        self.assertNotEqual(
            theirs.sudo().webhook_token, self.account.sudo().webhook_token
        )
        self.assertEqual(theirs._webhook_secrets(), ["of B"])

    def test_a_wrong_secret_joins_nothing_and_changes_nothing(self):
        theirs = self._create_as_stranger(app_secret="guessed")
        self.assertNotEqual(
            theirs.sudo().webhook_token, self.account.sudo().webhook_token
        )
        self.assertEqual(self.account._webhook_secrets(), [SECRET])

    def test_the_right_secret_joins(self):
        theirs = self._create_as_stranger()
        theirs.app_secret = SECRET
        self.assertEqual(theirs.webhook_url, self.account.webhook_url)
        self.assertEqual(
            theirs.webhook_verify_token, self.account.sudo().webhook_verify_token
        )

    def test_the_right_secret_of_another_place_does_not(self):
        elsewhere = self._create_as_stranger(
            api_url="https://elsewhere.example.com", app_secret=SECRET
        )
        self.assertNotEqual(elsewhere.webhook_url, self.account.webhook_url)
        other_app = self._create_as_stranger(app_uid="5", app_secret=SECRET)
        self.assertNotEqual(other_app.webhook_url, self.account.webhook_url)
        at_reseller = self._create_as_stranger(
            provider="dialog360",
            api_url="https://graph.facebook.com",
            app_secret=SECRET,
        )
        self.assertNotEqual(at_reseller.webhook_url, self.account.webhook_url)

    def test_an_archived_account_gives_nothing(self):
        self.account.active = False
        theirs = self._create_as_stranger()
        self.assertNotEqual(
            theirs.sudo().webhook_token, self.account.sudo().webhook_token
        )

    def test_who_leaves_an_app_leaves_its_address(self):
        theirs = self._create_as_stranger(app_secret=SECRET)
        token = self.account.sudo().webhook_token
        theirs.app_uid = "5"
        self.assertNotEqual(theirs.sudo().webhook_token, token)
        again = self._create_as_stranger(app_secret=SECRET)
        again.provider = "dialog360"
        self.assertNotEqual(again.sudo().webhook_token, token)
        self.assertEqual(self.account.sudo().webhook_token, token)

    def test_a_new_secret_of_one_company_is_not_the_others(self):
        theirs = self._create_as_stranger(app_secret=SECRET)
        theirs.app_secret = "of B alone"
        self.assertEqual(self.account._webhook_secrets(), [SECRET])
        self.assertTrue(self._post(self.account, "of B alone", self._text("w1")))
        self.assertFalse(
            self.env["whatsapp.billing.message"].sudo().search([("wamid", "=", "w1")])
        )

    def test_a_manager_of_both_companies_types_it_once(self):
        theirs = self._create_as_stranger(app_secret=SECRET)
        self.manager.company_ids += self.other_company
        self.account.with_user(self.manager).app_secret = "next"
        self.assertEqual(theirs._webhook_secrets(), ["next", SECRET])


@tagged("post_install", "-at_install")
class TestWhoIsSpokenFor(TwoCompanies):
    """An event speaks for the accounts of its address and of its secret."""

    def test_another_apps_events_do_not_touch_the_account(self):
        theirs = self._create_as_stranger(app_uid="5", app_secret="of B")
        ban = {
            "event": "DISABLED_UPDATE",
            "ban_info": {"waba_ban_state": "DISABLE"},
        }
        self.assertTrue(self._post(theirs, "of B", ban, "account_update"))
        self.assertEqual(self.account.state, "connected")
        self.assertEqual(theirs.state, "error")
        template = self.templates["invoice"]
        disabled = {
            "event": "DISABLED",
            "message_template_id": int(template.template_uid),
            "message_template_name": template.template_name,
            "message_template_language": "en",
        }
        self._post(theirs, "of B", disabled, "message_template_status_update")
        self.assertEqual(template.status, "approved")

    @mute_logger(EVENT_LOGGER)
    def test_another_apps_events_forge_no_consent_and_no_text(self):
        theirs = self._create_as_stranger(app_uid="5", app_secret="of B")
        rows = self.env["whatsapp.billing.consent"].sudo()
        consents = rows.search_count([])
        stop = {
            "metadata": {"phone_number_id": PHONE_UID},
            "user_preferences": [
                {
                    "wa_id": "34600000001",
                    "category": "marketing_messages",
                    "value": "stop",
                    "timestamp": 1790000000,
                }
            ],
        }
        self._post(theirs, "of B", stop, "user_preferences")
        self._post(theirs, "of B", self._text("w2", "STOP"))
        self.assertEqual(rows.search_count([]), consents)
        self.assertFalse(
            self.env["whatsapp.billing.message"].sudo().search([("wamid", "=", "w2")])
        )

    def test_a_preference_given_to_one_company_changes_nothing_in_another(self):
        """Both write to the same contact, which is of no company."""
        other = self.env["res.company"].create({"name": "Other"})
        consents = self.env["whatsapp.billing.consent"].sudo()
        for company in (self.company, other):
            consents._record(
                self.partner,
                ["marketing"],
                True,
                "rpc",
                "Signed on 3 November",
                company_id=company.id,
                said_at=fields.Datetime.now() - timedelta(hours=1),
            )
        states = [
            lambda c=company: (
                consents._states(self.partner, ["marketing"], c)[
                    self.partner.id, "marketing"
                ].state
            )
            for company in (self.company, other)
        ]
        self.assertEqual([state() for state in states], ["granted", "granted"])
        now = int(time.time())
        words = (("stop", now - 60, "withdrawn"), ("resume", now, "granted"))
        for value, said_at, found in words:
            event = {
                "metadata": {"phone_number_id": PHONE_UID},
                "user_preferences": [
                    {
                        "wa_id": "34600000001",
                        "category": "marketing_messages",
                        "value": value,
                        "timestamp": said_at,
                    }
                ],
            }
            self._post(self.account, SECRET, event, "user_preferences")
            self.env.flush_all()
            self.assertEqual(states[0](), found)
            self.assertEqual(states[1](), "granted")
            mine = consents.search([("source", "=", "provider")], order="id desc")
            self.assertEqual(mine.company_id, self.company)

    def test_one_post_about_two_companies_is_read_by_neither(self):
        """Who shares an app does not share what customers write."""
        theirs = self._create_as_stranger(app_secret=SECRET)
        theirs.sudo().waba_uid = "200000000000009"
        phone = self.phone.sudo().copy(
            {
                "account_id": theirs.id,
                "phone_uid": "300000000000009",
                "number": "+34910000009",
            }
        )
        body = json.dumps(
            {
                "object": "whatsapp_business_account",
                "entry": [
                    {"id": waba, "changes": [{"field": "messages", "value": value}]}
                    for waba, value in (
                        (WABA_UID, self._text("w1", "For A")),
                        (theirs.waba_uid, self._text("w2", "For B", phone.phone_uid)),
                    )
                ],
            }
        ).encode()
        events = self.env["whatsapp.billing.webhook.event"].sudo()
        headers = {"X-Hub-Signature-256": sign_meta(SECRET, body)}
        self.assertTrue(events._receive(theirs.sudo().webhook_token, body, headers))
        event = events.search([("state", "=", "new")])
        event._process()
        self.assertEqual(event.state, "done")
        messages = self.env["whatsapp.billing.message"].sudo()
        found = messages.search([("wamid", "in", ["w1", "w2"])])
        self.assertEqual(
            {message.body: message.company_id for message in found},
            {"For A": self.company, "For B": self.other_company},
        )
        self.env.flush_all()
        for company in (self.company, self.other_company):
            manager = self._make_user(
                f"reader_{company.id}", "whatsapp_billing.group_manager", company
            )
            self.assertNotIn(event, events.with_user(manager).sudo(False).search([]))
        # What a person asks to have erased is in it all the same.
        messages._erase_person(self.partner, self.company)
        self.assertFalse(event.exists())

    def test_template_events_reach_all_accounts_that_proved_the_secret(self):
        theirs = self._create_as_stranger(app_secret=SECRET)
        template = self.templates["invoice"]
        same = self._make_template(theirs, "invoice", template_name="test_invoice")
        same.template_uid = template.template_uid
        paused = {
            "event": "PAUSED",
            "message_template_id": int(template.template_uid),
            "message_template_name": template.template_name,
            "message_template_language": "en",
        }
        self._post(theirs, SECRET, paused, "message_template_status_update")
        self.assertEqual(template.status, "paused")
        self.assertEqual(same.status, "paused")

    def test_at_one_address_each_secret_speaks_for_its_own(self):
        theirs = self._create_as_stranger(app_secret=SECRET)
        theirs.app_secret = "of B alone"
        self.assertEqual(theirs.webhook_url, self.account.webhook_url)
        ban = {
            "event": "DISABLED_UPDATE",
            "ban_info": {"waba_ban_state": "DISABLE"},
        }
        self._post(self.account, "of B alone", ban, "account_update")
        self.assertEqual(self.account.state, "connected")
        self.assertEqual(theirs.state, "error")

    def test_process_again_obeys_what_was_true_on_receipt(self):
        """Who makes an account of the same ids later gets nothing of what came."""
        account = self._make_account(
            self.company, "200000000000008", "300000000000008", app_uid="8"
        )
        token = account.webhook_token
        self._post(
            account, SECRET, self._text("w3", phone_uid="300000000000008"),
            waba_uid="200000000000008",
        )  # fmt: skip
        events = self.env["whatsapp.billing.webhook.event"].sudo()
        event = events.search([("app_key", "=", token)])
        self.assertEqual(event.state, "done")
        phone = account.phone_ids
        phone.active = False
        phone.flush_recordset()
        theirs = self._make_account(
            self.other_company, "200000000000008", "300000000000008", app_uid="8"
        )
        self.assertEqual(theirs.webhook_token, token)
        messages = self.env["whatsapp.billing.message"].sudo()
        messages.search([("wamid", "=", "w3")]).unlink()
        event.with_user(self.manager).action_process_again()
        event._process()
        message = messages.search([("wamid", "=", "w3")])
        self.assertEqual(message.company_id, self.company)

    def test_what_waits_is_not_for_who_has_the_number_later(self):
        """The number was handed on between the arrival and the processing."""
        uid = "300000000000008"
        account = self._make_account(self.company, "200000000000008", uid, app_uid="8")
        events = self.env["whatsapp.billing.webhook.event"].sudo()
        body = json.dumps(
            {
                "entry": [
                    {
                        "id": "200000000000008",
                        "changes": [
                            {
                                "field": "messages",
                                "value": self._text("w5", phone_uid=uid),
                            }
                        ],
                    }
                ]
            }
        ).encode()
        headers = {"X-Hub-Signature-256": sign_meta(SECRET, body)}
        self.assertTrue(events._receive(account.webhook_token, body, headers))
        # Read again, the archived number would not be among them, nor be flushed.
        phones = account.phone_ids
        phones.active = False
        phones.flush_recordset()
        theirs = self._make_account(
            self.other_company, "200000000000008", uid, app_uid="8"
        )
        self.assertEqual(theirs.webhook_token, account.webhook_token)
        events.search([("app_key", "=", account.webhook_token)])._process()
        messages = self.env["whatsapp.billing.message"].sudo()
        message = messages.search([("wamid", "=", "w5")])
        self.assertEqual(message.company_id, self.company)

    def test_an_event_of_nobody_is_ignored(self):
        event = (
            self.env["whatsapp.billing.webhook.event"]
            .sudo()
            .create(
                {
                    "app_key": self.account.webhook_token,
                    "provider": "meta",
                    "digest": "x",
                    "body": "e30=",
                }
            )
        )
        event._process()
        self.assertEqual(event.state, "ignored")


@tagged("post_install", "-at_install")
class TestOneNumber(TwoCompanies):
    """A number belongs to one account of the database."""

    def _list_numbers(self):
        row = {
            "id": PHONE_UID,
            "display_phone_number": "+34 910 00 00 01",
            "code_verification_status": "VERIFIED",
            "status": "CONNECTED",
        }
        scopes = ["whatsapp_business_messaging", "whatsapp_business_management"]
        data = {"is_valid": True, "scopes": scopes, "granular_scopes": []}
        add = self.transport.add
        add("GET", "/debug_token", self._answer({"data": data}))
        add("GET", "/phone_numbers", self._answer({"data": [row]}))
        add("GET", "", self._answer({"data": []}))
        add("POST", "", self._answer({"success": True}))

    def test_connecting_does_not_take_a_number_from_another_account(self):
        theirs = self._create_as_stranger(app_secret=SECRET)
        self._list_numbers()
        theirs.action_connect()
        self.assertFalse(theirs.phone_ids)
        self.assertEqual(self.phone.account_id, self.account)
        self.assertIn("another", theirs.state_detail)
        self.assertNotIn(self.account.name, theirs.state_detail)
        self._post(theirs, SECRET, self._text("w4"))
        messages = self.env["whatsapp.billing.message"].sudo()
        message = messages.search([("wamid", "=", "w4")])
        self.assertEqual(message.company_id, self.company)

    def test_two_rows_of_one_number_cannot_be(self):
        theirs = self._create_as_stranger(app_secret=SECRET)
        phones = self.env["whatsapp.billing.phone"].sudo()
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            phones.create({"account_id": theirs.id, "phone_uid": PHONE_UID})

    def test_archiving_a_number_hands_it_on(self):
        theirs = self._create_as_stranger(app_secret=SECRET)
        self.phone.with_user(self.manager).active = False
        self._list_numbers()
        theirs.action_connect()
        self.assertEqual(theirs.phone_ids.phone_uid, PHONE_UID)
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self.phone.with_user(self.manager).active = True
            self.phone.flush_recordset()

    def test_archiving_the_account_hands_its_numbers_on(self):
        account = self.account.with_user(self.manager)
        account.action_archive()
        self.assertFalse(self.phone.active)
        account.action_unarchive()
        self.assertTrue(self.phone.active)

    def test_the_other_company_sees_and_does_nothing(self):
        account = self.account.with_user(self.stranger)
        self.assertFalse(account.search([("id", "=", self.account.id)]))
        for method in (
            "action_connect",
            "action_test_connection",
            "action_sync_templates",
            "action_deactivate",
            "action_activate",
            "action_confirm_binding",
        ):
            with self.subTest(method=method), self.assertRaises(AccessError):
                getattr(account, method)()
        phone = self.phone.with_user(self.stranger)
        for method in ("action_request_code", "action_verify_code", "action_register"):
            with self.subTest(method=method), self.assertRaises(AccessError):
                getattr(phone, method)()
        self.assertEqual(self.transport.calls, [])
