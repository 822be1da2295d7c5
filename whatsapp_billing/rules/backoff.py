# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""How long to wait before the same message is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Final


@dataclass(frozen=True, slots=True)
class Policy:
    """Describe one kind of waiting, in seconds.

    `attempts` is how many calls are made in all before giving up; None never gives up.
    """

    first: float
    factor: float
    ceiling: float
    attempts: int | None


# Jitter only ever adds, a quarter at most: every first delay is a minimum that Meta
# names. Ceilings are reached with the jitter on top, so the waiting stays spread out.
JITTER: Final = 0.25

POLICIES: Final[dict[str, Policy]] = {
    # Meta, pair rate and throughput limits (131056, 130429; error page, 2026): wait
    # 4^X seconds, X from 0, until it succeeds. Too fast is never the message's fault.
    "pace": Policy(first=1, factor=4, ceiling=300, attempts=None),
    "transient": Policy(first=30, factor=2, ceiling=3600, attempts=5),
    # No connection was made: our network is down, not this message. It waits until the
    # network is back, however long that takes, and is looked at again before it goes.
    "connection": Policy(first=30, factor=2, ceiling=900, attempts=None),
    # Meta, 131048/131049 (error page, 2026): not before 24 hours, and repeated
    # retries are themselves limited since 2026-04-30.
    "recipient_limit": Policy(first=24 * 3600, factor=2, ceiling=72 * 3600, attempts=3),
}


def next_delay(
    attempt: int, kind: str, jitter: float, retry_after: float | None = None
) -> float | None:
    """Return the seconds to wait after a failed call; None means give up.

    :param attempt: calls made so far for this message, the failed one included (1..)
    :param kind: the `kind` of the client's error; kinds without a policy (content,
        recipient, template, account, unknown) are never tried again by waiting
    :param jitter: a random number in [0, 1)
    :param retry_after: seconds the provider asked for; a minimum, also above ceilings
    """
    policy = POLICIES.get(kind)
    if policy is None:
        return None
    if policy.attempts is not None and attempt >= policy.attempts:
        return None
    spread = 1 + JITTER * min(max(jitter, 0.0), 1.0)
    # 30 doublings exceed every ceiling; more would only overflow.
    steps = min(max(attempt, 1) - 1, 30)
    delay = min(policy.first * policy.factor**steps, policy.ceiling / (1 + JITTER))
    if retry_after is not None and isfinite(retry_after):
        delay = max(delay, retry_after)
    return delay * spread
