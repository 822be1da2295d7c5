# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Credits: reserving for 10,000 messages, settling them, reading the balance."""

from collections.abc import Iterator

from . import databases
from .figures import Figure, middle

COUNT = 10_000
FEW = 100
BASELINE_COUNT = 200
ROUNDS = 3
ENTRIES = 1_000_000


def measure(ready: databases.Ready) -> Iterator[Figure]:
    """Yield figures against the ORM line by line, and against summing the journal."""
    with ready.clone(databases.OURS, "wab_bench_credits") as name:
        found = databases.inside(
            name,
            "credits.reserve",
            counts=[FEW, COUNT],
            baseline_count=BASELINE_COUNT,
            rounds=ROUNDS,
        )
        balance = databases.inside(
            name, "credits.balance", entries=ENTRIES, rounds=ROUNDS
        )
    few, many = found["queries"]
    yield Figure(
        "credits_reserve_queries",
        many,
        few,
        "queries",
        f"Reserving for {COUNT:,} messages against {FEW:,}",
        at_most=1,
    )
    for step, words in (("reserve", "Reserving"), ("settle", "Settling")):
        ours, baseline = middle(found[step])
        yield Figure(
            f"credits_{step}_per_message",
            ours * 1000,
            baseline * 1000,
            "ms",
            f"{words}, a message of {COUNT:,}, against one line by the ORM",
            at_most=1 / 5,
        )
    ours, baseline = middle(balance)
    yield Figure(
        "credits_balance",
        ours * 1000,
        baseline * 1000,
        "ms",
        f"The balance at {ENTRIES:,} entries against summing the journal",
        at_most=1 / 10,
    )
