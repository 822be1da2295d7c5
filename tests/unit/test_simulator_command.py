# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The simulator as a command."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from simulator import RunningSimulator

ROOT = Path(__file__).parents[2]


def test_it_says_when_it_is_ready_and_stops_when_told() -> None:
    command = [sys.executable, "-m", "simulator", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        assert line.startswith("simulator ready on http://127.0.0.1:")
        address = line.split()[-1]
        with build_opener(ProxyHandler({})).open(f"{address}_control/state") as answer:
            assert json.load(answer)["counts"]["messages"] == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_port_in_use_is_said_in_a_sentence() -> None:
    with RunningSimulator() as simulator:
        port = simulator.url.rsplit(":", 1)[1]
        command = [sys.executable, "-m", "simulator", "--port", port]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr.startswith("simulator could not start:")
