# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""WhatsApp's words in words for people; an unknown word stays as it is."""

import re

import phonenumbers
from babel import Locale, UnknownLocaleError

from odoo.tools import LazyTranslate

_lt = LazyTranslate(__name__)

# Fact sheet 4.5 and 9.1.
QUALITIES = {
    "GREEN": _lt("Good"),
    "YELLOW": _lt("Medium"),
    "RED": _lt("Low"),
    "UNKNOWN": _lt("Not rated yet"),
    "NA": _lt("Not rated yet"),
}


# Fact sheet 9.1: the state of a number, in two lists that Meta uses side by side.
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
    return name.capitalize() if name else code
