# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.common import client_action


class WhatsappBillingCreditAdjust(models.TransientModel):
    """Adjust the balance by hand: a new line in the journal, with its reason."""

    _name = "whatsapp.billing.credit.adjust"
    _inherit = "whatsapp.billing.links.mixin"
    _description = "Adjust WhatsApp Credits"

    wallet_id = fields.Many2one(
        "whatsapp.billing.credit.wallet", required=True, readonly=True
    )
    available = fields.Float(compute="_compute_available")
    amount = fields.Float(
        string="Credits",
        digits=(16, 6),
        required=True,
        help="Negative takes away, as far as credits are available.",
    )
    available_after = fields.Float(
        string="Available Then", digits=(16, 6), compute="_compute_available_after"
    )
    note = fields.Char(string="Reason", required=True)

    # === COMPUTE METHODS === #

    @api.depends("wallet_id.available")
    def _compute_available(self):
        for wizard in self:
            # An unsaved form may name any wallet: its figures need the right to read
            # it.
            wizard.wallet_id.check_access("read")
            wizard.available = wizard.wallet_id.available

    @api.depends("available", "amount", "wallet_id.is_limited")
    def _compute_available_after(self):
        for wizard in self:
            wizard.available_after = max(0.0, wizard.available + wizard.amount)

    # === ACTION METHODS === #

    def action_apply(self):
        """Write the adjustment."""
        self.ensure_one()
        if not self.amount:
            raise UserError(self.env._("Enter how many credits to add or take away."))
        self.wallet_id.check_access("write")
        # sudo: whatsapp.billing.credit.entry - the journal is the system's to write
        self.wallet_id.sudo()._adjust(self.amount, self.note)
        return client_action.soft_reload()
