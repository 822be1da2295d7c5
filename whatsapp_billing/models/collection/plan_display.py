# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What people see of a plan: its time line, what is missing, what it would do.

The preview shows what would go out in the next days, and who would be left out.
"""

from collections import defaultdict
from dataclasses import replace

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ...rules import (
    dunning,
    dunning_reasons,
    eligibility,
    languages,
    markup,
    parameters,
)
from ..common import client_action
from .plan_run import CHUNK
from .plan_write import CUSTOMERS, LEFT_OUT, _make_draft

PREVIEW_DAYS = 30

OPEN_INVOICES = Domain("state", "=", "posted") & Domain(
    "payment_state", "in", ("not_paid", "partial")
)

# In the context: the (stage, percent) to preview.
CHOSEN_STAGE = "wab_chosen_stage"

MAX_DAYS = 90


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
        if account_sudo.state not in eligibility.SENDABLE_STATES:
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

    # === BUSINESS METHODS - PREVIEW === #

    def _preview(self, days=30):
        """Return what this plan would send if it were on and nobody paid or answered.

        The same facts, read once, and the same engine, day by day; nothing is
        written. Invoices that the plan would take in with its first run count too.

        :param days: 1 to 90
        :return: a dictionary: `messages`, one dictionary per day and recipient: `date`,
            `debtor_id`, `debtor_name`, `partner_id`, `recipient`, `plan_id`,
            `step_id`, `step_name`, `template_id`, `lang_code`, `move_ids`,
            `move_names`, `totals` (list of {currency, amount}), `body`, `reason`
            (False when it would go), `detail`, `cost` (credits, False where nobody
            counts them); `activities`, one per day and debtor, of the same with
            `user_id`, `user_name` and `summary` instead of who gets which text;
            `left_out`, one per instalment that is in none of them:
            `debtor_id`, `debtor_name`, `move_id`, `move_name`, `move_line_id`,
            `due_date`, `reason`, `detail`, `trace`, as of today; `days`, `cost`
        """
        self.ensure_one()
        self.check_access("read")
        days = min(max(int(days), 1), MAX_DAYS)
        # sudo: whatsapp.billing.collection.plan - reads the ledgers of its company
        plan_sudo = self.sudo()
        company = plan_sudo.company_id
        start = plan_sudo._get_moment(company)
        rules = plan_sudo._get_preview_rules()
        channels = self.env["whatsapp.billing.collection.channel"]
        figures = [channel._figure for channel in channels._get_all()]
        found = {name: [] for name in figures} | {"left_out": [], "days": days}
        candidates = plan_sudo._find_preview_lines()
        debtor_ids = sorted(candidates)
        cases_sudo = self.env["whatsapp.billing.collection.case"].sudo()
        for at in range(0, len(debtor_ids), CHUNK):
            chunk = debtor_ids[at : at + CHUNK]
            future = cases_sudo._read_future_rows(plan_sudo, chunk)
            ledger = plan_sudo._read_ledger(company, chunk, start.day, rules, future)
            # A line in a plan that is off counts once: in this plan, which would take
            # it over.
            ours = {row["line_id"] for row in future}
            ledger.lines = [
                line
                for line in ledger.lines
                if line.plan_id == self.id or line.line_id not in ours
            ]
            plan_sudo._foresee(company, start, days, rules, ledger, found)
        for name in figures:
            found[name].sort(key=lambda row: (row["date"], row["debtor_id"]))
        plan_sudo._quote(found["messages"])
        found["cost"] = sum(m["cost"] or 0 for m in found["messages"])
        return found

    def _get_preview_rules(self):
        """Return the running plans, this one as if it were on already.

        Or in the stage that somebody thinks about, instead of the present one.
        """
        running = self.search(
            [("company_id", "=", self.company_id.id), ("stage", "!=", "off")]
        )
        rules = {plan.id: plan._to_rule() for plan in running}
        mine = self._to_rule()
        if mine.stage in ("off", "dry_run"):
            mine = replace(mine, stage="on")
        chosen = self.env.context.get(CHOSEN_STAGE)
        if chosen:
            stage, share = chosen
            stage = "on" if stage == "dry_run" else stage
            mine = replace(mine, stage=stage, share=share)
        return rules | {self.id: mine}

    def _find_preview_lines(self):
        """Return the debtors that this plan has cases of or would take in."""
        self.env.flush_all()
        cases = self.env["whatsapp.billing.collection.case"]
        rows = self.env.execute_query(cases._candidate_sql(self))
        debtors = defaultdict(list)
        for debtor_id, line_id in rows:
            debtors[debtor_id].append(line_id)
        return debtors

    def _foresee(self, company, start, days, rules, ledger, found):
        selected = frozenset(self.ids)
        foreseen = dunning.forecast(
            start, days, rules, ledger.lines, ledger.credits, ledger.debtors, selected
        )
        said, drafts = set(), []
        for day, outcome in foreseen:
            for reminder in outcome.reminders:
                drafts.append((day, _make_draft(ledger, reminder)))
                said.update(reminder.line_ids, reminder.also_ids)
        self._describe_drafts(company, ledger, drafts, found)
        names = self._names({row["debtor_id"] for row in ledger.rows.values()})
        for line_id, decision in foreseen[0][1].decisions.items():
            row = ledger.rows[line_id]
            if line_id not in said and row["plan_id"] == self.id:
                found["left_out"].append(self._describe_left_out(row, decision, names))

    @api.model
    def _names(self, partner_ids):
        partners = self.env["res.partner"].browse(partner_ids)
        return {partner.id: partner.display_name or "" for partner in partners}

    @api.model
    def _describe_left_out(self, row, decision, names):
        return {
            "debtor_id": row["debtor_id"],
            "debtor_name": names[row["debtor_id"]],
            "move_id": row["move_id"],
            "move_name": row["move_name"] or "",
            "move_line_id": row["line_id"],
            "due_date": fields.Date.to_string(row["due"]) or False,
            "reason": decision.reason or False,
            "detail": self._describe_reason(decision.reason),
            "trace": decision.trace,
        }

    @api.model
    def _describe_reason(self, reason):
        """Return a reason in the user's language, False without one."""
        if not reason:
            return False
        messages = self.env["whatsapp.billing.message"]
        return messages._sentence(dunning_reasons.describe(reason))

    def _describe_drafts(self, company, ledger, drafts, found):
        """Add to `found` what goes by each channel; prepared day by day."""
        channels = self.env["whatsapp.billing.collection.channel"]
        by_day = defaultdict(list)
        for day, draft in drafts:
            by_day[day].append(draft)
        for day, of_day in by_day.items():
            for channel, mine in channels._split(of_day):
                channel._prepare(company, ledger, mine)
                for draft in mine:
                    found[channel._figure] += channel._describe(day, draft)

    @api.model
    def _describe_draft(self, day, draft):
        """Return what a preview says of a draft, whatever its channel."""
        reminder = draft.reminder
        owed = [entry for entry in draft.entries if not entry.is_credit]
        lines = self.env["account.move.line"].browse([e.line_id for e in owed])
        step = self.env["whatsapp.billing.collection.step"].browse(reminder.step_id)
        return {
            "date": fields.Date.to_string(day),
            "debtor_id": reminder.debtor_id,
            "debtor_name": self._names([reminder.debtor_id])[reminder.debtor_id],
            "plan_id": reminder.plan_id,
            "step_id": reminder.step_id,
            "step_name": step.name or "",
            "move_ids": lines.move_id.ids,
            "move_names": [entry.name for entry in owed],
            "totals": self._get_totals(draft),
            "reason": False,
            "detail": False,
            "cost": False,
        }

    def _get_totals(self, draft):
        """Return what the text asks for, as `_sum` finds it, for a preview."""
        return [
            {"currency": currency.name, "amount": amount}
            for currency, amount in self._sum(draft)
        ]

    @api.model
    def _sum(self, draft):
        """Return [(currency, what the text asks for)]: of what it names, no more.

        Credits that are more than it names are not deducted, as in the text itself.
        """
        owed, totals = defaultdict(float), defaultdict(float)
        for entry in draft.entries:
            totals[entry.currency_id] += entry.amount
            owed[entry.currency_id] += 0.0 if entry.is_credit else entry.amount
        totals = {
            currency_id: amount if amount > 0 else owed[currency_id]
            for currency_id, amount in totals.items()
        }
        currencies = self.env["res.currency"].browse(sorted(totals))
        return [
            (currency, currency.round(totals[currency.id])) for currency in currencies
        ]

    def _quote(self, entries):
        """Put the price on each entry; where nobody counts credits it stays False.

        Whoever counts them overrides this.

        :param entries: the `messages` of `_preview`, changed in place
        """


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
