# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Providers of WhatsApp: what all can do stands in `base.py` (calls) and `profile.py`
(all else), who there is in `registry.py`. How one is added: `doc/providers.md`.
"""

from .base import AccountConfig, WhatsAppClient
from .profile import Profile
from .registry import CLIENTS, DEFAULT, PROFILES, PROVING, get_client, get_profile

__all__ = [
    "CLIENTS",
    "DEFAULT",
    "PROFILES",
    "PROVING",
    "AccountConfig",
    "Profile",
    "WhatsAppClient",
    "get_client",
    "get_profile",
]
