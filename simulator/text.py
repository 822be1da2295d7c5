# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Small helpers for tables written as text."""


def words(text: str) -> tuple[str, ...]:
    """Cut a text at its spaces: long lists of names read better that way."""
    return tuple(text.split())
