"""Templates: written, checked, submitted, synchronised, rendered.

Begin with `template.py`; `template_send.py` is what a message takes from one.
"""

from . import template
from . import template_button
from . import template_variable
from . import template_submit
from . import template_render
from . import template_send
