# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Phone numbers and business-scoped user ids: read, compare, show.

Numbers are kept as E.164 with the plus. No country is ever guessed: a number that
does not name its country is read with the country passed in, or is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

import phonenumbers

# Meta, business-scoped user ids (2026-05-28): country, a dot, up to 128 letters and
# digits; the parent of several portfolios has ENT in between.
_BSUID: Final = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}", re.ASCII)
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)

# Valid for us though in no numbering plan: area code 555 is what Meta gives to test
# numbers and to businesses without a line; 07700 900 is reserved for fiction (Ofcom).
_UNASSIGNED: Final = re.compile(r"\+1555[0-9]{7}|\+447700900[0-9]{3}", re.ASCII)


class _Renumbering(NamedTuple):
    """Spellings of one country that became another, and have no other meaning."""

    old: re.Pattern[str]
    new: str


def _renumbering(old: str, new: str) -> _Renumbering:
    return _Renumbering(re.compile(old, re.ASCII), new)


# One subscriber, several spellings: address books keep a number as it was written, and
# WhatsApp's `wa_id` as it was when the account was made (GH chatwoot#5840, #14048,
# #14264). Only changes where every old number has exactly one new one are here, and
# only lengths that libphonenumber's plans give to nobody else. Dates and prefixes are
# those of public announcements; not each was compared with the ITU's own notice.
_RENUMBERED: Final = (
    # Brazil's mobiles got a ninth digit until 2016. Old ones begin with 6 to 9: adding
    # a 9 to a fixed line would be somebody else.
    _renumbering(r"\+55([1-9][0-9])([6-9][0-9]{7})", r"+55\g<1>9\2"),
    # Mexico dropped 1 for mobiles from abroad, and the prefixes 044, 045 and 01 from
    # within, in August 2019: what is left has ten digits.
    _renumbering(r"\+520?(?:1|44|45)([2-9][0-9]{9})", r"+52\1"),
    # Argentina writes a 9 for mobiles from abroad. Area code and number are unique
    # without it, so the fixed-line spelling of a mobile is nobody else's.
    _renumbering(r"\+54([1-3][0-9]{9})", r"+549\1"),
    # Benin put 01 before all eight digits on 2024-11-30.
    _renumbering(r"\+229([2-9][0-9]{7})", r"+22901\1"),
    # Ivory Coast, 2021-01-31: the second digit of the eight named the operator. Fixed
    # lines (2, 3) were sorted by ranges and are left alone.
    _renumbering(r"\+225([04-9][0-3][0-9]{6})", r"+22501\1"),
    _renumbering(r"\+225([04-9][4-6][0-9]{6})", r"+22505\1"),
    _renumbering(r"\+225([04-9][7-9][0-9]{6})", r"+22507\1"),
    # Gabon, 2019-06-15: 01 became 11, 02, 05 and 06 became 6x, 04 and 07 became 7x.
    _renumbering(r"\+2410?1([0-9]{6})", r"+24111\1"),
    _renumbering(r"\+2410?([256][0-9]{6})", r"+2416\1"),
    _renumbering(r"\+2410?([47][0-9]{6})", r"+2417\1"),
    # Colombia put 60 before the area code of fixed lines on 2021-09-01.
    _renumbering(r"\+57((?!46)[124-8][2-9][0-9]{6})", r"+5760\1"),
    # Ecuador put a 9 before its mobiles (8, 9) on 2012-09-30.
    _renumbering(r"\+593([89][0-9]{7})", r"+5939\1"),
    # Cameroon, 2014-11-21: 6 before mobiles, 2 before fixed lines.
    _renumbering(r"\+237([579][0-9]{7})", r"+2376\1"),
    _renumbering(r"\+237((?:22|33)[0-9]{6})", r"+2372\1"),
    # Vietnam shortened its eleven-digit mobiles in 2018, prefix by prefix.
    *(
        _renumbering(rf"\+84{old}([0-9]{{7}})", rf"+84{new}\1")
        for old, new in (
            *((f"16{digit}", f"3{digit}") for digit in range(2, 10)),
            *(
                ("120", "70"),
                ("121", "79"),
                ("122", "77"),
                ("126", "76"),
                ("128", "78"),
            ),
            *(
                ("123", "83"),
                ("124", "84"),
                ("125", "85"),
                ("127", "81"),
                ("129", "82"),
            ),
            *(("186", "56"), ("188", "58"), ("199", "59")),
        )
    ),
)
# One pattern for all: nearly no number matches, and then nothing else is tried.
_IS_OLD: Final = re.compile("|".join(f"(?:{r.old.pattern})" for r in _RENUMBERED))

# Other scripts' signs for plus, brackets and hyphens.
_SIGNS: Final = str.maketrans(
    "\uff0b\ufe62\uff08\uff09\uff3b\uff3d\uff0d\u2010\u2011\u2012\u2013\u2014\u2212\uff0e\uff0f",
    "++()[]-------./",
)
# What may stand between the digits of one number; the plus begins another.
_NUMBER: Final = re.compile(r"\+?[ ()\[\]]*[0-9][0-9 ()\[\]./-]*", re.ASCII)
_EXTENSION: Final = re.compile(
    r"(?:;ext=|\b(?:ext(?:ension|ensi[oó]n|\.)?|x|int(?:erno|\.)?|anexo|ramal|dw)|#)"
    r"[\s.:]*[0-9]{1,7}\s*$",
    re.IGNORECASE | re.ASCII,
)
# Signs that stand for hidden digits.
_MASK: Final = r"[?*_#\u2022\u00b7\u2026\u25cf]"
_HIDDEN_TOKEN: Final = re.compile(
    rf"(?<![^\s()\[\]])(?:{_MASK}+|x{{2,}}|\.{{2,}})(?![^\s()\[\]])", re.IGNORECASE
)
_HIDDEN_BEFORE: Final = re.compile(rf"(?:{_MASK}|(?<![^\W_])x+)$", re.IGNORECASE)
_HIDDEN_AFTER: Final = re.compile(rf"{_MASK}|[^\W_]")
# What somebody noted beside a number and is none of its digits: a few in brackets
# behind it, or behind brackets around the whole of it, and a place in a list before it.
_NOTE_BEHIND: Final = re.compile(
    r"[(\[][^0-9()\[\]]*(?:[0-9][^0-9()\[\]]*){1,4}[)\]][^0-9]*$"
    r"|^(?:[^0-9]*[0-9]){9,}[^0-9]*[)\]][^0-9]*[0-9]",
    re.ASCII,
)
_PLACE_BEFORE: Final = re.compile(r"[ (\[]*([1-9][0-9]?)[^0-9+]+0[0-9]", re.ASCII)
# RFC 3966, "tel:600000001;phone-context=+34".
_CONTEXT: Final = re.compile(r";phone-context=(\+[0-9]{1,4})\b", re.ASCII)
# "030/123456" is an area code and a number; longer than this it is a number already.
_AREA_DIGITS: Final = 5


class InvalidNumber(ValueError):
    """Refuse a number; `reason` is `no_number` or `invalid_number`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def normalise(raw: str, country_code: str | None) -> str:
    """Return a number in E.164, as a person may have typed it.

    `00` for the plus, trunk zeros (`05x`, `(0)`), a missing plus, digits of other
    scripts, words and an extension around the number, and spellings that a country
    has given up (`person_key`) are understood. Only digits that somebody typed are
    used: letters never stand for digits, and two numbers are never joined.

    :param country_code: ISO code of the country to read a national number with
    :raise InvalidNumber: `no_number` for nothing, `invalid_number` for anything that
        is not one number of a known plan, or national without a country
    """
    text = _visible(raw)
    if not text:
        raise InvalidNumber("no_number")
    if is_bsuid(text):
        # A user id (`is_bsuid`) is refused: its digits would be read as a number.
        raise InvalidNumber("invalid_number")
    text = _only_number(text, (country_code or "").upper())
    try:
        parsed = phonenumbers.parse(text, (country_code or "").upper() or None)
    except phonenumbers.NumberParseException as error:
        raise InvalidNumber("invalid_number") from error
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    typed = sum(char.isdigit() for char in text)
    if len(number) - 1 > typed + len(str(parsed.country_code)):
        # Some plans complete a short number with an area code.
        raise InvalidNumber("invalid_number")
    for spelling in _spellings(number):
        if _is_valid(spelling):
            return spelling
    raise InvalidNumber("invalid_number")


def _visible(raw: str) -> str:
    """Drop what a copied contact carries along, and read every script's digits.

    Direction marks and zero-width spaces vanish; a line break stays, as what follows
    is something else.
    """
    kept = (
        "\n" if char in "\n\r\v\f\x85\u2028\u2029" else " " if char.isspace() else char
        for char in raw
        if char.isspace() or unicodedata.category(char) not in {"Cf", "Cc"}
    )
    text = "".join(str(unicodedata.decimal(char, char)) for char in kept)
    return text.translate(_SIGNS).strip()


def _only_number(text: str, country_code: str) -> str:
    """Return the one number in a text, its extension and the words around it cut.

    :param country_code: ISO code in capitals, "" for none
    :raise InvalidNumber: where there is no number, or more than one
    """
    context = _CONTEXT.search(text)
    text = _EXTENSION.sub("", _CONTEXT.sub("", text))
    matches = list(_NUMBER.finditer(text))
    if len(matches) != 1 or _is_partly_hidden(text, matches[0]):
        raise InvalidNumber("invalid_number")
    found = matches[0].group().strip()
    if _are_several(found) or _has_note(found, country_code):
        raise InvalidNumber("invalid_number")
    number = re.sub(r"^\(?\s*00\s*\)?", "+", found.replace("[", "(").replace("]", ")"))
    if context and not number.startswith("+"):
        number = context.group(1) + number
    return number


def _is_partly_hidden(text: str, number: re.Match[str]) -> bool:
    """Tell whether digits are masked, or signs that are digits to people only.

    Where numbers of several lengths are in use, what is left is somebody else's.
    """
    before, after = text[: number.start()], text[number.end() :]
    return bool(
        any(unicodedata.category(char) in {"Nl", "No"} for char in text)
        or ".." in number.group()
        or _HIDDEN_TOKEN.search(before)
        or _HIDDEN_TOKEN.search(after)
        or _HIDDEN_BEFORE.search(before)
        or (number.group()[-1].isdigit() and _HIDDEN_AFTER.match(after))
    )


def _has_note(text: str, country_code: str) -> bool:
    """Tell whether some of the digits are a note: "(2)" behind it, "1)" before it.

    Where numbers have several lengths, all of them together are somebody else's. Before
    a zero only the country's own code or prefix may stand.
    """
    if _NOTE_BEHIND.search(text):
        return True
    place = _PLACE_BEFORE.match(text)
    if not place:
        return False
    if int(place[1]) == phonenumbers.country_code_for_region(country_code):
        return False
    plan = phonenumbers.PhoneMetadata.metadata_for_region(country_code, None)
    prefix = plan.national_prefix_for_parsing if plan else None
    return not (prefix and re.fullmatch(prefix, place[1]))


def _are_several(text: str) -> bool:
    """Tell whether a slash parts two numbers, and not area code and number."""
    *before, last = text.split("/")
    if not before:
        return False
    area = re.sub(r"[^0-9+]", "", "".join(before)).removeprefix("00")
    for size in (3, 2, 1):
        if (
            text.startswith(("+", "00"))
            and int(area.lstrip("+")[:size] or 0)
            in phonenumbers.COUNTRY_CODE_TO_REGION_CODE
        ):
            area = area.lstrip("+")[size:]
            break
    area = area.lstrip("+0")
    return len(area) > _AREA_DIGITS or sum(char.isdigit() for char in last) < 4


def _spellings(e164: str) -> Iterator[str]:
    """Yield what a number may be written as today, the likeliest first."""
    current = person_key(e164)
    if e164.startswith("+54"):
        # Argentina: both spellings are in use, with 9 for a mobile, without for a fixed
        # line.
        yield e164
        yield current
        yield re.sub(r"^\+549", "+54", e164)
    else:
        yield current
        yield e164


def _is_valid(e164: str) -> bool:
    if _UNASSIGNED.fullmatch(e164):
        return True
    return is_e164(e164) and phonenumbers.is_valid_number(phonenumbers.parse(e164))


def is_e164(text: str) -> bool:
    """Tell whether a text has the form of an E.164 number, whoever owns it."""
    return _E164.fullmatch(text) is not None


def is_bsuid(text: str) -> bool:
    """Tell whether a recipient is a business-scoped user id instead of a number."""
    return _BSUID.fullmatch(text) is not None


def person_key(number_or_bsuid: str) -> str:
    """Return one key for every spelling of one subscriber; "" for what is nobody's.

    The only comparison of recipients there is: two belong to the same subscriber
    exactly when their keys are equal and not empty. For comparing and finding, not for
    sending. A user id is its own key.

    :param number_or_bsuid: E.164, or a business-scoped user id
    """
    if is_bsuid(number_or_bsuid):
        return number_or_bsuid
    if not is_e164(number_or_bsuid):
        return ""
    if not _IS_OLD.fullmatch(number_or_bsuid):
        return number_or_bsuid
    for renumbering in _RENUMBERED:
        match = renumbering.old.fullmatch(number_or_bsuid)
        if match:
            return match.expand(renumbering.new)
    return number_or_bsuid


def is_fixed_line(e164: str) -> bool:
    """Tell whether a number surely is a landline, where the plan keeps them apart."""
    if not is_e164(e164):
        return False
    kind = phonenumbers.number_type(phonenumbers.parse(e164))
    return bool(kind == phonenumbers.PhoneNumberType.FIXED_LINE)


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
