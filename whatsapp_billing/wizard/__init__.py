from . import account_move_send_wizard
from . import compose
from . import consent_record
from . import person_erase
