# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.tools.misc import format_amount

from .phone_preview import render_phone


class WhatsappBillingCollectionForecast(models.TransientModel):
    """What a plan would send or ask a person, or an invoice that it would leave out."""

    _name = "whatsapp.billing.collection.forecast"
    _inherit = "whatsapp.billing.links.mixin"
    _description = "What a Collection Plan Would Do"
    _order = "date, id"
    _rec_name = "debtor_id"

    plan_id = fields.Many2one("whatsapp.billing.collection.plan", ondelete="cascade")
    result = fields.Selection(
        [("goes", "Would go"), ("left_out", "Left out")], required=True
    )
    date = fields.Date()
    channel = fields.Selection(related="step_id.channel", related_sudo=False)
    debtor_id = fields.Many2one("res.partner", string="Customer", ondelete="cascade")
    user_id = fields.Many2one("res.users", string="Person", ondelete="cascade")
    partner_id = fields.Many2one("res.partner", string="To", ondelete="cascade")
    recipient = fields.Char(string="Number")
    step_id = fields.Many2one("whatsapp.billing.collection.step", ondelete="cascade")
    template_id = fields.Many2one("whatsapp.billing.template", ondelete="cascade")
    move_ids = fields.Json()
    move_names = fields.Char(string="Invoices")
    amount_text = fields.Char(string="Amount")
    body = fields.Text(string="Text")
    detail = fields.Char(string="Why Left Out")
    cost = fields.Float(string="Credits")
    preview_html = fields.Html(compute="_compute_preview_html", sanitize=False)
    # Odoo's calendar strikes through records with a field of this name.
    is_striked = fields.Boolean(string="Left Out", compute="_compute_is_striked")

    # === COMPUTE METHODS === #

    @api.depends("body", "channel")
    def _compute_preview_html(self):
        for row in self:
            is_message = row.body and row.channel != "activity"
            row.preview_html = is_message and render_phone(
                self.env,
                {
                    "body": row.body,
                    "template_id": row.template_id.id,
                    "content": {
                        "header": False,
                        "footer": row.template_id.footer or "",
                        "button_labels": row.template_id.button_ids.mapped("text"),
                    },
                    "filename": False,
                },
            )

    @api.depends("result")
    def _compute_is_striked(self):
        for row in self:
            row.is_striked = row.result == "left_out"

    # === ACTION METHODS === #

    def action_open_invoices(self):
        """Open the invoices that this is about."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Invoices"),
            "res_model": "account.move",
            "views": [(False, "list"), (False, "form")],
            "domain": [("id", "in", self.move_ids or [])],
        }

    # === BUSINESS METHODS === #

    @api.model
    def _make(self, plan, days):
        """Write down what a plan would do in the next days; returns the rows."""
        found = plan._preview(days)
        currencies = {
            currency.name: currency
            for currency in self.env["res.currency"]
            .with_context(active_test=False)
            .search([])
        }
        rows = [self._message_values(plan, m, currencies) for m in found["messages"]]
        rows += [
            self._activity_values(plan, a, currencies) for a in found["activities"]
        ]
        rows += [self._left_out_values(plan, line) for line in found["left_out"]]
        return self.create(rows)

    def _describe_totals(self):
        """Return in words how many messages, customers, credits, and who is left out."""
        going = self.filtered(lambda row: row.result == "goes")
        activities = going.filtered(lambda row: row.channel == "activity")
        parts = [self.env._("messages: %(n)s", n=len(going) - len(activities))]
        if activities:
            parts.append(self.env._("activities: %(n)s", n=len(activities)))
        parts.append(self.env._("customers: %(n)s", n=len(going.debtor_id)))
        credits = sum(going.mapped("cost"))
        if credits and self.env.user.has_group("whatsapp_billing.group_cost"):
            wallets = self.env["whatsapp.billing.credit.wallet"]
            parts.append(
                self.env._("credits: %(n)s", n=wallets._format_credits(credits))
            )
        left_out = len(self) - len(going)
        if left_out:
            parts.append(self.env._("left out: %(n)s", n=left_out))
        return ", ".join(parts)

    @api.model
    def _message_values(self, plan, message, currencies):
        return self._common_values(plan, message, currencies) | {
            "partner_id": message["partner_id"],
            "recipient": message["recipient"],
            "template_id": message["template_id"],
            "body": message["body"],
        }

    @api.model
    def _activity_values(self, plan, activity, currencies):
        return self._common_values(plan, activity, currencies) | {
            "user_id": activity["user_id"],
            "body": activity["summary"],
        }

    @api.model
    def _common_values(self, plan, found, currencies):
        return {
            "plan_id": plan.id,
            "result": "left_out" if found["reason"] else "goes",
            "date": found["date"],
            "debtor_id": found["debtor_id"],
            "step_id": found["step_id"],
            "move_ids": found["move_ids"],
            "move_names": ", ".join(found["move_names"]),
            "amount_text": " + ".join(
                format_amount(self.env, total["amount"], currencies[total["currency"]])
                for total in found["totals"]
            ),
            "detail": found["detail"],
            "cost": found["cost"],
        }

    @api.model
    def _left_out_values(self, plan, line):
        return {
            "plan_id": plan.id,
            "result": "left_out",
            "debtor_id": line["debtor_id"],
            "move_ids": [line["move_id"]],
            "move_names": line["move_name"],
            "detail": line["detail"],
        }
