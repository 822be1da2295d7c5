from . import account_move_send_batch_wizard
from . import account_move_send_wizard
from . import compose
from . import consent_record
from . import partner_enable
from . import person_erase
from . import credit_adjust
from . import credit_rate_import
