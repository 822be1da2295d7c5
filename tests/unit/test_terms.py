# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""No English word in a Spanish or Portuguese screen."""

import ast

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


@pytest.mark.parametrize(("variant", "language"), terms.VARIANTS.items())
def test_a_variant_holds_only_what_differs(variant, language):
    base = polib.pofile(str(terms.FOLDER / f"{language}.po"))
    path = terms.FOLDER / f"{variant}.po"
    assert terms.missing(path) == []
    for entry in polib.pofile(str(path)):
        found = base.find(entry.msgid)
        assert found, entry.msgid
        assert found.msgstr != entry.msgstr
        assert sorted(found.occurrences) == sorted(entry.occurrences)


def test_credit_notes_are_called_as_odoo_calls_them():
    """In Spain a factura rectificativa, in Latin America a nota de crédito."""
    spain = polib.pofile(str(terms.FOLDER / "es.po"))
    america = polib.pofile(str(terms.FOLDER / "es_419.po"))
    for entry in spain:
        assert "nota de crédito" not in entry.msgstr.lower(), entry.msgid
        assert "notas de crédito" not in entry.msgstr.lower(), entry.msgid
        if "rectificativa" in entry.msgstr:
            told = america.find(entry.msgid)
            assert told and "de crédito" in told.msgstr, entry.msgid


def _terms_within_texts(path):
    """Return the lines of a file where a term hides in an f-string: none is found there."""
    tree = ast.parse(path.read_text())
    for text in ast.walk(tree):
        if isinstance(text, ast.JoinedStr):
            for node in ast.walk(text):
                if isinstance(node, ast.Call):
                    called = node.func
                    name = getattr(called, "attr", getattr(called, "id", ""))
                    literal = node.args and isinstance(node.args[0], ast.Constant)
                    if name in ("_", "_lt") and literal:
                        yield f"{path.name}:{node.lineno}"


def test_no_term_hides_where_the_export_does_not_look():
    module = terms.FOLDER.parent
    files = [path for path in module.rglob("*.py") if "tests" not in path.parts]
    assert len(files) > 100
    assert [line for path in files for line in _terms_within_texts(path)] == []
