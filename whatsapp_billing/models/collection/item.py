# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...rules import traces


class WhatsappBillingCollectionItem(models.Model):
    """One receivable line in one message, as it was said; never changed."""

    _name = "whatsapp.billing.collection.item"
    _inherit = ["whatsapp.billing.rights.mixin", "whatsapp.billing.system.rows.mixin"]
    _description = "Invoice in a Reminder"
    _order = "message_id desc, due_date, id"
    _rec_name = "move_line_id"

    message_id = fields.Many2one(
        "whatsapp.billing.message", required=True, index=True, ondelete="cascade"
    )
    # Empty once the instalment was deleted, with its invoice or by a correction: what
    # was said of it stays, so that a reminder that waits is known to name it.
    move_line_id = fields.Many2one("account.move.line", index=True, ondelete="set null")
    case_id = fields.Many2one(
        "whatsapp.billing.collection.case",
        compute="_compute_case_id",
        compute_sudo=True,
    )
    role = fields.Selection(
        [("due", "Step due"), ("also", "Also open"), ("credit", "Deducted")],
        required=True,
        default="due",
    )
    amount = fields.Monetary()
    currency_id = fields.Many2one(related="move_line_id.currency_id")
    due_date = fields.Date()
    days = fields.Integer(help="Days of the step that was done for it.")
    step_id = fields.Many2one(
        "whatsapp.billing.collection.step",
        compute="_compute_step_id",
        compute_sudo=True,
    )
    previous_days = fields.Integer(help="What was done before, to take the step back.")
    previous_date = fields.Date()
    trace = fields.Json(
        compute="_compute_trace",
        help="Each rule with its value when the message was decided on.",
    )
    # Trace of this line, where it differs from the message's (`rules.traces`).
    trace_data = fields.Json(readonly=True)

    @api.depends("trace_data", "message_id.trace")
    def _compute_trace(self):
        for item in self:
            item.trace = traces.unpack_beside(
                item.message_id.trace or [], item.trace_data
            )

    @api.depends("role", "move_line_id.wab_case_ids")
    def _compute_case_id(self):
        for item in self:
            cases = item.move_line_id.wab_case_ids.filtered(
                lambda case, i=item: i._is_to(case.debtor_id)
            )
            item.case_id = item.role != "credit" and cases.sorted("id")[-1:]

    @api.depends("role", "days", "move_line_id.wab_case_ids.plan_id.step_ids.days")
    def _compute_step_id(self):
        for item in self:
            steps = item.case_id.plan_id.step_ids
            by_plan = bool(item.message_id.collection_plan_id)
            item.step_id = (by_plan and item.role == "due") and steps.filtered(
                lambda step, days=item.days: step.days == days
            )

    def _is_to(self, debtor):
        """Tell whether it was this debtor who owed it when it was said."""
        customer = self.message_id.document_partner_id
        return not customer or bool(
            debtor.commercial_partner_id & (customer | customer.commercial_partner_id)
        )

    @api.model
    def _get_reading_sql(self, alias, query):
        """A line of a message is as readable as the message and as its invoice."""
        message = self._field_to_sql(alias, "message_id", query)
        line = self._field_to_sql(alias, "move_line_id", query)
        return SQL(
            "%s AND %s",
            self._readable_sql("whatsapp.billing.message", message),
            self._readable_sql("account.move.line", line),
        )

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("What a message was about never changes."))


class WhatsappBillingCollectionHoliday(models.Model):
    """A day on which a country does not work."""

    _name = "whatsapp.billing.collection.holiday"
    _inherit = ["whatsapp.billing.rights.mixin"]
    _description = "Public Holiday"
    _order = "date, id"

    name = fields.Char(required=True)
    date = fields.Date(required=True, index=True)
    country_id = fields.Many2one(
        "res.country", index="btree_not_null", help="Empty: everywhere."
    )
    company_id = fields.Many2one(
        "res.company",
        index="btree_not_null",
        help="Empty: for all companies.",
        default=lambda self: self.env.company,
    )
