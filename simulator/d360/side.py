# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""360dialog: other paths and keys than Meta's, and no signatures."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from ..faults import Fault
from ..whatsapp import roles
from ..whatsapp.answers import (
    TORN,
    WRONG_KIND,
    respond,
    respond_error,
    respond_fault,
    wrong_kind,
)
from ..whatsapp.call import Call, Raw, check_url
from ..whatsapp.errors import GraphError, Json, not_found
from ..whatsapp.state import Override, Phone, State
from ..world import Api, World

_TEMPLATES = "/v1/configs/templates"
_WEBHOOK = "/v1/configs/webhook"
_HEADER = "D360-API-KEY"
_META_FILES = "https://lookaside.fbsbx.com"
_PREFIX = "/d360"
PROVIDER = "dialog360"
# key -> the number that it is for
KEYS = {"simulator-d360-key": "300000000000004"}
_NUMBER = (("GET", "/health_status"), ("GET", "/v1/configs/phone_number"))


def callbacks(state: State, phone: Phone | None) -> list[Override]:
    """Return where webhooks go: to the address that each number's key set."""
    phones = [phone] if phone else list(state.phones.values())
    return [
        entry.override
        for entry in phones
        if entry.override and entry.override.url
        if state.wabas[entry.waba_uid].provider == PROVIDER
    ]


class Dialog360(Api):
    """360dialog's paths; what they do is done by who does it at Meta."""

    torn = TORN

    def __init__(
        self,
        world: World,
        state: State,
        webhooks: roles.Webhooks,
        *,
        messages: roles.Messages,
        files: roles.Files,
        numbers: roles.Numbers,
        templates: roles.Templates,
    ) -> None:
        self.world, self.state, self.webhooks = world, state, webhooks
        self.messages, self.files = messages, files
        self.numbers, self.templates = numbers, templates
        self.keys = dict(KEYS)

    def takes(self, path: str) -> bool:
        """Take what is under /d360/."""
        return path.startswith(f"{_PREFIX}/")

    async def answer(
        self, request: web.BaseRequest, path: str, body: bytes
    ) -> web.Response:
        """Answer a call with a key."""
        own = path.removeprefix(_PREFIX)
        call = Call.read(request, self.state, self.world.base_url, own, body)
        try:
            return respond(self._answer(call), {})
        except GraphError as error:
            return respond_error(error)
        except WRONG_KIND as error:
            return respond_error(wrong_kind(path, error))

    def refuse(self, fault: Fault) -> web.Response:
        """Answer with the error that a fault asks for: 360dialog passes Meta's on."""
        return respond_fault(fault)

    def _answer(self, call: Call) -> Json | Raw:
        phone = self._phone(call)
        if phone is None:
            body = b'{"error": "Invalid api_key"}'
            return Raw(body, 401, "application/json")
        call = replace(call, object_id=phone.uid)
        key = (call.method, call.path.rstrip("/"))
        if key == ("POST", "/messages"):
            return self.messages.send(call)
        if key == ("POST", "/media"):
            return self.files.upload(call)
        if key[1] == "/whatsapp_business/attachments":
            return self.files.download(call, {phone.waba_uid})
        if key[1] == _WEBHOOK:
            return self._webhook(call, phone)
        if key[1].startswith(_TEMPLATES):
            return self._templates(replace(call, object_id=phone.waba_uid))
        if key in _NUMBER:
            return self._number(phone, key[1])
        return self._media(call, phone)

    def _phone(self, call: Call) -> Phone | None:
        uid = self.keys.get(str(call.headers.get(_HEADER, "")))
        return self.state.phones.get(uid) if uid else None

    def _webhook(self, call: Call, phone: Phone) -> Json:
        if call.method == "POST":
            values = call.payload()
            url = check_url(call.need("url"), "url")
            headers = values.get("headers")
            given = headers if isinstance(headers, dict) else {}
            phone.override = Override(
                url, "", {str(k): str(v) for k, v in given.items()}
            )
            self.webhooks.forget_targets()
        elif call.method == "DELETE":
            phone.override = None
            self.webhooks.forget_targets()
            return {"success": True}
        override = phone.override or Override()
        return {"url": override.url, "headers": override.headers}

    def _number(self, phone: Phone, path: str) -> Json:
        """Describe the key's number; 360dialog documents the health status only."""
        shown = self.numbers.shown(phone)
        if path == "/health_status":
            return {"health_status": shown["health_status"], "id": phone.uid}
        return {**shown, "phone_number": phone.number}

    def _media(self, call: Call, phone: Phone) -> Json:
        uid = call.path.strip("/")
        media = self.state.media.get(uid)
        if media is None or media.waba_uid != phone.waba_uid:
            raise not_found(call.method, uid)
        # The address of a download names Meta's host, as 360dialog passes it on.
        call = replace(call, object_id=uid, base_url=_META_FILES)
        if call.method == "DELETE":
            return self.files.delete(call)
        return self.files.describe(call)

    def _templates(self, call: Call) -> Json | Raw:
        name = call.path.removeprefix(_TEMPLATES).strip("/")
        if call.method == "POST" and not name:
            made = self.templates.create(call)
            template = self.state.templates[made["id"]]
            shown = self.templates.shown(template)
            return {**shown, **made, "status": made["status"].lower()}
        if call.method == "GET" and not name:
            return self._list(call)
        if call.method == "DELETE" and name:
            call = replace(call, query={"name": name}, body=b"")
            self.templates.delete(call)
            return {"meta": {"success": True, "http_code": 200}}
        raise GraphError(100, message="Unsupported request")

    def _list(self, call: Call) -> Json:
        limit, offset = call.query.get("limit", "1000"), call.query.get("offset", "0")
        if not (limit.isdigit() and offset.isdigit()):
            raise GraphError(100, message="limit and offset are numbers")
        rows = []
        for template in call.waba().templates.values():
            row = self.templates.shown(template)
            row["status"] = template.status.lower()
            rows.append(row)
        shown = rows[int(offset) : int(offset) + int(limit)]
        return {
            "count": len(shown),
            "filters": {},
            "limit": int(limit),
            "offset": int(offset),
            "total": len(rows),
            "waba_templates": shown,
        }
