"""The worker of a number: claim, call, record, until nothing is due.

Begin with `message_drain.py` (what the engine in `worker/` asks of messages) and
`phone_drain.py` (a number's turn); `drain_record.py` writes what became of the calls.
What is asked before each call is in `claim/`.
"""

from . import message_drain
from . import phone_drain
