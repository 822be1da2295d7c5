"""Dialogs; what they decide and send is in `models/` and `rules/`.

Begin with `account_move_send_wizard.py` (Odoo's Send dialog, for one invoice; for many:
`account_move_send_batch_wizard.py`) and `compose.py` (ours, for many records and for
messages to contacts); `compose_remind.py` has it remind, `compose_summary.py` counts what
goes, for it and for Odoo's dialog for many. `phone_preview.py` draws the phone beside the
dialogs. `collection_*.py` switch plans on, foresee and write down answers;
`partner_enable.py` and `consent_record.py` are about consent, `credit_*.py` about credits,
`person_erase.py` about a person's data, and `base_partner_merge.py` keeps messages and
consent where Odoo merges contacts.
"""

from . import account_move_send_batch_wizard
from . import base_partner_merge
from . import account_move_send_wizard
from . import compose
from . import compose_remind
from . import collection_answer
from . import collection_forecast
from . import collection_switch
from . import consent_record
from . import partner_enable
from . import person_erase
from . import credit_adjust
from . import credit_rate_import
