# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What a run writes: customers' days first, then what goes by which channel, and cases."""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import timedelta, timezone
from functools import lru_cache

from odoo import api, fields, models
from odoo.tools import SQL

from ...rules import dunning, traces
from ...rules.dunning_time import day_of, midnight, zone
from ..common import sql_bulk
from ..common.ledger import OpenLine

UNREACHABLE = {"no_number", "invalid_number", "not_enabled", "not_opted_in"}
# Keys in the figures of a run: customers reached, and customers left out by reason.
CUSTOMERS = "customers"
LEFT_OUT = "left_out:"
# States in which a person has the case.
WITH_PERSON = ("paused", "escalated")
# Reasons against customers that the plan's stage (own numbers, share) leaves out.
BY_STAGE = ("not_own_number", "outside_share")


class WhatsappBillingCollectionPlan(models.Model):
    _inherit = "whatsapp.billing.collection.plan"

    # === BUSINESS METHODS - WRITING === #

    def _apply(self, company, moment, ledger, outcome):
        """Do what was decided; return {plan id: how many lines came to what}.

        The order keeps promises: a customer's day is taken before anything is said,
        and what is written about a case is what became of it.
        """
        channels = self.env["whatsapp.billing.collection.channel"]
        decisions = dict(outcome.decisions)
        drafts = self._compose(company, ledger, outcome, decisions)
        reached = _count_customers(ledger, drafts, decisions)
        self._take_days(company, drafts, decisions)
        drafts = [draft for draft in drafts if draft.all_planned]
        for channel, mine in channels._split(drafts):
            channel._carry_out(ledger, mine, decisions)
        self._note_told(drafts)
        self._write_cases(company, moment, ledger, decisions)
        self._act(ledger, drafts, decisions)
        figures = defaultdict(Counter)
        for line_id, decision in decisions.items():
            plan_id = ledger.rows[line_id]["plan_id"]
            figures[plan_id].update({decision.reason or "sent": 1, "messages": 0})
        for channel, mine in channels._split(drafts):
            for draft in mine:
                counted = {channel._figure: channel._count(draft)}
                figures[draft.reminder.plan_id].update(counted)
        for plan_id, counted in reached.items():
            figures[plan_id].update(counted)
        return dict(figures)

    # --- what is said ---------------------------------------------------------

    @api.model
    def _compose(self, company, ledger, outcome, decisions):
        """Return a draft for each reminder that can go, with what goes to whom.

        A reminder that nobody can get (no number, no consent, no template) leaves its
        reason on the cases, and the debtor's day stays free. A dry run asks the same
        of its own, which then go to nobody: it is there to say what a real one would.
        """
        drafts = [_make_draft(ledger, reminder) for reminder in outcome.reminders]
        channels = self.env["whatsapp.billing.collection.channel"]
        for channel, mine in channels._split(drafts):
            channel._prepare(company, ledger, mine)
        for draft in drafts:
            for line_id, reason in draft.dropped.items():
                decisions[line_id] = _refuse(decisions[line_id], reason, [])
            going = [t for t in draft.all_planned if t.will_be_queued]
            if going:
                draft.all_planned = [] if draft.reminder.is_dry else going
                continue
            refused = draft.all_planned[0].decision
            for line_id in draft.line_ids:
                decisions[line_id] = _refuse(
                    decisions[line_id], refused.reason, refused.trace
                )
            draft.all_planned = []
            draft.refused = refused.reason
        return drafts

    @api.model
    def _take_days(self, company, drafts, decisions):
        """Take the customers' days; whoever is too late says nothing.

        The same channel is kept apart by the index, another one by the cases, which
        whoever follows up holds locked from before it reads (`_run_debtors`).
        """
        going = {
            (draft.reminder.debtor_id, draft.reminder.channel): draft
            for draft in drafts
            if draft.all_planned
        }
        if not going:
            return
        reminders = [draft.reminder for draft in going.values()]
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO whatsapp_billing_collection_followup
                       (company_id, debtor_id, day, channel, step_id, create_date)
                SELECT %s, debtor_id, day, channel, step_id, %s
                  FROM unnest(%s::int[], %s::date[], %s::text[], %s::int[])
                       AS wanted (debtor_id, day, channel, step_id)
                ON CONFLICT DO NOTHING RETURNING debtor_id, channel, id
                """,
                company.id,
                fields.Datetime.now(),
                [reminder.debtor_id for reminder in reminders],
                [reminder.day for reminder in reminders],
                [reminder.channel for reminder in reminders],
                [reminder.step_id for reminder in reminders],
            )
        )
        ours = {row[:2]: row[2] for row in rows}
        for place, draft in going.items():
            draft.followup_id = ours.get(place)
            if not draft.followup_id:
                draft.all_planned = []
                for line_id in draft.line_ids:
                    decisions[line_id] = _refuse(
                        decisions[line_id], "already_today", []
                    )

    @api.model
    def _note_told(self, drafts):
        """Write down in the follow-ups what was done: the message or the activity."""
        blank = {"message_id": None, "activity_id": None, "user_id": None}
        sql_bulk.update(
            self.env,
            "whatsapp.billing.collection.followup",
            [{"id": draft.followup_id} | blank | draft.told for draft in drafts],
        )

    # --- what becomes of the cases --------------------------------------------

    def _write_cases(self, company, moment, ledger, decisions):
        """Write down every decision, in one statement whatever their number."""
        rules = {plan.id: plan._to_rule() for plan in self._running_plans(ledger)}
        rows = []
        days = {d.debtor_id: day_of(moment, d) for d in ledger.debtors.values()}
        home = company._wab_time_zone() or self.env.user.tz or "UTC"
        for line_id, decision in decisions.items():
            row = ledger.rows[line_id]
            day = days[row["debtor_id"]]
            values = _seen(row, decision, rules.get(row["plan_id"]), day)
            abroad = ledger.debtors[row["debtor_id"]].timezone
            values["next_check_date"] = _day_at_home(
                values["next_check_date"], abroad, home
            )
            rows.append(values | _moved(row, decision) | _said(row, decision, day))
        sql_bulk.update(
            self.env, "whatsapp.billing.collection.case", rows, own=["trace_data"]
        )

    @api.model
    def _running_plans(self, ledger):
        return self.browse({row["plan_id"] for row in ledger.rows.values()})

    def _act(self, ledger, drafts, decisions):
        """Ask people to do what the steps leave to them besides."""
        # Nobody gets an e-mail for each: they are in the list of whom they are for.
        cases = self.env["whatsapp.billing.collection.case"].with_context(
            mail_activity_quick_update=True
        )
        told = {
            (line_id, draft.reminder.step_id)
            for draft in drafts
            if "activity_id" in draft.told
            for line_id in draft.line_ids
        }
        todo = {}
        for line_id, decision in decisions.items():
            case_id = ledger.rows[line_id]["case_id"]
            if "escalated" in decision.changes:
                todo.setdefault(("promises", False), []).append(case_id)
            elif _is_done(decision) and (line_id, decision.step_id) not in told:
                if decision.action in ("activity", "hand_over", "legal"):
                    key = (decision.action, decision.step_id)
                    todo.setdefault(key, []).append(case_id)
        for (action, step_id), case_ids in todo.items():
            step = self.env["whatsapp.billing.collection.step"].browse(step_id or [])
            title, text = self._get_action_words(action)
            cases.browse(case_ids)._ask_person(title, text, step.user_id)

    def _get_action_words(self, action):
        """Return title and text of the activity for a person."""
        return {
            "activity": (
                self.env._("Follow up on payment"),
                self.env._("The reminders ask for a person to follow up."),
            ),
            "hand_over": (
                self.env._("Take over collection"),
                self.env._("Reminders stopped; it is yours from here."),
            ),
            "legal": (
                self.env._("Legal action"),
                self.env._("Reminders stopped; decide on legal action."),
            ),
            "promises": (
                self.env._("Promises broken"),
                self.env._(
                    "The customer did not keep their promises to pay. Reminders"
                    " stopped; talk to them."
                ),
            ),
        }[action]


def _count_customers(ledger, drafts, decisions):
    """Return {plan id: how many customers hear, or would, and are left out, and why}.

    Left out of what is due: who cannot be reached, and whom the stage leaves alone.
    """
    found = defaultdict(Counter)
    for draft in drafts:
        name = LEFT_OUT + draft.refused if draft.refused else CUSTOMERS
        found[draft.reminder.plan_id][name] += 1
    left = defaultdict(set)
    for line_id, decision in decisions.items():
        if decision.reason in BY_STAGE:
            row = ledger.rows[line_id]
            left[row["plan_id"], decision.reason].add(row["debtor_id"])
    for (plan_id, reason), debtor_ids in left.items():
        found[plan_id][LEFT_OUT + reason] += len(debtor_ids)
    return found


class ReminderDraft:
    """A reminder on its way: what it is about, and what goes to whom by its channel."""

    __slots__ = (
        "_rows",
        "all_planned",
        "dropped",
        "entries",
        "followup_id",
        "refused",
        "reminder",
        "told",
    )

    def __init__(self, reminder, entries, rows):
        self.reminder = reminder
        self.entries = entries
        self._rows = rows
        # Messages, or what else the channel plans (`channel.py`).
        self.all_planned = []
        self.followup_id = None
        # Columns of the follow-up that say what was done.
        self.told = {}
        # {line id: why it is not named}
        self.dropped = {}
        # Reason for which no recipient can get it.
        self.refused = None

    @property
    def line_ids(self):
        """Return the lines that it is about, the due ones first."""
        return [
            line_id
            for line_id in (*self.reminder.line_ids, *self.reminder.also_ids)
            if line_id not in self.dropped
        ]

    @property
    def move_id(self):
        """Return the invoice of the first line."""
        return self._rows[self.line_ids[0]]["move_id"]

    def keep_one(self):
        """Have only the first invoice named: there is no template for several."""
        names = self.entries[0].name
        kept = [e for e in self.entries if e.name == names or e.is_credit]
        self._drop([e for e in self.entries if e not in kept], "no_template")

    def leave_out(self, line_ids):
        """Do not name the lines whose invoices are switched off, if others are due."""
        if line_ids and set(self.reminder.line_ids) - line_ids:
            off = [entry for entry in self.entries if entry.line_id in line_ids]
            self._drop(off, "not_enabled")

    def _drop(self, entries, reason):
        self.dropped |= {entry.line_id: reason for entry in entries}
        self.entries = [entry for entry in self.entries if entry not in entries]


def _make_draft(ledger, reminder):
    entries = [
        OpenLine(
            line_id=line_id,
            name=row["move_name"] or "",
            due=row["due"],
            amount=row["open"],
            currency_id=row["currency_id"],
        )
        for line_id in (*reminder.line_ids, *reminder.also_ids)
        for row in (ledger.rows[line_id],)
    ]
    for line_id in reminder.credit_ids:
        credit = ledger.credit_by_id[line_id]
        currency_id = next(
            row["currency_id"]
            for row in (ledger.rows[entry.line_id] for entry in entries)
            if row["currency"] == credit.currency
        )
        entries.append(OpenLine(line_id, "", None, -credit.amount, currency_id, True))
    return ReminderDraft(reminder, entries, ledger.rows)


def _refuse(decision, reason, trace):
    """Return the decision about a line that is in no message after all.

    Who cannot be written to is what a person is there for: what the step does besides
    the message is done, once, and the step with it.
    """
    refused = replace(decision, reason=reason, trace=[*decision.trace, *trace])
    if reason in UNREACHABLE and decision.action != "none":
        return refused
    return replace(refused, next_check_date=None, next_date=None, action="none")


def _is_done(decision):
    """Tell whether the step is over: said, acted, or acted as nobody can be told."""
    if decision.reason in UNREACHABLE:
        return decision.action != "none"
    return decision.reason is None


def _seen(row, decision, plan, day):
    """Return what is to be known about a case after this look at it."""
    refused = decision.reason is not None and decision.next_check_date is None
    is_message = decision.reason is None and decision.channel == "whatsapp"
    holds = decision.reason in ("disputed", "escalated", "paused", "steps_done")
    step = _next_step(row, decision, plan)
    next_date = decision.next_date
    if refused and not holds:
        # Refused without a hold: decided again the next day.
        next_date = day + timedelta(days=1)
    return {
        "id": row["case_id"],
        "reason": decision.reason,
        # Lines in a message store their trace on the item (`channel_whatsapp.py`).
        "trace_data": None if is_message else traces.pack(decision.trace),
        "decided_on": day,
        "step_id": step.step_id if step else None,
        "next_date": next_date,
        "next_check_date": decision.next_check_date
        or (next_date if not holds else None),
    }


@lru_cache(maxsize=4096)
def _day_at_home(day, abroad, home):
    """Return the company's day on which a day begins where the customer is."""
    if day is None or abroad == home:
        return day
    begins = midnight(day, abroad).replace(tzinfo=timezone.utc)
    return begins.astimezone(zone(home) or timezone.utc).date()


def _next_step(row, decision, plan):
    if plan is None:
        return None
    done = row["last_step_days"] if row["last_date"] else None
    if _is_done(decision) and decision.days is not None:
        done = decision.days
    elif decision.step_id:
        return next((s for s in plan.steps if s.step_id == decision.step_id), None)
    ahead = [s for s in plan.steps if done is None or s.days > done]
    return min(ahead, key=lambda s: s.days, default=None)


def _moved(row, decision):
    state = row["state"]
    if "escalated" in decision.changes or decision.action in dunning.ESCALATING:
        state = "escalated"
    elif {"resumed", "promise_broken"} & set(decision.changes):
        state = "active"
    is_paused = state == "paused"
    broken = (row["promises_broken"] or 0) + ("promise_broken" in decision.changes)
    return {
        "state": state,
        "promises_broken": broken,
        "pause_reason": row.get("pause_reason") if is_paused else None,
        "resume_on": row["resume_on"] if is_paused else None,
        "person_id": row.get("person_id") if state in WITH_PERSON else None,
    }


def _said(row, decision, day):
    """Return what was done last for a line, now or before."""
    if _is_done(decision) and decision.days is not None:
        return {"last_step_days": decision.days, "last_date": day}
    return {name: row.get(name) for name in ("last_step_days", "last_date")}
