# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The control API: how tests and people steer the simulated world."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from . import control_templates as templates
from . import control_world as world
from .control_views import message_as_json, state_as_json
from .errors import GraphError
from .faults import fault_as_json
from .settings import ControlError, Settings, settings_as_json, update_settings
from .state import Message
from .timing import iso
from .webhooks import post_as_json

if TYPE_CHECKING:
    from .engine import Simulator

Json = dict[str, Any]
Handler = Callable[["Simulator", Json], Json | Awaitable[Json]]
_DEFAULT_LIMIT = 1000


def reset(sim: Simulator, values: Json) -> Json:
    """Start the world anew with these settings."""
    extra = {k: values.pop(k) for k in ("subscribe", "templates") if k in values}
    update_settings(Settings(), values)
    sim.reset()
    update_settings(sim.settings, values)
    sim.random.seed(sim.settings.seed)
    sim.webhooks.random.seed(sim.settings.seed)
    for entry in extra.get("templates") or []:
        templates.template(sim, {"action": "create", **entry})
    if extra.get("subscribe"):
        world.subscribe(sim, extra["subscribe"])
    return {"settings": settings_as_json(sim.settings)}


def change_settings(sim: Simulator, values: Json) -> Json:
    """Change settings and keep everything else."""
    update_settings(sim.settings, values)
    return {"settings": settings_as_json(sim.settings)}


def list_messages(sim: Simulator, query: Json) -> Json:
    """GET /_control/messages."""
    found = _find(sim, query)
    limit = int(query.get("limit", _DEFAULT_LIMIT))
    offset = int(query.get("offset", 0))
    shown = islice(found, offset, offset + limit)
    rows = [] if query.get("count") else [message_as_json(entry) for entry in shown]
    return {"count": len(found), "messages": rows}


def _find(sim: Simulator, query: Json) -> list[Message]:
    state = sim.state
    if query.get("wamid"):
        one = state.messages.get(str(query["wamid"]))
        found = [one] if one else []
    elif query.get("uuid"):
        found = state.by_uuid.get(str(query["uuid"]), [])
    elif query.get("to"):
        user = state.find_user(str(query["to"]))
        found = user.chat if user else []
    else:
        found = list(state.messages.values())
    direction = query.get("direction", "out")
    if direction != "all":
        found = [entry for entry in found if entry.inbound == (direction == "in")]
    for name in ("status", "type", "category"):
        if query.get(name):
            found = [e for e in found if getattr(e, name) == query[name]]
    for name in ("phone_uid", "waba_uid"):
        attribute = "uid" if name == "phone_uid" else "waba_uid"
        if query.get(name):
            found = [e for e in found if getattr(e.phone, attribute) == query[name]]
    return found


def state(sim: Simulator, query: Json) -> Json:
    """GET /_control/state."""
    return state_as_json(sim)


def requests(sim: Simulator, query: Json) -> Json:
    """GET /_control/requests."""
    rows = [
        {
            "at": iso(entry.at),
            "method": entry.method,
            "path": entry.path,
            "query": entry.query,
            "http_status": entry.status,
            "fault": entry.fault or None,
            "body": entry.body.decode("utf-8", "replace"),
        }
        for entry in sim.log.recent
        if str(query.get("path", "")) in entry.path
    ]
    limit = int(query.get("limit", 100))
    wanted = str(query.get("path", ""))
    total = sum(n for path, n in sim.log.by_path.items() if wanted in path)
    return {"count": total, "requests": rows[-limit:]}


def fault(sim: Simulator, values: Json) -> Json:
    """POST /_control/fault."""
    if values.get("clear"):
        return _clear(sim)
    if "token" in values or "expire_token" in (values.get("action"), *values):
        given = {"token": "simulator-token", **values, "expire": True}
        return world.token(sim, given)
    if "webhooks" in values:
        return _webhook_fault(sim, dict(values["webhooks"]))
    if not values:
        raise ControlError("Say which fault: action, code, token, webhooks or clear.")
    return {"fault": fault_as_json(sim.faults.add(values))}


def list_faults(sim: Simulator, query: Json) -> Json:
    """GET /_control/fault: the faults since the last clear, with the calls they hit."""
    return {"faults": [fault_as_json(entry) for entry in sim.faults.made]}


def _clear(sim: Simulator) -> Json:
    gone = sim.faults.clear()
    faults = sim.webhooks.faults
    faults.drop, faults.repeat, faults.reorder = 0, 0, ""
    sim.webhooks.release()
    for entry in sim.state.tokens.values():
        entry.is_valid, entry.expires_at = True, 0
    return {"cleared": gone}


def _webhook_fault(sim: Simulator, values: Json) -> Json:
    faults = sim.webhooks.faults
    known = {"hold", "release", "drop", "only", "repeat", "posts", "reorder"}
    for name in values:
        if name not in known:
            raise ControlError(f"webhooks.{name} is not a fault.")
    if "reorder" in values:
        word = values["reorder"]
        faults.reorder = "reverse" if word is True else str(word or "")
        if faults.reorder not in ("", "reverse", "shuffle"):
            raise ControlError("webhooks.reorder is reverse, shuffle or false.")
    if "repeat" in values:
        faults.repeat = int(values["repeat"])
        faults.repeat_posts = int(values.get("posts", -1))
    if "drop" in values:
        faults.drop = -1 if values["drop"] is True else int(values["drop"])
        faults.only = tuple(str(word) for word in values.get("only") or ())
    if values.get("hold"):
        faults.hold = True
    if values.get("release") or values.get("hold") is False:
        sim.webhooks.release()
    return {"webhooks": sim.webhooks.counts()}


async def flush(sim: Simulator, values: Json) -> Json:
    """POST /_control/webhooks/flush: wait until every webhook is delivered or failed."""
    return await sim.webhooks.flush()


def webhook_log(sim: Simulator, query: Json) -> Json:
    """GET /_control/webhooks."""
    limit = int(query.get("limit", 100))
    with_body = bool(query.get("body"))
    rows = [post_as_json(post, with_body) for post in list(sim.webhooks.log)[-limit:]]
    return {"count": sim.webhooks.posts, **sim.webhooks.counts(), "posts": rows}


ROUTES: dict[tuple[str, str], Handler] = {
    ("POST", "reset"): reset,
    ("POST", "settings"): change_settings,
    ("GET", "messages"): list_messages,
    ("GET", "state"): state,
    ("GET", "requests"): requests,
    ("GET", "webhooks"): webhook_log,
    ("POST", "webhooks/flush"): flush,
    ("POST", "fault"): fault,
    ("GET", "fault"): list_faults,
    ("POST", "reply"): world.reply,
    ("POST", "status"): world.status,
    ("POST", "template"): templates.template,
    ("POST", "user"): world.user,
    ("POST", "phone"): world.phone,
    ("POST", "token"): world.token,
    ("POST", "account"): world.account,
    ("POST", "subscribe"): world.subscribe,
    ("POST", "clock"): world.clock,
    ("POST", "webhooks/send"): world.send_webhook,
}


async def handle(sim: Simulator, request: web.BaseRequest) -> web.Response:
    """Answer one control call; mistakes are 400 with a sentence."""
    name = request.path.removeprefix("/_control/").strip("/")
    handler = ROUTES.get((request.method, name))
    if handler is None:
        known = ", ".join(f"{method} {path}" for method, path in ROUTES)
        text = f"There is no {request.method} {name}. There are: {known}."
        return _json({"error": text}, 404)
    try:
        values = await _values(request)
        answer = handler(sim, values)
        if inspect.isawaitable(answer):
            answer = await answer
    except ControlError as error:
        return _json({"error": str(error)}, 400)
    except GraphError as error:
        return _json({"error": f"{error.title} {error.details}".strip()}, 400)
    except (TypeError, ValueError, KeyError) as error:
        return _json(
            {"error": f"A value is missing or has the wrong form: {error}"}, 400
        )
    return _json(answer, 200)


async def _values(request: web.BaseRequest) -> Json:
    if request.method == "GET":
        return dict(request.query)
    body = await request.content.read() if request.body_exists else b""
    if not body.strip():
        return {}
    try:
        values = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ControlError(f"The body is not JSON: {error}.") from error
    if not isinstance(values, dict):
        raise ControlError("The body is a JSON object.")
    return values


def _json(value: Json, status: int) -> web.Response:
    return web.Response(
        body=orjson.dumps(value), status=status, content_type="application/json"
    )
