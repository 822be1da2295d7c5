# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

from odoo import api, fields, models


class MailActivity(models.Model):
    """A request of ours ends by itself when its reason does."""

    _inherit = "mail.activity"

    wab_reason = fields.Char(
        string="WhatsApp Reason",
        index="btree_not_null",
        help="What made WhatsApp Billing ask, so that it is asked once and ends with"
        " its reason.",
    )

    @api.model
    def _wab_end(self, records, reason):
        """Delete what was asked about these records for this reason."""
        # sudo: mail.activity - whoever was asked, it no longer is so
        self.sudo().search(
            [
                ("wab_reason", "=", reason),
                ("res_model", "=", records._name),
                ("res_id", "in", records.ids),
            ]
        ).unlink()
