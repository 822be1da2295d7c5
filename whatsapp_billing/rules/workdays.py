# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Which days of the week people work, by country (Unicode CLDR, through Babel)."""

from __future__ import annotations

from functools import lru_cache

from babel.core import get_global


@lru_cache(maxsize=512)
def of_country(code: str | None) -> frozenset[int] | None:
    """Return working weekdays, 0 is Monday; None without a country.

    A country that CLDR says nothing about has the weekend of most of the world.
    """
    if not code:
        return None
    data = get_global("week_data")  # type: ignore[arg-type]
    start = _day(data["weekend_start"], code)
    end = _day(data["weekend_end"], code)
    weekend = {(start + n) % 7 for n in range((end - start) % 7 + 1)}
    return frozenset(range(7)) - weekend


def _day(table: dict[str, int], code: str) -> int:
    return int(table.get(code, table.get("001", 5)))
