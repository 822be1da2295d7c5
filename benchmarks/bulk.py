# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Sending 1,000 selected invoices: opening the dialog, and pressing Send."""

from collections.abc import Iterator

from . import databases
from .figures import Figure

COUNT = 1000
# What the baseline costs grows with the number: measured with fewer and multiplied,
# for it takes minutes on a busy machine.
CORE_COUNT = 200


def measure(ready: databases.Ready) -> Iterator[Figure]:
    """Yield seconds and queries against core's batch Send dialog with e-mail."""
    with ready.clone(databases.CORE, "wab_bench_bulk_core") as name:
        core = databases.inside(name, "bulk.core_dialog", count=CORE_COUNT)
    for cost in core.values():
        cost["seconds"] *= COUNT / CORE_COUNT
        cost["queries"] *= COUNT / CORE_COUNT
    with ready.clone(databases.OURS, "wab_bench_bulk") as name:
        ours = databases.inside(name, "bulk.composer", counts=[COUNT, 2 * COUNT])
    single, double = ours
    for step, words in (("open", "Opening"), ("press", "Pressing Send")):
        yield Figure(
            f"bulk_{step}_seconds",
            single[step]["seconds"],
            core[step]["seconds"],
            "s",
            f"{words}, {COUNT:,} invoices, against core's batch dialog with e-mail",
            at_most=1 / 20,
        )
        yield Figure(
            f"bulk_{step}_queries",
            single[step]["queries"],
            core[step]["queries"],
            "queries",
            f"{words}, {COUNT:,} invoices",
            at_most=1 / 20,
        )
    yield Figure(
        "bulk_seconds",
        single["open"]["seconds"] + single["press"]["seconds"],
        core["open"]["seconds"] + core["press"]["seconds"],
        "s",
        "Both together",
        at_most=1 / 20,
    )
    yield Figure(
        "bulk_queries_per_thousand",
        sum(double[step]["queries"] for step in ("open", "press")) / 2,
        sum(single[step]["queries"] for step in ("open", "press")),
        "queries per 1,000",
        f"Queries per thousand at {2 * COUNT:,} invoices against {COUNT:,}",
        at_most=1,
    )
