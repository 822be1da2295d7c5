# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import window

NOW = datetime(2026, 11, 20, 12, 0)
MADRID = "Europe/Madrid"


def test_window_never_opened_is_closed():
    assert not window.is_open(None, NOW)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(0), True),
        (timedelta(hours=23, minutes=54, seconds=59), True),
        (timedelta(hours=23, minutes=55), False),
        (timedelta(hours=24), False),
    ],
)
def test_window_closes_five_minutes_early(age, expected):
    assert window.is_open(NOW - age, NOW) is expected


def test_any_moment_can_be_compared():
    for moment in (datetime.max, datetime.min):
        here = moment.replace(tzinfo=NOW.tzinfo)
        assert window.is_open(here, NOW) is (moment == datetime.max)


@pytest.mark.parametrize(
    ("now", "start", "end", "expected"),
    [
        # Madrid is at UTC+1 in November.
        ("2026-11-20 12:00", 21, 9, "2026-11-20 12:00"),
        ("2026-11-20 19:59", 21, 9, "2026-11-20 19:59"),
        ("2026-11-20 20:00", 21, 9, "2026-11-21 08:00"),
        ("2026-11-20 23:30", 21, 9, "2026-11-21 08:00"),
        ("2026-11-21 03:00", 21, 9, "2026-11-21 08:00"),
        ("2026-11-21 08:00", 21, 9, "2026-11-21 08:00"),
        ("2026-11-20 13:00", time(14), time(16, 30), "2026-11-20 15:30"),
        ("2026-11-20 13:00", 14.0, 16.5, "2026-11-20 15:30"),
        ("2026-11-20 22:59", 20.5, 24.0, "2026-11-20 23:00"),
        ("2026-11-20 13:00", 9, 9, "2026-11-20 13:00"),
        # Summer: UTC+2. The clocks go back on 25 October, forward on 29 March.
        ("2026-07-01 19:00", 21, 9, "2026-07-02 07:00"),
        ("2026-10-24 20:00", 21, 9, "2026-10-25 08:00"),
        ("2026-03-28 21:00", 21, 9, "2026-03-29 07:00"),
        # 02:30 happens twice: seen from the second time, the second one.
        ("2026-10-25 00:10", 21, 2.5, "2026-10-25 00:30"),
        ("2026-10-25 01:10", 21, 2.5, "2026-10-25 01:30"),
        # 02:30 does not happen.
        ("2026-03-29 00:30", 21, 2.5, "2026-03-29 01:30"),
    ],
)
def test_quiet_hours_end_in_the_recipients_morning(now, start, end, expected):
    moment = datetime.fromisoformat(now)
    answer = window.next_allowed(moment, MADRID, start, end)
    assert answer == datetime.fromisoformat(expected)
    assert answer.tzinfo is None


def test_zone_of_the_question_is_kept():
    now = datetime(2026, 11, 20, 22, 0, tzinfo=ZoneInfo("America/Bogota"))
    answer = window.next_allowed(now, ZoneInfo("America/Bogota"), 21, 9)
    assert answer == datetime(2026, 11, 21, 14, 0, tzinfo=timezone.utc)
    assert answer.tzinfo == now.tzinfo


@pytest.mark.parametrize("tz", [None, "", "Mars/Olympus", "../etc/passwd"])
def test_unknown_zone_is_utc(tz):
    answer = window.next_allowed(datetime(2026, 11, 20, 22, 0), tz, 21, 9)
    assert answer == datetime(2026, 11, 21, 9, 0)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),
    st.sampled_from([MADRID, "America/Sao_Paulo", "Asia/Kathmandu", "UTC"]),
    st.integers(0, 23),
    st.integers(0, 23),
)
def test_answer_is_never_past_nor_more_than_a_day_away(now, tz, start, end):
    answer = window.next_allowed(now, tz, start, end)
    assert now <= answer <= now + timedelta(hours=25)
    if start == end:
        assert answer == now
