from . import test_account
from . import test_secrets
from . import test_template
from . import test_template_render
from . import test_message_queueing
from . import test_message_receipts
from . import test_message_sending
