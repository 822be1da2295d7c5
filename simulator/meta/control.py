# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Control calls about what is at Meta: messages under way, numbers, tokens, accounts."""

from __future__ import annotations

from typing import Any

from ..settings import ControlError
from ..whatsapp.call import check_url
from ..whatsapp.errors import GraphError
from ..whatsapp.find import find_phone, find_user
from ..whatsapp.numbering import digits_of, display
from ..whatsapp.state import Message, Override, Phone, State, Token
from ..whatsapp.views import phone_as_json
from ..world import Controls, World
from .control_templates import TemplateControls
from .lifecycle import RANK, Lifecycle
from .packing import Update
from .subscriptions import FIELDS
from .webhooks import Webhooks, post_as_json

Json = dict[str, Any]
_STATUSES = ("sent", "delivered", "read", "played", "failed")


class MetaControls:
    """Let tests and people do what only Meta can."""

    def __init__(
        self,
        world: World,
        state: State,
        webhooks: Webhooks,
        lifecycle: Lifecycle,
        templates: TemplateControls,
    ) -> None:
        self.world, self.state = world, state
        self.webhooks, self.lifecycle = webhooks, lifecycle
        self.templates = templates
        self.routes: Controls = {
            ("GET", "webhooks"): self.webhook_log,
            ("POST", "webhooks/flush"): self.flush,
            ("POST", "webhooks/send"): self.send_webhook,
            ("POST", "status"): self.status,
            ("POST", "template"): templates.template,
            ("POST", "phone"): self.phone,
            ("POST", "token"): self.token,
            ("POST", "account"): self.account,
            ("POST", "subscribe"): self.subscribe,
        }

    def begin(self, values: Json) -> None:
        """Make the templates and the subscription that a reset asks for."""
        for entry in values.get("templates") or []:
            self.templates.template({"action": "create", **entry})
        if values.get("subscribe"):
            self.subscribe(values["subscribe"])

    def fault(self, values: Json) -> Json | None:
        """Take faults of tokens and of the delivery of webhooks."""
        if "token" in values or "expire_token" in (values.get("action"), *values):
            return self.token({"token": "simulator-token", **values, "expire": True})
        if "webhooks" in values:
            return self._webhook_fault(dict(values["webhooks"]))
        return None

    def _webhook_fault(self, values: Json) -> Json:
        faults = self.webhooks.faults
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
            self.webhooks.release()
        return {"webhooks": self.webhooks.counts()}

    def heal(self) -> None:
        """Deliver webhooks again and let tokens live."""
        faults = self.webhooks.faults
        faults.drop, faults.repeat, faults.reorder = 0, 0, ""
        self.webhooks.release()
        for entry in self.state.tokens.values():
            entry.is_valid, entry.expires_at = True, 0

    async def flush(self, values: Json) -> Json:
        """POST /_control/webhooks/flush: wait until every webhook is delivered or failed."""
        return await self.webhooks.flush()

    def webhook_log(self, query: Json) -> Json:
        """GET /_control/webhooks."""
        limit = int(query.get("limit", 100))
        with_body = bool(query.get("body"))
        rows = [
            post_as_json(post, with_body) for post in list(self.webhooks.log)[-limit:]
        ]
        return {"count": self.webhooks.posts, **self.webhooks.counts(), "posts": rows}

    def status(self, values: Json) -> Json:
        """POST /_control/status: move messages on, or let them fail."""
        word = str(values.get("status") or "")
        if word not in _STATUSES:
            raise ControlError(f"status is one of {', '.join(_STATUSES)}.")
        code = int(values.get("code") or values.get("error") or 131000)
        changed = []
        for message in self._outgoing(values):
            if values.get("force") or _may(message, word):
                self.lifecycle.set_status(
                    message, word, code, str(values.get("details", ""))
                )
                changed.append(message.wamid)
        return {"count": len(changed), "wamids": changed[:1000]}

    def _outgoing(self, values: Json) -> list[Message]:
        if values.get("wamid"):
            one = self.state.messages.get(str(values["wamid"]))
            if one is None:
                raise ControlError(f"There is no message {values['wamid']}.")
            return [one]
        if values.get("uuid"):
            return self.state.by_uuid.get(str(values["uuid"]), [])
        if values.get("to"):
            chat = find_user(self.state, values["to"]).chat
            return [message for message in chat if not message.inbound]
        if values.get("all"):
            return [m for m in self.state.messages.values() if not m.inbound]
        raise ControlError("Say which messages: wamid, uuid, to or all.")

    def phone(self, values: Json) -> Json:
        """POST /_control/phone: change a business number, or add one."""
        if values.get("create"):
            found = self._create_phone(values)
        else:
            found = find_phone(
                self.state, values.get("phone_uid") or values.get("number")
            )
        for name in (
            "quality",
            "tier",
            "status",
            "throughput",
            "verified_name",
            "code",
        ):
            if name in values:
                setattr(found, name, str(values[name]))
        for name in ("is_verified", "is_registered"):
            if name in values:
                setattr(found, name, bool(values[name]))
        if "allowed" in values:
            allowed = values["allowed"]
            users = (
                None
                if allowed is None
                else [find_user(self.state, one) for one in allowed]
            )
            found.allowed = None if users is None else {one.wa_id for one in users}
        if "event" in values:
            item = {"display_phone_number": found.display, **dict(values["event"])}
            field = str(values.get("field") or "phone_number_quality_update")
            now = self.world.clock.now()
            self.webhooks.emit(Update(field, found.waba_uid, None, "value", item, now))
        return {"phone": phone_as_json(found)}

    def _create_phone(self, values: Json) -> Phone:
        number = digits_of(str(values["number"]))
        uid = str(values.get("phone_uid") or self.state.next_id(30))
        name = str(values.get("verified_name") or "Simulated number")
        waba_uid = str(values.get("waba_uid") or "200000000000001")
        if waba_uid not in self.state.wabas:
            raise ControlError(f"There is no account {waba_uid}.")
        made = Phone(uid, number, display(number), name, waba_uid)
        self.state.phones[uid] = made
        return made

    def token(self, values: Json) -> Json:
        """POST /_control/token: add, expire, restore or narrow an access token."""
        value = str(values.get("token") or "")
        found = self.state.tokens.get(value)
        if found is None:
            if not values.get("app_uid"):
                raise ControlError(
                    f"There is no token {value}; give app_uid to add it."
                )
            found = Token(value, str(values["app_uid"]), set())
            self.state.tokens[value] = found
        if values.get("expire"):
            found.expires_at = self.world.clock.now() - 1
        if values.get("revoke"):
            found.is_valid = False
        if values.get("restore"):
            found.is_valid, found.expires_at = True, 0
        if "expires_in" in values:
            found.expires_at = self.world.clock.now() + float(values["expires_in"])
        if "scopes" in values:
            found.scopes = set(values["scopes"])
        if "waba_uids" in values:
            found.waba_uids = set(values["waba_uids"])
        return {
            "token": value,
            "is_valid": found.is_valid,
            "expires_at": found.expires_at,
        }

    def account(self, values: Json) -> Json:
        """POST /_control/account: health, template room, app secret, account webhooks."""
        uid = str(values.get("waba_uid") or "200000000000001")
        waba = self.state.wabas.get(uid)
        if waba is None:
            raise ControlError(f"There is no account {uid}.")
        if "health" in values:
            waba.health = str(values["health"]).upper()
        if "template_limit" in values:
            waba.template_limit = int(values["template_limit"])
        if "app_secret" in values:
            self.state.apps[waba.app_uid].secret = str(values["app_secret"])
            self.webhooks.forget_targets()
        if "event" in values:
            field = str(values.get("field") or "account_update")
            item = dict(values["event"])
            now = self.world.clock.now()
            self.webhooks.emit(Update(field, uid, None, "value", item, now))
        return {"waba_uid": uid, "health": waba.health}

    def subscribe(self, values: Json) -> Json:
        """POST /_control/subscribe: set a callback without the handshake."""
        try:
            url = check_url(values.get("url"), "url")
        except GraphError as error:
            raise ControlError(f"{error.title} {error.details}".strip()) from error
        app_uid = str(values.get("app_uid") or "100000000000001")
        app = self.state.apps.get(app_uid)
        if app is None:
            raise ControlError(f"There is no app {app_uid}.")
        app.callback_url = url
        app.verify_token = str(values.get("verify_token") or "")
        app.fields = tuple(values.get("fields") or sorted(FIELDS))
        for waba in self.state.wabas.values():
            if waba.app_uid == app_uid:
                waba.subscribed[app_uid] = Override()
        self.webhooks.forget_targets()
        return {"app_uid": app_uid, "callback_url": url}

    def send_webhook(self, values: Json) -> Json:
        """POST /_control/webhooks/send: any field and value, signed and delivered."""
        uid = str(values.get("waba_uid") or "200000000000001")
        if uid not in self.state.wabas:
            raise ControlError(f"There is no account {uid}.")
        item = dict(values["value"])
        now = self.world.clock.now()
        self.webhooks.emit(Update(str(values["field"]), uid, None, "value", item, now))
        return {"webhooks": self.webhooks.counts()}


def _may(message: Message, word: str) -> bool:
    if message.status == "failed":
        return False
    if word == "failed":
        return RANK[message.status] < RANK["delivered"]
    return RANK[word] > RANK[message.status]
