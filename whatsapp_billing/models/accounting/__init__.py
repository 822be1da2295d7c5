"""Every override of accounting's own models and of contacts.

What invoices, payments and contacts answer to the hooks of `document/`, and how
posting, paying and correcting tells collections. A file is named after Odoo's model.
"""

from . import recipient_guard
from . import account_move
from . import account_move_send
from . import account_move_sent_mark
from . import account_payment
from . import res_partner
from . import res_partner_display
from . import account_move_bill
from . import account_move_collection
from . import account_move_collection_display
from . import account_move_line
from . import account_payment_collection
from . import res_partner_collection
