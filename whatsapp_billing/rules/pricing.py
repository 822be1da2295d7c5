# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What a message costs: before it goes, and by what the provider says it was.

Prices are rows with a start date, never code (the provider changes them each quarter,
its model each year or two). Amounts are decimals with six places. Source: pricing
pages and webhook reference as of 2026-10-10.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from .markets import ANY
from .terms import _lt

PLACES: Final = Decimal("0.000001")
ZERO: Final = Decimal(0)
# On the provider's list one credit is a cent of the list's currency (US dollar): the
# smallest price shipped is 0.08 credits, a usual one two.
CREDITS_PER_UNIT: Final = Decimal(100)

CATEGORIES: Final[dict[str, str]] = {
    "utility": _lt("Utility"),
    "marketing": _lt("Marketing"),
    "authentication": _lt("Authentication"),
    "authentication_international": _lt("Authentication, international"),
    "service": _lt("Service (free text)"),
}
# The provider's category -> ours. A message of an unknown category costs what was
# reserved.
_WORDS: Final = {
    "marketing_lite": "marketing",
    "group_marketing": "marketing",
    "group_service": "service",
    "group_utility": "utility",
}
# What a list without a row of its own for a category charges instead: authentication
# and service are listed at the utility rate since 2026-10-01.
_INSTEAD: Final = {
    "authentication_international": "authentication",
    "authentication": "utility",
    "service": "utility",
}
# (from, messages): how many free texts a business number may have delivered in a
# calendar month before they cost; before the first date there was no end to it.
_FREE_SERVICE: Final = ((date(2026, 10, 1), 1000),)


def exact(value: Decimal | float | int | str) -> Decimal:
    """Return an amount with six places, halves away from zero.

    A float is read as the decimal that it prints as, not as its binary neighbour.
    """
    decimal = value if isinstance(value, Decimal) else Decimal(str(value))
    return decimal.quantize(PLACES, rounding=ROUND_HALF_UP)


def convert(amount: Decimal, rate: Decimal | float) -> Decimal:
    """Return an amount in another currency, `rate` units of it for one."""
    return exact(exact(amount) * Decimal(str(rate)))


def credits_of(price: Decimal) -> Decimal:
    """Return the credits of a price on the provider's list (its main currency)."""
    return exact(price * CREDITS_PER_UNIT)


def windows_of(category: str) -> tuple[bool, ...]:
    """Return inside and/or outside the service window: where a category exists."""
    return (True,) if category == "service" else (False, True)


@dataclass(frozen=True, slots=True)
class Rate:
    """One row of a price list. `priority` decides between rows of the same day."""

    uid: int
    market: str
    category: str
    in_window: bool
    valid_from: date
    credits: Decimal
    price: Decimal = ZERO
    currency: str = ""
    priority: int = 0


class PriceList:
    """Dated rows, looked up by what is sent, where and when."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        self._rows: dict[tuple[str, str, bool], list[Rate]] = {}
        self._found: dict[tuple[str, str, bool, date, str], Rate | None] = {}
        for rate in rates:
            key = (rate.market, rate.category, rate.in_window)
            self._rows.setdefault(key, []).append(rate)

    def find(
        self, market: str, category: str, in_window: bool, on: date, currency: str = ""
    ) -> Rate | None:
        """Return the row that holds on a day, None where the list says nothing.

        The latest start counts; of the same day the row in `currency`, then the
        company's own. A list need not have a row for everything: then the one for
        all markets, the price outside the window, or of the nearest category.
        """
        key = (market, category, in_window, on, currency)
        if key not in self._found:
            self._found[key] = self._search(*key)
        return self._found[key]

    def _search(
        self, market: str, category: str, in_window: bool, on: date, currency: str
    ) -> Rate | None:
        wanted: str | None = category
        while wanted:
            for place in (market, ANY):
                for inside in dict.fromkeys((in_window, False, True)):
                    rows = self._rows.get((place, wanted, inside), ())
                    found = _latest(rows, on, currency)
                    if found:
                        return found
            wanted = _INSTEAD.get(wanted)
        return None


def _latest(rows: Iterable[Rate], on: date, currency: str) -> Rate | None:
    return max(
        (row for row in rows if row.valid_from <= on),
        key=lambda row: (
            row.valid_from,
            row.currency == currency,
            row.priority,
            row.uid,
        ),
        default=None,
    )


def free_service_messages(on: date) -> int | None:
    """Return how many free texts a number has that month; None is no end."""
    limits = [count for start, count in _FREE_SERVICE if start <= on]
    return limits[-1] if limits else None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the provider says a delivered message was.

    `category` is None when it did not say, or in words that we do not know: then the
    message was what it was queued as.
    """

    category: str | None = None
    is_free: bool = False
    type: str = ""


def settlement(pricing: Mapping[str, Any] | None) -> Settlement:
    """Read the `pricing` object of a status.

    `billable` decides where it is present, else `type`; whatever is neither known to
    be free nor exempt counts as charged.
    """
    if not isinstance(pricing, Mapping):
        return Settlement()
    kind = str(pricing.get("type") or "")
    billable = pricing.get("billable")
    is_free = kind.startswith("free_") or pricing.get("subtype") == "paid_exempt"
    if isinstance(billable, bool):
        is_free = not billable
    word = str(pricing.get("category") or "").replace("-", "_").lower()
    category = _WORDS.get(word, word)
    return Settlement(category if category in CATEGORIES else None, is_free, kind)


def is_outdated(newest: date | None, today: date) -> bool:
    """Tell whether a quarter has begun since the newest card did.

    Rates may change on 1 January, April, July and October, announced a month before.
    """
    if newest is None:
        return True
    quarter = date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    return newest < quarter


def lasts_until(
    available: Decimal,
    daily: Decimal,
    planned: Mapping[date, Decimal],
    today: date,
    days: int = 366,
) -> date | None:
    """Return the last day that credit covers; None when it covers `days` or more.

    :param daily: usual use a day besides what is planned
    :param planned: use of single days that is known beforehand
    :return: yesterday when there is not even enough for today
    """
    left = available
    for ahead in range(days):
        day = today + timedelta(days=ahead)
        left -= daily + planned.get(day, ZERO)
        if left < 0:
            return day - timedelta(days=1)
    return None
