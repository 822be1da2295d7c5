"""Templates: written, checked, submitted, synchronised, rendered.

Begin with `template.py`; `template_send.py` is what a message takes from one.
"""

from . import template
from . import template_default
from . import template_health
from . import template_button
from . import template_variable
from . import template_obstacle
from . import template_form
from . import template_sync
from . import template_submit
from . import template_render
from . import template_preview
from . import template_send
from . import template_test_message
