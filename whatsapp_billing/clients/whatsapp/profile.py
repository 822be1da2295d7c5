# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What makes a provider differ, for whoever stands outside of `clients/`.

Nobody there compares a provider's name, or reads its codes and payloads: they ask the
profile. It makes no call and holds no state; calls are the client's (`base.py`).
"""

from typing import ClassVar

from .error_table import ErrorTable


class Profile:
    """One provider."""

    # As accounts store it, and as people read it.
    name: ClassVar[str]
    label: ClassVar[str]

    # What its codes mean.
    errors: ClassVar[ErrorTable]
