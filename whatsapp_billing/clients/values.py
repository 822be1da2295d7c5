# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Read foreign JSON without trusting its types: a wrong type means empty, no error."""

import math
import re
from typing import Any

# 9999-12-31T23:59:59Z, the last second that Python and PostgreSQL both can show.
LAST_SECOND = 253402300799

_DIGITS = re.compile(r"-?[0-9]{1,19}")


def text(value: object) -> str:
    """Return strings as they are and whole numbers as digits; anything else is empty.

    Template ids arrive as integers in webhooks and as strings in REST
    (Meta's pages, 2026-09).
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""


def number(value: object) -> int:
    """Return a whole number from an int, a float or digits in a string; else 0."""
    if isinstance(value, bool):
        return 0
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if math.isfinite(value) else 0
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        return int(value)
    return 0


def timestamp(value: object, latest: int = 0) -> int:
    """Return unix seconds, or 0 where nothing usable was given.

    :param latest: when it came; nothing is younger, and what names no moment (none,
        zero, before 1970, the year 9999, a word) has this one
    """
    seconds = number(value)
    if not latest:
        return seconds if 0 <= seconds <= LAST_SECOND else 0
    return seconds if 0 < seconds <= latest else latest


def obj(value: object) -> dict[str, Any]:
    """Return a JSON object, or an empty one."""
    return value if isinstance(value, dict) else {}


def rows(value: object) -> list[dict[str, Any]]:
    """Return the objects in a JSON array; everything else in it is left out."""
    if not isinstance(value, list):
        return []
    return [row for row in value if isinstance(row, dict)]


def e164(value: object) -> str:
    """Return ``+`` and digits from a number as Meta writes it, or an empty string.

    Accepts "16505551234", "+34 910 00 00 01", "(555) 010-0003"; a business-scoped
    user id ("ES.1349") has letters and gives an empty string.
    """
    raw = text(value)
    digits = "".join(char for char in raw if char in "0123456789")
    if not digits or len(digits) > 20 or raw.strip("+-(). 0123456789\u00a0"):
        return ""
    return "+" + digits
