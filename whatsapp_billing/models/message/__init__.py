"""One message in or out, from queueing to its receipts.

Begin with `message.py`, then `message_enqueue.py`, `message_drain.py`,
`message_status.py` and `message_inbound.py`: the order in which one lives.
"""

from . import media
from . import message
from . import message_attempt
from . import message_access
from . import message_document
from . import message_drain
from . import message_enqueue
from . import message_rows
from . import message_changed
from . import message_recipients
from . import message_display
from . import message_status
from . import message_inbound
from . import message_inbound_batch
from . import message_inbound_media
from . import message_inbound_number
from . import message_inbound_tell
from . import message_failure
from . import job_runner
from . import privacy
from . import phone_drain
