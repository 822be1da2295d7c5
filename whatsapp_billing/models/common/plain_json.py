# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""JSON that everybody can read."""


def without_null(value):
    """Return the same JSON without nulls, which XML-RPC cannot carry."""
    if isinstance(value, dict):
        return {k: without_null(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [without_null(entry) for entry in value if entry is not None]
    return value
