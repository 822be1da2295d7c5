# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import base64
import hashlib
import json
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged

from ..controllers.person import EXPORT_ROUTE
from .common import CUSTOMER_NUMBER, WhatsappBillingCommon


@tagged("post_install", "-at_install")
class TestRetention(WhatsappBillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._make_invoice()
        cls.invoice.wab_send()
        cls.message = cls.invoice.sudo().wab_message_ids

    def _make_event(self, text, state="done"):
        return (
            self.env["whatsapp.billing.webhook.event"]
            .sudo()
            .create(
                {
                    "account_id": self.account.id,
                    "provider": "meta",
                    "body": base64.b64encode(text.encode()),
                    "digest": text,
                    "app_key": "k",
                    "state": state,
                }
            )
        )

    def _age(self, message, days):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE whatsapp_billing_message SET create_date = %s WHERE id = %s",
            [fields.Datetime.now() - timedelta(days=days), message.id],
        )
        self.env.invalidate_all()

    def _erase_old(self, days):
        self.company.sudo().wab_retention_days = days
        self.env.flush_all()
        limit = fields.Datetime.now() - timedelta(days=days)
        messages = self.env["whatsapp.billing.message"].sudo()
        count = messages._erase_batch(self.company.id, limit)
        self.env.invalidate_all()
        return count

    # === AGE === #

    def test_old_message_loses_text_and_number_and_keeps_figures(self):
        self.message.sudo().write({"state": "read", "read_at": fields.Datetime.now()})
        self._age(self.message, 100)
        self.assertEqual(self._erase_old(90), 1)
        self.assertRecordValues(
            self.message,
            [{"body": False, "recipient": False, "content": False, "state": "read"}],
        )
        self.assertTrue(self.message.read_at)
        self.assertEqual(self._erase_old(90), 0)

    def test_recent_message_stays(self):
        self.message.sudo().state = "read"
        self._age(self.message, 80)
        self.assertEqual(self._erase_old(90), 0)

    def test_message_that_still_waits_stays(self):
        self._age(self.message, 100)
        self.assertEqual(self._erase_old(90), 0)
        self.assertTrue(self.message.body)

    def test_cron_keeps_everything_at_zero_days(self):
        self.env["res.company"].sudo().search([]).wab_retention_days = 0
        self.message.sudo().state = "read"
        self._age(self.message, 5000)
        with self.enter_registry_test_mode():
            self.env.ref("whatsapp_billing.ir_cron_retention").method_direct_trigger()
        self.assertTrue(self.message.body)

    # === A PERSON'S RIGHTS === #

    def test_export_holds_messages_and_consent(self):
        data = (
            self.env["whatsapp.billing.message"]
            .with_user(self.manager)
            ._export_person(self.partner)
        )
        self.assertEqual(data["messages"][0]["recipient"], CUSTOMER_NUMBER)
        self.assertIn("billing", [row["purpose"] for row in data["consents"]])
        json.dumps(data, default=str)

    def _open_wizard(self, user):
        action = self.env.ref("whatsapp_billing.person_erase_action")
        return (
            self.env[action.res_model]
            .with_user(user)
            .create({"partner_ids": self.partner.ids})
        )

    def test_manager_erases_everything_about_a_person(self):
        self.env["whatsapp.billing.message.attempt"].sudo().create(
            {
                "message_id": self.message.id,
                "number": 1,
                "kind": "recipient",
                "outcome": "failed",
                "error_detail": CUSTOMER_NUMBER,
                "raw": {"to": CUSTOMER_NUMBER},
            }
        )
        about = self._make_event('{"from": "34600000001"}')
        other = self._make_event('{"from": "34600000002"}')
        line = self.message.mail_message_id
        self.assertIn(CUSTOMER_NUMBER, line.body)
        wizard = self._open_wizard(self.manager)
        self.assertEqual(wizard.message_count, 1)
        action = wizard.action_erase()
        self.assertEqual(action["params"]["type"], "success")
        self.assertRecordValues(
            self.message,
            [
                {
                    "body": False,
                    "recipient": False,
                    "trace": False,
                    "state": "canceled",
                }
            ],
        )
        attempt = self.message.attempt_ids
        self.assertFalse(attempt.raw or attempt.error_detail)
        self.assertNotIn(CUSTOMER_NUMBER, line.body)
        self.assertNotIn("Ana Perez", line.body)
        self.assertFalse(about.exists())
        self.assertTrue(other.exists())

    def _answer_for_key(self):
        self.partner.wab_enabled = False
        first = self._make_invoice().wab_send(key="order-1")[0]
        self.assertIn(self.partner.name, first["detail"])
        return first, self.env["whatsapp.billing.message"].sudo().browse(
            first["message_id"]
        )

    def test_the_answer_kept_for_a_key_names_nobody_after_erasing(self):
        first, message = self._answer_for_key()
        self._open_wizard(self.manager).action_erase()
        self.assertEqual(message.result, first | {"detail": False})

    def test_the_answer_kept_for_a_key_names_nobody_when_it_is_old(self):
        first, message = self._answer_for_key()
        self._age(message, 100)
        self._erase_old(30)
        self.assertEqual(message.result, first | {"detail": False})

    def _message_about_contact(self):
        name = self.partner.display_name
        self.message.sudo().write(
            {
                "res_model": "res.partner",
                "res_id": self.partner.id,
                "document_name": name,
            }
        )
        return self.message.sudo()

    def test_a_message_about_a_contact_names_nobody_after_erasing(self):
        message = self._message_about_contact()
        self._open_wizard(self.manager).action_erase()
        self.assertFalse(message.document_name)

    def test_a_message_about_a_contact_names_nobody_when_it_is_old(self):
        message = self._message_about_contact()
        message.state = "failed"
        self._age(message, 100)
        self._erase_old(30)
        self.assertFalse(message.document_name)

    def test_erasing_leaves_other_people_alone(self):
        other = self._make_customer("Luis Gil", "+34600000002")
        invoice = self._make_invoice(other)
        invoice.wab_send()
        self._open_wizard(self.manager).action_erase()
        self.assertTrue(invoice.sudo().wab_message_ids.body)

    def test_a_number_is_erased_whole_or_not_at_all(self):
        """A contact whose number is "1" took 77 of 84 events of all companies along."""
        self.partner.phone = "1"
        self.message.sudo().recipient = "1"
        kept = [
            self._make_event('{"from": "34600000002"}'),
            self._make_event('{"from": "9346000000011"}'),
            self._make_event('{"timestamp": "1763600100"}'),
        ]
        self._open_wizard(self.manager).action_erase()
        self.assertEqual([len(event.exists()) for event in kept], [1, 1, 1])
        self.partner.phone = CUSTOMER_NUMBER
        about = self._make_event('{"from":"34600000001","a":1}')
        self._open_wizard(self.manager).action_erase()
        self.assertFalse(about.exists())
        self.assertEqual([len(event.exists()) for event in kept], [1, 1, 1])

    def test_words_vanish_from_activities_lines_and_evidence(self):
        words = "My doctor says I cannot pay"
        inbound = self.message.sudo().create(
            {
                "direction": "in",
                "state": "received",
                "company_id": self.company.id,
                "recipient": CUSTOMER_NUMBER,
                "body": words,
                "profile_name": "Ana",
            }
        )
        invoice = self.invoice
        activity = invoice.activity_schedule(
            "mail.mail_activity_data_todo",
            note=f"<p>{words}</p>",
            wab_reason="customer_answered",
        )
        done = invoice.activity_schedule(
            "mail.mail_activity_data_todo",
            note=f"<p>{words}</p>",
            wab_reason="customer_answered",
        )
        done.action_feedback(feedback="Called her")
        line = invoice._message_log(body=f"Customer {CUSTOMER_NUMBER} wrote")
        other = invoice._message_log(body="Delivered on Monday")
        consent = self.partner.sudo().wab_consent_ids[0]
        self._open_wizard(self.manager).action_erase()
        self.env.invalidate_all()
        self.assertFalse(inbound.body or inbound.recipient or inbound.profile_name)
        self.assertNotIn(words, activity.note or "")
        bodies = " ".join(map(str, invoice.message_ids.mapped("body")))
        self.assertNotIn(words, bodies)
        self.assertNotIn(CUSTOMER_NUMBER, line.body)
        self.assertIn("Monday", other.body)
        self.assertFalse(consent.recipient or consent.person_key)
        self.assertNotIn("switched on", consent.evidence)

    # The number of the contact as people write it, and numbers that are another's.
    THEIRS = ("+34600000001", "0034 600 000 001", "600 00 00 01", "(600) 000-001")
    OTHERS = ("+34 600 000 0012", "+33 600 000 001", "600 000 002", "9600000001")

    def test_a_number_vanishes_from_the_history_of_the_contact(self):
        """Odoo notes the number before and after, as somebody typed it."""
        line = self.partner._message_log(body="Changed")
        phone = self.env["ir.model.fields"]._get("res.partner", "phone")
        values = self.env["mail.tracking.value"].sudo()
        rows = values.create(
            [
                {
                    "mail_message_id": line.id,
                    "field_id": phone.id,
                    "old_value_char": old,
                    "new_value_char": "unknown",
                }
                for old in (*self.THEIRS, *self.OTHERS)
            ]
        )
        self._open_wizard(self.manager).action_erase()
        self.env.invalidate_all()
        left = list(filter(None, rows.mapped("old_value_char")))
        self.assertEqual(left, list(self.OTHERS))

    def test_a_number_vanishes_from_notes_however_it_is_written(self):
        lines = {
            number: self.invoice._message_log(body=f"Call {number} tomorrow")
            for number in (*self.THEIRS, *self.OTHERS)
        }
        self._open_wizard(self.manager).action_erase()
        self.env.invalidate_all()
        left = [number for number, line in lines.items() if "Call" in line.body]
        self.assertEqual(left, list(self.OTHERS))

    def test_a_shared_word_does_not_take_the_notes_of_others_along(self):
        """Ana wrote `factura`; a note about invoice B-77 of company B was emptied."""
        self.message.sudo().create(
            {
                "direction": "in",
                "state": "received",
                "company_id": self.company.id,
                "partner_id": self.partner.id,
                "recipient": CUSTOMER_NUMBER,
                "body": "factura",
            }
        )
        other = self.env["res.company"].create({"name": "B"})
        clerk = self._make_user(
            "clerk_b", "base.group_user,base.group_partner_manager", other
        )
        theirs = self.partner.with_user(clerk).with_company(other)
        note = "mail.mt_note"
        kept = [
            theirs.message_post(
                body="Empresa B: acuerdo sobre factura B-77", subtype_xmlid=note
            ),
            theirs.message_post(body="factura", subtype_xmlid=note),
            theirs.message_post(body=f"Call {CUSTOMER_NUMBER}", subtype_xmlid=note),
            self.partner.message_post(
                body="Cada factura se paga a 60 dias, firmado", subtype_xmlid=note
            ),
            self.invoice.message_post(
                body="La factura fue revisada: no tocar", subtype_xmlid=note
            ),
            self.invoice.message_post(body="factura", subtype_xmlid=note),
        ]
        bodies = [str(line.sudo().body) for line in kept]
        asked = [
            record.activity_schedule(
                "mail.mail_activity_data_todo", summary=summary, user_id=user.id
            )
            for record, summary, user in (
                (theirs, "Revisar factura de B", clerk),
                (theirs, f"Call {CUSTOMER_NUMBER}", clerk),
                (self.invoice, "Revisar factura", self.clerk),
            )
        ]
        summaries = [activity.sudo().summary for activity in asked]
        # What our messages made of it, and own texts that name the whole number.
        gone = [
            self.invoice._message_log(body="The customer answered: factura"),
            self.partner.message_post(
                body=f"Call {CUSTOMER_NUMBER}", subtype_xmlid=note
            ),
        ]
        gone[0].sudo().wab_company_id = self.company
        request = self.invoice.activity_schedule(
            "mail.mail_activity_data_todo",
            note="<p>factura</p>",
            wab_reason="customer_answered",
        )
        self._open_wizard(self.manager).action_erase()
        self.env.invalidate_all()
        self.assertEqual([str(line.sudo().body) for line in kept], bodies)
        self.assertEqual([a.sudo().summary for a in asked], summaries)
        for line in gone:
            self.assertNotIn("factura", line.body)
            self.assertNotIn(CUSTOMER_NUMBER, line.body)
        self.assertFalse(request.note)

    def test_a_stop_is_obeyed_after_erasing(self):
        consents = self.env["whatsapp.billing.consent"].sudo()
        consents._set_number(
            CUSTOMER_NUMBER, False, "keyword", "STOP please", company=self.company
        )
        self._open_wizard(self.manager).action_erase()
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT concat_ws('|', recipient, person_key, evidence)"
            " FROM whatsapp_billing_consent WHERE company_id = %s",
            [self.company.id],
        )
        left = " ".join(row[0] for row in self.env.cr.fetchall())
        self.assertNotIn("600000001", left)
        self.assertNotIn("STOP please", left)
        # All numbers of a country can be hashed in an hour: not without our salt.
        self.assertIn("erased:", left)
        self.assertNotIn(hashlib.sha256(CUSTOMER_NUMBER.encode()).hexdigest(), left)
        self.env.invalidate_all()
        # The number comes back under another name and spelling.
        late = self._make_customer("Somebody", "0034 600 000 001")
        self.assertTrue(late.wab_opted_out)
        self.assertEqual(
            self.env["res.partner"].search(
                [("wab_opted_out", "=", True), ("id", "=", late.id)]
            ),
            late,
        )
        result = self._make_invoice(late).with_user(self.clerk).wab_send()
        self.assertEqual(result[0]["reason"], "opted_out")

    def test_an_event_that_still_waits_loses_only_who_is_erased(self):
        """It may hold the STOP of somebody else, which nobody has read yet."""
        text = (
            '{"entry": [{"changes": [{"value": {"metadata": {"n": "34910000001"},'
            ' "contacts": [{"wa_id": "34600000001"}, {"wa_id": "34600000002"}],'
            ' "messages": [{"from": "34600000001", "text": {"body": "Hello"}},'
            ' {"from": "34600000002", "text": {"body": "STOP"}}]}}]}]}'
        )
        waiting = self._make_event(text, state="error")
        done = self._make_event(text.replace("Hello", "Bye"))
        cut = self._make_event('{"from": "34600000001", "te', state="error")
        alone = self._make_event('{"from": "34600000001"}', state="error")
        self._open_wizard(self.manager).action_erase()
        self.env.invalidate_all()
        self.assertFalse((done | cut | alone).exists())
        (value,) = json.loads(base64.b64decode(waiting.body))["entry"][0]["changes"]
        self.assertEqual(
            value["value"],
            {
                "metadata": {"n": "34910000001"},
                "contacts": [{"wa_id": "34600000002"}],
                "messages": [{"from": "34600000002", "text": {"body": "STOP"}}],
            },
        )

    def test_a_shared_contact_keeps_the_other_companys_data(self):
        other = self.env["res.company"].create({"name": "B"})
        manager = self._make_user(
            "manager_b", "base.group_user,whatsapp_billing.group_manager", other
        )
        event = self._make_event('{"from": "34600000001"}')
        wizard = (
            self.env["whatsapp.billing.person.erase"]
            .with_user(manager)
            .with_context(allowed_company_ids=other.ids)
            .create({"partner_ids": self.partner.ids})
        )
        self.assertEqual(wizard.message_count, 0)
        wizard.action_erase()
        self.env.invalidate_all()
        self.assertTrue(self.message.body and self.message.recipient)
        self.assertIn(CUSTOMER_NUMBER, self.message.mail_message_id.body)
        self.assertTrue(event.exists())
        self.assertTrue(all(self.partner.wab_consent_ids.mapped("recipient")))
        data = (
            self.env["whatsapp.billing.message"]
            .with_user(manager)
            ._export_person(self.partner, other)
        )
        self.assertEqual(data, {"messages": [], "consents": []})
        forged = wizard.with_context(allowed_company_ids=(self.company | other).ids)
        with self.assertRaises(AccessError):
            forged.action_erase()

    def test_clerk_may_not_erase(self):
        with self.assertRaises(AccessError):
            self._open_wizard(self.clerk)

    def test_only_managers_find_the_actions(self):
        group = self.env.ref("whatsapp_billing.group_manager")
        for name in ("person_erase_menu", "person_export_action"):
            action = self.env.ref(f"whatsapp_billing.{name}")
            self.assertEqual(action.group_ids, group)
            self.assertEqual(action.binding_model_id.model, "res.partner")
        dialog = self.env.ref("whatsapp_billing.person_erase_action")
        self.assertEqual(dialog.group_ids, group)
        self.assertFalse(dialog.binding_model_id)

    def test_data_entries_stand_last_in_the_menu_of_a_contact(self):
        actions = self.env["ir.actions.actions"].with_user(self.manager)
        bindings = actions.get_bindings("res.partner")["action"]
        names = [action["name"] for action in bindings]
        self.assertEqual(
            names[-2:], ["Export WhatsApp Data", "Erase WhatsApp Data"], names
        )
        sequences = [a.get("sequence", 0) for a in bindings]
        sent = names.index("Send by WhatsApp")
        self.assertTrue(all(sequence > 1 for sequence in sequences[sent + 1 :]), names)
        menu = self.env.ref("whatsapp_billing.person_erase_menu")
        shown = (
            menu.with_user(self.manager)
            .with_context(active_model="res.partner", active_ids=self.partner.ids)
            .run()
        )
        self.assertEqual(shown["res_model"], "whatsapp.billing.person.erase")
        wizard = (
            self.env[shown["res_model"]]
            .with_user(self.manager)
            .with_context(**shown["context"])
            .new({})
        )
        self.assertEqual(wizard.partner_ids.ids, self.partner.ids)


@tagged("post_install", "-at_install")
class TestPersonExport(WhatsappBillingCommon, HttpCase):
    def _get(self, user):
        self.authenticate(user.login, user.login)
        return self.url_open(f"{EXPORT_ROUTE}?partner_ids={self.partner.id}")

    def test_what_is_no_id_is_left_out(self):
        self.authenticate(self.manager.login, self.manager.login)
        for asked in ("\u00b2", "\u0665", "0", "99999999999999", "-1", "a", ",,", "1e3"):
            with self.subTest(asked=asked):
                answer = self.url_open(f"{EXPORT_ROUTE}?partner_ids={asked}")
                self.assertEqual(answer.status_code, 200)
                self.assertEqual(answer.json(), {"messages": [], "consents": []})

    def test_manager_downloads_a_file(self):
        self._make_invoice().wab_send()
        answer = self._get(self.manager)
        self.assertEqual(answer.status_code, 200)
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        self.assertEqual(answer.json()["messages"][0]["recipient"], CUSTOMER_NUMBER)

    def test_clerk_is_refused(self):
        self.assertEqual(self._get(self.clerk).status_code, 403)

    def test_visitor_is_sent_to_the_login(self):
        answer = self.url_open(
            f"{EXPORT_ROUTE}?partner_ids={self.partner.id}", allow_redirects=False
        )
        self.assertEqual(answer.status_code, 303)
