"""What is asked again just before a call, in bulk.

Begin with `drain_claim.py`; `message_changed.py` is what a document says and to whom,
`drain_reminders.py` what a reminder says line by line. `drain_look.py` asks of documents
within the claim's own statement.
"""

from . import message_changed
