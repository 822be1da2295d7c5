# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What people see of a plan: its time line, what is missing, what it would do."""

from collections import defaultdict
from dataclasses import replace

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ...rules import languages, markup, parameters
from ..common import client_action
from .plan_write import CUSTOMERS, LEFT_OUT

PREVIEW_DAYS = 30
OPEN_INVOICES = Domain("state", "=", "posted") & Domain(
    "payment_state", "in", ("not_paid", "partial")
)
# In the context: the (stage, percent) to preview.
CHOSEN_STAGE = "wab_chosen_stage"


class WhatsappBillingCollectionPlan(models.Model):
    _inherit = "whatsapp.billing.collection.plan"

    problem = fields.Char(
        compute="_compute_problem", help="What keeps the plan from saying anything."
    )
    lacks_account = fields.Boolean(compute="_compute_problem")
    last_run_text = fields.Char(string="Result", compute="_compute_last_run_text")
    fitting_text = fields.Char(compute="_compute_fitting_text")
    # Computed on demand, as it takes as long as a run; shown on the same day only.
    reach_counts = fields.Json(
        readonly=True,
        copy=False,
        groups=fields.NO_ACCESS,
        help="Day of the count, and by step people and credits.",
    )

    # === COMPUTE METHODS === #

    @api.depends("step_ids.template_id", "step_ids.channel", "company_id")
    @api.depends_context("lang")
    def _compute_problem(self):
        for plan in self:
            plan.problem = next(plan._get_problems(), False)
            plan.lacks_account = plan.problem == plan._get_account_problem()

    @api.depends("domain", "company_id")
    @api.depends_context("lang")
    def _compute_fitting_text(self):
        """Count what the condition is about: open invoices to customers, no others."""
        for plan in self:
            plan.fitting_text = False
            try:
                domain = plan._get_domain() & plan._get_scope()
                count = self.env["account.move"].search_count(domain & OPEN_INVOICES)
            except (AccessError, ValueError, SyntaxError, TypeError):
                # The condition is not valid yet, or the reader may not ask it: no
                # count.
                continue
            if count == 1:
                plan.fitting_text = self.env._("Fits 1 open invoice to a customer.")
            else:
                plan.fitting_text = self.env._(
                    "Fits %(n)s open invoices to customers.", n=count
                )

    @api.depends("last_run", "last_run_at", "stage")
    @api.depends_context("lang")
    def _compute_last_run_text(self):
        for plan in self:
            plan.last_run_text = plan.last_run_at and plan._describe_run(
                plan.last_run or {}, plan.stage == "dry_run"
            )

    # === ACTION METHODS === #

    def action_preview(self):
        """Open what would go out in the next 30 days, and who is left out."""
        self.ensure_one()
        self._check_reads_ledger()
        forecasts = self.env["whatsapp.billing.collection.forecast"]._make(
            self, PREVIEW_DAYS
        )
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "whatsapp_billing.collection_forecast_action"
        )
        # The list first: the calendar opens on this month, of which little may be left.
        action["views"] = sorted(action["views"], key=lambda v: v[1] != "list")
        title = self.env._("Next 30 Days: %(plan)s", plan=self.name)
        if forecasts:
            # From a plan the breadcrumb names it already.
            title = self.env._("Next 30 Days")
            title = f"{title} ({forecasts._describe_totals()})"
        return action | {
            "name": title,
            "display_name": title,
            "domain": [("id", "in", forecasts.ids)],
        }

    def action_count_reached(self):
        """Count whom each step would write to if the plan ran now, for its card."""
        self._check_reads_ledger()
        self.check_access("read")
        for plan in self:
            # sudo: whatsapp.billing.collection.plan - a note on it, for who reads it
            plan.sudo().reach_counts = {
                "day": fields.Date.to_string(fields.Date.context_today(plan)),
                "steps": plan._count_reached(),
            }
        return True

    def action_switch(self):
        """Open the dialog that asks how far to switch the plan on."""
        self.ensure_one()
        self.check_access("write")
        wizard = self.env["whatsapp.billing.collection.switch"].create(
            {"plan_id": self.id}
        )
        is_off = self.stage == "off"
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Switch On") if is_off else self.env._("Change Stage"),
            "res_model": wizard._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "medium"},
        }

    def action_switch_off(self):
        """Say nothing more, from now on."""
        self.write({"stage": "off"})
        return True

    def action_run_now(self):
        """Run these plans for today and tell what came of it."""
        figures = self.action_run()
        channels = self.env["whatsapp.billing.collection.channel"]._get_all()
        is_done = any(figures.get(channel._figure) for channel in channels)
        is_dry = all(plan.stage == "dry_run" for plan in self)
        text = self._describe_run(figures, is_dry)
        return client_action.notification(
            "success" if is_done else "info",
            text,
            client_action.soft_reload(),
            title=self.env._("Plan run"),
        )

    # === BUSINESS METHODS === #

    @api.model
    def _describe_run(self, figures, is_dry):
        """Return in words what a run did, or would have done, and who is left out."""
        text = self._describe_done(figures, is_dry)
        left = [
            (name.removeprefix(LEFT_OUT), count)
            for name, count in sorted(figures.items())
            if name.startswith(LEFT_OUT)
        ]
        if not left:
            return text
        return self.env._(
            "%(what)s, %(n)s left out (%(reasons)s)",
            what=text,
            n=sum(count for _reason, count in left),
            reasons=self._name_reasons(left),
        )

    @api.model
    def _describe_done(self, figures, is_dry):
        """Return in words what went by which channel."""
        people = figures.get(CUSTOMERS, 0)
        if is_dry and people == 1:
            return self.env._("1 customer would have been reminded")
        if is_dry:
            return self.env._("%(n)s customers would have been reminded", n=people)
        channels = self.env["whatsapp.billing.collection.channel"]._get_all()
        parts = [
            channel._describe_count(figures[channel._figure])
            for channel in channels
            if figures.get(channel._figure)
        ]
        return ", ".join(parts) or self.env._("%(n)s messages queued", n=0)

    @api.model
    def _name_reasons(self, left):
        """Return why customers are left out, in a few words each."""
        field = self.env["whatsapp.billing.message"]._fields["reason"]
        words = dict(field._description_selection(self.env)) | {
            "not_own_number": self.env._("not one of our numbers"),
            "outside_share": self.env._("outside the share"),
        }
        names = [
            (_within_sentence(words.get(reason, reason)), count)
            for reason, count in left
        ]
        if len(names) == 1:
            return names[0][0]
        return ", ".join(f"{name}: {count}" for name, count in names)

    def _get_preview_rules(self):
        """Look at the stage that somebody thinks about, instead of the present one."""
        rules = super()._get_preview_rules()
        stage = self.env.context.get(CHOSEN_STAGE)
        if stage:
            name, share = stage
            name = "on" if name == "dry_run" else name
            rules[self.id] = replace(rules[self.id], stage=name, share=share)
        return rules

    def _get_problems(self):
        """Return sentences, the most urgent first."""
        self.ensure_one()
        if not self._is_condition_allowed():
            yield self.env._(
                "Whoever wrote the condition may not ask it any more. Save it anew."
            )
        if not self.step_ids:
            yield self.env._("Add a step: when to say something, and what.")
        messages = self.step_ids.filtered(lambda s: s.channel == "whatsapp")
        for step in messages:
            if step._get_template_problem():
                yield self.env._(
                    "The template of the step %(step)s cannot be sent: %(status)s.",
                    step=step.name,
                    status=step._get_template_words(),
                )
        if self.step_ids and not messages:
            return
        # sudo: whatsapp.billing.account - whether one is there, for who reads plans
        account_sudo = self.company_id.sudo().wab_account_id
        if account_sudo.state not in ("connected", "pending"):
            yield self._get_account_problem()
        elif not self._has_default_template(account_sudo):
            yield self.env._(
                "No template for payment reminders is approved. Submit one under"
                " Configuration > Templates."
            )

    def _check_reads_ledger(self):
        """Refuse to tell who owes what to people without accounting rights."""
        self.check_access("read")
        self.env["account.move"].check_access("read")

    @api.model
    def _get_account_problem(self):
        return self.env._("Connect a WhatsApp account first.")

    def _count_reached(self):
        """Return {step id as text: (who is followed up if it ran today, credits)}.

        The people who are written to, the customers whom activities are about.
        """
        self.ensure_one()
        people, credits = defaultdict(set), defaultdict(float)
        found = self._preview(1)
        for activity in found["activities"]:
            if activity["plan_id"] == self.id:
                people[activity["step_id"]].add(activity["debtor_id"])
        for message in found["messages"]:
            if not message["reason"] and message["plan_id"] == self.id:
                people[message["step_id"]].add(message["partner_id"])
                credits[message["step_id"]] += message["cost"] or 0.0
        return {
            str(step_id): (len(found), credits[step_id])
            for step_id, found in people.items()
        }

    def _has_default_template(self, account):
        steps = self.step_ids.filtered(
            lambda s: s.channel == "whatsapp" and not s.template_id
        )
        if not steps:
            return True
        # sudo: whatsapp.billing.template - whether there is one
        return bool(
            self.env["whatsapp.billing.template"]
            .sudo()
            .search_count(
                [
                    ("account_id", "=", account.id),
                    ("document_type", "=", "payment_reminder"),
                    ("status", "=", "approved"),
                    ("category", "=", "utility"),
                    ("is_default", "=", True),
                ],
                limit=1,
            )
        )


class WhatsappBillingCollectionStep(models.Model):
    _inherit = "whatsapp.billing.collection.step"

    text = fields.Html(
        compute="_compute_text",
        sanitize=False,
        help="What the customer reads, with examples filled in.",
    )
    reach_today = fields.Char(
        string="Would Reach Today",
        compute="_compute_reach_today",
        help="People whom this step would write to, or customers whom somebody would be"
        " asked to turn to, if the plan ran now. Empty until somebody counts them.",
    )
    side = fields.Selection(
        [("before", "Before"), ("on", "On"), ("after", "After")],
        compute="_compute_side",
    )

    # === COMPUTE METHODS === #

    @api.depends("days")
    def _compute_side(self):
        for step in self:
            step.side = (
                "before" if step.days < 0 else "after" if step.days > 0 else "on"
            )

    @api.depends("template_id.body", "channel", "plan_id.company_id")
    @api.depends_context("lang")
    def _compute_text(self):
        defaults = {}
        for step in self:
            company = step.plan_id.company_id or self.env.company
            place = (company, step._get_tone())
            if place not in defaults:
                defaults[place] = step._get_default_template(company)
            # sudo: whatsapp.billing.template - a text that customers read anyway
            template = step.template_id.sudo() or defaults[place]
            step.text = step.channel == "whatsapp" and step._fill_sample(template)

    @api.depends("plan_id.reach_counts")
    @api.depends_context("uid", "lang")
    def _compute_reach_today(self):
        today = fields.Date.to_string(fields.Date.context_today(self))
        for step in self:
            # sudo: whatsapp.billing.collection.plan - as its own count puts it down
            reach = step.plan_id.sudo().reach_counts or {}
            step.reach_today = reach.get("day") == today and step._describe_reach(
                *reach["steps"].get(str(step._origin.id), (0, 0.0))
            )

    # === BUSINESS METHODS === #

    def _describe_reach(self, people, credits):
        """Return the count in words, with the cost for those who may see it."""
        self.ensure_one()
        if self.channel == "activity":
            if people == 1:
                return self.env._("1 activity today")
            return self.env._("%(n)s activities today", n=people)
        if people == 1:
            text = self.env._("1 person would be reached today")
        else:
            text = self.env._("%(n)s people would be reached today", n=people)
        if not credits or not self.env.user.has_group("whatsapp_billing.group_cost"):
            return text
        wallets = self.env["whatsapp.billing.credit.wallet"]
        return self.env._(
            "%(text)s, for %(credits)s credits",
            text=text,
            credits=wallets._format_credits(credits),
        )

    def _get_default_template(self, company):
        """Return the template that this step takes by itself. With sudo.

        In the reader's language where there is one.
        """
        # sudo: whatsapp.billing.account - the company's own
        account_sudo = company.sudo().wab_account_id
        templates_sudo = self.env["whatsapp.billing.template"].sudo()
        if not account_sudo:
            return templates_sudo
        langs = languages.candidates(
            self.env.lang or "", company.sudo().partner_id.lang or ""
        )
        return templates_sudo._find_for_step(
            self, account_sudo, langs
        ) or templates_sudo.search(
            [
                ("account_id", "=", account_sudo.id),
                ("document_type", "=", "payment_reminder"),
                ("is_default", "=", True),
            ],
            limit=1,
        )

    @api.model
    def _fill_sample(self, template):
        """Return a template's text with its examples instead of bare placeholders."""
        samples = template._get_samples()
        places = parameters.placeholders(template.body or "")
        values = [
            samples.get(("body", position)) or "…"
            for position in range(1, max(places, default=0) + 1)
        ]
        return Markup(markup.to_html(parameters.fill(template.body or "", values)))

    def _get_template_words(self):
        """Return why the template cannot go, as its own form says it."""
        # sudo: whatsapp.billing.template - its state, whoever may see it
        template_sudo = self.template_id.sudo()
        name = "status" if template_sudo.status != "approved" else "category"
        words = template_sudo._fields[name]._description_selection(self.env)
        return dict(words).get(template_sudo[name], "")


def _within_sentence(words):
    """Return a title as it stands within a sentence; a name keeps its capital."""
    return words if words.startswith("WhatsApp") else words[:1].lower() + words[1:]
