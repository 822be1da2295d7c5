# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Invoices without PDF, from pressing Send to the phone."""

from collections.abc import Iterator

from tools import odoo
from tools.ground import free_port

from . import databases
from .figures import Figure

COUNT = 100
# Both baselines make one PDF after the other: fewer, multiplied.
CORE_COUNT = 25
SECONDS = 300


def measure(ready: databases.Ready) -> Iterator[Figure]:
    """Yield seconds against core's batch Send with e-mail, and against the PDFs alone."""
    with ready.clone(databases.CORE, "wab_bench_documents_core") as name:
        core = databases.inside(
            name, "documents.core", seconds=SECONDS, count=CORE_COUNT
        )
    with (
        odoo.simulator(free_port(databases.PORT + 20)) as url,
        ready.clone(databases.OURS, "wab_bench_documents") as name,
    ):
        ours = databases.inside(
            name, "documents.ours", seconds=SECONDS, url=url, count=COUNT
        )
    alone = ours["pdf_seconds"] * COUNT / ours["cores"]
    yield Figure(
        "documents_vs_core_e_mail",
        ours["seconds"],
        core["seconds"] * COUNT / CORE_COUNT,
        "s",
        f"{COUNT} invoices without PDF, from pressing Send to the phone, against core's "
        "batch Send with e-mail to a local server",
    )
    yield Figure(
        "documents_vs_pdfs_alone",
        ours["seconds"],
        alone,
        "s",
        f"The same, against rendering {COUNT} PDFs divided by {ours['cores']} cores",
        at_most=1.15,
    )
    yield Figure(
        "documents_first_vs_one_pdf",
        ours["first_seconds"],
        ours["pdf_seconds"],
        "s",
        "Until the first message is on its phone, against rendering one PDF",
    )
