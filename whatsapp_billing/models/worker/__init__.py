"""One engine under every queue of ours; it knows neither WhatsApp nor an ERP.

Begin with `outbox.py` (rows that are calls to make), then `drain.py` (claim, call in
parallel, record) and `lane.py` (one pace, one pool and one worker at a time).
`prepared.py` keeps the plan of a statement that every turn of a drain repeats.
`transactions.py` alone commits; `budget.py` says how long a run may go on, for which
`ir_cron.py` notes when a round of cron jobs began.
"""

from . import transactions
from . import ir_cron
from . import outbox
from . import lane
