# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Phone numbers and business-scoped user ids: read, compare, show.

Numbers are kept as E.164 with the plus. No country is ever guessed: a number that
does not name its country is read with the country passed in, or is refused.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

import phonenumbers

# Meta, business-scoped user ids (2026-05-28): country, a dot, up to 128 letters and
# digits; the parent of several portfolios has ENT in between.
_BSUID: Final = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}", re.ASCII)
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)

# Valid for us though in no numbering plan: area code 555 is what Meta gives to test
# numbers and to businesses without a line; 07700 900 is reserved for fiction (Ofcom).
_UNASSIGNED: Final = re.compile(r"\+1555[0-9]{7}|\+447700900[0-9]{3}", re.ASCII)


class _Spelling(NamedTuple):
    long: re.Pattern[str]
    short: re.Pattern[str]
    digit: str


def _spelling(prefix: str, digit: str, subscriber: str) -> _Spelling:
    return _Spelling(
        re.compile(f"({prefix}){digit}({subscriber})"),
        re.compile(f"({prefix})({subscriber})"),
        digit,
    )


# One subscriber, two spellings. WhatsApp's `wa_id` keeps the number as it was when
# the account was made (GH chatwoot#5840, #14048, #14264):
# Brazil's mobiles got a ninth digit, Mexico dropped the 1 of its mobiles, Argentina
# writes a 9 for mobiles from abroad.
_SPELLINGS: Final = (
    # Old mobiles begin with 6-9; adding a 9 to a landline would be somebody else.
    _spelling(r"\+55[0-9]{2}", "9", r"[6-9][0-9]{7}"),
    _spelling(r"\+52", "1", r"[0-9]{10}"),
    _spelling(r"\+54", "9", r"[0-9]{10}"),
)


class InvalidNumber(ValueError):
    """Refuse a number; `reason` is `no_number` or `invalid_number`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def normalise(raw: str, country_code: str | None) -> str:
    """Return a number in E.164, as a person may have typed it.

    `00` for the plus, trunk zeros (`05x`, `(0)`), a missing plus and the old mobile
    spellings of Brazil, Mexico and Argentina are understood.

    :param country_code: ISO code of the country to read a national number with
    :raise InvalidNumber: `no_number` for nothing, `invalid_number` for anything that
        is not a number of a known plan, or national without a country
    """
    text = _visible(raw)
    if not text:
        raise InvalidNumber("no_number")
    if is_bsuid(text):
        # The parser would read its digits as a telephone number.
        raise InvalidNumber("invalid_number")
    text = re.sub(r"^\(?\s*00\s*\)?", "+", text)
    try:
        parsed = phonenumbers.parse(text, (country_code or "").upper() or None)
    except phonenumbers.NumberParseException as error:
        raise InvalidNumber("invalid_number") from error
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    for spelling in (number, *sorted(variants(number) - {number})):
        if _is_valid(spelling):
            return spelling
    raise InvalidNumber("invalid_number")


def _visible(raw: str) -> str:
    """Drop what a copied contact carries along: direction marks, zero-width spaces."""
    spaced = (" " if char.isspace() else char for char in raw)
    kept = (char for char in spaced if unicodedata.category(char) not in {"Cf", "Cc"})
    return "".join(kept).strip()


def _is_valid(e164: str) -> bool:
    if _UNASSIGNED.fullmatch(e164):
        return True
    return phonenumbers.is_valid_number(phonenumbers.parse(e164))


def is_e164(text: str) -> bool:
    """Tell whether a text has the form of an E.164 number, whoever owns it."""
    return _E164.fullmatch(text) is not None


def is_bsuid(text: str) -> bool:
    """Tell whether a recipient is a business-scoped user id instead of a number."""
    return _BSUID.fullmatch(text) is not None


def variants(e164: str) -> frozenset[str]:
    """Return every spelling under which the same person may write to us.

    Symmetric: `a in variants(b)` exactly when `b in variants(a)`; includes the number
    itself. For finding a partner by the sender of a message, not for sending.
    """
    for long, short, digit in _SPELLINGS:
        match = long.fullmatch(e164)
        if match:
            return frozenset({e164, f"{match[1]}{match[2]}"})
        match = short.fullmatch(e164)
        if match:
            return frozenset({e164, f"{match[1]}{digit}{match[2]}"})
    return frozenset({e164})


def country_of(e164: str) -> str:
    """Return the ISO code of a number's or a user id's country, "" when unknown."""
    if is_bsuid(e164):
        return e164[:2]
    if not is_e164(e164):
        return ""
    try:
        parsed = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return ""
    region = phonenumbers.region_code_for_number(parsed)
    if not region and _UNASSIGNED.fullmatch(e164):
        region = "US" if e164.startswith("+1") else "GB"
    # "001" stands for numbers that belong to no country.
    return region if region and region != "001" else ""


def mask(e164: str) -> str:
    """Return a number that can be logged: its first and its last two digits.

    Anything short or unexpected is masked whole, a user id up to its country.
    """
    if is_bsuid(e164):
        return f"{e164[:3]}***{e164[-2:]}" if len(e164) >= 12 else f"{e164[:3]}***"
    if is_e164(e164):
        return f"{e164[:3]}{'*' * (len(e164) - 5)}{e164[-2:]}"
    return "***" if e164 else ""
