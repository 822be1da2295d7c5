"""What providers post to us, and what customers write.

Begin with `webhook_event.py`: bytes are kept as they came, then applied, receipts by
`message/message_attempt.py` and texts by `message_inbound.py` (in batches:
`message_inbound_batch.py`). `webhook_route.py` says whose an address is,
`message_inbound_tell.py` who hears of a text, `message_inbound_number.py` what a new number
of a customer does; `message_inbound_media.py` fetches the files.
"""

from . import webhook_event
from . import webhook_event_display
from . import webhook_route
from . import message_inbound
from . import message_inbound_batch
from . import message_inbound_media
from . import message_inbound_number
from . import message_inbound_tell
