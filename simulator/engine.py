# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The simulator itself: its parts, its server, and the way of a request through it."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import logging
import random
import secrets
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from . import control, d360, graph, graph_media, phone_page
from .call import Call, Raw
from .errors import GraphError
from .faults import Fault, Faults
from .inbox import Inbox
from .lifecycle import Lifecycle
from .review import Review
from .seed import seed
from .settings import Settings
from .state import State, User
from .timing import Clock, Scheduler
from .webhooks import Webhooks

Json = dict[str, Any]
BODY_LIMIT = 105 * 1024 * 1024
_JSON = "application/json; charset=UTF-8"
_HTML = b"<!DOCTYPE html><html><body><h1>Bad Gateway</h1></body></html>"
_ADVERTISED = "v25.0"
_WRONG_KIND = (AttributeError, IndexError, KeyError, TypeError, ValueError)
_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Logged:
    """One raw call, for people who look for what went wrong."""

    at: float
    method: str
    path: str
    query: str
    status: int
    body: bytes
    fault: str = ""


@dataclass(slots=True)
class RequestLog:
    """The recent raw calls and how many there were."""

    recent: deque[Logged] = field(default_factory=lambda: deque(maxlen=500))
    total: int = 0
    by_path: Counter[str] = field(default_factory=Counter)


class Simulator:
    """A world with businesses, phones and Meta between them."""

    settings: Settings
    state: State
    random: random.Random
    webhooks: Webhooks
    lifecycle: Lifecycle
    review: Review
    inbox: Inbox
    faults: Faults

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.base_url = ""
        self.serial = itertools.count(1)
        self.listeners: dict[str, set[asyncio.Queue[str]]] = {}
        self.scheduler = Scheduler()
        self._http: aiohttp.ClientSession | None = None
        self._runner: web.ServerRunner | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._build()

    def _build(self) -> None:
        """Make every part new."""
        self.settings = Settings()
        self.state = State()
        self.random = random.Random(self.settings.seed)
        self.webhooks = Webhooks(self)
        self.lifecycle = Lifecycle(self)
        self.review = Review(self)
        self.inbox = Inbox(self)
        self.log = RequestLog()
        self.alarms: list[tuple[float, Callable[[], None]]] = []
        self.accepted = 0
        self._usage: dict[str, str] = {}
        seed(self.state)

    @property
    def http(self) -> aiohttp.ClientSession:
        """Return the session that webhooks leave by."""
        if self._http is None:
            raise RuntimeError("the simulator has not been started")
        return self._http

    def reset(self) -> None:
        """Start the world anew: no messages, default accounts, default settings."""
        self.faults.clear()
        self.scheduler.clear()
        self.webhooks.close()
        self.clock.reset()
        self._build()
        for user_uid in list(self.listeners):
            self.poke(user_uid)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes a free one."""
        self.faults = Faults()
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), trust_env=False
        )
        server = web.Server(self.handle, access_log=None)
        self._runner = web.ServerRunner(server)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, backlog=1024)
        await site.start()
        address = self._runner.addresses[0]
        shown = "127.0.0.1" if host == "0.0.0.0" else host
        self.base_url = f"http://{shown}:{address[1]}"
        self._tick()

    async def stop(self) -> None:
        """Close every connection."""
        if self._alarm is not None:
            self._alarm.cancel()
        self.faults.clear()
        self.scheduler.clear()
        self.webhooks.close()
        for user_uid in list(self.listeners):
            self.poke(user_uid, "close")
        if self._runner is not None:
            await self._runner.cleanup()
        if self._http is not None:
            await self._http.close()

    def _tick(self) -> None:
        self.ring()
        self._alarm = asyncio.get_running_loop().call_later(1, self._tick)

    def ring(self) -> None:
        """Do what was set for a time that has come."""
        now = self.clock.now()
        due = [alarm for alarm in self.alarms if alarm[0] <= now]
        self.alarms = [alarm for alarm in self.alarms if alarm[0] > now]
        for _at, work in due:
            work()

    def notify(self, user: User) -> None:
        """Tell open phone pages of this user that something changed."""
        if self.listeners:
            self.poke(user.user_uid)
            self.poke("all")

    def poke(self, user_uid: str, word: str = "change") -> None:
        """Wake the pages that listen for a user."""
        for queue in self.listeners.get(user_uid, ()):
            if queue.empty() or word == "close":
                queue.put_nowait(word)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer any request."""
        path = request.path
        head = path.split("/", 2)[1]
        if head == "_control":
            return await control.handle(self, request)
        if head in ("", "phone", "static", "favicon.ico"):
            return await phone_page.handle(self, request)
        body = await read_body(request)
        if body is None:
            text = b'{"error":{"message":"Request body too large","code":1}}'
            return web.Response(body=text, status=413, content_type="application/json")
        return await self._provider(request, path, body)

    async def _provider(
        self, request: web.BaseRequest, path: str, body: bytes
    ) -> web.StreamResponse:
        """Answer a call to Meta or 360dialog, with the faults that were asked for."""
        fault = self.faults.match(request.method, path) if self.faults.rules else None
        if self.settings.latency_ms:
            await asyncio.sleep(self.settings.latency_ms / 1000)
        if fault is not None and fault.when == "before":
            early = await self._early(request, fault)
            if early is not None:
                return self._logged(request, path, body, early, fault)
        is_d360 = path.startswith("/d360/")
        answer = self._answer_d360 if is_d360 else self._answer_graph
        response = await answer(request, path, body)
        if fault is not None and fault.when == "after":
            response = await self._late(request, fault, response)
        return self._logged(request, path, body, response, fault)

    def _logged(
        self,
        request: web.BaseRequest,
        path: str,
        body: bytes,
        response: web.Response,
        fault: Fault | None,
    ) -> web.Response:
        log = self.log
        log.total += 1
        log.by_path[f"{request.method} {path}"] += 1
        log.recent.append(
            Logged(
                self.clock.now(),
                request.method,
                path,
                request.query_string,
                response.status,
                body[:20_000],
                fault.action if fault else "",
            )
        )
        return response

    async def _early(
        self, request: web.BaseRequest, fault: Fault
    ) -> web.Response | None:
        """Do what a fault does before a call is taken; None: go on."""
        if fault.action == "latency":
            await asyncio.sleep(fault.ms / 1000)
            return None
        if fault.action == "error":
            error = GraphError(
                fault.code, fault.details, subcode=fault.subcode, http=fault.http_status
            )
            return self._error(error, fault.headers)
        return await self._break(request, fault)

    async def _late(
        self, request: web.BaseRequest, fault: Fault, response: web.Response
    ) -> web.Response:
        """Do what a fault does after a call was taken."""
        if fault.action == "latency":
            await asyncio.sleep(fault.ms / 1000)
            return response
        if fault.action == "error":
            return self._error(GraphError(fault.code, fault.details), fault.headers)
        return await self._break(request, fault)

    async def _break(self, request: web.BaseRequest, fault: Fault) -> web.Response:
        """Spoil the answer."""
        status = fault.http_status
        if fault.action == "html":
            return web.Response(
                body=_HTML, status=status or 502, content_type="text/html"
            )
        if fault.action == "garbage":
            body = b'{"messaging_product": "whatsapp", "messages": [{"id": "wam'
            return _json(body, status or 200, {})
        if fault.action == "empty":
            return _json(b"{}", status or 200, {})
        if fault.action == "status":
            return web.Response(body=b"", status=status or 500)
        if fault.action == "hang":
            await self.faults.hang(fault.ms)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=499)

    async def _answer_graph(
        self, request: web.BaseRequest, path: str, body: bytes
    ) -> web.Response:
        version = _ADVERTISED
        try:
            if path == "/whatsapp_business/attachments/":
                return _raw(self._download(request, path))
            version, object_id, edge = graph.parse_path(path)
            call = self.call(request, path, object_id, edge, body)
            answer = graph.answer(self, call)
            if inspect.isawaitable(answer):
                answer = await answer
        except GraphError as error:
            return self._error(error, {}, version)
        except _WRONG_KIND as error:
            return self._error(_wrong_kind(path, error), {}, version)
        if isinstance(answer, Raw):
            return _raw(answer)
        return _json(orjson.dumps(answer), 200, self._headers(version, call))

    def _download(self, request: web.BaseRequest, path: str) -> Raw:
        call = self.call(request, path, "", "", b"")
        token = graph.authenticate(self, call)
        return graph_media.download(self, call, token.waba_uids)

    async def _answer_d360(
        self, request: web.BaseRequest, path: str, body: bytes
    ) -> web.Response:
        call = self.call(request, path.removeprefix("/d360"), "", "", body)
        try:
            answer = d360.answer(self, call)
        except GraphError as error:
            return self._error(error, {})
        except _WRONG_KIND as error:
            return self._error(_wrong_kind(path, error), {})
        if isinstance(answer, Raw):
            return _raw(answer)
        return _json(orjson.dumps(answer), 200, {})

    def call(
        self,
        request: web.BaseRequest,
        path: str,
        object_id: str,
        edge: str,
        body: bytes,
    ) -> Call:
        """Describe a request to the handlers."""
        query = dict(request.query) if request.query_string else {}
        return Call(
            self.state,
            request.method,
            path,
            object_id,
            edge,
            query,
            request.headers,
            body,
            self.base_url,
        )

    def _headers(self, version: str, call: Call | None = None) -> dict[str, str]:
        headers = {
            "x-fb-trace-id": secrets.token_urlsafe(8),
            "facebook-api-version": graph.served_version(version),
            "x-app-usage": '{"call_count":1,"total_cputime":1,"total_time":1}',
        }
        if call is not None and call.object_id in self.state.wabas:
            headers["x-business-use-case-usage"] = self._use(call.object_id)
        return headers

    def _use(self, waba_uid: str) -> str:
        calls = len(self.state.wabas[waba_uid].calls)
        percent = min(100, calls * 100 // max(self.settings.management_per_hour, 1))
        usage = {
            "type": "whatsapp",
            "call_count": percent,
            "total_cputime": 1,
            "total_time": 1,
            "estimated_time_to_regain_access": 60 if percent >= 100 else 0,
        }
        return orjson.dumps({waba_uid: [usage]}).decode()

    def _error(
        self, error: GraphError, headers: dict[str, str], version: str = _ADVERTISED
    ) -> web.Response:
        trace = "A" + secrets.token_urlsafe(16)
        body = orjson.dumps(error.body(trace))
        given = {**self._headers(version), "x-fb-trace-id": trace[:11], **headers}
        if error.code in (0, 104, 190):
            challenge = f'OAuth "Facebook Platform" "invalid_token" "{error.title}"'
            given["WWW-Authenticate"] = challenge
        return _json(body, error.http, given)


def _wrong_kind(path: str, error: Exception) -> GraphError:
    """Refuse values of a kind that no check foresaw, as Meta does, and log where."""
    _logger.warning("A call to %s had odd values", path, exc_info=error)
    return GraphError(100, "A parameter has the wrong type")


async def read_body(request: web.BaseRequest) -> bytes | None:
    """Return the whole body, or None when it is larger than anything Meta takes."""
    if not request.body_exists:
        return b""
    if (request.content_length or 0) > BODY_LIMIT:
        return None
    body = await request.content.read()
    return body if len(body) <= BODY_LIMIT else None


def _json(body: bytes, status: int, headers: dict[str, str]) -> web.Response:
    return web.Response(
        body=body, status=status, headers={"Content-Type": _JSON, **headers}
    )


def _raw(answer: Raw) -> web.Response:
    headers = {"Content-Type": answer.content_type}
    return web.Response(body=answer.body, status=answer.status, headers=headers)
