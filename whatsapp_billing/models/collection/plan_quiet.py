# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Reminders that are still waiting when the customer's quiet hours begin."""

from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

from ...rules import dunning_time, window
from .plan_read import zone_of


class WhatsappBillingCollectionPlan(models.Model):
    _inherit = "whatsapp.billing.collection.plan"

    # === CRON METHODS === #

    @api.model
    def _cron_quiet_hours(self):
        """Hold what a run has queued and nobody could send before the quiet hours.

        The run looks at the hour when it queues; a slow night, a number without
        connection or another try may come hours later.
        """
        with self._own_transaction() as env:
            self._durably(env, env[self._name]._hold_waiting_in_quiet_hours)

    @api.model
    def _hold_waiting_in_quiet_hours(self):
        """Look at all that waits; what fails for one plan holds up no other."""
        rows = self._read_waiting()
        plans = self.browse({plan_id for _id, plan_id, _debtor_id in rows})
        plans._each_separately(
            lambda some: some._hold_in_quiet_hours(
                [row for row in rows if row[1] in some._ids]
            ),
            "quiet hours",
        )

    def _hold_in_quiet_hours(self, rows):
        """Hold those of these (message, plan, debtor) whose quiet hours have begun."""
        now = fields.Datetime.now()
        held = defaultdict(list)
        debtors = defaultdict(set)
        for _id, plan_id, debtor_id in rows:
            debtors[self.browse(plan_id).company_id].add(debtor_id)
        zones = {
            (company, partner_id): zone_of(country, number, tz, default_tz)
            for company, ids in debtors.items()
            for partner_id, _active, country, number, tz, default_tz in (
                self._read_places(list(ids), company)
            )
        }
        for message_id, plan_id, debtor_id in rows:
            plan = self.browse(plan_id)
            tz = (
                zones.get((plan.company_id, debtor_id))
                or plan.company_id._wab_time_zone()
            )
            wakes = window.next_allowed(
                now, dunning_time.zone(tz), plan.quiet_start, plan.quiet_end
            )
            if wakes > now:
                held[wakes].append(message_id)
        for wakes, ids in held.items():
            self._hold_until(ids, wakes)

    @api.model
    def _read_waiting(self):
        """Return (message, plan, debtor) of plans that have quiet hours."""
        self.env.flush_all()
        return self.env.execute_query(
            SQL(
                """
                SELECT m.id, m.collection_plan_id, d.commercial_partner_id
                  FROM whatsapp_billing_message m
                  JOIN whatsapp_billing_collection_plan p
                    ON p.id = m.collection_plan_id AND p.quiet_start != p.quiet_end
                  JOIN res_partner d ON d.id = m.partner_id
                 WHERE m.state = 'queued' AND m.direction = 'out'
              ORDER BY m.id
                """
            )
        )

    @api.model
    def _hold_until(self, message_ids, wakes):
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE whatsapp_billing_message
                   SET state = 'held', reason = 'quiet_hours', next_attempt_at = %s
                 WHERE id IN (SELECT id FROM whatsapp_billing_message
                               WHERE id = ANY(%s) AND state = 'queued'
                            ORDER BY id FOR UPDATE SKIP LOCKED)
             RETURNING id
                """,
                wakes,
                message_ids,
            )
        )
        # sudo: whatsapp.billing.message - rows are written by the system only
        messages_sudo = self.env["whatsapp.billing.message"].sudo()
        messages_sudo.browse(row[0] for row in rows)._after_state_change()
