# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Control calls about people: what their phones received, what they do with them."""

from __future__ import annotations

from base64 import b64decode
from datetime import datetime, timezone
from itertools import islice
from typing import Any

from ..settings import ControlError
from ..whatsapp import roles
from ..whatsapp.find import find_phone, find_user
from ..whatsapp.state import Message, Phone, State, User
from ..whatsapp.views import message_as_json, user_as_json
from ..world import Controls, World

Json = dict[str, Any]
UTC = timezone.utc
_DEFAULT_LIMIT = 1000
_PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


class PhoneControls:
    """Let tests hold a customer's phone."""

    def __init__(
        self,
        world: World,
        state: State,
        inbox: roles.Inbox,
        lifecycle: roles.Lifecycle,
    ) -> None:
        self.world, self.state = world, state
        self.inbox, self.lifecycle = inbox, lifecycle
        self.routes: Controls = {
            ("GET", "messages"): self.list_messages,
            ("POST", "reply"): self.reply,
            ("POST", "user"): self.user,
        }

    def list_messages(self, query: Json) -> Json:
        """GET /_control/messages."""
        found = self._find(query)
        limit = int(query.get("limit", _DEFAULT_LIMIT))
        offset = int(query.get("offset", 0))
        shown = islice(found, offset, offset + limit)
        rows = [] if query.get("count") else [message_as_json(entry) for entry in shown]
        return {"count": len(found), "messages": rows}

    def _find(self, query: Json) -> list[Message]:
        state = self.state
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

    def reply(self, values: Json) -> Json:
        """POST /_control/reply: let a customer write, tap, react or send a file."""
        user = find_user(self.state, values.get("from"))
        phone = find_phone(
            self.state, values.get("to") or values.get("phone_uid"), user
        )
        if values.get("name"):
            user.name = str(values["name"])
        self.inbox.written_at = _written_at(values.get("at"))
        try:
            return self._reply(values, user, phone)
        finally:
            self.inbox.written_at = None

    def _reply(self, values: Json, user: User, phone: Phone) -> Json:
        context = str(values.get("context") or "")
        inbox = self.inbox
        if "button" in values:
            target = self._target(user, context, values["button"])
            button = _button(target, values["button"])
            if button["type"] == "url":
                return {"opens": button.get("url"), "wamid": None}
            message = inbox.tap(user, target.phone, button, target)
        elif "reaction" in values:
            target = self._target(user, context)
            message = inbox.react(
                user, target.phone, str(values["reaction"] or ""), target
            )
        elif "media" in values:
            message = self._send_media(user, phone, dict(values["media"]), context)
        elif "raw" in values:
            raw = dict(values["raw"])
            kind = str(raw.pop("type"))
            content = raw.pop(kind, None) or {}
            message = inbox.receive(
                user, phone, kind, content, context=context, extra=raw
            )
        elif values.get("text"):
            message = inbox.write(user, phone, str(values["text"]), context)
        else:
            raise ControlError("Say what: text, button, reaction, media or raw.")
        return {"wamid": message.wamid, "message": message_as_json(message)}

    def _target(self, user: User, context: str, button: Any = None) -> Message:
        if context:
            target = self.state.messages.get(context)
            if target is None or target.user is not user:
                raise ControlError(f"This customer has no message {context}.")
            return target
        for message in reversed(user.chat):
            if not message.inbound and (button is None or message.buttons):
                return message
        raise ControlError("This customer has no message to answer.")

    def _send_media(
        self, user: User, phone: Phone, media: Json, context: str
    ) -> Message:
        content = b64decode(media["base64"]) if media.get("base64") else _PDF
        filename = str(media.get("filename") or "document.pdf")
        mime = str(media.get("mime") or "application/pdf")
        caption = str(media.get("caption") or "")
        return self.inbox.send_file(
            user, phone, content, filename, mime, caption, context
        )

    def user(self, values: Json) -> Json:
        """POST /_control/user: how a customer's phone is set."""
        found = find_user(self.state, values.get("number") or values.get("user_id"))
        was_online = found.online and found.on_whatsapp
        _set_flags(found, values)
        if "entry_point_hours" in values:
            hours = float(values["entry_point_hours"])
            found.entry_point_until = self.world.clock.now() + hours * 3600
        if "blocked" in values:
            self._block(found, values)
        if "marketing" in values:
            phone = find_phone(self.state, values.get("phone_uid"), found)
            self.inbox.prefer(found, phone, "resume" if values["marketing"] else "stop")
        if values.get("read"):
            self.lifecycle.read_all(found)
        if found.online and found.on_whatsapp and not was_online:
            self.lifecycle.came_online(found)
        self.world.watchers.changed(found.user_uid)
        return {"user": user_as_json(found)}

    def _block(self, found: User, values: Json) -> None:
        uid = values.get("phone_uid")
        phones = (
            [find_phone(self.state, uid, found)] if uid else self.state.phones.values()
        )
        for phone in phones:
            if values["blocked"]:
                found.blocks.add(phone.uid)
            else:
                found.blocks.discard(phone.uid)


def _written_at(value: Any) -> float | None:
    """Read when a message was written: unix seconds, or a time in ISO 8601 (UTC)."""
    if value in (None, ""):
        return None
    if isinstance(value, int | float):
        return float(value)
    try:
        moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError as error:
        raise ControlError("at is unix seconds, or 2026-12-01T09:00:00Z.") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _button(target: Message, wanted: Any) -> Json:
    if isinstance(wanted, dict):
        word = wanted.get("payload", wanted.get("text", wanted.get("index")))
    else:
        word = wanted
    for button in target.buttons:
        is_index = isinstance(word, int) and button["index"] == word
        if is_index or word in (button.get("payload"), button["text"]):
            return button
    known = ", ".join(str(button["text"]) for button in target.buttons) or "none"
    raise ControlError(f"There is no button {word!r}; the message has: {known}.")


def _set_flags(found: User, values: Json) -> None:
    for name in ("on_whatsapp", "online", "receipts", "in_experiment"):
        if name in values:
            setattr(found, name, bool(values[name]))
    for name in ("name", "username"):
        if name in values:
            setattr(found, name, str(values[name]))
    if "username_only" in values:
        found.hides_number = bool(values["username_only"])
        if found.hides_number and not found.username:
            found.username = "user" + found.user_uid[-4:]
