# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Mask what must never reach a log: credentials and people's phone numbers."""

import logging
import re
from collections.abc import Mapping
from typing import Any, TypeVar, cast

T = TypeVar("T")
MASK = "***"

_SECRET_WORDS = (
    r"access[_-]?token|input[_-]?token|verify[_-]?token|hub\.verify_token"
    r"|fb_exchange_token|refresh[_-]?token|id_token|client_assertion"
    r"|app[_-]?secret(?:_proof)?|appsecret_(?:proof|time)|client[_-]?secret"
    r"|d360-api-key|api[_-]?key|x-hub-signature(?:-256)?|authorization"
    r"|proxy-authorization|set-cookie|cookie|password|passwd|secret|token|pin|sig"
)
_SECRET_KEY = re.compile(rf"(?:{_SECRET_WORDS})\Z", re.IGNORECASE)
# `key=value`, `"key": "value"`, `'key': 'value'`, `Key: value`, also JSON in JSON.
_SECRET_PAIR = re.compile(
    rf"(?<![A-Za-z])((?:{_SECRET_WORDS})[\\\"']{{0,4}}\s*(?:=|:|%3[AaDd])\s*[\\\"']{{0,4}})"
    r"(?:(?:Bearer|OAuth|Basic)\s+)?[^\s\"'\\&,;{}\[\]<>]+",
    re.IGNORECASE,
)
_SCHEME = re.compile(
    # "Invalid OAuth access token" is prose: a credential is more than a few letters.
    r"\b(Bearer|OAuth|Basic)((?:\s|%20|\+)+)"
    r"(?=[A-Za-z]{20}|[A-Za-z]*[^\sA-Za-z\"'\\&,;:{}\[\]<>])"
    r"[^\s\"'\\&,;{}\[\]<>]{6,}",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    # Meta's access tokens, its app tokens (id|secret), and bare app secrets or proofs.
    r"EAA[A-Za-z0-9_-]{8,}"
    r"|\b\d{6,20}(?:\||%7[Cc])[A-Za-z0-9_-]{6,}"
    r"|(?<![0-9A-Fa-f])(?:[0-9a-f]{64}|[0-9a-f]{32})(?![0-9A-Fa-f])"
)
_GAP = r"(?:[ ().\-\u00a0]|%20){0,2}"
_PHONE = re.compile(
    # With a plus (or its URL form) or 00: any length. Else 8 to 14 digits, because 15
    # and more are Meta's object ids, which an administrator needs to read. Dates and
    # IP addresses stay.
    rf"(?:\+|%2[Bb])[\s(]{{0,2}}\d(?:(?:{_GAP}|/)\d){{5,18}}"
    rf"|(?<!\d)00[1-9](?:{_GAP}\d){{6,16}}(?!\d)"
    r"|(?<!\d)(?<!\d\.)(?!\d{4}-\d\d-\d\d(?!\d))(?!\d{1,3}(?:\.\d{1,3}){3}(?!\d))"
    rf"\(?\d(?:{_GAP}\d){{7,13}}(?!\d)"
)
_PERSON_KEYS = frozenset(
    (
        "to",
        "recipient",
        "recipient_id",
        "recipient_user_id",
        "from",
        "from_user_id",
        "wa_id",
        "input",
        "user_id",
        "user_uid",
        "parent_user_id",
        "phone",
        "phone_number",
        "number",
        "display_phone_number",
        "sender",
        "profile",
        "profile_name",
        "formatted_name",
        "first_name",
        "last_name",
        "username",
        "recipient_identity_key_hash",
    )
)


def redact(value: T) -> T:
    """Return a copy of a value with credentials and phone numbers masked.

    Strings, bytes, dictionaries, lists, tuples, sets and exceptions are looked into;
    numbers are masked where they could be a phone number. The last two digits of a
    number stay, so that two lines about one person can be told to belong together.
    """
    return cast(T, _redact(value))


def _redact(value: object) -> object:
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, (bytes, bytearray)):
        return redact_text(value.decode("utf-8", "surrogateescape")).encode(
            "utf-8", "surrogateescape"
        )
    if isinstance(value, Mapping):
        return {_redact(key): _redact_item(key, item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return _redact_items(value)
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {redact_text(str(value))}"
    if value is None or isinstance(value, (int, float)):
        return _redact_number(value)
    return redact_text(repr(value))


def _redact_number(value: float | None) -> object:
    if isinstance(value, int) and 10**7 <= abs(value) < 10**14:
        return redact_text(str(value))
    return value


def _redact_items(value: Any) -> object:
    items = [_redact(item) for item in value]
    return items if isinstance(value, (list, set, frozenset)) else tuple(items)


def _redact_item(key: object, value: object) -> object:
    name = key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)
    if _SECRET_KEY.match(name) and value not in (None, "", b"", False):
        return MASK
    if name.lower() in _PERSON_KEYS and isinstance(value, (str, bytes, int)):
        return value if isinstance(value, bool) else _tail(value)
    if name.lower() == "profile":
        return MASK
    return _redact(value)


def _tail(value: str | bytes | int) -> str:
    shown = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return MASK + shown[-2:] if len(shown) > 6 else (MASK if shown else "")


def redact_text(value: str) -> str:
    """Return a string with credentials and phone numbers masked."""
    value = _SCHEME.sub(rf"\1\2{MASK}", value)
    value = _SECRET_PAIR.sub(rf"\1{MASK}", value)
    value = _TOKEN.sub(MASK, value)
    return _PHONE.sub(lambda found: MASK + found.group()[-2:], value)


class SecretFilter(logging.Filter):
    """Redact a log record's message, arguments and exception before it is shown."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; never drop one."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            message = f"{record.msg} {record.args}"
        record.msg, record.args = redact_text(message), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact_text(record.exc_text)
        return True
