"""What is kept about a person: given to them, and erased where they ask for it."""

from . import privacy
