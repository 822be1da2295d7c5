# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""WhatsApp's words in words for people; an unknown word stays as it is."""

import re

import phonenumbers
from babel import Locale, UnknownLocaleError

from odoo.tools import LazyTranslate

_lt = LazyTranslate(__name__)

# Parts of templates that are not filled in from here, as WhatsApp calls them.
PARTS = {
    "AUTO_GENERATED": _lt("made by WhatsApp itself"),
    "CAROUSEL": _lt("a carousel"),
    "CATALOG": _lt("a catalogue button"),
    "COPY_CODE": _lt("a button that copies a code"),
    "FLOW": _lt("a form button"),
    "IMAGE": _lt("a picture in the header"),
    "LIMITED_TIME_OFFER": _lt("a limited-time offer"),
    "LOCATION": _lt("a place in the header"),
    "MPM": _lt("a button with several products"),
    "NAMED": _lt("variables with names"),
    "ORDER_DETAILS": _lt("an order to pay in WhatsApp"),
    "OTP": _lt("a one-time code"),
    "PRODUCT": _lt("a product in the header"),
    "REQUEST_CONTACT_INFO": _lt("a button that asks for contact details"),
    "SPM": _lt("a button with a product"),
    "UNKNOWN": _lt("a part without a kind"),
    "VIDEO": _lt("a video in the header"),
    "VOICE_CALL": _lt("a call button of WhatsApp"),
}

# Meta's words for the quality of a template and of a number.
QUALITIES = {
    "GREEN": _lt("Good"),
    "YELLOW": _lt("Medium"),
    "RED": _lt("Low"),
    "UNKNOWN": _lt("Not rated yet"),
    "NA": _lt("Not rated yet"),
}


# Meta's words for the state of a number, of two lists that it uses side by side.
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


def part(env, word):
    """Return what a part of a template is, and WhatsApp's own word for it."""
    known = PARTS.get(word)
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
    # Only the first letter: "English (United States)" has two capitals.
    return name[0].upper() + name[1:] if name else code
