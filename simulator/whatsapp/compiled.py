# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Templates prepared for sending: split once, filled thousands of times."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(slots=True, frozen=True)
class Text:
    """A text cut at its placeholders: literal, name, literal, name, ..."""

    parts: tuple[str, ...]
    names: tuple[str, ...]
    ordered: tuple[str, ...] = ()

    def fill(self, values: dict[str, str]) -> str:
        """Put values in place of the placeholders."""
        if not self.names:
            return self.parts[0]
        filled = [
            values[part] if index % 2 else part for index, part in enumerate(self.parts)
        ]
        return "".join(filled)


@dataclass(slots=True, frozen=True)
class Button:
    """A button of a template."""

    kind: str
    text: str
    value: str
    has_variable: bool


@dataclass(slots=True, frozen=True)
class Compiled:
    """What a send must match, and how to write what the customer sees."""

    named: bool
    header_kind: str
    header: Text
    body: Text
    footer: str
    buttons: tuple[Button, ...]
    needs_buttons: tuple[int, ...]


def split_text(text: str) -> Text:
    """Cut a text at its placeholders, each name once and in order."""
    parts = tuple(_PLACEHOLDER.split(text))
    names = tuple(dict.fromkeys(parts[1::2]))
    positional = all(name.isdigit() for name in names)
    return Text(parts, names, tuple(sorted(names, key=int)) if positional else names)


def _button(raw: Json) -> Button:
    kind = str(raw.get("type", "")).lower()
    value = str(raw.get("url") or raw.get("phone_number") or "")
    has_variable = kind == "url" and _PLACEHOLDER.search(value) is not None
    if kind == "copy_code":
        example = raw.get("example") or ""
        value = str(example[0] if isinstance(example, list) else example)
        has_variable = True
    return Button(kind, str(raw.get("text", "")), value, has_variable)


def component(components: list[Json], kind: str) -> Json:
    """Return the component of a type, or an empty one."""
    for entry in components:
        if str(entry.get("type", "")).upper() == kind:
            return entry
    return {}


def compile_template(components: list[Json], parameter_format: str) -> Compiled:
    """Prepare a template's components for sending."""
    header = component(components, "HEADER")
    header_kind = str(header.get("format", "none" if not header else "text")).lower()
    raw_buttons = component(components, "BUTTONS").get("buttons") or []
    buttons = tuple(_button(raw) for raw in raw_buttons)
    return Compiled(
        named=parameter_format.upper() == "NAMED",
        header_kind=header_kind,
        header=split_text(str(header.get("text", ""))),
        body=split_text(str(component(components, "BODY").get("text", ""))),
        footer=str(component(components, "FOOTER").get("text", "")),
        buttons=buttons,
        needs_buttons=tuple(i for i, b in enumerate(buttons) if b.has_variable),
    )
