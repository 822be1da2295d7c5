# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import logging
import time
from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .message_drain import Drain

_logger = logging.getLogger(__name__)

SENDABLE_STATES = ("connected", "pending")
# What becomes due within this time gets a job of its own; the cron finds the rest.
SOON = timedelta(minutes=10)


class WhatsappBillingPhone(models.Model):
    _name = "whatsapp.billing.phone"
    _inherit = ["whatsapp.billing.phone", "whatsapp.billing.worker.mixin"]

    last_webhook_at = fields.Datetime(string="Last Webhook", readonly=True)
    last_status_at = fields.Datetime(
        string="Last Receipt",
        readonly=True,
        help="When a receipt for this number was last seen: the proof that its "
        "webhooks work.",
    )

    # === BUSINESS METHODS - SENDING === #

    def _trigger_drain(self, eta=None):
        """Delay a job that drains this number; several at once become one.

        :param eta: not before; such a job never stands in for one that is due now
        """
        self.ensure_one()
        later = ".later" if eta else ""
        # sudo: queue.job - the system sends, whoever caused it
        self.sudo().with_delay(
            eta=eta, identity_key=f"whatsapp_billing.drain.{self.id}{later}"
        )._job_drain()

    def _let_go(self):
        """Delay their jobs at once, from a worker that goes on with something else."""
        for phone in self:
            self._durably_alone(self.env, phone._trigger_drain, f"number {phone.id}")

    def _job_drain(self):
        """Send what is due for this number and see to it that the rest follows."""
        self.ensure_one()
        sent = self._drain()
        self._continue()
        return sent

    def _drain(self, seconds=None):
        """Send what is due, unless another worker is at it; return how many went.

        Whoever finds the lock taken leaves: the holder looks again after giving it
        up, so what was queued meanwhile is seen by one of the two.

        :param seconds: to spend in all; what is left then is for the next run
        """
        self.ensure_one()
        limit = self.env["whatsapp.billing.message"]._run_seconds()
        seconds = min(limit, limit if seconds is None else seconds)
        until = time.monotonic() + seconds
        total = 0
        while True:
            with self._own_transaction() as env:
                phone = env[self._name].browse(self.id)
                with self._exclusive(env, self._table, self.id) as held:
                    sent = phone._drain_locked(seconds) if held else 0
                total += sent
                seconds = min(until - time.monotonic(), 5)
                if not sent or seconds <= 0 or not phone._has_due():
                    return total

    def _drain_locked(self, seconds):
        messages = self.env["whatsapp.billing.message"]
        self._durably(self.env, lambda: messages._expire_leases_now(self))
        account = self.account_id
        if (
            account.state not in SENDABLE_STATES
            or not self.is_usable
            or not account._is_bound()
        ):
            self._durably(self.env, self._hold_due)
            return 0
        try:
            drain = Drain(self.env, self, seconds)
            client = account._get_client(pool_size=drain.threads)
        except UserError as error:
            # Without token or ids nothing can be called: the messages wait for them.
            sentence = str(error)
            self._durably(self.env, lambda: self._stop_account(sentence))
            return 0
        return drain.run(client)

    def _stop_account(self, sentence):
        self.account_id._set_error(sentence)
        self._hold_due()

    def _hold_due(self):
        """Mark what is due as held while its account or number cannot send."""
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE whatsapp_billing_message
                   SET state = 'held', reason = 'account_inactive'
                 WHERE phone_id = %s AND state = 'queued'
             RETURNING id
                """,
                self.id,
            )
        )
        messages = self.env["whatsapp.billing.message"].browse(row[0] for row in rows)
        messages._follow_state_change()

    def _has_due(self):
        self.env.cr.execute(
            """
            SELECT 1 FROM whatsapp_billing_message
             WHERE phone_id = %s AND state = 'queued'
               AND document_state IN ('none', 'ready')
               AND (next_attempt_at IS NULL
                    OR next_attempt_at <= %s)
             LIMIT 1
            """,
            [self.id, fields.Datetime.now()],
        )
        return bool(self.env.cr.fetchone())

    def _continue(self):
        """Delay the next job for what is due soon or was left by time."""
        now = fields.Datetime.now()
        self.env.cr.execute(
            """
            SELECT min(COALESCE(next_attempt_at, %s))
              FROM whatsapp_billing_message
             WHERE phone_id = %s AND state = 'queued'
               AND document_state IN ('none', 'ready')
            """,
            [now, self.id],
        )
        due = self.env.cr.fetchone()[0]
        if due and due <= now + SOON:
            self._trigger_drain(eta=max(due, now) + timedelta(seconds=1))
