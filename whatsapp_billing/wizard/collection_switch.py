# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models

from ..models.collection.plan_display import CHOSEN_STAGE, PREVIEW_DAYS
from ..models.common import client_action

NEXT = {"off": "dry_run", "dry_run": "own_numbers", "own_numbers": "share"}


class WhatsappBillingCollectionSwitch(models.TransientModel):
    """Ask how far to switch a plan on, beside what it would do."""

    _name = "whatsapp.billing.collection.switch"
    _inherit = "whatsapp.billing.links.mixin"
    _description = "Switch On a Collection Plan"

    plan_id = fields.Many2one(
        "whatsapp.billing.collection.plan", required=True, ondelete="cascade"
    )
    plan_stage = fields.Selection(
        related="plan_id.stage", related_sudo=False, string="Plan Stage"
    )
    stage = fields.Selection(
        [
            ("dry_run", "Dry run"),
            ("own_numbers", "Only us"),
            ("share", "A share of the customers"),
            ("on", "Everybody"),
        ],
        string="For",
        required=True,
        compute="_compute_stage",
        compute_sudo=False,
        store=True,
        precompute=True,
        readonly=False,
    )
    share = fields.Integer(
        string="Share (%)",
        compute="_compute_stage",
        compute_sudo=False,
        store=True,
        precompute=True,
        readonly=False,
    )
    problem = fields.Char(related="plan_id.problem", related_sudo=False)
    figures = fields.Json(compute="_compute_figures", store=True)
    headline = fields.Char(compute="_compute_headline")
    left_out = fields.Char(compute="_compute_headline")

    # === COMPUTE METHODS === #

    @api.depends("plan_id")
    def _compute_stage(self):
        for wizard in self:
            wizard.stage = NEXT.get(wizard.plan_id.stage, "on")
            wizard.share = wizard.plan_id.share

    @api.depends("plan_id", "stage", "share")
    def _compute_figures(self):
        for wizard in self:
            wizard.figures = wizard._as_creator()._foresee()

    @api.depends("figures")
    def _compute_headline(self):
        for wizard in self:
            figures = wizard.figures or {}
            if figures.get("messages") == 1:
                wizard.headline = self.env._(
                    "1 message in the next 30 days, if nobody pays or answers."
                )
            elif figures.get("people") == 1:
                wizard.headline = self.env._(
                    "%(messages)s messages to 1 customer in the next 30 days, if"
                    " nobody pays or answers.",
                    messages=figures["messages"],
                )
            else:
                wizard.headline = self.env._(
                    "%(messages)s messages to %(people)s customers in the next 30 days,"
                    " if nobody pays or answers.",
                    messages=figures.get("messages", 0),
                    people=figures.get("people", 0),
                )
            activities = figures.get("activities", 0)
            if activities == 1:
                wizard.headline += " " + self.env._(
                    "Somebody of yours is asked once to turn to a customer."
                )
            elif activities:
                wizard.headline += " " + self.env._(
                    "Your people are asked %(n)s times to turn to a customer.",
                    n=activities,
                )
            credits = figures.get("cost", 0)
            if credits and self.env.user.has_group("whatsapp_billing.group_cost"):
                wallets = self.env["whatsapp.billing.credit.wallet"]
                wizard.headline += " " + self.env._(
                    "That costs about %(credits)s credits.",
                    credits=wallets._format_credits(credits),
                )
            left_out = figures.get("left_out", 0)
            wizard.left_out = bool(left_out) and self.env._(
                "%(n)s open invoices or people are left out; the preview says why.",
                n=left_out,
            )

    # === ACTION METHODS === #

    def action_switch_on(self):
        """Switch the plan on as far as chosen.

        :raise AccessError: for anybody but managers
        """
        self.ensure_one()
        values = {"stage": self.stage}
        if self.stage == "share":
            values["share"] = self.share
        self.plan_id._check_manager()
        self.plan_id.write(values)
        return client_action.close()

    def action_preview(self):
        """Look at all of it first."""
        self.ensure_one()
        return self._get_plan().action_preview()

    # === BUSINESS METHODS === #

    def _get_plan(self):
        """Return the plan as it would be after switching on."""
        return self.plan_id.with_context(**{CHOSEN_STAGE: (self.stage, self.share)})

    def _foresee(self):
        if not self.plan_id:
            return {}
        found = self._get_plan()._preview(PREVIEW_DAYS)
        going = [m for m in found["messages"] if not m["reason"]]
        return {
            "messages": len(going),
            "activities": len(found["activities"]),
            "people": len({m["debtor_id"] for m in going}),
            "cost": sum(m["cost"] or 0 for m in going),
            "left_out": len(found["messages"]) - len(going) + len(found["left_out"]),
        }
