# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What is due for one receivable line, and what keeps it from going."""

from __future__ import annotations

from datetime import date, timedelta
from operator import attrgetter
from typing import Any

from .dunning_types import Debtor, Line, LineDecision, Plan, Step, Trace

_DAY = timedelta(days=1)


class Asked:
    """The questions asked about one line, in order, until one is answered by no."""

    __slots__ = ("changes", "day", "debtor", "line", "look_on", "plan", "trace")

    def __init__(self, line: Line, plan: Plan | None, debtor: Debtor, day: date):
        self.line = line
        self.plan = plan
        self.debtor = debtor
        self.day = day
        self.trace: Trace = []
        self.look_on: date | None = day + _DAY
        self.changes: tuple[str, ...] = ()

    def ask(self, rule: str, value: Any, passed: bool) -> bool:
        """Note the answer; return whether it was no.

        No null: traces are read over XML-RPC, which cannot carry it.
        """
        value = False if value is None else value
        self.trace.append({"rule": rule, "value": value, "passed": passed})
        return not passed

    def decide(self, reason: str | None, **values: Any) -> LineDecision:
        """Return the decision with everything that was asked."""
        values.setdefault("look_on", self.look_on)
        return LineDecision(
            self.line.line_id,
            self.line.debtor_id,
            reason,
            self.trace,
            changes=self.changes,
            **values,
        )


def is_open(line: Line) -> bool:
    """Tell whether there is something left to pay."""
    return not line.is_cleared and line.open_amount > line.rounding / 2


def find_obstacle(asked: Asked) -> str | None:
    """Return why nothing may be said about this line now, None if it may."""
    return (
        _document_obstacle(asked)
        or _plan_obstacle(asked)
        or _case_obstacle(asked)
        or _money_obstacle(asked)
    )


def _document_obstacle(asked: Asked) -> str | None:
    line = asked.line
    if asked.ask("document_posted", line.document, line.document == "posted"):
        asked.look_on = None
        return "draft" if line.document == "draft" else "cancelled_document"
    if asked.ask(
        "debtor_is_customer", asked.debtor.is_customer, asked.debtor.is_customer
    ):
        asked.look_on = None
        return "vendor"
    if asked.ask("document_unpaid", round(line.open_amount, 6), is_open(line)):
        asked.changes = ("settled",)
        asked.look_on = None
        return "already_paid"
    if asked.ask("followup_wanted", line.no_followup, not line.no_followup):
        return "no_followup"
    if asked.ask("recipient_active", asked.debtor.is_active, asked.debtor.is_active):
        return "archived"
    return None


def _plan_obstacle(asked: Asked) -> str | None:
    line, plan = asked.line, asked.plan
    if plan is None:
        asked.ask("plan_found", False, False)
        return "no_plan"
    if asked.ask("plan_running", plan.stage, plan.stage != "off"):
        return "plan_off"
    if asked.ask("plan_has_steps", len(plan.steps), bool(plan.steps)):
        return "no_steps"
    if asked.ask("due_date_known", _iso(line.due), line.due is not None):
        return "no_due_date"
    if plan.tolerance:
        amount = line.company_amount
        if asked.ask("rate_known", amount is not None, amount is not None):
            return "no_rate"
        if asked.ask("above_tolerance", amount, (amount or 0.0) > plan.tolerance):
            return "within_tolerance"
    return None


def _case_obstacle(asked: Asked) -> str | None:
    line = asked.line
    if asked.ask("document_undisputed", line.state, line.state != "disputed"):
        asked.look_on = None
        return "disputed"
    if asked.ask("not_with_a_person", line.state, line.state != "escalated"):
        asked.look_on = None
        return "escalated"
    if line.state == "paused":
        if line.resume_on is None or line.resume_on > asked.day:
            asked.ask("collection_running", _iso(line.resume_on) or line.state, False)
            asked.look_on = line.resume_on
            return "paused"
        asked.changes = ("resumed",)
    if line.state == "promised":
        return _promise_obstacle(asked)
    return None


def find_change(line: Line, said: float) -> str | None:
    """Return why a reminder that still waits may not name this line as it does.

    The last look before the call: what `find_obstacle` asks of the document, of what
    the customer said and of the money, asked again, and whether WhatsApp was switched
    off for the invoice. None if nothing has changed.

    :param said: the amount that the reminder names
    """
    asked = Asked(line, None, Debtor(line.debtor_id), date.min)
    reason = _document_obstacle(asked)
    if reason is None and line.state in ("disputed", "paused", "promised"):
        reason = "disputed" if line.state == "disputed" else "paused"
    reason = reason or _money_obstacle(asked)
    if reason is None and line.is_off:
        reason = "not_enabled"
    if reason is None and abs(line.open_amount - said) > line.rounding / 2:
        reason = "superseded"
    return reason


def _promise_obstacle(asked: Asked) -> str | None:
    """A promise holds until its date plus grace; then it was broken."""
    line, plan = asked.line, asked.plan
    assert plan is not None
    if line.promise_date is None:
        asked.changes = ("resumed",)
        return None
    until = line.promise_date + timedelta(days=plan.grace_days)
    if asked.ask("no_promise_running", until.isoformat(), asked.day > until):
        asked.look_on = until + _DAY
        return "promised"
    asked.changes = ("promise_broken",)
    broken = line.promises_broken + 1
    if asked.ask("promises_kept", broken, broken < plan.max_broken):
        asked.changes = ("promise_broken", "escalated")
        asked.look_on = None
        return "escalated"
    return None


def _money_obstacle(asked: Asked) -> str | None:
    line = asked.line
    if asked.ask("no_payment_pending", line.payment_pending, not line.payment_pending):
        return "payment_pending"
    if asked.ask("no_bank_match", line.bank_match, not line.bank_match):
        return "probably_paid"
    return None


def choose_step(asked: Asked) -> tuple[Step | None, str | None]:
    """Return the step to do now, or why there is none.

    The latest that is due and was not done; of several missed ones only that. Where
    its amount or condition says no, an earlier one that was missed may go instead.
    """
    line, plan = asked.line, asked.plan
    assert plan is not None and line.due is not None
    due, is_last = [], True
    for step in plan.steps:
        if line.last_days is not None and step.days <= line.last_days:
            continue
        if line.due + timedelta(days=step.days) <= asked.day:
            due.append(step)
        else:
            is_last = False
    if not due:
        asked.ask("step_due", _iso(next_date(asked, line.last_days)), False)
        asked.look_on = next_date(asked, line.last_days)
        return None, "steps_done" if is_last else "not_due"
    # A clock that was set back, or a run for an earlier day, repeats nothing.
    is_later = line.last_date is None or line.last_date <= asked.day
    if asked.ask("clock_runs_forward", _iso(line.last_date), is_later):
        asked.look_on = line.last_date
        return None, "clock_back"
    first_reason = None
    for step in sorted(due, key=attrgetter("days", "step_id"), reverse=True):
        reason = _step_obstacle(asked, step)
        if reason is None:
            return step, None
        first_reason = first_reason or reason
    return None, first_reason


def next_date(asked: Asked, done: int | None) -> date | None:
    """Return when the step after the one of `done` days is due, None if none is."""
    line, plan = asked.line, asked.plan
    if plan is None or line.due is None:
        return None
    ahead = [step.days for step in plan.steps if done is None or step.days > done]
    return line.due + timedelta(days=min(ahead)) if ahead else None


def _step_obstacle(asked: Asked, step: Step) -> str | None:
    asked.ask("step_due", step.days, True)
    line = asked.line
    if _lacks_rate(asked, step):
        asked.ask("rate_known", False, False)
        return "no_rate"
    if step.minimum_amount:
        amount = line.company_amount or 0.0
        if asked.ask("minimum_amount", amount, amount >= step.minimum_amount):
            return "below_minimum"
    if step.condition != "always":
        value = _condition_value(asked, step.condition)
        if asked.ask(f"condition_{step.condition}", value, value >= step.threshold):
            return "condition_not_met"
    if step.with_message and step.template_problem:
        asked.ask("template_approved", step.template_problem, False)
        return "template_not_approved"
    return None


def _lacks_rate(asked: Asked, step: Step) -> bool:
    """Tell whether the step asks for an amount that nobody can tell."""
    if step.minimum_amount and asked.line.company_amount is None:
        return True
    return step.condition == "owed_amount" and asked.debtor.owed is None


def _condition_value(asked: Asked, condition: str) -> float:
    debtor, due = asked.debtor, asked.line.due
    if condition == "owed_amount":
        return debtor.owed or 0.0
    if condition == "overdue_days":
        return float((asked.day - due).days) if due else 0.0
    if condition == "turnover":
        return debtor.turnover
    if condition == "days_late":
        return debtor.days_late
    return float(debtor.unanswered)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
