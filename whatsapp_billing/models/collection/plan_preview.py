# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What would go out in the next days, and who would be left out, before it does."""

from collections import defaultdict
from dataclasses import replace

from odoo import api, fields, models

from ...rules import dunning, dunning_reasons
from .plan_run import CHUNK
from .plan_write import _make_draft

MAX_DAYS = 90


class WhatsappBillingCollectionPlan(models.Model):
    _inherit = "whatsapp.billing.collection.plan"

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
        """Return the running plans, this one as if it were on already."""
        running = self.search(
            [("company_id", "=", self.company_id.id), ("stage", "!=", "off")]
        )
        rules = {plan.id: plan._to_rule() for plan in running}
        mine = self._to_rule()
        if mine.stage in ("off", "dry_run"):
            mine = replace(mine, stage="on")
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
