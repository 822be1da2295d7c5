# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A transport without a network, for tests of everything that uses a client."""

import json as jsonlib
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from .transport import Files, Headers, Response, Transport


@dataclass(frozen=True, slots=True)
class Call:
    """A request as a client made it."""

    method: str
    url: str
    headers: Mapping[str, str]
    params: Mapping[str, str | int] | None = None
    json: Any = None
    data: Mapping[str, str] | bytes | None = None
    files: Files | None = None
    timeout: float | None = None

    @property
    def full_url(self) -> str:
        """Return the URL with the parameters in it."""
        if not self.params:
            return self.url
        joint = "&" if "?" in self.url else "?"
        return f"{self.url}{joint}{urlencode(self.params)}"


Answer = Response | Exception | Callable[[Call], Response]
Route = tuple[str, str, Answer | list[Answer]]


def json_response(
    data: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an answer with a JSON body."""
    given = {"Content-Type": "application/json", **(headers or {})}
    return Response(status, Headers(given), jsonlib.dumps(data).encode())


class FakeTransport(Transport):
    """Answer from a list of (method, URL pattern, answer) and remember the calls.

    The pattern is searched in the URL with its parameters; the first route that
    matches answers. An answer is a Response, an exception to raise, or a function of
    the call; a list is used up one by one. A call that no route answers raises, and
    `assert_all_called` raises for a route that nothing used, so a test fails on both.
    """

    def __init__(self, routes: Iterable[Route] = ()) -> None:
        """Take the routes; `add` appends more."""
        self.routes: list[Route] = []
        self.calls: list[Call] = []
        self._left: list[list[Answer]] = []
        self._used: list[int] = []
        self._lock = threading.Lock()
        for route in routes:
            self.add(*route)

    def add(self, method: str, url: str, answer: Answer | list[Answer]) -> None:
        """Append a route."""
        self.routes.append((method, url, answer))
        self._left.append(list(answer) if isinstance(answer, list) else [])
        self._used.append(0)

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        data: Mapping[str, str] | bytes | None = None,
        files: Files | None = None,
        timeout: float | None = None,
    ) -> Response:
        """Answer from the first route that matches.

        :raise AssertionError: if none does
        """
        given = Headers(headers or {})
        call = Call(method, url, given, params, json, data, files, timeout)
        with self._lock:
            self.calls.append(call)
            answer = self._take(call)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Response):
            return answer
        return answer(call)

    def _take(self, call: Call) -> Answer:
        for index, (method, url, answer) in enumerate(self.routes):
            if method != call.method or not re.search(url, call.full_url):
                continue
            if isinstance(answer, list) and not self._left[index]:
                continue
            self._used[index] += 1
            if isinstance(answer, list):
                return self._left[index].pop(0)
            return answer
        message = f"unexpected call: {call.method} {call.full_url}"
        raise AssertionError(message)

    def assert_all_called(self) -> None:
        """Fail for routes that nothing used, and for answers left over.

        :raise AssertionError: naming them
        """
        unused = [
            f"{method} {url}"
            for (method, url, _answer), left, used in zip(
                self.routes, self._left, self._used, strict=True
            )
            if left or not used
        ]
        if unused:
            message = f"never called: {', '.join(unused)}"
            raise AssertionError(message)
