"""One message in or out, from queueing to its receipts.

Begin with `message.py`, then in the order in which one lives: `message_enqueue.py` and
`message_rows.py` (queued), `message_document.py` (its file), `message_drain.py`
(called; `drain_claim.py` looks again before, `drain_record.py` records),
`message_status.py` (its receipts). What customers write begins in
`message_inbound_batch.py`. `message_access.py` and `privacy.py` say who sees what, and
what is kept.
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
