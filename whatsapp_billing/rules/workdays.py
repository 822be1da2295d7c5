# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Which days of the week people work, by country (Unicode CLDR, through Babel)."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale, UnknownLocaleError


@lru_cache(maxsize=512)
def of_country(code: str | None) -> frozenset[int] | None:
    """Return working weekdays, 0 is Monday; None without a country.

    A country that CLDR says nothing about has the weekend of most of the world.
    """
    if not code:
        return None
    try:
        place = Locale.parse(f"und_{code.upper()}")
    except (UnknownLocaleError, ValueError):
        place = Locale("en", "US")
    start, end = place.weekend_start, place.weekend_end
    weekend = {(start + n) % 7 for n in range((end - start) % 7 + 1)}
    return frozenset(range(7)) - weekend
