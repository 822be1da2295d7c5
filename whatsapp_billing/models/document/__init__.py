"""What can be sent: the hooks that a document's model answers (`document_mixin.py`).

`document_look.py` asks before the call, in bulk, what may have changed; `base.py` has
the answers of records that are no documents. How a document type is added:
`doc/documents.md`. `ir_actions_report.py` limits how long a PDF may take.
`message_document.py` has missing files made (`document_maker.py`: side by side) and
`media.py` remembers what a provider was given already.
"""

from . import base
from . import document_mixin
from . import document_look
from . import ir_attachment
from . import ir_actions_report
from . import media
from . import message_document
