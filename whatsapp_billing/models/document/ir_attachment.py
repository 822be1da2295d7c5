# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Whether the bytes of an attachment are still where Odoo keeps them."""

from odoo import models


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    def _wab_is_there(self):
        """Tell whether the file can be read where it is kept; Odoo reads nothing else."""
        self.ensure_one()
        self.invalidate_recordset(["raw"])
        return bool(self.raw)
