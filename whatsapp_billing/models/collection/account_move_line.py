# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    wab_case_ids = fields.One2many(
        "whatsapp.billing.collection.case",
        "move_line_id",
        string="Collection Cases",
        groups="whatsapp_billing.group_user",
        copy=False,
    )
    wab_item_ids = fields.One2many(
        "whatsapp.billing.collection.item",
        "move_line_id",
        string="Reminders",
        groups="whatsapp_billing.group_user",
        copy=False,
    )

    def _reconcile_post_hook(self, data):
        """Override of `account` to close the cases of what is now paid or credited."""
        result = super()._reconcile_post_hook(data)
        self.move_id._wab_follow()
        return result

    def write(self, vals):
        """Look again at what is due on another day."""
        result = super().write(vals)
        if "date_maturity" in vals:
            self.move_id._wab_safely(self._wab_look_again)
        return result

    def _wab_look_again(self):
        # sudo: whatsapp.billing.collection.case - kept by the system
        cases_sudo = self.env["whatsapp.billing.collection.case"].sudo()
        cases_sudo.search(
            [("move_line_id", "in", self.ids), ("state", "in", ("active", "promised"))]
        ).write({"look_on": "1970-01-01"})


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    def unlink(self):
        """Override of `account` to go on reminding of what is open again."""
        moves = (self.debit_move_id | self.credit_move_id).move_id
        result = super().unlink()
        moves.exists()._wab_follow()
        return result
