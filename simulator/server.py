# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The server: the way of a request, and the faults that meet it there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aiohttp
from aiohttp import web

from .control import ControlApi
from .faults import Fault
from .world import Api, Logged, Pages, Side, World

_BODY_LIMIT = 105 * 1024 * 1024
_JSON = "application/json; charset=UTF-8"
_HTML = b"<!DOCTYPE html><html><body><h1>Bad Gateway</h1></body></html>"


class Server:
    """Listen, find the side that a request is for, and let it answer."""

    def __init__(
        self, world: World, control: ControlApi, sides: Sequence[Side]
    ) -> None:
        self.world = world
        self.control = control
        # Filled anew by each reset, also while a call waits.
        self.sides = sides
        self._runner: web.ServerRunner | None = None
        self._alarm: asyncio.TimerHandle | None = None

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 takes a free one."""
        self.world.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), trust_env=False
        )
        self._runner = web.ServerRunner(web.Server(self.handle, access_log=None))
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, backlog=1024)
        await site.start()
        address = self._runner.addresses[0]
        shown = "127.0.0.1" if host == "0.0.0.0" else host
        self.world.base_url = f"http://{shown}:{address[1]}"
        self._tick()

    async def stop(self) -> None:
        """Close every connection."""
        if self._alarm is not None:
            self._alarm.cancel()
        self.world.faults.clear()
        self.world.scheduler.clear()
        for side in self.sides:
            side.close()
        self.world.watchers.poke_all("close")
        if self._runner is not None:
            await self._runner.cleanup()
        if self.world.session is not None:
            await self.world.session.close()

    def _tick(self) -> None:
        self.world.ring()
        self._alarm = asyncio.get_running_loop().call_later(1, self._tick)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer any request."""
        path = request.path
        if path.split("/", 2)[1] == "_control":
            return await self.control.handle(request)
        side = self._side(path)
        if isinstance(side, Pages):
            return await side.show(request)
        body = await _read(request)
        if body is None:
            text = b'{"error":{"message":"Request body too large","code":1}}'
            return web.Response(body=text, status=413, content_type="application/json")
        fault = self.world.faults.match(request.method, path)
        response = await self._answer(request, path, body, fault)
        self.world.log.add(
            Logged(
                self.world.clock.now(),
                request.method,
                path,
                request.query_string,
                response.status,
                body[:20_000],
                fault.action if fault else "",
            )
        )
        return response

    def _side(self, path: str) -> Side:
        return next(side for side in self.sides if side.takes(path))

    def _api(self, path: str) -> Api:
        side = self._side(path)
        assert isinstance(side, Api)
        return side

    async def _answer(
        self, request: web.BaseRequest, path: str, body: bytes, fault: Fault | None
    ) -> web.Response:
        """Let a side answer a call, with the fault that was asked for."""
        if self.world.settings.latency_ms:
            await asyncio.sleep(self.world.settings.latency_ms / 1000)
        if fault is not None and fault.when == "before":
            early = await self._spoil(request, path, fault)
            if early is not None:
                return early
        response = await self._api(path).answer(request, path, body)
        if fault is not None and fault.when == "after":
            return await self._spoil(request, path, fault) or response
        return response

    async def _spoil(
        self, request: web.BaseRequest, path: str, fault: Fault
    ) -> web.Response | None:
        """Answer what a fault asks for, or wait for it and return nothing."""
        status = fault.http_status
        if fault.action == "latency":
            await asyncio.sleep(fault.ms / 1000)
            return None
        if fault.action == "error":
            return self._api(path).refuse(fault)
        if fault.action == "html":
            return web.Response(
                body=_HTML, status=status or 502, content_type="text/html"
            )
        if fault.action == "garbage":
            return _json(self._api(path).torn, status or 200)
        if fault.action == "empty":
            return _json(b"{}", status or 200)
        if fault.action == "status":
            return web.Response(body=b"", status=status or 500)
        if fault.action == "hang":
            await self.world.faults.hang(fault.ms)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=499)


async def _read(request: web.BaseRequest) -> bytes | None:
    """Return the whole body, or None when it is larger than anything a side takes."""
    if not request.body_exists:
        return b""
    if (request.content_length or 0) > _BODY_LIMIT:
        return None
    body = await request.content.read()
    return body if len(body) <= _BODY_LIMIT else None


def _json(body: bytes, status: int) -> web.Response:
    return web.Response(body=body, status=status, headers={"Content-Type": _JSON})
