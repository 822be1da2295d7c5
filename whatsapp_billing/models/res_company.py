# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    wab_account_id = fields.Many2one(
        "whatsapp.billing.account",
        string="WhatsApp Account",
        domain="[('company_id', '=', id)]",
    )
