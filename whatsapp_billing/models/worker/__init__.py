# One engine under every queue of ours; it knows neither WhatsApp nor an ERP.
# Begin with `outbox` (what is called), then `drain` (how) and `lane` (one at a time).
from . import transactions  # short transactions of its own; nobody else commits
from . import (
    ir_cron,
)  # when a round of cron jobs began, for `budget` (how long a run may)
from . import outbox  # rows that are calls to make: claim, call in parallel, record
from . import lane  # what has one pace, one pool and one worker at a time
