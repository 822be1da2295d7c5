"""Templates: written, checked, submitted, synchronised, rendered.

Begin with `template.py`, `template_variable.py` and `template_button.py`.
`template_submit.py` is the way to the provider and back, `template_render.py` fills in
texts, `template_send.py` is what a message takes from a template.
"""

from . import template
from . import template_button
from . import template_variable
from . import template_submit
from . import template_render
from . import template_send
