from . import channel
from . import document
