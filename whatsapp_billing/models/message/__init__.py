"""One message: what it is, how it is queued, what became of it.

Begin with `message.py`, then `message_enqueue.py` (a caller's documents become messages,
or reasons why not) and `message_attempt.py` (calls made, and the receipts about them).
Sending is in `sending/`, what is asked before a call in `claim/`, what comes in in
`inbox/`.
"""

from . import message
from . import message_enqueue
from . import message_attempt
from . import message_display
