"""Odoo's models, a folder a noun; each folder's `__init__` says where to begin.

`message/` is what all is about, `worker/` the engine that sends, `document/` and
`accounting/` what is sent. Files beside the folders extend single models of Odoo's:
`mail_message.py` and `mail_activity.py` (whose line or request it is),
`ir_actions_server.py` (automation rules), company and settings.
"""

from . import rights
from . import worker
from . import account
from . import template
from . import consent
from . import message
from . import document
from . import sending
from . import claim
from . import inbox
from . import privacy
from . import mail_activity
from . import mail_message
from . import accounting
from . import res_company
from . import res_config_settings
from . import collection
from . import credit
from . import ir_actions_server
from . import res_config_settings_credit
from . import res_config_settings_collection
