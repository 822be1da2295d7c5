# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""One call to Graph, or to who speaks its language, on its way to a handler."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
from aiohttp import web

from .errors import GraphError
from .state import App, Phone, State, Token, Waba

Json = dict[str, Any]


@dataclass(slots=True)
class Raw:
    """An answer that is not JSON."""

    body: bytes
    status: int = 200
    content_type: str = "text/plain"


@dataclass(slots=True)
class Call:
    """What a handler needs to know about a request."""

    state: State
    method: str
    path: str
    object_id: str
    edge: str
    query: dict[str, str]
    headers: Any
    body: bytes
    base_url: str
    token: Token | None = None
    _payload: Json | None = field(default=None, repr=False)

    @classmethod
    def read(
        cls,
        request: web.BaseRequest,
        state: State,
        base_url: str,
        path: str,
        body: bytes = b"",
        object_id: str = "",
        edge: str = "",
    ) -> Call:
        """Describe a request to the handlers."""
        query = dict(request.query) if request.query_string else {}
        return cls(
            state,
            request.method,
            path,
            object_id,
            edge,
            query,
            request.headers,
            body,
            base_url,
        )

    @property
    def content_type(self) -> str:
        """Return the media type of the request in lower case."""
        return str(self.headers.get("Content-Type", "")).lower()

    def payload(self) -> Json:
        """Return body and query parameters as one object; bad JSON counts as empty."""
        if self._payload is None:
            self._payload = self._read()
        return self._payload

    def _read(self) -> Json:
        if "x-www-form-urlencoded" in self.content_type:
            given = dict(parse_qsl(self.body.decode("utf-8", "replace")))
            return {**self.query, **{k: _loosen(v) for k, v in given.items()}}
        if self.body and "multipart/" not in self.content_type:
            try:
                given = orjson.loads(self.body)
            except orjson.JSONDecodeError:
                given = {}
            if isinstance(given, dict):
                return {**self.query, **given} if self.query else given
        return dict(self.query)

    def phone(self) -> Phone:
        """Return the business number that the path names."""
        return self.state.phones[self.object_id]

    def waba(self) -> Waba:
        """Return the WhatsApp Business account that the path names."""
        return self.state.wabas[self.object_id]

    def app(self) -> App:
        """Return the app that the path names."""
        return self.state.apps[self.object_id]

    def fields(self) -> list[str]:
        """Return the names in `?fields=`, without what stands in braces."""
        raw = self.query.get("fields", "")
        names, depth, name = [], 0, ""
        for letter in raw + ",":
            if letter in "{(":
                depth += 1
            elif letter in "})":
                depth -= 1
            elif letter == "," and not depth:
                names.append(name.split(".", 1)[0].strip())
                name = ""
            elif not depth:
                name += letter
        return [name for name in names if name]

    def need(self, name: str) -> str:
        """Return a parameter that must be there."""
        value = self.payload().get(name)
        if value in (None, ""):
            raise GraphError(100, message=f"The parameter {name} is required.")
        return str(value)


def _loosen(value: str) -> Any:
    if value[:1] in "{[":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def check_url(value: Any, name: str) -> str:
    """Return a callback address, or raise error 100."""
    url = str(value)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise GraphError(100, message=f"Param {name} must be a valid URI.")
    return url
