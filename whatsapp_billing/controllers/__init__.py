from . import person
from . import portal
from . import webhook
