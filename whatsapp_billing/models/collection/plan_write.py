# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What a run writes: claims first, then messages, what they are about, and cases."""

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
from ..common.send_request import PlannedMessage, SendRequest

UNREACHABLE = {"no_number", "invalid_number", "not_enabled", "not_opted_in"}
# Keys in the figures of a run: customers reached, and customers left out by reason.
CUSTOMERS = "customers"
LEFT_OUT = "left_out:"
# States in which a person has the case.
WITH_PERSON = ("paused", "escalated")
# Reasons against customers that the plan's stage (own numbers, share) leaves out.
BY_STAGE = ("not_own_number", "outside_share")
ORDER = SendRequest(
    method="collections", purpose="collections", is_reminder=True, by_plan=True
)


class WhatsappBillingCollectionPlan(models.Model):
    _inherit = "whatsapp.billing.collection.plan"

    # === BUSINESS METHODS - WRITING === #

    def _apply(self, company, moment, ledger, outcome):
        """Do what was decided; return {plan id: how many lines came to what}.

        The order keeps promises: a debtor's day is claimed before a message exists,
        and what is written about a case is what became of its message.
        """
        decisions = dict(outcome.decisions)
        drafts = self._compose(company, ledger, outcome, decisions)
        reached = _count_customers(ledger, drafts, decisions)
        self._claim(company, drafts, decisions)
        drafts = [draft for draft in drafts if draft.all_planned]
        self._send(company, moment, ledger, drafts, decisions)
        self._write_cases(company, moment, ledger, decisions)
        self._act(ledger, decisions)
        figures = defaultdict(Counter)
        for line_id, decision in decisions.items():
            plan_id = ledger.rows[line_id]["plan_id"]
            figures[plan_id].update({decision.reason or "sent": 1, "messages": 0})
        for draft in drafts:
            figures[draft.reminder.plan_id]["messages"] += len(draft.all_planned)
        for plan_id, counted in reached.items():
            figures[plan_id].update(counted)
        return dict(figures)

    # --- what is said ---------------------------------------------------------

    @api.model
    def _compose(self, company, ledger, outcome, decisions):
        """Return a draft for each reminder that can go, its texts filled in.

        A reminder that nobody can get (no number, no consent, no template) leaves its
        reason on the cases, and the debtor's day stays free. A dry run asks the same
        of its own, which then go to nobody: it is there to say what a real one would.
        """
        drafts = [_make_draft(ledger, reminder) for reminder in outcome.reminders]
        self.env["whatsapp.billing.message"]._compose_reminders(company, drafts, ORDER)
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
    def _claim(self, company, drafts, decisions):
        """Take the debtors' days; whoever is too late says nothing."""
        going = [draft for draft in drafts if draft.all_planned]
        if not going:
            return
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO whatsapp_billing_collection_claim
                       (company_id, debtor_id, day, create_date)
                SELECT %s, debtor_id, day, %s
                  FROM unnest(%s::int[], %s::date[]) AS wanted (debtor_id, day)
                ON CONFLICT DO NOTHING RETURNING debtor_id
                """,
                company.id,
                fields.Datetime.now(),
                [draft.reminder.debtor_id for draft in going],
                [draft.reminder.day for draft in going],
            )
        )
        ours = {row[0] for row in rows}
        for draft in going:
            if draft.reminder.debtor_id not in ours:
                draft.all_planned = []
                for line_id in draft.line_ids:
                    decisions[line_id] = _refuse(
                        decisions[line_id], "already_today", []
                    )

    def _send(self, company, moment, ledger, drafts, decisions):
        """Insert the messages and what they are about."""
        if not drafts:
            return self.env["whatsapp.billing.message"]
        now = fields.Datetime.now()
        all_planned = []
        for draft in drafts:
            reminder = draft.reminder
            trace = decisions[draft.line_ids[0]].trace
            for planned in draft.all_planned:
                planned.decision = planned.decision._replace(
                    trace=[*trace, *planned.decision.trace]
                )
                planned.more = {
                    "collection_plan_id": reminder.plan_id,
                    "collection_step_id": reminder.step_id,
                    "next_attempt_at": now + reminder.delay
                    if reminder.delay > timedelta()
                    else None,
                }
                all_planned.append(planned)
        messages = self.env["whatsapp.billing.message"]._create_rows(all_planned, ORDER)
        items, at = [], 0
        for draft in drafts:
            for _target in draft.all_planned:
                items += _items(ledger, decisions, draft, messages[at].id)
                at += 1
        ids = sql_bulk.new_ids(self.env, "whatsapp.billing.collection.item", len(items))
        for item_id, item in zip(ids, items, strict=True):
            item["id"] = item_id
        sql_bulk.insert(self.env, "whatsapp.billing.collection.item", items, False)
        messages.invalidate_recordset(["collection_item_ids"], flush=False)
        return messages

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

    def _act(self, ledger, decisions):
        """Ask people to do what the steps leave to them."""
        cases = self.env["whatsapp.billing.collection.case"]
        todo = {}
        for line_id, decision in decisions.items():
            case_id = ledger.rows[line_id]["case_id"]
            if "escalated" in decision.changes:
                todo.setdefault(("promises", False), []).append(case_id)
            elif _is_done(decision):
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
    """A reminder on its way to becoming messages, one for each recipient."""

    __slots__ = (
        "all_planned",
        "dropped",
        "entries",
        "move_id",
        "partner_id",
        "refused",
        "reminder",
    )

    def __init__(self, reminder, entries):
        self.reminder = reminder
        self.entries = entries
        self.all_planned: list[PlannedMessage] = []
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
    draft = ReminderDraft(reminder, entries)
    draft.leave_out(
        {e.line_id for e in entries if not e.is_credit and ledger.is_off(e.line_id)}
    )
    first = ledger.rows[draft.line_ids[0]]
    draft.move_id, draft.partner_id = first["move_id"], first["partner_id"]
    return draft


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
    return decision.reason in (None, "action_only")


def _seen(row, decision, plan, day):
    """Return what is to be known about a case after this look at it."""
    refused = decision.reason is not None and decision.next_check_date is None
    holds = decision.reason in ("disputed", "escalated", "paused", "steps_done")
    step = _next_step(row, decision, plan)
    next_date = decision.next_date
    if refused and not holds:
        # Refused without a hold: decided again the next day.
        next_date = day + timedelta(days=1)
    return {
        "id": row["case_id"],
        "reason": decision.reason,
        # Lines in a message store their trace on the item (`_items`).
        "trace_data": traces.pack(decision.trace) if decision.reason else None,
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


def _items(ledger, decisions, draft, message_id):
    """Return what one message is about, line by line."""
    due = set(draft.reminder.line_ids)
    base = decisions[draft.line_ids[0]].trace
    items = []
    for entry in draft.entries:
        row = ledger.rows.get(entry.line_id)
        role = (
            "credit" if entry.is_credit else "due" if entry.line_id in due else "also"
        )
        items.append(
            {
                "message_id": message_id,
                "move_line_id": entry.line_id,
                "days": decisions[entry.line_id].days if row else None,
                "role": role,
                "amount": entry.amount,
                "due_date": entry.due,
                "previous_days": row["last_step_days"] if row else None,
                "previous_date": row["last_date"] if row else None,
                "trace_data": traces.pack_beside(base, decisions[entry.line_id].trace)
                if row
                else None,
            }
        )
    return items
