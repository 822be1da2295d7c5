"""Addresses that are called from outside the web client.

Begin with `webhook.py`: providers report there; it verifies, keeps and answers, and
`models/inbox/webhook_event.py` processes. `portal.py` adds to the customer's own
pages, `person.py` hands a manager all that is kept about a person.
"""

from . import person
from . import portal
from . import webhook
