# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""One webhook update, where it goes, and the bytes of a POST that carries many."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

import orjson

from ..whatsapp.state import Phone, User

Json = dict[str, Any]
# Fields that a callback override covers; others go to the app.
OVERRIDABLE = frozenset({"messages"})
_BARE = frozenset({"messages", "user_preferences"})


@dataclass(slots=True, frozen=True)
class Target:
    """An address that receives webhooks, and what proves who sends them."""

    url: str
    secret: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True, eq=False)
class Update:
    """One thing that happened, before it is packed into a POST."""

    field: str
    waba_uid: str
    phone: Phone | None
    key: str
    item: Json
    at: float
    contact: Json | None = None
    user: User | None = None

    def words(self) -> str:
        """Say what happened, for people."""
        if self.key == "statuses":
            return _status_words(self.item)
        if self.key == "messages":
            return _message_words(self.item)
        if self.key == "user_preferences":
            return f"marketing preference: {self.item.get('value')}"
        event = self.item.get("event") or self.item.get("new_quality_score") or ""
        name = self.item.get("message_template_name") or ""
        return " ".join(part for part in (self.field, name, str(event)) if part)


def _status_words(item: Json) -> str:
    errors = item.get("errors")
    if errors:
        return f"failed: {errors[0]['title']} ({errors[0]['code']})"
    return str(item["status"])


def _message_words(item: Json) -> str:
    kind = str(item["type"])
    if kind == "text":
        return f"customer wrote: {item['text']['body']}"
    if kind == "button":
        return f"customer tapped: {item['button']['text']}"
    if kind == "interactive":
        reply = item["interactive"]
        return f"customer chose: {reply[reply['type']]['title']}"
    if kind == "reaction":
        return f"customer reacted: {item['reaction'].get('emoji') or 'removed'}"
    return f"customer sent: {kind}"


@dataclass(slots=True, eq=False)
class Post:
    """One POST and what became of it."""

    serial: int
    target: Target
    body: bytes
    count: int
    created: float
    updates: list[Update] = field(default_factory=list)
    attempts: list[tuple[float, int, str]] = field(default_factory=list)
    state: str = "waiting"
    summary: list[str] = field(default_factory=list)


def encode(payload: Json) -> bytes:
    """Write JSON as Meta does: non-ASCII as \\uXXXX and `/` as `\\/`."""
    raw = orjson.dumps(payload)
    if not raw.isascii():
        raw = json.dumps(payload, separators=(",", ":")).encode("ascii")
    return raw.replace(b"/", b"\\/")


def sign(secret: str, body: bytes) -> str:
    """Return the value of X-Hub-Signature-256."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return "sha256=" + digest


def sign_legacy(secret: str, body: bytes) -> str:
    """Return the value of the old X-Hub-Signature, which Meta still sends."""
    return "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()


def pack(updates: list[Update], with_contacts: bool = True) -> bytes:
    """Pack updates into one body, grouped by account, field and number."""
    groups: dict[tuple[str, ...], Json] = {}
    entries: dict[tuple[str, bool], Json] = {}
    for update in updates:
        if update.key == "value":
            entry = _entry(entries, update)
            entry["changes"].append({"value": update.item, "field": update.field})
            continue
        uid = update.phone.uid if update.phone else ""
        group = groups.get((update.waba_uid, update.field, uid, update.key))
        if group is None:
            group = _new_group(entries, update)
            groups[(update.waba_uid, update.field, uid, update.key)] = group
        group[update.key].append(update.item)
        if update.contact is not None and update.key != "statuses":
            _add_contact(group, update.contact)
    if with_contacts and len(updates) == 1:
        _lone_status_contact(groups, updates[0])
    return encode(
        {"object": "whatsapp_business_account", "entry": list(entries.values())}
    )


def _entry(entries: dict[tuple[str, bool], Json], update: Update) -> Json:
    bare = update.field in _BARE
    entry = entries.get((update.waba_uid, bare))
    if entry is None:
        entry = {"id": update.waba_uid, "changes": []}
        if not bare:
            entry["time"] = int(update.at)
        entries[(update.waba_uid, bare)] = entry
    return entry


def _new_group(entries: dict[tuple[str, bool], Json], update: Update) -> Json:
    value: Json = {"messaging_product": "whatsapp"}
    if update.phone is not None:
        value["metadata"] = {
            "display_phone_number": update.phone.number,
            "phone_number_id": update.phone.uid,
        }
    value[update.key] = []
    _entry(entries, update)["changes"].append({"value": value, "field": update.field})
    return value


def _add_contact(value: Json, contact: Json) -> None:
    contacts = value.setdefault("contacts", [])
    if contact not in contacts:
        contacts.append(contact)


def _lone_status_contact(groups: dict[tuple[str, ...], Json], update: Update) -> None:
    if update.key == "statuses" and update.contact:
        _add_contact(next(iter(groups.values())), update.contact)
