# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Meta's WhatsApp Cloud API; 360dialog takes from here what is the same there.

Begin with `client.py` (the calls), then `graph.py` (what an answer proves) and
`payloads.py` (the shapes of both). `profile.py` is what others ask, with `errors.py`
(codes), `webhook.py` and `events.py` (what Meta reports), `templates.py` and
`words.py`.
"""
