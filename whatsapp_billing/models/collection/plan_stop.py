# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Reminders that wait when their plan is switched off."""

from functools import partial

from odoo import api, models
from odoo.tools import SQL

from ..worker.budget import Budget
from .plan import SENDING_STAGES

# Messages withdrawn in one transaction; a drain that claims the same rows waits.
BATCH = 500


class WhatsappBillingCollectionPlan(models.Model):
    _inherit = "whatsapp.billing.collection.plan"

    def _withdraw_after_commit(self):
        """Cancel what these plans have queued once their new stage is committed.

        Not in the user's own transaction: a drain changes the same messages many times
        a second, and PostgreSQL would refuse each attempt at Odoo's isolation. What the
        drain meets before, it asks about and cancels (`case_recheck.py`).
        """
        self.env.cr.postcommit.add(
            partial(self._skip_faults, self._withdraw_stopped, "plans switched off")
        )

    @api.model
    def _withdraw_stopped(self, budget=None):
        """Cancel what waits of plans that do not send; nobody has seen it.

        :return: whether some is left
        """
        budget = budget or Budget.of_run()
        while not budget.is_over():
            with self._own_transaction() as env:
                plans = env[self._name]
                if not self._durably(env, plans._withdraw_stopped_now):
                    return False
        return True

    @api.model
    def _withdraw_stopped_now(self):
        """Cancel some of it in this transaction; return how many."""
        stopped = self.with_context(active_test=False).search(
            ["|", ("active", "=", False), ("stage", "not in", SENDING_STAGES)]
        )
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE whatsapp_billing_message
                   SET state = 'canceled', reason = 'paused'
                 WHERE id IN (
                       SELECT id FROM whatsapp_billing_message
                        WHERE collection_plan_id = ANY(%s) AND direction = 'out'
                          AND state IN ('queued', 'held') AND attempts = 0
                     ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
             RETURNING id
                """,
                stopped.ids,
                BATCH,
            )
        )
        messages = self.env["whatsapp.billing.message"].browse(row[0] for row in rows)
        messages._after_state_change()
        return len(messages)
