from . import test_account
from . import test_secrets
from . import test_template
from . import test_template_render
