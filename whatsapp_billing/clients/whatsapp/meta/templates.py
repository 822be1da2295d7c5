# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A template's parts: from the Graph API's list of components to ours, and back.

Shapes: Meta's template creation page of 2026-09; types and formats come back
in either case.
"""

import re
from collections.abc import Mapping
from typing import Any

from ..base import TemplateInfo
from ..templates import (
    PLACEHOLDER,
    Button,
    Components,
    Content,
    Json,
    Place,
    placeholders,
)

KNOWN = {"HEADER", "BODY", "FOOTER", "BUTTONS"}
HEADERS = {"TEXT": "text", "DOCUMENT": "document"}
BUTTONS = {"URL": "url", "PHONE_NUMBER": "phone", "QUICK_REPLY": "quick_reply"}
NAMED = re.compile(r"\{\{\s*[^\W\d]\w*\s*\}\}")


class MetaTemplates:
    """The codec (`TemplateCodec`) of whoever hands on Graph's components."""

    # === READING === #

    def parse(self, components: Components | None) -> dict[str, Any]:
        """Return header_type, header_text, body and footer; False for none."""
        header, body = _find(components, "HEADER"), _find(components, "BODY")
        header_type = HEADERS.get(_header_format(header), "none") if header else "none"
        is_text = header_type == "text"
        return {
            "header_type": header_type,
            "header_text": (header.get("text") or False) if is_text else False,
            "body": body.get("text") or "",
            "footer": _find(components, "FOOTER").get("text") or False,
        }

    def parse_buttons(self, components: Components | None) -> list[dict[str, Any]]:
        """Return kind, text and value of the buttons that we know."""
        return [
            {
                "kind": BUTTONS[_upper(button, "type")],
                "text": button.get("text") or "",
                "value": button.get("url") or button.get("phone_number") or False,
            }
            for button in _buttons(components)
            if _upper(button, "type") in BUTTONS
        ]

    def parse_samples(self, components: Components | None) -> dict[Place, str]:
        """Return the variables: {(component, position): sample}."""
        header, body = _find(components, "HEADER"), _find(components, "BODY")
        samples = {
            "header": _flat((header.get("example") or {}).get("header_text")),
            "body": _flat((body.get("example") or {}).get("body_text")),
        }
        found = {
            (component, position): _at(samples[component], position)
            for component, text in self.texts(components).items()
            for position in placeholders(text)
        }
        for place, url in self.links(components).items():
            button = _buttons(components)[place - 1]
            sample = _at(_flat(button.get("example")), 1)
            found["button", place] = sample.removeprefix(url.partition("{{")[0])
        return found

    def texts(self, components: Components | None) -> dict[str, str]:
        """Return header and body with their placeholders, "" where there is none."""
        return {
            "header": _find(components, "HEADER").get("text") or "",
            "body": _find(components, "BODY").get("text") or "",
        }

    def links(self, components: Components | None) -> dict[int, str]:
        """Return {place of the button: its address} of addresses with a variable.

        Meta numbers the variable of each button for itself.
        """
        return {
            place: button["url"]
            for place, button in enumerate(_buttons(components), start=1)
            if placeholders(button.get("url") or "")
        }

    def button_at(self, components: Components | None, place: int) -> tuple[str, str]:
        """Return text and address of the button at a place from 1 on."""
        button = _buttons(components)[place - 1]
        return button.get("text") or "", button.get("url") or ""

    def unsupported(self, info: TemplateInfo) -> list[str]:
        """Return Meta's words for what of a listed template cannot be filled in.

        Whatever is not known counts, also kinds of parts that do not exist yet: WhatsApp
        refuses a message that leaves one out.
        """
        components = info.components
        found = [
            _upper(part, "type") or "UNKNOWN"
            for part in components or []
            if _upper(part, "type") not in KNOWN
        ]
        header = _find(components, "HEADER")
        if header and _header_format(header) not in HEADERS:
            found.append(_header_format(header))
        found += [
            _upper(button, "type") or "UNKNOWN"
            for button in _buttons(components)
            if _upper(button, "type") not in BUTTONS
        ]
        if info.parameter_format.upper() == "NAMED" or _has_names(components):
            found.append("NAMED")
        found = list(dict.fromkeys(found))
        if info.source.upper() == "AUTO_GENERATED":
            # It cannot be sent as a template at all (132018), nor changed.
            found.append("AUTO_GENERATED")
        return found

    # === WRITING === #

    def build(
        self, content: Content, samples: Mapping[Place, str], header_handle: str = ""
    ) -> Components:
        """Return the components of a template to submit."""
        built = [
            _build_header(content, samples, header_handle),
            _with_example("BODY", content.body, "body", samples),
            {"type": "FOOTER", "text": content.footer} if content.footer else None,
            _build_buttons(content, samples),
        ]
        return [part for part in built if part]


def _find(components: Components | None, kind: str) -> Json:
    """Return the first component of a type, {} if there is none."""
    return next((part for part in components or [] if _upper(part, "type") == kind), {})


def _buttons(components: Components | None) -> list[Json]:
    """Return the provider's buttons in their order."""
    return _find(components, "BUTTONS").get("buttons") or []


def _header_format(header: Json) -> str:
    return _upper(header, "format") or ("TEXT" if header.get("text") else "UNKNOWN")


def _has_names(components: Components | None) -> bool:
    """Tell whether variables have names, which the list need not say by itself."""
    texts = [part.get("text") for part in components or []]
    texts += [button.get("url") for button in _buttons(components)]
    return any(NAMED.search(text or "") for text in texts)


def _build_header(
    content: Content, samples: Mapping[Place, str], header_handle: str
) -> Json | None:
    if content.header_type == "none":
        return None
    if content.header_type == "text":
        part = _with_example("HEADER", content.header_text, "header", samples)
        return {"type": "HEADER", "format": "TEXT"} | part
    header: Json = {"type": "HEADER", "format": content.header_type.upper()}
    if header_handle:
        header["example"] = {"header_handle": [header_handle]}
    return header


def _with_example(
    kind: str, text: str, component: str, samples: Mapping[Place, str]
) -> Json:
    part: Json = {"type": kind, "text": text}
    values = [
        samples.get((component, position), "")
        for position in sorted(set(placeholders(text)))
    ]
    if values and component == "body":
        part["example"] = {"body_text": [values]}
    elif values:
        part["example"] = {"header_text": values}
    return part


def _build_buttons(content: Content, samples: Mapping[Place, str]) -> Json | None:
    if not content.buttons:
        return None
    built = [
        _build_button(button, samples.get(("button", place), ""))
        for place, button in enumerate(content.buttons, start=1)
    ]
    return {"type": "BUTTONS", "buttons": built}


def _build_button(button: Button, sample: str) -> Json:
    if button.kind == "phone":
        return {
            "type": "PHONE_NUMBER",
            "text": button.text,
            "phone_number": button.value,
        }
    if button.kind == "quick_reply":
        return {"type": "QUICK_REPLY", "text": button.text}
    built: Json = {"type": "URL", "text": button.text, "url": button.value}
    if placeholders(button.value):
        # One variable, whatever its number: others stay visible.
        example = PLACEHOLDER.sub(
            lambda match: sample if match[1] == "1" else match[0], button.value
        )
        built["example"] = [example]
    return built


def _upper(part: Json, key: str) -> str:
    return str(part.get(key) or "").upper()


def _flat(values: Any) -> list[str]:
    """Return a list of texts: examples come as a text, a list or a list of lists."""
    if isinstance(values, str):
        return [values]
    flat: list[Any] = []
    for value in values or []:
        flat += value if isinstance(value, list) else [value]
    return [str(value) for value in flat]


def _at(values: list[str], position: int) -> str:
    return values[position - 1] if position <= len(values) else ""
