# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What is due and what is paid: flags, the bank, several invoices, returned payments."""

from datetime import timedelta
from unittest.mock import patch

from odoo.tests import tagged

from .collection_common import CollectionCommon


@tagged("post_install", "-at_install")
class TestCollectionNoFollowup(CollectionCommon):
    """*No Follow-Up* of Odoo's own invoices (odoo/odoo#203329, #237681)."""

    def flag(self, invoice, value=True):
        """Tick it as an accountant does: on the invoice; core writes it on the lines."""
        invoice.with_user(self.manager).write({"no_followup": value})

    def test_a_flagged_invoice_is_in_no_reminder_and_back_after_unticking(self):
        flagged, normal = self.make_due(9), self.make_due(2)
        self.flag(flagged)
        self.run_plan()
        message = self.reminders()
        self.assertEqual(message.res_id, normal.id)
        self.assertNotIn(flagged.name, message.body)
        items = message.collection_item_ids
        self.assertEqual(items.move_line_id.move_id, normal)
        case = self.case(flagged)
        self.assertEqual(case.reason, "no_followup")
        self.assertEqual(case.trace[-1]["rule"], "followup_wanted")
        self.assertIn("No Follow-Up", case.reason_detail)
        self.flag(flagged, False)
        self.run_plan(1)
        self.assertEqual(self.reminders()[-1].res_id, flagged.id)

    def test_it_is_not_among_what_is_open_besides(self):
        old, new = self.make_due(9), self.make_due(1)
        self.case(old).write({"last_step_days": 8, "last_date": self.day(-1)})
        self.flag(old)
        self.run_plan()
        self.assertEqual(self.reminders().collection_item_ids.mapped("role"), ["due"])
        self.assertEqual(self.reminders().res_id, new.id)

    def test_by_hand_it_is_refused_by_its_own_name(self):
        flagged, normal = self.make_due(9), self.make_due(2)
        self.flag(flagged)
        results = (flagged | normal).with_user(self.clerk).wab_remind()
        found = {r["id"]: r["reason"] for r in results}
        self.assertEqual(found, {flagged.id: "no_followup", normal.id: False})
        sent = self.reminders().filtered(lambda m: m.state == "queued")
        self.assertNotIn(flagged.name, sent.body)

    def test_one_instalment_alone_that_an_import_has_flagged(self):
        invoice = self.make_instalments(self.day(-2))
        first, second = invoice.line_ids.filtered("date_maturity").sorted(
            "date_maturity"
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_move_line SET no_followup = TRUE WHERE id = %s", [first.id]
        )
        self.env.invalidate_all()
        self.run_plan()
        self.assertFalse(self.reminders())
        # By hand only the other is spoken of, though it is not due yet.
        invoice.with_user(self.clerk).wab_remind()
        items = self.reminders().collection_item_ids
        self.assertEqual(items.move_line_id, second)
        self.assertEqual(self.reminders().collection_item_ids.amount, 70.0)

    def test_set_while_it_waits(self):
        self.accept_everything()
        invoice = self.make_due(1)
        self.run_plan()
        self.flag(invoice)
        self.assertRecordValues(
            self.reminders(), [{"state": "canceled", "reason": "no_followup"}]
        )
        self.assertFalse(self.case(invoice).last_date, "the step was not done")

    def test_set_by_sql_alone_while_it_waits(self):
        self.accept_everything()
        invoice = self.make_due(1)
        self.run_plan()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_move_line SET no_followup = TRUE WHERE move_id = %s",
            [invoice.id],
        )
        self.env.invalidate_all()
        self.assertEqual(self.drain(), 0)
        self.assertRecordValues(
            self.reminders(), [{"state": "canceled", "reason": "no_followup"}]
        )
        self.assertEqual(self.reminders().trace[-1]["rule"], "followup_wanted")

    def test_reset_to_draft_and_posted_again_it_is_obeyed_still(self):
        invoice = self.make_due(3)
        self.flag(invoice)
        invoice.button_draft()
        invoice.action_post()
        self.assertTrue(invoice.no_followup)
        self.run_plan()
        self.assertFalse(self.reminders())

    def test_previews_leave_it_out_and_say_why(self):
        invoice = self.make_due(2)
        self.flag(invoice)
        found = self.plan.with_user(self.manager)._preview(days=30)
        self.assertFalse([m for m in found["messages"] if invoice.id in m["move_ids"]])
        (left,) = [one for one in found["left_out"] if one["move_id"] == invoice.id]
        self.assertEqual(left["reason"], "no_followup")

    def test_a_credit_note_not_to_be_followed_up_is_not_deducted(self):
        self.make_due(2)
        refund = self._make_invoice(amount=30.0, move_type="out_refund")
        self.flag(refund)
        self.run_plan()
        self.assertEqual(self.reminders().collection_item_ids.mapped("role"), ["due"])

    def test_the_steps_of_what_a_customer_owes_count_without_it(self):
        self.plan.step_ids[0].write({"condition": "owed_amount", "threshold": 150.0})
        small, other = self.make_due(2), self.make_due(2)
        self.flag(other)
        self.run_plan()
        self.assertEqual(self.case(small).reason, "condition_not_met")


@tagged("post_install", "-at_install")
class TestCollectionBank(CollectionCommon):
    """Money at the bank that nobody has reconciled yet."""

    def receive_money(self, label="", amount=50.0, partner=None, days_ago=0, **values):
        return self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.company_data["default_journal_bank"].id,
                "date": self.day(-days_ago),
                "payment_ref": label or "Transfer",
                "amount": amount,
                "partner_id": partner.id if partner else False,
                **values,
            }
        )

    def make_named(self, name, partner=None, days_ago=5, amount=50.0, **values):
        invoice = self.make_due(days_ago, partner, amount, **values)
        invoice.payment_reference = False
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_move SET name = %s WHERE id = %s", [name, invoice.id]
        )
        self.env.invalidate_all()
        return invoice

    def reasons(self, *invoices):
        self.run_plan()
        return [self.case(invoice).reason or None for invoice in invoices]

    def test_a_number_within_another_number_is_not_it(self):
        """A payment for F/123 holds no F/12 (odoo/odoo#28962, #39005)."""
        bea = self._make_customer("Bea", "+34600000066")
        short, long = self.make_named("F/12"), self.make_named("F/123", bea)
        self.receive_money("Pago factura F/123")
        self.assertEqual(self.reasons(short, long), [None, "probably_paid"])

    def test_leading_zeros_and_bare_numbers(self):
        bea = self._make_customer("Bea", "+34600000066")
        one, other = self.make_named("X/2026/0001"), self.make_named("1814", bea)
        self.receive_money("X/2026/00012")
        self.receive_money("14")
        self.assertEqual(self.reasons(one, other), [None, None])

    def test_structured_references(self):
        invoice = self.make_due(5, amount=50.0)
        invoice.payment_reference = "+++000/0000/00202+++"
        self.receive_money("000 0000 00202 ACME")
        self.assertEqual(self.reasons(invoice), ["probably_paid"])

    def test_the_named_one_is_paid_and_not_the_oldest(self):
        """One payment for one invoice, the one that it names (odoo/odoo#9177)."""
        old = self.make_named("Q/2026/00021", days_ago=35)
        new = self.make_named("Q/2026/00022", days_ago=5)
        self.receive_money("Q/2026/00022", partner=self.partner)
        self.assertEqual(self.reasons(old, new), [None, "probably_paid"])

    def test_one_payment_of_a_customer_is_for_the_oldest_of_two(self):
        old, new = self.make_due(35, amount=50.0), self.make_due(5, amount=50.0)
        self.receive_money(partner=self.partner)
        self.assertEqual(self.reasons(old, new), ["probably_paid", None])

    def test_what_names_an_invoice_of_another_plan_or_none_is_not_ours(self):
        ours = self.make_due(5, amount=50.0)
        other = self.make_named("Z/1", days_ago=50)
        other.with_user(self.manager).wab_plan_choice = "none"
        self.receive_money("Z/1", partner=self.partner)
        # Nor is what names another customer's, whoever the bank says has paid.
        bea = self._make_customer("Bea", "+34600000066")
        theirs = self.make_named("Z/2", bea, days_ago=50)
        theirs.with_user(self.manager).wab_plan_choice = "none"
        self.receive_money("Z/2", partner=self.partner)
        self.assertEqual(self.reasons(ours), [None])

    def test_amounts_are_compared_in_one_currency(self):
        """100 in one currency pay no 100 in another (odoo/odoo#20488)."""
        foreign = self.setup_other_currency("CHF", rates=[("2016-01-01", 2.0)])
        invoice = self.make_due(5, amount=100.0, currency=foreign)
        self.receive_money(amount=100.0, partner=self.partner)
        self.assertEqual(self.reasons(invoice), [None])

    def test_foreign_money_counts_by_its_own_amount(self):
        foreign = self.setup_other_currency("CHF", rates=[("2016-01-01", 2.0)])
        invoice = self.make_due(5, amount=100.0, currency=foreign)
        self.receive_money(
            amount=48.0,
            partner=self.partner,
            foreign_currency_id=foreign.id,
            amount_currency=100.0,
        )
        self.assertEqual(self.reasons(invoice), ["probably_paid"])

    def test_of_other_companies_it_says_nothing(self):
        other = self.setup_other_company(name="Other")
        invoice = self.make_due(5, amount=50.0)
        self.env["account.bank.statement.line"].with_company(other["company"]).create(
            {
                "journal_id": other["default_journal_bank"].id,
                "date": self.today,
                "payment_ref": invoice.name,
                "amount": 50.0,
                "partner_id": self.partner.id,
            }
        )
        self.assertEqual(self.reasons(invoice), [None])

    def test_the_run_and_the_last_look_agree_about_old_money(self):
        self.accept_everything()
        invoice = self.make_due(5, amount=50.0)
        self.receive_money(invoice.name, partner=self.partner, days_ago=200)
        self.assertEqual(self.reasons(invoice), [None])
        self.assertEqual(self.drain(), 1)
        self.assertEqual(self.reminders().state, "sent")

    def test_the_last_look_asks_whose_the_money_is_as_the_run_does(self):
        self.accept_everything()
        old = self.make_named("Q/2026/00021", days_ago=35)
        new = self.make_named("Q/2026/00022", days_ago=5)
        self.run_plan()
        self.assertEqual(len(self.reminders().collection_item_ids), 2)
        self.receive_money("Q/2026/00022", partner=self.partner)
        self.assertEqual(self.drain(), 1)
        sent = self.reminders().filtered(lambda m: m.state == "sent")
        self.assertEqual(sent.collection_item_ids.move_line_id.move_id, old)
        self.assertEqual(self.case(new).reason, "probably_paid")

    def test_by_hand_the_bank_is_asked_before_a_message_waits(self):
        invoice = self.make_due(5, amount=50.0)
        self.receive_money(invoice.name)
        (result,) = invoice.with_user(self.clerk).wab_remind()
        self.assertEqual(
            (result["state"], result["reason"]), ("canceled", "already_paid")
        )

    def test_reading_it_takes_as_many_queries_for_many(self):
        people = [
            self._make_customer(f"P{n}", f"+3460000{n:04}") for n in range(200, 212)
        ]
        invoices = [self.make_due(5, partner, 50.0) for partner in people]
        for invoice in invoices:
            self.receive_money(invoice.name)
        lines = [self.case(invoice).move_line_id.id for invoice in invoices]
        self.env.flush_all()
        with self.assertQueryCount(2):
            found = self.cases._read_bank_matches(self.company, lines[:2])
        self.assertEqual(len(found), 2)
        with self.assertQueryCount(2):
            found = self.cases._read_bank_matches(self.company, lines)
        self.assertEqual(found, set(lines))


@tagged("post_install", "-at_install")
class TestCollectionRest(CollectionCommon):
    """A reminder of several invoices loses what is settled and goes with the rest."""

    def setUp(self):
        super().setUp()
        self.accept_everything()
        self.first = self.make_due(9, amount=100.0)
        self.second = self.make_due(5, amount=40.0)

    def assert_only(self, invoice, old):
        new = self.reminders() - old
        self.assertEqual(new.state, "sent")
        self.assertEqual(new.replaces_id, old)
        self.assertEqual(new.res_id, invoice.id)
        self.assertEqual(new.collection_item_ids.move_line_id.move_id, invoice)
        self.assertEqual(len(self.sent_calls()), 1)

    def test_one_of_two_paid_meanwhile(self):
        self.run_plan()
        old = self.reminders()
        self.pay(self.first)
        self.assertEqual(old.state, "queued", "the other is still to be told")
        self.assertEqual(self.drain(), 1)
        self.assertEqual((old.state, old.reason), ("canceled", "superseded"))
        self.assert_only(self.second, old)
        self.assertEqual(self.case(self.second).last_date, self.today)
        self.run_plan()
        self.assertEqual(self.drain(), 0, "one message a day")

    def test_one_of_two_disputed_meanwhile(self):
        self.run_plan()
        old = self.reminders()
        self.case(self.second).with_user(self.clerk).action_dispute("Broken")
        self.assertEqual(self.drain(), 1)
        self.assert_only(self.first, old)

    def test_both_paid_meanwhile(self):
        self.run_plan()
        self.pay(self.first)
        self.pay(self.second)
        self.assertRecordValues(
            self.reminders(), [{"state": "canceled", "reason": "already_paid"}]
        )
        self.assertEqual(self.drain(), 0)

    def test_by_hand_too(self):
        (self.first | self.second).with_user(self.clerk).wab_remind()
        old = self.reminders()
        self.pay(self.first)
        self.assertEqual(self.drain(), 1)
        self.assert_only(self.second, old)
        self.assertEqual((self.reminders() - old).user_id, self.clerk)

    def test_by_hand_a_due_date_that_was_moved(self):
        """The text, the lines and the amounts are those of the day it goes."""
        self.first.with_user(self.clerk).wab_remind()
        old = self.reminders()
        self.first.invoice_date_due = self.today - timedelta(days=3)
        self.assertEqual(old.state, "queued", "the last look says what goes instead")
        self.assertEqual(self.drain(), 1)
        self.assertEqual((old.state, old.reason), ("canceled", "superseded"))
        self.assert_only(self.first, old)
        self.assertEqual(
            (self.reminders() - old).collection_item_ids.due_date,
            self.first.invoice_date_due,
        )

    def test_by_hand_another_currency(self):
        """The same figure in pounds is another debt."""
        self.first.with_user(self.clerk).wab_remind()
        old = self.reminders()
        self.assertNotIn("£", old.body)
        self.first.button_draft()
        self.first.currency_id = self.setup_other_currency("GBP")
        self.first.action_post()
        self.assertEqual(self.first.amount_total, 100.0)
        self.assertEqual(self.drain(), 1)
        self.assertEqual((old.state, old.reason), ("canceled", "superseded"))
        self.assert_only(self.first, old)
        self.assertIn("£", (self.reminders() - old).body)

    def test_by_hand_another_number_of_the_invoice(self):
        self.first.with_user(self.clerk).wab_remind()
        old = self.reminders()
        self.first.button_draft()
        self.first.name = "RENAMED/1"
        self.first.action_post()
        self.assertEqual(self.drain(), 1)
        self.assert_only(self.first, old)
        self.assertIn("RENAMED/1", (self.reminders() - old).body)

    def test_by_hand_while_another_plan_takes_over(self):
        """Whatever the plans say: a person sent it."""
        self.first.with_user(self.clerk).wab_remind()
        old = self.reminders()
        other = self._make_plan(name="Other", sequence=99)
        self.first.write({"wab_plan_choice": "plan", "wab_plan_id": other.id})
        self.assertEqual(self.case(self.first).plan_id, other)
        self.assertEqual(self.drain(), 1)
        self.assertEqual(old.state, "sent")

    def test_by_hand_of_a_draft_or_cancelled_invoice(self):
        self.first.with_user(self.clerk).wab_remind()
        self.second.with_user(self.clerk).wab_remind()
        old = self.reminders()
        self.first.button_draft()
        self.second.button_draft()
        self.second.button_cancel()
        self.assertEqual(self.drain(), 0)
        self.assertRecordValues(
            old,
            [
                {"state": "canceled", "reason": "draft"},
                {"state": "canceled", "reason": "cancelled_document"},
            ],
        )

    def remind_another(self, number, by_hand):
        """Return the joint reminder that waits for another customer, and its invoices."""
        partner = self._make_customer("Eva", number)
        first = self.make_due(9, partner, 100.0)
        second = self.make_due(5, partner, 40.0)
        if by_hand:
            (first | second).with_user(self.clerk).wab_remind()
        else:
            self.run_plan()
        return self.reminders(partner), first, second

    def assert_rest(self, old, invoice):
        """Check that this invoice alone went in place of a joint reminder."""
        self.assertEqual(self.drain(), 1)
        self.assertEqual(old.state, "canceled")
        new = self.reminders(old.partner_id) - old
        self.assertEqual((new.state, new.replaces_id), ("sent", old))
        self.assertEqual(old.replaced_by_id, new)
        self.assertEqual(new.collection_item_ids.move_line_id.move_id, invoice)
        self.assertIn(invoice.name, new.body)

    def test_one_of_two_deleted_meanwhile(self):
        """What was deleted takes its lines along, and not what the text says of them."""
        (self.first | self.second).wab_plan_choice = "none"
        for place, by_hand in enumerate((False, True)):
            for is_first in (False, True):
                with self.subTest(is_first=is_first, by_hand=by_hand):
                    number = f"+346000007{place}{int(is_first)}"
                    old, first, second = self.remind_another(number, by_hand)
                    gone, left = (first, second) if is_first else (second, first)
                    gone.button_draft()
                    gone.unlink()
                    self.assert_rest(old, left)

    def test_the_one_that_carries_it_is_reset_or_cancelled(self):
        """The reminder stands on one invoice and names another, which is still due."""
        (self.first | self.second).wab_plan_choice = "none"
        for place, by_hand in enumerate((False, True)):
            for reason in ("draft", "cancelled_document"):
                with self.subTest(reason=reason, by_hand=by_hand):
                    number = f"+346000008{place}{len(reason) % 10}"
                    old, carrier, other = self.remind_another(number, by_hand)
                    self.assertEqual(old.res_id, carrier.id)
                    carrier.button_draft()
                    if reason == "cancelled_document":
                        carrier.button_cancel()
                    self.assert_rest(old, other)
                    self.assertEqual(old.reason, reason)

    def test_both_deleted_meanwhile(self):
        (self.first | self.second).with_user(self.clerk).wab_remind()
        old = self.reminders()
        for invoice in self.first | self.second:
            invoice.button_draft()
        (self.first | self.second).unlink()
        self.assertEqual(self.drain(), 0)
        self.assertEqual((old.state, old.reason), ("canceled", "cancelled_document"))
        self.assertFalse(self.reminders() - old)

    def test_a_credit_that_was_deducted_is_deleted_meanwhile(self):
        credit = self.init_invoice(
            "out_refund",
            partner=self.partner,
            invoice_date=self.today,
            amounts=[30.0],
            company=self.company,
        )
        credit.action_post()
        self.run_plan()
        old = self.reminders()
        self.assertIn("110.00", old.body)
        credit.button_draft()
        credit.unlink()
        self.assertEqual(self.drain(), 1)
        self.assertEqual(old.state, "canceled")
        self.assertIn("140.00", (self.reminders() - old).body)

    def test_what_took_its_place_is_not_replaced_again(self):
        third = self.make_due(3, amount=10.0)
        self.run_plan()
        old = self.reminders()
        self.pay(self.first)
        # As the claim does it; the text that takes its place is not claimed yet.
        old.write({"state": "canceled", "reason": "superseded"})
        old._remind_of_the_rest()
        new = self.reminders() - old
        self.assertEqual(new.replaces_id, old)
        self.pay(third)
        self.assertEqual(self.drain(), 0)
        self.assertEqual((new.state, new.reason), ("canceled", "superseded"))
        self.run_plan(1)
        self.assertEqual(self.drain(), 1)

    def test_nothing_is_queued_at_night_that_the_last_look_cancels(self):
        self.make_due(2, amount=7.0)
        for night in range(3):
            self.run_plan(night)
            waiting = self.reminders().filtered(lambda m: m.state == "queued")
            self.assertEqual(self.drain(), len(waiting))
        self.assertNotIn("canceled", self.reminders().mapped("state"))


@tagged("post_install", "-at_install")
class TestCollectionReturned(CollectionCommon):
    """Cheques and direct debits that come back (ingadhoc/account-payment#978)."""

    def setUp(self):
        super().setUp()
        self.accept_everything()

    def pay_in_process(self, invoice):
        """Register a payment that the bank has not confirmed."""
        lines = self.env["account.payment.method.line"].search([])
        lines.payment_account_id = False
        moves = type(self.env["account.move"])
        with patch.object(
            moves, "_get_invoice_in_payment_state", lambda move: "in_payment"
        ):
            return self.pay(invoice)

    def test_rejected_the_case_is_open_with_what_was_said(self):
        invoice = self.make_due(1, amount=500.0)
        case = self.case(invoice)
        self.run_plan()
        self.drain()
        payment = self.pay_in_process(invoice)
        self.assertEqual(case.state, "done")
        payment.action_reject()
        self.assertEqual(case.state, "active")
        self.assertEqual((case.last_step_days, case.last_date), (1, self.today))
        self.run_plan()
        self.assertEqual(len(self.reminders()), 1, "nothing more on the same day")
        self.run_plan(2)
        self.assertEqual(len(self.reminders()), 1, "no first step twice")
        self.run_plan(8)
        self.assertEqual(len(self.reminders()), 2)

    def test_other_ways_back(self):
        for undo in ("action_cancel", "unreconcile"):
            invoice = self.make_due(1, self._make_customer(undo, "+34600000066"))
            case = self.case(invoice)
            self.run_plan()
            payment = self.pay(invoice)
            self.assertEqual(case.state, "done")
            if undo == "unreconcile":
                payment.move_id.line_ids.remove_move_reconcile()
            else:
                payment.action_draft()
                payment.action_cancel()
            self.assertEqual(case.state, "active", undo)

    def test_a_reminder_that_a_payment_withdrew_took_no_step(self):
        """The payment is taken back: the step that nobody ever saw is due again."""
        invoice = self.make_due(1)
        case = self.case(invoice)
        before = (case.last_step_days, case.last_date)
        self.run_plan()
        reminder = self.reminders()
        payment = self.pay(invoice)
        self.assertEqual((reminder.state, case.state), ("canceled", "done"))
        payment.action_draft()
        payment.action_cancel()
        self.assertEqual((case.last_step_days, case.last_date), before)
        self.run_plan(1)
        self.assertEqual(len(self.reminders()), 2)

    def test_a_rejected_payment_keeps_no_promise(self):
        invoice = self.make_due(1)
        case = self.case(invoice)
        case.with_user(self.clerk).action_promise(self.day(2))
        payment = self.pay_in_process(invoice)
        self.assertEqual((case.state, case.promises_kept), ("done", 1))
        payment.action_reject()
        self.assertEqual(case.promises_kept, 0)
        self.assertEqual((case.state, case.promise_date), ("promised", self.day(2)))
        self.run_plan(8)
        self.assertEqual(case.promises_broken, 1)
        self.pay(invoice)
        self.assertEqual((case.state, case.promises_kept), ("done", 0))


@tagged("post_install", "-at_install")
class TestCollectionOwed(CollectionCommon):
    """The customer owes at least: all that is open, in whatever plan or none."""

    def setUp(self):
        super().setUp()
        self.plan.step_ids[0].write({"condition": "owed_amount", "threshold": 150.0})

    def test_what_no_plan_covers_counts(self):
        invoice, other = self.make_due(2), self.make_due(30)
        other.with_user(self.manager).wab_plan_choice = "none"
        self.assertFalse(self.case(other))
        self.run_plan()
        self.assertFalse(self.case(invoice).reason)
        self.assertEqual(self.reminders().res_id, invoice.id)

    def test_what_is_not_due_yet_counts_and_credits_are_taken_off(self):
        invoice = self.make_due(2)
        self.make_due(-20, amount=60.0)
        self.run_plan()
        self.assertFalse(self.case(invoice).reason)
        bea = self._make_customer("Bea", "+34600000066")
        less = self.make_due(2, bea, amount=160.0)
        self._make_invoice(bea, amount=30.0, move_type="out_refund")
        self.run_plan()
        self.assertEqual(self.case(less).reason, "condition_not_met")

    def test_other_companies_and_customers_do_not_count(self):
        other = self.setup_other_company(name="Other")["company"]
        invoice = self.make_due(2)
        self.init_invoice(
            "out_invoice",
            partner=self.partner,
            invoice_date=self.today - timedelta(days=40),
            post=True,
            amounts=[500.0],
            company=other,
        )
        self.make_due(2, self._make_customer("Bea", "+34600000066"), amount=500.0)
        self.run_plan()
        self.assertEqual(self.case(invoice).reason, "condition_not_met")
