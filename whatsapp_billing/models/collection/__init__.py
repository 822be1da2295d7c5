"""Reminders: which plan says what to whom on which day, and what became of it.

Begin with `plan.py`, `step.py` and `case.py` (one receivable line in one plan). A night
is `plan_run.py`, which reads (`plan_read.py`), decides (`rules/dunning.py`) and writes
(`plan_write.py`). A draft goes by the channel of its step (`channel.py`):
`channel_whatsapp.py`, for which `message_reminder.py` makes messages with the texts of
`template_statement.py`, or `channel_activity.py`, for which a person is asked.
`followup.py` has a row for each customer, day and channel, `item.py` each line as a
message said it.

`case_ledger_sync.py` has the cases follow the books, `case_recheck.py` and
`message_reminder.py` look again before the call, `message_answer.py` has what customers
answer, and `consent.py` pauses the cases of who writes STOP. `plan_display.py` and
`case_display.py` are what people see and press; `account.py` gives the
ready-made plans to a newly connected company.
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
