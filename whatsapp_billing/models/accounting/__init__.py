"""Every override of accounting's own models, and most of contacts.

A file is named after Odoo's model, and after what it adds to it where that is several:

- `account.move`: `account_move.py` (as a document that is sent), `_sent_mark` (Odoo's
  mark *Sent*, also of `account.move.send`), `_collection` and `_collection_display`
  (reminders), `_bill` (bills that buy credits);
- `account.move.line`, `account.partial.reconcile`: `account_move_line.py`;
- `account.move.send`: `account_move_send.py`;
- `account.payment`: `account_payment.py` (as a document), `_collection` (receipts, also
  of `account.payment.register` and `payment.transaction`);
- `res.partner`: `res_partner.py` (number, switch, recipients), `_display`,
  `_collection` (also the plan of `res.company`). What the inbox adds to contacts is in
  `inbox/message_inbound_tell.py` and `message_inbound_number.py`.

Begin with `account_move.py`. `recipient_guard.py` is shared by all that let people
choose recipients.
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
