# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.tests import tagged

from odoo.addons.whatsapp_billing.models.common.ledger import OpenLine

from ..models.collection.template_statement import CONTEXT
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

    def said(self, day):
        return day.strftime("%m/%d/%Y")

    def test_the_instalment_that_is_due_and_not_the_whole_invoice(self):
        invoice = self.make_instalments(self.day(-2))
        first = invoice.line_ids.filtered(
            lambda line: line.date_maturity == self.day(-2)
        )
        self.run_plan()
        body = self.reminders().body
        self.assertIn(f"document {self.said(first.date_maturity)}", body)
        self.assertIn("30.00", body)
        self.assertNotIn("100.00", body)

    def test_by_hand_the_instalment_that_is_due_as_on_the_page_behind_the_button(self):
        invoice = self.make_instalments(self.day(-2))
        page = invoice._get_invoice_next_payment_values()
        self.assertEqual(page["next_amount_to_pay"], 30.0)
        invoice.with_user(self.clerk).wab_remind()
        body = self.reminders().body
        self.assertIn(f"document {self.said(page['next_due_date'])}", body)
        self.assertIn("30.00", body)
        self.assertNotIn("100.00", body)
        items = self.reminders().collection_item_ids
        self.assertEqual(items.mapped("amount"), [30.0])

    def test_by_hand_what_is_left_of_an_instalment_that_is_partly_paid(self):
        invoice = self.make_instalments(self.day(-2))
        self.pay(invoice, 10.0)
        invoice.with_user(self.clerk).wab_remind()
        items = self.reminders().collection_item_ids
        self.assertEqual(items.mapped("amount"), [20.0])
        self.assertIn("20.00", self.reminders().body)

    def test_by_hand_an_instalment_in_another_currency(self):
        foreign = self.setup_other_currency("CHF", rates=[("2016-01-01", 2.0)])
        invoice = self.make_instalments(self.day(-2), currency=foreign)
        invoice.with_user(self.clerk).wab_remind()
        items = self.reminders().collection_item_ids
        self.assertEqual(items.mapped("amount"), [30.0])
        self.assertEqual(items.currency_id, foreign)
        self.assertNotIn("100.00", self.reminders().body)

    def test_by_hand_the_whole_when_all_of_it_is_due(self):
        invoice = self.make_instalments(self.day(-80))
        invoice.with_user(self.clerk).wab_remind()
        self.assertEqual(len(self.reminders().collection_item_ids), 2)
        self.assertIn("100.00", self.reminders().body)

    def test_by_hand_before_anything_is_due_the_next_instalment(self):
        invoice = self.make_instalments(self.day(5))
        page = invoice._get_invoice_next_payment_values()
        invoice.with_user(self.clerk).wab_remind()
        body = self.reminders().body
        self.assertIn(self.said(page["next_due_date"]), body)
        self.assertIn("30.00", body)
        self.assertNotIn("100.00", body)

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
