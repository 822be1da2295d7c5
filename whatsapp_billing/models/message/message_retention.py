# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.tools import SQL

from ..worker.budget import Budget

BATCH = 5000
# A message that still waits for something is never erased.
FINAL_STATES = ("sent", "delivered", "read", "failed", "canceled", "received")


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    # === CRON METHODS === #

    @api.model
    def _cron_retention(self):
        """Erase texts and numbers older than each company keeps; figures stay."""
        now = fields.Datetime.now()
        budget = Budget.of_run()
        for company in self.env["res.company"].search([]):
            if company.wab_retention_days:
                limit = now - timedelta(days=company.wab_retention_days)
                self._skip_faults(
                    lambda c=company, day=limit: self._erase_older(c, day, budget),
                    f"retention of company {company.id}",
                )
        if budget.is_over():
            # What was erased is not found again, so the next run begins where this ends.
            # sudo: ir.cron - the worker asks for its next run
            self.env.ref("whatsapp_billing.ir_cron_retention").sudo()._trigger()

    @api.model
    def _erase_older(self, company, limit, budget):
        with self._own_transaction() as env:
            messages = env[self._name]
            events = env["whatsapp.billing.webhook.event"]
            erase = partial(messages._erase_batch, company.id, limit)
            while not budget.is_over() and self._durably(env, erase):
                continue
            if not budget.is_over():
                self._durably(env, partial(events._erase_older, company.id, limit))

    @api.model
    def _erase_batch(self, company_id, limit):
        rows = self.env.execute_query(
            SQL(
                """
                WITH old AS (
                    SELECT id FROM whatsapp_billing_message
                     WHERE company_id = %s AND create_date < %s AND state IN %s
                       AND (recipient IS NOT NULL OR body IS NOT NULL)
                     LIMIT %s FOR UPDATE SKIP LOCKED)
                UPDATE whatsapp_billing_message m
                   SET recipient = NULL, recipient_uid = NULL, person_key = NULL,
                       body = NULL, edited_body = NULL, profile_name = NULL,
                       content = NULL, payload = NULL, error_detail = NULL,
                       filename = NULL, trace_data = NULL
                  FROM old WHERE m.id = old.id
             RETURNING m.id, m.mail_message_id
                """,
                company_id,
                limit,
                FINAL_STATES,
                BATCH,
            )
        )
        ids = [row[0] for row in rows]
        if ids:
            self._erase_chatter([row[1] for row in rows if row[1]])
            self.browse(ids)._erase_files()
            self.browse(ids)._erase_details()
        return len(ids)

    def _erase_details(self):
        """Empty the sentences kept beside these messages: they name people and numbers.

        Those of attempts, of the answer kept for a key, which else stays, and the name
        of a contact that a message was about.
        """
        contacts = [
            name
            for name in self.env["whatsapp.billing.document.mixin"]._wab_model_names()
            if self.env[name]._wab_is_contact()
        ]
        self.env.cr.execute(
            "UPDATE whatsapp_billing_message SET document_name = NULL "
            "WHERE id = ANY(%s) AND res_model = ANY(%s)",
            [list(self.ids), contacts],
        )
        self.env.cr.execute(
            "UPDATE whatsapp_billing_message_attempt SET error_detail = NULL, "
            "raw = NULL WHERE message_id = ANY(%s)",
            [list(self.ids)],
        )
        self.env.cr.execute(
            "UPDATE whatsapp_billing_message SET result = "
            "jsonb_set(result, '{detail}', 'false') "
            "WHERE id = ANY(%s) AND jsonb_typeof(result) = 'object'",
            [list(self.ids)],
        )

    @api.model
    def _erase_chatter(self, line_ids):
        """Empty the chatter lines that quote erased messages, in one statement."""
        self.env.cr.execute(
            """
            UPDATE mail_message
               SET body = %s,
                   email_from = CASE WHEN email_from ~ '[0-9]{7}' AND
                                          position('@' IN email_from) = 0
                                     THEN NULL ELSE email_from END
             WHERE id = ANY(%s)
            """,
            [self.env._("WhatsApp message (erased)"), line_ids],
        )
        self.env["mail.message"].invalidate_model(["body", "email_from"])
