# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What is due for one receivable line, and what keeps it from going."""

from __future__ import annotations

from datetime import date, timedelta
from operator import attrgetter
from typing import Any

from .dunning_types import Debtor, Line, LineDecision, Plan, Step, Trace

_DAY = timedelta(days=1)


class LineCheck:
    """The rules asked of one line, in order, until one fails; they become its trace."""

    __slots__ = ("changes", "day", "debtor", "line", "next_check_date", "plan", "trace")

    def __init__(self, line: Line, plan: Plan | None, debtor: Debtor, day: date):
        self.line = line
        self.plan = plan
        self.debtor = debtor
        self.day = day
        self.trace: Trace = []
        self.next_check_date: date | None = day + _DAY
        self.changes: tuple[str, ...] = ()

    def fails(self, rule: str, value: Any, passed: bool) -> bool:
        """Add a rule and its value to the trace; return True where the line did not pass.

        No null: traces are read over XML-RPC, which cannot carry it.
        """
        value = False if value is None else value
        self.trace.append({"rule": rule, "value": value, "passed": passed})
        return not passed

    def decide(self, reason: str | None, **values: Any) -> LineDecision:
        """Return the decision with the trace of every rule that was asked."""
        values.setdefault("next_check_date", self.next_check_date)
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


def find_obstacle(check: LineCheck) -> str | None:
    """Return why nothing may be said about this line now, None if it may."""
    return (
        _document_obstacle(check)
        or _plan_obstacle(check)
        or _case_obstacle(check)
        or _money_obstacle(check)
    )


def _document_obstacle(check: LineCheck) -> str | None:
    line = check.line
    if check.fails("document_posted", line.document, line.document == "posted"):
        check.next_check_date = None
        return "draft" if line.document == "draft" else "cancelled_document"
    if check.fails(
        "debtor_is_customer", check.debtor.is_customer, check.debtor.is_customer
    ):
        check.next_check_date = None
        return "vendor"
    if check.fails("document_unpaid", round(line.open_amount, 6), is_open(line)):
        check.changes = ("settled",)
        check.next_check_date = None
        return "already_paid"
    if check.fails("followup_wanted", line.no_followup, not line.no_followup):
        return "no_followup"
    if check.fails("recipient_active", check.debtor.is_active, check.debtor.is_active):
        return "archived"
    return None


def _plan_obstacle(check: LineCheck) -> str | None:
    line, plan = check.line, check.plan
    if plan is None:
        check.fails("plan_found", False, False)
        return "no_plan"
    if check.fails("plan_running", plan.stage, plan.stage != "off"):
        return "plan_off"
    if check.fails("plan_has_steps", len(plan.steps), bool(plan.steps)):
        return "no_steps"
    if check.fails("due_date_known", _iso(line.due), line.due is not None):
        return "no_due_date"
    if plan.tolerance:
        amount = line.company_amount
        if check.fails("rate_known", amount is not None, amount is not None):
            return "no_rate"
        if check.fails("above_tolerance", amount, (amount or 0.0) > plan.tolerance):
            return "within_tolerance"
    return None


def _case_obstacle(check: LineCheck) -> str | None:
    line = check.line
    if check.fails("document_undisputed", line.state, line.state != "disputed"):
        check.next_check_date = None
        return "disputed"
    if check.fails("not_with_a_person", line.state, line.state != "escalated"):
        check.next_check_date = None
        return "escalated"
    if line.state == "paused":
        if line.resume_on is None or line.resume_on > check.day:
            check.fails("collection_running", _iso(line.resume_on) or line.state, False)
            check.next_check_date = line.resume_on
            return "paused"
        check.changes = ("resumed",)
    if line.state == "promised":
        return _promise_obstacle(check)
    return None


def find_change(line: Line, said: float) -> str | None:
    """Return why a reminder that still waits may not name this line as it does.

    The last look before the call: what `find_obstacle` asks of the document, of what
    the customer said and of the money, check again, and whether WhatsApp was switched
    off for the invoice. None if nothing has changed.

    :param said: the amount that the reminder names
    """
    check = LineCheck(line, None, Debtor(line.debtor_id), date.min)
    reason = _document_obstacle(check)
    if reason is None and line.state in ("disputed", "paused", "promised"):
        reason = "disputed" if line.state == "disputed" else "paused"
    reason = reason or _money_obstacle(check)
    if reason is None and line.is_off:
        reason = "not_enabled"
    if reason is None and abs(line.open_amount - said) > line.rounding / 2:
        reason = "superseded"
    return reason


def _promise_obstacle(check: LineCheck) -> str | None:
    """A promise holds until its date plus grace; then it was broken."""
    line, plan = check.line, check.plan
    assert plan is not None
    if line.promise_date is None:
        check.changes = ("resumed",)
        return None
    until = line.promise_date + timedelta(days=plan.grace_days)
    if check.fails("no_promise_running", until.isoformat(), check.day > until):
        check.next_check_date = until + _DAY
        return "promised"
    check.changes = ("promise_broken",)
    broken = line.promises_broken + 1
    if check.fails("promises_kept", broken, broken < plan.max_broken):
        check.changes = ("promise_broken", "escalated")
        check.next_check_date = None
        return "escalated"
    return None


def _money_obstacle(check: LineCheck) -> str | None:
    line = check.line
    if check.fails(
        "no_payment_pending", line.payment_pending, not line.payment_pending
    ):
        return "payment_pending"
    if check.fails("no_bank_match", line.bank_match, not line.bank_match):
        return "probably_paid"
    return None


def choose_step(check: LineCheck) -> tuple[Step | None, str | None]:
    """Return the step to do now, or why there is none.

    The latest that is due and was not done; of several missed ones only that. Where
    its amount or condition says no, an earlier one that was missed may go instead.
    """
    line, plan = check.line, check.plan
    assert plan is not None and line.due is not None
    due, is_last = [], True
    for step in plan.steps:
        if line.last_step_days is not None and step.days <= line.last_step_days:
            continue
        if line.due + timedelta(days=step.days) <= check.day:
            due.append(step)
        else:
            is_last = False
    if not due:
        check.fails("step_due", _iso(next_date(check, line.last_step_days)), False)
        check.next_check_date = next_date(check, line.last_step_days)
        return None, "steps_done" if is_last else "not_due"
    # Where the last reminder is later than this run's day (a clock set back, a run for
    # an earlier day), nothing is repeated.
    is_later = line.last_date is None or line.last_date <= check.day
    if check.fails("clock_runs_forward", _iso(line.last_date), is_later):
        check.next_check_date = line.last_date
        return None, "clock_back"
    first_reason = None
    for step in sorted(due, key=attrgetter("days", "step_id"), reverse=True):
        reason = _step_obstacle(check, step)
        if reason is None:
            return step, None
        first_reason = first_reason or reason
    return None, first_reason


def next_date(check: LineCheck, done: int | None) -> date | None:
    """Return when the step after the one of `done` days is due, None if none is."""
    line, plan = check.line, check.plan
    if plan is None or line.due is None:
        return None
    ahead = [step.days for step in plan.steps if done is None or step.days > done]
    return line.due + timedelta(days=min(ahead)) if ahead else None


def _step_obstacle(check: LineCheck, step: Step) -> str | None:
    check.fails("step_due", step.days, True)
    line = check.line
    if _lacks_rate(check, step):
        check.fails("rate_known", False, False)
        return "no_rate"
    if step.minimum_amount:
        amount = line.company_amount or 0.0
        if check.fails("minimum_amount", amount, amount >= step.minimum_amount):
            return "below_minimum"
    if step.condition != "always":
        value = _condition_value(check, step.condition)
        if check.fails(f"condition_{step.condition}", value, value >= step.threshold):
            return "condition_not_met"
    if step.template_problem:
        check.fails("template_approved", step.template_problem, False)
        return "template_not_approved"
    return None


def _lacks_rate(check: LineCheck, step: Step) -> bool:
    """Tell whether the step asks for an amount that nobody can tell."""
    if step.minimum_amount and check.line.company_amount is None:
        return True
    return step.condition == "owed_amount" and check.debtor.owed is None


def _condition_value(check: LineCheck, condition: str) -> float:
    debtor, due = check.debtor, check.line.due
    if condition == "owed_amount":
        return debtor.owed or 0.0
    if condition == "overdue_days":
        return float((check.day - due).days) if due else 0.0
    if condition == "turnover":
        return debtor.turnover
    if condition == "days_late":
        return debtor.days_late
    return float(debtor.unanswered)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
