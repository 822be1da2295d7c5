# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A list of open invoices on one line, short enough for a template's parameter.

WhatsApp takes no line breaks in parameters and 1,024 characters in a whole body,
so a long list ends in how many more there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

LONGEST: Final = 480


def join(entries: Sequence[tuple[str, str, str]], longest: int = LONGEST) -> str:
    """Return "INV/1 €10.00 (1/11) · INV/2 €5.00 (2/11) · +3".

    :param entries: number, amount and due date as they are to be read
    """
    texts = [
        f"{name} {amount} ({due})" if due else f"{name} {amount}"
        for name, amount, due in entries
    ]
    kept: list[str] = []
    length = 0
    for index, text in enumerate(texts):
        length += len(text) + 3
        if kept and length + 6 > longest:
            kept.append(f"+{len(texts) - index}")
            break
        kept.append(text)
    return " · ".join(kept)
