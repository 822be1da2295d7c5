# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Providers' HTTP APIs; nothing here knows Odoo, a database or `rules/`.

Begin with `errors.py` (what a refusal or a silence proves) and `transport.py`, the only
place that speaks HTTP; `response.py` is its answer, `deadline.py` a transport that
gives up in time. `pool.py` makes calls in threads at a pace. `redaction.py`,
`signatures.py`, `addresses.py` and `values.py` guard what goes out and comes in;
`testing.py` is a transport without a network. `whatsapp/` has the providers.
"""
