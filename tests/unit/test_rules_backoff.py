# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.backoff import POLICIES, next_delay

jitters = st.floats(0, 1, exclude_max=True)


def test_pace_waits_powers_of_four_and_never_gives_up():
    delays = [next_delay(attempt, "pace", 0.0) for attempt in range(1, 7)]
    assert delays == [1, 4, 16, 64, 240, 240]
    assert next_delay(100_000, "pace", 0.0) == 240


def test_transient_gives_up_after_five_calls():
    delays = [next_delay(attempt, "transient", 0.0) for attempt in range(1, 7)]
    assert delays == [30, 60, 120, 240, None, None]


def test_recipient_limit_waits_a_day_and_gives_up_after_three_calls():
    delays = [next_delay(attempt, "recipient_limit", 0.0) for attempt in (1, 2, 3)]
    assert delays == [24 * 3600, 48 * 3600, None]


def test_no_connection_waits_as_long_as_it_takes():
    assert next_delay(1, "connection", 0.0) == 30
    assert next_delay(1000, "connection", 0.0) == 720


@pytest.mark.parametrize(
    "kind", ["content", "recipient", "template", "account", "unknown", "new", ""]
)
def test_kinds_that_waiting_does_not_cure_give_up(kind):
    assert next_delay(1, kind, 0.5, retry_after=10) is None


@given(
    st.integers(-3, 10**6),
    st.sampled_from(sorted(POLICIES)),
    jitters,
    st.none() | st.floats(0, 86_400),
)
def test_delay_is_finite_within_bounds_and_respects_the_provider(
    attempt, kind, jitter, retry_after
):
    delay = next_delay(attempt, kind, jitter, retry_after)
    if delay is None:
        assert POLICIES[kind].attempts is not None
        return
    assert math.isfinite(delay)
    assert delay >= max(POLICIES[kind].first, retry_after or 0)
    if retry_after is None:
        assert delay <= POLICIES[kind].ceiling


@given(st.sampled_from(sorted(POLICIES)), jitters)
def test_more_failures_never_wait_less(kind, jitter):
    delays = [next_delay(attempt, kind, jitter) for attempt in range(1, 40)]
    known = [delay for delay in delays if delay is not None]
    assert known == sorted(known)
    assert all(delay is None for delay in delays[len(known) :])


def test_jitter_spreads_even_at_the_ceiling():
    assert next_delay(50, "pace", 0.0) < next_delay(50, "pace", 0.9) <= 300


@pytest.mark.parametrize("hint", [-5.0, math.nan, math.inf])
def test_nonsense_from_the_provider_is_ignored(hint):
    assert next_delay(1, "transient", 0.0, hint) == 30
