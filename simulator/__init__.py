# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Play the other side of a WhatsApp integration: Meta's Graph API and the phones."""

from .engine import Simulator
from .testing import RunningSimulator

__all__ = ["RunningSimulator", "Simulator"]
