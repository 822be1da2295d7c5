# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Where a customer's clock stands, where their country has several."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from babel.core import get_global
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneNumber, timezone


def is_certain(zones: Sequence[str], number: str) -> bool:
    """Tell whether country and number leave one time zone only.

    :param zones: of the country
    """
    names = {_plain(name) for name in zones}
    near = {_plain(name) for name in _of_number(number)}
    return len(names) == 1 or len(names & near) == 1


def choose(zones: Sequence[str], number: str, proposed: str | None) -> str | None:
    """Return one of a country's time zones for a customer, None without any.

    The first that the area of their number is in; where it is in all of them or in
    another country, the proposed one; else the country's first.

    :param zones: of the country, the first is the one to assume
    :param number: in E.164, "" where it is not known
    :param proposed: what somebody else's clock suggests; one of another country is
        not followed
    """
    if len(zones) < 2:
        return next(iter(zones), None)
    near = {_plain(name) for name in _of_number(number)}
    narrowed = [name for name in zones if _plain(name) in near]
    if len(narrowed) == 1:
        return narrowed[0]
    names = narrowed or zones
    fitting = (name for name in names if proposed and _plain(name) == _plain(proposed))
    return next(fitting, names[0])


def _of_number(number: str) -> tuple[str, ...]:
    """Return the time zones that a number's area lies in, none where unknown.

    Not by the library's parser, which reads what people type: an E.164 number needs
    none, and a night asks for a hundred thousand.
    """
    digits = number.removeprefix("+")
    for length in (1, 2, 3):
        code, rest = digits[:length], digits[length:]
        if rest.isdecimal() and int(code) in COUNTRY_CODE_TO_REGION_CODE:
            parsed = PhoneNumber(country_code=int(code), national_number=int(rest))
            return tuple(timezone.time_zones_for_number(parsed))
    return ()


@lru_cache(maxsize=1024)
def _plain(name: str) -> str:
    """Return the one name of a zone that has several (Unicode CLDR)."""
    return str(get_global("zone_aliases").get(name, name))
