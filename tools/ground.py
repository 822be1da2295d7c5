# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Paths and small helpers shared by every command; standard library only."""

import os
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = Path(os.environ.get("WAB_WORK") or ROOT / ".work")
VENV = WORK / "venv"
LOGS = WORK / "logs"
# How many times longer than on a quiet machine a thing may take before a command or a
# test gives it up. It costs nothing where all is well.
PATIENCE = max(1.0, float(os.environ.get("PATIENCE") or 6))
# Where a server of ours listens when the port that it prefers is taken.
PORTS = range(10000, 30000)


class Problem(Exception):
    """Something the person at the keyboard can mend; its text says how."""


def say(text: str) -> None:
    print(text, flush=True)


def python() -> str:
    """Return the interpreter of the project's virtual environment."""
    return str(VENV / "bin" / "python")


def run(
    command: list[str], log: str | None = None, **kwargs
) -> subprocess.CompletedProcess:
    """Run a command; with `log`, keep its output in the working folder.

    :raise Problem: when it fails, naming the log
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    if log is None:
        result = subprocess.run(command, **kwargs)
        where = ""
    else:
        path = LOGS / f"{log}.log"
        with path.open("ab") as stream:
            result = subprocess.run(
                command, stdout=stream, stderr=subprocess.STDOUT, **kwargs
            )
        where = f"; see {path.relative_to(ROOT) if ROOT in path.parents else path}"
    if result.returncode:
        raise Problem(
            f"`{' '.join(command[:3])} ...` failed ({result.returncode}){where}"
        )
    return result


def stamp(name: str, content: str) -> bool:
    """Return whether the step `name` was already done for this `content`."""
    path = WORK / "stamps" / name
    return path.exists() and path.read_text() == content


def set_stamp(name: str, content: str) -> None:
    path = WORK / "stamps" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def which(*names: str) -> str | None:
    """Return the first program found on the path."""
    return next((path for name in names if (path := shutil.which(name))), None)


def free_port(preferred: int | None = None) -> int:
    """Return `preferred` when it is free on loopback, else any free port.

    The next port is free as well: `write_conf` gives it to Odoo's gevent server, which
    begins anew every two seconds where it cannot have it. Both are below those that
    outgoing connections get, which would take the second one in the meantime.
    """
    others = random.sample(PORTS, 50)
    for candidate in [preferred, *others] if preferred else others:
        try:
            with _bound(candidate), _bound(candidate + 1):
                return candidate
        except OSError:
            continue
    raise Problem("No two ports in a row are free on loopback.")


@contextmanager
def _bound(port: int) -> Iterator[None]:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        yield


def in_venv() -> bool:
    return Path(sys.prefix).resolve() == VENV.resolve()
