# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What people hold: the phones in a browser, and tests that act for a customer.

It reaches Meta through `whatsapp/roles.py` alone. Begin at `side.py`; `control.py` lets
tests write, tap and switch phones off; `static/` is what the browser loads.
"""
