# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What tests against a simulator share: a running one, a listener, short calls."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from .testing import RunningSimulator

Json = dict[str, Any]
PHONE, WABA, APP = "300000000000001", "200000000000001", "100000000000001"
SECRET, TOKEN = "simulator-app-secret", "simulator-token"
APP_TOKEN = f"{APP}|{SECRET}"
ANA = "+34600111222"
PDF = b"%PDF-1.4\n" + b"x" * 2000
BODY = "Hola {{1}}, tu factura {{2}} está lista."
_OPENER = build_opener(ProxyHandler({}))


@dataclass
class Answer:
    """What a call got back."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> int:
        """The Graph error code, 0 for success."""
        return int(self.json.get("error", {}).get("code", 0))

    @property
    def details(self) -> str:
        """The details of a Graph error."""
        return str(self.json["error"].get("error_data", {}).get("details", ""))


@dataclass
class Listener:
    """A webhook receiver that answers what it is told to."""

    statuses: list[int] = field(default_factory=list)
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    challenges: list[dict[str, str]] = field(default_factory=list)
    verify_token: str = "verify me"

    def __post_init__(self) -> None:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                given = {
                    k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()
                }
                listener.challenges.append(given)
                good = given.get("hub.verify_token") == listener.verify_token
                self.send_response(200 if good else 403)
                self.end_headers()
                self.wfile.write(given["hub.challenge"].encode() if good else b"no")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.posts.append((dict(self.headers), body))
                self.send_response(
                    listener.statuses.pop(0) if listener.statuses else 200
                )
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """The address to register."""
        return f"http://127.0.0.1:{self._server.server_port}/webhook"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def changes(self, name: str = "") -> list[Json]:
        """Every `value` that arrived, of one field or of all."""
        bodies = [json.loads(body) for _headers, body in self.posts]
        return [
            change["value"]
            for body in bodies
            for entry in body["entry"]
            for change in entry["changes"]
            if not name or change["field"] == name
        ]

    def statuses_of(self, wamid: str = "") -> list[str]:
        """The statuses that arrived, in order."""
        return [
            status["status"]
            for value in self.changes("messages")
            for status in value.get("statuses", [])
            if not wamid or status["id"] == wamid
        ]

    def inbound(self) -> list[Json]:
        """The messages that arrived, in order."""
        values = self.changes("messages")
        return [message for value in values for message in value.get("messages", [])]


class World(RunningSimulator):
    """A running simulator with a listener and short ways to call it."""

    def __enter__(self) -> World:
        self.start()
        self.listener = Listener()
        return self

    def __exit__(self, *args: Any) -> None:
        self.stop()
        self.listener.close()

    def call(
        self,
        method: str,
        path: str,
        payload: Any = None,
        *,
        token: str = TOKEN,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> Answer:
        """Call Graph, or any path that starts with a slash."""
        address = self.url + (path if path.startswith("/") else f"/v25.0/{path}")
        address += "?" + urlencode(query) if query else ""
        given = {"Authorization": f"Bearer {token}"} if token else {}
        if payload is not None:
            body = json.dumps(payload).encode()
            given["Content-Type"] = "application/json"
        request = Request(address, body, {**given, **(headers or {})}, method=method)
        try:
            with _OPENER.open(request) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def listen(self, **settings: Any) -> None:
        """Start anew with the listener subscribed to everything."""
        self.control("reset", subscribe={"url": self.listener.url}, **settings)
        self.listener.posts.clear()

    def make_template(self, **values: Any) -> Json:
        """Put an approved template there without a review."""
        given = {
            "name": "ready",
            "language": "es_ES",
            "components": components(),
            **values,
        }
        return dict(self.control("template", action="create", **given)["template"])

    def send(self, **values: Any) -> Answer:
        """Send to Ana; the template `ready` unless told otherwise."""
        payload = {"messaging_product": "whatsapp", "to": ANA, **values}
        if "type" not in payload:
            payload.update(type="template", template=template())
        given = {k: v for k, v in payload.items() if v is not None}
        return self.call("POST", f"{PHONE}/messages", given)

    def upload(
        self,
        content: bytes = PDF,
        mime: str = "application/pdf",
        part_mime: str = "",
        path: str = f"{PHONE}/media",
        **options: Any,
    ) -> Answer:
        """Upload a file."""
        body = multipart(content, mime, part_mime or mime)
        headers = {"Content-Type": "multipart/form-data; boundary=limit"}
        given = {**headers, **options.pop("headers", {})}
        return self.call("POST", path, body=body, headers=given, **options)


def multipart(content: bytes, mime: str, part_mime: str) -> bytes:
    """Write the form of a media upload."""
    disposition = 'Content-Disposition: form-data; name="'
    head = (
        f'--limit\r\n{disposition}messaging_product"\r\n\r\nwhatsapp\r\n'
        f'--limit\r\n{disposition}type"\r\n\r\n{mime}\r\n'
        f'--limit\r\n{disposition}file"; filename="invoice.pdf"\r\n'
        f"Content-Type: {part_mime}\r\n\r\n"
    )
    return head.encode() + content + b"\r\n--limit--\r\n"


def components(body: str = BODY, **more: Any) -> list[Json]:
    """Return components with a sample for two variables."""
    made: list[Json] = [
        {"type": "BODY", "text": body, "example": {"body_text": [["Ana", "F-1"]]}}
    ]
    for kind, values in more.items():
        made.append({"type": kind.upper(), **values})
    return made


def parameters(*texts: str, kind: str = "body") -> Json:
    """Return a component with text parameters."""
    return {"type": kind, "parameters": [{"type": "text", "text": t} for t in texts]}


def template(name: str = "ready", language: str = "es_ES", *parts: Json) -> Json:
    """Return the template object of a send."""
    given = list(parts) or [parameters("Ana", "F-1")]
    return {"name": name, "language": {"code": language}, "components": given}


def text(body: str = "Hola") -> Json:
    """Return the fields of a text message."""
    return {"type": "text", "text": {"body": body}}
