# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Odoo's language codes and Meta's: which template language speaks to whom.

Meta's list: the template language page of 2026-09. A template is sent by
the exact code of an approved translation: `es` is not `es_ES` (error 132001).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_CODES = """
af sq ar ar_AE ar_EG ar_LB ar_MA ar_QA az be_BY bn bn_IN bg ca zh_CN zh_HK zh_TW hr
cs da prs_AF nl nl_BE en en_GB en_US en_AE en_AU en_CA en_GH en_IE en_IN en_JM en_MY
en_NZ en_QA en_SG en_UG en_ZA et fil fi fr fr_BE fr_CA fr_CH fr_CI fr_MA ka de de_AT
de_CH el gu ha he hi hu id ga it ja kn kk rw_RW ko ky_KG lo lv lt mk ms ml mr nb
ps_AF fa pl pt_BR pt_PT pa ro ru sr si_LK sk sl es es_AR es_CL es_CO es_CR es_DO
es_EC es_HN es_MX es_PA es_PE es_ES es_UY sw sv ta te th tr uk ur uz vi zu
"""

META_LANGUAGES: Final[frozenset[str]] = frozenset(_CODES.split())

# Languages that the two sides name differently, or that Meta has only by country.
_BASES: Final[dict[str, str]] = {
    "be": "be_BY",
    "in": "id",
    "iw": "he",
    "ky": "ky_KG",
    "nn": "nb",
    "no": "nb",
    "prs": "prs_AF",
    "ps": "ps_AF",
    "pt": "pt_PT",
    "rw": "rw_RW",
    "si": "si_LK",
    "tl": "fil",
    "zh": "zh_CN",
}

# Where several countries are as near, the ones that most people read first.
_FIRST: Final[frozenset[str]] = frozenset({"en_US", "en_GB", "es_MX", "es_ES"})
# Readers of one Chinese script need not read the other.
_TRADITIONAL: Final[frozenset[str]] = frozenset({"TW", "HK", "MO", "HANT"})


def _normalise(code: str) -> str:
    """Write a code as `ll` or `ll_CC`: webhooks say `en-US`, Odoo says `sr@latin`."""
    language, _, country = (
        code.strip().partition("@")[0].replace("-", "_").partition("_")
    )
    return f"{language.lower()}_{country.upper()}" if country else language.lower()


def _exact(code: str) -> str:
    normalised = _normalise(code)
    return normalised if normalised in META_LANGUAGES else ""


def _base(code: str) -> str:
    language = _normalise(code).partition("_")[0]
    known = _BASES.get(language, language)
    return known if known in META_LANGUAGES else ""


def meta_code(odoo_lang: str) -> str:
    """Return the Meta language that is nearest to an Odoo one, "" if there is none.

    `es_ES` is kept, `es_BO` and `es_419` become `es`, `pt_AO` becomes `pt_PT`; Basque,
    Galician and some others do not exist at Meta.
    """
    return next(iter(_readable(odoo_lang)), "")


@lru_cache(maxsize=1024)
def _readable(lang: str) -> tuple[str, ...]:
    """Return Meta's codes of what a reader of an Odoo language reads, the best first.

    Their own country's, the language without a country, then other countries': first
    those that write alike, and never another script.
    """
    own, base = _exact(lang), _base(lang)
    language = _normalise(base or lang).partition("_")[0]
    country = _normalise(lang).partition("_")[2]
    siblings = sorted(
        (
            code
            for code in META_LANGUAGES
            if code.partition("_")[0] == language and _script(code) == _script(lang)
        ),
        key=lambda code: (
            _group(code) != _group(f"{language}_{country}"),
            code not in _FIRST,
            code,
        ),
    )
    best = [code for code in (own, base) if code in siblings]
    return tuple(dict.fromkeys([*best, *siblings]))


def _script(code: str) -> str:
    """Return the script of a Chinese code, "" for languages with one at Meta."""
    language, _, country = _normalise(code).partition("_")
    if language != "zh":
        return ""
    return "Hant" if country in _TRADITIONAL else "Hans"


def _group(code: str) -> str:
    """Return which countries' way of writing a code belongs to."""
    language, _, country = code.partition("_")
    if language == "es":
        return "Spain" if country == "ES" else "America"
    if language == "en":
        return "America" if country in {"US", "CA"} else "Commonwealth"
    return ""


def candidates(odoo_lang: str, company_lang: str) -> list[str]:
    """Return the template languages to try, in order, each once.

    The partner's own, the language without a country, the same language from other
    countries; then the same for the company's language.
    """
    return list(_candidates(odoo_lang, company_lang))


@lru_cache(maxsize=1024)
def _candidates(*langs: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(c for lang in langs if lang for c in _readable(lang)))
