# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Words of accounting that collections and accounting's overrides share."""

from dataclasses import dataclass
from datetime import date

from ...rules import eligibility

# Odoo's payment states of an invoice about which nobody is reminded any more.
CLEARED = tuple(sorted(eligibility.PAID))
# Key of the context: what holds the reminders of each invoice, once it was read.
HOLDS = "wab_holds"


@dataclass(frozen=True, slots=True)
class OpenLine:
    """One open instalment, or a credit with a negative amount, as a message says it."""

    line_id: int
    name: str
    due: date | None
    amount: float
    currency_id: int
    is_credit: bool = False
