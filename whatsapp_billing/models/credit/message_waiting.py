# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What goes again needs a reservation; loaded after everything that releases."""

from odoo import api, models
from odoo.tools import SQL

from ..message.message_drain import of_account

BATCH = 5000


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    # === BUSINESS METHODS === #

    @api.model
    def _release_held_now(self, account_id=None):
        """Override to reserve for what goes again, and to queue what fits by now."""
        ids = super()._release_held_now(account_id)
        self.browse(ids)._reserve_credits()
        queued = self.browse(ids).filtered(lambda message: message.state == "queued")
        return queued.ids + self._release_no_credit(account_id)

    @api.model
    def _release_no_credit(self, account_id=None):
        """Queue what waited for credits, oldest first, as far as they reach.

        Whether it is still true is looked at again before the call, as always.
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id FROM whatsapp_billing_message
                 WHERE state = 'held' AND reason = 'no_credit' AND direction = 'out'
                   AND phone_id IS NOT NULL AND %s
              ORDER BY priority, id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
                """,
                of_account(account_id),
                BATCH,
            )
        )
        waiting = self.browse(row[0] for row in rows)
        ids = waiting._reserve_credits()
        self.browse(ids)._after_state_change()
        return ids
