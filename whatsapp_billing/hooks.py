# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What uninstalling leaves behind: nothing of ours."""

from .models.credit.entry import drop_functions


def uninstall_hook(env):
    """Remove what Odoo does not remove by itself.

    Waiting jobs of models that are about to go, our parameters, and our value of
    the partners' sending method (a company-dependent field keeps it as JSON).
    """
    env["queue.job"].search([("model_name", "=like", "whatsapp.billing.%")]).unlink()
    env["ir.config_parameter"].search([("key", "=like", "whatsapp\\_billing.%")]).unlink()
    env.cr.execute(
        """
        UPDATE res_partner p
           SET invoice_sending_method = (
               SELECT jsonb_object_agg(key, value)
                 FROM jsonb_each(p.invoice_sending_method)
                WHERE value <> '"whatsapp_billing"'::jsonb)
         WHERE invoice_sending_method::text LIKE '%whatsapp_billing%'
        """
    )
    drop_functions(env.cr)
    env.invalidate_all()
