# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Run a script of scenarios in a process with Odoo and a database of its own."""

import json
import subprocess
from collections.abc import Iterator

from tools import odoo, postgres
from tools.ground import LOGS, PATIENCE, ROOT, python


def played(script: str, seconds: float) -> Iterator[dict]:
    """Yield what came of each scenario, by its name; drop the database after that.

    :param script: name of a file beside this one, without its extension
    :param seconds: for all of them, on a quiet machine
    """
    database = f"wab_e2e_{script}"
    odoo.make_database(database, fresh=True)
    conf = odoo.write_conf(f"e2e-{script}", 8068, workers=0, db_name=database)
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"e2e-{script}.log"
    path = f"tests/e2e/{script}.py"
    with log.open("wb") as stream:
        process = subprocess.run(
            [python(), "-W", "ignore", path, str(conf), database],
            cwd=ROOT,
            env=odoo.environment(),
            stdout=subprocess.PIPE,
            stderr=stream,
            check=False,
            timeout=seconds * PATIENCE,
        )
    assert process.returncode == 0, log.read_text(errors="replace")[-3000:]
    outcome = json.loads(process.stdout.decode().strip().splitlines()[-1])
    print(json.dumps(outcome, indent=1))
    yield outcome
    postgres.drop(database)
