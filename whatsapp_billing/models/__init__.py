from . import messaging
from . import res_company
