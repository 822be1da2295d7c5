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
        ("zh_MO", "zh_HK"),
        ("zh_SG", "zh_CN"),
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
        ("es_MX", "en_US", ["es_MX", "es", "es_AR", "es_CL"]),
        ("es_ES", "es_ES", ["es_ES", "es", "es_MX"]),
        ("es_419", "en_US", ["es", "es_MX", "es_AR"]),
        ("es_BO", "es_ES", ["es", "es_MX"]),
        ("en_GB", "", ["en_GB", "en", "en_AE"]),
        ("en_AU", "", ["en_AU", "en", "en_GB"]),
        ("en_CA", "", ["en_CA", "en", "en_US"]),
        ("fr_FR", "pt_BR", ["fr", "fr_BE"]),
        ("pt_AO", "", ["pt_PT", "pt_BR"]),
        ("eu_ES", "es_ES", ["es_ES", "es"]),
        ("", "en_GB", ["en_GB", "en"]),
        ("sr@latin", "", ["sr"]),
        ("nn_NO", "", ["nb"]),
        ("", "", []),
    ],
)
def test_candidates_begin_with_the_nearest(partner, company, expected):
    assert candidates(partner, company)[: len(expected)] == expected


@pytest.mark.parametrize(
    ("partner", "company", "better", "worse"),
    [
        # The Mexican reads Spanish from Spain before English (nyaruka/courier#308).
        ("es_MX", "en_US", "es_ES", "en_US"),
        ("es_MX", "en_US", "es_AR", "es_ES"),
        ("es_ES", "en_US", "es_CO", "en"),
        ("pt_BR", "es_ES", "pt_PT", "es_ES"),
        ("pt_PT", "en_US", "pt_BR", "en_US"),
        ("en_GB", "es_ES", "en_US", "es_ES"),
        ("de_DE", "en_US", "de_CH", "en_US"),
        ("fr_CA", "en_CA", "fr_MA", "en_CA"),
        ("ar_SY", "en_US", "ar_EG", "en_US"),
        ("zh_HK", "en_US", "zh_TW", "en_US"),
        ("nl_NL", "en_US", "nl_BE", "en_US"),
    ],
)
def test_the_same_language_from_another_country_goes_first(
    partner, company, better, worse
):
    found = candidates(partner, company)
    assert found.index(better) < found.index(worse)


@pytest.mark.parametrize(
    ("lang", "never"),
    [
        ("zh_CN", {"zh_TW", "zh_HK"}),
        ("zh_SG", {"zh_TW", "zh_HK"}),
        ("zh_TW", {"zh_CN"}),
        ("zh_HK", {"zh_CN"}),
        ("zh_MO", {"zh_CN"}),
        ("es_MX", {"pt_BR", "et", "es_"}),
        ("fa_IR", {"prs_AF", "ps_AF"}),
    ],
)
def test_another_script_or_language_is_not_the_same(lang, never):
    assert not never & set(candidates(lang, ""))


def test_a_company_that_writes_chinese_the_other_way_comes_last():
    assert candidates("zh_TW", "zh_CN") == ["zh_TW", "zh_HK", "zh_CN"]


def test_every_meta_language_is_its_own_code():
    assert len(META_LANGUAGES) > 100
    assert {meta_code(code) for code in META_LANGUAGES} == META_LANGUAGES
