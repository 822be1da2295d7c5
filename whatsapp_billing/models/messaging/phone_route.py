# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

from odoo import fields, models

from ... import const


class WhatsappBillingPhoneRoute(models.Model):
    _name = "whatsapp.billing.phone.route"
    _description = "WhatsApp Number to Write From"
    _order = "company_id, audience, category"

    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
        ondelete="cascade",
    )
    audience = fields.Selection(const.AUDIENCES, required=True, default="customer")
    category = fields.Selection(
        [value for value in const.CATEGORIES if value[0] != "authentication"],
        required=True,
        default="utility",
    )
    phone_id = fields.Many2one(
        "whatsapp.billing.phone",
        required=True,
        index=True,
        ondelete="cascade",
        domain="[('is_verified', '=', True), ('company_id', '=', company_id)]",
    )

    _route_unique = models.UniqueIndex(
        "(company_id, audience, category)",
        "There is already a number for this audience and category.",
    )
