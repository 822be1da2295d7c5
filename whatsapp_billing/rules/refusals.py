# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What becomes of a message that the provider refused, in its answer or by webhook.

The same code means the same, whichever way it comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from . import backoff

# Kind of error -> reason with which the message is held until a person has mended the
# account, the number or the template.
WAITS_FOR: Final[dict[str, str]] = {
    "account": "account_inactive",
    "number": "account_inactive",
    "template": "template_not_approved",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Hold what is known of one call that was refused.

    :param kind: the class of the error, as the client says
    :param attempts: calls made so far for this message, this one included
    :param jitter: a random number in [0, 1)
    :param retry_after: seconds the provider asked for
    :param life: seconds until nobody should hear of it any more, None for no end yet
    :param has_template: False for free text, which waits for no template
    """

    kind: str
    attempts: int
    jitter: float
    retry_after: float | None = None
    life: float | None = None
    has_template: bool = True


class Verdict(NamedTuple):
    """Tell the next state, its reason, and in how many seconds it goes again."""

    state: str
    reason: str | None = None
    delay: float | None = None


FAILED: Final = Verdict("failed")


def life_left(expires_at: datetime | None, now: datetime) -> float | None:
    """Return the seconds until a message is too old to be told, None for no end."""
    return None if expires_at is None else (expires_at - now).total_seconds()


def judge(refusal: Refusal) -> Verdict:
    """Return what becomes of the message.

    It waits for who is to blame, goes again later each time while it lives, or has
    failed.
    """
    if refusal.life is not None and refusal.life <= 0:
        return FAILED
    reason = WAITS_FOR.get(refusal.kind)
    if refusal.kind == "template" and not refusal.has_template:
        reason = None
    if reason:
        return Verdict("held", reason)
    delay = backoff.next_delay(
        max(refusal.attempts, 1), refusal.kind, refusal.jitter, refusal.retry_after
    )
    if delay is None or (refusal.life is not None and delay >= refusal.life):
        return FAILED
    return Verdict("queued", None, delay)
