from . import credit_usage
