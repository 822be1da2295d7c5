# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from unittest.mock import patch

from odoo import http
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..clients.errors import NotConnectedError, UnknownOutcomeError
from ..clients.response import Headers, Response
from ..clients.testing import json_response
from ..clients.whatsapp.meta.events import account_event
from .common import (
    APP_UID,
    NUMBER,
    SECRET,
    TOKEN,
    WABA_UID,
    WhatsappBillingCommon,
)

SCOPES = ("whatsapp_business_messaging", "whatsapp_business_management")
OTHER_WABA = "200000000000002"
OTHER_PHONE = "300000000000009"


@tagged("post_install", "-at_install")
class TestAccount(WhatsappBillingCommon):
    def _new_account(self, **values):
        return (
            self.env["whatsapp.billing.account"]
            .with_user(self.manager)
            .create(
                {
                    "name": "New",
                    "waba_uid": WABA_UID,
                    "app_uid": "100000000000009",
                    "access_token": TOKEN,
                    "app_secret": SECRET,
                    **values,
                }
            )
        )

    def _answer_all(self, scopes=SCOPES, targets=(), verified="VERIFIED", templates=()):
        token = {
            "app_id": APP_UID,
            "is_valid": True,
            "expires_at": 0,
            "scopes": list(scopes),
            "granular_scopes": [
                {"scope": SCOPES[1], "target_ids": list(targets)},
            ],
        }
        phones = [
            {
                "id": OTHER_PHONE,
                "display_phone_number": "+34 910 00 00 01",
                "verified_name": "Azure",
                "code_verification_status": verified,
                "quality_rating": "GREEN",
                "status": "CONNECTED",
                "throughput": {"level": "HIGH"},
            }
        ]
        add = self.transport.add
        add("GET", "/debug_token", self._answer({"data": token}))
        add("GET", "/phone_numbers", self._answer({"data": phones}))
        add("GET", "/message_templates", self._answer({"data": list(templates)}))
        add("GET", "business_verification_status", self._answer({"id": WABA_UID}))
        add("POST", "/subscriptions", self._answer({"success": True}))
        add("POST", "/subscribed_apps", self._answer({"success": True}))

    # === CONNECTING === #

    def test_connecting_reads_everything_and_makes_the_defaults(self):
        self.company.sudo().wab_account_id = False
        self.env["whatsapp.billing.phone.route"].sudo().search([]).unlink()
        self._answer_all()
        account = self._new_account()
        action = account.action_connect()
        self.transport.assert_all_called()
        self.assertEqual(action["params"]["type"], "success")
        self.assertRecordValues(
            account, [{"state": "connected", "state_detail": False}]
        )
        self.assertRecordValues(
            account.phone_ids,
            [
                {
                    "phone_uid": OTHER_PHONE,
                    "number": NUMBER,
                    "is_verified": True,
                    "pace": 1000,
                    "quality": "GREEN",
                }
            ],
        )
        self.assertEqual(self.company.wab_account_id, account)
        routes = self.env["whatsapp.billing.phone.route"].search([])
        self.assertEqual(
            sorted((r.audience, r.category) for r in routes),
            [("customer", "marketing"), ("customer", "utility"), ("vendor", "utility")],
        )
        ready = account.template_ids
        self.assertEqual(set(ready.mapped("status")), {"draft"})
        self.assertIn("invoice", ready.filtered("is_default").mapped("document_type"))

    def test_subscribing_names_our_address_and_verify_token(self):
        self._answer_all()
        account = self._new_account()
        account.action_connect()
        call = next(c for c in self.transport.calls if "/subscriptions" in c.url)
        self.assertEqual(call.data["callback_url"], account.webhook_url)
        self.assertEqual(call.data["verify_token"], account.webhook_verify_token)

    def test_connecting_again_changes_nothing(self):
        self._answer_all()
        account = self._new_account()
        account.action_connect()
        before = (account.phone_ids, account.template_ids)
        account.action_connect()
        account.invalidate_recordset()
        self.assertEqual((account.phone_ids, account.template_ids), before)

    def test_missing_permission_is_named(self):
        self._answer_all(scopes=SCOPES[:1])
        account = self._new_account()
        action = account.action_connect()
        self.assertEqual(account.state, "error")
        self.assertIn("whatsapp_business_management", account.state_detail)
        # The form says it at its top; a toast would outlive its reason.
        self.assertEqual(action["tag"], "soft_reload")
        self.assertTrue(account.activity_ids)

    def test_token_without_this_account_is_named(self):
        self._answer_all(targets=[OTHER_WABA])
        account = self._new_account()
        account.action_connect()
        self.assertEqual(account.state, "error")
        self.assertIn(WABA_UID, account.state_detail)

    def test_refused_token_is_shown_not_raised(self):
        self.transport.add("GET", "/debug_token", self._refusal(190, status=401))
        self.transport.add("GET", "/phone_numbers", self._refusal(190, status=401))
        account = self._new_account()
        action = account.action_connect()
        self.assertEqual(account.state, "error")
        self.assertIn("access token", account.state_detail)
        self.assertEqual(action["tag"], "soft_reload")

    def test_each_wrong_setting_gets_its_own_sentence(self):
        """B4: the reader corrects what is wrong instead of making new tokens."""
        no_api = json_response({"detail": "Not found"}, status=404)
        page = Response(404, Headers({"Content-Type": "text/html"}), b"<html>")
        path = self._refusal(2500, "Unknown path components: /wrong")
        proof = self._refusal(100, "Invalid appsecret_proof provided")
        app = self._refusal(190, "Error validating application.", status=401)
        viewing = self._refusal(100, "The App_id in the input_token did not match")
        for answer, words, line in (
            (app, "App ID", "app"),
            (viewing, "App ID", "app"),
            (proof, "App ID", "app"),
            (path, "API address", "api"),
            (page, "API address", "api"),
            (no_api, "API address", "api"),
        ):
            with self.subTest(words=words, answer=str(answer)[:80]):
                account = self._new_account(app_uid="10")
                account.sudo().remote_facts = {"token": {"missing": ["x"]}}
                self.transport = type(self.transport)()
                self.transport.add("GET", "/debug_token", answer)
                account.action_connect()
                self.assertEqual(account.state, "error")
                self.assertIn(words, account.state_detail)
                self.assertNotIn("no longer", account.state_detail)
                red = [c["key"] for c in account.checklist if c["state"] == "todo"]
                self.assertIn(line, red)
                self.assertNotIn("token", red)
                self.assertNotIn("permissions", red)

    def test_a_wrong_token_without_an_app_is_named(self):
        self.transport.add("GET", "/debug_token", self._refusal(190, status=401))
        account = self._new_account(app_uid=False, app_secret=False)
        account.action_connect()
        self.assertIn("does not accept the access token", account.state_detail)
        self.assertNotIn("waiting messages", account.state_detail)

    def test_nothing_turns_green_while_nobody_answers(self):
        self.transport.add("GET", "", NotConnectedError(code="not_connected"))
        account = self._new_account()
        account.action_connect()
        states = {check["key"]: check["state"] for check in account.checklist}
        self.assertNotIn("done", states.values())

    def test_the_verification_of_the_business_is_read_and_shown(self):
        for word, state in (("verified", "done"), ("not_verified", "unknown")):
            self.transport = type(self.transport)()
            self.transport.add(
                "GET",
                "business_verification_status",
                self._answer({"business_verification_status": word}),
            )
            self._answer_all()
            account = self.account.with_user(self.manager)
            account.action_connect()
            check = next(c for c in account.checklist if c["key"] == "business")
            self.assertEqual(check["state"], state)

    def test_a_new_form_raises_no_false_alarm(self):
        new = self.env["whatsapp.billing.account"].with_user(self.manager).new({})
        self.assertNotIn("database", [check["key"] for check in new.checklist])

    def test_timeout_never_makes_an_error(self):
        self.transport.add("GET", "", UnknownOutcomeError(code="timeout"))
        account = self.account.with_user(self.manager)
        account.action_connect()
        self.assertEqual(account.state, "connected")
        self.assertTrue(account.state_detail)

    def test_unreachable_provider_keeps_a_draft(self):
        self.transport.add("GET", "", NotConnectedError(code="not_connected"))
        account = self._new_account()
        account.action_connect()
        self.assertEqual(account.state, "draft")
        self.assertIn("could not be reached", account.state_detail)

    def test_without_verified_number_it_waits(self):
        self._answer_all(verified="NOT_VERIFIED")
        account = self._new_account()
        account.action_connect()
        self.assertEqual(account.state, "pending")
        self.assertIn("verified", account.state_detail)

    def test_vanished_numbers_are_marked(self):
        self._answer_all()
        account = self._new_account()
        gone = (
            self.env["whatsapp.billing.phone"]
            .sudo()
            .create({"account_id": account.id, "phone_uid": "1", "is_verified": True})
        )
        account.action_connect()
        self.assertRecordValues(gone, [{"is_vanished": True, "is_verified": False}])

    def test_clerks_cannot_connect(self):
        with self.assertRaises(AccessError):
            self.account.with_user(self.clerk).action_connect()

    def test_without_token_it_says_so(self):
        account = self._new_account(access_token=False)
        with self.assertRaisesRegex(UserError, "access token"):
            account.action_connect()

    def test_switching_off_and_on(self):
        self._answer_all()
        account = self.account.with_user(self.manager)
        account.action_deactivate()
        self.assertEqual(account.state, "inactive")
        account.action_activate()
        self.assertEqual(account.state, "connected")

    def test_deadline_is_shared_by_the_calls_of_one_action(self):
        self._answer_all()
        self._new_account().action_connect()
        self.assertTrue(all(call.timeout <= 24 for call in self.transport.calls))

    def test_form_makes_an_account(self):
        accounts = self.env["whatsapp.billing.account"].with_user(self.manager)
        with Form(accounts) as form:
            form.name = "By hand"
            form.waba_uid = " 200000000000002 "
            form.access_token = "typed"
        account = form.record
        self.assertEqual(account.waba_uid, OTHER_WABA)
        self.assertTrue(account.has_access_token)
        self.assertEqual(account.api_url, "https://graph.facebook.com")
        with Form(account) as form:
            form.provider = "dialog360"
        self.assertEqual(account.api_url, "https://waba-v2.360dialog.io")

    def test_clerks_open_the_form_without_secrets(self):
        form = Form(self.account.with_user(self.clerk))
        self.assertEqual(form.name, self.account.name)

    # === ONE APP, ONE CALLBACK === #

    def test_accounts_of_one_app_share_the_callback(self):
        other = self._new_account(app_uid=APP_UID, waba_uid=OTHER_WABA)
        self.assertEqual(other.webhook_url, self.account.webhook_url)
        self.assertEqual(other._webhook_secrets(), [SECRET])
        self.assertEqual(
            other.webhook_verify_token, self.account.sudo().webhook_verify_token
        )
        other.app_secret = "next"
        self.assertEqual(self.account._webhook_secrets(), ["next", SECRET])
        self.assertEqual(other.webhook_url, self.account.webhook_url)

    def test_another_app_gets_its_own_callback(self):
        other = self._new_account()
        self.assertNotEqual(other.webhook_url, self.account.webhook_url)
        other.app_uid = APP_UID
        self.assertEqual(other.webhook_url, self.account.webhook_url)
        other.app_uid = "5"
        self.assertNotEqual(other.webhook_url, self.account.webhook_url)

    def test_another_company_cannot_replace_the_shared_secret(self):
        company = self.env["res.company"].create({"name": "Other"})
        manager = self._make_user(
            "wab_other", "base.group_user,whatsapp_billing.group_manager", company
        )
        accounts = self.env["whatsapp.billing.account"].with_user(manager)
        values = {
            "name": "B",
            "app_uid": APP_UID,
            "waba_uid": OTHER_WABA,
            "company_id": company.id,
        }
        accounts.create(values | {"app_secret": "stolen"})
        self.assertEqual(self.account._webhook_secrets(), [SECRET])
        self.assertTrue(accounts.create(values | {"app_secret": SECRET}))

    def test_companies_do_not_see_each_other(self):
        company = self.env["res.company"].create({"name": "Other"})
        manager = self._make_user(
            "wab_other", "whatsapp_billing.group_manager", company
        )
        for model in ("account", "phone", "phone.route", "template"):
            records = self.env[f"whatsapp.billing.{model}"].with_user(manager)
            self.assertFalse(records.search([]), model)

    def test_address_names_the_database_where_there_are_several(self):
        name = self.env.cr.dbname
        with patch.object(http, "db_list", lambda **_options: [name]):
            self.account.invalidate_recordset()
            self.assertNotIn("?", self.account.webhook_url)
        with patch.object(http, "db_list", lambda **_options: [name, "other"]):
            self.account.invalidate_recordset()
            self.assertTrue(self.account.webhook_url.endswith(f"?db={name}"))

    def test_dialog360_gets_a_secret_for_its_header(self):
        account = self._new_account(
            provider="dialog360", app_uid=False, app_secret=False
        )
        self.assertEqual(account.api_url, "https://waba-v2.360dialog.io")
        secret = account._webhook_secrets()
        self.assertEqual(len(secret), 1)
        self.assertEqual(account.sudo()._get_subscribe_secret(), secret[0])

    def test_wrong_address_is_refused(self):
        with self.assertRaises(ValidationError):
            self._new_account(api_url="ftp://example.com")

    # === ROUTES AND NUMBERS === #

    def test_only_verified_numbers_can_be_chosen(self):
        phone = self.phone.sudo().copy({"phone_uid": "2", "is_verified": False})
        routes = self.env["whatsapp.billing.phone.route"].with_user(self.manager)
        route = routes.search([], limit=1)
        with self.assertRaisesRegex(ValidationError, "not verified"):
            route.phone_id = phone

    def test_vendors_have_one_number(self):
        with self.assertRaises(ValidationError):
            self.env["whatsapp.billing.phone.route"].with_user(self.manager).create(
                {
                    "company_id": self.company.id,
                    "audience": "vendor",
                    "category": "marketing",
                    "phone_id": self.phone.id,
                }
            )
        phones = self.env["whatsapp.billing.phone"].with_user(self.clerk)
        for category in ("utility", "marketing", "authentication"):
            self.assertEqual(
                phones._get_route(self.company, "vendor", category), self.phone
            )

    def test_number_is_verified_by_code(self):
        self.phone.is_verified = False
        phone = self.phone.with_user(self.manager)
        self.transport.add("POST", "/request_code", self._answer({"success": True}))
        self.transport.add("POST", "/verify_code", self._answer({"success": True}))
        self.transport.add("POST", "/register", self._answer({"success": True}))
        phone.action_request_code()
        phone.verification_code = "123-456"
        phone.action_verify_code()
        self.assertEqual(self.transport.calls[-2].data["code"], "123456")
        self.assertRecordValues(
            phone, [{"is_verified": True, "verification_code": False}]
        )

    def test_wrong_code_is_shown_not_raised(self):
        self.phone.is_verified = False
        phone = self.phone.with_user(self.manager)
        phone.verification_code = "1"
        self.transport.add("POST", "/verify_code", self._refusal(136025))
        self.assertEqual(phone.action_verify_code()["tag"], "soft_reload")
        self.assertFalse(phone.is_verified)
        self.assertTrue(phone.code_detail)

    # === EVENTS AND ERRORS === #

    def _event(self, name, **raw):
        event = account_event(name, raw, waba_uid=WABA_UID, number="34910000001")
        self.account._apply_event(event)

    def test_disabled_account_stops(self):
        self._event(
            "account_update",
            event="DISABLED_UPDATE",
            ban_info={"waba_ban_state": "DISABLE"},
        )
        self.assertEqual(self.account.state, "error")
        self._event(
            "account_update",
            event="DISABLED_UPDATE",
            ban_info={"waba_ban_state": "REINSTATE"},
        )
        self.assertEqual(self.account.state, "connected")

    def test_restriction_warns_once(self):
        for _turn in range(2):
            self._event(
                "account_update",
                event="ACCOUNT_RESTRICTION",
                restriction_info=[{"restriction_type": "RESTRICTED_UTILITY_TEMPLATES"}],
            )
        self.assertEqual(len(self.account.activity_ids), 1)
        self.assertEqual(self.account.state, "connected")

    def test_number_events_reach_the_number(self):
        self._event(
            "phone_number_quality_update",
            event="THROUGHPUT_UPGRADE",
            max_daily_conversations_per_business="TIER_10K",
        )
        self.assertRecordValues(self.phone, [{"pace": 1000, "tier": "TIER_10K"}])
        self._event(
            "phone_number_name_update", decision="APPROVED", requested_verified_name="B"
        )
        self.assertEqual(self.phone.verified_name, "B")

    def test_unknown_events_change_nothing(self):
        for name in (
            "security",
            "account_alerts",
            "account_review_update",
            "new_field",
        ):
            self._event(name, event="SOMETHING")
        self.assertEqual(self.account.state, "connected")

    @mute_logger("odoo.addons.whatsapp_billing.models.account.account_templates")
    def test_cron_stops_the_account_only_for_credentials(self):
        self.account.last_sync_at = False
        self.transport.add(
            "GET", "/message_templates", [NotConnectedError(), self._refusal(190)]
        )
        cron = self.env.ref("whatsapp_billing.ir_cron_templates")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
            self.account.invalidate_recordset()
            self.assertEqual(self.account.state, "connected")
            cron.method_direct_trigger()
        self.account.invalidate_recordset()
        self.assertEqual(self.account.state, "error")

    def test_checklist_says_what_is_left_to_do(self):
        account = self._new_account(access_token=False)
        checks = {check["key"]: check for check in account.checklist}
        self.assertFalse(checks["token"]["ok"])
        self.assertTrue(checks["token"]["detail"])
        self._answer_all()
        account.access_token = TOKEN
        account.action_connect()
        checks = {check["key"]: check["state"] for check in account.checklist}
        self.assertEqual(
            checks,
            {
                "token": "done",
                "permissions": "done",
                "number": "done",
                "webhook": "unknown",
                "template": "todo",
                "test_message": "unknown",
            },
        )
        self.assertIn(
            "Enter", str(self._new_account(access_token=False).checklist_html)
        )

    def test_what_is_wrong_is_said_once_on_the_form(self):
        self.transport.add("GET", "/debug_token", self._refusal(190, status=401))
        account = self._new_account()
        account.action_connect()
        lines = {check["key"]: check for check in account.checklist}
        self.assertEqual(lines["app"]["detail"], account.state_detail)
        self.assertNotIn(account.state_detail, str(account.checklist_html))
        # What was not asked is not known: nothing was read yet.
        self.assertEqual(lines["number"]["state"], "unknown")
        self.assertEqual(lines["template"]["state"], "unknown")

    def test_what_is_typed_now_is_not_blamed_for_what_stood_there(self):
        for name, value in (
            ("app_uid", "100000000000077"),
            ("waba_uid", OTHER_WABA),
            ("app_secret", "another"),
            ("access_token", "another"),
        ):
            with self.subTest(name=name):
                self.transport.add(
                    "GET", "/debug_token", self._refusal(190, status=401)
                )
                account = self._new_account()
                account.action_connect()
                blamed = account.state_detail
                account.name = "Another name"
                self.assertEqual(account.state_detail, blamed)
                account[name] = value
                self.assertEqual(account.state, "error")
                self.assertIn("Press Connect", account.state_detail)
                red = [c["key"] for c in account.checklist if c["state"] == "todo"]
                self.assertEqual(red, [])

    def test_check_list_leads_to_where_it_is_mended(self):
        self._answer_all(verified="NOT_VERIFIED")
        account = self._new_account()
        account.action_connect()
        html = str(account.checklist_html)
        number = account.phone_ids
        self.assertIn(
            f"/odoo/action-whatsapp_billing.phone_action/{number.id}", html
        )
        self.assertIn("/odoo/action-whatsapp_billing.template_action", html)
        self.env["ir.config_parameter"].sudo().set_param(
            "web.base.url", "http://localhost:8069"
        )
        account.invalidate_recordset()
        self.assertNotIn("ir_config_list_action", str(account.checklist_html))
        admin = account.with_user(self.env.ref("base.user_admin"))
        self.assertIn("ir_config_list_action", str(admin.checklist_html))

    def test_a_refused_key_is_no_account_without_numbers(self):
        self.transport.add("GET", "", self._refusal(190, status=401))
        account = self._new_account(provider="dialog360", access_token="key")
        account.action_connect()
        states = {check["key"]: check["state"] for check in account.checklist}
        self.assertEqual(states["token"], "todo")
        self.assertEqual(states["number"], "unknown")

    def test_360dialog_is_asked_nothing_about_permissions(self):
        account = self._new_account(provider="dialog360", access_token="key")
        self.assertNotIn("permissions", [c["key"] for c in account.checklist])
        self.assertNotIn("business.facebook.com", str(account.checklist_html))

    def test_a_private_address_of_this_odoo_is_told_and_harms_no_template(self):
        """An evening login on the local network changed every later link."""
        parameters = self.env["ir.config_parameter"].sudo()
        template = self.templates["invoice"]
        before = template.button_ids.remote_value
        for base in (
            "http://192.168.1.3:8069",
            "http://localhost:8069",
            "http://erp",
            "https://[fd00::1]",
            "http://odoo.example.com",
        ):
            with self.subTest(base=base):
                parameters.set_param("web.base.url", base)
                self.account.invalidate_recordset()
                check = next(
                    c for c in self.account.checklist if c["key"] == "address"
                )
                self.assertEqual(check["state"], "todo")
                self.assertIn(base, check["detail"])
                draft = template.with_user(self.manager).copy()
                draft.action_submit()
                self.assertIn(base, draft.status_detail)
                self.assertEqual(draft.status, "draft")
                template.with_user(self.manager).action_submit()
                self.assertEqual(template.status, "approved")
                self.assertEqual(template.button_ids.remote_value, before)
        self.assertEqual(self.transport.calls, [])

    def test_a_link_in_the_text_is_looked_at_too(self):
        draft = self.templates["invoice"].with_user(self.manager).copy()
        draft.body = "Hello {{1}}, document {{2}} over {{3}}: http://erp.lan/x is ready."
        draft.action_submit()
        self.assertIn("erp.lan", draft.status_detail)
        self.assertEqual(self.transport.calls, [])

    def test_with_the_simulator_its_customers_are_on_this_machine(self):
        self.env["ir.config_parameter"].sudo().set_param(
            "web.base.url", "http://127.0.0.1:8069"
        )
        self.account.api_url = "http://127.0.0.1:8301"
        self.assertFalse(self.account._get_base_problem())
        self.account.api_url = "https://graph.facebook.com"
        self.assertTrue(self.account._get_base_problem())

    def test_checklist_names_templates_with_an_old_address(self):
        parameters = self.env["ir.config_parameter"].sudo()
        parameters.set_param("web.base.url", "https://moved.example.com")
        self.account.invalidate_recordset()
        check = next(c for c in self.account.checklist if c["key"] == "address")
        self.assertFalse(check["ok"])
        self.assertIn(self.templates["invoice"].display_name, check["detail"])
        parameters.set_param("web.base.url", "http://192.168.1.5:8069")
        self.account.invalidate_recordset()
        check = next(c for c in self.account.checklist if c["key"] == "address")
        self.assertIn("Customers cannot open", check["detail"])
        self.assertNotIn("Submit", check["detail"])
