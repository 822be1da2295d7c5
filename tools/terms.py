# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Export the module's terms and bring the translations up to date with them.

`python -m tools terms` writes `i18n/whatsapp_billing.pot` and merges it into every
`.po` file there; `missing()` names what has no translation yet, for the tests.
"""

import re
from pathlib import Path

from . import odoo
from .ground import ROOT, say

MODULE = "whatsapp_billing"
FOLDER = ROOT / MODULE / "i18n"
LANGUAGES = ("es", "pt_BR")
# Only what differs from another language, which Odoo loads first.
VARIANTS = {"es_419": "es"}
DATABASE = "wab_terms"


def update() -> int:
    """Export, merge, and say how much is left to translate."""
    import polib

    odoo.make_database(DATABASE, fresh=True)
    conf = odoo.write_conf("terms", 8068, workers=0)
    target = FOLDER / f"{MODULE}.pot"
    FOLDER.mkdir(exist_ok=True)
    odoo.odoo(
        ["i18n", "export", "-c", str(conf), "-d", DATABASE, "-o", str(target), MODULE],
        log="terms",
    )
    template = polib.pofile(str(target))
    _stable(template)
    template.save()
    for language in LANGUAGES:
        path = FOLDER / f"{language}.po"
        translated = polib.pofile(str(path)) if path.exists() else polib.POFile()
        translated.metadata = {
            **template.metadata,
            "Language": language,
            "Plural-Forms": "nplurals=2; plural=(n != 1);",
        }
        translated.merge(template)
        for entry in translated.obsolete_entries():
            translated.remove(entry)
        translated.save(str(path))
        say(f"{language}: {len(missing(path))} of {len(template)} to translate")
    for variant in VARIANTS:
        path = FOLDER / f"{variant}.po"
        differing = polib.pofile(str(path))
        differing.metadata = {**template.metadata, "Language": variant}
        for entry in list(differing):
            found = template.find(entry.msgid)
            if found:
                entry.occurrences, entry.comment = found.occurrences, found.comment
            else:
                differing.remove(entry)
        differing.save(str(path))
    return 0


def _stable(template) -> None:
    """Leave out what changes with every export."""
    for name in ("POT-Creation-Date", "PO-Revision-Date"):
        template.metadata.pop(name, None)


def missing(path: Path) -> list[str]:
    """Return the terms without translation, or with other placeholders."""
    import polib

    return [
        entry.msgid
        for entry in polib.pofile(str(path))
        if not entry.msgstr
        or "fuzzy" in entry.flags
        or _placeholders(entry.msgid) != _placeholders(entry.msgstr)
    ]


def _placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"%\([a-z_]+\)[sd]|\{\{[^}]*\}\}|%s", text))
