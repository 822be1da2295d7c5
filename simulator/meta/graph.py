# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Find the object and the edge a Graph path names, check the token, and answer."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable
from typing import Any

from ..whatsapp.answers import ADVERTISED
from ..whatsapp.call import Call, Raw
from ..whatsapp.errors import GraphError, Json, not_found
from ..whatsapp.state import MANAGEMENT, MESSAGING, State, Token
from ..world import World
from .accounts import Accounts
from .media import Files
from .messages import Messages
from .numbers import Numbers
from .settings import Settings
from .subscriptions import Subscriptions
from .templates import Templates

Answer = Json | Raw
Handler = Callable[[Call], Answer | Awaitable[Answer]]

_NEWEST = 26
_VERSION = re.compile(r"^v(\d+)\.(\d+)$")
_LIMITED = frozenset({"waba", "template"})


def parse_path(path: str) -> tuple[str, str, str]:
    """Split a path into version, object and edge; raises GraphError for a bad one."""
    parts = [part for part in path.split("/") if part]
    version = ADVERTISED
    if parts and _VERSION.match(parts[0]):
        version = parts.pop(0)
        if int(version[1:].split(".")[0]) > _NEWEST or not version.endswith(".0"):
            raise _unknown_path(parts or [version])
    if not parts:
        raise GraphError(100, message="Unsupported get request.")
    if len(parts) > 2:
        raise _unknown_path(parts[1:])
    return version, parts[0], parts[1] if len(parts) == 2 else ""


def _unknown_path(parts: list[str]) -> GraphError:
    return GraphError(2500, message="Unknown path components: /" + "/".join(parts))


class Graph:
    """Find who answers a call, if its token may ask."""

    def __init__(
        self,
        world: World,
        state: State,
        settings: Settings,
        *,
        messages: Messages,
        files: Files,
        accounts: Accounts,
        numbers: Numbers,
        subscriptions: Subscriptions,
        templates: Templates,
    ) -> None:
        self.world, self.state, self.settings = world, state, settings
        self.files = files
        # method, kind of object, edge -> who answers, the permission that it takes
        self.routes: dict[str, tuple[Handler, str]] = {
            "POST phone/messages": (messages.send, MESSAGING),
            "POST phone/media": (files.upload, MESSAGING),
            "GET media": (files.describe, MESSAGING),
            "DELETE media": (files.delete, MESSAGING),
            "POST app/uploads": (files.start_upload, ""),
            "GET waba": (accounts.read_waba, MANAGEMENT),
            "GET waba/phone_numbers": (numbers.list_phones, MANAGEMENT),
            "POST waba/phone_numbers": (numbers.add_phone, MANAGEMENT),
            "GET waba/subscribed_apps": (subscriptions.list_apps, MANAGEMENT),
            "POST waba/subscribed_apps": (subscriptions.subscribe_app, MANAGEMENT),
            "DELETE waba/subscribed_apps": (subscriptions.drop_app, MANAGEMENT),
            "GET app/subscriptions": (subscriptions.list_callbacks, "app"),
            "POST app/subscriptions": (subscriptions.set_callback, "app"),
            "DELETE app/subscriptions": (subscriptions.drop_callback, "app"),
            "GET app": (accounts.read_app, ""),
            "GET me": (accounts.read_me, ""),
            "GET debug_token": (accounts.debug_token, ""),
            "GET phone": (numbers.read_phone, MANAGEMENT),
            "POST phone": (numbers.write_phone, MANAGEMENT),
            "POST phone/request_code": (numbers.request_code, MANAGEMENT),
            "POST phone/verify_code": (numbers.verify_code, MANAGEMENT),
            "POST phone/register": (numbers.register, MANAGEMENT),
            "POST phone/deregister": (numbers.deregister, MANAGEMENT),
            "GET phone/whatsapp_business_profile": (numbers.read_profile, MANAGEMENT),
            "POST phone/whatsapp_business_profile": (numbers.write_profile, MANAGEMENT),
            "GET phone/block_users": (numbers.list_blocked, MESSAGING),
            "POST phone/block_users": (numbers.block_users, MESSAGING),
            "DELETE phone/block_users": (numbers.unblock_users, MESSAGING),
            "GET waba/message_templates": (templates.list_templates, MANAGEMENT),
            "POST waba/message_templates": (templates.create, MANAGEMENT),
            "DELETE waba/message_templates": (templates.delete, MANAGEMENT),
            "GET template": (templates.read, MANAGEMENT),
            "POST template": (templates.edit, MANAGEMENT),
            "POST template/unpause": (templates.unpause, MANAGEMENT),
        }

    def download(self, call: Call) -> Raw:
        """Serve a file to a token of its account."""
        return self.files.download(call, self.authenticate(call).waba_uids)

    def authenticate(self, call: Call) -> Token:
        """Return the token of a call, or raise what Meta raises."""
        header = str(call.headers.get("Authorization", ""))
        scheme, _space, value = header.partition(" ")
        if scheme.lower() not in ("bearer", "oauth"):
            value = ""
        value = value.strip() or call.query.get("access_token", "")
        if not value:
            raise _no_token(call)
        token = self.state.find_token(value)
        if token is None:
            raise GraphError(190)
        _check_alive(token, self.world.clock.now())
        _check_proof(self.state, token, call)
        return token

    def _check_access(self, call: Call, token: Token, kind: str) -> None:
        """Refuse objects that the token cannot see."""
        waba_uid = _owner(self.state, kind, call.object_id)
        if kind == "app" and token.app_uid != call.object_id:
            raise not_found(call.method, call.object_id)
        if not waba_uid or waba_uid in token.waba_uids:
            return
        waba = self.state.wabas[waba_uid]
        if token.is_app or waba.app_uid != token.app_uid or waba.provider != "meta":
            raise not_found(call.method, call.object_id)
        text = (
            "You do not have the necessary permissions to access this WhatsApp account"
        )
        raise GraphError(200, message=text)

    def answer(self, call: Call) -> Answer | Awaitable[Answer]:
        """Answer one authenticated Graph call."""
        if call.object_id.startswith("upload:"):
            call.token = self.authenticate(call)
            return self.files.continue_upload(call)
        token = call.token = self.authenticate(call)
        kind = _kind(self.state, call.object_id)
        if not kind and not call.object_id.isdigit() and not call.edge:
            text = f"Some of the aliases you requested do not exist: {call.object_id}"
            raise GraphError(803, message=f"(#803) {text}")
        if not kind:
            raise not_found(call.method, call.object_id)
        self._check_access(call, token, kind)
        route = self.routes.get(f"{call.method} {kind}/{call.edge}".rstrip("/"))
        if route is None:
            raise _no_route(call, kind)
        handler, permission = route
        _check_permission(token, permission)
        if kind in _LIMITED:
            self._count_management(_owner(self.state, kind, call.object_id))
        return handler(call)

    def _count_management(self, waba_uid: str) -> None:
        calls = self.state.wabas[waba_uid].calls
        now = self.world.clock.now()
        while calls and now - calls[0] >= 3600:
            calls.popleft()
        if len(calls) >= self.settings.management_per_hour:
            text = "There have been too many calls to this WhatsApp Business account."
            raise GraphError(80007, text)
        calls.append(now)


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
