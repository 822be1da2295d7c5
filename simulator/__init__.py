# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Play the other side of an integration: providers' APIs, and what people hold.

Each side has a folder of its own (`meta/`, `d360/`, `phone/`) and knows no other side.
Begin at `world.py`, what all share, then `wiring.py`, the one place that builds it all.
"""

from .wiring import Simulator
from .testing import RunningSimulator

__all__ = ["RunningSimulator", "Simulator"]
