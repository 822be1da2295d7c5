# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Words for why nothing was said about an open invoice, and for each rule asked."""

from __future__ import annotations

from typing import Final

from . import reasons
from .terms import _lt

REASONS: Final[dict[str, str]] = {
    "vendor": _lt("This is no customer: reminders go to customers only."),
    "archived": _lt("The customer is archived. Restore them, or handle it yourself."),
    "no_plan": _lt("No plan is for this invoice. Choose one on it or on the customer."),
    "plan_off": _lt("The plan is switched off."),
    "no_steps": _lt("The plan has no steps. Add one."),
    "no_due_date": _lt("There is no due date. Set one on the invoice."),
    "no_rate": _lt(
        "There is no rate for this currency, so amounts cannot be compared. Add a rate."
    ),
    "within_tolerance": _lt("So little is open that the plan lets it be."),
    "escalated": _lt("A person has taken over. Resume it to remind again."),
    "promised": _lt("The customer promised to pay; their date has not passed."),
    "payment_pending": _lt("An online payment is on its way. It is looked at daily."),
    "probably_paid": _lt(
        "A bank transaction that is not reconciled yet fits it. Reconcile it, or"
        " reminders go on once it is assigned elsewhere."
    ),
    "not_due": _lt("The next step is not due yet."),
    "steps_done": _lt("All steps of the plan are done."),
    "clock_back": _lt(
        "A later day was handled already, so this one brings nothing. It goes on after"
        " that day."
    ),
    "below_minimum": _lt("The amount is below the minimum of the step."),
    "condition_not_met": _lt("The condition of the step is not met."),
    "credit_covers": _lt(
        "Credit notes or payments on account cover it. Reconcile them with it."
    ),
    "not_own_number": _lt(
        "The plan is being tried out on our own numbers; this is none of them."
    ),
    "outside_share": _lt(
        "The plan is being tried out on a share of the customers, without this one."
    ),
    "dry_run": _lt("It would have gone: the plan is on dry run."),
    "other_plan": _lt("Another plan was run. It comes with its own plan."),
    "already_today": _lt(
        "The customer is followed up that day already. It comes the next day."
    ),
    "too_often": _lt("The customer was followed up as often as a week allows."),
    "not_working_day": _lt("Nobody works there that day. It comes on the next."),
}

RULE_NAMES: Final[dict[str, str]] = {
    "debtor_is_customer": _lt("The debtor is a customer"),
    "plan_found": _lt("There is a plan"),
    "plan_running": _lt("The plan is switched on"),
    "plan_has_steps": _lt("The plan has steps"),
    "due_date_known": _lt("There is a due date"),
    "rate_known": _lt("There is a rate for the currency"),
    "above_tolerance": _lt("More is open than the tolerance"),
    "not_with_a_person": _lt("No person has taken over"),
    "no_promise_running": _lt("No promise is running"),
    "promises_kept": _lt("Promises were kept often enough"),
    "step_due": _lt("A step is due"),
    "clock_runs_forward": _lt("No later day was handled already"),
    "minimum_amount": _lt("The amount reaches the minimum of the step"),
    "condition_owed_amount": _lt("The customer owes enough for the step"),
    "condition_overdue_days": _lt("It is overdue long enough for the step"),
    "condition_turnover": _lt("The customer's turnover is large enough for the step"),
    "condition_days_late": _lt("The customer pays late enough for the step"),
    "condition_no_answer": _lt("Reminders were delivered without an answer"),
    "above_credits": _lt("More is open than credit notes and payments cover"),
    "own_number": _lt("The customer has one of our own numbers"),
    "in_share": _lt("The customer is in the share that is tried out"),
    "channel_of_the_day": _lt("Nothing more serious comes by another channel that day"),
    "first_today": _lt("The customer is not followed up that day or later already"),
    "week_limit": _lt("The customer was followed up less often than a week allows"),
    "time_zone_known": _lt("The customer's time zone is known"),
    "working_calendar_known": _lt("Working days at the customer's are known"),
    "working_day": _lt("It is a working day where the customer is"),
    "outside_quiet_hours": _lt("It is outside the quiet hours where the customer is"),
}


def describe(reason: str) -> str:
    """Return what a reason means and what to do next; an unknown one as it is."""
    return REASONS.get(reason) or reasons.describe(reason)


def describe_rule(rule: str) -> str:
    """Return what a rule of the trace asks, as a statement that held or did not."""
    return RULE_NAMES.get(rule) or reasons.describe_rule(rule)
