# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models

from ..models.common import client_action


class WhatsappBillingCollectionAnswer(models.TransientModel):
    """Write down what a customer said: a promise, a dispute, a wish for a person."""

    _name = "whatsapp.billing.collection.answer"
    _inherit = "whatsapp.billing.links.mixin"
    _description = "Answer of a Customer"

    case_ids = fields.Many2many(
        "whatsapp.billing.collection.case",
        "whatsapp_billing_collection_answer_case_rel",
        "answer_id",
        "case_id",
        required=True,
        string="Invoices",
    )
    kind = fields.Selection(
        [
            ("pause", "Pause"),
            ("promise", "Promises to pay"),
            ("dispute", "Disputes it"),
            ("hand_over", "A person takes over"),
        ],
        required=True,
        default="promise",
    )
    promise_date = fields.Date(string="Pays On", default=fields.Date.context_today)
    reason = fields.Char(string="What Is Disputed")
    pause_until = fields.Date(
        string="Paused Until", help="Empty: until somebody resumes it."
    )
    pause_note = fields.Char(string="Because")
    user_id = fields.Many2one(
        "res.users", string="Who Takes Over", domain="[('share', '=', False)]"
    )

    # === ACTION METHODS === #

    def action_record(self):
        """Do as the buttons of the cases do, with their checks."""
        self.ensure_one()
        cases = self.case_ids
        if self.kind == "pause":
            cases.action_pause(self.pause_until, self.pause_note or "")
        elif self.kind == "promise":
            cases.action_promise(self.promise_date)
        elif self.kind == "dispute":
            cases.action_dispute(self.reason or "")
        else:
            cases.action_hand_over(self.user_id.id)
        return client_action.close()
