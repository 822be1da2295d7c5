# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What `make` calls. Each command sets up what it needs first."""

import json
import os
import shlex
import subprocess
import sys
import time

from . import packages
from .ground import ROOT, Problem, free_port, in_venv, python, say


def main(arguments: list[str]) -> int:
    """Run one command; a `Problem` becomes one sentence."""
    command = arguments[0] if arguments else "help"
    if command not in COMMANDS:
        say(f"Commands: {', '.join(sorted(COMMANDS))}")
        return 2
    try:
        if not in_venv():
            packages.ensure_venv()
            # In place of this process: a waiting parent would kill it at Ctrl-C
            # before it has stopped the servers that it started.
            os.chdir(ROOT)
            os.execv(python(), [python(), "-W", "ignore", "-m", "tools", *arguments])
        return COMMANDS[command](*arguments[1:]) or 0
    except Problem as problem:
        say(f"\n{problem}")
        return 1
    except KeyboardInterrupt:
        say("\nStopped.")
        return 0


def setup() -> None:
    """Bring everything, start nothing that stays."""
    from . import odoo, odoo_source, postgres

    packages.ensure_programs()
    odoo_source.find()
    postgres.settings()
    odoo.ensure_base()


def _port(name: str, default: int) -> int:
    return int(os.environ.get(name) or free_port(default))


def serve() -> None:
    """Serve a database with the module and no demo data."""
    from . import odoo

    setup()
    name = os.environ.get("DB") or "wab_odoo"
    port = _port("PORT", 8069)
    odoo.make_database(name)
    with _server(name, port, workers=0) as url:
        _greet(name, url)
        _stay()


def _server(name: str, port: int, workers: int = 2):
    """Serve a database.

    :param workers: none for people: one process answers pages and websocket at one
        address. With workers the websocket has a port of its own, and a browser that no
        proxy leads there shows "connection lost" and ticks that never move.
    """
    from . import odoo

    conf = odoo.write_conf(name, port, workers, db_name=name, dbfilter=f"^{name}$")
    extra = shlex.split(os.environ.get("ODOO_ARGS") or "")
    return odoo.server(name, port, conf, extra)


def _greet(name: str, url: str) -> None:
    from . import odoo

    say(f"\nReady: {url}/odoo   user admin, password admin   database {name}")
    say(f"API key for JSON-2: {odoo.api_key(name)}")


def _stay() -> None:
    say("Serving until Ctrl-C.")
    while True:
        time.sleep(3600)


def shell() -> int:
    """Open a prompt on the database of `make odoo`."""
    from . import odoo

    setup()
    name = os.environ.get("DB") or "wab_odoo"
    odoo.make_database(name)
    conf = odoo.write_conf("shell", 8068, workers=0)
    return subprocess.call(
        [python(), odoo.launcher(), "shell", "-c", str(conf), "-d", name, "--no-http"],
        env=odoo.environment(),
    )


def story() -> int:
    """Play the main story on a fresh database; the last line is its result."""
    from . import odoo
    from .rpc import Control, Json2
    from .story import Story

    setup()
    name = os.environ.get("DB") or "wab_story"
    odoo.make_database(name, fresh=True)
    with (
        odoo.simulator(_port("SIMULATOR_PORT", 8099)) as phone,
        _server(name, _port("PORT", 8079)) as url,
    ):
        say(f"Playing the story on {url} with the simulated phone at {phone}:")
        seen = Story(Json2(url, odoo.api_key(name)), Control(phone)).play()
    say(json.dumps(seen, ensure_ascii=False))
    return 0


def demo() -> None:
    """Serve a database with demo data and the simulator, story played."""
    from . import odoo
    from .furnish import Furnishing
    from .rpc import Control, Json2
    from .story import CUSTOMER, Story

    setup()
    name = os.environ.get("DB") or "wab_demo"
    odoo.make_database(name, demo=True, fresh=True)
    with (
        odoo.simulator(_port("SIMULATOR_PORT", 8099)) as phone,
        _server(name, _port("PORT", 8069), workers=0) as url,
    ):
        say("Playing the main story:")
        control = Control(phone)
        client = Json2(url, odoo.api_key(name))
        seen = Story(client, control).play()
        Furnishing(client).furnish()
        # The story approves by hand; a visitor who presses Submit has nobody to do it.
        control.post("settings", review="auto", review_ms=3000)
        say("\nWhat was seen:")
        for key, value in seen.items():
            say(f"  {key}: {value}")
        _greet(name, url)
        say(
            f"The customer's phone: {phone}/phone/{CUSTOMER.lstrip('+')}   (all: {phone})"
        )
        say(f"Messages in Odoo:     {url}/odoo/action-whatsapp_billing.message_action")
        _stay()


def test() -> int:
    """Lint and run every test."""
    from .check import everything

    setup()
    return everything()


def lint() -> int:
    """Only the linters."""
    from .check import linters

    setup()
    return linters()


def unit() -> int:
    """Only the tests that need no Odoo."""
    from .check import unit_tests

    return unit_tests()


def terms() -> int:
    """Export the terms and bring the translations up to date with them."""
    from . import terms as translations

    setup()
    return translations.update()


def postgres13() -> int:
    """Install and test on PostgreSQL 13, where npm brings it."""
    from . import postgres13 as oldest

    setup()
    return oldest.run()


def core_tests(only: str = "") -> int:
    """Run Odoo's own tests of what the module extends, with and without it."""
    from .core_tests import run

    setup()
    return run(only)


def bench(only: str = "") -> int:
    """Run the benchmarks, or one of them."""
    setup()
    return subprocess.call(
        [python(), "-W", "ignore", "-m", "benchmarks", only], cwd=ROOT
    )


COMMANDS = {
    "setup": setup,
    "odoo": serve,
    "shell": shell,
    "story": story,
    "demo": demo,
    "test": test,
    "lint": lint,
    "unit": unit,
    "bench": bench,
    "terms": terms,
    "core_tests": core_tests,
    "postgres13": postgres13,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
