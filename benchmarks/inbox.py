# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Processing stored webhooks: receipts, and texts of customers, a second."""

from collections.abc import Iterator

from . import databases
from .figures import Figure, middle

COUNT = 3000
BASELINE_COUNT = 300
ROUNDS = 3
WANTED = 1000
TEXTS = 1000
TEXTS_BASELINE = 100
TEXTS_WANTED = 300
# How many times the ORM's pace, one event after the other; statuses and texts.
TIMES = 20


def measure(ready: databases.Ready) -> Iterator[Figure]:
    """Yield figures against the ORM, one event after the other."""
    with ready.clone(databases.OURS, "wab_bench_inbox") as name:
        pairs = databases.inside(
            name,
            "inbox.process",
            count=COUNT,
            baseline_count=BASELINE_COUNT,
            rounds=ROUNDS,
        )
    ours, baseline = middle(pairs)
    yield Figure(
        "inbox_statuses_vs_orm_one_by_one",
        ours,
        baseline,
        "statuses/s",
        "Processing stored receipts against the ORM one by one",
        at_least=TIMES,
    )
    yield Figure(
        "inbox_statuses_vs_goal",
        ours,
        WANTED,
        "statuses/s",
        "Processing stored receipts against what we want",
        at_least=1,
    )
    yield from _texts(ready)


def _texts(ready: databases.Ready) -> Iterator[Figure]:
    with ready.clone(databases.OURS, "wab_bench_texts") as name:
        pairs = databases.inside(
            name,
            "inbox.process_texts",
            count=TEXTS,
            baseline_count=TEXTS_BASELINE,
            rounds=ROUNDS,
        )
    ours, baseline = middle(pairs)
    yield Figure(
        "inbox_texts_vs_orm_one_by_one",
        ours,
        baseline,
        "texts/s",
        "Keeping and telling what customers write against the ORM one by one",
        at_least=TIMES,
    )
    yield Figure(
        "inbox_texts_vs_goal",
        ours,
        TEXTS_WANTED,
        "texts/s",
        "Keeping and telling what customers write against what we want",
        at_least=1,
    )
