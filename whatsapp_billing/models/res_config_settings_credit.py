# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The settings of credits."""

from odoo import api, fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    wab_credit_wallet_id = fields.Many2one(
        "whatsapp.billing.credit.wallet",
        compute="_compute_wab_credit",
        groups="whatsapp_billing.group_cost",
    )
    wab_credit_text = fields.Char(
        string="WhatsApp Credits",
        compute="_compute_wab_credit",
        groups="whatsapp_billing.group_cost",
    )

    # === COMPUTE METHODS === #

    @api.depends("company_id")
    def _compute_wab_credit(self):
        wallets = self.env["whatsapp.billing.credit.wallet"]
        for settings in self:
            wallet = wallets.search(
                [("company_id", "=", settings.company_id.id)], limit=1
            )
            settings.wab_credit_wallet_id = wallet
            settings.wab_credit_text = wallet and self.env._(
                "%(available)s available, %(reserved)s reserved",
                available=wallet._format_credits(wallet.available),
                reserved=wallet._format_credits(wallet.reserved),
            )
