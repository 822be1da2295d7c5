# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""No English word in a Spanish or Portuguese screen."""

import polib
import pytest

from tools import terms


@pytest.mark.parametrize("language", terms.LANGUAGES)
def test_every_term_is_translated_with_its_placeholders(language):
    template = polib.pofile(str(terms.FOLDER / f"{terms.MODULE}.pot"))
    path = terms.FOLDER / f"{language}.po"
    translated = {entry.msgid for entry in polib.pofile(str(path))}
    assert {entry.msgid for entry in template} <= translated
    assert terms.missing(path) == []


def test_latin_america_says_what_spain_calls_otherwise():
    spain = {e.msgid: e.msgstr for e in polib.pofile(str(terms.FOLDER / "es.po"))}
    latin = {e.msgid: e.msgstr for e in polib.pofile(str(terms.FOLDER / "es_419.po"))}
    only_in_spain = {msgid for msgid, text in spain.items() if "rectificativa" in text}
    assert only_in_spain
    assert only_in_spain <= latin.keys()
    assert latin.keys() <= spain.keys()
    assert not [text for text in latin.values() if "rectificativa" in text]
