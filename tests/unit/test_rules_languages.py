# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import pytest

from rules.languages import META_LANGUAGES, candidates, meta_code


@pytest.mark.parametrize(
    ("odoo", "meta"),
    [
        ("es_ES", "es_ES"),
        ("es_MX", "es_MX"),
        ("es_419", "es"),
        ("es_BO", "es"),
        ("en_US", "en_US"),
        ("en-US", "en_US"),
        ("fr_FR", "fr"),
        ("fr_BE", "fr_BE"),
        ("de_DE", "de"),
        ("pt_BR", "pt_BR"),
        ("pt_AO", "pt_PT"),
        ("sr@latin", "sr"),
        ("sr@Cyrl", "sr"),
        ("zh_TW", "zh_TW"),
        ("tl_PH", "fil"),
        ("nb_NO", "nb"),
        ("no_NO", "nb"),
        ("be_BY", "be_BY"),
        ("ar_001", "ar"),
        ("sw", "sw"),
        ("eu_ES", ""),
        ("kab_DZ", ""),
        ("", ""),
    ],
)
def test_odoo_language_has_its_meta_code(odoo, meta):
    assert meta_code(odoo) == meta
    assert not meta or meta in META_LANGUAGES


@pytest.mark.parametrize(
    ("partner", "company", "expected"),
    [
        ("es_MX", "en_US", ["es_MX", "es", "en_US", "en"]),
        ("es_ES", "es_ES", ["es_ES", "es"]),
        ("es_MX", "es_ES", ["es_MX", "es", "es_ES"]),
        ("fr_FR", "pt_BR", ["fr", "pt_BR", "pt_PT"]),
        ("eu_ES", "es_ES", ["es_ES", "es"]),
        ("", "en_GB", ["en_GB", "en"]),
        ("sr@latin", "", ["sr"]),
        ("", "", []),
    ],
)
def test_candidates_fall_back_to_base_then_company(partner, company, expected):
    assert candidates(partner, company) == expected


def test_every_meta_language_is_its_own_code():
    assert len(META_LANGUAGES) > 100
    assert {meta_code(code) for code in META_LANGUAGES} == META_LANGUAGES
