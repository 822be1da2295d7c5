# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Sentences for people, in English, marked for translation and left untranslated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


def _lt(text: str) -> str:
    """Mark a sentence for Odoo's term extraction and return it as it is.

    Odoo's export collects the literal argument of every call of this name in the
    module's Python files (`odoo/tools/translate.py`, 19.0), so the Odoo side can ask
    for the translation of whatever sentence a rule returned.
    """
    return text


@dataclass(frozen=True, slots=True)
class Problem:
    """Say what is wrong with a text, where, and what to do about it.

    `message_template` is a marked English sentence with `%(name)s` placeholders and
    `params` fills them: the Odoo side translates the first, then fills in the second.
    A `warning` never stops anything.
    """

    code: str
    component: str
    message_template: str
    params: Mapping[str, str | int] = field(default_factory=dict, hash=False)
    severity: str = "error"

    @property
    def message(self) -> str:
        """Fill the English sentence."""
        return self.message_template % self.params
