"""Who may read, write and call what of ours; where it is asked.

Begin with `rights.py`; `system_fields.py` keeps what only the system writes.
"""

from . import system_fields
from . import rights
