# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What every pure test shares."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from clients.transport import Transport

# The same examples on every run: a failure here is a failure everywhere.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture
def load() -> Callable[[str], Any]:
    """Return a reader of recorded JSON, by its path without the ending."""
    return lambda name: json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))


@pytest.fixture
def load_bytes() -> Callable[[str], bytes]:
    """Return a reader of recorded JSON as bytes."""
    return lambda name: (FIXTURES / f"{name}.json").read_bytes()


Act = Callable[["Loopback", socket.socket], bool]


class Loopback:
    """A server that does to each request what the test says, down to the socket.

    Acts are used up in order; each returns whether the connection stays open.
    """

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.released = threading.Event()
        self._acts: list[Act] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def then(self, *acts: Act) -> "Loopback":
        self._acts.extend(acts)
        return self

    def reply(self, body: bytes = b"{}", status: str = "200 OK", more: str = "") -> Act:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
        return self.write(head.encode() + body, keep=True)

    @staticmethod
    def write(data: bytes, keep: bool = False) -> Act:
        def act(_server: Loopback, connection: socket.socket) -> bool:
            connection.sendall(data)
            return keep

        return act

    @staticmethod
    def silence(server: "Loopback", _connection: socket.socket) -> bool:
        """Never answer; let go when the test is over."""
        server.released.wait()
        return False

    @staticmethod
    def reset(_server: "Loopback", connection: socket.socket) -> bool:
        """Break the connection after the request was read."""
        now = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
        return False

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=[connection])
            thread.daemon = True
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while request := _read_request(connection):
                with self._lock:
                    self.requests.append(request)
                    act = self._acts.pop(0)
                if not act(self, connection):
                    return

    def close(self) -> None:
        self.released.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            data += (chunk := connection.recv(65536))
            if not chunk:
                return b""
        head, _, body = data.partition(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                while len(body) < int(line.split(b":")[1]):
                    body += connection.recv(65536)
    except OSError:
        return b""
    return head + b"\r\n\r\n" + body


@pytest.fixture
def server() -> Iterator[Loopback]:
    """Run a scripted server on the loopback interface."""
    loopback = Loopback()
    yield loopback
    loopback.close()


@pytest.fixture
def transport(monkeypatch: pytest.MonkeyPatch) -> Iterator[Transport]:
    """Return a transport that no environment leads astray."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with Transport(pool_size=4, connect_timeout=30.0, read_timeout=30.0) as opened:
        yield opened
