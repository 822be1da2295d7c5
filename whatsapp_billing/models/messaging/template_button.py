# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

from odoo import api, fields, models

BASE = "{base}"


class WhatsappBillingTemplateButton(models.Model):
    """One button; an address that starts with `{base}` follows this Odoo's own."""

    _name = "whatsapp.billing.template.button"
    _description = "WhatsApp Template Button"
    _inherit = ["whatsapp.billing.system.fields.mixin"]
    _order = "template_id, sequence, id"
    _system_fields = frozenset({"remote_value"})
    _rec_name = "text"

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
        string="Address or Number",
        help="Page: an address. {base} stands for the address of this Odoo, and {{1}},"
        " at the very end, for what differs from document to document. Call: a number"
        " with its country code.",
    )
    remote_value = fields.Char(string="As WhatsApp Has It", copy=False, readonly=True)

    @api.model_create_multi
    def create(self, vals_list):
        """Ask the template whether it may still change."""
        buttons = super().create(vals_list)
        buttons._check_editable()
        return buttons

    def write(self, vals):
        """Ask the template whether it may still change."""
        if {"kind", "text", "value", "sequence"} & vals.keys():
            self._check_editable()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_reviewed(self):
        self._check_editable()

    def _check_editable(self):
        if not self.env.su:
            self.template_id._check_editable({"button_ids"})

    def _get_value(self):
        """Return the value with this Odoo's address in it."""
        self.ensure_one()
        value = self.value or ""
        if BASE not in value:
            return value
        base = self.env["whatsapp.billing.account"]._get_base_address()
        return value.replace(BASE, base)
