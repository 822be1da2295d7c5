# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What there is on WhatsApp, whoever looks at it; Meta, 360dialog and phones share it.

It is no side itself and imports none. Begin at `state.py`, then `roles.py`: what the
sides need of each other.
"""
