# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""360dialog's side: its paths and keys in front of what happens at Meta.

It reaches Meta through `whatsapp/roles.py` alone. All of it is in `side.py`.
"""
