# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What the reminder engine is told, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

Trace = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do some days from the due date (negative: before it).

    :param minimum_amount: company currency; a line with less skips this step
    :param condition: always, owed_amount, overdue_days, turnover, days_late,
        no_answer: the debtor's figure must reach `threshold`
    :param channel: how the customer is followed up; the rules compare it, no more
    :param action: none, activity, hand_over, stop, legal: besides that
    :param template_problem: why the step's template cannot go now, None when it can
    """

    step_id: int
    days: int
    minimum_amount: float = 0.0
    condition: str = "always"
    threshold: float = 0.0
    channel: str = "whatsapp"
    action: str = "none"
    template_problem: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """When to say what to whom.

    :param stage: off, dry_run, own_numbers, share, on
    :param share: percent of debtors while the stage is `share`
    :param tolerance: company currency; a line with no more than this is left alone
    :param grace_days: days after a promised date before the promise is broken
    :param quiet_start: local hour (21.5 is 21:30); equal to `quiet_end`: none
    :param working_days: only on working days of the debtor's country
    :param max_per_week: days in seven on which one debtor is followed up; 0 for no
        limit
    :param max_broken: broken promises after which a person takes over
    """

    plan_id: int
    steps: tuple[Step, ...] = ()
    stage: str = "on"
    share: int = 100
    tolerance: float = 0.0
    grace_days: int = 2
    quiet_start: float = 0.0
    quiet_end: float = 0.0
    working_days: bool = False
    max_per_week: int = 0
    max_broken: int = 2


@dataclass(frozen=True, slots=True)
class Line:
    """One receivable line (an instalment) and what is known of its case.

    :param open_amount: what is still to pay, in `currency`, part payments deducted
    :param company_amount: the same in the company's currency, None without a rate
    :param document: posted, draft or cancel
    :param is_cleared: paid, though the bank has not confirmed it yet
    :param state: the case's: active, paused, promised, disputed, escalated
    :param resume_on: day a pause ends by itself
    :param no_followup: Odoo's own flag on the invoice or the journal item
    :param is_off: somebody switched WhatsApp off for the invoice
    :param last_step_days: days of the latest step that was done for this line
    :param last_date: day it was done
    """

    line_id: int
    move_id: int
    debtor_id: int
    plan_id: int | None
    due: date | None
    open_amount: float
    company_amount: float | None
    currency: str
    rounding: float = 0.01
    document: str = "posted"
    is_cleared: bool = False
    state: str = "active"
    promise_date: date | None = None
    promises_broken: int = 0
    resume_on: date | None = None
    payment_pending: bool = False
    bank_match: bool = False
    no_followup: bool = False
    is_off: bool = False
    last_step_days: int | None = None
    last_date: date | None = None


@dataclass(frozen=True, slots=True)
class Credit:
    """Money of the debtor that is not used yet: credit note, payment on account."""

    line_id: int
    debtor_id: int
    currency: str
    amount: float


@dataclass(frozen=True, slots=True)
class Debtor:
    """The commercial partner, whoever of it was invoiced.

    :param timezone: of the customer; None or unknown counts as UTC, and is told
    :param workdays: 0 is Monday; None: nobody knows, every day is one, and is told
    :param followup_days: on which this debtor was or is followed up, by any channel
    :param turnover: what was invoiced in a year, company currency
    :param days_late: how late they pay on average
    :param unanswered: delivered reminders since their last word
    :param owed: all that is open, due or not, in any plan or none, less credits;
        company currency, None without a rate
    :param has_own_number: one of the company's own users
    """

    debtor_id: int
    is_customer: bool = True
    is_active: bool = True
    timezone: str | None = None
    workdays: frozenset[int] | None = None
    holidays: frozenset[date] = frozenset()
    followup_days: tuple[date, ...] = ()
    turnover: float = 0.0
    days_late: float = 0.0
    unanswered: int = 0
    owed: float | None = 0.0
    has_own_number: bool = False


@dataclass(frozen=True, slots=True)
class RunTime:
    """As of when to decide.

    :param now: UTC without a zone
    :param day: the day that the run is for
    :param at_noon: True where the hour does not matter (another day than today):
        it is noon where the debtor is
    """

    now: datetime
    day: date
    at_noon: bool = False


@dataclass(frozen=True, slots=True)
class LineDecision:
    """What to do about one line, and why.

    :param reason: None when the line is in a reminder
    :param step_id: the step that is due, also where something keeps it from going
    :param next_check_date: first day on which asking again may give another answer
    :param changes: settled, resumed, promise_broken, escalated: of the case's state
    :param channel: of the reminder that it is in, "" when it is in none
    """

    line_id: int
    debtor_id: int
    reason: str | None
    trace: Trace = field(hash=False, compare=True)
    step_id: int | None = None
    days: int | None = None
    next_date: date | None = None
    next_check_date: date | None = None
    changes: tuple[str, ...] = ()
    action: str = "none"
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Reminder:
    """One debtor followed up on one day: a message, or what a person is to do.

    :param channel: of the step
    :param line_ids: lines whose step is due, the oldest first
    :param also_ids: other overdue lines that it names, whose steps stay as they are
    :param credit_ids: credits deducted from the totals
    :param totals: (currency, amount after credits), in order of currency
    :param delay: how long after `RunTime.now` it may go
    """

    debtor_id: int
    plan_id: int
    step_id: int
    day: date
    delay: timedelta
    line_ids: tuple[int, ...]
    also_ids: tuple[int, ...]
    credit_ids: tuple[int, ...]
    totals: tuple[tuple[str, float], ...]
    is_dry: bool = False
    channel: str = "whatsapp"


@dataclass(frozen=True, slots=True)
class Outcome:
    """All decisions of a run, reminders by debtor and lines by id."""

    reminders: tuple[Reminder, ...]
    decisions: Mapping[int, LineDecision]
