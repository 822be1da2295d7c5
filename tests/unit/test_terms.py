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
