# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Is this a moment to remind this debtor, and if not, when is the next?"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .dunning_types import Debtor, Plan, RunTime, Trace
from .window import next_allowed

NOON = time(12)


class SendSlot(NamedTuple):
    """When a reminder may go; a `reason` means not in this run."""

    day: date
    delay: timedelta
    reason: str | None


@lru_cache(maxsize=512)
def zone(name: str | None) -> ZoneInfo | None:
    """Return a time zone, None where there is no such one."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def day_of(moment: RunTime, debtor: Debtor) -> date:
    """Return which day it is where the debtor is.

    A run for a day that somebody named is for that day everywhere.
    """
    if moment.at_noon:
        return moment.day
    return _local(moment.now, zone(debtor.timezone)).date()


def midnight(day: date, name: str | None) -> datetime:
    """Return when a day begins in a time zone: UTC without a zone."""
    begins = datetime.combine(day, time(), zone(name) or timezone.utc)
    return begins.astimezone(timezone.utc).replace(tzinfo=None)


def is_working_day(debtor: Debtor, day: date) -> bool:
    """Tell whether people work there on that day; without a calendar they do."""
    if day in debtor.holidays:
        return False
    return debtor.workdays is None or day.weekday() in debtor.workdays


def next_working_day(debtor: Debtor, day: date) -> date:
    """Return the first working day after `day`, within a year."""
    for ahead in range(1, 367):
        candidate = day + timedelta(days=ahead)
        if is_working_day(debtor, candidate):
            return candidate
    return day + timedelta(days=1)


def find_send_slot(
    plan: Plan, debtor: Debtor, moment: RunTime, trace: Trace
) -> SendSlot:
    """Return the day and the delay of a reminder, or why it waits for a later run.

    On a day when nobody works nothing is queued for later: the next working day's run
    sees more (payments, other lines that have become due) than this one. In the quiet
    hours of a working day the message is made now and waits for their end.
    """
    place = zone(debtor.timezone)
    trace.append(
        {
            "rule": "time_zone_known",
            "value": debtor.timezone or False,
            "passed": bool(place),
        }
    )
    now = _now(moment, place)
    today = _local(now, place).date()
    if plan.working_days:
        trace.append(
            {
                "rule": "working_calendar_known",
                "value": sorted(debtor.workdays or ()),
                "passed": debtor.workdays is not None,
            }
        )
        works = is_working_day(debtor, today)
        trace.append(
            {"rule": "working_day", "value": today.isoformat(), "passed": works}
        )
        if not works:
            return SendSlot(
                next_working_day(debtor, today), timedelta(), "not_working_day"
            )
    wakes = next_allowed(now, place, plan.quiet_start, plan.quiet_end)
    day = _local(wakes, place).date()
    if plan.quiet_start != plan.quiet_end:
        trace.append(
            {
                "rule": "outside_quiet_hours",
                "value": _local(now, place).strftime("%H:%M"),
                "passed": wakes == now,
            }
        )
    if plan.working_days and not is_working_day(debtor, day):
        return SendSlot(next_working_day(debtor, day), timedelta(), "not_working_day")
    return SendSlot(day, wakes - now, None)


def _now(moment: RunTime, place: ZoneInfo | None) -> datetime:
    if not moment.at_noon:
        return moment.now
    noon = datetime.combine(moment.day, NOON, place or timezone.utc)
    return noon.astimezone(timezone.utc).replace(tzinfo=None)


def _local(moment: datetime, place: ZoneInfo | None) -> datetime:
    return moment.replace(tzinfo=timezone.utc).astimezone(place or timezone.utc)
