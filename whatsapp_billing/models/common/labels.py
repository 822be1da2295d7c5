# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""WhatsApp's words in words for people; an unknown word stays as it is."""

import re

import phonenumbers
from babel import Locale, UnknownLocaleError

from odoo.tools import LazyTranslate

_lt = LazyTranslate(__name__)

# Labels of a template's and a number's quality (`PhoneInfo`).
QUALITIES = {
    "GREEN": _lt("Good"),
    "YELLOW": _lt("Medium"),
    "RED": _lt("Low"),
    "UNKNOWN": _lt("Not rated yet"),
    "NA": _lt("Not rated yet"),
}


# Labels of a number's state (`PhoneInfo`); earlier versions stored LINKED and UNLINKED.
NUMBER_STATES = {
    "CONNECTED": _lt("Connected"),
    "LINKED": _lt("Connected"),
    "PENDING": _lt("Not registered yet"),
    "UNVERIFIED": _lt("Not verified yet"),
    "DISCONNECTED": _lt("Not registered any more"),
    "UNLINKED": _lt("Not registered any more"),
    "DELETED": _lt("Deleted at WhatsApp"),
    "MIGRATED": _lt("Moved to another account at WhatsApp"),
    "FLAGGED": _lt("Flagged: its rating is low"),
    "RESTRICTED": _lt("Restricted by WhatsApp"),
    "BANNED": _lt("Banned by WhatsApp"),
    "BLOCKED": _lt("Blocked by WhatsApp"),
}


def number_state(env, word):
    """Return what the provider says about a number."""
    known = NUMBER_STATES.get((word or "").upper())
    return env._(known) if known else word or False


def number(e164):
    """Return a number as people write it: +1 555 010 0003."""
    try:
        parsed = phonenumbers.parse(e164 or "")
    except phonenumbers.NumberParseException:
        return e164 or ""
    shown = phonenumbers.format_number(
        parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )
    return shown.replace("-", " ")


def quality(env, word):
    """Return how recipients like what a number or a template sends."""
    known = QUALITIES.get((word or "").upper())
    return env._(known) if known else word or False


def part(env, parts, word):
    """Return what a part of a template is, and the provider's own word for it.

    :param parts: what the words mean, as far as the profile knows
    """
    known = parts.get(word)
    return f"{env._(known)} ({word})" if known else word


def tier(env, word):
    """Return how many contacts a day may be written to: TIER_10K is 10,000."""
    text = str(word or "").upper().removeprefix("TIER_")
    if text == "UNLIMITED":
        return env._("Unlimited")
    match = re.fullmatch(r"(\d+)(K?)", text)
    if not match:
        return word or False
    return f"{int(match[1]) * (1000 if match[2] else 1):,}"


def language(env, code):
    """Return a language of WhatsApp in the user's own: `es` is Spanish."""
    try:
        name = Locale.parse(code).get_display_name(env.lang or "en_US")
    except (UnknownLocaleError, ValueError):
        return code
    # Not `capitalize()`, which makes small letters of the rest: "English (United
    # States)".
    return name[0].upper() + name[1:] if name else code
