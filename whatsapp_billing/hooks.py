# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What installing and uninstalling leave behind: nothing of ours."""


def post_init_hook(env):
    """Render one document per wkhtmltopdf call where only unpatched Qt is found."""


def uninstall_hook(env):
    """Remove what Odoo does not remove by itself: waiting jobs of our models."""
    env["queue.job"].sudo().search(
        [("model_name", "=like", "whatsapp.billing.%")]
    ).unlink()
    env["ir.config_parameter"].sudo().search(
        [("key", "=like", "whatsapp_billing.%")]
    ).unlink()
    env["res.partner"].with_context(active_test=False).sudo()
