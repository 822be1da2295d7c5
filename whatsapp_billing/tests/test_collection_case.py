# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .collection_common import CollectionCommon


@tagged("post_install", "-at_install")
class TestCollectionCase(CollectionCommon):
    def test_paying_closes_at_once(self):
        invoice = self.make_due(1)
        case = self.case(invoice)
        self.pay(invoice)
        self.assertEqual((case.state, case.close_reason), ("done", "paid"))
        self.assertEqual(invoice.wab_collection_state, "done")
        self.run_plan(5)
        self.assertFalse(self.reminders())

    def test_paying_withdraws_what_waits(self):
        invoice = self.make_due(1)
        self.run_plan()
        self.pay(invoice)
        self.assertRecordValues(
            self.reminders(), [{"state": "canceled", "reason": "already_paid"}]
        )

    def test_money_that_goes_again_opens_the_case_again(self):
        invoice = self.make_due(1)
        case = self.case(invoice)
        self.run_plan()
        self.accept_everything()
        self.drain()
        payment = self.pay(invoice)
        self.assertEqual(case.state, "done")
        payment.action_draft()
        payment.action_cancel()
        self.assertEqual(case.state, "active")
        self.assertEqual(case.last_step_days, 1, "what was said is not forgotten")
        self.run_plan(1)
        self.assertEqual(len(self.reminders()), 1)

    def test_crediting_closes(self):
        invoice = self.make_due(1)
        case = self.case(invoice)
        invoice._reverse_moves(cancel=True)
        self.assertEqual((case.state, case.close_reason), ("done", "credited"))

    def test_cancelling_and_resetting_close_and_posting_opens_again(self):
        invoice = self.make_due(1)
        case = self.case(invoice)
        invoice.button_draft()
        self.assertEqual((case.state, case.close_reason), ("done", "draft"))
        invoice.action_post()
        self.assertEqual(self.case(invoice).state, "active")
        invoice.button_cancel()
        self.assertFalse(self.case(invoice))

    def test_vendors_and_credit_notes_have_no_case(self):
        bill = self._make_invoice(move_type="in_invoice")
        refund = self._make_invoice(move_type="out_refund")
        self.assertFalse(self.case(bill) | self.case(refund))

    def test_each_instalment_has_its_case(self):
        invoice = self.init_invoice(
            "out_invoice",
            partner=self.partner,
            invoice_date=self.today,
            amounts=[100.0],
            company=self.company,
        )
        invoice.invoice_payment_term_id = self.pay_terms_b
        invoice.action_post()
        cases = self.case(invoice)
        self.assertEqual(len(cases), 2)
        self.assertEqual(len(set(cases.mapped("due_date"))), 2)

    def test_its_name_says_the_date_as_the_reader_writes_it(self):
        invoice = self.make_due(1)
        invoice.line_ids.filtered("date_maturity").date_maturity = "2026-10-31"
        case = self.case(invoice)
        self.assertEqual(case.display_name, f"{invoice.name} 10/31/2026")
        self.env["res.lang"]._activate_lang("es_ES")
        spanish = case.with_context(lang="es_ES")
        self.assertEqual(spanish.display_name, f"{invoice.name} 31/10/2026")

    def test_clerk_pauses_and_resumes(self):
        invoice = self.make_due(1)
        case = self.case(invoice).with_user(self.clerk)
        case.action_pause()
        self.assertEqual((case.state, case.pause_reason), ("paused", "manual"))
        self.run_plan()
        self.assertFalse(self.reminders())
        self.assertEqual(invoice.wab_collection_state, "paused")
        case.action_resume()
        self.run_plan()
        self.assertEqual(len(self.reminders()), 1)

    def test_a_promise_waits_until_its_date_and_grace(self):
        invoice = self.make_due(1)
        case = self.case(invoice)
        self.run_plan()
        case.with_user(self.clerk).action_promise(self.day(5).isoformat())
        self.assertEqual((case.state, case.promise_date), ("promised", self.day(5)))
        self.assertEqual(self.reminders().state, "canceled")
        self.run_plan(7)
        self.assertEqual(case.reason or case.state, "promised")
        self.assertEqual(len(self.reminders()), 1)
        self.run_plan(8)
        self.assertEqual((case.state, case.promises_broken), ("active", 1))
        self.assertEqual(len(self.reminders()), 2)

    def test_a_promise_that_is_paid_was_kept(self):
        invoice = self.make_due(1)
        case = self.case(invoice)
        case.with_user(self.clerk).action_promise(self.day(2))
        self.pay(invoice)
        self.assertEqual((case.promises_kept, case.promises_broken), (1, 0))

    def test_two_broken_promises_bring_a_person(self):
        invoice = self.make_due(1)
        case = self.case(invoice)
        case.action_promise(self.day(1))
        self.run_plan(4)
        case.write(
            {
                "state": "promised",
                "promise_date": self.day(5),
                "next_check_date": self.day(8),
            }
        )
        self.run_plan(8)
        self.assertEqual((case.state, case.promises_broken), ("escalated", 2))
        self.assertIn("Promises broken", invoice.activity_ids.mapped("summary"))
        self.run_plan(20)
        self.assertEqual(len(self.reminders()), 1)

    def test_odd_promises_are_refused(self):
        case = self.case(self.make_due(1)).with_user(self.clerk)
        for date in ("soon", False, self.day(-2), self.day(1000), "2026-13-01"):
            with self.assertRaises(UserError):
                case.action_promise(date)
        with self.assertRaises(UserError):
            case.action_dispute("  ")

    def test_a_dispute_takes_only_that_invoice_out(self):
        one, two = self.make_due(2), self.make_due(1)
        self.case(one).with_user(self.clerk).action_dispute("Wrong price")
        case = self.case(one)
        self.assertEqual(case.state, "disputed")
        self.assertEqual(case.dispute_user_id, self.clerk)
        self.run_plan()
        message = self.reminders()
        self.assertIn(two.name, message.body)
        self.assertNotIn(one.name, message.body)

    def test_who_may_not_edit_the_invoice_may_not_pause(self):
        case = self.case(self.make_due(1))
        reader = self._make_user(
            "wab_reader", "account.group_account_readonly,whatsapp_billing.group_user"
        )
        with self.assertRaises(AccessError):
            case.with_user(reader).action_pause()
        with self.assertRaises(AccessError):
            case.with_user(self.clerk).write({"state": "done"})

    def test_plans_of_invoice_customer_and_company_in_that_order(self):
        gentle = self._make_plan(
            (10,), name="Gentle", sequence=50, domain="[('id', '=', 0)]"
        )
        strict = self._make_plan(
            (0,), name="Strict", sequence=50, domain="[('id', '=', 0)]"
        )
        self.partner.wab_plan_choice = "plan"
        self.partner.with_company(self.company).wab_plan_id = gentle
        invoice = self.make_due(1)
        self.assertEqual(self.case(invoice).plan_id, gentle)
        invoice.write({"wab_plan_choice": "plan", "wab_plan_id": strict.id})
        self.assertEqual(self.case(invoice).plan_id, strict)
        invoice.wab_plan_choice = "none"
        self.assertFalse(self.case(invoice))
        self.partner.wab_plan_choice = "none"
        self.assertFalse(self.case(self.make_due(1)))

    def test_a_draft_that_is_posted_again_holds_what_was_said(self):
        for act, state in (
            (lambda case: case.action_pause(), "paused"),
            (lambda case: case.action_promise(self.day(5)), "promised"),
            (lambda case: case.action_dispute("Broken"), "disputed"),
            (lambda case: case.action_hand_over(), "escalated"),
        ):
            invoice = self.make_due(1)
            act(self.case(invoice).with_user(self.clerk))
            invoice.button_draft()
            self.assertFalse(self.case(invoice))
            invoice.action_post()
            self.assertEqual(self.case(invoice).state, state)
            self.assertEqual(
                self.case(invoice).pause_reason, state == "paused" and "manual"
            )
        self.run_plan()
        self.assertFalse(self.reminders())

    def test_money_that_goes_again_forgets_an_old_dispute(self):
        invoice = self.make_due(1)
        self.case(invoice).with_user(self.clerk).action_dispute("Broken")
        payment = self.pay(invoice)
        payment.action_draft()
        payment.action_cancel()
        self.assertRecordValues(
            self.case(invoice), [{"state": "active", "dispute_reason": False}]
        )

    def test_another_plan_respects_what_was_said(self):
        other = self._make_plan(name="Other")
        acts = {
            "promised": lambda case: case.action_promise(self.day(5)),
            "disputed": lambda case: case.action_dispute("Broken"),
            "paused": lambda case: case.action_pause(),
        }
        invoices = {state: self.make_due(1) for state in acts}
        for state, act in acts.items():
            act(self.case(invoices[state]).with_user(self.clerk))
        self.partner.write({"wab_plan_choice": "plan", "wab_plan_id": other.id})
        for state, invoice in invoices.items():
            self.assertRecordValues(
                self.case(invoice), [{"state": state, "plan_id": other.id}]
            )
        self.assertEqual(self.case(invoices["promised"]).promise_date, self.day(5))
        self.assertEqual(self.case(invoices["disputed"]).dispute_reason, "Broken")
        self.run_plan(plan=other)
        self.assertFalse(self.reminders())
        # What a person had is given to the plan that somebody chose for it.
        taken = self.make_due(1)
        self.case(taken).with_user(self.clerk).action_hand_over()
        taken.write({"wab_plan_choice": "plan", "wab_plan_id": self.plan.id})
        self.assertEqual(self.case(taken).state, "active")

    def test_a_promise_is_judged_by_the_day_in_the_books(self):
        invoice = self.make_due(1)
        case = self.case(invoice)
        case.with_user(self.clerk).action_promise(self.day(1))
        with freeze_time(self.day(6)):
            self.pay(invoice, payment_date=self.day(1))
        self.assertEqual((case.state, case.promises_kept), ("done", 1))
        late = self.make_due(1)
        case = self.case(late)
        case.with_user(self.clerk).action_promise(self.day(1))
        with freeze_time(self.day(6)):
            self.pay(late, payment_date=self.day(5))
        self.assertEqual((case.state, case.promises_kept), ("done", 0))

    def test_a_plan_of_one_company_says_nothing_about_another(self):
        other = self.setup_other_company()["company"]
        theirs = self._make_plan(name="Theirs", company_id=other.id)
        self.partner.write({"wab_plan_choice": "plan", "wab_plan_id": self.plan.id})
        invoice = self.init_invoice(
            "out_invoice",
            partner=self.partner,
            invoice_date=self.today,
            amounts=[10.0],
            company=other,
        )
        self.assertFalse(self.partner.with_company(other).wab_plan_id)
        invoice.action_post()
        self.assertEqual(self.case(invoice).plan_id, theirs)

    def test_a_plan_that_was_deleted_is_no_choice(self):
        gone = self._make_plan(name="Gone", stage="off")
        invoice = self.make_due(1)
        invoice.write({"wab_plan_choice": "plan", "wab_plan_id": gone.id})
        self.assertFalse(self.case(invoice))
        gone.unlink()
        self.run_plan()
        self.assertEqual(len(self.reminders()), 1)

    def test_a_plan_applies_by_its_condition(self):
        self.plan.domain = "[('amount_total', '>=', 500)]"
        small, large = self.make_due(1, amount=100), self.make_due(1, amount=600)
        self.assertFalse(self.case(small))
        self.assertTrue(self.case(large))
        self.company.wab_plan_id = self._make_plan((3,), name="Rest", domain="[]")
        self.run_plan()
        self.assertEqual(self.case(small).plan_id.name, "Rest")

    def test_a_plan_takes_over_from_one_that_is_off(self):
        due, promised, chosen, other = (self.make_due(1) for _ in range(4))
        self.case(promised).with_user(self.clerk).action_promise(self.day(5))
        chosen.write({"wab_plan_choice": "plan", "wab_plan_id": self.plan.id})
        self.plan.stage = "off"
        second = self._make_plan(
            name="Second", stage="off", domain=f"[('id', '!=', {other.id})]"
        )
        found = second._preview(3)
        self.assertEqual(
            [message["move_ids"] for message in found["messages"]], [due.ids]
        )
        self.assertEqual(
            [(row["move_id"], row["reason"]) for row in found["left_out"]],
            [(promised.id, "promised")],
        )
        second.stage = "on"
        self.run_plan(plan=second)
        for invoice, plan, state in (
            (due, second, "active"),
            (promised, second, "promised"),
            (chosen, self.plan, "active"),
            (other, self.plan, "active"),
        ):
            self.assertRecordValues(
                self.case(invoice), [{"plan_id": plan.id, "state": state}]
            )
        self.assertEqual(self.reminders().collection_item_ids.move_line_id.move_id, due)

    def test_money_that_goes_again_asks_for_no_reminders_that_nobody_wants(self):
        invoice = self.make_due(1)
        payment = self.pay(invoice)
        self.partner.wab_plan_choice = "none"
        payment.action_draft()
        payment.action_cancel()
        self.run_plan()
        self.assertFalse(self.case(invoice))
        self.assertFalse(self.reminders())

    def test_another_company_decides_nothing_about_our_reminders(self):
        invoice = self.make_due(1)
        other = self.env["res.company"].create({"name": "Other"})
        there = self.partner.with_company(other)
        there.wab_plan_choice = "none"
        self.run_plan()
        self.assertEqual(
            self.reminders().collection_item_ids.move_line_id.move_id, invoice
        )
        self.assertEqual(self.case(invoice).state, "active")
        there.wab_plan_choice = False
        there.wab_plan_choice = "none"
        self.assertEqual(self.case(invoice).state, "active")

    def test_a_condition_that_changes_is_followed(self):
        mine, other, chosen = (self.make_due(1) for _ in range(3))
        second = self._make_plan(name="Second", sequence=20)
        chosen.write({"wab_plan_choice": "plan", "wab_plan_id": self.plan.id})
        self.case(other).with_user(self.clerk).action_pause()
        self.plan.with_user(self.manager).domain = f"[('id', '=', {mine.id})]"
        self.assertEqual(self.case(mine).plan_id, self.plan)
        self.assertEqual(self.case(chosen).plan_id, self.plan)
        self.assertRecordValues(
            self.case(other), [{"plan_id": second.id, "state": "paused"}]
        )
        second.domain = "[('id', '=', 0)]"
        self.assertFalse(self.case(other))
        self.company.wab_plan_id = self.plan
        self.plan.domain = "[('id', '=', 0)]"
        self.assertEqual(self.case(mine).plan_id, self.plan)

    def test_our_failure_stops_no_payment(self):
        invoice = self.make_due(1)
        case = self.case(invoice)
        with (
            patch.object(
                type(self.cases), "_sync", side_effect=ValueError("our own mistake")
            ),
            mute_logger("odoo.addons.whatsapp_billing.models.document.document_mixin"),
        ):
            self.pay(invoice)
        self.assertIn(invoice.payment_state, ("paid", "in_payment"))
        self.assertEqual(case.state, "active")
        self.run_plan(1)
        self.assertEqual(case.state, "done", "the night makes up for it")
        self.assertFalse(self.reminders())

    def test_opting_out_pauses_at_once(self):
        invoice = self.make_due(1)
        self.run_plan()
        self.partner.wab_opt_out("collections", "asked on the phone")
        case = self.case(invoice)
        self.assertEqual((case.state, case.pause_reason), ("paused", "opted_out"))
        self.assertEqual(self.reminders().state, "canceled")
        self.partner.wab_opt_in("collections", "changed their mind")
        self.assertEqual(case.state, "active")

    def test_coming_back_ends_no_pause_and_no_promise(self):
        paused, promised, other = (self.make_due(1) for _ in range(3))
        self.case(paused).with_user(self.clerk).action_pause()
        self.case(promised).with_user(self.clerk).action_promise(self.day(5))
        self.partner.wab_opt_out("collections", "On the phone")
        self.assertEqual(self.case(promised).pause_reason, "opted_out")
        self.partner.wab_opt_in("collections", "On the phone")
        self.assertEqual(
            [self.case(invoice).state for invoice in (paused, promised, other)],
            ["paused", "promised", "active"],
        )
        self.assertEqual(self.case(promised).promise_date, self.day(5))

    def test_a_due_date_that_moves_is_followed(self):
        invoice = self.make_due(-20)
        self.run_plan()
        self.assertFalse(self.reminders())
        line = self.case(invoice).move_line_id
        line.date_maturity = self.day(-3)
        self.run_plan()
        self.assertEqual(len(self.reminders()), 1)

    def test_more_time_begins_the_steps_again(self):
        invoice = self.make_due(1)
        self.run_plan()
        invoice.invoice_date_due = self.day(30)
        # What waits names the old day.
        self.assertRecordValues(
            self.reminders(), [{"state": "canceled", "reason": "superseded"}]
        )
        self.run_plan(30)
        self.assertEqual(self.case(invoice).reason, "not_due")
        self.run_plan(31)
        self.assertEqual(len(self.reminders()), 2)
        self.assertEqual(self.case(invoice).last_step_days, 1)

    def test_some_days_more_repeat_no_step(self):
        invoice = self.make_due(9)
        self.run_plan()
        self.accept_everything()
        self.drain()
        self.assertEqual(self.case(invoice).last_step_days, 8)
        invoice.invoice_date_due = self.day(-4)
        self.assertEqual(self.case(invoice).last_step_days, 1)
        self.run_plan(3)
        self.assertEqual(len(self.reminders()), 1)
        self.run_plan(4)
        self.assertEqual(len(self.reminders()), 2)

    def test_a_merged_customer_keeps_one_message(self):
        other = self._make_customer("Ana again", "+34600000077")
        _one, two = self.make_due(1), self.make_due(1, other)
        merge = self.env["base.partner.merge.automatic.wizard"].sudo()
        merge._merge([self.partner.id, other.id], self.partner)
        self.env.invalidate_all()
        self.run_plan()
        self.assertEqual(len(self.reminders()), 1)
        self.assertEqual(self.case(two).debtor_id, self.partner)

    def test_an_archived_customer_hears_nothing(self):
        invoice = self.make_due(1)
        self.partner.active = False
        self.run_plan()
        self.assertEqual(self.case(invoice).reason, "archived")

    def test_a_plan_that_is_switched_off_says_nothing_more(self):
        for values in ({"stage": "off"}, {"stage": "dry_run"}, {"active": False}):
            partner = self._make_customer(f"Bea {values}", "+34600000066")
            invoice = self.make_due(1, partner)
            self.run_plan()
            message = self.reminders(partner)
            self.assertEqual(message.state, "queued")
            self.plan.with_user(self.manager).write(values)
            self.env.cr.postcommit.run()
            self.env.invalidate_all()
            self.assertRecordValues(
                message, [{"state": "canceled", "reason": "paused"}]
            )
            # It comes the next day, where the plan is on again.
            self.assertFalse(self.case(invoice).last_step_days)
            self.plan.write({"stage": "on", "active": True})
            invoice.button_cancel()

    def test_the_claim_asks_whether_the_plan_still_sends(self):
        """The drain may be faster than what is done after the commit."""
        invoice = self.make_due(1)
        self.run_plan()
        message = self.reminders()
        self.accept_everything()
        self.plan.stage = "off"
        self.assertEqual(message.state, "queued")
        self.assertEqual(self.drain(), 0)
        self.assertRecordValues(message, [{"state": "canceled", "reason": "paused"}])
        self.assertFalse(self.case(invoice).last_step_days)

    def test_what_waits_of_a_stopped_plan_is_withdrawn_by_the_next_look(self):
        """Where the process ended between the commit and what follows from it."""
        bea = self._make_customer("Bea", "+34600000066")
        self.make_due(1)
        self.make_due(1, bea)
        self.run_plan()
        goes_on = self.reminders(bea)
        goes_on.collection_plan_id = self._make_plan(name="Other", sequence=99)
        self.plan.stage = "off"
        self.run_cron("ir_cron_limits")
        self.assertEqual(
            set((self.reminders() - goes_on).mapped("state")), {"canceled"}
        )
        self.assertEqual(goes_on.state, "queued")

    def test_a_copy_of_a_plan_is_off(self):
        self.assertEqual(self.plan.copy().stage, "off")

    def test_limits_stop_the_plan(self):
        self.plan.write({"stop_sample": 2, "stop_failures": 40.0})
        for n in range(3):
            self.make_due(1, self._make_customer(f"F{n}", f"+3460000030{n}"))
        self.run_plan()
        self.reminders().write({"state": "failed"})
        self.run_plan(1)
        self.assertEqual(self.plan.stage, "off")
        self.assertTrue(self.plan.stopped_reason)
        self.assertTrue(self.plan.activity_ids)
        self.assertEqual(self.plan.with_user(self.manager).action_run(self.day(2)), {})

    def test_limits_stop_a_plan_in_the_middle_of_its_messages(self):
        self.plan.write({"stop_sample": 2, "stop_failures": 40.0})
        for n in range(4):
            self.make_due(1, self._make_customer(f"F{n}", f"+3460000030{n}"))
        self.run_plan()
        first = self.reminders()[:2]
        self.run_cron("ir_cron_limits")
        self.assertEqual(self.plan.stage, "on")
        first.write({"state": "failed"})
        self.run_cron("ir_cron_limits")
        self.assertEqual(self.plan.stage, "off")
        self.assertTrue(self.plan.stopped_reason)
        self.assertEqual(set((self.reminders() - first).mapped("state")), {"canceled"})

    @mute_logger("odoo.addons.whatsapp_billing.models.collection.plan_run")
    def test_plan_that_raises_leaves_the_limits_of_others_looked_at(self):
        other = self._make_plan(name="Other", sequence=99)
        for n in range(6):
            self.make_due(1, self._make_customer(f"F{n}", f"+3460000030{n}"))
        self.run_plan()
        mine = self.reminders()
        self.assertEqual(len(mine), 6)
        (self.plan | other).write({"stop_sample": 2, "stop_failures": 40.0})
        mine[3:].collection_plan_id = other
        (mine[0] | mine[3]).write({"state": "failed"})
        (mine[1] | mine[4]).write({"state": "sent"})
        self.env.flush_all()
        model = type(self.plan)
        for broken in (self.plan, other):
            (self.plan | other).write({"stage": "on", "stopped_reason": False})
            (mine[2] | mine[5]).write({"state": "queued"})
            self.env.flush_all()

            def stop(plan, text, broken=broken):
                if plan.id == broken.id:
                    plan.env.cr.execute("SELECT 1/0")
                plan.write({"stage": "off", "stopped_reason": text})

            self.patch(model, "_stop", stop)
            with mute_logger("odoo.sql_db"):
                self.run_cron("ir_cron_limits")
            self.assertEqual(broken.stage, "on")
            self.assertEqual(((self.plan | other) - broken).stage, "off")

    def test_bad_configuration_has_a_stated_outcome(self):
        with self.assertRaises(UserError):
            self.plan.domain = "[('nonsense', '=', 1)]"
        with self.assertRaises(UserError):
            self.plan.domain = "not python"
        invoice = self.make_due(1)
        case = self.case(invoice)
        self.plan.step_ids.unlink()
        self.run_plan()
        self.assertEqual(case.reason, "no_steps")

    def test_a_paused_or_recategorised_template_waits(self):
        template = self.templates["payment_reminder"]
        self.plan.step_ids.template_id = template
        case = self.case(self.make_due(1))
        template.category = "marketing"
        self.run_plan()
        self.assertEqual(case.reason, "template_not_approved")
        template.write({"category": "utility", "status": "paused"})
        self.run_plan(1)
        self.assertEqual(case.reason, "template_not_approved")
        template.status = "approved"
        self.run_plan(2)
        self.assertEqual(len(self.reminders()), 1)

    def test_a_default_template_that_became_an_offer_waits(self):
        invoice = self.make_due(1)
        self.templates["payment_reminder"].category = "marketing"
        self.run_plan()
        self.assertFalse(self.reminders())
        self.assertEqual(self.case(invoice).reason, "no_template")
        self.assertIn("No template for payment reminders", self.plan.problem)

    def test_a_namesake_that_became_an_offer_waits(self):
        own = self.templates["payment_reminder"]
        self._make_template(
            self.account,
            "payment_reminder",
            "es",
            template_name=own.template_name,
            category="marketing",
        )
        self.plan.step_ids.template_id = own
        spanish = self._make_customer("Eva", "+34600000066", "es_ES")
        invoice = self.make_due(1, spanish)
        self.run_plan()
        self.assertFalse(self.reminders())
        self.assertEqual(self.case(invoice).reason, "no_template")

    def test_a_step_by_a_person_sends_nothing(self):
        self.plan.step_ids[0].channel = "activity"
        invoice = self.make_due(1)
        self.run_plan()
        self.assertFalse(self.reminders())
        self.assertEqual(len(invoice.activity_ids), 1)
        self.run_plan(1)
        self.assertEqual(len(invoice.activity_ids), 1)

    def test_the_last_step_hands_over(self):
        self.plan.step_ids[1].action = "legal"
        invoice = self.make_due(8)
        self.run_plan()
        self.assertEqual(len(self.reminders()), 1)
        self.assertEqual(self.case(invoice).state, "escalated")
        self.assertEqual(invoice.activity_ids.summary, "Legal action")
        self.accept_everything()
        self.assertEqual(self.drain(), 1, "the notice itself still goes")

    def test_preview_writes_nothing_and_says_what_comes(self):
        self.plan.stage = "off"
        one = self.make_due(-3)
        paid = self.make_due(1)
        self.pay(paid)
        nobody = self._make_customer("No Number", False)
        self.make_due(1, nobody)
        before = self.cases.search_count([])
        found = self.plan.with_user(self.manager)._preview(days=30)
        self.assertEqual(self.cases.search_count([]), before)
        self.assertFalse(self.reminders())
        mine = [m for m in found["messages"] if m["debtor_id"] == self.partner.id]
        self.assertEqual(
            [m["date"] for m in mine],
            [(self.day(3) + timedelta(days=n)).isoformat() for n in (1, 8)],
        )
        self.assertIn(one.name, mine[0]["body"])
        self.assertEqual(mine[0]["totals"][0]["amount"], one.amount_residual)
        theirs = [m for m in found["messages"] if m["debtor_id"] == nobody.id]
        self.assertEqual({m["reason"] for m in theirs}, {"no_number"})
        self.assertTrue(theirs[0]["detail"])
