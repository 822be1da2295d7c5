# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A provider that answers every send after a fixed time, and does nothing else.

Not the simulator: that one checks templates, numbers and pace as Meta does, and on
two cores its work would be measured instead of ours. This one answers some ten
thousand requests a second with a tenth of a core per thousand. It speaks enough of
Meta's and Twilio's answers for the clients of both, and counts what it accepted.
"""

import asyncio
import itertools
import json
import re
import sys

_UUID = re.compile(rb'"biz_opaque_callback_data":\s*"([^"]+)"')
_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)


class World:
    """What was accepted since the last reset."""

    def __init__(self) -> None:
        self.serial = itertools.count(1)
        self.reset()

    def reset(self) -> None:
        self.accepted = 0
        self.uuids: set[bytes] = set()


class Provider(asyncio.Protocol):
    """One keep-alive connection; requests on it are answered in turn."""

    def __init__(self, world: World, latency: float) -> None:
        self._world = world
        self._latency = latency
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (request := self._take()) is not None:
            path, body = request
            if path.startswith((b"/count", b"/reset")):
                self._answer(self._control(path))
                continue
            asyncio.get_running_loop().call_later(
                self._latency, self._answer, self._accept(path, body)
            )

    def _take(self) -> tuple[bytes, bytes] | None:
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return None
        found = _LENGTH.search(head)
        length = int(found[1]) if found else 0
        if len(rest) < length:
            return None
        self._buffer = rest[length:]
        return head.split(b" ", 2)[1], rest[:length]

    def _control(self, path: bytes) -> bytes:
        world = self._world
        found = {"accepted": world.accepted, "distinct": len(world.uuids)}
        if path.startswith(b"/reset"):
            world.reset()
        return json.dumps(found).encode()

    def _accept(self, path: bytes, body: bytes) -> bytes:
        world = self._world
        world.accepted += 1
        number = next(world.serial)
        if path.startswith(b"/2010-04-01/"):
            return b'{"sid":"SM%032d","status":"queued"}' % number
        found = _UUID.search(body)
        world.uuids.add(found[1] if found else b"%d" % number)
        return (
            b'{"messaging_product":"whatsapp","contacts":[{"input":"0","wa_id":"0"}],'
            b'"messages":[{"id":"wamid.BENCH%020d","message_status":"accepted"}]}'
        ) % number

    def _answer(self, body: bytes) -> None:
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )


async def serve(port: int, latency: float) -> None:
    """Serve on loopback until the process is ended."""
    world = World()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Provider(world, latency), "127.0.0.1", port, backlog=1024
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        pass
    else:
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]) / 1000))
