from . import account
from . import phone
from . import phone_route
from . import template
from . import template_button
from . import template_variable
