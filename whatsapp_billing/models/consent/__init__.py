"""Who may be written to, and the proof of it (`consent.py`)."""

from . import consent
