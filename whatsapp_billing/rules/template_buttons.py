# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The buttons of a template: how many, in which order, leading where."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Final
from urllib.parse import urlsplit

from .consent import fold
from .parameters import clean, placeholders
from .template_parts import (
    ButtonContent,
    TemplateContent,
    check_no_variables,
    check_numbering,
    check_plain,
    too_long,
)
from .terms import Problem, _lt

BUTTON_LENGTH: Final = 25
URL_LENGTH: Final = 2000
PHONE_LENGTH: Final = 20
MAX_BUTTONS: Final = 10

_PHONE: Final = re.compile(r"\+[1-9][0-9 ()-]{5,}", re.ASCII)

# Hosts that hide where a link leads: widely reported as a cause of rejection.
_SHORTENERS: Final[frozenset[str]] = frozenset(
    {
        *("bit.ly", "cutt.ly", "goo.gl", "is.gd", "ow.ly", "rb.gy", "rebrand.ly"),
        *("shorturl.at", "t.co", "t.ly", "tiny.cc", "tinyurl.com", "wa.link", "wa.me"),
    }
)


def check_buttons(content: TemplateContent) -> Iterator[Problem]:
    """Check the buttons together, then each of them."""
    buttons = content.buttons
    if len(buttons) > MAX_BUTTONS:
        yield Problem(
            "buttons_too_many",
            "button",
            _lt("A template can have %(limit)s buttons at most."),
            {"limit": MAX_BUTTONS},
        )
    kinds = Counter(button.kind for button in buttons)
    if kinds["url"] > 1:
        yield Problem(
            "buttons_url", "button", _lt("A template can have one link button at most.")
        )
    if kinds["phone"] > 1:
        yield Problem(
            "buttons_phone",
            "button",
            _lt("A template can have one phone button at most."),
        )
    runs = [kind for kind, _run in groupby(buttons, lambda b: b.kind == "quick_reply")]
    if runs.count(True) > 1:
        yield Problem(
            "buttons_order",
            "button",
            _lt(
                "Quick replies must stand together. Put the link and phone buttons"
                " before or after all of them."
            ),
        )
    yield from _check_button_texts(buttons)
    for place, button in enumerate(buttons, start=1):
        yield from _check_button(content, button, place)


def _check_button_texts(buttons: tuple[ButtonContent, ...]) -> Iterator[Problem]:
    texts = Counter(fold(button.text) for button in buttons if button.text.strip())
    for button in buttons:
        if texts.pop(fold(button.text), 0) > 1:
            yield Problem(
                "button_text_twice",
                "button",
                _lt("Two buttons read “%(text)s”. Give each its own text."),
                {"text": button.text},
                severity="warning",
            )


def _check_button(
    content: TemplateContent, button: ButtonContent, place: int
) -> Iterator[Problem]:
    if not button.text.strip():
        yield Problem("button_text_missing", "button", _lt("Give every button a text."))
    if len(button.text) > BUTTON_LENGTH:
        yield Problem(
            "button_text_too_long",
            "button",
            _lt(
                "The button “%(text)s” has %(length)s characters and WhatsApp takes"
                " %(limit)s."
            ),
            {"text": button.text, "length": len(button.text), "limit": BUTTON_LENGTH},
        )
    yield from check_no_variables("button", button.text)
    yield from check_plain("button", button.text)
    if button.kind == "url":
        yield from _check_url(content, button, place)
    elif button.kind == "phone":
        yield from _check_phone(button)
    elif button.kind != "quick_reply":
        yield Problem(
            "button_kind",
            "button",
            _lt("A button is a link, a phone number or a quick reply."),
        )


def _check_url(
    content: TemplateContent, button: ButtonContent, place: int
) -> Iterator[Problem]:
    url = button.value
    host = _host(url)
    if not host:
        yield Problem(
            "url_invalid",
            "button",
            _lt(
                "The link of the button “%(text)s” is not complete. Write it from"
                " https:// on and without spaces."
            ),
            {"text": button.text},
        )
    elif host.removeprefix("www.") in _SHORTENERS:
        yield Problem(
            "url_shortened",
            "button",
            _lt(
                "WhatsApp often refuses short links like %(host)s. Use the address of"
                " your own site."
            ),
            {"host": host},
            severity="warning",
        )
    if len(url) > URL_LENGTH:
        yield too_long("button", len(url), URL_LENGTH)
    positions = placeholders(url)
    if len(positions) > 1 or (positions and not url.endswith("}}")):
        yield Problem(
            "url_variable",
            "button",
            _lt("A link can have one variable, {{1}}, and only at its very end."),
        )
    yield from check_numbering("button", url)
    if positions and not clean(content.samples.get(("button", place), "")):
        yield Problem(
            "sample_missing",
            "button",
            _lt(
                "Give an example of what the link of the button “%(text)s” ends with;"
                " WhatsApp asks for one."
            ),
            {"text": button.text},
        )


def _host(url: str) -> str:
    """Return the host of a complete web address that is fixed, else ""."""
    if re.search(r"\s", url):
        return ""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or "{" in parts.netloc:
        return ""
    return host


def _check_phone(button: ButtonContent) -> Iterator[Problem]:
    number = button.value.strip()
    if not _PHONE.fullmatch(number):
        yield Problem(
            "phone_invalid",
            "button",
            _lt(
                "The number of the button “%(text)s” needs a plus and the country"
                " code, and only digits after them."
            ),
            {"text": button.text},
        )
    if len(number) > PHONE_LENGTH:
        yield too_long("button", len(number), PHONE_LENGTH)
