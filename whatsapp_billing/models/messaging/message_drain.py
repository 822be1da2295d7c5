# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import logging
import random
import time
from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ... import const
from ...clients.pool import CallPool, TokenBucket
from ...clients.whatsapp import PROVING
from ...clients.whatsapp.sender import Sender
from ..worker.budget import Budget
from . import drain_claim, drain_record, secrets

_logger = logging.getLogger(__name__)

DEFAULT_THREADS = 64
# Seconds to go on collecting outcomes after the first: larger slices, fewer commits.
LINGER = 0.002
# Rows claimed in one transaction: the first calls run while the next are claimed.
SLICE = 32
# Seconds between two looks at whose screens should show new ticks.
TELL_SECONDS = 1.0


class Drain:
    """Send what is due for one number until nothing is left or time is up.

    Claim, commit, call in parallel, record in slices, commit: killed anywhere, a
    row is either still `queued`, or `sending` with a lease and found later as
    `unknown`. Runs under the number's advisory lock.
    """

    def __init__(self, env, phone, seconds, clock=time.monotonic, jitter=random.random):
        self.env = env
        self.phone = phone
        self.messages = env["whatsapp.billing.message"]
        self.clock = clock
        self.jitter = jitter
        self.deadline = clock() + seconds
        self.threads = self._thread_count()
        self.bucket = TokenBucket(max(phone.pace, 1), clock())
        self.sender = None
        self.in_flight = {}
        self.changed = []
        self.told_at = clock()
        self.more = False
        self.stopped = False
        self.is_careful = False
        self.sent = 0

    def _thread_count(self):
        configured = self.env["ir.config_parameter"].get_param(
            "whatsapp_billing.threads"
        )
        return max(1, min(int(configured or DEFAULT_THREADS), max(self.phone.pace, 1)))

    def run(self, client):
        """Return how many messages were accepted.

        :param client: the account's client, with a connection for each thread
        """
        self.sender = Sender(client, self.phone.phone_uid)
        pool = CallPool(self.sender, Sender.on_fault, self.threads, "wab-send")
        try:
            while self._step(pool):
                pass
        finally:
            pool.close()
            self._finish(pool)
        return self.sent

    def _step(self, pool):
        """Record what came back, claim what may go; return whether to go on."""
        patience = self._patience()
        outcomes = pool.outcomes(patience, LINGER if patience else 0)
        free = self._free(len(outcomes))
        again = self._turn(pool, outcomes, free)
        return bool(self.in_flight) or again or self._waits_for_pace(free)

    def _turn(self, pool, outcomes, free):
        """Record and claim in one transaction; hand over only what is committed."""
        recording, rows = self._write_durably(outcomes, free)
        self.sender.forget(recording.gone)
        for row in rows:
            pool.put(row.work)
        self._remember(outcomes, recording, rows)
        self._tell()
        return recording.again

    def _write_durably(self, outcomes, free):
        """Write a turn at once; where that fails, again with each row on its own.

        Savepoints for every turn would slow all down for the one row in a million.
        """

        def write():
            return self._write(outcomes, free)

        try:
            return self.messages._durably(self.env, write)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception:
            _logger.info("A row of number %s is at fault", self.phone.id, exc_info=True)
            self.env.cr.rollback()
            self.env.clear()
        self.is_careful = True
        try:
            return self.messages._durably(self.env, write)
        finally:
            self.is_careful = False

    def separately(self, step, items, on_fault):
        """Do `step(items)`; each item on its own while a row is known to be at fault."""
        if self.is_careful:
            return self.messages._separately(self.env, step, items, on_fault)
        return [step(items)] if items else []

    def _write(self, outcomes, free):
        """Change the database only: it may run again after a deadlock."""
        recording = drain_record.record(self, outcomes)
        rows, dropped = drain_claim.claim(self, free, recording) if free else ([], [])
        recording.again = bool(dropped)
        ended = recording.ended + dropped
        messages = self.messages.browse(ended)
        if self.is_careful:
            messages._follow_state_change()
        elif messages:
            messages._after_state_change()
        return recording, rows

    def _remember(self, outcomes, recording, rows):
        for outcome in outcomes:
            self.in_flight.pop(outcome.key, None)
        self.in_flight.update({row.work.key: row for row in rows})
        self.more = len(rows) == SLICE and len(self.in_flight) < self.threads
        self.changed += recording.ids
        self.sent += recording.accepted
        self.stopped = self.stopped or recording.stop
        if recording.slow_down:
            self.bucket.slow_down()

    def _tell(self, now=False):
        """Tell open screens what went out, at most once a second: nobody reads faster.

        Not in the transaction of a turn: threads wait for that one.
        """
        if not self.changed or not (now or self.clock() >= self.told_at + TELL_SECONDS):
            return
        changed, self.changed = self.changed, []
        self.told_at = self.clock()
        messages = self.messages.browse(changed)
        self.messages._durably(self.env, messages._follow_state_change)

    def _free(self, returned):
        """Return how many more may go; `returned` calls have just ended."""
        if self.stopped or self.clock() >= self.deadline:
            return 0
        wanted = min(self.threads - len(self.in_flight) + returned, SLICE)
        return self.bucket.take(wanted, self.clock())

    def _patience(self):
        if not self.in_flight or self.more:
            return 0
        if len(self.in_flight) < self.threads and not self.stopped:
            return min(1.0, max(self.bucket.wait(), 0.005))
        return 1.0

    def _waits_for_pace(self, free):
        if free or self.stopped or self.clock() >= self.deadline:
            return False
        time.sleep(min(1.0, self.bucket.wait()))
        return True

    def _finish(self, pool):
        """Record what came back after the last turn, whatever ended the loop."""
        outcomes = pool.outcomes(0)
        self.stopped = True
        if outcomes:
            self._turn(pool, outcomes, 0)
        self._tell(now=True)


def of_account(account_id):
    """Return SQL for the rows of an account, of all without one."""
    return SQL("account_id = %s", account_id) if account_id else SQL("TRUE")


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    # === BUSINESS METHODS - TRIGGERS === #

    def _trigger_drain(self):
        """Say that there is work for the numbers of these messages.

        Only hints: a job that never runs is made up for by the one-minute cron.
        """
        self._trigger_workers(
            self.phone_id, any(m.document_state == "pending" for m in self)
        )

    @api.model
    def _trigger_workers(self, phones, are_documents_missing):
        for phone in phones:
            phone._trigger_drain()
        if are_documents_missing:
            self._trigger_documents()

    @api.model
    def _run_seconds(self):
        """Return how long a worker may make documents."""
        return Budget.of_run().left()

    @api.model
    def _lease_seconds(self):
        """Return how long a call may take before its row counts as unknown."""
        # sudo: ir.config_parameter - a setting of the worker
        return int(
            self.env["ir.config_parameter"]
            .sudo()
            .get_param("whatsapp_billing.lease_seconds", const.LEASE_SECONDS)
        )

    # === CRON METHODS === #

    @api.model
    def _cron_outbox(self):
        """Do what no event does: leases, evidence, held rows, and whatever is due.

        With a job runner this finds nothing to send; without one it is what sends.
        Messages go before documents are made, and all of it ends in time: what is
        left begins the next run, which starts at once.
        """
        until = time.monotonic() + self._run_seconds()
        for step in (self._expire_leases, self._resolve_unknown, self._release_held):
            self._skip_faults(step, step.__name__)
        # A third of the time is the documents': neither waits for the other.
        is_left = self._drain_numbers(until - self._run_seconds() / 3)
        is_left |= bool(
            self._skip_faults(lambda: self._make_documents(until), "documents")
        )
        is_left |= self._drain_numbers(until)
        if is_left:
            # sudo: ir.cron - the worker asks for its next run
            self.env.ref("whatsapp_billing.ir_cron_outbox").sudo()._trigger()

    @api.model
    def _drain_numbers(self, until):
        """Drain each number that has work, in equal shares of the time.

        :param until: on the monotonic clock
        :return: whether some number has more to do
        """
        phone_ids = self._skip_faults(self._read_due_phone_ids, "due numbers") or []
        for done, phone_id in enumerate(phone_ids):
            seconds = (until - time.monotonic()) / (len(phone_ids) - done)
            if seconds <= 0:
                return True
            # sudo: whatsapp.billing.phone - the worker drains every company's numbers
            phone = self.env["whatsapp.billing.phone"].sudo().browse(phone_id)
            self._skip_faults(
                lambda p=phone, s=seconds: p._drain(s), f"number {phone_id}"
            )
        left = self._skip_faults(self._read_due_phone_ids, "due numbers") or []
        # A number that fails is tried by the next run in its own time.
        return bool(set(left) & set(phone_ids)) and time.monotonic() >= until

    @api.model
    def _read_due_phone_ids(self):
        with self._own_transaction() as env:
            return env["whatsapp.billing.message"]._due_phone_ids()

    @api.model
    def _skip_faults(self, step, about):
        """Run one step of a worker; what it raises is logged and stops no later one.

        For steps in transactions of their own only.
        """
        try:
            return step()
        except Exception:
            _logger.exception("Skipped, the others go on: %s", about)
            return None

    @api.model
    def _due_phone_ids(self):
        self.env.cr.execute(
            """
            SELECT phone_id FROM whatsapp_billing_message
             WHERE state = 'queued' AND phone_id IS NOT NULL
               AND document_state IN ('none', 'ready')
               AND (next_attempt_at IS NULL
                    OR next_attempt_at <= %s)
          GROUP BY phone_id ORDER BY min(id)
            """,
            [fields.Datetime.now()],
        )
        return [row[0] for row in self.env.cr.fetchall()]

    @api.model
    def _expire_leases(self, phone=None):
        """Turn rows whose worker died into `unknown`: never failed, never queued."""
        with self._own_transaction() as env:
            messages = env["whatsapp.billing.message"]
            ids = self._durably(env, lambda: messages._expire_leases_now(phone))
        return len(ids)

    @api.model
    def _expire_leases_now(self, phone=None):
        condition = SQL("phone_id = %s", phone.id) if phone else SQL("TRUE")
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE whatsapp_billing_message
                   SET state = 'unknown', unknown_at = lease_until,
                       lease_until = NULL
                 WHERE state = 'sending' AND %s
                   AND lease_until < %s
             RETURNING id, attempts, uuid
                """,
                condition,
                fields.Datetime.now(),
            )
        )
        ids = [row[0] for row in rows]
        self.env["whatsapp.billing.message.attempt"].create(
            [
                {
                    "message_id": message_id,
                    "number": attempts,
                    "uuid": uuid,
                    "state": "unknown",
                    "kind": "worker",
                    "outcome": "unknown",
                    "error_detail": "The sending process ended before it knew.",
                }
                for message_id, attempts, uuid in rows
            ]
        )
        self.browse(ids)._follow_state_change()
        return ids

    @api.model
    def _resolve_unknown(self):
        """Queue again what the provider evidently never got; else ask a person.

        Evidence: webhooks of its number came after the call and a receipt the
        configured time after the first of them, everything that its address received
        since was read, and nothing about this message came. Other numbers' and other
        addresses' events prove nothing and hold nothing up. One sign of life is not
        enough: what the provider could not deliver it repeats later and later,
        so after an outage new messages are reported before old ones. Where a provider
        does not bring back our token, no silence proves anything.
        """
        # sudo: ir.config_parameter - a setting of the worker
        minutes = int(
            self.env["ir.config_parameter"]
            .sudo()
            .get_param("whatsapp_billing.evidence_minutes", const.EVIDENCE_MINUTES)
        )
        with self._own_transaction() as env:
            messages = env["whatsapp.billing.message"]
            queued = self._durably(env, lambda: messages._requeue_disproved(minutes))
            self._durably_alone(
                env, lambda: messages._ask_about_unknown(minutes), "unknown messages"
            )
        if queued:
            # sudo: whatsapp.billing.message - the worker's, of every company
            self.sudo().browse(queued)._trigger_drain()
        return len(queued)

    @api.model
    def _requeue_disproved(self, minutes):
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE whatsapp_billing_message m
                   SET state = 'queued', unknown_at = NULL, next_attempt_at = NULL
                  FROM whatsapp_billing_phone p
                  JOIN whatsapp_billing_account mine ON mine.id = p.account_id
                 WHERE m.state = 'unknown' AND p.id = m.phone_id
                   AND mine.provider = ANY(%s)
                   AND m.channel_seen_at BETWEEN m.unknown_at
                       AND p.last_status_at - %s * interval '1 minute'
                   AND NOT EXISTS (
                       SELECT 1 FROM whatsapp_billing_webhook_event e
                         JOIN whatsapp_billing_account a ON a.webhook_token = e.app_key
                        WHERE a.id = p.account_id AND e.state = 'new')
                   AND NOT EXISTS (
                       SELECT 1 FROM whatsapp_billing_webhook_event e
                         JOIN whatsapp_billing_account a ON a.webhook_token = e.app_key
                        WHERE a.id = p.account_id AND e.is_unread
                          AND e.received_at >= m.unknown_at)
             RETURNING m.id
                """,
                PROVING,
                minutes,
            )
        )
        messages = self.browse(row[0] for row in rows)
        messages._begin_attempt("unknown")
        messages._follow_state_change()
        return messages.ids

    @api.model
    def _note_channel(self, seen_at):
        """Note on unknown messages when a webhook of their number came after the call.

        :param dict seen_at: phone id -> when one was received
        """
        values = SQL(", ").join(
            SQL("(%s::int, %s::timestamp)", *item) for item in sorted(seen_at.items())
        )
        if not seen_at:
            return
        self.env.cr.execute(
            SQL(
                """
                UPDATE whatsapp_billing_message m SET channel_seen_at = v.at
                  FROM (VALUES %s) v (phone_id, at)
                 WHERE m.state = 'unknown' AND m.phone_id = v.phone_id
                   AND v.at >= m.unknown_at
                   AND (m.channel_seen_at IS NULL OR m.channel_seen_at > v.at
                        OR m.channel_seen_at < m.unknown_at)
                """,
                values,
            )
        )

    @api.model
    def _ask_about_unknown(self, minutes):
        """Put an activity on the account for messages that only a person can judge."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT account_id, count(*) FROM whatsapp_billing_message
                 WHERE state = 'unknown'
                   AND unknown_at < %s
              GROUP BY account_id
                """,
                fields.Datetime.now() - timedelta(minutes=2 * minutes),
            )
        )
        self._separately(
            self.env,
            lambda some: [self._ask_about_account(*row) for row in some],
            rows,
            lambda row, error: _logger.error(
                "Nobody was asked for account %s", row[0], exc_info=error
            ),
        )
        asked = self.env["mail.activity"].search(
            [
                ("wab_reason", "=", "unknown_outcome"),
                ("res_id", "not in", [row[0] for row in rows]),
            ]
        )
        asked.unlink()

    @api.model
    def _ask_about_account(self, account_id, count):
        account = self.env["whatsapp.billing.account"].browse(account_id)._for_reader()
        account._warn_once(
            account,
            account.env._("Messages with unknown outcome"),
            account.env._(
                "Messages that may or may not have left: %(count)s. No receipt "
                "came. Open Messages, filter Unknown, and send or cancel them.",
                count=count,
            ),
            "unknown_outcome",
        )

    @api.model
    def _release_held(self):
        """Queue held rows again whose obstacle is gone.

        All at once; where that fails, account by account: one keeps no other waiting.
        """
        with self._own_transaction() as env:
            messages = env["whatsapp.billing.message"]
            try:
                ids = self._durably(env, messages._release_held_now)
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                raise
            except Exception:
                _logger.info("Held messages of an account are at fault", exc_info=True)
                env.cr.rollback()
                env.clear()
                ids = []
                for account_id in messages._read_held_account_ids():
                    ids += (
                        self._durably_alone(
                            env,
                            partial(messages._release_held_now, account_id),
                            f"held messages of account {account_id}",
                        )
                        or []
                    )
        if ids:
            # sudo: whatsapp.billing.message - the worker's, of every company
            self.sudo().browse(ids)._trigger_drain()
        return len(ids)

    @api.model
    def _read_held_account_ids(self):
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT account_id FROM whatsapp_billing_message"
                " WHERE state = 'held' AND account_id IS NOT NULL ORDER BY account_id"
            )
        )
        return [row[0] for row in rows]

    @api.model
    def _release_held_now(self, account_id=None):
        """Queue held rows again, all or those of one account; return their ids."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE whatsapp_billing_message m
                   SET state = 'queued', reason = NULL
                  FROM whatsapp_billing_account a
                 WHERE m.state = 'held' AND a.id = m.account_id AND %s
                   AND a.state IN ('connected', 'pending')
                   AND a.binding = ANY(%s)
                   AND NOT EXISTS (
                       SELECT 1 FROM whatsapp_billing_phone p
                        WHERE p.id = m.phone_id AND p.is_usable IS NOT TRUE)
                   AND (m.reason = 'account_inactive'
                        OR (m.reason = 'template_not_approved'
                            AND NOT EXISTS (
                                SELECT 1 FROM whatsapp_billing_template t
                                 WHERE t.id = m.template_id
                                   AND t.status IS DISTINCT FROM 'approved')))
             RETURNING m.id
                """,
                of_account(account_id),
                # In a copy of the database nothing goes until somebody confirms it.
                secrets.bindings(self.env),
            )
        )
        return [row[0] for row in rows]

    # === BUSINESS METHODS - WHAT PEOPLE SEE === #

    def _follow_state_change(self):
        """Do what follows from new states; what one message makes fail is its own.

        For workers, which serve many: in a user's transaction an error is theirs.
        """
        self._separately(
            self.env,
            lambda some: self.browse(some)._after_state_change(),
            self.ids,
            lambda message_id, error: _logger.error(
                "What follows from the state of message %s failed",
                message_id,
                exc_info=error,
            ),
        )

    def _after_state_change(self):
        """Tell the authors' open screens about new ticks, one message a person.

        Called with the rows already written by SQL.
        """
        if not self:
            return
        self.invalidate_recordset(flush=False)
        self._notify_ticks()
