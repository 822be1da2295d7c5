# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A run ends before Odoo ends it, whatever started it; what is left is handed on."""

import itertools
import math
import resource
import threading
import time
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import config

from ..models.worker import budget as budgets
from ..models.worker.budget import Budget
from ..models.worker.ir_cron import CronRound
from .lifecycle_common import LifecycleCommon


@tagged("post_install", "-at_install")
class TestWorkerBudget(LifecycleCommon):
    def in_thread(self, function, **attributes):
        """Return what a function returns in a thread as Odoo's servers make them."""
        found = []
        thread = threading.Thread(target=lambda: found.append(function()))
        for name, value in attributes.items():
            setattr(thread, name, value)
        thread.start()
        thread.join(10)
        return found[0]

    def of_run(self, real, cron=-1, cpu=math.inf, **attributes):
        """Return the budget of a run under these limits of the server."""
        limits = {"limit_time_real": real, "limit_time_real_cron": cron}
        with (
            patch.dict(config.options, limits),
            patch.object(budgets, "_cpu_seconds_to_live", lambda: cpu),
        ):
            return self.in_thread(Budget.of_run, **attributes)

    def make_round(self, seconds):
        """Return a round of cron jobs that began some seconds ago."""
        cron_round = CronRound(self.env.cr)
        cron_round.began_at -= seconds
        return cron_round

    # --- the clock ---------------------------------------------------------------------

    def test_time_that_has_passed_is_gone(self):
        clock = itertools.chain([100.0, 103.0, 104.0, 105.0], itertools.repeat(106.0))
        budget = Budget(5, clock=lambda: next(clock))
        self.assertEqual(budget.left(), 2.0)
        self.assertFalse(budget.is_over())
        self.assertTrue(budget.is_over())
        self.assertEqual(budget.left(), 0.0)

    def test_processor_time_counts_as_well(self):
        used = itertools.chain([10.0, 12.0], itertools.repeat(13.0))
        budget = Budget(60, cpu_seconds=3, cpu_clock=lambda: next(used))
        self.assertEqual(budget.left(), 1.0)
        self.assertTrue(budget.is_over())

    def test_part_ends_with_the_whole_and_keeps_its_calls(self):
        budget = Budget(10, seconds_to_call=16, clock=lambda: 0.0)
        self.assertEqual(budget.part(4).left(), 4.0)
        self.assertEqual(budget.part(40).left(), 10.0)
        self.assertEqual(budget.share(4).left(), 2.5)
        self.assertEqual(budget.part(4).seconds_to_call(), 16.0)

    def test_without_limits_calls_take_as_long_as_they_take(self):
        self.assertEqual(Budget(10).seconds_to_call(), math.inf)

    # --- Odoo's limits -----------------------------------------------------------------

    def test_request_ends_well_before_its_limit(self):
        budget = self.of_run(real=20)
        self.assertAlmostEqual(budget.left(), 10, delta=1)
        self.assertAlmostEqual(budget.seconds_to_call(), 16, delta=1)

    def test_request_that_began_a_while_ago_has_less(self):
        budget = self.of_run(real=20, perf_t0=time.time() - 12)
        self.assertAlmostEqual(budget.left(), 4, delta=1)
        self.assertAlmostEqual(budget.seconds_to_call(), 6.4, delta=1)

    def test_request_beyond_its_limit_begins_nothing(self):
        budget = self.of_run(real=20, perf_t0=time.time() - 30)
        self.assertTrue(budget.is_over())
        self.assertEqual(budget.seconds_to_call(), 0.0)

    def test_cron_has_its_own_limit(self):
        began = self.make_round(0)
        self.assertAlmostEqual(
            self.of_run(real=20, cron=50, wab_cron_round=began).left(), 25, delta=1
        )
        # As in Odoo: -1 is the limit of requests.
        self.assertAlmostEqual(
            self.of_run(real=20, cron=-1, wab_cron_round=began).left(), 10, delta=1
        )

    def test_cron_job_after_another_has_what_that_one_left(self):
        budget = self.of_run(real=20, cron=100, wab_cron_round=self.make_round(60))
        self.assertAlmostEqual(budget.left(), 20, delta=1)

    def test_without_limits_a_run_gives_way_to_others(self):
        budget = self.of_run(real=0)
        self.assertAlmostEqual(budget.left(), budgets.LONGEST_SECONDS, delta=1)
        self.assertEqual(budget.seconds_to_call(), math.inf)

    def test_processor_limit_of_a_worker_is_half_used(self):
        self.assertAlmostEqual(self.of_run(real=120, cpu=8).left(), 4, delta=1)

    def test_processor_limit_is_the_one_that_odoo_has_set(self):
        used = time.process_time()
        with patch.object(resource, "getrlimit", return_value=(used + 9, -1)):
            self.assertAlmostEqual(budgets._cpu_seconds_to_live(), 9, delta=1)
        with patch.object(resource, "getrlimit", return_value=(-1, -1)):
            self.assertEqual(budgets._cpu_seconds_to_live(), math.inf)

    # --- rounds of cron jobs -----------------------------------------------------------

    def run_jobs(self, cursors):
        """Run one job with each cursor; return the rounds that they saw."""
        seen = []

        def process(_cls, _cron_cr, _job):
            seen.append(threading.current_thread().wab_cron_round)

        cron = type(self.env["ir.cron"])
        parent = next(
            base
            for base in cron.__mro__
            if base.__module__ == "odoo.addons.base.models.ir_cron"
        )

        def run():
            for cursor in cursors:
                cron._process_job(cursor, {})
            return getattr(threading.current_thread(), "wab_cron_round", None)

        with patch.object(parent, "_process_job", classmethod(process)):
            self.assertIsNone(self.in_thread(run))
        return seen

    def test_jobs_of_one_round_share_its_beginning(self):
        with self.registry.cursor() as cursor:
            first, second = self.run_jobs([cursor, cursor])
        self.assertIs(first, second)

    def test_next_round_begins_anew(self):
        with self.registry.cursor() as one, self.registry.cursor() as other:
            first, second = self.run_jobs([one, other])
        self.assertIsNot(first, second)

    def test_cron_run_by_hand_has_its_own_time_each_time(self):
        cron = self.env.ref("whatsapp_billing.ir_cron_credits")
        rounds = []
        model = type(self.env["whatsapp.billing.credit.wallet"])

        def note(_model):
            rounds.append(threading.current_thread().wab_cron_round)

        self.patch(model, "_cron_credits", note)
        for _run in range(2):
            cron.method_direct_trigger()
        self.assertEqual(len({id(one) for one in rounds}), 2)

    def test_cron_run_by_hand_in_a_request_has_the_time_of_the_request(self):
        budget = self.of_run(
            real=20, cron=100, wab_cron_round=self.make_round(0), perf_t0=time.time()
        )
        self.assertAlmostEqual(budget.left(), 10, delta=1)

    # --- loops that hand on --------------------------------------------------------------

    def is_triggered(self, name):
        cron = self.env.ref(f"whatsapp_billing.{name}")
        return bool(
            self.env["ir.cron.trigger"].sudo().search([("cron_id", "=", cron.id)])
        )

    def run_without_time(self, name):
        self.env["ir.cron.trigger"].sudo().search([]).unlink()
        with patch.object(Budget, "of_run", lambda *_args: Budget(0)):
            self.run_cron(name)
        self.assertTrue(self.is_triggered(name))

    def test_inbox_hands_on(self):
        self.assertTrue(self.receive(self.value(statuses=[])))
        self.run_without_time("ir_cron_inbox")
        self.assertEqual(self.events.search([], limit=1, order="id desc").state, "new")
        self.run_cron("ir_cron_inbox")
        self.assertNotEqual(
            self.events.search([], limit=1, order="id desc").state, "new"
        )

    def test_inbox_job_has_another_job_go_on(self):
        self.assertTrue(self.receive(self.value(statuses=[])))
        jobs = self.env["queue.job"].sudo()
        before = jobs.search([("method_name", "=", "_job_process")])
        with patch.object(Budget, "of_run", lambda *_args: Budget(0)):
            self.assertEqual(self.events._job_process(), 0)
        after = jobs.search([("method_name", "=", "_job_process")])
        self.assertEqual(len(after - before), 1)

    def test_credits_hand_on(self):
        wallet = self.env["whatsapp.billing.credit.wallet"].sudo()
        wallet = wallet._for_company(self.company)
        wallet.verified_at = False
        self.run_without_time("ir_cron_credits")
        self.assertFalse(wallet.verified_at)
        self.run_cron("ir_cron_credits")
        self.assertTrue(wallet.verified_at)

    def test_retention_hands_on(self):
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.company.wab_retention_days = 30
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE whatsapp_billing_message SET create_date = %s WHERE id = %s",
            [self.ago(days=60), message.id],
        )
        self.run_without_time("ir_cron_retention")
        self.assertTrue(message.recipient)
        self.run_cron("ir_cron_retention")
        self.assertFalse(message.recipient)
