# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The nightly run over overdue receivable lines, four of them to a debtor."""

from collections.abc import Iterator

from tools.ground import ROOT, python, run

from . import databases
from .figures import Figure

SMALL, LARGE = 10_000, 100_000
# The baseline takes as long for each line, however many: measured with fewer.
CORE_COUNT = 4_000
# Seconds for what is ten times the usual size.
PATIENCE = 480


def measure(ready: databases.Ready) -> Iterator[Figure]:
    """Yield time and queries a line against OCA's credit control, and our growth."""
    _install_baseline()
    with ready.clone(databases.CORE, "wab_bench_credit") as name:
        databases._odoo(name, ["-i", "account_credit_control"])
        databases.inside(name, "collections.prepare", lines=CORE_COUNT)
        core = databases.inside(name, "collections.credit_control")
    with ready.clone(databases.OURS, "wab_bench_collect") as name:
        databases.inside(name, "collections.prepare", lines=SMALL)
        small = databases.inside(name, "collections.run")
        preview = databases.inside(name, "collections.preview")
    with ready.clone(databases.OURS, "wab_bench_collect_large") as name:
        databases.inside(name, "collections.prepare", PATIENCE, lines=LARGE)
        large = databases.inside(name, "collections.run", PATIENCE)
    yield from _against(core, small, SMALL)
    yield from _against(core, large, LARGE)
    yield Figure(
        "collections_queries_per_thousand",
        large["queries"] * 1000 / LARGE,
        small["queries"] * 1000 / SMALL,
        "queries per 1,000 lines",
        f"Queries per 1,000 lines at {LARGE:,} lines against {SMALL:,}",
        at_most=1.1,
    )
    yield Figure(
        "collections_peak_memory",
        large["peak_mb"],
        small["peak_mb"],
        "MB",
        f"Peak memory at {LARGE:,} lines against {SMALL:,}",
        at_most=1.25,
    )
    yield Figure(
        "collections_preview_30_days",
        preview["seconds"],
        small["seconds"] * 30,
        "s",
        f"A preview of 30 days over {SMALL:,} lines against 30 runs",
        at_most=1,
    )


def _against(core: dict, ours: dict, lines: int) -> Iterator[Figure]:
    yield Figure(
        f"collections_{lines}_ms_a_line",
        ours["seconds"] * 1000 / lines,
        core["seconds"] * 1000 / core["lines"],
        "ms a line",
        f"Nightly run over {lines:,} lines, messages queued, against credit control",
        at_most=1 / 20,
    )
    yield Figure(
        f"collections_{lines}_queries_a_line",
        ours["queries"] / lines,
        core["queries"] / core["lines"],
        "queries a line",
        f"The same, queries, {lines:,} lines",
        at_most=1 / 20,
    )


def _install_baseline() -> None:
    pip = [python(), "-m", "pip", "install", "--disable-pip-version-check", "-q"]
    requirements = ROOT / "benchmarks" / "requirements.txt"
    run([*pip, "--no-deps", "-r", str(requirements)], log="pip")
