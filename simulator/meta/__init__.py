# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Meta's side: the Graph API, and what Meta does by itself: review, receipts, webhooks.

Begin at `graph.py`, which finds the handler of a call, then `messages.py` and
`lifecycle.py`: a message's way. `side.py` is what the server and the tests see.
"""
