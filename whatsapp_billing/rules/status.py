# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Where a message stands, and which news may change that.

Receipts arrive late, twice and out of order (Meta's webhook reference, 2026-10), so the
rank decides and never the arrival: an event moves a message up or does nothing. Steps
that are our own decision (claiming, putting a row back in the queue, holding,
cancelling) go down as well and do not pass through here.
"""

from __future__ import annotations

from typing import Final

# `failed` outranks `sent` because it follows it; `delivered` outranks `failed`
# because a message that reached a phone did not fail, whatever was said before.
RANK: Final[dict[str, int]] = {
    "canceled": 0,
    "held": 0,
    "queued": 0,
    "sending": 10,
    "unknown": 20,
    "sent": 30,
    "failed": 40,
    "delivered": 50,
    "read": 60,
}

# `played` is the receipt of a voice message: the person has had it.
ALIASES: Final[dict[str, str]] = {"played": "read"}

# States from the best to the worst: a document with several messages shows the best, as
# one recipient has it then.
BEST_FIRST: Final = (
    *("read", "delivered", "sent", "sending", "unknown"),
    *("queued", "held", "failed", "canceled"),
)


def may_advance(old: str, new: str) -> bool:
    """Tell whether the news `new` changes a message that stands at `old`.

    Any evidence of `sent` or better lifts a row that we believed `queued`, `held`,
    `sending`, `unknown` or `canceled`: the provider knows better than we do. Words
    that we do not know change nothing, and an inbound message never moves.
    """
    if old == "received":
        return False
    rank = RANK.get(ALIASES.get(new, new))
    return rank is not None and rank > RANK.get(ALIASES.get(old, old), -1)


def merge(old: str, *news: str) -> str:
    """Return where a message stands after all of `news`, in whatever order."""
    state = ALIASES.get(old, old)
    for new in news:
        if may_advance(state, new):
            state = ALIASES.get(new, new)
    return state
