# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""How the simulated world behaves; what `POST /_control/reset` and `/settings` take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

Json = dict[str, Any]


class ControlError(Exception):
    """Say in a sentence what is wrong with a control call."""


@dataclass(slots=True)
class Adjustable:
    """A group of settings: the world's own, or one side's."""

    def change(self, name: str, value: Any) -> None:
        """Change one setting; raises ControlError for a value that it cannot have."""
        setattr(self, name, check_type(name, value, getattr(self, name)))


@dataclass(slots=True)
class Settings(Adjustable):
    """What holds for every side."""

    latency_ms: float = 0
    seed: int = 1


def check_type(name: str, value: Any, example: Any) -> Any:
    """Return a value that is of the example's kind, or raise ControlError."""
    if isinstance(example, bool):
        good = isinstance(value, bool)
    elif isinstance(example, (int, float)):
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
    else:
        good = isinstance(value, type(example))
    if not good:
        raise ControlError(f"{name} has the wrong type: {value!r}.")
    return value


def names_of(settings: Any) -> frozenset[str]:
    """Return what can be set in a group."""
    return frozenset(entry.name for entry in fields(settings))


def change_settings(groups: Sequence[Adjustable], values: Json) -> None:
    """Change settings in place; raises ControlError for what is not one."""
    for name, value in values.items():
        for group in groups:
            if name in names_of(group):
                group.change(name, value)
                break
        else:
            raise ControlError(f"{name} is not a setting.")


def settings_as_json(groups: Sequence[Adjustable]) -> Json:
    """Return the settings as the control API shows them."""
    return {
        entry.name: _shown(getattr(group, entry.name))
        for group in groups
        for entry in fields(group)
    }


def _shown(value: Any) -> Any:
    if is_dataclass(value):
        return {entry.name: getattr(value, entry.name) for entry in fields(value)}
    return sorted(value) if isinstance(value, frozenset) else value
