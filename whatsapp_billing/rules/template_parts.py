# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The parts of a template, and the checks that several of them share."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from .parameters import PLACEHOLDER, clean, placeholders
from .terms import Problem, _lt

# Shown as emoji though they stand among technical signs and arrows.
_SCATTERED_EMOJI: Final = frozenset(
    "\u231a\u231b\u23e9\u23ea\u23eb\u23ec\u23f0\u23f3\u2b1b\u2b1c\u2b50\u2b55"
)

_BRACES: Final = re.compile(r"\{\{|\}\}")
# Meta refuses every asterisk there; the other signs only where they would format.
_MARKUP: Final = re.compile(r"\*|(?<!\w)_[^_]+_(?!\w)|~[^~]+~|`[^`]+`")


@dataclass(frozen=True, slots=True)
class ButtonContent:
    """One button: `kind` is url, phone or quick_reply; `value` the link or number."""

    kind: str
    text: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class TemplateContent:
    """Hold a template as it is written.

    :param name: the remote name
    :param header_type: none, text or document
    :param has_file: whether what it is for comes with a file; True where nobody knows
    :param samples: example by (component, position), component header, body or
        button; a link has one variable, `{{1}}`, and its sample is ("button", place
        of the button from 1 on)
    """

    name: str
    category: str = "utility"
    header_type: str = "none"
    header_text: str = ""
    has_file: bool = True
    body: str = ""
    footer: str = ""
    buttons: tuple[ButtonContent, ...] = ()
    samples: Mapping[tuple[str, int], str] = field(default_factory=dict, hash=False)


def check_variables(
    content: TemplateContent, component: str, text: str
) -> Iterator[Problem]:
    """Check the form, the numbering and the samples of a text's variables."""
    yield from check_numbering(component, text)
    for position in sorted(set(placeholders(text))):
        if not clean(content.samples.get((component, position), "")):
            yield Problem(
                "sample_missing",
                component,
                _lt("Give an example for {{%(position)s}}; WhatsApp asks for one."),
                {"position": position},
            )


def check_numbering(component: str, text: str) -> Iterator[Problem]:
    """Check the form and the numbering of a text's variables."""
    if _BRACES.search(PLACEHOLDER.sub("", text)):
        yield Problem(
            "variable_form",
            component,
            _lt(
                "Write variables as {{1}}, {{2}}: two braces, a number, two braces and"
                " nothing else."
            ),
        )
    found = sorted(set(placeholders(text)))
    if found != list(range(1, len(found) + 1)):
        yield Problem(
            "variable_numbers",
            component,
            _lt("Number the variables from {{1}} on without leaving one out."),
        )


def check_no_variables(component: str, text: str) -> Iterator[Problem]:
    """Check that a footer or the text of a button has no variables."""
    if not _BRACES.search(text):
        return
    message = (
        _lt("The footer cannot have variables.")
        if component == "footer"
        else _lt("The text of a button cannot have variables.")
    )
    yield Problem(f"{component}_variables", component, message)


def check_plain(component: str, text: str, *, markup: bool = True) -> Iterator[Problem]:
    """Check that a part is one line of plain text without emoji."""
    if re.search(r"[\r\n]", text):
        yield Problem(
            f"{component}_lines", component, _PLAIN_MESSAGES[component, "lines"]
        )
    if has_emoji(text):
        yield Problem(
            f"{component}_emoji", component, _PLAIN_MESSAGES[component, "emoji"]
        )
    if markup and _MARKUP.search(PLACEHOLDER.sub("", text)):
        yield Problem(
            f"{component}_markup", component, _PLAIN_MESSAGES[component, "markup"]
        )


_PLAIN_MESSAGES: Final[dict[tuple[str, str], str]] = {
    ("header", "lines"): _lt("The header must be on one line."),
    ("header", "emoji"): _lt("The header cannot have emoji."),
    ("header", "markup"): _lt("The header cannot have *, _, ~ or ` for formatting."),
    ("footer", "lines"): _lt("The footer must be on one line."),
    ("footer", "emoji"): _lt("The footer cannot have emoji."),
    ("button", "lines"): _lt("The text of a button must be on one line."),
    ("button", "emoji"): _lt("The text of a button cannot have emoji."),
    ("button", "markup"): _lt("The text of a button cannot be formatted."),
}


def has_emoji(text: str) -> bool:
    """Tell whether a text has emoji; letters, money and trade-mark signs are none."""
    return any(_is_emoji(char) for char in text)


def _is_emoji(char: str) -> bool:
    # Variation selector 16, keycaps and regional letters make emoji of plain signs.
    if char in "\ufe0f\u20e3" or "\U0001f1e6" <= char <= "\U0001f1ff":
        return True
    if "\U0001f000" <= char <= "\U0001faff":
        # Cn: emoji that are newer than this Python.
        return unicodedata.category(char) in {"So", "Sk", "Cn"}
    if "\u2600" <= char <= "\u27bf":
        return unicodedata.category(char) == "So"
    return char in _SCATTERED_EMOJI


_TOO_LONG: Final[dict[str, str]] = {
    "name": _lt(
        "The name has %(length)s characters and WhatsApp takes %(limit)s. Shorten it."
    ),
    "header": _lt(
        "The header has %(length)s characters and WhatsApp takes %(limit)s. Shorten it."
    ),
    "body": _lt(
        "The text has %(length)s characters and WhatsApp takes %(limit)s. Shorten it."
    ),
    "footer": _lt(
        "The footer has %(length)s characters and WhatsApp takes %(limit)s. Shorten it."
    ),
    "button": _lt(
        "The link or number of a button has %(length)s characters and WhatsApp takes"
        " %(limit)s. Shorten it."
    ),
}


def too_long(component: str, length: int, limit: int) -> Problem:
    """Say that a part is longer than WhatsApp takes."""
    return Problem(
        f"{component}_too_long",
        component,
        _TOO_LONG[component],
        {"length": length, "limit": limit},
    )
