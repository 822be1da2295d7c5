# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The action of an invoice list that opens the composer for reminders."""

from odoo import models


class AccountMove(models.Model):
    _inherit = "account.move"

    # === ACTION METHODS === #

    def action_wab_remind(self):
        """Open our composer to remind of the selected invoices."""
        return self.env["whatsapp.billing.compose"]._open_reminder(self)
