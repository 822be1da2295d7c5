# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import logging
import math
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ... import const
from ...rules import backoff
from .drain import Claim, Drain

_logger = logging.getLogger(__name__)

# The `state` of an outbox that needs no states of its own.
STATES = [
    ("queued", "Waiting"),
    ("sending", "Sending"),
    ("done", "Done"),
    ("failed", "Failed"),
    ("held", "On hold"),
    ("unknown", "Unknown"),
]
# Lanes that a cron drains at a time, each in a thread with cursors of its own.
LANES = 4


class WhatsappBillingOutbox(models.AbstractModel):
    """Rows that are calls to make: claimed, called in parallel, recorded.

    A model inherits it, names the many2one to its lane in `_lane_field`, and answers
    three hooks: `_refuse_before_call` (what may no longer go, asked in bulk),
    `_make_work` (what the call needs) and `_after_outcomes` (what came of it). What
    makes the call is its lane's, `_open_lane`. The wider hooks under them are for an
    outbox whose pace asks for statements of its own.

    Its `state` is its own field: queued -> sending -> done, failed, held, unknown (see
    `STATES`), or queued again, later each time.
    """

    _name = "whatsapp.billing.outbox"
    _description = "WhatsApp Billing Outbox"
    _inherit = ["whatsapp.billing.worker.mixin"]
    _lane_field = None

    attempts = fields.Integer(default=0)
    next_attempt_at = fields.Datetime()
    lease_until = fields.Datetime()
    priority = fields.Integer(default=10)

    # === HOOKS === #

    def _refuse_before_call(self):
        """Return {id: values} of the rows that may no longer go, with their new state.

        Asked for all claimed rows at once, in the transaction that marks them.
        """
        return {}

    def _make_work(self):
        """Return what the thread gets that calls for this row: its `key` is the id.

        What it raises is the fault of this row alone.
        """
        raise NotImplementedError

    def _after_outcomes(self, outcomes):
        """Write what calls brought besides the state: an id over there, an error.

        :param dict outcomes: id -> outcome of these rows, whose states are written
        """

    def _after_state_change(self):
        """Do what follows from new states, which were written by SQL."""

    def _fail_row(self, _drain, row, error):
        """Fail a row that cannot be made into a call; the others go on."""
        _logger.error("%s cannot be called out", row, exc_info=error)
        row.write({"state": "failed", "lease_until": False})

    # === WIDER HOOKS === #

    @api.model
    def _make_drain(self, lane, budget):
        """Return the `Drain` of a lane of ours."""
        return Drain(lane, self, budget)

    @api.model
    def _ready_condition(self):
        """Return SQL for what a queued row needs besides its time."""
        return SQL("TRUE")

    @api.model
    def _claim_rows(self, drain, free, _recording):
        """Mark up to `free` due rows as `sending`; return them as a list."""
        now = fields.Datetime.now()
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE %(table)s o
                   SET state = 'sending', lease_until = %(lease)s,
                       attempts = COALESCE(attempts, 0) + 1
                 WHERE id IN (
                       SELECT id FROM %(table)s
                        WHERE %(due)s
                     ORDER BY priority, id LIMIT %(free)s
                          FOR NO KEY UPDATE SKIP LOCKED)
             RETURNING o.priority, o.id
                """,
                table=SQL.identifier(self._table),
                lease=now + timedelta(seconds=self._lease_seconds()),
                due=self._due_condition(drain.lane),
                free=free,
            )
        )
        claimed = self.browse(row_id for _priority, row_id in sorted(rows))
        if claimed:
            claimed.invalidate_recordset(flush=False)
        return list(claimed)

    @api.model
    def _prepare_calls(self, _drain, rows):
        """Return (claims to call out, ids of rows that may no longer go)."""
        records = self.browse().union(*rows)
        refused = records._refuse_before_call()
        for row_id, values in refused.items():
            row = self.browse(row_id)
            row.write({"lease_until": False, "attempts": row.attempts - 1, **values})
        going = records.filtered(lambda row: row.id not in refused)
        return [Claim(row._make_work(), row.attempts) for row in going], list(refused)

    @api.model
    def _record_outcomes(self, drain, outcomes, recording):
        """Write what became of calls, by the class of the error."""
        moved = defaultdict(list)
        for outcome in outcomes:
            moved[self._next_state(drain, outcome)].append(outcome)
            kind = outcome.error.kind if outcome.error else ""
            recording.slow_down |= kind == "pace"
            recording.stop |= kind == "account"
        for (state, due), some in moved.items():
            self._move(state, due, [outcome.key for outcome in some])
        accepted = [outcome.key for outcome in outcomes if not outcome.error]
        recording.ids += accepted
        recording.accepted += len(accepted)
        recording.ended += [outcome.key for outcome in outcomes if outcome.error]
        rows = self.browse(outcome.key for outcome in outcomes)
        rows.invalidate_recordset(flush=False)
        rows._after_outcomes({outcome.key: outcome for outcome in outcomes})

    def _next_state(self, drain, outcome):
        """Return (state, when it is due again) of the row of an outcome."""
        error = outcome.error
        if error is None:
            return "done", None
        if error.sent is None:
            return "unknown", None
        if error.kind == "account":
            return "held", None
        attempts = drain.in_flight[outcome.key].attempts
        delay = backoff.next_delay(
            attempts, error.kind, drain.jitter(), error.retry_after
        )
        if delay is None:
            return "failed", None
        return "queued", fields.Datetime.now() + timedelta(seconds=delay)

    def _move(self, state, due, ids):
        """Move rows on that still stand where their call left them."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE %s SET state = %s, next_attempt_at = %s, lease_until = NULL
                 WHERE id = ANY(%s) AND state IN ('sending', 'unknown')
                """,
                SQL.identifier(self._table),
                state,
                due,
                ids,
            )
        )

    def _after_lease(self):
        """Note on rows whose worker died that nobody knows what came of the call."""

    # === BUSINESS METHODS - TRIGGERS === #

    def _trigger_drain(self):
        """Say that there is work for the lanes of these rows.

        Only hints: a job that never runs is made up for by the cron.
        """
        for lane in self[self._lane_field]:
            lane._trigger_drain()

    # === BUSINESS METHODS - WHAT IS DUE === #

    @api.model
    def _due_condition(self, lane=None):
        """Return SQL for rows that may be claimed now, of one lane or of all."""
        return SQL(
            "%s AND (next_attempt_at IS NULL OR next_attempt_at <= %s)",
            self._waiting_condition(lane),
            fields.Datetime.now(),
        )

    @api.model
    def _waiting_condition(self, lane=None):
        field = SQL.identifier(self._lane_field)
        of_lane = (
            SQL("%s = %s", field, lane.id) if lane else SQL("%s IS NOT NULL", field)
        )
        return SQL("%s AND state = 'queued' AND %s", of_lane, self._ready_condition())

    @api.model
    def _next_due_at(self, lane):
        """Return when the next row of a lane is due, None where none is queued."""
        rows = self.env.execute_query(
            SQL(
                "SELECT min(COALESCE(next_attempt_at, %s)) FROM %s WHERE %s",
                fields.Datetime.now(),
                SQL.identifier(self._table),
                self._waiting_condition(lane),
            )
        )
        return rows[0][0]

    @api.model
    def _due_lane_ids(self):
        field = SQL.identifier(self._lane_field)
        rows = self.env.execute_query(
            SQL(
                "SELECT %s FROM %s WHERE %s GROUP BY %s ORDER BY min(id)",
                field,
                SQL.identifier(self._table),
                self._due_condition(),
                field,
            )
        )
        return [row[0] for row in rows]

    @api.model
    def _lease_seconds(self):
        """Return how long a call may take before its row counts as unknown."""
        # sudo: ir.config_parameter - a setting of the worker
        return int(
            self.env["ir.config_parameter"]
            .sudo()
            .get_param("whatsapp_billing.lease_seconds", const.LEASE_SECONDS)
        )

    # === BUSINESS METHODS - LEASES === #

    @api.model
    def _expire_leases(self):
        """Turn rows whose worker died into `unknown`: never failed, never queued."""
        with self._own_transaction() as env:
            rows = env[self._name]
            ids = self._durably(env, rows._expire_leases_now)
        return len(ids)

    @api.model
    def _expire_leases_now(self, lane=None):
        """Do so in this transaction, for one lane or for all; return the ids."""
        field = SQL.identifier(self._lane_field)
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE %s SET state = 'unknown', %s WHERE state = 'sending' AND %s
                   AND lease_until < %s
             RETURNING id
                """,
                SQL.identifier(self._table),
                self._unknown_assignment(),
                SQL("%s = %s", field, lane.id) if lane else SQL("TRUE"),
                fields.Datetime.now(),
            )
        )
        expired = self.browse(row[0] for row in rows)
        if expired:
            expired.invalidate_recordset(flush=False)
            expired._after_lease()
            expired._follow_state_change()
        return expired.ids

    @api.model
    def _unknown_assignment(self):
        """Return SQL for what else is set when a lease runs out."""
        return SQL("lease_until = NULL")

    # === BUSINESS METHODS - RUNNING === #

    @api.model
    def _drain_lanes(self, budget):
        """Drain each lane that has work, some at a time, in equal shares of the time.

        :return: whether some lane has more to do
        """
        lane_ids = self._skip_faults(self._read_due_lane_ids, "due lanes") or []
        if budget.is_over():
            return bool(lane_ids)
        self._each_lane(lane_ids, budget)
        left = self._skip_faults(self._read_due_lane_ids, "due lanes") or []
        # A lane that failed is left to the next run, which is not hurried for it.
        return bool(set(left) & set(lane_ids)) and budget.is_over()

    @api.model
    def _each_lane(self, lane_ids, budget):
        """Drain these lanes: what one raises, or waits for, is no other's."""
        # sudo: the lane - the worker drains every company's
        lanes = self.env[self[self._lane_field]._name].sudo()
        dbname = self.env.cr.dbname
        waiting = iter(range(len(lane_ids), 0, -1))
        lock = threading.Lock()

        def drain(lane_id):
            threading.current_thread().dbname = dbname
            with lock:
                share = budget.share(math.ceil(next(waiting) / LANES))
            lane = lanes.browse(lane_id)
            self._skip_faults(lambda: lane._drain(share), f"lane {lane}")

        if min(len(lane_ids), LANES) <= 1:
            for lane_id in lane_ids:
                drain(lane_id)
            return
        with ThreadPoolExecutor(LANES, "wab-lane") as threads:
            list(threads.map(drain, lane_ids))

    @api.model
    def _read_due_lane_ids(self):
        with self._own_transaction() as env:
            return env[self._name]._due_lane_ids()

    def _follow_state_change(self):
        """Do what follows from new states; what one row makes fail is its own.

        For workers, which serve many: in a user's transaction an error is theirs.
        """
        self._separately(
            self.env,
            lambda some: self.browse(some)._after_state_change(),
            self.ids,
            lambda row_id, error: _logger.error(
                "What follows from the state of %s %s failed",
                self._description,
                row_id,
                exc_info=error,
            ),
        )
