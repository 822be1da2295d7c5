# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...clients.whatsapp.sender import Sender
from ...rules.eligibility import SENDABLE_STATES

DEFAULT_THREADS = 64


class WhatsappBillingPhone(models.Model):
    """A sender number is a lane: WhatsApp gives each its own pace."""

    _name = "whatsapp.billing.phone"
    _inherit = ["whatsapp.billing.phone", "whatsapp.billing.lane"]
    _lane_outbox = "whatsapp.billing.message"

    last_webhook_at = fields.Datetime(string="Last Webhook", readonly=True)
    last_status_at = fields.Datetime(
        string="Last Receipt",
        readonly=True,
        help="When a receipt for this number was last seen: the proof that its "
        "webhooks work.",
    )

    # === BUSINESS METHODS - SENDING === #

    def _lane_pace(self):
        return max(self.pace, 1)

    def _lane_threads(self):
        configured = self.env["ir.config_parameter"].get_param(
            "whatsapp_billing.threads"
        )
        return max(1, min(int(configured or DEFAULT_THREADS), max(self.pace, 1)))

    def _open_lane(self, drain):
        """Override to call the account's provider, or to hold what is due."""
        account = self.account_id
        if (
            account.state not in SENDABLE_STATES
            or not self.is_usable
            or not account._is_bound()
        ):
            self._durably(self.env, self._hold_due)
            return None
        try:
            client = account._get_client(
                pool_size=drain.threads, seconds=drain.budget.seconds_to_call()
            )
        except UserError as error:
            # No client without token or ids: the account is stopped and its messages
            # held.
            sentence = str(error)
            self._durably(self.env, lambda: self._stop_account(sentence))
            return None
        return Sender(client, self.phone_uid)

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
