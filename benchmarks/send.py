# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Sending queued messages to a provider that answers in 100 ms."""

from collections.abc import Iterator

from . import databases
from .figures import Figure, middle

COUNT = 1000
ROUNDS = 3
# One after the other at a tenth of a second each: more would tell the same later.
TWILIO_COUNT = 200
HIGHEST_PACE = 1000


def measure(ready: databases.Ready) -> Iterator[Figure]:
    """Yield figures against core's SMS and against a bare loop."""
    with (
        databases.stub(100) as url,
        ready.clone(databases.OURS, "wab_bench_send") as name,
    ):
        found = databases.inside(
            name, "send.drain", url=url, count=COUNT, rounds=ROUNDS
        )
        twilio = databases.inside(name, "send.twilio", url=url, count=TWILIO_COUNT)
    best = 0.0
    for threads, pairs in found["pairs"].items():
        ours, bare = middle(pairs)
        best = max(best, ours)
        yield Figure(
            f"send_{COUNT}_vs_bare_loop_{threads}_threads",
            ours,
            bare,
            "messages/s",
            f"Sending {COUNT:,} queued messages, {threads} threads, "
            "against a bare loop without Odoo",
            at_least=0.9,
        )
    yield Figure(
        f"send_{COUNT}_vs_sms_twilio",
        best,
        twilio,
        "messages/s",
        f"Sending {COUNT:,} queued messages against core sms_twilio",
        at_least=100,
    )
    pace = sorted(found["pace"])[len(found["pace"]) // 2]
    yield Figure(
        "send_at_highest_pace",
        pace,
        HIGHEST_PACE,
        "messages/s",
        "One process, a number of the highest pace, against that pace",
        at_least=1,
    )
