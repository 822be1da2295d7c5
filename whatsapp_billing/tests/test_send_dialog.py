# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.mail.tests.common import MailCommon

from ..const import METHOD
from .lifecycle_common import LifecycleCommon

WIZARD_LOGGER = "odoo.addons.whatsapp_billing.wizard.account_move_send_wizard"


@tagged("post_install", "-at_install")
class TestSendDialog(LifecycleCommon, MailCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner.email = "ana@example.com"

    def open(self, move, user=None):
        """Open the Send dialog as the clerk does, from the document's button."""
        self.attach_pdf(move)
        move = move.with_user(user or self.clerk)
        action = move.action_send_and_print()
        return (
            self.env[action["res_model"]]
            .with_user(user or self.clerk)
            .with_context(**action["context"])
            .create({})
        )

    def tick(self, wizard, *methods):
        boxes = dict(wizard.sending_method_checkboxes)
        wizard.sending_method_checkboxes = {
            name: box | {"checked": name in methods} for name, box in boxes.items()
        }

    def messages_of(self, move):
        return self.messages.search(
            [("res_model", "=", "account.move"), ("res_id", "=", move.id)]
        )

    # --- what the dialog shows ----------------------------------------------------

    def test_enabled_customer_proposes_both(self):
        wizard = self.open(self._make_invoice())
        self.assertEqual(set(wizard.sending_methods), {"email", METHOD})
        self.assertEqual(wizard.wab_partner_ids, self.partner)
        self.assertEqual(wizard.wab_template_id, self.templates["invoice"])
        self.assertEqual(wizard.wab_lang, "English")
        self.assertIn("Hello Ana Perez", wizard.wab_preview_html)
        self.assertIn("View and pay", wizard.wab_preview_html)
        self.assertFalse(wizard.wab_problems_html)
        self.assertFalse(wizard.alerts)

    def test_form_shows_the_phone_only_when_ticked(self):
        wizard = self.open(self._make_invoice())
        with Form(wizard) as form:
            self.assertTrue(form.wab_preview_html)
            boxes = dict(form.sending_method_checkboxes)
            boxes[METHOD] = boxes[METHOD] | {"checked": False}
            form.sending_method_checkboxes = boxes
            self.assertFalse(form.wab_preview_html)

    def test_recipient_tag_shows_the_number(self):
        partner = self.partner.with_user(self.clerk).with_context(wab_show_number=True)
        self.assertEqual(partner.display_name, "Ana Perez (+34600000001)")
        self.assertEqual(partner.wab_tag_color, 10)
        self.partner.phone = False
        self.assertEqual(partner.display_name, "Ana Perez (no number)")
        self.assertEqual(partner.wab_tag_color, 1)

    def test_credit_note_and_receipt_have_their_own_template(self):
        for move_type, kind in (
            ("out_refund", "credit_note"),
            ("out_receipt", "sales_receipt"),
        ):
            with self.subTest(move_type):
                wizard = self.open(self._make_invoice(move_type=move_type))
                self.assertIn(METHOD, wizard.sending_methods)
                self.assertEqual(wizard.wab_template_id, self.templates[kind])
                self.assertTrue(wizard.wab_preview_html)

    def test_each_recipient_is_written_to_in_their_language(self):
        spanish = self._make_template(self.account, "invoice", "es")
        partner = self._make_customer("Luis", "+34600000002", "es_ES")
        wizard = self.open(self._make_invoice())
        wizard.wab_partner_ids |= partner
        self.assertEqual(wizard.wab_lang, "English, Spanish")
        wizard.action_send_and_print()
        self.assertEqual(
            self.messages_of(wizard.move_id).template_id,
            self.templates["invoice"] | spanish,
        )

    # --- where it does not reach --------------------------------------------------

    def test_no_number_leaves_email_and_says_so(self):
        self.partner.phone = False
        wizard = self.open(self._make_invoice())
        self.assertEqual(wizard.sending_methods, ["email"])
        self.assertIn("no WhatsApp or phone number", str(wizard.alerts))

    def test_whatsapp_only_customer_without_number_falls_back_to_email(self):
        self.partner.write({"phone": False, "invoice_sending_method": METHOD})
        wizard = self.open(self._make_invoice())
        self.assertEqual(wizard.sending_methods, ["email"])
        self.assertEqual(wizard.alerts["whatsapp_billing"]["level"], "info")

    def test_opted_out_is_said_and_email_goes(self):
        self.partner.with_user(self.clerk).wab_opt_out("billing", "Asked us to stop")
        wizard = self.open(self._make_invoice())
        self.assertEqual(wizard.sending_methods, ["email"])
        self.tick(wizard, "email", METHOD)
        self.assertEqual(wizard.alerts["whatsapp_billing"]["level"], "warning")
        self.assertIn("no more messages", wizard.wab_problems_html)
        with self.mock_mail_gateway():
            wizard.action_send_and_print()
        self.assertEqual(self.messages_of(wizard.move_id).reason, "opted_out")
        self.assertEqual(self._new_mails.recipient_ids, self.partner)

    def test_alone_and_reaching_nobody_is_refused(self):
        self.partner.wab_enabled = False
        wizard = self.open(self._make_invoice())
        self.tick(wizard, METHOD)
        with self.assertRaisesRegex(UserError, "Nobody can get this on WhatsApp"):
            wizard.action_send_and_print()
        self.assertFalse(self.messages_of(wizard.move_id))

    def test_without_recipient_is_refused(self):
        wizard = self.open(self._make_invoice())
        self.tick(wizard, METHOD)
        wizard.wab_partner_ids = False
        with self.assertRaisesRegex(UserError, "Nobody can get this"):
            wizard.action_send_and_print()

    def test_account_that_is_not_connected_makes_it_wait(self):
        self.account.sudo().state = "inactive"
        wizard = self.open(self._make_invoice())
        self.tick(wizard, METHOD)
        self.assertEqual(wizard.alerts["whatsapp_billing"]["level"], "info")
        wizard.action_send_and_print()
        self.assertEqual(self.messages_of(wizard.move_id).state, "held")

    def test_failure_of_ours_leaves_email_possible(self):
        move = self._make_invoice()
        failing = patch.object(
            type(self.env["whatsapp.billing.message"]), "_preview", side_effect=KeyError
        )
        with failing, mute_logger(WIZARD_LOGGER):
            wizard = self.open(move)
            self.assertEqual(wizard.sending_methods, ["email"])
            self.tick(wizard, "email", METHOD)
            self.assertIn("could not be prepared", wizard.wab_problems_html)

    def test_user_without_the_group_sees_no_whatsapp(self):
        user = self._make_user("reader", "base.group_user")
        user.write(
            {"group_ids": [(4, self.env.ref("account.group_account_readonly").id)]}
        )
        wizard = self.env["account.move.send.wizard"].with_user(user)
        move = self._make_invoice()
        wizard = wizard.sudo().create({"move_id": move.id}).with_user(user).sudo(True)
        self.assertNotIn(METHOD, wizard.sending_method_checkboxes)

    # --- what is handed over --------------------------------------------------------

    def test_settings_name_whatsapp_only_when_ticked(self):
        wizard = self.open(self._make_invoice())
        self.assertFalse(
            wizard._get_sending_settings()["wab_partner_ids"],
            "who is proposed is the document's to say",
        )
        self.tick(wizard, "email")
        self.assertNotIn("wab_partner_ids", wizard._get_sending_settings())
        self.assertNotIn("wab_template_id", wizard._get_sending_settings())

    def test_chosen_template_and_recipients_are_used(self):
        other = self._make_template(
            self.account,
            "invoice",
            "en",
            template_name="short",
            body="Dear {{1}}, {{2}} over {{3}} as agreed.",
            is_default=False,
        )
        boss = self._make_customer("Berta Boss", "+34600000009")
        wizard = self.open(self._make_invoice())
        wizard.wab_partner_ids = boss
        wizard.wab_template_id = other
        self.assertIn("Dear Berta Boss", wizard.wab_preview_html)
        wizard.action_send_and_print()
        self.assertRecordValues(
            self.messages_of(wizard.move_id),
            [
                {
                    "partner_id": boss.id,
                    "template_id": other.id,
                    "state": "queued",
                    "user_id": self.clerk.id,
                    "method": "send_dialog",
                }
            ],
        )

    # --- batch ------------------------------------------------------------------------

    def batch(self, moves):
        return (
            self.env["account.move.send.batch.wizard"]
            .with_user(self.clerk)
            .create({"move_ids": [(6, 0, moves.ids)]})
        )

    def test_batch_counts_whatsapp_and_names_who_has_no_number(self):
        lost = self._make_customer("Nadia", False, email="nadia@example.com")
        alone = self._make_customer("Wanda", False, invoice_sending_method=METHOD)
        moves = self._make_invoice() | self._make_invoice(lost)
        wizard = self.batch(moves | self._make_invoice(alone))
        self.assertEqual(
            wizard.summary_data[METHOD], {"count": 1, "label": "by WhatsApp"}
        )
        self.assertEqual(wizard.summary_data["email"]["count"], 2)
        both = wizard.alerts["whatsapp_billing_no_number"]["message"]
        self.assertIn("Nadia", both)
        self.assertNotIn("Wanda", both)
        not_sent = wizard.alerts["whatsapp_billing_not_sent"]["message"]
        self.assertIn("Wanda", not_sent)

    def test_batch_speaks_of_whatsapp_in_the_language_of_who_looks(self):
        self.env["res.lang"]._activate_lang("es_ES")
        self.env["ir.module.module"].search(
            [("name", "=", "whatsapp_billing")]
        )._update_translations(["es_ES"])
        wizard = self.batch(self._make_invoice() | self._make_invoice())
        spanish = wizard.with_context(lang="es_ES")
        spanish.invalidate_recordset(["summary_data"])
        self.assertEqual(spanish.summary_data[METHOD]["label"], "por WhatsApp")

    def test_batch_does_not_promise_email_without_an_address(self):
        lost = self._make_customer("Nadia", False, email=False)
        wizard = self.batch(self._make_invoice(lost) | self._make_invoice())
        self.assertNotIn("whatsapp_billing_no_number", wizard.alerts)
        not_sent = wizard.alerts["whatsapp_billing_not_sent"]["message"]
        self.assertIn("Nadia", not_sent)

    def test_batch_sends_together_with_email_or_alone(self):
        alone = self._make_customer(
            "Wanda",
            "+34600000007",
            invoice_sending_method=METHOD,
            email="w@example.com",
        )
        first, second = self._make_invoice(), self._make_invoice(alone)
        for move in first | second:
            self.attach_pdf(move)
        with self.mock_mail_gateway():
            self.batch(first | second).action_send_and_print(force_synchronous=True)
        self.assertEqual(
            self.messages_of(first).mapped("state")
            + self.messages_of(second).mapped("state"),
            ["queued", "queued"],
        )
        self.assertEqual(len(self._new_mails), 1, "only the first one by e-mail")
