# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What Meta checks when a template is created or edited."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from ..text import words
from ..whatsapp.compiled import split_text
from ..whatsapp.errors import GraphError, Json
from ..whatsapp.state import State

CATEGORIES = ("AUTHENTICATION", "MARKETING", "UTILITY")
LANGUAGES = frozenset(
    words(
        "af sq ar ar_AE ar_EG ar_LB ar_MA ar_QA az be_BY bn bn_IN bg ca zh_CN zh_HK zh_TW hr "
        "cs da prs_AF nl nl_BE en en_GB en_US en_AE en_AU en_CA en_GH en_IE en_IN en_JM en_MY "
        "en_NZ en_QA en_SG en_UG en_ZA et fil fi fr fr_BE fr_CA fr_CH fr_CI fr_MA ka de de_AT "
        "de_CH el gu ha he hi hu id ga it ja kn kk rw_RW ko ky_KG lo lv lt mk ms ml mr nb "
        "ps_AF fa pl pt_BR pt_PT pa ro ru sr si_LK sk sl es es_AR es_CL es_CO es_CR es_DO "
        "es_EC es_HN es_MX es_PA es_PE es_ES es_UY sw sv ta te th tr uk ur uz vi zu"
    )
)
_NAME = re.compile(r"^[a-z0-9_]+$")
_VARIABLE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_NAMED = re.compile(r"^[a-z][a-z0-9_]*$")
_TTL = {
    "AUTHENTICATION": (30, 900),
    "UTILITY": (30, 43_200),
    "MARKETING": (43_200, 2_592_000),
}
_HEADERS = ("TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION")
_SAMPLE_MIMES = {
    "DOCUMENT": ("application/pdf",),
    "IMAGE": ("image/jpeg", "image/jpg", "image/png"),
    "VIDEO": ("video/mp4",),
}
_WORDS_PER_VARIABLE = 3


def refuse(subcode: int, title: str, text: str) -> GraphError:
    """Return error 100 with a subcode and words for people."""
    return GraphError(100, subcode=subcode, user_title=title, user_msg=text)


def check_name(name: str) -> None:
    """Refuse a name that Meta would refuse."""
    if len(name) > 512:
        raise refuse(2388039, "Template name is too long", "At most 512 characters.")
    if not _NAME.match(name):
        raise GraphError(
            100,
            message="Param name must only contain lowercase letters, numbers and "
            "underscores.",
        )


def check_language(language: str) -> None:
    """Refuse a language that Meta does not know."""
    if language not in LANGUAGES:
        raise GraphError(
            100, message=f"Param language must be one of {sorted(LANGUAGES)}"
        )


def check_category(category: str) -> str:
    """Return the category in upper case."""
    if category.upper() not in CATEGORIES:
        allowed = ", ".join(CATEGORIES)
        raise GraphError(100, message=f"Param category must be one of {{{allowed}}}")
    return category.upper()


def check_ttl(category: str, value: Any) -> int | None:
    """Return the time to live in seconds, within the category's limits."""
    if value is None:
        return None
    low, high = _TTL[category]
    if not str(value).lstrip("-").isdigit():
        raise GraphError(
            100, message="Param message_send_ttl_seconds must be an integer"
        )
    if int(value) != -1 and not low <= int(value) <= high:
        text = f"Param message_send_ttl_seconds must be -1 or from {low} to {high}"
        raise GraphError(100, message=text)
    return int(value)


class ComponentCheck:
    """Check the components of one template against each other and the rules."""

    def __init__(
        self, state: State, components: Any, parameter_format: str, category: str
    ) -> None:
        if not isinstance(components, list) or not components:
            raise GraphError(100, message="The parameter components is required.")
        self.state = state
        self.named = parameter_format == "NAMED"
        self.category = category
        self.components: list[Json] = [e for e in components if isinstance(e, dict)]
        self.checks: dict[str, Callable[[Json], None]] = {
            "HEADER": self._header,
            "BODY": self._body,
            "FOOTER": self._footer,
            "BUTTONS": self._buttons,
        }

    def run(self) -> None:
        """Raise GraphError for the first rule that is broken."""
        seen = set()
        for index, entry in enumerate(self.components):
            kind = str(entry.get("type", "")).upper()
            if kind not in self.checks:
                allowed = ", ".join(self.checks)
                text = f"Param components[{index}]['type'] must be one of {{{allowed}}}"
                raise GraphError(100, message=text)
            if kind in seen:
                raise GraphError(
                    100, message=f"There is more than one {kind} component"
                )
            seen.add(kind)
            self.checks[kind](entry)
        if "BODY" not in seen:
            raise refuse(2388072, "Body is missing", "A template needs a body.")

    def _header(self, entry: Json) -> None:
        kind = str(entry.get("format", "")).upper()
        if kind not in _HEADERS:
            raise refuse(
                2388047, "Message header format is incorrect", "Unknown header format."
            )
        if kind == "TEXT":
            self._header_text(entry)
        elif kind in _SAMPLE_MIMES:
            self._header_sample(kind, entry)

    def _header_text(self, entry: Json) -> None:
        text = str(entry.get("text") or "")
        title = "Message header format is incorrect"
        if not text or "\n" in text or "*" in text or "_" in _VARIABLE.sub("", text):
            raise refuse(2388047, title, "Header text: no new line and no markup.")
        if len(_VARIABLE.sub("", text)) > 60:
            raise refuse(
                2388040, "Field too long", "Header text: at most 60 characters."
            )
        names = self._variables(text)
        if len(names) > 1:
            raise refuse(2388047, title, "Header text: at most one variable.")
        self._samples(entry, names, "header_text")

    def _header_sample(self, kind: str, entry: Json) -> None:
        example = entry.get("example")
        handles = example.get("header_handle") if isinstance(example, dict) else None
        handle = handles[0] if isinstance(handles, list) and handles else handles
        upload = self.state.handles.get(str(handle))
        if upload is None or upload.mime not in _SAMPLE_MIMES[kind]:
            raise refuse(
                2388273,
                "Message template media sample is missing",
                f"Give a resumable upload handle of a {kind.lower()} as header_handle.",
            )

    def _body(self, entry: Json) -> None:
        text = str(entry.get("text") or "")
        if self.category == "AUTHENTICATION" and not text:
            return
        if not text.strip():
            raise refuse(2388072, "Body is missing", "A template needs a body text.")
        if len(text) > 1024:
            raise refuse(2388040, "Field too long", "Body: at most 1024 characters.")
        names = self._variables(text)
        self._positions(text, names)
        self._samples(entry, names, "body_text")

    def _positions(self, text: str, names: list[str]) -> None:
        stripped = text.strip()
        if stripped.startswith("{{") or stripped.endswith("}}"):
            raise refuse(
                2388299,
                "Leading or trailing variables",
                "Variables can't be at the start or end of the template.",
            )
        if re.search(r"\}\}\s*\{\{", text):
            raise refuse(2388072, "Adjacent variables", "Put words between variables.")
        count = len(_VARIABLE.sub(" ", text).split())
        if names and count < _WORDS_PER_VARIABLE * len(names) - 1:
            raise refuse(
                2388293,
                "This template contains too many variable parameters",
                "Shorten the list of variables or lengthen the text.",
            )

    def _variables(self, text: str) -> list[str]:
        raw = [name.strip() for name in _VARIABLE.findall(text)]
        names = list(dict.fromkeys(raw))
        pattern = _NAMED if self.named else re.compile(r"^\d+$")
        title = "Variables are not formatted correctly"
        for name in names:
            if not pattern.match(name):
                raise refuse(2388072, title, f"The variable {name!r} is not allowed.")
        if not self.named:
            wanted = [str(i + 1) for i in range(len(names))]
            if sorted(names, key=int) != wanted:
                raise refuse(2388072, title, "Number the variables from {{1}} on.")
        if text.count("{{") != len(raw) or text.count("}}") != len(raw):
            raise refuse(2388072, title, "A variable is written {{1}}.")
        return names

    def _samples(self, entry: Json, names: list[str], key: str) -> None:
        if not names:
            return
        example = entry.get("example")
        example = example if isinstance(example, dict) else {}
        if self.named:
            rows = example.get(f"{key}_named_params") or []
            given = {r.get("param_name"): r.get("example") for r in rows}
            complete = all(given.get(name) for name in names)
        else:
            values = example.get(key) or []
            if values and isinstance(values[0], list):
                values = values[0]
            complete = len(values) == len(names) and all(values)
        if not complete:
            part = key.split("_", maxsplit=1)[0]
            subcode = 2388047 if part == "header" else 2388072
            text = f"Give a sample for every variable of the {part}."
            raise refuse(subcode, "Sample is missing", text)

    def _footer(self, entry: Json) -> None:
        text = str(entry.get("text") or "")
        if not text or "{{" in text or "\n" in text:
            text = "One line of text without variables."
            raise refuse(2388073, "Message footer format is incorrect", text)
        if len(text) > 60:
            raise refuse(2388040, "Field too long", "Footer: at most 60 characters.")

    def _buttons(self, entry: Json) -> None:
        raw = entry.get("buttons")
        if not isinstance(raw, list) or not 1 <= len(raw) <= 10:
            raise GraphError(100, message="BUTTONS must have 1 to 10 buttons")
        kinds = [str(button.get("type", "")).upper() for button in raw]
        for kind, limit in (("URL", 2), ("PHONE_NUMBER", 1), ("COPY_CODE", 1)):
            if kinds.count(kind) > limit:
                raise GraphError(100, message=f"At most {limit} buttons of type {kind}")
        _check_contiguous(kinds)
        for kind, button in zip(kinds, raw, strict=True):
            _check_button(kind, button)


def _check_contiguous(kinds: list[str]) -> None:
    replies = [kind == "QUICK_REPLY" for kind in kinds]
    changes = sum(a != b for a, b in pairwise(replies))
    if changes > 1:
        text = "Quick reply buttons and other buttons must not be mixed."
        raise refuse(2388047, "Buttons are in the wrong order", text)


def _check_button(kind: str, button: Json) -> None:
    known = "URL PHONE_NUMBER QUICK_REPLY COPY_CODE FLOW OTP VOICE_CALL REQUEST_CONTACT_INFO"
    if kind not in known.split():
        raise GraphError(100, message=f"Button type {kind or 'missing'} is not known")
    text = str(button.get("text") or "")
    if kind in ("URL", "PHONE_NUMBER", "QUICK_REPLY") and not text:
        raise GraphError(100, message=f"A {kind} button needs a text")
    if len(text) > 25 or "{{" in text:
        raise refuse(2388040, "Field too long", "Button text: at most 25 characters.")
    if kind == "URL":
        _check_url(button)
    elif (
        kind == "PHONE_NUMBER"
        and not 0 < len(str(button.get("phone_number", ""))) <= 20
    ):
        raise GraphError(100, message="A phone number button needs a phone number")


def _check_url(button: Json) -> None:
    url = str(button.get("url") or "")
    if not url.startswith(("https://", "http://")) or len(url) > 2000:
        raise GraphError(
            100, message="Button url must be a valid URL, at most 2000 long"
        )
    variables = split_text(url).names
    if not variables:
        return
    if variables != ("1",) or not url.endswith("{{1}}"):
        text = "A button url has one variable, at the very end."
        raise refuse(2388072, "Button url is incorrect", text)
    if not button.get("example"):
        raise refuse(2388072, "Sample is missing", "Give a sample for the button url.")
