# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""WhatsApp's words in words for people; an unknown word stays as it is."""

import re

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
