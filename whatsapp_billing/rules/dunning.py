# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Who is reminded of what on a given day: the one place that answers.

A pure function of open receivable lines, what was said before, the plans and the
moment. The nightly run, the preview of the next 30 days and the tests are the same
call. What it promises, whatever it is given and in whatever order:

- every line is either in a reminder or has a reason, with the values that led to it;
- a debtor (commercial partner) is followed up once a day at most, across plans and
  channels, about all its due lines and currencies, the other overdue ones beside them;
- a step is done by its own channel: where the day is another's, it comes the next day;
- nothing is said about what is settled, disputed, promised, paused or being paid;
- a step is done once per line; of steps that were missed only the latest is done.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from . import dunning_time
from .dunning_lines import LineCheck, choose_step, find_obstacle, next_date
from .dunning_types import (
    Credit,
    Debtor,
    Line,
    LineDecision,
    Outcome,
    Plan,
    Reminder,
    RunTime,
    Step,
)

__all__ = [
    "Credit",
    "Debtor",
    "Line",
    "LineDecision",
    "Outcome",
    "Plan",
    "Reminder",
    "RunTime",
    "Step",
    "decide",
    "forecast",
    "is_in_share",
]

_DAY = timedelta(days=1)
# Reasons with which an overdue line is still listed beside one whose step is due.
_ALSO = frozenset({"not_due", "steps_done", "below_minimum", "condition_not_met"})


@dataclass(slots=True)
class _Found:
    """One line that could be in a message, and its step if one is due."""

    check: LineCheck
    step: Step | None
    reason: str | None


@dataclass(slots=True)
class _Group:
    """What one debtor could be told today."""

    debtor: Debtor
    due: list[_Found] = field(default_factory=list)
    also: list[_Found] = field(default_factory=list)


def is_in_share(plan_id: int, debtor_id: int, share: int) -> bool:
    """Tell whether a debtor is among the first `share` percent, always the same.

    Raising the share only adds debtors; another plan begins with others.
    """
    digest = hashlib.sha256(f"{plan_id}|{debtor_id}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < share


def decide(
    moment: RunTime,
    plans: Mapping[int, Plan],
    lines: Iterable[Line],
    credits: Iterable[Credit],
    debtors: Mapping[int, Debtor],
    selected: frozenset[int] | None = None,
) -> Outcome:
    """Return the reminders of a day and the decision about every line.

    :param credits: unused credit notes and payments of the same debtors
    :param selected: plans that this run is for; the due lines of other plans come
        along in its reminders but cause none
    """
    by_debtor: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        by_debtor[line.debtor_id].append(line)
    credit_by_debtor: dict[int, list[Credit]] = defaultdict(list)
    for credit in credits:
        credit_by_debtor[credit.debtor_id].append(credit)
    reminders: list[Reminder] = []
    decisions: dict[int, LineDecision] = {}
    for debtor_id in sorted(by_debtor):
        debtor = debtors.get(debtor_id) or Debtor(debtor_id)
        mine = sorted(by_debtor[debtor_id], key=_age)
        real, dry = _split_lines(moment, plans, mine, debtor, decisions)
        money = sorted(credit_by_debtor[debtor_id], key=lambda c: c.line_id)
        for group, is_dry in ((real, False), (dry, True)):
            reminder = _decide_group(
                moment, plans, group, money, selected, is_dry, decisions
            )
            if reminder:
                reminders.append(reminder)
    return Outcome(tuple(reminders), decisions)


def _age(line: Line) -> tuple[date, int]:
    return (line.due or date.max, line.line_id)


def _split_lines(
    moment: RunTime,
    plans: Mapping[int, Plan],
    lines: list[Line],
    debtor: Debtor,
    decisions: dict[int, LineDecision],
) -> tuple[_Group, _Group]:
    """Decide what needs no look at the whole; return the rest by kind of stage."""
    real, dry = _Group(debtor), _Group(debtor)
    day = dunning_time.day_of(moment, debtor)
    for line in lines:
        plan = plans.get(line.plan_id) if line.plan_id is not None else None
        check = LineCheck(line, plan, debtor, day)
        reason = find_obstacle(check) or _stage_obstacle(check)
        if reason:
            decisions[line.line_id] = check.decide(reason)
            continue
        assert plan is not None and line.due is not None
        step, reason = choose_step(check)
        group = dry if plan.stage == "dry_run" else real
        found = _Found(check, step, reason)
        if step:
            group.due.append(found)
        elif line.due < day and reason in _ALSO:
            group.also.append(found)
        else:
            decisions[line.line_id] = _leave_out(found, reason or "not_due")
    return real, dry


def _stage_obstacle(check: LineCheck) -> str | None:
    """Return why a plan that is being tried out leaves this debtor alone."""
    plan, debtor = check.plan, check.debtor
    assert plan is not None
    if plan.stage == "own_numbers":
        is_own = debtor.has_own_number
        return "not_own_number" if check.fails("own_number", is_own, is_own) else None
    if plan.stage == "share":
        chosen = is_in_share(plan.plan_id, debtor.debtor_id, plan.share)
        return "outside_share" if check.fails("in_share", plan.share, chosen) else None
    return None


def _leave_out(
    found: _Found, reason: str, next_check_date: date | None = None
) -> LineDecision:
    """Return the decision about a line that is in no reminder."""
    check, step = found.check, found.step
    if step is None:
        reason = found.reason or reason
        return check.decide(
            reason, next_date=next_date(check, check.line.last_step_days)
        )
    return check.decide(
        reason,
        step_id=step.step_id,
        days=step.days,
        next_date=next_check_date or check.next_check_date,
        next_check_date=next_check_date or check.next_check_date,
    )


def _decide_group(
    moment: RunTime,
    plans: Mapping[int, Plan],
    group: _Group,
    credits: list[Credit],
    selected: frozenset[int] | None,
    is_dry: bool,
    decisions: dict[int, LineDecision],
) -> Reminder | None:
    """Decide about a debtor's lines together; return the reminder, if there is one."""
    totals = _net(group, credits, decisions)
    channel = _choose_channel(group, selected)
    if _set_aside(group, channel, decisions):
        totals = _net(group, credits, decisions)
    if not group.due:
        _leave_out_all(group, "not_due", None, decisions)
        return None
    top = max(group.due, key=_weight)
    assert top.step is not None and top.check.plan is not None
    plan = top.check.plan
    shared: list[dict[str, object]] = []
    slot = dunning_time.find_send_slot(plan, group.debtor, moment, shared)
    reason, next_check_date = slot.reason, slot.day if slot.reason else None
    if not reason:
        reason, next_check_date = _group_obstacle(
            group, plan, slot.day, selected, shared
        )
    for found in group.due:
        found.check.trace.extend(shared)
    if reason:
        _leave_out_all(group, reason, next_check_date, decisions)
        return None
    for found in group.due:
        decisions[found.check.line.line_id] = _name_in_message(found, is_dry, slot.day)
    for found in group.also:
        check = found.check
        decisions[check.line.line_id] = check.decide(
            "dry_run" if is_dry else None,
            step_id=found.step.step_id if found.step else None,
            next_date=check.next_check_date
            if found.step
            else next_date(check, check.line.last_step_days),
            channel=channel,
        )
    used = {currency for currency, _amount in totals}
    return Reminder(
        debtor_id=group.debtor.debtor_id,
        plan_id=plan.plan_id,
        step_id=top.step.step_id,
        day=slot.day,
        delay=slot.delay,
        line_ids=tuple(found.check.line.line_id for found in group.due),
        also_ids=tuple(found.check.line.line_id for found in group.also),
        credit_ids=tuple(c.line_id for c in credits if c.currency in used),
        totals=totals,
        is_dry=is_dry,
        channel=channel,
    )


def _weight(found: _Found) -> tuple[int, int, int]:
    """Return the sort key of a due line: the highest step wins, ids only break ties."""
    assert found.step is not None and found.check.plan is not None
    return (found.step.days, -found.check.plan.plan_id, -found.step.step_id)


def _choose_channel(group: _Group, selected: frozenset[int] | None) -> str:
    """Return the channel of the most serious step, among the run's plans if any is."""
    mine = [
        found
        for found in group.due
        if found.check.plan
        and (selected is None or found.check.plan.plan_id in selected)
    ]
    top = max(mine or group.due, key=_weight, default=None)
    return top.step.channel if top and top.step else ""


def _set_aside(group: _Group, channel: str, decisions: dict[int, LineDecision]) -> bool:
    """Leave what is due by another channel to the next day.

    What is overdue is named today beside the others: the totals are of all of it.

    :return: whether something is not named
    """
    due, is_left_out = [], False
    for found in group.due:
        assert found.step is not None and found.check.line.due is not None
        if found.step.channel == channel:
            due.append(found)
            continue
        found.check.fails("channel_of_the_day", channel, False)
        if found.check.line.due < found.check.day:
            group.also.append(found)
        else:
            decisions[found.check.line.line_id] = _leave_out(found, "already_today")
            is_left_out = True
    group.due = due
    return is_left_out


def _net(
    group: _Group, credits: list[Credit], decisions: dict[int, LineDecision]
) -> tuple[tuple[str, float], ...]:
    """Take credits off per currency; what they cover leaves the message."""
    owed: dict[str, float] = defaultdict(float)
    rounding: dict[str, float] = {}
    for found in [*group.due, *group.also]:
        line = found.check.line
        owed[line.currency] += line.open_amount
        rounding[line.currency] = line.rounding
    for credit in credits:
        if credit.currency in owed:
            owed[credit.currency] -= credit.amount
    covered = {c for c, amount in owed.items() if amount <= rounding[c] / 2}
    for kind in ("due", "also"):
        kept = []
        for found in getattr(group, kind):
            line = found.check.line
            found.check.fails(
                "above_credits",
                round(owed[line.currency], 6),
                line.currency not in covered,
            )
            if line.currency in covered:
                decisions[line.line_id] = found.check.decide(
                    "credit_covers", step_id=found.step.step_id if found.step else None
                )
            else:
                kept.append(found)
        setattr(group, kind, kept)
    return tuple(
        (currency, _rounded(owed[currency], rounding[currency]))
        for currency in sorted(owed)
        if currency not in covered
    )


def _rounded(amount: float, rounding: float) -> float:
    return round(round(amount / rounding) * rounding, 6)


def _group_obstacle(
    group: _Group,
    plan: Plan,
    day: date,
    selected: frozenset[int] | None,
    trace: list[dict[str, object]],
) -> tuple[str | None, date | None]:
    """Return why nobody turns to this debtor on that day, and when to ask again."""
    debtor, tomorrow = group.debtor, day + _DAY
    plan_ids = {f.check.plan.plan_id for f in group.due if f.check.plan}
    if selected is not None and not plan_ids & selected:
        return "other_plan", None
    later = max(debtor.followup_days, default=None)
    trace.append(_note("first_today", str(later or ""), later is None or later < day))
    if later is not None and later >= day:
        return ("already_today", tomorrow) if later == day else ("clock_back", later)
    recent = sum(day - before < timedelta(days=7) for before in debtor.followup_days)
    if plan.max_per_week:
        trace.append(_note("week_limit", recent, recent < plan.max_per_week))
        if recent >= plan.max_per_week:
            return "too_often", tomorrow
    return None, None


def _note(rule: str, value: object, passed: bool) -> dict[str, object]:
    return {"rule": rule, "value": value, "passed": passed}


def _leave_out_all(
    group: _Group,
    reason: str,
    next_check_date: date | None,
    decisions: dict[int, LineDecision],
) -> None:
    for found in [*group.due, *group.also]:
        decisions[found.check.line.line_id] = _leave_out(found, reason, next_check_date)


def _name_in_message(found: _Found, is_dry: bool, day: date) -> LineDecision:
    check, step = found.check, found.step
    assert step is not None
    ahead = next_date(check, step.days)
    if is_dry:
        return check.decide(
            "dry_run",
            step_id=step.step_id,
            days=step.days,
            next_date=day,
            channel=step.channel,
        )
    return check.decide(
        None,
        step_id=step.step_id,
        days=step.days,
        next_date=ahead,
        next_check_date=ahead,
        action=step.action,
        channel=step.channel,
    )


def forecast(
    start: RunTime,
    days: int,
    plans: Mapping[int, Plan],
    lines: Iterable[Line],
    credits: Iterable[Credit],
    debtors: Mapping[int, Debtor],
    selected: frozenset[int] | None = None,
) -> list[tuple[date, Outcome]]:
    """Return what each of the next days would bring if nobody paid or answered."""
    known = list(lines)
    people, money = dict(debtors), list(credits)
    result = []
    for ahead in range(days):
        day = start.day + timedelta(days=ahead)
        now = datetime.combine(day, start.now.time())
        moment = start if not ahead else RunTime(now, day, at_noon=True)
        outcome = decide(moment, plans, known, money, people, selected)
        result.append((day, outcome))
        known = [
            _after(line, outcome.decisions[line.line_id], _day_of(line, moment, people))
            for line in known
        ]
        for reminder in outcome.reminders:
            debtor = people.get(reminder.debtor_id) or Debtor(reminder.debtor_id)
            people[reminder.debtor_id] = replace(
                debtor, followup_days=(*debtor.followup_days, reminder.day)
            )
    return result


def _day_of(line: Line, moment: RunTime, debtors: Mapping[int, Debtor]) -> date:
    debtor = debtors.get(line.debtor_id) or Debtor(line.debtor_id)
    return dunning_time.day_of(moment, debtor)


def _after(line: Line, decision: LineDecision, day: date) -> Line:
    """Return a line as it stands after what was decided about it."""
    values: dict[str, object] = {}
    if "promise_broken" in decision.changes:
        values["promises_broken"] = line.promises_broken + 1
    if "escalated" in decision.changes or decision.action in ESCALATING:
        values["state"] = "escalated"
    elif decision.changes and line.state in ("promised", "paused"):
        values["state"] = "active"
    done = decision.reason in (None, "dry_run")
    if done and decision.days is not None:
        values |= {"last_step_days": decision.days, "last_date": day}
    return replace(line, **values) if values else line  # type: ignore[arg-type]


# Actions after which a person has the case: no later step sends anything.
ESCALATING = frozenset({"hand_over", "stop", "legal"})
