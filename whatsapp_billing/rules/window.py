# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""When we may write: the 24-hour service window and the quiet hours."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# 24 hours from the customer's last message. Nothing tells when Meta
# closes it, so it is closed five minutes early rather than losing a free text (131047).
SERVICE_WINDOW: Final = timedelta(hours=23, minutes=55)


def is_open(last_inbound: datetime | None, now: datetime) -> bool:
    """Tell whether free text may be sent; None means they never wrote.

    Any moment can be compared, also one at the end of the calendar: what says that it
    was written in the future was written now at the latest.
    """
    return last_inbound is not None and now - min(last_inbound, now) < SERVICE_WINDOW


def next_allowed(
    now: datetime,
    tz: str | tzinfo | None,
    start: time | float,
    end: time | float,
) -> datetime:
    """Return `now`, or when the quiet hours around it end in the recipient's zone.

    :param now: without a zone it is UTC, and so is the answer (Odoo's convention)
    :param tz: the recipient's zone; an unknown name or none is UTC
    :param start: local time the quiet hours begin; a number is hours, 21.5 is 21:30
    :param end: local time they end, the first allowed minute; the same as `start`
        means that there are none; before `start` means that they span midnight
    """
    start, end = _as_time(start), _as_time(end)
    moment = now if now.tzinfo else now.replace(tzinfo=timezone.utc)
    local = moment.astimezone(_zone(tz))
    if not _is_quiet(local.time(), start, end):
        return now
    day = local.date()
    if start > end and local.time() >= start:
        day += timedelta(days=1)
    # The hour that a clock change repeats: take the one that is still to come.
    wakes = datetime.combine(day, end, local.tzinfo).replace(fold=local.fold)
    answer = wakes.astimezone(moment.tzinfo)
    return answer if now.tzinfo else answer.replace(tzinfo=None)


def _is_quiet(clock: time, start: time, end: time) -> bool:
    if start <= end:
        return start <= clock < end
    return clock >= start or clock < end


def _as_time(value: time | float) -> time:
    if isinstance(value, time):
        return value.replace(tzinfo=None)
    hours, minutes = divmod(round(value * 60) % (24 * 60), 60)
    return time(hours, minutes)


def _zone(tz: str | tzinfo | None) -> tzinfo:
    if isinstance(tz, tzinfo):
        return tz
    try:
        return ZoneInfo(tz) if tz else timezone.utc
    except (ZoneInfoNotFoundError, ValueError):
        return timezone.utc
