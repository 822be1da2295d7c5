# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Webhook intake: signed receipts over eight connections, three workers."""

import json
import subprocess
from collections.abc import Iterator

from tools import odoo
from tools.ground import ROOT, free_port, python

from . import databases
from .figures import Figure, middle

CONNECTIONS = 8
WORKERS = 3
COUNT = 1000
ROUNDS = 3
MAX_P99_MS = 100


def measure(ready: databases.Ready) -> Iterator[Figure]:
    """Yield figures against a bare controller that inserts one row."""
    with ready.clone(databases.OURS, "wab_bench_intake") as name:
        address = databases.inside(name, "intake.connect")
        port = free_port(databases.PORT + 2)
        # No job runner: what is measured is taking in, not what follows. No `dbfilter`:
        # with one, Odoo lists the databases at each request without a session.
        conf = databases.conf(
            name,
            port,
            WORKERS,
            db_name=name,
            server_wide_modules="base,web,rpc",
            max_cron_threads="0",
        )
        with odoo.server(name, port, conf) as url:
            load(url, "/wab_bench/insert", 100)
            load(url, address, 100)
            pairs = [
                (load(url, address, COUNT), load(url, "/wab_bench/insert", COUNT))
                for _round in range(ROUNDS)
            ]
        stored = databases.inside(name, "intake.count")
    expected = 100 + ROUNDS * COUNT
    assert stored == {"ours": expected, "bare": expected}, stored
    ours, bare = middle([[a["rate"], b["rate"]] for a, b in pairs])
    yield Figure(
        "intake_vs_bare_controller",
        ours,
        bare,
        "requests/s",
        f"Intake of signed receipts, {CONNECTIONS} connections, {WORKERS} workers, "
        "against a bare controller",
        at_least=0.8,
    )
    late, bare_late = middle([[a["p99_ms"], b["p99_ms"]] for a, b in pairs])
    yield Figure(
        "intake_p99_vs_bare_controller",
        late,
        bare_late,
        "ms",
        "99 of 100 answers within, against the bare controller",
    )
    yield Figure(
        "intake_p99_vs_goal",
        late,
        MAX_P99_MS,
        "ms",
        "99 of 100 answers within, against what we want",
        at_most=1,
    )


def load(url: str, path: str, count: int) -> dict[str, float]:
    """Post signed receipts; return the rate and the 99th percentile."""
    command = [python(), "-m", "benchmarks.load", url, path]
    output = subprocess.run(
        [*command, str(count), str(CONNECTIONS)],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return json.loads(output)
