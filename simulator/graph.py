# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Find the object and the edge a Graph path names, check the token, and answer."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from . import graph_account as account
from . import graph_media as media
from . import graph_messages as messages
from . import graph_phone as phone
from . import graph_subscriptions as subscriptions
from . import graph_templates as templates
from .call import Call, Raw
from .errors import GraphError, Json, not_found
from .state import MANAGEMENT, MESSAGING, State, Token

if TYPE_CHECKING:
    from .engine import Simulator

Answer = Json | Raw
Handler = Callable[["Simulator", Call], Answer | Awaitable[Answer]]

OLDEST, NEWEST, DEFAULT = 22, 26, 25
_VERSION = re.compile(r"^v(\d+)\.(\d+)$")

# (method, kind of object, edge) -> (handler, permission that the token needs)
ROUTES: dict[tuple[str, str, str], tuple[Handler, str]] = {
    ("POST", "phone", "messages"): (messages.send, MESSAGING),
    ("POST", "phone", "media"): (media.upload, MESSAGING),
    ("GET", "media", ""): (media.describe, MESSAGING),
    ("DELETE", "media", ""): (media.delete, MESSAGING),
    ("POST", "app", "uploads"): (media.start_upload, ""),
    ("GET", "waba", ""): (account.read_waba, MANAGEMENT),
    ("GET", "waba", "phone_numbers"): (phone.list_phones, MANAGEMENT),
    ("POST", "waba", "phone_numbers"): (phone.add_phone, MANAGEMENT),
    ("GET", "waba", "subscribed_apps"): (subscriptions.list_apps, MANAGEMENT),
    ("POST", "waba", "subscribed_apps"): (subscriptions.subscribe_app, MANAGEMENT),
    ("DELETE", "waba", "subscribed_apps"): (subscriptions.drop_app, MANAGEMENT),
    ("GET", "app", "subscriptions"): (subscriptions.list_callbacks, "app"),
    ("POST", "app", "subscriptions"): (subscriptions.set_callback, "app"),
    ("DELETE", "app", "subscriptions"): (subscriptions.drop_callback, "app"),
    ("GET", "app", ""): (account.read_app, ""),
    ("GET", "me", ""): (account.read_me, ""),
    ("GET", "debug_token", ""): (account.debug_token, ""),
    ("GET", "phone", ""): (phone.read_phone, MANAGEMENT),
    ("POST", "phone", ""): (phone.write_phone, MANAGEMENT),
    ("POST", "phone", "request_code"): (phone.request_code, MANAGEMENT),
    ("POST", "phone", "verify_code"): (phone.verify_code, MANAGEMENT),
    ("POST", "phone", "register"): (phone.register, MANAGEMENT),
    ("POST", "phone", "deregister"): (phone.deregister, MANAGEMENT),
    ("GET", "phone", "whatsapp_business_profile"): (phone.read_profile, MANAGEMENT),
    ("POST", "phone", "whatsapp_business_profile"): (phone.write_profile, MANAGEMENT),
    ("GET", "phone", "block_users"): (phone.list_blocked, MESSAGING),
    ("POST", "phone", "block_users"): (phone.block_users, MESSAGING),
    ("DELETE", "phone", "block_users"): (phone.unblock_users, MESSAGING),
    ("GET", "waba", "message_templates"): (templates.list_templates, MANAGEMENT),
    ("POST", "waba", "message_templates"): (templates.create, MANAGEMENT),
    ("DELETE", "waba", "message_templates"): (templates.delete, MANAGEMENT),
    ("GET", "template", ""): (templates.read, MANAGEMENT),
    ("POST", "template", ""): (templates.edit, MANAGEMENT),
    ("POST", "template", "unpause"): (templates.unpause, MANAGEMENT),
}
_LIMITED = frozenset({"waba", "template"})


def parse_path(path: str) -> tuple[str, str, str]:
    """Split a path into version, object and edge; raises GraphError for a bad one."""
    parts = [part for part in path.split("/") if part]
    version = f"v{DEFAULT}.0"
    if parts and _VERSION.match(parts[0]):
        version = parts.pop(0)
        if int(version[1:].split(".")[0]) > NEWEST or not version.endswith(".0"):
            raise _unknown_path(parts or [version])
    if not parts:
        raise GraphError(100, message="Unsupported get request.")
    if len(parts) > 2:
        raise _unknown_path(parts[1:])
    return version, parts[0], parts[1] if len(parts) == 2 else ""


def served_version(version: str) -> str:
    """Return the version that answers: expired ones get the oldest that lives."""
    number = int(version[1:].split(".")[0])
    return f"v{max(number, OLDEST)}.0"


def _unknown_path(parts: list[str]) -> GraphError:
    return GraphError(2500, message="Unknown path components: /" + "/".join(parts))


def authenticate(sim: Simulator, call: Call) -> Token:
    """Return the token of a call, or raise what Meta raises."""
    header = str(call.headers.get("Authorization", ""))
    scheme, _space, value = header.partition(" ")
    if scheme.lower() not in ("bearer", "oauth"):
        value = ""
    value = value.strip() or call.query.get("access_token", "")
    if not value:
        raise _no_token(call)
    token = sim.state.find_token(value)
    if token is None:
        raise GraphError(190)
    _check_alive(token, sim.clock.now())
    _check_proof(sim.state, token, call)
    return token


def _no_token(call: Call) -> GraphError:
    if call.object_id == "me":
        text = (
            "An active access token must be used to query information about the "
            "current user."
        )
        return GraphError(2500, message=text)
    return GraphError(104)


def _check_alive(token: Token, now: float) -> None:
    if token.expires_at and now >= token.expires_at:
        text = "Error validating access token: Session has expired."
        raise GraphError(190, message=text, subcode=463, http=401)
    if not token.is_valid:
        text = "Error validating access token: The session has been invalidated."
        raise GraphError(190, message=text, subcode=460, http=401)


def _check_proof(state: State, token: Token, call: Call) -> None:
    proof = call.query.get("appsecret_proof")
    if proof is None:
        return
    message = token.value
    if "appsecret_time" in call.query:
        message += "|" + call.query["appsecret_time"]
    secret = state.apps[token.app_uid].secret
    wanted = hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted.encode(), proof.encode()):
        text = "Invalid appsecret_proof provided in the API argument"
        raise GraphError(100, message=text)


def _kind(state: State, object_id: str) -> str:
    if object_id in ("me", "debug_token"):
        return object_id
    for kind, objects in (
        ("phone", state.phones),
        ("waba", state.wabas),
        ("media", state.media),
        ("template", state.templates),
        ("app", state.apps),
    ):
        if object_id in objects:
            return kind
    return ""


def _owner(state: State, kind: str, object_id: str) -> str:
    """Return the id of the account that an object belongs to."""
    if kind == "waba":
        return object_id
    owners: dict[str, Any] = {
        "phone": state.phones,
        "media": state.media,
        "template": state.templates,
    }
    return str(owners[kind][object_id].waba_uid) if kind in owners else ""


def _check_access(sim: Simulator, call: Call, token: Token, kind: str) -> None:
    """Refuse objects that the token cannot see."""
    waba_uid = _owner(sim.state, kind, call.object_id)
    if kind == "app" and token.app_uid != call.object_id:
        raise not_found(call.method, call.object_id)
    if not waba_uid or waba_uid in token.waba_uids:
        return
    waba = sim.state.wabas[waba_uid]
    if token.is_app or waba.app_uid != token.app_uid or waba.provider != "meta":
        raise not_found(call.method, call.object_id)
    text = "You do not have the necessary permissions to access this WhatsApp account"
    raise GraphError(200, message=text)


def _check_permission(token: Token, permission: str) -> None:
    if permission == "app":
        if not token.is_app:
            raise GraphError(15, message="This method must be called with an app token")
    elif permission and permission not in token.scopes:
        raise GraphError(10, f"The token has no permission {permission}")


def _no_route(call: Call, kind: str) -> GraphError:
    if call.method == "GET" and call.edge:
        node = {
            "phone": "WhatsAppBusinessPhoneNumber",
            "waba": "WhatsAppBusinessAccount",
        }
        text = (
            f"Tried accessing nonexisting field ({call.edge}) on node type "
            f"({node.get(kind, kind.title())})"
        )
        return GraphError(100, message=text)
    return not_found(call.method, call.object_id)


def answer(sim: Simulator, call: Call) -> Answer | Awaitable[Answer]:
    """Answer one authenticated Graph call."""
    if call.object_id.startswith("upload:"):
        call.token = authenticate(sim, call)
        return media.continue_upload(sim, call)
    token = call.token = authenticate(sim, call)
    kind = _kind(sim.state, call.object_id)
    if not kind and not call.object_id.isdigit() and not call.edge:
        text = f"Some of the aliases you requested do not exist: {call.object_id}"
        raise GraphError(803, message=f"(#803) {text}")
    if not kind:
        raise not_found(call.method, call.object_id)
    _check_access(sim, call, token, kind)
    route = ROUTES.get((call.method, kind, call.edge))
    if route is None:
        raise _no_route(call, kind)
    handler, permission = route
    _check_permission(token, permission)
    if kind in _LIMITED:
        _count_management(sim, _owner(sim.state, kind, call.object_id))
    return handler(sim, call)


def _count_management(sim: Simulator, waba_uid: str) -> None:
    calls = sim.state.wabas[waba_uid].calls
    now = sim.clock.now()
    while calls and now - calls[0] >= 3600:
        calls.popleft()
    if len(calls) >= sim.settings.management_per_hour:
        text = "There have been too many calls to this WhatsApp Business account."
        raise GraphError(80007, text)
    calls.append(now)
