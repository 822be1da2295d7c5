# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Which market of the provider's price list a recipient belongs to.

Meta prices by the recipient's calling code. Source: pricing page as of
2026-10-10: the map of July 2026 with the nine markets that became standalone on
2026-10-01 taken out of their regions.
"""

from __future__ import annotations

from typing import Final

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from . import numbers
from .terms import _lt

# A price list that is the same everywhere names this market.
ANY: Final = "any"
OTHER: Final = "other"
NORTH_AMERICA: Final = "north_america"

# Markets of one country each, then the regions, then what is in no region.
_STANDALONE: Final[dict[str, tuple[str, str]]] = {
    "argentina": ("AR", _lt("Argentina")),
    "bangladesh": ("BD", _lt("Bangladesh")),
    "brazil": ("BR", _lt("Brazil")),
    "chile": ("CL", _lt("Chile")),
    "colombia": ("CO", _lt("Colombia")),
    "egypt": ("EG", _lt("Egypt")),
    "france": ("FR", _lt("France")),
    "germany": ("DE", _lt("Germany")),
    "hong_kong": ("HK", _lt("Hong Kong")),
    "hungary": ("HU", _lt("Hungary")),
    "india": ("IN", _lt("India")),
    "indonesia": ("ID", _lt("Indonesia")),
    "iraq": ("IQ", _lt("Iraq")),
    "israel": ("IL", _lt("Israel")),
    "italy": ("IT", _lt("Italy")),
    "kazakhstan": ("KZ", _lt("Kazakhstan")),
    "kuwait": ("KW", _lt("Kuwait")),
    "malaysia": ("MY", _lt("Malaysia")),
    "mexico": ("MX", _lt("Mexico")),
    "morocco": ("MA", _lt("Morocco")),
    "nepal": ("NP", _lt("Nepal")),
    "netherlands": ("NL", _lt("Netherlands")),
    "nigeria": ("NG", _lt("Nigeria")),
    "oman": ("OM", _lt("Oman")),
    "pakistan": ("PK", _lt("Pakistan")),
    "peru": ("PE", _lt("Peru")),
    "poland": ("PL", _lt("Poland")),
    "qatar": ("QA", _lt("Qatar")),
    "romania": ("RO", _lt("Romania")),
    "russia": ("RU", _lt("Russia")),
    "saudi_arabia": ("SA", _lt("Saudi Arabia")),
    "singapore": ("SG", _lt("Singapore")),
    "south_africa": ("ZA", _lt("South Africa")),
    "spain": ("ES", _lt("Spain")),
    "sri_lanka": ("LK", _lt("Sri Lanka")),
    "turkey": ("TR", _lt("Turkey")),
    "ukraine": ("UA", _lt("Ukraine")),
    "united_arab_emirates": ("AE", _lt("United Arab Emirates")),
    "united_kingdom": ("GB", _lt("United Kingdom")),
}
_REGIONS: Final[dict[str, tuple[str, str]]] = {
    NORTH_AMERICA: ("CA US", _lt("North America")),
    "rest_of_africa": (
        (
            "DZ AO BJ BW BF BI CM TD CG ER ET GA GM GH GW CI KE LS LR LY MG MW ML MR MZ NA"
            " NE RW SN SL SO SS SD SZ TZ TG TN UG ZM ZW"
        ),
        _lt("Rest of Africa"),
    ),
    "rest_of_asia_pacific": (
        "AF AU KH CN JP LA MN NZ PG PH TW TJ TH TM UZ VN",
        _lt("Rest of Asia Pacific"),
    ),
    "rest_of_central_eastern_europe": (
        "AL AM AZ BY BG HR CZ GE GR LV LT MD MK RS SK SI",
        _lt("Rest of Central & Eastern Europe"),
    ),
    "rest_of_latin_america": (
        "BO CR DO EC SV GT HT HN JM NI PA PY PR UY VE",
        _lt("Rest of Latin America"),
    ),
    "rest_of_middle_east": ("BH JO LB YE", _lt("Rest of Middle East")),
    "rest_of_western_europe": (
        "AT BE DK FI IE NO PT SE CH",
        _lt("Rest of Western Europe"),
    ),
}

MARKETS: Final[dict[str, str]] = {
    **{code: label for code, (_country, label) in _STANDALONE.items()},
    **{code: label for code, (_countries, label) in _REGIONS.items()},
    OTHER: _lt("Other"),
    ANY: _lt("All markets"),
}
COUNTRIES: Final[dict[str, str]] = {
    country: code
    for code, (countries, _label) in {**_STANDALONE, **_REGIONS}.items()
    for country in countries.split()
}

# +1 is shared. 1-809/829/849 is the Dominican Republic, 1-787/939 Puerto Rico and
# 1-658/876 Jamaica (Rest of Latin America); the other islands are Other.
_LATIN_AREAS: Final = frozenset({"809", "829", "849", "787", "939", "658", "876"})
_OTHER_AREAS: Final = frozenset(
    {
        *("242", "246", "264", "268", "284", "340", "345", "441", "473", "649"),
        *("664", "670", "671", "684", "721", "758", "767", "784", "868", "869"),
    }
)

# How price lists call a market besides its own name.
_ALIASES: Final = {
    "uae": "united_arab_emirates",
    "uk": "united_kingdom",
    "turkiye": "turkey",
    "restofceeurope": "rest_of_central_eastern_europe",
    "restofcentraleasterneurope": "rest_of_central_eastern_europe",
    "restofcentralandeasterneurope": "rest_of_central_eastern_europe",
    "restofweurope": "rest_of_western_europe",
    "all": ANY,
}


def market_of_country(country: str) -> str:
    """Return the market of an ISO country code; an unknown one is `other`."""
    return COUNTRIES.get(country.upper(), OTHER)


def market_of(recipient: str) -> str:
    """Return the market of an E.164 number or a user id; nonsense is `other`."""
    if numbers.is_bsuid(recipient):
        return market_of_country(recipient[:2])
    digits = recipient.removeprefix("+")
    if not digits.isdecimal():
        return OTHER
    if digits.startswith("1"):
        return _market_of_area(digits[1:4])
    if digits.startswith("7"):
        return "kazakhstan" if digits.startswith("77") else "russia"
    return market_of_country(_country_of_code(digits))


def _market_of_area(area: str) -> str:
    if area in _LATIN_AREAS:
        return "rest_of_latin_america"
    return OTHER if area in _OTHER_AREAS else NORTH_AMERICA


def _country_of_code(digits: str) -> str:
    """Return the main country of a calling code: the price list knows no other."""
    for length in (2, 3):
        regions = COUNTRY_CODE_TO_REGION_CODE.get(int(digits[:length] or 0))
        if regions:
            return str(regions[0])
    return ""


def market_named(text: str) -> str | None:
    """Return the market that a price list calls by this name, code or country."""
    plain = _plain(text)
    if plain in _NAMES:
        return _NAMES[plain]
    return COUNTRIES.get(text.strip().upper()) if len(text.strip()) == 2 else None


def _plain(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


_NAMES: Final[dict[str, str]] = {
    **{_plain(label): code for code, label in MARKETS.items()},
    **{_plain(code): code for code in MARKETS},
    **_ALIASES,
}
