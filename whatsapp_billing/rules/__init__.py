# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Pure decisions: no Odoo, no network, no clock, no randomness.

Every input is an argument, `now` and `jitter` included, so that the same function
serves the send, the preview and the test. Begin with `eligibility.py` (may this message
go) and `dunning.py` (who is reminded). `consent.py`, `answers.py`, `inbound.py`: what
customers say; `refusals.py`, `backoff.py`, `status.py`: what became of a call;
`ledger.py`, `pricing.py`: what it costs; `template_*.py`, `parameters.py`: what a text
may say; `numbers.py`: who is who. `reasons.py` and `dunning_reasons.py` have the words.
"""
