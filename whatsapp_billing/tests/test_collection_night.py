# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The nightly run as a whole: shared by workers, cut by time, hindered by one debtor."""

import itertools
from unittest.mock import Mock, patch

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.collection import plan_run
from ..models.worker.budget import Budget
from .collection_common import CollectionCommon

LOGGER = "odoo.addons.whatsapp_billing.models.collection.plan_run"


@tagged("post_install", "-at_install")
class TestCollectionNight(CollectionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.others = cls.env["res.partner"].create(
            [
                {
                    "name": f"Customer {number}",
                    "phone": f"+34 600 10 00 {number}",
                    "wab_enabled": True,
                }
                for number in range(10, 14)
            ]
        )

    def make_all_due(self):
        return [self.make_due(1, partner) for partner in self.others]

    def run_night(self, **values):
        plans = self.env["whatsapp.billing.collection.plan"]
        return plans.sudo()._run_company(self.company.id, self.plan.ids, **values)

    def help(self, plan_ids=None, **ago):
        """Run the job that another worker has delayed, now or so much later."""
        begun = fields.Datetime.to_string(
            self.ago(**ago) if ago else self.ago(seconds=1)
        )
        plans = self.env["whatsapp.billing.collection.plan"].sudo()
        plan_ids = plan_ids or self.plan.ids
        plans._job_run_share(self.company.id, plan_ids, 0.5, begun)

    def with_runner(self, is_alive=True):
        messages = type(self.env["whatsapp.billing.message"])
        return patch.object(messages, "_is_job_runner_alive", lambda _message: is_alive)

    def reminded(self):
        return self.reminders().filtered(lambda m: m.state == "queued").partner_id

    def jobs(self):
        return (
            self.env["queue.job"]
            .sudo()
            .search([("method_name", "=", "_job_run_share"), ("state", "=", "pending")])
        )

    # --- what each line's trace says ----------------------------------------------------

    def test_each_line_in_a_message_keeps_its_own_trace(self):
        small, large = self.make_due(1, amount=100.0), self.make_due(2, amount=250.0)
        self.run_plan()
        self.assertEqual(len(self.reminders()), 1)
        for invoice in small, large:
            case = self.case(invoice).with_user(self.clerk)
            answers = {answer["rule"]: answer for answer in case.trace}
            self.assertEqual(
                answers["document_unpaid"]["value"], invoice.amount_residual
            )
            self.assertTrue(all(answer["passed"] for answer in case.trace))
            self.assertEqual(case.trace, case.item_ids.trace)

    def test_a_line_that_was_left_out_says_which_rule(self):
        invoice = self.make_due(-5)
        self.run_plan()
        case = self.case(invoice)
        self.assertEqual(case.reason, "not_due")
        self.assertEqual(case.trace[-1]["rule"], "step_due")
        self.assertFalse(case.trace[-1]["passed"])

    def test_what_was_said_last_names_its_step(self):
        invoice = self.make_due(1)
        self.run_plan()
        case = self.case(invoice)
        self.assertEqual(case.last_step_id.days, 1)
        self.assertEqual(case.step_id.days, 8)
        self.reminders().with_user(self.clerk).action_cancel()
        self.assertFalse(case.last_step_id)

    # --- several workers ----------------------------------------------------------------

    def test_many_debtors_are_shared_by_a_job(self):
        self.make_all_due()
        with patch.object(plan_run, "CHUNK", 2):
            with self.with_runner(False):
                self.run_night()
            self.assertFalse(self.jobs(), "nobody would do it")
            self.make_all_due()
            with self.with_runner():
                self.run_night()
                self.make_all_due()
                self.run_night()
        self.assertEqual(len(self.jobs()), 1, "several hints become one")
        self.assertEqual(self.reminded(), self.others)

    def test_few_debtors_need_no_second_worker(self):
        self.make_all_due()
        with self.with_runner():
            self.run_night()
        self.assertFalse(self.jobs())

    def test_a_helper_does_all_that_is_left_and_nothing_twice(self):
        self.make_all_due()
        plans = self.plan.sudo()
        plans._begin(self.company)
        with patch.object(plan_run, "CHUNK", 1):
            self.help()
            self.assertEqual(self.reminded(), self.others)
            self.run_night()
            self.help()
        self.assertEqual(len(self.reminders()), len(self.others))

    def test_a_helper_that_comes_late_finds_nobody(self):
        plans = self.plan.sudo()
        plan_ids = plans.ids
        plans.unlink()
        self.help(plan_ids)
        self.assertFalse(self.reminders())

    def test_a_helper_of_last_night_does_nothing(self):
        self.make_all_due()
        self.plan.sudo()._begin(self.company)
        self.help(hours=6)
        self.assertFalse(self.reminders())

    def test_workers_begin_at_different_ends(self):
        self.assertEqual(plan_run._rotate([1, 2, 3, 4], 0.5), [3, 4, 1, 2])
        self.assertEqual(plan_run._rotate([], 0.5), [])

    def test_figures_of_all_chunks_and_workers_add_up(self):
        self.make_all_due()
        with patch.object(plan_run, "CHUNK", 1):
            self.run_night()
        self.plan.invalidate_recordset()
        self.assertEqual(self.plan.last_run["messages"], len(self.others))
        self.run_night()
        self.plan.invalidate_recordset()
        self.assertFalse(self.plan.last_run, "a new run counts anew")

    def test_each_plan_has_its_own_figures(self):
        first, second = self.others[:2]
        mine = self._make_plan(
            name="Dry",
            stage="dry_run",
            sequence=1,
            domain=f"[('partner_id', '=', {first.id})]",
        )
        self.make_due(1, first)
        invoice = self.make_due(1, second)
        (self.plan | mine).with_user(self.manager).action_run()
        self.assertEqual(mine.last_run.get("messages", 0), 0)
        self.assertEqual(mine.last_run["dry_run"], 1)
        self.assertEqual(self.plan.last_run["messages"], 1)
        self.assertNotIn("dry_run", self.plan.last_run)
        self.assertEqual(self.case(invoice).plan_id, self.plan)

    # --- when time is up, when somebody breaks it ------------------------------------------

    def test_what_time_did_not_allow_follows_at_once(self):
        self.make_all_due()
        plans = self.env["whatsapp.billing.collection.plan"]
        cron = self.env.ref("whatsapp_billing.ir_cron_collections")
        triggers = self.env["ir.cron.trigger"].sudo()
        with patch.object(Budget, "of_run", lambda: Budget(0)):
            plans.sudo()._cron_collections()
        self.assertFalse(self.reminders())
        self.assertTrue(triggers.search([("cron_id", "=", cron.id)]))
        plans.sudo()._cron_collections()
        self.assertEqual(self.reminded(), self.others)

    def test_a_run_that_was_cut_goes_on_counting(self):
        self.make_all_due()
        with patch.object(plan_run, "CHUNK", 1):
            clock = Mock(side_effect=itertools.count())
            self.assertFalse(self.run_night(budget=Budget(3, clock=clock)))
            self.assertTrue(0 < len(self.reminders()) < len(self.others))
            self.assertTrue(self.run_night())
        self.plan.invalidate_recordset()
        self.assertEqual(self.plan.last_run["messages"], len(self.others))
        self.assertNotIn("cut", self.plan.last_run)

    def break_for(self, *partners):
        """Have every look at these debtors end in an error."""
        plans = type(self.env["whatsapp.billing.collection.plan"])
        original = plans._apply

        def apply(plan, company, moment, ledger, outcome):
            if set(partners) & {
                plan.env["res.partner"].browse(row["debtor_id"])
                for row in ledger.rows.values()
            }:
                raise ValueError("a debtor like no other")
            return original(plan, company, moment, ledger, outcome)

        return patch.object(plans, "_apply", apply)

    def test_one_debtor_who_cannot_be_decided_about_holds_up_nobody(self):
        self.make_all_due()
        broken = self.others[1]
        with self.break_for(broken), self.assertLogs(LOGGER, "ERROR") as log:
            self.run_night()
        self.assertEqual(self.reminded(), self.others - broken)
        self.assertIn(f"customer {broken.id} failed", log.output[0])
        self.run_night()
        self.assertEqual(self.reminded(), self.others)

    def test_when_everybody_fails_it_is_not_the_debtors(self):
        self.make_all_due()
        with (
            patch.object(plan_run, "MAX_BROKEN", 2),
            self.break_for(*self.others),
            mute_logger(LOGGER),
            self.assertRaises(ValueError),
        ):
            self.run_night()
        self.assertFalse(self.reminders())
