# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The engine under every queue, shown on the smallest one: it knows no message."""

import threading
from datetime import timedelta

from odoo import fields
from odoo.tests import TransactionCase, tagged
from odoo.tools import mute_logger

from ..clients.errors import (
    AccountError,
    ContentError,
    PaceError,
    TransientError,
    UnknownOutcomeError,
)
from ..models.worker import outbox
from ..models.worker.budget import Budget
from ..models.worker.drain import Recording
from . import toy_outbox

OUTBOX = "odoo.addons.whatsapp_billing.models.worker.outbox"
DRAIN = "odoo.addons.whatsapp_billing.models.worker.drain"
TRANSACTIONS = "odoo.addons.whatsapp_billing.models.worker.transactions"


@tagged("post_install", "-at_install")
class TestWorkerOutbox(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        toy_outbox.register(cls.registry, cls.env.cr)
        cls.addClassCleanup(toy_outbox.unregister, cls.registry, cls.env.cr)
        cls.pushes = cls.env["whatsapp.billing.toy.push"]
        cls.lane = cls.env["whatsapp.billing.toy.connection"].create({"name": "Books"})

    def setUp(self):
        super().setUp()
        self.enterContext(self.enter_registry_test_mode())
        # The connection that all share in a test belongs to one thread.
        self.patch(outbox, "LANES", 1)
        self.calls = []
        self.answer_with(lambda text: f"id of {text}")

    def answer_with(self, answer):
        """Set what the other side answers to a text: returns an id or raises."""

        def remember(_name, text):
            self.calls.append(text)
            return answer(text)

        model = type(self.lane)
        self.patch(model, "_answer", staticmethod(remember))

    def push(self, *texts, **values):
        lane = values.pop("lane", self.lane)
        return self.pushes.create(
            [{"connection_id": lane.id, "text": text, **values} for text in texts]
        )

    def drain(self, budget=None, lane=None):
        self.env.flush_all()
        sent = (lane or self.lane)._drain(budget)
        self.env.invalidate_all()
        return sent

    def fail_with(self, *errors):
        """Raise these errors one after the other, then answer."""
        waiting = iter(errors)

        def answer(text):
            error = next(waiting, None)
            if error:
                raise error
            return f"id of {text}"

        self.answer_with(answer)

    # --- claimed, called, recorded -----------------------------------------------------

    def test_what_is_due_goes_out_once(self):
        rows = self.push(*(f"row {number}" for number in range(100)))
        self.assertEqual(self.drain(), 100)
        self.assertEqual(self.drain(), 0)
        self.assertEqual(sorted(self.calls), sorted(rows.mapped("text")))
        for row in rows:
            self.assertRecordValues(
                row,
                [
                    {
                        "state": "done",
                        "external_uid": f"id of {row.text}",
                        "attempts": 1,
                        "lease_until": False,
                    }
                ],
            )

    def test_calls_are_made_in_parallel(self):
        everybody = threading.Barrier(4)

        def answer(text):
            everybody.wait(10)
            return text

        self.answer_with(answer)
        rows = self.push(*"abcd")
        self.assertEqual(self.drain(), 4)
        self.assertEqual(set(rows.mapped("state")), {"done"})

    def test_urgent_rows_go_first_then_the_oldest(self):
        self.patch(type(self.lane), "_lane_threads", lambda _lane: 1)
        self.push("second", "third")
        self.push("first", priority=1)
        self.push("later", next_attempt_at=fields.Datetime.now() + timedelta(hours=1))
        self.drain()
        self.assertEqual(self.calls, ["first", "second", "third"])

    def test_a_constant_number_of_statements_for_a_slice(self):
        counts = []
        # What is read once for many claims.
        self.pushes._lease_seconds()
        for number in (8, 24):
            self.push(*(f"{number}.{i}" for i in range(number)))
            self.env.flush_all()
            drain = self.pushes._make_drain(self.lane, Budget(60))
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            claims, _dropped = drain._claim(number, Recording())
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(len(claims), number)
        self.assertEqual(counts[0], counts[1])

    # --- asked again ---------------------------------------------------------------------

    def test_what_may_no_longer_go_is_asked_in_bulk_and_not_called(self):
        asked = []
        model = type(self.pushes)
        original = model._refuse_before_call

        def refuse(rows):
            asked.append(len(rows))
            return original(rows)

        self.patch(model, "_refuse_before_call", refuse)
        rows = self.push("a", "b", "c")
        rows[1].is_withdrawn = True
        self.assertEqual(self.drain(), 2)
        self.assertEqual(asked[0], 3)
        self.assertNotIn("b", self.calls)
        self.assertRecordValues(
            rows[1], [{"state": "held", "error": "withdrawn", "attempts": 0}]
        )

    # --- faults ------------------------------------------------------------------------

    @mute_logger(OUTBOX)
    def test_row_that_cannot_be_made_into_a_call_fails_alone(self):
        rows = self.push("a", False, "c")
        self.assertEqual(self.drain(), 2)
        self.assertEqual(rows.mapped("state"), ["done", "failed", "done"])

    @mute_logger(DRAIN)
    def test_outcome_that_cannot_be_recorded_stays_alone(self):
        model = type(self.pushes)
        original = model._after_outcomes

        def after(rows, outcomes):
            if "b" in rows.mapped("text"):
                raise ValueError("not what was expected")
            return original(rows, outcomes)

        self.patch(model, "_after_outcomes", after)
        rows = self.push("a", "b", "c")
        self.drain()
        self.assertEqual(rows.mapped("state"), ["done", "sending", "done"])
        rows[1].lease_until = fields.Datetime.now() - timedelta(minutes=1)
        self.env.flush_all()
        self.assertEqual(self.pushes._expire_leases(), 1)
        self.env.invalidate_all()
        self.assertEqual(rows[1].state, "unknown")

    @mute_logger(TRANSACTIONS)
    def test_lane_that_raises_leaves_the_others_to_go_on(self):
        other = self.lane.create({"name": "Other"})
        mine, theirs = self.push("a"), self.push("b", lane=other)
        model = type(self.lane)
        original = model._open_lane

        def open_lane(lane, drain):
            if lane == self.lane:
                raise RuntimeError("broken")
            return original(lane, drain)

        self.patch(model, "_open_lane", open_lane)
        self.env.flush_all()
        self.assertFalse(self.pushes._drain_lanes(Budget(60)))
        self.env.invalidate_all()
        self.assertEqual((mine.state, theirs.state), ("queued", "done"))

    # --- what comes of a refusal -----------------------------------------------------------

    def test_transient_error_goes_again_later_each_time_and_ends(self):
        row = self.push("a")
        self.fail_with(*[TransientError("down")] * 5)
        waited = []
        for _attempt in range(4):
            before = fields.Datetime.now()
            self.drain()
            self.assertEqual((row.state, row.error), ("queued", "transient - down"))
            waited.append((row.next_attempt_at - before).total_seconds())
            self.assertEqual(self.drain(), 0, "not before its time")
            row.next_attempt_at = fields.Datetime.now()
        self.assertEqual(waited, sorted(waited))
        self.assertGreater(waited[-1], 4 * waited[0])
        self.drain()
        self.assertRecordValues(row, [{"state": "failed", "attempts": 5}])

    def test_too_fast_slows_down_and_goes_again(self):
        row = self.push("a")
        self.fail_with(PaceError("slower"))
        self.drain()
        self.assertEqual(row.state, "queued")
        row.next_attempt_at = fields.Datetime.now()
        self.drain()
        self.assertEqual(row.state, "done")

    def test_refused_content_fails_at_once(self):
        rows = self.push("a", "b")
        self.fail_with(ContentError("no"))
        self.drain()
        self.assertEqual(sorted(rows.mapped("state")), ["done", "failed"])

    def test_outcome_that_nobody_knows_is_never_sent_again_by_itself(self):
        row = self.push("a")
        self.fail_with(UnknownOutcomeError("reset"))
        self.drain()
        self.drain()
        self.assertEqual((row.state, len(self.calls)), ("unknown", 1))

    def test_refused_account_holds_its_rows_and_stops_the_lane(self):
        self.patch(type(self.lane), "_lane_threads", lambda _lane: 1)
        rows = self.push("a", "b")
        self.fail_with(AccountError("expired"))
        self.drain()
        self.assertEqual(rows.mapped("state"), ["held", "queued"])

    # --- leases --------------------------------------------------------------------------

    def test_lease_that_ran_out_is_unknown_and_only_that(self):
        now = fields.Datetime.now()
        values = {"state": "sending", "attempts": 1}
        dead = self.push("a", lease_until=now - timedelta(seconds=1), **values)
        alive = self.push("b", lease_until=now + timedelta(minutes=1), **values)
        self.drain()
        self.assertEqual((dead.state, alive.state), ("unknown", "sending"))
        self.assertFalse(dead.lease_until)
        self.assertEqual(self.calls, [])

    # --- time ----------------------------------------------------------------------------

    def test_time_that_ends_in_the_middle_leaves_the_rest_queued(self):
        rows = self.push(*(f"row {number}" for number in range(40)))
        clock = _Clock()

        def answer(text):
            # Each call takes a second of a run that may begin work for three.
            clock.now += 1
            return text

        self.answer_with(answer)
        self.patch(type(self.lane), "_lane_threads", lambda _lane: 1)
        self.drain(Budget(3, clock=clock))
        states = rows.mapped("state")
        self.assertEqual(set(states), {"done", "queued"})
        self.assertEqual(states.count("done"), len(self.calls))
        self.assertLessEqual(len(self.calls), 4)
        self.assertEqual(set(rows.mapped("attempts")), {0, 1})

    def test_job_that_ran_out_of_time_has_another_go_on(self):
        jobs = self.env["queue.job"].sudo()
        mine = [("model_name", "=", self.lane._name)]
        self.push("a")
        self.env.flush_all()
        self.patch(Budget, "of_run", lambda *_args: Budget(0))
        self.assertEqual(self.lane._job_drain(), 0)
        self.assertEqual(self.calls, [])
        self.assertEqual(jobs.search(mine).mapped("method_name"), ["_job_drain"])

    def test_cron_is_told_what_time_did_not_allow(self):
        self.push("a")
        self.env.flush_all()
        self.assertTrue(self.pushes._drain_lanes(Budget(0)))
        self.assertEqual(self.calls, [])
        self.assertFalse(self.pushes._drain_lanes(Budget(60)))
        self.assertEqual(self.calls, ["a"])

    def test_call_that_hangs_is_left_to_its_lease_before_odoo_ends_the_run(self):
        released = threading.Event()
        self.addCleanup(released.set)

        def answer(text):
            if text == "hangs":
                released.wait(60)
            return text

        self.answer_with(answer)
        rows = self.push("hangs", "b")
        self.drain(Budget(0.3, seconds_to_call=0.6))
        self.assertEqual(rows.mapped("state"), ["sending", "done"])


class _Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now
