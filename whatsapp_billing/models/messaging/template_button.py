# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

from odoo import fields, models


class WhatsappBillingTemplateButton(models.Model):
    _name = "whatsapp.billing.template.button"
    _description = "WhatsApp Template Button"
    _order = "template_id, sequence, id"

    template_id = fields.Many2one(
        "whatsapp.billing.template", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer(default=10)
    kind = fields.Selection(
        [
            ("url", "Open a page"),
            ("phone", "Call a number"),
            ("quick_reply", "Quick reply"),
        ],
        required=True,
        default="url",
    )
    text = fields.Char(required=True)
    value = fields.Char(
        help="Page: an address; {base} stands for this Odoo's address and {{1}}, at"
        " the very end, for what differs per document. Call: a number."
    )
    remote_value = fields.Char(
        copy=False, readonly=True, help="The address as it was sent to WhatsApp."
    )
