# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What the reminder engine promises, on random ledgers, plans and clocks."""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rules import dunning
from rules.dunning import Credit, Debtor, Line, Plan, RunTime, Step
from rules.dunning_time import day_of

TODAY = date(2026, 11, 20)
CURRENCIES = ("EUR", "USD", "JPY")
STAGES = ("off", "dry_run", "own_numbers", "share", "on")
# Of a plan's steps, in order.
CHANNELS = (("whatsapp",) * 4, ("whatsapp", "activity") * 2, ("activity",) * 4)
# Days on which a customer was followed up before.
FOLLOWUPS = ((), (), (TODAY,), (TODAY - timedelta(days=1), TODAY - timedelta(days=5)))
# What a line may have besides being open, due and in a plan, one at a time: all that
# stops a reminder, drawn together, left no example in which anything was said.
FLAWS = (
    {"due": None},
    {"open_amount": 0.0},
    {"company_amount": None},
    {"document": "draft"},
    {"document": "cancel"},
    {"is_cleared": True},
    {"state": "paused"},
    {"state": "promised"},
    {"state": "disputed"},
    {"payment_pending": True},
    {"bank_match": True},
    {"no_followup": True},
    {"plan_id": None},
    {"plan_id": 2},
    {"last_step_days": 0},
    {"last_step_days": 30},
)

days = st.integers(-40, 40).map(lambda n: TODAY + timedelta(days=n))
amounts = st.integers(1, 2000).map(lambda cents: cents / 4)


def usually(value, *others):
    """Return a strategy that draws others than this value now and then."""
    return st.integers(0, 15).flatmap(
        lambda n: st.sampled_from(others) if n == 11 else st.just(value)
    )


@st.composite
def plans(draw):
    found = {}
    for plan_id in (1, 2):
        channels = draw(st.sampled_from(CHANNELS))
        steps = tuple(
            Step(
                step_id=plan_id * 10 + index,
                days=offset,
                minimum_amount=draw(usually(0.0, 50.0)),
                condition=draw(
                    usually("always", "owed_amount", "days_late", "no_answer")
                ),
                threshold=draw(st.sampled_from([0.0, 2.0, 100.0])),
                action=draw(usually("none", "activity", "legal")),
                channel=channels[index],
                template_problem=draw(usually(None, "paused")),
            )
            for index, offset in enumerate(
                sorted(draw(st.sets(st.integers(-5, 30), min_size=1, max_size=4)))
            )
        )
        start = draw(st.sampled_from([0.0, 20.0, 21.5]))
        found[plan_id] = Plan(
            plan_id,
            draw(usually(steps, ())),
            stage=draw(usually("on", *STAGES)),
            share=draw(st.integers(0, 100)),
            tolerance=draw(usually(0.0, 5.0)),
            quiet_start=start,
            quiet_end=9.0 if start else 0.0,
            working_days=draw(usually(False, True)),
            max_per_week=draw(st.sampled_from([0, 1, 3])),
        )
    return found


@st.composite
def ledgers(draw):
    debtors = {
        debtor_id: Debtor(
            debtor_id,
            is_customer=draw(usually(True, False)),
            is_active=draw(usually(True, False)),
            timezone=draw(
                st.sampled_from([None, "Europe/Madrid", "America/Mexico_City", "Nope"])
            ),
            workdays=draw(st.sampled_from([None, frozenset(range(5))])),
            holidays=draw(st.frozensets(days, max_size=2)),
            followup_days=draw(st.sampled_from(FOLLOWUPS)),
            days_late=draw(st.sampled_from([0.0, 10.0])),
            unanswered=draw(st.integers(0, 3)),
            owed=draw(st.sampled_from([0.0, 50.0, 500.0, None])),
            has_own_number=draw(st.booleans()),
        )
        for debtor_id in (1, 2, 3)
    }
    lines = [
        replace(
            Line(
                line_id=line_id,
                move_id=line_id // 2,
                debtor_id=draw(st.integers(1, 3)),
                plan_id=1,
                due=TODAY - timedelta(days=draw(st.integers(-5, 40))),
                open_amount=draw(amounts),
                company_amount=draw(amounts),
                currency=draw(st.sampled_from(CURRENCIES)),
                document="posted",
                promise_date=draw(st.one_of(days, st.none())),
                promises_broken=draw(st.integers(0, 2)),
                resume_on=draw(st.one_of(days, st.none())),
                last_date=draw(
                    st.sampled_from([None, TODAY - timedelta(days=2), TODAY])
                ),
            ),
            **draw(st.sampled_from(({},) * len(FLAWS) + FLAWS)),
        )
        for line_id in range(1, draw(st.integers(1, 8)) + 1)
    ]
    credits = [
        Credit(100 + n, draw(st.integers(1, 3)), draw(st.sampled_from(CURRENCIES)), a)
        for n, a in enumerate(draw(st.lists(st.integers(1, 300), max_size=3)))
    ]
    return lines, credits, debtors


moments = st.builds(
    lambda day, hour, at_noon: RunTime(datetime.combine(day, time(hour)), day, at_noon),
    st.integers(-1, 3).map(lambda n: TODAY + timedelta(days=n)),
    st.integers(0, 23),
    st.booleans(),
)


def said(outcome):
    """Return {line id: reminders that name it}."""
    found = defaultdict(list)
    for reminder in outcome.reminders:
        for line_id in (*reminder.line_ids, *reminder.also_ids):
            found[line_id].append(reminder)
    return found


def test_the_examples_are_about_something():
    """Properties of what is said hold for whoever says nothing, too."""
    seen = Counter()

    @given(plans(), ledgers(), moments)
    @settings(max_examples=500)
    def look(plan, ledger, moment):
        lines, credits, debtors = ledger
        outcome = dunning.decide(moment, plan, lines, credits, debtors)
        seen["examples"] += 1
        seen["reminders"] += bool(outcome.reminders)
        seen["flagged"] += any(line.no_followup for line in lines)
        seen["credited"] += any(r.credit_ids for r in outcome.reminders)
        seen["activities"] += any(r.channel == "activity" for r in outcome.reminders)

    look()
    assert seen["reminders"] > seen["examples"] / 4
    assert seen["flagged"] > seen["examples"] / 20
    assert seen["credited"] > seen["examples"] / 50
    assert seen["activities"] > seen["examples"] / 20


@given(plans(), ledgers(), moments)
@settings(max_examples=300)
def test_never_a_reminder_for_a_settled_or_stopped_line(plan, ledger, moment):
    lines, credits, debtors = ledger
    mentioned = said(dunning.decide(moment, plan, lines, credits, debtors))
    for line in lines:
        if line.line_id not in mentioned:
            continue
        assert line.open_amount > 0 and not line.is_cleared
        assert line.document == "posted"
        assert line.state not in ("disputed", "escalated")
        assert not line.payment_pending and not line.bank_match
        assert not line.no_followup
        assert debtors[line.debtor_id].is_customer
        assert debtors[line.debtor_id].is_active
        if line.state == "promised" and line.promise_date:
            assert day_of(moment, debtors[line.debtor_id]) > line.promise_date


@given(plans(), ledgers(), moments)
@settings(max_examples=200)
def test_one_debtor_is_followed_up_once_a_day(plan, ledger, moment):
    lines, credits, debtors = ledger
    outcome = dunning.decide(moment, plan, lines, credits, debtors)
    real = [r for r in outcome.reminders if not r.is_dry]
    assert len({r.debtor_id for r in real}) == len(real)
    for reminder in real:
        before = debtors[reminder.debtor_id].followup_days
        assert all(day < reminder.day for day in before)


@given(plans(), ledgers(), moments)
def test_every_line_is_in_a_reminder_or_has_a_reason(plan, ledger, moment):
    lines, credits, debtors = ledger
    outcome = dunning.decide(moment, plan, lines, credits, debtors)
    mentioned = said(outcome)
    assert set(outcome.decisions) == {line.line_id for line in lines}
    for line in lines:
        decision = outcome.decisions[line.line_id]
        real = [r for r in mentioned[line.line_id] if not r.is_dry]
        assert (decision.reason is None) == bool(real)
        assert len(mentioned[line.line_id]) <= 1
        assert decision.trace
        if decision.reason and decision.reason != "dry_run":
            assert not all(answer["passed"] for answer in decision.trace) or (
                decision.reason in ("other_plan", "not_due", "steps_done")
            )


@given(plans(), ledgers(), moments, st.randoms(use_true_random=False))
def test_the_order_of_what_is_given_does_not_matter(plan, ledger, moment, chance):
    lines, credits, debtors = ledger
    expected = dunning.decide(moment, plan, lines, credits, debtors)
    mixed_lines, mixed_credits = list(lines), list(credits)
    mixed = list(debtors.items())
    for values in (mixed_lines, mixed_credits, mixed):
        chance.shuffle(values)
    again = dunning.decide(moment, plan, mixed_lines, mixed_credits, dict(mixed))
    assert again == expected


@given(plans(), ledgers(), moments)
def test_a_second_run_for_the_same_day_says_nothing(plan, ledger, moment):
    lines, credits, debtors = ledger
    first = dunning.decide(moment, plan, lines, credits, debtors)
    lines, debtors = settle(lines, debtors, first, moment)
    second = dunning.decide(moment, plan, lines, credits, debtors)
    assert not [r for r in second.reminders if not r.is_dry]


@given(plans(), ledgers(), moments)
@settings(max_examples=200)
def test_a_step_is_done_by_its_own_channel(plan, ledger, moment):
    lines, credits, debtors = ledger
    outcome = dunning.decide(moment, plan, lines, credits, debtors)
    steps = {step.step_id: step for one in plan.values() for step in one.steps}
    for reminder in outcome.reminders:
        assert reminder.channel == steps[reminder.step_id].channel
        for line_id in (*reminder.line_ids, *reminder.also_ids):
            assert outcome.decisions[line_id].channel == reminder.channel
        for line_id in reminder.line_ids:
            step = steps[outcome.decisions[line_id].step_id]
            assert step.channel == reminder.channel
        for line_id in reminder.also_ids:
            assert outcome.decisions[line_id].days is None


@given(plans(), ledgers(), moments)
@settings(max_examples=200)
def test_what_is_due_by_another_channel_comes_the_next_day(plan, ledger, moment):
    """Nothing is lost: the step stays due, and the case is looked at again."""
    lines, credits, debtors = ledger
    outcome = dunning.decide(moment, plan, lines, credits, debtors)
    for line in lines:
        decision = outcome.decisions[line.line_id]
        rules = {answer["rule"]: answer["passed"] for answer in decision.trace}
        if "channel_of_the_day" not in rules:
            continue
        assert decision.days is None or decision.reason is not None
        if decision.reason in (None, "already_today"):
            assert decision.next_check_date > day_of(moment, debtors[line.debtor_id])


@given(plans(), ledgers(), moments)
@settings(max_examples=60)
def test_forecast_is_what_running_day_by_day_brings(plan, ledger, moment):
    lines, credits, debtors = ledger
    foreseen = dunning.forecast(moment, 12, plan, lines, credits, debtors)
    seen = []
    for ahead in range(12):
        day = moment.day + timedelta(days=ahead)
        now = moment if not ahead else RunTime(moment.now, day, at_noon=True)
        outcome = dunning.decide(now, plan, lines, credits, debtors)
        seen.append((day, outcome.reminders))
        lines, debtors = settle(lines, debtors, outcome, now, dry=True)
    assert [(day, outcome.reminders) for day, outcome in foreseen] == seen
    done = defaultdict(list)
    for _day, outcome in foreseen:
        for decision in outcome.decisions.values():
            if decision.reason is None and decision.days is not None:
                done[decision.line_id].append(decision.days)
    for steps in done.values():
        assert steps == sorted(set(steps)), "a step was done twice or backwards"


@given(ledgers(), moments)
def test_totals_are_open_amounts_less_credits_per_currency(ledger, moment):
    lines, credits, debtors = ledger
    plan = {n: Plan(n, (Step(n, -40),)) for n in (1, 2)}
    by_id = {line.line_id: line for line in lines}
    for reminder in dunning.decide(moment, plan, lines, credits, debtors).reminders:
        expected = defaultdict(float)
        for line_id in (*reminder.line_ids, *reminder.also_ids):
            expected[by_id[line_id].currency] += by_id[line_id].open_amount
        for credit in credits:
            if credit.debtor_id == reminder.debtor_id and credit.currency in expected:
                expected[credit.currency] -= credit.amount
        for currency, amount in reminder.totals:
            assert abs(expected[currency] - amount) < 0.01
            assert amount > 0


@given(st.integers(1, 10**6), st.integers(0, 100))
def test_a_larger_share_only_adds_debtors(debtor_id, share):
    if dunning.is_in_share(7, debtor_id, share):
        assert dunning.is_in_share(7, debtor_id, min(share + 1, 100))
    assert dunning.is_in_share(7, debtor_id, 100)
    assert not dunning.is_in_share(7, debtor_id, 0)


def settle(lines, debtors, outcome, moment, dry=False):
    """Return ledger and debtors as the run leaves them."""
    after = []
    for line in lines:
        decision = outcome.decisions[line.line_id]
        values = {}
        if "promise_broken" in decision.changes:
            values["promises_broken"] = line.promises_broken + 1
        if "escalated" in decision.changes or decision.action in dunning.ESCALATING:
            values["state"] = "escalated"
        elif decision.changes and line.state in ("promised", "paused"):
            values["state"] = "active"
        reasons = (None, "dry_run") if dry else (None,)
        if decision.reason in reasons and decision.days is not None:
            day = day_of(moment, debtors[line.debtor_id])
            values |= {"last_step_days": decision.days, "last_date": day}
        after.append(replace(line, **values))
    people = dict(debtors)
    for reminder in outcome.reminders:
        if dry or not reminder.is_dry:
            debtor = people[reminder.debtor_id]
            people[reminder.debtor_id] = replace(
                debtor, followup_days=(*debtor.followup_days, reminder.day)
            )
    return after, people


def test_the_share_is_about_its_size():
    chosen = sum(dunning.is_in_share(1, n, 20) for n in range(5000))
    assert 900 < chosen < 1100
