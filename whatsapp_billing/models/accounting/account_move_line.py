# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Journal items: what paying, undoing it and a new due date do to collection cases."""

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
        self.move_id._wab_sync_cases()
        return result

    def write(self, vals):
        """Look again at what is due on another day, or to be followed up or not."""
        if "no_followup" in vals:
            result = super().write(vals)
            self.move_id._wab_in_savepoint_or_note(self._wab_sync_cases_flag)
            return result
        if "date_maturity" not in vals:
            return super().write(vals)
        before = {line: line.date_maturity for line in self}
        result = super().write(vals)
        moved = self.filtered(lambda line: line.date_maturity != before[line])
        if moved:
            moved.move_id._wab_in_savepoint_or_note(moved._wab_look_again)
        return result

    def _wab_sync_cases_flag(self):
        """Withdraw what waits of lines not to be followed up; look again at others."""
        # sudo: whatsapp.billing.collection.case - kept by the system
        cases_sudo = self.env["whatsapp.billing.collection.case"].sudo()
        cases = cases_sudo.search(
            [("move_line_id", "in", self.ids), ("state", "!=", "done")]
        )
        cases.next_check_date = fields.Date.to_date("1970-01-01")
        flagged = cases.filtered("move_line_id.no_followup")
        flagged._withdraw_waiting("no_followup")

    def _wab_look_again(self):
        """Begin the steps again that are still to come by the new due date."""
        # sudo: whatsapp.billing.collection.case - kept by the system
        cases_sudo = self.env["whatsapp.billing.collection.case"].sudo()
        cases_sudo.search(
            [("move_line_id", "in", self.ids), ("state", "!=", "done")]
        )._follow_due_date()


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    def unlink(self):
        """Override of `account` to go on reminding of what is open again."""
        moves = (self.debit_move_id | self.credit_move_id).move_id
        result = super().unlink()
        moves.exists()._wab_sync_cases()
        return result
