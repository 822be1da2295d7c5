"""Who may be written to, and the proof of it: the ledger in `consent.py`.

What its rows amount to is decided in `rules/consent.py`; what a STOP does to reminders
is in `collection/consent.py`.
"""

from . import consent
