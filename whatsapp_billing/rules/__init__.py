# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Pure decisions: no Odoo, no network, no clock, no randomness.

Every input is an argument, `now` and `jitter` included, so that the same function
serves the send, the preview and the test.
"""
