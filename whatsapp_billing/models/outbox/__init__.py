from . import mixin
