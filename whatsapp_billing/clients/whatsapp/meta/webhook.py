# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Read Meta's webhooks (as documented in 2026-09).

Everything in a webhook is optional and every enumeration grows, so nothing is
demanded: a wrong type counts as missing, an unknown field becomes an `UnknownEvent`,
and raw words are kept. One bad item never costs the other 999 of a batch.
"""

import json as jsonlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ...values import e164, obj, rows, text, timestamp
from ..base import (
    AccountEvent,
    Event,
    InboundMessage,
    Json,
    PreferenceEvent,
    StatusUpdate,
    UnknownEvent,
)
from .events import ACCOUNT_FIELDS, account_event, template_event
from .payloads import error_infos, is_bsuid

# Preferences that allow offers; an unknown word neither allows nor stops them.
GRANTING = ("resume", "signup")
MEDIA_TYPES = ("image", "video", "audio", "document", "sticker")


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a change came from."""

    field: str
    waba_uid: str
    phone_uid: str
    number: str
    time: int
    received: int


def parse_webhook(body: bytes, received: int = 0) -> list[Event]:
    """Return the events of one POST, in its order.

    :param received: when it came, in unix seconds: nothing in it is younger, and what
        names no moment happened then
    :raise ValueError: if the body is not a JSON object, or no JSON that can be read
    """
    try:
        envelope = jsonlib.loads(
            body, parse_int=_integer, parse_float=_float, parse_constant=_nothing
        )
        if not isinstance(envelope, dict):
            message = "a webhook's body is a JSON object"
            raise ValueError(message)  # noqa: TRY004 - the documented error
        if any(mark in body for mark in _UNSAFE):
            envelope = _scrub(envelope)
        return list(_events(envelope, received))
    except RecursionError:
        message = "JSON nested too deep"
        raise ValueError(message) from None


# What PostgreSQL refuses in text and JSON: NUL and lone surrogates, escaped or not, and
# numbers that are none. Emoji are written as two surrogates, so this is not rare.
_UNSAFE = (b"\\u0000", b"\\ud", b"\\uD", b"\0", b"\xed")


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) < 100 else None


def _float(digits: str) -> float | None:
    value = float(digits)
    return value if math.isfinite(value) else None


def _nothing(_constant: str) -> None:
    return None


def _scrub(value: Any) -> Any:
    """Drop NULs and replace lone surrogates: valid in JSON, refused by PostgreSQL."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_scrub(item) for item in value]
    if isinstance(value, dict):
        return {_scrub(key): _scrub(item) for key, item in value.items()}
    return value


def _events(envelope: Json, received: int) -> Iterator[Event]:
    entries = envelope.get("entry")
    if not isinstance(entries, list):
        yield UnknownEvent(field="", raw=envelope)
        return
    for entry in entries:
        changes = obj(entry).get("changes")
        if not isinstance(changes, list):
            yield UnknownEvent(
                field="", waba_uid=text(obj(entry).get("id")), raw=_raw(entry)
            )
            continue
        for change in changes:
            yield from _change_events(entry, change, received)


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _change_events(entry: Json, change: object, received: int) -> Iterator[Event]:
    waba_uid = text(entry.get("id"))
    value = obj(obj(change).get("value"))
    metadata = obj(value.get("metadata"))
    source = _Source(
        field=text(obj(change).get("field")),
        waba_uid=waba_uid,
        phone_uid=text(metadata.get("phone_number_id")),
        number=e164(metadata.get("display_phone_number")),
        time=timestamp(entry.get("time")),
        received=received,
    )
    if not value:
        yield _unknown(source, change)
    elif source.field == "messages":
        yield from _message_events(source, value)
    elif source.field == "user_preferences":
        yield from _preference_events(source, value)
    elif "message_template_id" in value or "message_template_name" in value:
        # By content: a page of Meta's names the wrong field for quality updates.
        yield template_event(
            source.field, value, waba_uid=source.waba_uid, time=source.time
        )
    elif source.field in ACCOUNT_FIELDS:
        yield account_event(
            source.field,
            value,
            waba_uid=source.waba_uid,
            phone_uid=source.phone_uid,
            number=source.number,
        )
    else:
        yield _unknown(source, value)


def _unknown(source: _Source, raw: object) -> UnknownEvent:
    return UnknownEvent(source.field, source.waba_uid, source.phone_uid, _raw(raw))


def _raw(value: object) -> Json:
    return value if isinstance(value, dict) else {"value": value}


# === MESSAGES AND STATUSES === #


def _message_events(source: _Source, value: Json) -> Iterator[Event]:
    contacts = rows(value.get("contacts"))
    known = False
    for status in _items(value.get("statuses")):
        known = True
        if isinstance(status, dict):
            yield _status(source, status, contacts)
        else:
            yield _unknown(source, status)
    for message in _items(value.get("messages")):
        known = True
        if isinstance(message, dict):
            yield _inbound(source, message, contacts, value.get("errors"))
        else:
            yield _unknown(source, message)
    if not known:
        yield _without_messages(source, value)


def _without_messages(source: _Source, value: Json) -> Event:
    """An error of the account or the API that no message caused, or nothing known."""
    if rows(value.get("errors")):
        return AccountEvent(
            "errors", source.waba_uid, source.phone_uid, source.number, raw=value
        )
    return _unknown(source, value)


def _status(source: _Source, status: Json, contacts: list[Json]) -> StatusUpdate:
    recipient_id = text(status.get("recipient_id"))
    user_uid = text(status.get("recipient_user_id"))
    contact = _contact(contacts, recipient_id, user_uid)
    if not user_uid:
        user_uid = text(contact.get("user_id"))
    if not user_uid and is_bsuid(recipient_id):
        user_uid = recipient_id
    pricing = status.get("pricing")
    return StatusUpdate(
        wamid=text(status.get("id")),
        uuid=text(status.get("biz_opaque_callback_data")),
        status=text(status.get("status")),
        timestamp=timestamp(status.get("timestamp"), source.received),
        recipient=e164(recipient_id) or e164(contact.get("wa_id")),
        user_uid=user_uid,
        errors=error_infos(status.get("errors")),
        pricing=pricing if isinstance(pricing, dict) else None,
        waba_uid=source.waba_uid,
        phone_uid=source.phone_uid,
        raw=status,
    )


def _contact(contacts: list[Json], wa_id: str, user_uid: str) -> Json:
    """Find who a message is about; the only contact speaks for one without ids."""
    for contact in contacts:
        if user_uid and text(contact.get("user_id")) == user_uid:
            return contact
        if wa_id and text(contact.get("wa_id")) == wa_id:
            return contact
    alone = len(contacts) == 1 and not wa_id and not user_uid
    return contacts[0] if alone else {}


def _inbound(
    source: _Source, message: Json, contacts: list[Json], errors: object
) -> InboundMessage:
    sender = text(message.get("from"))
    user_uid = text(message.get("from_user_id"))
    contact = _contact(contacts, sender, user_uid)
    kind = text(message.get("type"))
    body = obj(message.get(kind)) if kind else {}
    edited = obj(body.get("message")) if kind == "edit" else {}
    own_errors = error_infos(message.get("errors"))
    # An interactive answer may come without its object, the reason beside it.
    given_errors = own_errors or (() if body else error_infos(errors))
    return InboundMessage(
        wamid=text(message.get("id")),
        sender=e164(sender) or e164(contact.get("wa_id")),
        user_uid=user_uid or text(contact.get("user_id")),
        profile_name=text(obj(contact.get("profile")).get("name")),
        timestamp=timestamp(message.get("timestamp"), source.received),
        type=_kind(kind, body),
        text=_text(kind, body, message),
        payload=_payload(kind, body),
        context_wamid=_context(kind, body, message),
        media=body if kind in MEDIA_TYPES and body else None,
        group_uid=text(message.get("group_id")),
        is_form=kind == "interactive" and text(body.get("type")) == "nfm_reply",
        edited_type=text(edited.get("type")),
        edited_context=text(obj(edited.get("context")).get("id")),
        notice=_notice(body) if kind == "system" else "",
        new_sender=_new_sender(body) if kind == "system" else "",
        errors=given_errors,
        waba_uid=source.waba_uid,
        phone_uid=source.phone_uid,
        raw=message,
    )


def _notice(body: Json) -> str:
    """Return what the system says of a person: other_number, other_id, or its word.

    The change of a number has had three names, and an older row names none.
    """
    word = text(body.get("type"))
    if word.endswith("changed_number") or (not word and text(body.get("new_wa_id"))):
        return "other_number"
    return "other_id" if word.endswith("changed_user_id") else word


def _new_sender(body: Json) -> str:
    number = e164(body.get("wa_id")) or e164(body.get("new_wa_id"))
    return number or text(body.get("user_id"))


def _reply(body: Json) -> Json:
    """Return what was chosen in an interactive message, whatever its kind."""
    return obj(body.get(text(body.get("type"))))


# What people chose or filled in; all else that comes as `interactive` goes by its own
# name, as the permission to call them does.
INTERACTIVE = frozenset({"", "button_reply", "list_reply", "nfm_reply"})


def _kind(kind: str, body: Json) -> str:
    chosen = text(body.get("type"))
    return chosen if kind == "interactive" and chosen not in INTERACTIVE else kind


def _text_of_location(body: Json) -> str:
    parts = (text(body.get("name")), text(body.get("address")))
    return ", ".join(part for part in parts if part)


def _text_of_edit(body: Json) -> str:
    edited = obj(body.get("message"))
    kind = text(edited.get("type"))
    return (
        _text(kind, obj(edited.get(kind)) if kind else {}, {}) if kind != "edit" else ""
    )


def _text_of_interactive(body: Json) -> str:
    reply = _reply(body)
    return text(reply.get("title")) or text(reply.get("body"))


_TEXTS: dict[str, Callable[[Json], str]] = {
    "text": lambda body: text(body.get("body")),
    "button": lambda body: text(body.get("text")),
    "interactive": _text_of_interactive,
    "location": _text_of_location,
    "reaction": lambda body: text(body.get("emoji")),
    "order": lambda body: text(body.get("text")),
    "system": lambda body: text(body.get("body")),
    "edit": _text_of_edit,
}


def _text(kind: str, body: Json, message: Json) -> str:
    if kind == "contacts":
        people = rows(message.get("contacts"))
        names = (text(obj(row.get("name")).get("formatted_name")) for row in people)
        return ", ".join(name for name in names if name)
    reader = _TEXTS.get(kind)
    return reader(body) if reader else text(body.get("caption"))


def _payload(kind: str, body: Json) -> str:
    if kind == "button":
        return text(body.get("payload"))
    if kind == "interactive":
        reply = _reply(body)
        return text(reply.get("id")) or text(reply.get("response_json"))
    return ""


def _context(kind: str, body: Json, message: Json) -> str:
    if kind == "reaction":
        return text(body.get("message_id"))
    if kind in ("edit", "revoke"):
        return text(body.get("original_message_id"))
    return text(obj(message.get("context")).get("id"))


# === PREFERENCES === #


def _preference_events(source: _Source, value: Json) -> Iterator[Event]:
    contacts = rows(value.get("contacts"))
    given = _items(value.get("user_preferences"))
    for item in given:
        if isinstance(item, dict):
            yield _preference(source, item, contacts)
        else:
            yield _unknown(source, item)
    if not given:
        yield _unknown(source, value)


def _preference(source: _Source, item: Json, contacts: list[Json]) -> PreferenceEvent:
    wa_id, user_uid = text(item.get("wa_id")), text(item.get("user_id"))
    contact = _contact(contacts, wa_id, user_uid)
    return PreferenceEvent(
        sender=e164(wa_id) or e164(contact.get("wa_id")),
        user_uid=user_uid or text(contact.get("user_id")),
        category=text(item.get("category")),
        value=text(item.get("value")),
        is_marketing=text(item.get("category")) == "marketing_messages",
        is_granted=text(item.get("value")) in GRANTING,
        is_withdrawn=text(item.get("value")) == "stop",
        timestamp=timestamp(item.get("timestamp"), source.received),
        waba_uid=source.waba_uid,
        phone_uid=source.phone_uid,
        raw=item,
    )
