# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Databases with the same invoices: one without our module, one with it."""

import fcntl
import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field

from tools import odoo, odoo_source, postgres
from tools.ground import LOGS, ROOT, WORK, Problem, free_port, python, say

ADDONS = ROOT / "benchmarks" / "addons"
CORE = "wab_bench_core"
OURS = "wab_bench"
# Ten invoices by hand, 400 copies of each by Odoo's `populate`.
FACTOR = 400
PORT = 8191
TIMEOUT = 110


@dataclass
class Ready:
    """The two databases to clone, and what was cloned."""

    made: list[str] = field(default_factory=lambda: [CORE, OURS])

    @contextmanager
    def clone(self, template: str, name: str):
        """Yield a throw-away copy of a database."""
        self.made.append(name)
        _copy(template, name)
        try:
            yield name
        finally:
            _drop(name)
            self.made.remove(name)


@contextmanager
def prepared():
    """Make both databases, and drop every one of ours in the end."""
    ready = Ready()
    with _alone():
        yield from _prepared(ready)


@contextmanager
def _alone():
    """Wait for another run: it has the same databases, and both would be slower."""
    WORK.mkdir(parents=True, exist_ok=True)
    with (WORK / "bench.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another benchmark is running; waiting for it to end ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _prepared(ready: Ready):
    try:
        say("Preparing databases with 4,000 invoices (about a minute) ...")
        _copy(odoo.ensure_base(), CORE)
        _odoo(CORE, ["-i", "sms_twilio"])
        inside(CORE, "setup.make_invoices")
        _populate()
        inside(CORE, "setup.after_populate")
        _copy(CORE, OURS)
        _odoo(OURS, ["-i", f"{odoo.MODULE},wab_bench"])
        inside(OURS, "setup.enable_partners")
        yield ready
    finally:
        for name in ready.made:
            _drop(name)


def conf(name: str, port: int = PORT, workers: int = 0, **options: object):
    """Write the configuration of a benchmark's server or script."""
    paths = [str(ADDONS), str(ROOT), *odoo_source.addons_paths(odoo_source.find())]
    options.setdefault("addons_path", ",".join(paths))
    return odoo.write_conf(f"bench-{name}", port, workers, **options)


def _odoo(name: str, arguments: list[str]) -> None:
    common = ["-c", str(conf(name)), "-d", name, "--no-http", "--stop-after-init"]
    odoo.odoo(
        [*common, "--load=base,web,rpc,queue_job", *arguments], log=f"bench-{name}"
    )


def _populate() -> None:
    models = ["--models", "res.partner,account.move", "--factors", f"{FACTOR},{FACTOR}"]
    result = subprocess.run(
        [python(), odoo.launcher(), "populate", "-c", str(conf(CORE)), "-d", CORE]
        + models,
        env=odoo.environment(),
        cwd=WORK,
        capture_output=True,
        text=True,
    )
    if result.returncode:
        raise Problem(f"`odoo populate` failed:\n{result.stderr[-3000:]}")


def inside(name: str, function: str, seconds: int = TIMEOUT, **options: object):
    """Run `benchmarks.odoo_side.<function>` in a process with Odoo on a database.

    :return: what the function returned, by way of JSON
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"bench-{function}.log"
    command = [python(), "-W", "ignore", "-m", "benchmarks.odoo_side"]
    with log.open("wb") as stream:
        try:
            result = subprocess.run(
                [*command, str(conf(name)), name, function, json.dumps(options)],
                cwd=ROOT,
                env=environment(),
                stdout=subprocess.PIPE,
                stderr=stream,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired as error:
            raise Problem(f"{function} took longer than {seconds} s") from error
    if result.returncode:
        raise Problem(
            f"{function} failed; the end of {log}:\n{log.read_text()[-3000:]}"
        )
    line = result.stdout.decode().strip().splitlines()[-1]
    return json.loads(line)


def environment() -> dict[str, str]:
    """Return the environment in which both Odoo and this package are importable."""
    found = odoo.environment()
    path = os.pathsep.join(filter(None, [found.get("PYTHONPATH"), str(ROOT)]))
    return {**found, "PYTHONPATH": path}


@contextmanager
def stub(latency_ms: int = 100):
    """Run the provider stub; yields its address."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / "bench-stub.log"
    port = free_port(8291)
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [python(), "-m", "benchmarks.stub", str(port), str(latency_ms)],
            cwd=ROOT,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    try:
        odoo.wait_for(f"http://127.0.0.1:{port}/count", process, log, 20)
        yield f"http://127.0.0.1:{port}"
    finally:
        odoo.stop(process)


def _filestore(name: str):
    return WORK / "data" / "filestore" / name


def _copy(template: str, name: str) -> None:
    _drop(name)
    postgres.create(name, template)
    if _filestore(template).exists():
        shutil.copytree(_filestore(template), _filestore(name))


def _drop(name: str) -> None:
    postgres.drop(name)
    shutil.rmtree(_filestore(name), ignore_errors=True)
    (WORK / "data" / odoo.MODULE / f"{name}.key").unlink(missing_ok=True)
