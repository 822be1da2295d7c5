# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Talk to Odoo and to the simulator over the wire, as an outsider would."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request

from .ground import PATIENCE


class WireError(Exception):
    """An answer that is not 2xx: `status` and what it said."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"HTTP {status}: {text[:800]}")
        self.status = status
        self.text = text


class Json2:
    """Odoo's JSON-2 API with an API key."""

    def __init__(self, url: str, key: str, context: dict | None = None) -> None:
        self.url = url
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
        }
        self.context = context or {}

    def call(self, model: str, method: str, ids: list | None = None, **kwargs):
        """Call a public method and return its result.

        :raise WireError: when Odoo refuses
        """
        body = {"context": {**self.context, **kwargs.pop("context", {})}, **kwargs}
        if ids is not None:
            body["ids"] = ids
        return fetch(
            f"{self.url}/json/2/{model}/{method}", body, headers=self._headers
        )

    def create(self, model: str, values: dict, **kwargs) -> int:
        return self.call(model, "create", vals_list=[values], **kwargs)[0]

    def read(self, model: str, ids: list, fields: list) -> list[dict]:
        return self.call(model, "read", ids, fields=fields)

    def search(self, model: str, domain: list, fields: list, **kwargs) -> list[dict]:
        return self.call(model, "search_read", domain=domain, fields=fields, **kwargs)


class Control:
    """The simulator's control interface."""

    def __init__(self, url: str) -> None:
        self.url = url

    def post(self, path: str, **values):
        return fetch(f"{self.url}/_control/{path}", values)

    def get(self, path: str, **query):
        tail = f"?{urllib.parse.urlencode(query)}" if query else ""
        return fetch(f"{self.url}/_control/{path}{tail}")

    def messages(self, number: str, **query) -> list[dict]:
        """Return what a phone received, oldest first."""
        return self.get("messages", to=number, **query)["messages"]


def fetch(url: str, body=None, headers: dict | None = None):
    """POST JSON (GET without a body) and return the JSON answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        url, data=data, headers=headers or {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60 * PATIENCE) as answer:
            text = answer.read().decode()
    except urllib.error.HTTPError as error:
        raise WireError(error.code, error.read().decode(errors="replace")) from error
    return json.loads(text) if text else None


def until(what: str, look, seconds: float = 45, pause: float = 0.2):
    """Return the first truthy answer of `look()`.

    :param seconds: how long it may take on a quiet machine
    :raise TimeoutError: naming what did not happen
    """
    seconds *= PATIENCE
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"Not seen within {seconds:.0f} s: {what}")
        time.sleep(pause)
