# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The settings of reminders, quiet hours and receipts."""

from odoo import api, fields, models

from ..rules import time_zones
from .accounting.res_partner_collection import zones_of

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
    wab_time_zone_hint = fields.Char(compute="_compute_wab_time_zone_hint")
    wab_auto_receipt = fields.Boolean(
        related="company_id.wab_auto_receipt", readonly=False, groups=MANAGER
    )

    # === COMPUTE METHODS === #

    @api.depends("company_id")
    def _compute_wab_time_zone_hint(self):
        for settings in self:
            settings.wab_time_zone_hint = settings._get_time_zone_hint()

    # === BUSINESS METHODS === #

    def _get_time_zone_hint(self):
        """Return what to set where the company's day is not known for sure, or False."""
        company = self.company_id
        zone = company._wab_time_zone()
        if not zone:
            return self.env._(
                "Nobody can tell the time zone of %(company)s, so its days begin as in"
                " UTC. Set its country, or the time zone of its contact.",
                company=company.name,
            )
        zones = zones_of(company.country_id.code)
        number = company.partner_id.wab_recipient or ""
        if company.partner_id.tz or time_zones.is_certain(zones, number):
            return False
        return self.env._(
            "Clocks differ within %(country)s: the day begins as in %(zone)s. If yours"
            " is another, set the time zone of the company's contact.",
            country=company.country_id.name,
            zone=zone,
        )
