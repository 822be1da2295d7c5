# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""An answer as the clients see it, whoever fetched it."""

import json as jsonlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


class Headers(Mapping[str, str]):
    """Headers, looked up without regard to case."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, str]) -> None:
        """Copy the given headers."""
        self._items = {key.lower(): (key, value) for key, value in items.items()}

    def __getitem__(self, key: str) -> str:
        """Return a header's value."""
        return self._items[key.lower()][1]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names as they were given."""
        return (key for key, _value in self._items.values())

    def __len__(self) -> int:
        """Count the headers."""
        return len(self._items)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, read to its end. Header names are found in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __post_init__(self) -> None:
        """Accept a plain dictionary of headers, as tests write them."""
        if type(self.headers) is dict:
            object.__setattr__(self, "headers", Headers(self.headers))

    def json(self) -> Any:
        """Return the body as JSON.

        :raise ValueError: if it is not JSON
        """
        try:
            return jsonlib.loads(self.body)
        except RecursionError:
            message = "JSON nested too deep"
            raise ValueError(message) from None
