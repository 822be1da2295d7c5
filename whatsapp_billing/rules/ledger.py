# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What a message's news writes into the credit journal.

Every entry has an effect on the balance and one on what is reserved. A message is
reserved, then settled or released; a second reservation of the same message (somebody
retried it) is a new attempt. It is settled at most once; what the provider says later
is a correction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from .pricing import ZERO, Rate, Settlement

DELIVERED: Final = frozenset({"delivered", "read"})
ENDED: Final = frozenset({"failed", "canceled"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the journal about one message, oldest first in a sequence.

    `shortfall` is what should have been taken and was not there.
    """

    kind: str
    attempt_no: int
    amount: Decimal
    reserved: Decimal
    category: str
    rate_uid: int | None = None
    shortfall: Decimal = ZERO
    is_free: bool = False


@dataclass(frozen=True, slots=True)
class Posting:
    """A line to write. `extra` is to be taken from what is available, as far as it is.

    The line's amount is `amount` less what of `extra` could be taken; the rest adds
    to `shortfall`.
    """

    kind: str
    attempt_no: int
    amount: Decimal
    extra: Decimal
    reserved: Decimal
    shortfall: Decimal
    category: str
    rate: Rate | None
    settlement: Settlement


def is_open(entries: Sequence[Entry]) -> bool:
    """Tell whether a reservation waits for its end."""
    reserves = sum(entry.kind == "reserve" for entry in entries)
    ends = sum(entry.kind in ("settle", "release") for entry in entries)
    return reserves > ends


def is_settled(entries: Sequence[Entry]) -> bool:
    """Tell whether the message was paid."""
    return any(entry.kind == "settle" for entry in entries)


def outstanding(entries: Sequence[Entry]) -> Decimal:
    """Return what is reserved for the message now."""
    return sum((entry.reserved for entry in entries), ZERO)


def charged(entries: Sequence[Entry]) -> Decimal:
    """Return what the message cost so far, covered or not."""
    return sum((entry.shortfall - entry.amount for entry in entries), ZERO)


def close(
    entries: Sequence[Entry],
    state: str,
    told: Settlement,
    category: str,
    price: Callable[[str], Rate | None],
) -> Posting | None:
    """Return what the message's state asks to be written, None for nothing.

    :param category: what it was sent as, where the provider does not say
    :param price: the row for a category on the day that the message was queued, so
        that a change of price touches no running reservation
    """
    if state in ENDED:
        return _release(entries, told) if is_open(entries) else None
    if state not in DELIVERED:
        return None
    if is_settled(entries):
        return _correct(entries, told, price)
    if told.is_free:
        return _release(entries, told) if is_open(entries) else None
    return _settle(entries, told, told.category or category, price)


def release(entries: Sequence[Entry]) -> Posting | None:
    """Return what gives back a reservation that nothing will use any more."""
    return _release(entries, Settlement()) if is_open(entries) else None


def _release(entries: Sequence[Entry], told: Settlement) -> Posting:
    reserve = _last(entries, ("reserve",))
    return Posting(
        kind="release",
        attempt_no=sum(entry.kind == "release" for entry in entries),
        amount=ZERO,
        extra=ZERO,
        reserved=-outstanding(entries),
        shortfall=ZERO,
        category=told.category or (reserve.category if reserve else ""),
        rate=None,
        settlement=told,
    )


def _settle(
    entries: Sequence[Entry],
    told: Settlement,
    category: str,
    price: Callable[[str], Rate | None],
) -> Posting:
    held = outstanding(entries)
    reserve = _last(entries, ("reserve",))
    rate = price(category)
    cost = rate.credits if rate else ZERO
    if reserve and reserve.category == category and held:
        # Costs what was reserved when it was queued; a text for which nothing was
        # reserved, as it was expected to be free, costs its price.
        cost = held
    covered = min(cost, held)
    return Posting(
        kind="settle",
        attempt_no=0,
        amount=-covered,
        extra=cost - covered,
        reserved=-held,
        shortfall=ZERO,
        category=category,
        rate=rate,
        settlement=told,
    )


def _correct(
    entries: Sequence[Entry], told: Settlement, price: Callable[[str], Rate | None]
) -> Posting | None:
    """Return the correction of a message that turns out to be something else."""
    last = _last(entries, ("settle", "adjust"))
    category = told.category or (last.category if last else "")
    if last and (last.category, last.is_free) == (category, told.is_free):
        return None
    rate = price(category)
    cost = ZERO if told.is_free or rate is None else rate.credits
    owed = sum((entry.shortfall for entry in entries), ZERO)
    back = max(ZERO, charged(entries) - cost)
    forgiven = min(owed, back)
    return Posting(
        kind="adjust",
        attempt_no=sum(entry.kind == "adjust" for entry in entries),
        amount=back - forgiven,
        extra=max(ZERO, cost - charged(entries)),
        reserved=ZERO,
        shortfall=-forgiven,
        category=category,
        rate=rate,
        settlement=told,
    )


def _last(entries: Sequence[Entry], kinds: tuple[str, ...]) -> Entry | None:
    return next((entry for entry in reversed(entries) if entry.kind in kinds), None)
