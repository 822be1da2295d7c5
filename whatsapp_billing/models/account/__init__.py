"""Accounts at a provider, their numbers, routes, secrets, and what webhooks bring.

Begin with `account.py` and `phone.py`; `webhook_event.py` is the inbox.
"""

from . import account
from . import account_connect
from . import account_state
from . import account_templates
from . import phone
from . import phone_register
from . import phone_route
from . import webhook_event
from . import webhook_event_display
from . import webhook_route
