"""Reminders: which plan says what to whom on which day, and what became of it.

Begin with `plan.py`, `step.py` and `case.py` (one receivable line in one plan). A night
is `plan_run.py`, which reads (`plan_read.py`), decides (`rules/dunning.py`) and writes
(`plan_write.py`); `message_reminder.py` makes drafts into messages, with the texts of
`template_statement.py`. `case_ledger_sync.py` has the
cases follow the books, `case_recheck.py` and `message_reminder.py` look again before the
call, and `message_answer.py` has what customers answer.
"""

from . import plan
from . import step
from . import case
from . import case_ledger_sync
from . import case_recheck
from . import item
from . import followup
from . import channel
from . import channel_whatsapp
from . import channel_activity
from . import template_statement
from . import message_reminder
from . import message_answer
from . import consent
from . import plan_read
from . import plan_run
from . import plan_write
from . import plan_display
from . import case_display
from . import account
