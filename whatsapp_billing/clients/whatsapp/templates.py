# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A template's parts: from a provider's shape to ours, and back.

What a provider lists is stored as it came (`components`, JSON) and read by its codec only:
a message must fit what was approved, also parts that nobody here knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from .base import TemplateInfo

Json: TypeAlias = dict[str, Any]
Components: TypeAlias = list[Json]
# Where a variable stands: (header, body or button; its number, of a button its place).
Place: TypeAlias = tuple[str, int]


class Button(Protocol):
    """One button as it is written: `kind` is url, phone or quick_reply."""

    @property
    def kind(self) -> str:
        """Return url, phone or quick_reply."""
        ...

    @property
    def text(self) -> str:
        """Return what stands on it."""
        ...

    @property
    def value(self) -> str:
        """Return the link or number."""
        ...


class Content(Protocol):
    """A template as it is written (`rules.template_parts.TemplateContent`)."""

    @property
    def header_type(self) -> str:
        """Return none, text or document."""
        ...

    @property
    def header_text(self) -> str:
        """Return the header's text with its `{{1}}`."""
        ...

    @property
    def body(self) -> str:
        """Return the text with its `{{n}}`."""
        ...

    @property
    def footer(self) -> str:
        """Return the line below, "" for none."""
        ...

    @property
    def buttons(self) -> Sequence[Button]:
        """Return the buttons in their order."""
        ...


class TemplateCodec(Protocol):
    """How one provider writes templates down."""

    def build(
        self, content: Content, samples: Mapping[Place, str], header_handle: str = ""
    ) -> Components:
        """Return the parts of a template to submit.

        :param header_handle: of the sample file, where the header is one
        """
        ...

    def parse(self, components: Components | None) -> dict[str, Any]:
        """Return header_type, header_text, body and footer; False for none."""
        ...

    def parse_buttons(self, components: Components | None) -> list[dict[str, Any]]:
        """Return kind, text and value of the buttons that we know."""
        ...

    def parse_samples(self, components: Components | None) -> dict[Place, str]:
        """Return the variables with their samples."""
        ...

    def texts(self, components: Components | None) -> dict[str, str]:
        """Return header and body with their placeholders, "" where there is none."""
        ...

    def links(self, components: Components | None) -> dict[int, str]:
        """Return {place of the button: its address} of addresses with a variable.

        The place among all buttons, from 1 on, tells whose value a value is.
        """
        ...

    def button_at(self, components: Components | None, place: int) -> tuple[str, str]:
        """Return text and address of the button at a place from 1 on."""
        ...

    def unsupported(self, info: TemplateInfo) -> list[str]:
        """Return the provider's words for what cannot be filled in here, [] if all can.

        Whatever is not known counts, also kinds of parts that do not exist yet.
        """
        ...


PLACEHOLDER = re.compile(r"\{\{([1-9][0-9]{0,2})\}\}")


def placeholders(text: str) -> list[int]:
    """Return the numbers of the `{{n}}` in a text, in order of appearance."""
    return [int(match[1]) for match in PLACEHOLDER.finditer(text)]


class PlainTemplates:
    """The codec of a provider that has no shape of its own: our parts as they are."""

    def build(
        self, content: Content, samples: Mapping[Place, str], header_handle: str = ""
    ) -> Components:
        """Return one part that has all of it."""
        part: Json = {
            "header_type": content.header_type,
            "header_text": content.header_text,
            "header_sample": header_handle,
            "body": content.body,
            "footer": content.footer,
            "buttons": [
                {"kind": button.kind, "text": button.text, "value": button.value}
                for button in content.buttons
            ],
            "samples": [[*place, sample] for place, sample in samples.items()],
        }
        return [part]

    def parse(self, components: Components | None) -> dict[str, Any]:
        """Return header_type, header_text, body and footer; False for none."""
        part = self._part(components)
        return {
            "header_type": part.get("header_type") or "none",
            "header_text": part.get("header_text") or False,
            "body": part.get("body") or "",
            "footer": part.get("footer") or False,
        }

    def parse_buttons(self, components: Components | None) -> list[dict[str, Any]]:
        """Return kind, text and value of the buttons."""
        return [
            row | {"value": row.get("value") or False}
            for row in self._part(components).get("buttons") or []
        ]

    def parse_samples(self, components: Components | None) -> dict[Place, str]:
        """Return the variables with their samples."""
        known = {
            (row[0], row[1]): row[2]
            for row in self._part(components).get("samples") or []
        }
        places = [
            (component, position)
            for component, text in self.texts(components).items()
            for position in placeholders(text)
        ]
        places += [("button", place) for place in self.links(components)]
        return {place: known.get(place, "") for place in places}

    def texts(self, components: Components | None) -> dict[str, str]:
        """Return header and body with their placeholders, "" where there is none."""
        part = self._part(components)
        return {"header": part.get("header_text") or "", "body": part.get("body") or ""}

    def links(self, components: Components | None) -> dict[int, str]:
        """Return {place of the button: its address} of addresses with a variable."""
        return {
            place: row["value"]
            for place, row in enumerate(self.parse_buttons(components), start=1)
            if row["kind"] == "url" and placeholders(row["value"] or "")
        }

    def button_at(self, components: Components | None, place: int) -> tuple[str, str]:
        """Return text and address of the button at a place from 1 on."""
        row = self.parse_buttons(components)[place - 1]
        return row["text"], (row["value"] or "") if row["kind"] == "url" else ""

    def unsupported(self, info: TemplateInfo) -> list[str]:
        """Return nothing: there is no part that is not ours."""
        return []

    def _part(self, components: Components | None) -> Json:
        return next(iter(components or []), {})
