# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Run a simulator inside a test: a thread with its own loop and a free port."""

from __future__ import annotations

import asyncio
import json
import threading
from types import TracebackType
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from .wiring import Simulator

Json = dict[str, Any]
_OPENER = build_opener(ProxyHandler({}))


class ControlRefused(Exception):
    """The control API answered with an error."""


class RunningSimulator:
    """Start a simulator on entering, stop it on leaving.

    >>> with RunningSimulator() as simulator:
    ...     simulator.control("reset", review="manual")
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._host, self._port = host, port
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.simulator = Simulator()

    @property
    def url(self) -> str:
        """Return the address without a slash at the end; also Graph's base."""
        return self.simulator.base_url

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self.simulator.start(self._host, self._port))
        except OSError as error:
            self._error = error
            return
        finally:
            self._ready.set()
        self._loop.run_forever()

    def start(self) -> RunningSimulator:
        """Start listening and return when ready."""
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            raise self._error
        return self

    def stop(self) -> None:
        """Stop listening."""
        if self._thread.is_alive():
            stopping = asyncio.run_coroutine_threadsafe(
                self.simulator.stop(), self._loop
            )
            stopping.result()
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> RunningSimulator:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def control(self, name: str, /, **values: Any) -> Json:
        """POST to the control API; raises ControlRefused with its sentence."""
        body = json.dumps(values).encode()
        headers = {"Content-Type": "application/json"}
        return _open(Request(f"{self.url}/_control/{name}", body, headers))

    def ask(self, name: str, /, **query: Any) -> Json:
        """GET from the control API."""
        return _open(Request(f"{self.url}/_control/{name}?{urlencode(query)}"))

    def messages(self, **query: Any) -> list[Json]:
        """Return what the phones received."""
        return list(self.ask("messages", **query)["messages"])

    def flush(self) -> Json:
        """Wait until every webhook is delivered or failed."""
        return self.control("webhooks/flush")


def _open(request: Request) -> Json:
    try:
        with _OPENER.open(request) as answer:
            return dict(json.load(answer))
    except HTTPError as error:
        with error:
            raise ControlRefused(error.read().decode()) from error
