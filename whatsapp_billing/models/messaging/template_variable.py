# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

from odoo import fields, models


class WhatsappBillingTemplateVariable(models.Model):
    _name = "whatsapp.billing.template.variable"
    _description = "WhatsApp Template Variable"
    _order = "template_id, component, position"

    template_id = fields.Many2one(
        "whatsapp.billing.template", required=True, index=True, ondelete="cascade"
    )
    component = fields.Selection(
        [("header", "Header"), ("body", "Body"), ("button", "Button")],
        required=True,
        default="body",
    )
    position = fields.Integer(required=True, default=1)
    name = fields.Char(required=True)
    field_path = fields.Char(string="Field")
    format = fields.Selection(
        [
            ("text", "Text"),
            ("money", "Amount of money"),
            ("date", "Date"),
            ("number", "Number"),
        ],
        required=True,
        default="text",
    )
    sample = fields.Char()

    _position_unique = models.UniqueIndex(
        "(template_id, component, position)",
        "Two variables have the same place in the same part of the template.",
    )
