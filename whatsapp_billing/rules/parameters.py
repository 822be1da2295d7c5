# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What goes into a template's placeholders, and the name of the file beside it.

Meta (Cloud API, "Send templates", 2026-09): a parameter has no newline, no tab, not more
than four spaces in a row and is not empty, else the whole message is refused (132018,
132012, 100). Names and addresses in an ERP contain all of these.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from .terms import Problem, _lt

MAX_DOCUMENT_BYTES: Final = 100 * 1024 * 1024

# Filled-in lengths. Meta documents them for the template's own text only; beyond it
# the send fails with 132005.
MAX_LENGTHS: Final[dict[str, int]] = {"header": 60, "body": 1024, "button": 2000}

PLACEHOLDER: Final = re.compile(r"\{\{([1-9][0-9]{0,2})\}\}")

# Parameters of portal addresses that open a page without a login.
_LINK_KEY = re.compile(r"((?:access_token|hash|sign)=)[^\s&#]+", re.IGNORECASE)

_FILE_NAME_LENGTH: Final = 80
_ATTACHMENT_NAME_LENGTH: Final = 120
# A file name that needs no cleaning: no two dots or dashes follow each other.
_PLAIN_FILE = re.compile(r"(?=.{1,120}$)\w(?:[.-]?\w)*\.pdf", re.ASCII)
# A single no-break space stays: it keeps an amount and its currency on one line.
_SPACES = re.compile(r"\s{2,}|[^\S \u00a0\u202f]")
_KEPT_SPACES: Final = {0xA0: None, 0x202F: None}
# Joiners are part of emoji and of Persian words; the others only look like nothing.
_KEPT_FORMATS = frozenset("\u200c\u200d\u200e\u200f")


def clean(text: str) -> str:
    """Return the text on one line, as Meta accepts it in a parameter.

    Newlines, tabs and runs of spaces become one space; control characters, byte order
    marks and the like disappear. "" says that there was nothing to see.
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()  # nearly every value; thousands are cleaned at once
    if not text.translate(_KEPT_SPACES).isprintable() or _SPACES.search(text):
        kept = (char for char in _SPACES.sub(" ", text) if not _is_junk(char))
        text = _SPACES.sub(" ", "".join(kept))
    cleaned = text.strip()
    return cleaned if _is_visible(cleaned) else ""


def _is_junk(char: str) -> bool:
    # Surrogates cannot be written as UTF-8, so one of them would lose the request.
    category = unicodedata.category(char)
    return category in {"Cc", "Cs", "Cn"} or (
        category == "Cf" and char not in _KEPT_FORMATS and not _is_tag(char)
    )


def _is_tag(char: str) -> bool:
    """Tell the invisible letters inside the flags of England, Scotland and Wales."""
    return "\U000e0020" <= char <= "\U000e007f"


def _is_visible(text: str) -> bool:
    return any(
        not char.isspace() and unicodedata.category(char) not in {"Cf", "Mn"}
        for char in text
    )


def placeholders(text: str) -> list[int]:
    """Return the numbers of the `{{n}}` in a text, in order of appearance."""
    return [int(match[1]) for match in PLACEHOLDER.finditer(text)]


@lru_cache(maxsize=256)
def _count(text: str) -> int:
    """Return how many values a text takes; asked for thousands with the same text."""
    return max(placeholders(text), default=0)


def fill(text: str, params: Sequence[str]) -> str:
    """Return the text with `{{1}}` replaced by the first parameter, and so on.

    In one pass: a parameter that itself contains `{{2}}` is left alone. A placeholder
    without a parameter stays visible.
    """

    def value(match: re.Match[str]) -> str:
        position = int(match[1])
        return params[position - 1] if position <= len(params) else match[0]

    return PLACEHOLDER.sub(value, text)


def insert(text: str, position: int, place: int = -1) -> str:
    """Return the text with `{{position}}` where the cursor stands, apart from words.

    :param place: characters before the cursor; less than 0: at the end. One that lies
        within another placeholder stands behind that one.
    """
    if not 0 <= place <= len(text):
        place = len(text)
    for match in PLACEHOLDER.finditer(text):
        if match.start() < place < match.end():
            place = match.end()
    before, after = text[:place], text[place:]
    left = " " if before and _is_stuck(before[-1], ",.:;!?)}%") else ""
    right = " " if not after or _is_stuck(after[0], "{(") else ""
    return f"{before}{left}{{{{{position}}}}}{right}{after}"


def _is_stuck(char: str, marks: str) -> bool:
    return char.isalnum() or char in marks


def without_keys(text: str) -> str:
    """Return a text for people to read, whose links open nothing without a login.

    A link with its key is for the customer alone: what is kept to be read later, by
    whoever may see the message, names the page only.
    """
    if "=" not in text:
        return text  # nearly every text, and looking for keys takes long
    return _LINK_KEY.sub(r"\1…", text)


def check(
    template_body: str, params: Sequence[str], component: str = "body"
) -> Problem | None:
    """Return why these parameters do not fit this text of a template, or None.

    :param template_body: the approved text with its placeholders
    :param component: `header`, `body` or `button` (whose text is the whole URL)
    """
    expected = _count(template_body)
    if len(params) != expected:
        return Problem(
            "parameter_count",
            component,
            _lt(
                "The approved template takes %(expected)s values here and %(given)s"
                " are given. Update the template's variables, or read the templates"
                " from WhatsApp again."
            ),
            {"expected": expected, "given": len(params)},
        )
    cleaned = [clean(param) for param in params]
    for position, param in enumerate(cleaned, start=1):
        if not param:
            return Problem(
                "parameter_empty",
                component,
                _lt(
                    "The value for {{%(position)s}} is empty. Fill in the field it"
                    " comes from, or choose another field in the template."
                ),
                {"position": position},
            )
    length = len(fill(template_body, cleaned))
    limit = MAX_LENGTHS.get(component, MAX_LENGTHS["body"])
    if length > limit:
        return Problem(
            "parameter_too_long",
            component,
            _lt(
                "With its values the text has %(length)s characters and WhatsApp"
                " takes %(limit)s. Shorten the values or the template."
            ),
            {"length": length, "limit": limit},
        )
    return None


def filename(name: str) -> str:
    """Return a safe PDF file name for a document's name: `INV-2026-00001.pdf`.

    Letters of every script stay; what separates folders, hides or reorders text goes.
    """
    text = unicodedata.normalize("NFC", name).strip()
    if text.lower().endswith(".pdf"):
        text = text[:-4]
    text = re.sub(r"[^\w.]+", "-", text)
    text = re.sub(r"\.{2,}", ".", text)
    text = re.sub(r"-{2,}", "-", text).strip("-._")[:_FILE_NAME_LENGTH].rstrip("-._")
    return f"{text or 'document'}.pdf"


def attachment_filename(name: str) -> str:
    """Return a report's own file name as it may go out: the same name, made safe.

    Spaces, `&` and letters of every script stay, so that it is the name that an
    e-mail attaches; what separates folders, hides or reorders text goes.
    """
    if _PLAIN_FILE.fullmatch(name):
        return name  # as Odoo's own reports name theirs
    text = unicodedata.normalize("NFC", name)
    text = re.sub(r"\.pdf\s*$", "", text, flags=re.IGNORECASE)
    text = re.sub(r'[/\\:*?"<>|]+', "_", text)
    text = "".join(
        char if unicodedata.category(char)[0] not in "CZ" else " " for char in text
    )
    text = re.sub(r"\.{2,}", ".", re.sub(r" +", " ", text))
    text = text.strip(" .-")[:_ATTACHMENT_NAME_LENGTH].strip(" .-")
    return f"{text or 'document'}.pdf"


def safe_name(name: str) -> str:
    """Return a customer's file name as it may stand on our disks and screens.

    Its ending stays; what separates folders, hides or reorders text goes.
    """
    text = re.sub(r"[^\w.]+", "-", unicodedata.normalize("NFC", name))
    text = re.sub(r"-{2,}", "-", re.sub(r"\.{2,}", ".", text))
    return text.strip("-._")
