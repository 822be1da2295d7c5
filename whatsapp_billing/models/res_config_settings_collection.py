# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models

MANAGER = "whatsapp_billing.group_manager"


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    wab_plan_id = fields.Many2one(
        related="company_id.wab_plan_id", readonly=False, groups=MANAGER
    )
    wab_quiet_start = fields.Float(
        related="company_id.wab_plan_id.quiet_start", readonly=False, groups=MANAGER
    )
    wab_quiet_end = fields.Float(
        related="company_id.wab_plan_id.quiet_end", readonly=False, groups=MANAGER
    )
    wab_auto_receipt = fields.Boolean(
        related="company_id.wab_auto_receipt", readonly=False, groups=MANAGER
    )
