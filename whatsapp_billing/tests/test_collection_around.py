# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What happens around a reminder: credits, numbers, people, money on its way."""

from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools.misc import format_date

from odoo.addons.rpc.controllers.xmlrpc import dumps

from .collection_common import CollectionCommon


@tagged("post_install", "-at_install")
class TestCollectionAround(CollectionCommon):
    def test_traces_are_read_over_xml_rpc(self):
        invoice = self.make_due(1)
        self.run_plan()
        dumps((self.case(invoice).with_user(self.clerk).read(),))
        dumps((self.reminders().with_user(self.clerk).read(["trace"]),))

    def test_a_credit_without_a_template_for_several(self):
        self.many.status = "paused"
        self.make_due(1, amount=100.0)
        self._make_invoice(amount=30.0, move_type="out_refund")
        self.run_plan()
        items = self.reminders().collection_item_ids
        self.assertEqual(sorted(items.mapped("role")), ["credit", "due"])

    def test_without_a_sender_number_the_step_is_not_used_up(self):
        invoice = self.make_due(1)
        self.env["whatsapp.billing.phone.route"].sudo().search([]).unlink()
        self.phone.sudo().is_verified = False
        self.run_plan()
        self.assertEqual(self.case(invoice).reason, "account_inactive")
        self.assertFalse(self.case(invoice).last_step_days)
        self.assertFalse(self.followups.search([]))

    def test_who_paid_has_answered(self):
        self.accept_everything()
        invoice = self.make_due(2)
        self.run_plan()
        self.drain()
        self.receive_statuses(self.status(self.reminders(), "delivered"))
        self.assertEqual(
            self.plan._read_unanswered(self.company, self.partner.ids),
            {self.partner.id: 1},
        )
        self.pay(invoice)
        self.env.flush_all()
        self.assertFalse(self.plan._read_unanswered(self.company, self.partner.ids))

    def test_an_online_payment_that_never_came_blocks_for_two_weeks(self):
        invoice = self.make_due(30)
        tx = (
            self.env["payment.transaction"]
            .sudo()
            .create(
                {
                    "provider_id": self.env["payment.provider"]
                    .sudo()
                    .search([], limit=1)
                    .id,
                    "payment_method_id": self.env["payment.method"]
                    .sudo()
                    .with_context(active_test=False)
                    .search([], limit=1)
                    .id,
                    "reference": "x",
                    "amount": 100,
                    "currency_id": invoice.currency_id.id,
                    "partner_id": self.partner.id,
                    "state": "pending",
                    "last_state_change": self.ago(days=3),
                    "invoice_ids": [Command.set(invoice.ids)],
                }
            )
        )
        self.run_plan()
        self.assertEqual(self.case(invoice).reason, "payment_pending")
        tx.last_state_change = self.ago(days=15)
        self.run_plan(1)
        self.assertFalse(self.case(invoice).reason)

    def test_a_pending_payment_in_another_currency_counts_at_the_invoices_rate(self):
        currency = self.setup_other_currency("CHF", rates=[("2016-01-01", 2.0)])
        invoice = self.make_due(1, amount=100.0, currency=currency)
        # With Odoo's Accounting app it is the bank's statement that books payments.
        lines = self.env["account.payment.method.line"].search([])
        lines.payment_account_id = False
        moves = type(self.env["account.move"])
        with patch.object(
            moves, "_get_invoice_in_payment_state", lambda move: "in_payment"
        ):
            payment = self.pay(invoice, 30.0, currency_id=self.company.currency_id.id)
        self.assertFalse(payment.move_id)
        self.env.flush_all()
        found = self.cases._read_pending_amounts(invoice.ids)
        self.assertAlmostEqual(found[invoice.id], 60.0)

    # --- messages that are withdrawn ------------------------------------------------------------

    def test_a_trace_is_read_after_the_message_was_withdrawn_or_erased(self):
        self.accept_everything()
        small, large = self.make_due(1, amount=100.0), self.make_due(2, amount=250.0)
        self.run_plan()
        self.partner.phone = "+34 600 99 99 99"
        self.assertEqual(self.drain(), 1, "it goes to the right number, once")
        message = self.reminders()[0]
        self.assertEqual((message.state, message.reason), ("canceled", "superseded"))
        self.assertFalse(message.trace[-1]["passed"])
        for invoice in small, large:
            case = self.case(invoice).with_user(self.clerk)
            self.assertIn(
                invoice.amount_residual,
                [a["value"] for a in case.trace if a["rule"] == "document_unpaid"],
            )
            self.assertTrue(case.web_read({"why_html": {}}))
        self.reminders()._erase_person(self.partner)
        for invoice in small, large:
            self.assertFalse(any(self.case(invoice).item_ids.mapped("trace")))

    def test_a_step_that_was_withdrawn_goes_again_after_more_time(self):
        invoice = self.make_due(1)
        self.run_plan()
        invoice.invoice_date_due = self.day(5)
        self.run_plan(6)
        self.assertEqual(len(self.reminders()), 2)
        self.reminders()[-1].with_user(self.clerk).action_cancel()
        self.assertFalse(self.case(invoice).last_date)
        self.run_plan(7)
        self.assertEqual(self.reminders()[-1].state, "queued")

    def test_a_reminder_by_hand_is_no_step(self):
        self.plan.step_ids[0].days = 0
        invoice = self.make_due(9)
        invoice.with_user(self.clerk).wab_remind()
        self.assertFalse(self.case(invoice).item_ids.step_id)

    # --- what the chatter shows -----------------------------------------------------------------

    def test_a_document_that_exists_is_on_the_line(self):
        template = self.templates["payment_reminder"]
        template.write({"header_type": "document", "remote_components": False})
        template.remote_components = template._components()
        invoice = self.make_due(1)
        self.attach_pdf(invoice)
        self.run_plan()
        message = self.reminders()
        self.assertEqual(message.document_state, "ready")
        self.assertEqual(
            message.mail_message_id.attachment_ids, invoice.invoice_pdf_report_id
        )

    def test_a_promise_is_noted_with_its_date_in_words(self):
        invoice = self.make_due(1)
        case = self.case(invoice).with_user(self.clerk)
        case.action_promise(self.day(3))
        note = invoice.message_ids[0].body
        self.assertIn(format_date(case.env, self.day(3)), note)

    # --- invoices that are switched off ---------------------------------------------------

    def switch_off(self, invoice):
        invoice.with_user(self.clerk).wab_enabled = False

    def test_contract_reminds_nobody_who_was_switched_off(self):
        """By a plan as by hand; also where it was switched off while it waited."""
        self.company.sudo().wab_consent_by_contract = True
        self.clerk.group_ids |= self.env.ref("base.group_partner_manager")
        off = self._make_customer("Off", "+34600000041", wab_enabled=False)
        never = self._make_customer("Never on", "+34600000042", wab_enabled=False)
        later = self._make_customer("Later", "+34600000043", wab_enabled=False)
        off.with_user(self.clerk).wab_enabled = False
        moves = [self.make_due(1, partner) for partner in (off, never, later)]
        self.run_plan()
        self.assertFalse(self.reminders(off))
        self.assertEqual(self.case(moves[0]).reason, "not_enabled")
        self.assertEqual(self.reminders(never).state, "queued")
        later.with_user(self.clerk).wab_enabled = False
        self.accept_everything()
        self.drain()
        self.assertEqual(self.reminders(never).state, "sent")
        message = self.reminders(later)
        self.assertEqual(message.state, "canceled")
        self.assertEqual(message.reason, "not_enabled")

    def test_an_invoice_that_is_off_silences_no_other(self):
        off, on = self.make_due(9), self.make_due(2)
        self.switch_off(off)
        self.run_plan()
        message = self.reminders()
        self.assertEqual(message.res_id, on.id)
        self.assertEqual(message.state, "queued")
        self.assertNotIn(off.name, message.body)
        self.assertEqual(message.collection_item_ids.move_line_id.move_id, on)
        self.assertEqual(self.case(off).reason, "not_enabled")
        self.assertFalse(self.case(off).last_date)
        self.assertTrue(self.case(off).trace)

    def test_a_younger_one_that_is_off_is_not_named(self):
        older, newer = self.make_due(9), self.make_due(2)
        self.switch_off(newer)
        self.run_plan()
        self.assertEqual(self.reminders().res_id, older.id)
        self.assertNotIn(newer.name, self.reminders().body)
        self.assertEqual(self.case(newer).reason, "not_enabled")

    def test_when_all_are_off_nobody_hears_and_the_day_stays_free(self):
        both = [self.make_due(9), self.make_due(2)]
        for invoice in both:
            self.switch_off(invoice)
        self.run_plan()
        self.assertFalse(self.reminders())
        self.assertEqual({self.case(i).reason for i in both}, {"not_enabled"})
        self.assertFalse(self.followups.search([]))

    # --- people who cannot be written to ------------------------------------------------------

    def test_who_cannot_be_reached_comes_to_a_person_once(self):
        self.plan.step_ids[0].action = "hand_over"
        self.partner.phone = False
        invoice = self.make_due(1)
        self.run_plan()
        case = self.case(invoice)
        self.assertEqual((case.state, case.reason), ("escalated", "no_number"))
        self.assertEqual(len(invoice.activity_ids), 1)
        self.assertFalse(self.reminders())
        self.assertFalse(self.followups.search([]))

    def test_an_activity_for_who_cannot_be_reached_is_made_once(self):
        self.plan.step_ids[0].action = "activity"
        self.partner.phone = False
        invoice = self.make_due(1)
        self.run_plan()
        self.assertEqual(self.case(invoice).last_step_days, 1)
        invoice.activity_ids.action_feedback()
        self.run_plan(1)
        self.run_plan(2)
        self.assertFalse(invoice.activity_ids)
        self.partner.phone = "+34 600 00 00 01"
        self.run_plan(8)
        self.assertEqual(len(self.reminders()), 1, "the next step finds them again")

    def test_without_anything_else_to_do_an_unreachable_customer_is_tried_again(self):
        self.partner.phone = False
        invoice = self.make_due(1)
        self.run_plan()
        self.assertEqual(self.case(invoice).reason, "no_number")
        self.assertFalse(self.case(invoice).last_date)
        self.partner.phone = "+34 600 00 00 01"
        self.run_plan(1)
        self.assertEqual(len(self.reminders()), 1)

    def test_the_preview_asks_for_what_its_text_names(self):
        self.many.status = "paused"
        self.make_due(5, amount=100.0)
        self.make_due(2, amount=40.0)
        self._make_invoice(amount=30.0, move_type="out_refund")
        mine = [
            message
            for message in self.plan.with_user(self.manager)._preview(1)["messages"]
            if message["debtor_id"] == self.partner.id
        ]
        self.assertEqual([len(m["move_names"]) for m in mine], [1])
        self.assertEqual(mine[0]["totals"][0]["amount"], 70.0)

    def test_the_preview_asks_for_nothing_negative(self):
        self.many.status = "paused"
        self.make_due(5, amount=40.0)
        self.make_due(2, amount=100.0)
        self._make_invoice(amount=60.0, move_type="out_refund")
        (mine,) = [
            message
            for message in self.plan.with_user(self.manager)._preview(1)["messages"]
            if message["debtor_id"] == self.partner.id
        ]
        self.assertEqual(mine["totals"][0]["amount"], 40.0)
