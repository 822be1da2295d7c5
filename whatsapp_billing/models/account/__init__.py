"""Accounts at a provider, their numbers, routes and secrets.

Begin with `account.py` and `phone.py`. `account_connect.py` connects and keeps secrets,
`account_state.py` says what works, `account_templates.py` reads and makes templates;
`phone_register.py` gets a number to send, `phone_route.py` says which one sends what.
What webhooks bring is in `inbox/`.
"""

from . import account
from . import account_connect
from . import account_state
from . import account_templates
from . import phone
from . import phone_register
from . import phone_route
