# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Meta's WhatsApp Cloud API; begin with `client.py`, then `graph.py` for what it proves.

What Meta's API is elsewhere too (360dialog) is taken from here.
"""
