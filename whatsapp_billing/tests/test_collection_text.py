# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from odoo.tests import tagged

from ..models.collection.template_debtor import CONTEXT, OpenLine
from .collection_common import CollectionCommon


@tagged("post_install", "-at_install")
class TestCollectionText(CollectionCommon):
    """What a reminder of one invoice says is open, and since when."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # As the ready-made template has them.
        variables = cls.templates["payment_reminder"].variable_ids
        variables.filtered(
            lambda v: v.field_path == "amount_total"
        ).field_path = "amount_residual"
        variables.filtered(
            lambda v: v.field_path == "name"
        ).field_path = "invoice_date_due"

    def make_instalments(self):
        """Return an invoice with 30 due two days ago and 70 due next month."""
        invoice = self.init_invoice(
            "out_invoice",
            partner=self.partner,
            invoice_date=self.today - timedelta(days=2),
            amounts=[100.0],
            company=self.company,
        )
        invoice.invoice_payment_term_id = self.pay_terms_b
        invoice.action_post()
        return invoice

    def said(self, day):
        return day.strftime("%m/%d/%Y")

    def test_the_instalment_that_is_due_and_not_the_whole_invoice(self):
        invoice = self.make_instalments()
        first = invoice.line_ids.filtered(
            lambda line: line.date_maturity == self.day(-2)
        )
        self.run_plan()
        body = self.reminders().body
        self.assertIn(f"document {self.said(first.date_maturity)}", body)
        self.assertIn("30.00", body)
        self.assertNotIn("100.00", body)

    def test_by_hand_all_that_is_open_since_the_oldest(self):
        invoice = self.make_instalments()
        invoice.with_user(self.clerk).wab_remind()
        body = self.reminders().body
        self.assertIn(f"document {self.said(self.day(-2))}", body)
        self.assertIn("100.00", body)

    def test_credits_are_deducted(self):
        invoice = self.make_due(1)
        entry = invoice._wab_open_lines()[0]
        credit = OpenLine(0, "", None, -30.0, entry.currency_id, True)
        other = OpenLine(0, "", None, -5.0, 0, True)
        rendered = self.templates["payment_reminder"]._render_values(
            invoice.with_context(**{CONTEXT: {invoice.id: [entry, credit, other]}}),
            {invoice.id: self.partner},
        )
        self.assertIn("70.00", rendered[invoice.id, self.partner.id]["text"])

    def test_part_payments_are_taken_off(self):
        self.pay(self.make_due(1), 40.0)
        self.run_plan()
        self.assertIn("60.00", self.reminders().body)
        invoice = self.make_due(1, self._make_customer("Bea", "+34600000066"))
        self.pay(invoice, 30.0)
        invoice.with_user(self.clerk).wab_remind()
        self.assertIn("70.00", self.reminders()[-1].body)

    def test_a_text_about_several_is_no_default_though_approved_first(self):
        single = self.templates["payment_reminder"]
        single.is_default = False
        self.many._become_default()
        self.assertFalse(self.many.is_default)
        single._become_default()
        self.assertTrue(single.is_default)
        self.make_due(1)
        self.run_plan()
        self.assertEqual(self.reminders().template_id, single)
