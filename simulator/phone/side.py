# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The phones in the browser: pages, their data, and live updates."""

from __future__ import annotations

import asyncio
import re
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from aiohttp import web

from ..timing import iso
from ..watching import EVERYTHING
from ..whatsapp import roles
from ..whatsapp.numbering import digits_of, display, is_bsuid
from ..whatsapp.state import Message, Phone, State, Told, User
from ..whatsapp.views import message_as_json, user_as_json
from ..world import Controls, Pages, World
from .control import PhoneControls

Json = dict[str, Any]
_STATIC = Path(__file__).parent / "static"
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_MARKS = re.compile(r"[*~`]")
_SHOWN_MESSAGES = 200
_SHOWN_USERS = 200
_HEARTBEAT = 20
_HEADS = frozenset({"", "phone", "static", "favicon.ico"})


class Phones(Pages):
    """The phones of customers, and the page to choose one."""

    def __init__(
        self,
        world: World,
        state: State,
        inbox: roles.Inbox,
        lifecycle: roles.Lifecycle,
        webhooks: roles.Webhooks,
    ) -> None:
        self.world, self.state = world, state
        self.lifecycle, self.webhooks = lifecycle, webhooks
        self._control = PhoneControls(world, state, inbox, lifecycle)

    @property
    def controls(self) -> Controls:
        """Return the control calls about people."""
        return self._control.routes

    def takes(self, path: str) -> bool:
        """Take the pages and what they load."""
        return path.split("/", 2)[1] in _HEADS

    async def show(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one page request."""
        parts = [part for part in request.path.split("/") if part]
        if not parts:
            return _file("index.html")
        if parts == ["favicon.ico"]:
            return _file("icon.svg")
        if parts[0] == "static" and len(parts) == 2:
            return _file(parts[1])
        if parts[0] != "phone" or len(parts) < 2:
            return web.Response(status=404, text="There is no such page.")
        return await self._phone(request, parts[1], parts[2:])

    async def _phone(
        self, request: web.BaseRequest, who: str, rest: list[str]
    ) -> web.StreamResponse:
        if who == "all":
            return await self._everybody(request, rest)
        if not is_bsuid(who) and not 5 <= len(digits_of(who)) <= 15:
            return web.Response(
                status=404, text="A phone has a number with country code."
            )
        if not rest:
            return _file("phone.html")
        user = self.state.user(who)
        if rest == ["data"]:
            return _json(self._user_data(user))
        if rest == ["events"]:
            return await self._events(request, user.user_uid)
        if rest == ["read"] and request.method == "POST":
            count = self.lifecycle.read_all(user, request.query.get("with", ""))
            return _json({"read": count})
        if rest[0] == "file" and len(rest) == 2:
            return self._download(user, rest[1])
        return web.Response(status=404, text="There is no such page.")

    async def _everybody(
        self, request: web.BaseRequest, rest: list[str]
    ) -> web.StreamResponse:
        if rest == ["events"]:
            return await self._events(request, EVERYTHING)
        return _json(self._index_data())

    def _index_data(self) -> Json:
        """Return who there is to play, those who heard something last first."""
        users = [user for user in self.state.everyone() if user.chat or user.name]
        users.sort(
            key=lambda user: user.chat[-1].created if user.chat else 0, reverse=True
        )
        return {
            "count": len(users),
            "users": [_summary(user) for user in users[:_SHOWN_USERS]],
            "businesses": [
                self._business(entry) for entry in self.state.phones.values()
            ],
            "webhooks": self.webhooks.counts(),
            "messages": len(self.state.messages),
        }

    def _business(self, phone: Phone) -> Json:
        waba = self.state.wabas[phone.waba_uid]
        listening = bool(phone.override and phone.override.url) or any(
            self.state.apps[uid].callback_url or override.url
            for uid, override in waba.subscribed.items()
        )
        return {
            "phone_uid": phone.uid,
            "name": phone.verified_name,
            "display": phone.display,
            "provider": waba.provider,
            "is_verified": phone.is_verified,
            "is_listening": listening,
        }

    def _user_data(self, user: User) -> Json:
        """Return what one phone shows and what its business was told."""
        shown = [m for m in user.chat if m.type != "reaction"][-_SHOWN_MESSAGES:]
        return {
            "user": {
                **user_as_json(user),
                "display": display(user.wa_id) if user.wa_id else "",
            },
            "businesses": [
                self._business(entry) for entry in self.state.phones.values()
            ],
            "messages": [
                self._shown(message) for message in shown if _visible(message)
            ],
            "told": [self._told(entry) for entry in reversed(user.told)],
            "now": iso(self.world.clock.now()),
        }

    def _told(self, entry: Told) -> Json:
        words, wamid, at, status, error = entry
        message = self.state.messages.get(wamid)
        return {
            "words": words,
            "about": _preview(message)[:120] if message else "",
            "at": iso(at),
            "http_status": status,
            "error": error,
        }

    def _shown(self, message: Message) -> Json:
        shown = message_as_json(message)
        shown["read_by_business"] = message.read_by_business
        if message.header and message.header.get("sha256"):
            shown["has_file"] = (
                self.state.blobs.get(message.header["sha256"]) is not None
            )
        quoted = self.state.messages.get(message.context)
        shown["quote"] = _preview(quoted)[:160] if quoted else None
        shown["tapped"] = [
            answer.body
            for answer in message.user.chat
            if answer.inbound
            and answer.context == message.wamid
            and answer.type == "button"
        ]
        return shown

    def _download(self, user: User, wamid: str) -> web.Response:
        message = self.state.messages.get(wamid)
        header = message.header if message and message.user is user else None
        content = self.state.blobs.get(str(header.get("sha256"))) if header else None
        if header is None or content is None:
            return web.Response(status=404, text="The file is not here any more.")
        name = quote(str(header.get("filename") or "document"))
        headers = {
            "Content-Type": str(header.get("mime") or "application/octet-stream"),
            "Content-Disposition": f"inline; filename*=UTF-8''{name}",
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(body=content, headers=headers)

    async def _events(self, request: web.BaseRequest, key: str) -> web.StreamResponse:
        """Stream a line whenever something changes for this phone."""
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        with self.world.watchers.watch(key) as queue:
            try:
                await response.prepare(request)
                await response.write(b"retry: 1000\ndata: hello\n\n")
                while await _next_event(queue, response):
                    pass
            except (ConnectionError, asyncio.CancelledError):
                return response
        return response


@lru_cache(maxsize=16)
def _static(name: str) -> tuple[bytes, str] | None:
    path = _STATIC / name
    kind = _TYPES.get(path.suffix)
    if kind is None or path.parent != _STATIC or not path.is_file():
        return None
    return path.read_bytes(), kind


def _file(name: str) -> web.Response:
    found = _static(name)
    if found is None:
        return web.Response(status=404, text="There is no such file.")
    policy = "default-src 'self'; img-src 'self' data:; frame-ancestors *"
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": policy}
    return web.Response(
        body=found[0], content_type=found[1], charset="utf-8", headers=headers
    )


def _json(value: Json) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    body = orjson.dumps(value)
    return web.Response(body=body, content_type="application/json", headers=headers)


def _summary(user: User) -> Json:
    last = next((entry for entry in reversed(user.chat) if _visible(entry)), None)
    return {
        **user_as_json(user),
        "display": display(user.wa_id) if user.wa_id else "",
        "business": last.phone.verified_name if last else "",
        "last": _preview(last) if last else "",
        "last_at": iso(last.created) if last else None,
        "last_inbound": bool(last and last.inbound),
        "unread": sum(
            1 for m in user.chat if not m.inbound and m.status == "delivered"
        ),
    }


def _preview(message: Message) -> str:
    header = message.header or {}
    plain = _MARKS.sub("", message.body).replace("\n", " ")
    return plain or str(header.get("filename") or message.type)


def _visible(message: Message) -> bool:
    """Tell whether a message has reached the phone."""
    if message.inbound:
        return True
    seen = {entry[0] for entry in message.history}
    return bool(seen & {"delivered", "read", "played"})


async def _next_event(queue: asyncio.Queue[str], response: web.StreamResponse) -> bool:
    try:
        word = await asyncio.wait_for(queue.get(), _HEARTBEAT)
    except asyncio.TimeoutError:
        await response.write(b": still here\n\n")
        return True
    await response.write(b"data: change\n\n")
    return word != "close"
