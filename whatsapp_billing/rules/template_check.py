# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Would WhatsApp take this template? Asked while it is being written.

Rules: Meta's template pages of 2026, and stricter ones of our own: at most one link and
one phone button, one variable in the header, a plain footer. An `error` keeps a template
from being submitted; a `warning` names what Meta often refuses or charges at the
marketing price.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from .parameters import PLACEHOLDER, placeholders
from .template_buttons import check_buttons
from .template_parts import (
    ButtonContent,
    TemplateContent,
    check_no_variables,
    check_plain,
    check_variables,
    too_long,
)
from .template_wording import check_wording
from .terms import Problem, _lt

__all__ = ["ButtonContent", "Problem", "TemplateContent", "blocks", "check"]

NAME_LENGTH: Final = 512
HEADER_LENGTH: Final = 60
BODY_LENGTH: Final = 1024
FOOTER_LENGTH: Final = 60

_LAST_PLACEHOLDER: Final = re.compile(PLACEHOLDER.pattern + r"\Z")
_NAME: Final = re.compile(r"[a-z0-9_]+", re.ASCII)


def check(content: TemplateContent) -> list[Problem]:
    """Return all that is wrong or risky, in the order of the template's parts."""
    return [
        *_check_name(content),
        *_check_category(content),
        *_check_header(content),
        *_check_body(content),
        *_check_footer(content),
        *check_buttons(content),
        *check_wording(content),
    ]


def blocks(problems: Iterable[Problem]) -> bool:
    """Tell whether any of the problems keeps the template from being submitted."""
    return any(problem.severity == "error" for problem in problems)


# === NAME AND CATEGORY === #


def _check_name(content: TemplateContent) -> Iterator[Problem]:
    if not content.name:
        yield Problem(
            "name_missing", "name", _lt("Give the template a name for WhatsApp.")
        )
    elif not _NAME.fullmatch(content.name):
        yield Problem(
            "name_characters",
            "name",
            _lt(
                "The name for WhatsApp may only have small letters without accents,"
                " digits and underscores."
            ),
        )
    if len(content.name) > NAME_LENGTH:
        yield too_long("name", len(content.name), NAME_LENGTH)


def _check_category(content: TemplateContent) -> Iterator[Problem]:
    if content.category == "authentication":
        yield Problem(
            "category_authentication",
            "category",
            _lt(
                "Authentication templates are for one-time codes and their text is"
                " WhatsApp's. Choose Utility or Marketing."
            ),
        )
    elif content.category not in {"utility", "marketing"}:
        yield Problem(
            "category_unknown", "category", _lt("Choose Utility or Marketing.")
        )


# === HEADER === #


def _check_header(content: TemplateContent) -> Iterator[Problem]:
    text = content.header_text
    if content.header_type not in {"none", "text", "document"}:
        yield Problem(
            "header_type",
            "header",
            _lt("The header can be a text, a document or nothing."),
        )
    elif content.header_type == "document" and not content.has_file:
        yield Problem(
            "header_without_file",
            "header",
            _lt(
                "There is no document (PDF) of what this template is for. Choose"
                " another header."
            ),
        )
    elif content.header_type != "text":
        if text.strip():
            yield Problem(
                "header_exclusive",
                "header",
                _lt(
                    "A header is either a text or a file. Remove the text, or choose"
                    " a text header."
                ),
            )
    elif not text.strip():
        yield Problem(
            "header_missing",
            "header",
            _lt("Write the header's text, or choose a template without a header."),
        )
    else:
        yield from _check_header_text(content)


def _check_header_text(content: TemplateContent) -> Iterator[Problem]:
    text = content.header_text
    if len(text) > HEADER_LENGTH:
        yield too_long("header", len(text), HEADER_LENGTH)
    yield from check_plain("header", text)
    if len(placeholders(text)) > 1:
        yield Problem(
            "header_variables",
            "header",
            _lt("The header can have one variable at most."),
        )
    yield from check_variables(content, "header", text)


# === BODY === #


def _check_body(content: TemplateContent) -> Iterator[Problem]:
    text = content.body
    if not text.strip():
        yield Problem("body_missing", "body", _lt("Write the text of the message."))
        return
    if len(text) > BODY_LENGTH:
        yield too_long("body", len(text), BODY_LENGTH)
    yield from check_variables(content, "body", text)
    yield from _check_variable_places(text)
    if re.search(r"\n\s*\n\s*\n|\t| {5,}", text):
        yield Problem(
            "body_spacing",
            "body",
            _lt(
                "WhatsApp often refuses tabs, more than one empty line and more than"
                " four spaces in a row."
            ),
            severity="warning",
        )


def _check_variable_places(text: str) -> Iterator[Problem]:
    stripped = text.strip()
    if PLACEHOLDER.match(stripped) or _LAST_PLACEHOLDER.search(stripped):
        yield Problem(
            "variable_at_edge",
            "body",
            _lt(
                "The text cannot begin or end with a variable. Add words before the"
                " first and after the last."
            ),
        )
    if re.search(r"\}\}\s*\{\{", text):
        yield Problem(
            "variables_adjacent",
            "body",
            _lt("Two variables cannot stand side by side. Put a word between them."),
        )
    count = len(set(placeholders(text)))
    words = len(re.findall(r"\w+", PLACEHOLDER.sub(" ", text)))
    if count and words <= count:
        yield Problem(
            "variables_too_many",
            "body",
            _lt(
                "There are %(count)s variables in a text of %(words)s words. WhatsApp"
                " refuses texts that are mostly variables; add words."
            ),
            {"count": count, "words": words},
            severity="warning",
        )


# === FOOTER === #


def _check_footer(content: TemplateContent) -> Iterator[Problem]:
    text = content.footer
    if len(text) > FOOTER_LENGTH:
        yield too_long("footer", len(text), FOOTER_LENGTH)
    yield from check_no_variables("footer", text)
    yield from check_plain("footer", text, markup=False)
