from . import clients, rules
from . import models
from . import controllers
from . import report
from . import wizard
from .hooks import uninstall_hook
