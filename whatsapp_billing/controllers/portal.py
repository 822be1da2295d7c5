# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The customer's own pages: how they want to get their invoices."""

from odoo.http import request

from odoo.addons.account.controllers.portal import PortalAccount


class WhatsappBillingPortal(PortalAccount):
    def _prepare_my_account_rendering_values(self, *args, **kwargs):
        """Override of `account` to offer WhatsApp where an account is connected."""
        values = super()._prepare_my_account_rendering_values(*args, **kwargs)
        # sudo: res.company - whether WhatsApp is connected, nothing more
        if request.env.company.sudo().wab_account_id:
            values["invoice_sending_methods"]["whatsapp_billing"] = request.env._(
                "by WhatsApp"
            )
        return values
