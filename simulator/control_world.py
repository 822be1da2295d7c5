# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Control calls that change people, numbers, tokens and time."""

from __future__ import annotations

from base64 import b64decode
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from .control_views import (
    message_as_json,
    phone_as_json,
    state_as_json,
    user_as_json,
)
from .graph_subscriptions import FIELDS, check_url
from .lifecycle import RANK
from .numbers import digits_of, display, is_bsuid
from .packing import Update
from .settings import ControlError
from .state import Message, Override, Phone, Token, User
from .timing import iso

if TYPE_CHECKING:
    from .engine import Simulator

Json = dict[str, Any]
UTC = timezone.utc
_PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
_STATUSES = ("sent", "delivered", "read", "played", "failed")


def find_user(sim: Simulator, number: Any) -> User:
    """Return the user a control call names, making one on first contact."""
    text = str(number or "")
    if not is_bsuid(text) and not 5 <= len(digits_of(text)) <= 15:
        raise ControlError("Give a phone number with country code, or a BSUID.")
    return sim.state.user(text)


def find_phone(sim: Simulator, uid: Any, user: User | None = None) -> Phone:
    """Return the business number named, else the one the user last heard from."""
    if uid:
        wanted = str(uid)
        for phone in sim.state.phones.values():
            if wanted == phone.uid or digits_of(wanted) == phone.number:
                return phone
        raise ControlError(f"There is no business number {wanted}.")
    if user is not None and user.chat:
        return user.chat[-1].phone
    return next(iter(sim.state.phones.values()))


def reply(sim: Simulator, values: Json) -> Json:
    """POST /_control/reply: let a customer write, tap, react or send a file."""
    user = find_user(sim, values.get("from"))
    phone = find_phone(sim, values.get("to") or values.get("phone_uid"), user)
    if values.get("name"):
        user.name = str(values["name"])
    sim.inbox.written_at = _written_at(values.get("at"))
    try:
        return _reply(sim, values, user, phone)
    finally:
        sim.inbox.written_at = None


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


def _reply(sim: Simulator, values: Json, user: User, phone: Phone) -> Json:
    context = str(values.get("context") or "")
    inbox = sim.inbox
    if "button" in values:
        target = _target(sim, user, context, values["button"])
        button = _button(target, values["button"])
        if button["type"] == "url":
            return {"opens": button.get("url"), "wamid": None}
        message = inbox.tap(user, target.phone, button, target)
    elif "reaction" in values:
        target = _target(sim, user, context)
        message = inbox.react(user, target.phone, str(values["reaction"] or ""), target)
    elif "media" in values:
        message = _send_media(sim, user, phone, dict(values["media"]), context)
    elif "raw" in values:
        raw = dict(values["raw"])
        kind = str(raw.pop("type"))
        content = raw.pop(kind, None) or {}
        message = inbox.receive(user, phone, kind, content, context=context, extra=raw)
    elif values.get("text"):
        message = inbox.write(user, phone, str(values["text"]), context)
    else:
        raise ControlError("Say what: text, button, reaction, media or raw.")
    return {"wamid": message.wamid, "message": message_as_json(message)}


def _target(sim: Simulator, user: User, context: str, button: Any = None) -> Message:
    if context:
        target = sim.state.messages.get(context)
        if target is None or target.user is not user:
            raise ControlError(f"This customer has no message {context}.")
        return target
    for message in reversed(user.chat):
        if not message.inbound and (button is None or message.buttons):
            return message
    raise ControlError("This customer has no message to answer.")


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


def _send_media(
    sim: Simulator, user: User, phone: Phone, media: Json, context: str
) -> Message:
    content = b64decode(media["base64"]) if media.get("base64") else _PDF
    filename = str(media.get("filename") or "document.pdf")
    mime = str(media.get("mime") or "application/pdf")
    caption = str(media.get("caption") or "")
    return sim.inbox.send_file(user, phone, content, filename, mime, caption, context)


def status(sim: Simulator, values: Json) -> Json:
    """POST /_control/status: move messages on, or let them fail."""
    word = str(values.get("status") or "")
    if word not in _STATUSES:
        raise ControlError(f"status is one of {', '.join(_STATUSES)}.")
    code = int(values.get("code") or values.get("error") or 131000)
    changed = []
    for message in _outgoing(sim, values):
        if values.get("force") or _may(message, word):
            sim.lifecycle.set_status(
                message, word, code, str(values.get("details", ""))
            )
            changed.append(message.wamid)
    return {"count": len(changed), "wamids": changed[:1000]}


def _may(message: Message, word: str) -> bool:
    if message.status == "failed":
        return False
    if word == "failed":
        return RANK[message.status] < RANK["delivered"]
    return RANK[word] > RANK[message.status]


def _outgoing(sim: Simulator, values: Json) -> list[Message]:
    if values.get("wamid"):
        one = sim.state.messages.get(str(values["wamid"]))
        if one is None:
            raise ControlError(f"There is no message {values['wamid']}.")
        return [one]
    if values.get("uuid"):
        return sim.state.by_uuid.get(str(values["uuid"]), [])
    if values.get("to"):
        chat = find_user(sim, values["to"]).chat
        return [message for message in chat if not message.inbound]
    if values.get("all"):
        return [m for m in sim.state.messages.values() if not m.inbound]
    raise ControlError("Say which messages: wamid, uuid, to or all.")


def user(sim: Simulator, values: Json) -> Json:
    """POST /_control/user: how a customer's phone is set."""
    found = find_user(sim, values.get("number") or values.get("user_id"))
    was_online = found.online and found.on_whatsapp
    _set_flags(found, values)
    if "entry_point_hours" in values:
        hours = float(values["entry_point_hours"])
        found.entry_point_until = sim.clock.now() + hours * 3600
    if "blocked" in values:
        _block(sim, found, values)
    if "marketing" in values:
        phone = find_phone(sim, values.get("phone_uid"), found)
        sim.inbox.prefer(found, phone, "resume" if values["marketing"] else "stop")
    if values.get("read"):
        sim.lifecycle.read_all(found)
    if found.online and found.on_whatsapp and not was_online:
        sim.lifecycle.came_online(found)
    sim.notify(found)
    return {"user": user_as_json(found)}


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


def _block(sim: Simulator, found: User, values: Json) -> None:
    uid = values.get("phone_uid")
    phones = [find_phone(sim, uid, found)] if uid else sim.state.phones.values()
    for phone in phones:
        if values["blocked"]:
            found.blocks.add(phone.uid)
        else:
            found.blocks.discard(phone.uid)


def phone(sim: Simulator, values: Json) -> Json:
    """POST /_control/phone: change a business number, or add one."""
    if values.get("create"):
        found = _create_phone(sim, values)
    else:
        found = find_phone(sim, values.get("phone_uid") or values.get("number"))
    for name in ("quality", "tier", "status", "throughput", "verified_name", "code"):
        if name in values:
            setattr(found, name, str(values[name]))
    for name in ("is_verified", "is_registered"):
        if name in values:
            setattr(found, name, bool(values[name]))
    if "allowed" in values:
        allowed = values["allowed"]
        users = None if allowed is None else [find_user(sim, one) for one in allowed]
        found.allowed = None if users is None else {one.wa_id for one in users}
    if "event" in values:
        item = {"display_phone_number": found.display, **dict(values["event"])}
        field = str(values.get("field") or "phone_number_quality_update")
        now = sim.clock.now()
        sim.webhooks.emit(Update(field, found.waba_uid, None, "value", item, now))
    return {"phone": phone_as_json(found)}


def _create_phone(sim: Simulator, values: Json) -> Phone:
    number = digits_of(str(values["number"]))
    uid = str(values.get("phone_uid") or sim.state.next_id(30))
    name = str(values.get("verified_name") or "Simulated number")
    waba_uid = str(values.get("waba_uid") or "200000000000001")
    if waba_uid not in sim.state.wabas:
        raise ControlError(f"There is no account {waba_uid}.")
    made = Phone(uid, number, display(number), name, waba_uid)
    sim.state.phones[uid] = made
    return made


def token(sim: Simulator, values: Json) -> Json:
    """POST /_control/token: add, expire, restore or narrow an access token."""
    value = str(values.get("token") or "")
    found = sim.state.tokens.get(value)
    if found is None:
        if not values.get("app_uid"):
            raise ControlError(f"There is no token {value}; give app_uid to add it.")
        found = Token(value, str(values["app_uid"]), set())
        sim.state.tokens[value] = found
    if values.get("expire"):
        found.expires_at = sim.clock.now() - 1
    if values.get("revoke"):
        found.is_valid = False
    if values.get("restore"):
        found.is_valid, found.expires_at = True, 0
    if "expires_in" in values:
        found.expires_at = sim.clock.now() + float(values["expires_in"])
    if "scopes" in values:
        found.scopes = set(values["scopes"])
    if "waba_uids" in values:
        found.waba_uids = set(values["waba_uids"])
    return {"token": value, "is_valid": found.is_valid, "expires_at": found.expires_at}


def account(sim: Simulator, values: Json) -> Json:
    """POST /_control/account: health, template room, app secret, account webhooks."""
    uid = str(values.get("waba_uid") or "200000000000001")
    waba = sim.state.wabas.get(uid)
    if waba is None:
        raise ControlError(f"There is no account {uid}.")
    if "health" in values:
        waba.health = str(values["health"]).upper()
    if "template_limit" in values:
        waba.template_limit = int(values["template_limit"])
    if "app_secret" in values:
        sim.state.apps[waba.app_uid].secret = str(values["app_secret"])
        sim.webhooks.forget_targets()
    if "event" in values:
        field = str(values.get("field") or "account_update")
        item = dict(values["event"])
        now = sim.clock.now()
        sim.webhooks.emit(Update(field, uid, None, "value", item, now))
    return {"waba_uid": uid, "health": waba.health}


def subscribe(sim: Simulator, values: Json) -> Json:
    """POST /_control/subscribe: set a callback without the handshake."""
    url = check_url(values.get("url"), "url")
    app_uid = str(values.get("app_uid") or "100000000000001")
    app = sim.state.apps.get(app_uid)
    if app is None:
        raise ControlError(f"There is no app {app_uid}.")
    app.callback_url = url
    app.verify_token = str(values.get("verify_token") or "")
    app.fields = tuple(values.get("fields") or sorted(FIELDS))
    for waba in sim.state.wabas.values():
        if waba.app_uid == app_uid:
            waba.subscribed[app_uid] = Override()
    sim.webhooks.forget_targets()
    return {"app_uid": app_uid, "callback_url": url}


def send_webhook(sim: Simulator, values: Json) -> Json:
    """POST /_control/webhooks/send: any field and value, signed and delivered."""
    uid = str(values.get("waba_uid") or "200000000000001")
    if uid not in sim.state.wabas:
        raise ControlError(f"There is no account {uid}.")
    item = dict(values["value"])
    now = sim.clock.now()
    sim.webhooks.emit(Update(str(values["field"]), uid, None, "value", item, now))
    return {"webhooks": sim.webhooks.counts()}


def clock(sim: Simulator, values: Json) -> Json:
    """POST /_control/clock: let time pass, or stop it."""
    seconds = values.get("advance", 0)
    if not isinstance(seconds, (int, float)):
        raise ControlError("advance is a number of seconds.")
    if "freeze" in values:
        sim.clock.freeze(bool(values["freeze"]))
    sim.clock.advance(float(seconds))
    sim.ring()
    return {"now": iso(sim.clock.now()), "counts": state_as_json(sim)["counts"]}
