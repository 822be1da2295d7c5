# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models


class WhatsappBillingPersonErase(models.TransientModel):
    """Ask before a person's texts and numbers are erased for good."""

    _name = "whatsapp.billing.person.erase"
    _description = "Erase WhatsApp Data"

    partner_ids = fields.Many2many("res.partner", string="Contacts", required=True)
    message_count = fields.Integer(compute="_compute_message_count")

    # === COMPUTE METHODS === #

    @api.depends("partner_ids")
    def _compute_message_count(self):
        messages = self.env["whatsapp.billing.message"]
        for wizard in self:
            wizard.message_count = messages.search_count(
                [("partner_id", "in", wizard.partner_ids.ids)]
            )

    # === ACTION METHODS === #

    def action_erase(self):
        """Erase, and say so."""
        self.ensure_one()
        messages = self.env["whatsapp.billing.message"]
        messages._check_data_protection()
        self.partner_ids.check_access("read")
        # sudo: whatsapp.billing.message - rows are written by the system only; the
        # person asked for all of it
        messages.sudo()._erase_person(self.partner_ids)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("The texts and numbers were erased."),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
