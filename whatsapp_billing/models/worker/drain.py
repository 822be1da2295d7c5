# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Call out what is due in one lane, in parallel and at its pace."""

import logging
import random
import time
from dataclasses import dataclass, field
from functools import partial

from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ...clients.pool import CallPool, TokenBucket

_logger = logging.getLogger(__name__)

# Seconds to go on collecting outcomes after the first one: fewer commits.
LINGER_SECONDS = 0.002
# Which part of the threads may come free without lingering for more.
ENOUGH = 8
# Rows claimed in one transaction, at least: the first calls run while the next are
# claimed. With more threads half of them: a transaction takes hardly longer for more
# rows, and while it lasts as many calls end as there are threads for.
SLICE = 32
# At least so much time passes between two notifications of open screens.
SECONDS_BETWEEN_BUS_NOTES = 1.0


@dataclass(frozen=True, slots=True)
class Claim:
    """A row on its way, and what recording its outcome needs.

    :param work: what the threads get; its `key` is the row's id
    :param attempts: calls made for the row, this one included
    """

    work: object
    attempts: int


@dataclass(slots=True)
class Recording:
    """What a slice of outcomes changed.

    `ids` went out; `ended` did not: what follows from that belongs into the same
    transaction. `gone` is what the caller must forget (`forget` of its class). Where
    a claim follows in the same transaction (`goes_on`), what was accepted may be left
    to its statement (`late`).
    """

    ids: list = field(default_factory=list)
    ended: list = field(default_factory=list)
    keys: set = field(default_factory=set)
    accepted: int = 0
    stop: bool = False
    slow_down: bool = False
    again: bool = False
    gone: set = field(default_factory=set)
    goes_on: bool = False
    late: list = field(default_factory=list)


class Drain:
    """Send what is due in one lane until nothing is left or time is up.

    Claim, commit, call in parallel, record in slices, commit: killed anywhere, a
    row is either still `queued`, or `sending` with a lease and found later as
    `unknown`. Runs under the lane's advisory lock. What is claimed, called and
    recorded are the hooks of the outbox (`outbox.py`).
    """

    def __init__(self, lane, outbox, budget, jitter=random.random):
        self.env = lane.env
        self.lane = lane
        self.outbox = outbox.with_env(lane.env)
        self.budget = budget
        self.clock = budget.clock
        self.jitter = jitter
        self.threads = lane._lane_threads()
        self.slice = max(SLICE, self.threads // 2)
        self.bucket = TokenBucket(lane._lane_pace(), self.clock())
        self.caller = None
        # {row's id: its claim} of the calls under way
        self.in_flight = {}
        self.changed = []
        self.told_at = self.clock()
        self.is_slice_full = False
        self.stopped = False
        self.is_careful = False
        self.sent = 0

    def run(self, caller):
        """Return how many rows were accepted.

        :param caller: called with a work in a thread, without a database; returns an
            outcome with the same `key`. `on_fault` makes one of what it raised.
        """
        self.caller = caller
        pool = CallPool(caller, caller.on_fault, self.threads, "wab-send")
        try:
            while self._step(pool):
                pass
        finally:
            pool.close(self.budget.seconds_to_call())
            self._finish(pool)
            self.close()
        return self.sent

    def close(self):
        """Give back what the drain took of its connection."""

    def _step(self, pool):
        """Record what came back, claim what may go; return whether to go on."""
        patience = self._patience()
        linger = LINGER_SECONDS if patience else 0
        outcomes = pool.outcomes(patience, linger, self.threads // ENOUGH)
        free = self._free(len(outcomes))
        again = self._iterate(pool, outcomes, free)
        if self.budget.seconds_to_call() <= 0:
            # Calls that still hang end by their leases: Odoo would soon kill this
            # process.
            return False
        return bool(self.in_flight) or again or self._waits_for_pace(free)

    def _iterate(self, pool, outcomes, free):
        """Record and claim in one transaction; hand over only what is committed."""
        recording, claims = self._write_durably(outcomes, free)
        if recording.gone:
            self.caller.forget(recording.gone)
        pool.put(*(claim.work for claim in claims))
        self._remember(outcomes, recording, claims)
        self._tell()
        return recording.again

    def _write_durably(self, outcomes, free):
        """Write at once; where that fails, again with each row on its own.

        Savepoints every time would slow all down for the one row in a million.
        """

        def write():
            return self._write(outcomes, free)

        try:
            return self.outbox._durably(self.env, write)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception:
            _logger.info("A row of %s is at fault", self.lane, exc_info=True)
            self.env.cr.rollback()
            self.env.clear()
        self.is_careful = True
        try:
            return self.outbox._durably(self.env, write)
        finally:
            self.is_careful = False

    def separately(self, step, items, on_fault):
        """Do `step(items)`; each item on its own while a row is known to be at fault."""
        if self.is_careful:
            return self.outbox._separately(self.env, step, items, on_fault)
        return [step(items)] if items else []

    def _write(self, outcomes, free):
        """Change the database only: it may run again after a deadlock.

        :return: (what the outcomes changed, claims to call out)
        """
        recording = self._record(outcomes, free)
        claims, dropped = [], []
        if free and not recording.stop:
            claims, dropped = self._claim(free, recording)
        recording.again = bool(dropped)
        rows = self.outbox.browse(recording.ended + dropped)
        if self.is_careful:
            rows._follow_state_change()
        elif rows:
            rows._after_state_change()
        return recording, claims

    def _record(self, outcomes, free):
        """Write what became of calls; a row that somebody has moved on stays there."""
        recording = Recording(
            keys={outcome.key for outcome in outcomes},
            goes_on=bool(free) and not self.is_careful,
        )
        self.separately(
            lambda some: self.outbox._record_outcomes(self, some, recording),
            outcomes,
            _blame_outcome,
        )
        return recording

    def _claim(self, free, recording):
        """Mark up to `free` due rows as `sending` and build what the threads need.

        :return: (claims, ids of rows that may no longer go)
        """
        claims, dropped = [], []

        def blame(row, error):
            self.outbox._fail_row(self, row, error)
            dropped.append(_id_of(row))

        rows = self.outbox._claim_rows(self, free, recording)
        prepare = partial(self.outbox._prepare_calls, self)
        for ready, gone in self.separately(prepare, rows, blame):
            claims += ready
            dropped += gone
        return claims, dropped

    def _remember(self, outcomes, recording, claims):
        for outcome in outcomes:
            self.in_flight.pop(outcome.key, None)
        self.in_flight.update({claim.work.key: claim for claim in claims})
        self.is_slice_full = (
            len(claims) == self.slice and len(self.in_flight) < self.threads
        )
        self.changed += recording.ids
        self.sent += recording.accepted
        self.stopped = self.stopped or recording.stop
        if recording.slow_down:
            self.bucket.slow_down()

    def _tell(self, now=False):
        """Follow up what went out, at most once a second: nobody reads faster.

        Not in the transaction that records: threads wait for that one.
        """
        if not self.changed or not (
            now or self.clock() >= self.told_at + SECONDS_BETWEEN_BUS_NOTES
        ):
            return
        changed, self.changed = self.changed, []
        self.told_at = self.clock()
        rows = self.outbox.browse(changed)
        self.outbox._durably(self.env, rows._follow_state_change)

    def _free(self, returned):
        """Return how many more may go; `returned` calls have just ended."""
        if self.stopped or self.budget.is_over():
            return 0
        wanted = min(self.threads - len(self.in_flight) + returned, self.slice)
        return self.bucket.take(wanted, self.clock())

    def _patience(self):
        """Return how many seconds to wait for the next outcome."""
        if not self.in_flight or self.is_slice_full:
            return 0
        patience = min(1.0, self.budget.seconds_to_call())
        if len(self.in_flight) < self.threads and not self.stopped:
            return min(patience, max(self.bucket.wait(), 0.005))
        return patience

    def _waits_for_pace(self, free):
        if free or self.stopped or self.budget.is_over():
            return False
        time.sleep(min(1.0, self.bucket.wait()))
        return True

    def _finish(self, pool):
        """Record what came back after the last look, whatever ended the loop."""
        outcomes = pool.outcomes(0)
        self.stopped = True
        if outcomes:
            self._iterate(pool, outcomes, 0)
        self._tell(now=True)


def _blame_outcome(outcome, error):
    """Leave a call that cannot be recorded to its lease: it ends as `unknown`."""
    _logger.error(
        "What became of row %s cannot be recorded", outcome.key, exc_info=error
    )


def _id_of(row):
    return row["id"]
