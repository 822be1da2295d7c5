"""Credits: prepaid, reserved when a message is queued, settled when it is delivered.

Begin with `wallet.py` (a company's balance), `entry.py` (its journal, which is only ever
added to) and `wallet_ledger.py` (the statements that write it); `message_credit.py` is
what messages do to it. `rate.py` and `wallet_price.py` say what one costs, `purchase.py`
where credits come from.
"""

from . import rate
from . import wallet
from . import entry
from . import purchase
from . import wallet_ledger
from . import wallet_price
from . import wallet_forecast
from . import message_credit
from . import plan_credit
