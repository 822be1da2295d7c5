# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Providers of WhatsApp: `meta/`, `dialog360.py`, and what all have in common.

Begin with `base.py` (the calls of any client) and `profile.py` (all else that makes a
provider differ: codes, templates, webhooks, words); `registry.py` lists who there is
and `sender.py` makes the call for one message. `error_table.py` and `templates.py` are
the parts of a profile, `plain.py` what a new client begins with: `doc/providers.md`.
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
