# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from dataclasses import replace

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..const import REMINDABLE_MOVES


class WhatsappBillingCompose(models.TransientModel):
    """Remind of invoices by hand, as `account.move.wab_remind` does."""

    _inherit = "whatsapp.billing.compose"

    is_reminder = fields.Boolean(readonly=True)

    # === COMPUTE METHODS === #

    @api.depends("is_reminder")
    def _compute_allowed_template_ids(self):
        """Override of `whatsapp_billing` to offer reminders for reminders."""
        reminders = self.filtered("is_reminder")
        super(WhatsappBillingCompose, self - reminders)._compute_allowed_template_ids()
        for wizard in reminders:
            templates = self.env["whatsapp.billing.template"]
            wizard.allowed_template_ids = templates.search(
                [
                    ("status", "=", "approved"),
                    ("document_type", "=", "payment_reminder"),
                    *templates._get_company_domain(wizard._records().company_id),
                ]
            )

    # === BUSINESS METHODS === #

    @api.model
    def _open_reminder(self, moves):
        """Return the action that opens the composer to remind of these invoices.

        :raise UserError: when there are none of customers
        """
        sales = moves.filtered(lambda move: move.move_type in REMINDABLE_MOVES)
        if not sales:
            raise UserError(
                self.env._("Only invoices to customers are reminded of; select some.")
            )
        action = self._open(sales)
        self.browse(action["res_id"]).is_reminder = True
        return action | {"name": self.env._("Send Reminder by WhatsApp")}

    def _get_order(self):
        """Override of `whatsapp_billing` to ask the rules of reminders."""
        send_request = super()._get_order()
        if not self.is_reminder:
            return send_request
        return replace(
            send_request, method="wab_remind", purpose="collections", is_reminder=True
        )

    @api.depends("is_reminder")
    def _compute_summary(self):
        return super()._compute_summary()

    def _enqueue(self, records):
        """Override of `whatsapp_billing` to keep what the reminders were about."""
        results = super()._enqueue(records)
        if self.is_reminder:
            records._wab_note_reminders(results)
        return results

    def _get_example_records(self, record):
        """Override of `whatsapp_billing`: one message speaks of all of a customer."""
        if not self.is_reminder:
            return super()._get_example_records(record)
        partner = self.env["res.partner"].browse(self._get_example()["partner_id"])
        records = self._records()
        recipients = self._get_recipients(records)
        return records.filtered(
            lambda move: (
                move.commercial_partner_id == record.commercial_partner_id
                and move.company_id == record.company_id
                and partner in (recipients.get(move.id) or partner.browse())
            )
        )
