"""Figures over SQL views: `credit_usage.py` is what messages were charged."""

from . import credit_usage
