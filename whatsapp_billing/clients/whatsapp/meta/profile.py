# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What Meta's Cloud API has, asks for and calls things."""

from typing import ClassVar

from ..error_table import ErrorTable
from ..profile import Profile
from .errors import ERRORS


class MetaProfile(Profile):
    """Meta itself."""

    name: ClassVar[str] = "meta"
    label: ClassVar[str] = "Meta (WhatsApp Cloud API)"
    errors: ClassVar[ErrorTable] = ERRORS
