# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models

from ..models.common import client_action


class WhatsappBillingPersonErase(models.TransientModel):
    """Ask before a person's texts and numbers are erased for good."""

    _name = "whatsapp.billing.person.erase"
    _inherit = "whatsapp.billing.links.mixin"
    _description = "Erase WhatsApp Data"

    partner_ids = fields.Many2many("res.partner", string="Contacts", required=True)
    message_count = fields.Integer(compute="_compute_message_count")
    company_names = fields.Char(compute="_compute_message_count", string="Companies")

    # === COMPUTE METHODS === #

    @api.depends("partner_ids")
    def _compute_message_count(self):
        messages = self.env["whatsapp.billing.message"]
        messages._check_data_protection()
        companies = self.env.companies
        for wizard in self:
            # Only contacts that the user may read are counted.
            partners = wizard.partner_ids._filtered_access("read")
            keys = messages._find_person_keys(partners, companies)
            wizard.message_count = len(
                messages._find_person_messages(partners, companies, keys)
            )
            wizard.company_names = ", ".join(companies.mapped("name"))

    # === ACTION METHODS === #

    def action_erase(self):
        """Erase, and say so."""
        self.ensure_one()
        messages = self.env["whatsapp.billing.message"]
        messages._check_data_protection()
        self.partner_ids.check_access("read")
        # sudo: whatsapp.billing.message - rows are written by the system only; the
        # person asked for all of it
        companies = self.env.companies
        messages.sudo()._erase_person(self.partner_ids, companies)
        text = self.env._("The texts and numbers were erased.")
        return client_action.notification("success", text, client_action.close())
