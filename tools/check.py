# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What `make test` runs, in order of how soon it can fail."""

import os
import re
import subprocess
import sys
from pathlib import Path

from . import odoo, postgres
from .ground import LOGS, ROOT, VENV, free_port, python, say

DATABASE = "wab_test"


def everything() -> int:
    """Run linters and every test; stop at the first stage that fails."""
    for stage in (linters, unit_tests, odoo_tests, e2e_tests):
        code = stage()
        if code:
            say(f"\n{stage.__name__.replace('_', ' ')}: failed")
            return code
    return 0


def linters() -> int:
    """ruff, mypy on what is typed, pylint-odoo on the module, Odoo's own linters."""
    say("\n== Linters")
    commands = [
        ([_tool("ruff"), "check", "."], ROOT),
        (
            [_tool("mypy"), "--strict", "-p", "clients", "-p", "rules"],
            ROOT / "whatsapp_billing",
        ),
        ([_tool("mypy"), "--strict", "-p", "simulator"], ROOT),
        (
            [
                _tool("pylint"),
                "--rcfile",
                str(ROOT / ".pylintrc-mandatory"),
                odoo.MODULE,
                odoo.TEST_MODULE,
            ],
            ROOT,
        ),
    ]
    for command, folder in commands:
        code = subprocess.call(command, cwd=folder, env=_lint_environment())
        if code:
            return code
    return odoo_linters()


def _tool(name: str) -> str:
    return str(VENV / "bin" / name)


def _lint_environment() -> dict[str, str]:
    return {**odoo.environment(), "MYPYPATH": "."}


def unit_tests() -> int:
    """Everything that needs no Odoo."""
    say("\n== Tests without Odoo")
    return subprocess.call(
        [python(), "-m", "pytest", "-q", "-p", "no:odoo", "tests/unit"],
        cwd=ROOT,
        env={**os.environ},
    )


def odoo_tests() -> int:
    """The module's own tests in a fresh database, with HTTP and a browser."""
    say("\n== Tests in Odoo")
    odoo.make_database(DATABASE, fresh=True)
    keep_statistics(DATABASE)
    folders = [ROOT / name / "tests" for name in (odoo.MODULE, odoo.TEST_MODULE)]
    return _pytest_odoo(DATABASE, [str(folder) for folder in folders])


def keep_statistics(name: str) -> None:
    """Keep autovacuum away from a database whose tests commit nothing.

    A vacuum in the middle of a test sees none of its thousands of rows and notes that
    the tables are empty: a query of Odoo's own over payments then took four minutes.
    """
    postgres.execute(
        name,
        """
        DO $$ DECLARE t regclass; BEGIN
            FOR t IN SELECT oid FROM pg_class
                      WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
            LOOP EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = false)', t);
            END LOOP; END $$
        """,
    )


def _pytest_odoo(name: str, arguments: list[str]) -> int:
    odoo.ensure_test_module(name)
    port = free_port(8069)
    conf = odoo.write_conf(f"test-{name}", port, workers=0, db_name=name)
    environment = {**odoo.environment(), "ODOO_RC": str(conf)}
    return subprocess.call(
        [
            python(),
            "-m",
            "pytest",
            "-q",
            "--odoo-http",
            "--import-mode=prepend",
            "-p",
            "no:cacheprovider",
            *arguments,
        ],
        cwd=ROOT,
        env=environment,
    )


def odoo_linters() -> int:
    """Odoo's `test_lint`: fails for other people's add-ons; ours must not be named."""
    name = "wab_lint"
    say("\n== Odoo's own linters")
    odoo.make_database(name, fresh=True)
    log = run_tagged(name, "/test_lint", "test_lint", "-i", "test_lint")
    postgres.drop(name)
    return _report_ours(log)


def run_tagged(name: str, tags: str, log: str, *arguments: str) -> Path:
    """Run Odoo's own tests in a database and return the log, whatever became of them."""
    conf = odoo.write_conf(f"test-{name}", free_port(8069), workers=0)
    path = LOGS / f"{log}.log"
    command = [python(), odoo.launcher(), "-c", str(conf), "-d", name, *arguments]
    with path.open("wb") as stream:
        subprocess.call(
            [*command, "--test-tags", tags, "--stop-after-init"],
            env=odoo.environment(),
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    return path


def _report_ours(log: Path) -> int:
    """Say which failures name the module or one of its models."""
    text = log.read_text(errors="replace")
    if "test_lint" not in text:
        say(f"Odoo's linters did not run; see {log}")
        return 1
    ours = [
        line
        for record in _failures(text)
        for line in record.splitlines()
        if "whatsapp_billing" in line or "whatsapp.billing" in line
    ]
    for line in ours:
        say(line[:400])
    say(f"{len(ours)} findings name the module")
    return 1 if ours else 0


def _failures(text: str) -> list[str]:
    """Return the log's records of errors, each with the lines that belong to it."""
    records = re.split(r"(?m)^(?=\d{4}-\d\d-\d\d \d\d:)", text)
    return [record for record in records if re.match(r"\S+ \S+ \d+ ERROR ", record)]


def e2e_tests() -> int:
    """Black box: a served database, the simulator, RPC, webhooks, a browser."""
    say("\n== Black-box tests against a running server")
    return subprocess.call(
        [python(), "-W", "ignore", "-m", "pytest", "-q", "-p", "no:odoo", "tests/e2e"],
        cwd=ROOT,
        env=odoo.environment(),
    )


if __name__ == "__main__":
    sys.exit(everything())
