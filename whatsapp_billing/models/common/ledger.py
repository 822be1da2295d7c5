# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Words of accounting that collections and accounting's overrides share."""

from dataclasses import dataclass
from datetime import date

from ...rules import eligibility

# Payment states of an invoice that is not reminded of any more.
CLEARED = tuple(sorted(eligibility.PAID))
# In the context: {move id: facts that hold its reminders}, read once for several.
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
