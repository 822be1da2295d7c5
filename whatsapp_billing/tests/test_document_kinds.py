# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A company chooses which kinds of documents go out on WhatsApp."""

from odoo.tests import tagged

from .lifecycle_common import LifecycleCommon


@tagged("post_install", "-at_install")
class TestDocumentKinds(LifecycleCommon):
    def setUp(self):
        super().setUp()
        self.accept_everything()

    def make_payment(self):
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.partner.id,
                "amount": 40.0,
            }
        )
        payment.action_post()
        return payment

    def test_each_switch_stops_its_kind_only(self):
        invoice = self._make_invoice()
        payment = self.make_payment()
        calls = {
            "wab_sends_invoices": invoice.with_user(self.clerk).wab_send,
            "wab_sends_credit_notes": self._make_invoice(move_type="out_refund")
            .with_user(self.clerk)
            .wab_send,
            "wab_sends_sales_receipts": self._make_invoice(move_type="out_receipt")
            .with_user(self.clerk)
            .wab_send,
            "wab_sends_payment_receipts": payment.with_user(
                self.clerk
            ).wab_send_receipt,
            "wab_sends_reminders": invoice.with_user(self.clerk).wab_remind,
        }
        self.assertEqual(set(calls), set(self.switches().values()))
        for off in calls:
            self.company[off] = False
            for switch, call in calls.items():
                (result,) = call()
                reason = "kind_off" if switch == off else False
                self.assertEqual(result["reason"], reason, (off, switch))
                self.assertEqual(bool(result["detail"]), bool(reason))
            self.company[off] = True

    def switches(self):
        return self.env["whatsapp.billing.document.mixin"]._wab_all_kind_switches()

    def test_switched_off_while_it_waits(self):
        for kind, switch in self.switches().items():
            message = self.send(self.make_invoice_with_pdf(), key=kind)
            message.document_type = kind
            self.company[switch] = False
            self.drain()
            self.assertRecordValues(
                message, [{"state": "canceled", "reason": "kind_off"}]
            )
            self.company[switch] = True
        self.assertFalse(self.sent_calls())

    def test_send_dialog_proposes_it_no_more_and_says_why(self):
        self.company.wab_sends_invoices = False
        wizard = (
            self.env["account.move.send.wizard"]
            .with_user(self.clerk)
            .create({"move_id": self._make_invoice().id})
        )
        self.assertNotIn("whatsapp_billing", wizard.sending_methods)
        wizard.sending_method_checkboxes = {
            **wizard.sending_method_checkboxes,
            "whatsapp_billing": {"checked": True, "label": "by WhatsApp"},
        }
        self.assertFalse(wizard.wab_preview_data["going"])
        self.assertIn("settings", wizard.wab_preview_data["detail"])

    def test_another_company_s_switch_is_not_asked(self):
        other = self.env["res.company"].create({"name": "B"})
        other.wab_sends_invoices = False
        (result,) = self._make_invoice().with_user(self.clerk).wab_send()
        self.assertFalse(result["reason"])
