# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Post signed receipts over several connections, each one as soon as the last ended."""

import hashlib
import hmac
import itertools
import json
import socket
import sys
import threading
import time
from urllib.parse import urlsplit

SECRET = b"bench-app-secret"


def requests(host: str, path: str, count: int) -> list[bytes]:
    """Return whole requests, made and signed before the clock runs."""
    started = time.time_ns()
    return [_request(host, path, started + number) for number in range(count)]


def _request(host: str, path: str, number: int) -> bytes:
    status = {
        "id": f"wamid.HBgL{number}",
        "status": "delivered",
        "timestamp": "1790000000",
        "recipient_id": "34600000000",
        "biz_opaque_callback_data": f"{number:036d}",
        "pricing": {"billable": True, "category": "utility", "type": "regular"},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"phone_number_id": "300000000000001"},
        "statuses": [status],
    }
    entry = {
        "id": "200000000000001",
        "changes": [{"field": "messages", "value": value}],
    }
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]})
    signature = hmac.new(SECRET, body.encode(), hashlib.sha256).hexdigest()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: keep-alive\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"X-Hub-Signature-256: sha256={signature}\r\n\r\n"
    )
    return f"{head}{body}".encode()


class Connection:
    """A connection that is kept where the server keeps it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._socket: socket.socket | None = None

    def post(self, request: bytes) -> bytes:
        """Return the whole answer."""
        for _attempt in range(2):
            fresh = self._socket is None
            if self._socket is None:
                self._socket = socket.create_connection(self._address, timeout=30)
            try:
                self._socket.sendall(request)
                answer = self._read(self._socket)
            except OSError:
                answer = b""
            if answer or fresh:
                return answer
            self._close()
        return b""

    def _read(self, connection: socket.socket) -> bytes:
        answer = b""
        while True:
            part = connection.recv(65536)
            answer += part
            head, separator, body = answer.partition(b"\r\n\r\n")
            low = head.lower()
            if not part:
                self._close()
                return answer
            if separator and b"content-length:" in low:
                length = int(low.split(b"content-length:")[1].split(b"\r\n")[0])
                if len(body) >= length:
                    if low.startswith(b"http/1.0") or b"connection: close" in low:
                        self._close()
                    return answer

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def main(url: str, path: str, count: int, connections: int) -> None:
    """Print rate (requests/s) and p99_ms as JSON."""
    parts = urlsplit(url)
    todo = requests(parts.netloc, path, count)
    numbers = itertools.count()
    took: list[float] = []
    wrong: list[bytes] = []

    def work() -> None:
        connection = Connection((parts.hostname or "", parts.port or 80))
        while (number := next(numbers)) < count:
            started = time.perf_counter()
            answer = connection.post(todo[number])
            took.append(time.perf_counter() - started)
            if b" 200 " not in answer[:20]:
                wrong.append(answer[:200])

    threads = [threading.Thread(target=work) for _ in range(connections)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    if wrong:
        sys.exit(f"{len(wrong)} wrong answers: {wrong[0]!r}")
    p99 = sorted(took)[int(len(took) * 0.99)] * 1000
    print(json.dumps({"rate": count / seconds, "p99_ms": p99}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
