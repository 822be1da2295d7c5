# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The credit journal under eight processes that are killed at random."""

import json
import os
import signal
import subprocess
from contextlib import suppress

import pytest

from tools import odoo, postgres
from tools.ground import LOGS, PATIENCE, ROOT, python

DATABASE = "wab_e2e_credits"
SECONDS = float(os.environ.get("CREDIT_STORM_SECONDS", "60"))
SEED = int(os.environ.get("CREDIT_STORM_SEED", "1"))


@pytest.fixture
def database():
    odoo.make_database(DATABASE, fresh=True)
    yield DATABASE
    postgres.drop(DATABASE)


def test_eight_processes_never_overspend_whoever_is_killed(database):
    found = storm(database)
    print(json.dumps(found))
    assert not found["broken"], found
    assert found["checks"] > 10, found
    assert found["kills"] > 8, found
    done = found["works"]
    for work in ("reserve", "settle", "fail", "buy", "refund", "release_held"):
        assert done.get(work, 0) > 0, found


def storm(database):
    """Run the storm in a process with Odoo; return what it found."""
    conf = odoo.write_conf("e2e-credits", 8068, workers=0, db_name=database)
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / "e2e-credits.log"
    command = [python(), "-W", "ignore", "tests/e2e/credit_storm.py", str(conf)]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*command, database, str(SECONDS), str(SEED), str(60 * PATIENCE)],
            cwd=ROOT,
            env=odoo.environment(),
            stdout=subprocess.PIPE,
            stderr=stream,
            start_new_session=True,
        )
    try:
        output, _nothing = process.communicate(timeout=SECONDS + 90 * PATIENCE)
    finally:
        # The workers are in its process group: none outlives it.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, log.read_text(errors="replace")[-3000:]
    return json.loads(output.decode().strip().splitlines()[-1])
