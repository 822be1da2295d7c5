# What every queue of ours shares; it knows neither WhatsApp nor an ERP.
from . import transactions  # short transactions of its own; nobody else commits
from . import ir_cron  # when the round of a cron job began, for `budget.py`
