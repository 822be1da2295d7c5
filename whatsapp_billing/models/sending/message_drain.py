# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What the worker asks of messages, the cron behind it, and what follows new states.

Claiming is in `drain_claim.py`, recording in `drain_record.py`.
"""

import logging
from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from odoo.addons.queue_job.jobrunner.runner import PG_ADVISORY_LOCK_ID

from ... import const
from ...clients.whatsapp import PROVING
from ..account import secrets
from ..claim import drain_claim
from ..claim.drain_look import DocumentLooks
from ..worker.budget import Budget
from ..worker.drain import Drain
from ..worker.prepared import Prepared
from . import drain_record

_logger = logging.getLogger(__name__)

# The cron of the outbox gives way after this long: where there is one cron worker,
# receipts and everybody else's jobs wait behind it.
CRON_SECONDS = 20.0


class MessageDrain(Drain):
    """Messages of a number, on their way."""

    def __init__(self, lane, outbox, budget):
        super().__init__(lane, outbox, budget)
        self.looks = DocumentLooks(self.env)
        self.claim_statement = Prepared(self.env, drain_claim.CLAIM_TYPES)
        self._claim_query = None

    def claim_query(self, look):
        """Return the SQL of claims with this look at documents, put together once."""
        known = self._claim_query
        if known is None or known[0] is not look:
            self._claim_query = known = (look, drain_claim.claim_sql(self, look))
        return known[1]

    def close(self):
        """Override to take the claim off the connection."""
        self.claim_statement.close()

    @property
    def phone(self):
        """Return the sender number."""
        return self.lane

    @property
    def messages(self):
        """Return the model of messages, as the worker sees it."""
        return self.outbox


# Steps that follow from new states that SQL has written, in this order: methods of the
# messages, each with the file that it is in.
AFTER_STATE_CHANGE = (
    "_close_credits",  # credit/message_credit.py
    "_notify_ticks",  # message/message_display.py
    "_sync_failures",  # message/message_display.py
    "_tell_documents",  # message/message_display.py
    "_take_steps_back",  # collection/message_reminder.py
)

# Steps that queue held messages again; each returns the ids that it queued.
RELEASES = (
    "_release_of_accounts",
    "_release_of_quiet_hours",  # collection/message_reminder.py
)


def of_account(account_id):
    """Return SQL for the rows of an account, of all without one."""
    return SQL("account_id = %s", account_id) if account_id else SQL("TRUE")


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    # === BUSINESS METHODS - TRIGGERS === #

    def _trigger_drain(self):
        """Override to have missing documents made as well."""
        self._trigger_workers(
            self.phone_id, any(m.document_state == "pending" for m in self)
        )

    @api.model
    def _trigger_workers(self, phones, are_documents_missing):
        for phone in phones:
            phone._trigger_drain()
        if are_documents_missing:
            self._trigger_documents()

    # === BUSINESS METHODS - WHAT THE OUTBOX ASKS === #

    @api.model
    def _make_drain(self, lane, budget):
        return MessageDrain(lane, self, budget)

    @api.model
    def _ready_condition(self):
        return SQL("document_state IN ('none', 'ready')")

    @api.model
    def _claim_rows(self, drain, free, recording):
        return drain_claim._mark_sending(drain, free, recording)

    @api.model
    def _prepare_calls(self, drain, rows):
        return drain_claim._prepare(drain, rows)

    def _fail_row(self, drain, row, error):
        drain_claim._fail(drain, row, error)

    @api.model
    def _record_outcomes(self, drain, outcomes, recording):
        drain_record._record(drain, outcomes, recording)

    @api.model
    def _unknown_assignment(self):
        return SQL("unknown_at = lease_until, lease_until = NULL")

    def _after_lease(self):
        self.env["whatsapp.billing.message.attempt"].create(
            [
                {
                    "message_id": message.id,
                    "number": message.attempts,
                    "uuid": message.uuid,
                    "state": "unknown",
                    "kind": "worker",
                    "outcome": "unknown",
                    "error_detail": "The sending process ended before it knew.",
                }
                for message in self
            ]
        )

    # === CRON METHODS === #

    @api.model
    def _cron_outbox(self):
        """Do what no event does: leases, evidence, held rows, and whatever is due.

        With a job runner this finds nothing to send; without one it is what sends.
        Messages go before documents are made, and those whose document is finished
        while others are; all of it ends in time: what is left begins the next run,
        which starts at once.
        """
        budget = Budget.of_run(CRON_SECONDS)
        for step in (self._expire_leases, self._resolve_unknown, self._release_held):
            self._skip_faults(step, step.__name__)
        # Documents get a third of the time, so that neither waits for the other.
        is_left = self._drain_lanes(budget.part(budget.left() * 2 / 3))
        is_left |= bool(
            self._skip_faults(
                lambda: self._make_documents(
                    budget, partial(self._drain_these, budget)
                ),
                "documents",
            )
        )
        is_left |= self._drain_lanes(budget)
        if is_left:
            # sudo: ir.cron - the worker asks for its next run
            self.env.ref("whatsapp_billing.ir_cron_outbox").sudo()._trigger()

    @api.model
    def _drain_these(self, budget, phone_ids):
        """Send what got its document while others are made, with or without jobs."""
        if not budget.is_over():
            self._each_lane(phone_ids, budget)

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
        """Queue held rows again, all or those of one account; return their ids.

        What goes again needs credits again, and what waited for credits may find some.
        """
        self.env.flush_all()
        ids = [id_ for name in RELEASES for id_ in getattr(self, name)(account_id)]
        return [*self._keep_within_credits(ids), *self._release_no_credit(account_id)]

    @api.model
    def _release_of_accounts(self, account_id=None):
        """Queue what waited for its account, its number or its template."""
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
                # A copied database has another binding: nothing goes until somebody
                # confirms it.
                secrets.bindings(self.env),
            )
        )
        return [row[0] for row in rows]

    # === BUSINESS METHODS - WHAT PEOPLE SEE === #

    def _after_state_change(self):
        """Override to take the steps of `AFTER_STATE_CHANGE`."""
        super()._after_state_change()
        if not self:
            return
        # Written by SQL or by the ORM, which may not have sent it yet.
        self.invalidate_recordset()
        for step in AFTER_STATE_CHANGE:
            getattr(self, step)()

    @api.model
    def _is_job_runner_alive(self):
        """Tell whether a job runner serves this database at this moment.

        The runner holds a session lock for as long as it lives (`queue_job`
        19.0, `jobrunner/runner.py`, `_acquire_master_lock`), so this also tells
        about one on another server and never believes one that has died.
        """
        found = self.env.execute_query(
            SQL(
                """
                SELECT 1 FROM pg_locks
                 WHERE locktype = 'advisory' AND objsubid = 1 AND granted
                   AND (classid::bigint << 32) | objid::bigint = %s
                   AND database = (
                       SELECT oid FROM pg_database WHERE datname = current_database())
                 LIMIT 1
                """,
                PG_ADVISORY_LOCK_ID,
            )
        )
        return bool(found)
