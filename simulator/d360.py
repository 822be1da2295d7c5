# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""360dialog's personality: other paths and keys, the same engine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import graph_media, graph_messages, graph_phone, graph_templates
from .call import Call, Raw
from .errors import GraphError, Json, not_found
from .graph_subscriptions import check_url
from .state import Override, Phone

if TYPE_CHECKING:
    from .engine import Simulator

_TEMPLATES = "/v1/configs/templates"
_WEBHOOK = "/v1/configs/webhook"
_HEADER = "D360-API-KEY"
_NUMBER = (("GET", "/health_status"), ("GET", "/v1/configs/phone_number"))


def answer(sim: Simulator, call: Call) -> Json | Raw:
    """Answer one call under /d360."""
    phone = _phone(sim, call)
    if phone is None:
        body = b'{"error": "Invalid api_key"}'
        return Raw(body, 401, "application/json")
    call = replace(call, object_id=phone.uid, d360_phone=phone.uid)
    key = (call.method, call.path.rstrip("/"))
    if key == ("POST", "/messages"):
        return graph_messages.send(sim, call)
    if key == ("POST", "/media"):
        return graph_media.upload(sim, call)
    if key[1] == "/whatsapp_business/attachments":
        return graph_media.download(sim, call, {phone.waba_uid})
    if key[1] == _WEBHOOK:
        return _webhook(sim, call, phone)
    if key[1].startswith(_TEMPLATES):
        return _templates(sim, replace(call, object_id=phone.waba_uid))
    if key in _NUMBER:
        return _number(sim, phone, key[1])
    return _media(sim, call, phone)


def _phone(sim: Simulator, call: Call) -> Phone | None:
    uid = sim.state.d360_keys.get(str(call.headers.get(_HEADER, "")))
    return sim.state.phones.get(uid) if uid else None


def _webhook(sim: Simulator, call: Call, phone: Phone) -> Json:
    if call.method == "POST":
        values = call.payload()
        url = check_url(call.need("url"), "url")
        headers = values.get("headers")
        given = headers if isinstance(headers, dict) else {}
        phone.override = Override(url, "", {str(k): str(v) for k, v in given.items()})
        sim.webhooks.forget_targets()
    elif call.method == "DELETE":
        phone.override = None
        sim.webhooks.forget_targets()
        return {"success": True}
    override = phone.override or Override()
    return {"url": override.url, "headers": override.headers}


def _number(sim: Simulator, phone: Phone, path: str) -> Json:
    """Describe the key's number; 360dialog documents the health status only."""
    shown = graph_phone.phone_as_graph(sim, phone)
    if path == "/health_status":
        return {"health_status": shown["health_status"], "id": phone.uid}
    return {**shown, "phone_number": phone.number}


def _media(sim: Simulator, call: Call, phone: Phone) -> Json:
    uid = call.path.strip("/")
    media = sim.state.media.get(uid)
    if media is None or media.waba_uid != phone.waba_uid:
        raise not_found(call.method, uid)
    call = replace(call, object_id=uid)
    if call.method == "DELETE":
        return graph_media.delete(sim, call)
    return graph_media.describe(sim, call)


def _templates(sim: Simulator, call: Call) -> Json | Raw:
    name = call.path.removeprefix(_TEMPLATES).strip("/")
    if call.method == "POST" and not name:
        made = graph_templates.create(sim, call)
        template = sim.state.templates[made["id"]]
        shown = graph_templates.template_as_graph(sim, template)
        return {**shown, **made, "status": made["status"].lower()}
    if call.method == "GET" and not name:
        return _list(sim, call)
    if call.method == "DELETE" and name:
        call = replace(call, query={"name": name}, body=b"")
        graph_templates.delete(sim, call)
        return {"meta": {"success": True, "http_code": 200}}
    raise GraphError(100, message="Unsupported request")


def _list(sim: Simulator, call: Call) -> Json:
    limit, offset = call.query.get("limit", "1000"), call.query.get("offset", "0")
    if not (limit.isdigit() and offset.isdigit()):
        raise GraphError(100, message="limit and offset are numbers")
    rows = []
    for template in call.waba().templates.values():
        row = graph_templates.template_as_graph(sim, template)
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
