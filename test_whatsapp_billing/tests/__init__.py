from . import test_channel
from . import test_document_type
