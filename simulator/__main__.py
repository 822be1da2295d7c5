# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Start the simulator from the command line."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

from .wiring import Simulator


def parse_arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=8099, help="0 picks a free port")
    parser.add_argument("--host", default="127.0.0.1")
    return parser.parse_args(argv)


async def serve(host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM, after printing one line that says where."""
    simulator = Simulator()
    await simulator.start(host, port)
    print(f"simulator ready on {simulator.base_url}/", flush=True)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    await simulator.stop()


def main() -> None:
    """Run the server on uvloop where it is installed."""
    arguments = parse_arguments()
    try:
        import uvloop
    except ImportError:
        pass
    else:
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    try:
        asyncio.run(serve(arguments.host, arguments.port))
    except OSError as error:
        sys.exit(f"simulator could not start: {error}")


if __name__ == "__main__":
    main()
