# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A customer whose steps are due by several channels on one day."""

from datetime import date, datetime, timedelta

import pytest

from rules import dunning
from rules.dunning import Credit, Debtor, Line, Plan, RunTime, Step

TODAY = date(2026, 11, 20)
MOMENT = RunTime(datetime(2026, 11, 20, 10), TODAY)
WRITE, CALL = Step(1, 1), Step(2, 8, channel="activity")
PLANS = {1: Plan(1, (WRITE, CALL))}


def line(line_id, days, amount=100.0, plan_id=1):
    """Return a line that was due so many days ago."""
    return Line(
        line_id=line_id,
        move_id=line_id,
        debtor_id=1,
        plan_id=plan_id,
        due=TODAY - timedelta(days=days),
        open_amount=amount,
        company_amount=amount,
        currency="EUR",
    )


def decide(lines, plans=PLANS, credits=(), selected=None):
    return dunning.decide(MOMENT, plans, lines, credits, {1: Debtor(1)}, selected)


def test_the_most_serious_step_says_by_which_channel():
    outcome = decide([line(1, 8), line(2, 1)])
    (reminder,) = outcome.reminders
    assert (reminder.channel, reminder.line_ids) == ("activity", (1,))
    assert reminder.also_ids == (2,)
    assert reminder.totals == (("EUR", 200.0),)
    left = outcome.decisions[2]
    assert (left.reason, left.days, left.step_id) == (None, None, 1)
    assert left.next_check_date == left.next_date == TODAY + timedelta(days=1)
    assert left.trace[-1] == {
        "rule": "channel_of_the_day",
        "value": "activity",
        "passed": False,
    }


def test_steps_of_one_channel_go_together():
    plans = {1: Plan(1, (WRITE, Step(2, 8)))}
    (reminder,) = decide([line(1, 8), line(2, 1)], plans).reminders
    assert reminder.line_ids == (1, 2)


def test_what_is_not_overdue_is_neither_named_nor_counted():
    plans = {1: Plan(1, (Step(1, -3), CALL))}
    outcome = decide([line(1, 8), line(2, -3)], plans)
    (reminder,) = outcome.reminders
    assert (reminder.also_ids, reminder.totals) == ((), (("EUR", 100.0),))
    assert outcome.decisions[2].reason == "already_today"
    assert outcome.decisions[2].next_check_date == TODAY + timedelta(days=1)


def test_credits_that_cover_what_is_left_leave_nobody_to_call():
    """Counted anew once what is not named is out: 150 cover 100, and not 200."""
    plans = {1: Plan(1, (Step(1, -3), CALL))}
    outcome = decide([line(1, 8), line(2, -3)], plans, [Credit(9, 1, "EUR", 150.0)])
    assert not outcome.reminders
    assert outcome.decisions[1].reason == "credit_covers"
    assert outcome.decisions[2].reason == "already_today"


@pytest.mark.parametrize(("selected", "channel"), [(1, "whatsapp"), (2, "activity")])
def test_a_run_of_one_plan_is_by_its_own_channel(selected, channel):
    plans = {1: Plan(1, (WRITE,)), 2: Plan(2, (CALL,))}
    lines = [line(1, 1), line(2, 8, plan_id=2)]
    (reminder,) = decide(lines, plans, selected=frozenset({selected})).reminders
    assert reminder.channel == channel
    assert reminder.line_ids == (selected,)


def test_both_are_done_on_two_days():
    found = dunning.forecast(
        MOMENT, 3, PLANS, [line(1, 8), line(2, 1)], (), {1: Debtor(1)}
    )
    assert [
        [(reminder.channel, reminder.line_ids) for reminder in outcome.reminders]
        for _day, outcome in found
    ] == [[("activity", (1,))], [("whatsapp", (2,))], []]
