# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, models


class WhatsappBillingTemplate(models.Model):
    """Reminders go as what they are: WhatsApp may move a template to offers."""

    _inherit = "whatsapp.billing.template"

    @api.model
    def _find_reminder(self, step, account, langs, many):
        """Override to leave what costs more and needs a consent to offers.

        A step's own template is looked at when the plan is; this is for its namesakes
        in other languages and for the defaults.
        """
        found = super()._find_reminder(step, account, langs, many)
        return found.filtered(lambda template: template.category == "utility")
