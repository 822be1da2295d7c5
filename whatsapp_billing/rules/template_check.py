# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Would WhatsApp take this template? Asked while it is being written.

Rules: fact sheet 4.3 (Meta's template pages, 2026) and the product's own stricter
ones, Z33-Z38 of `features.md`: at most one link and one phone button, one variable in
the header, a plain footer. An `error` keeps a template from being submitted; a
`warning` names what Meta often refuses or charges at the marketing price.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final
from urllib.parse import urlsplit

from .consent import fold
from .parameters import PLACEHOLDER, clean, placeholders
from .terms import Problem, _lt

__all__ = ["ButtonContent", "Problem", "TemplateContent", "blocks", "check"]

NAME_LENGTH: Final = 512
HEADER_LENGTH: Final = 60
BODY_LENGTH: Final = 1024
FOOTER_LENGTH: Final = 60
BUTTON_LENGTH: Final = 25
URL_LENGTH: Final = 2000
PHONE_LENGTH: Final = 20
MAX_BUTTONS: Final = 10

_NAME: Final = re.compile(r"[a-z0-9_]+", re.ASCII)
_PHONE: Final = re.compile(r"\+[1-9][0-9 ()-]{5,}", re.ASCII)
_BRACES: Final = re.compile(r"\{\{|\}\}")
_MARKUP: Final = re.compile(r"[*_~`]")

# Hosts that hide where a link leads: widely reported as a cause of rejection.
_SHORTENERS: Final[frozenset[str]] = frozenset(
    {
        *("bit.ly", "cutt.ly", "goo.gl", "is.gd", "ow.ly", "rb.gy", "rebrand.ly"),
        *("shorturl.at", "t.co", "t.ly", "tiny.cc", "tinyurl.com", "wa.link", "wa.me"),
    }
)

# Folded words and phrases. A utility template with one of these is likely to be
# approved as marketing (fact sheet 4.6).
_PROMOTION: Final[tuple[str, ...]] = (
    *("discount", "special offer", "promo", "promotion", "coupon", "sale now"),
    *("on sale", "black friday", "buy now", "shop now", "free gift", "limited time"),
    *("renew now", "upgrade now", "dont miss", "save up to", "exclusive offer"),
    *("descuento", "descuentos", "oferta", "ofertas", "promocion", "promociones"),
    *("cupon", "cupones", "rebaja", "rebajas", "compra ahora", "aprovecha", "regalo"),
    *("renueva ahora", "no te pierdas", "tiempo limitado"),
    *("desconto", "descontos", "promocao", "promocoes", "cupom", "liquidacao"),
    *("compre agora", "aproveite", "brinde", "renove agora", "nao perca"),
    *("tempo limitado",),
)

# Meta names threatening a customer with legal action or public shaming as abusive.
_THREAT: Final[tuple[str, ...]] = (
    *("legal action", "lawsuit", "take you to court", "debt collector", "blacklist"),
    *("acciones legales", "accion legal", "medidas legales", "via judicial", "embargo"),
    *("demanda judicial", "lista de morosos", "asnef", "tribunales"),
    *("acao judicial", "medidas judiciais", "protesto em cartorio", "serasa"),
    *("spc", "penhora", "nome sujo", "negativacao", "negativado"),
)

# Asking for these is a frequent reason for rejection.
_SENSITIVE: Final[tuple[str, ...]] = (
    *("card number", "bank account number", "national id", "social security number"),
    *("cvv", "numero de tarjeta", "numero de cuenta bancaria", "documento nacional"),
    *("numero do cartao", "numero da conta bancaria", "senha", "password"),
    *("contrasena",),
)


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
    :param header_type: none, text, document or image
    :param samples: example by (component, position), component header, body or
        button; a link has one variable, `{{1}}`, so its sample is ("button", 1)
    """

    name: str
    category: str = "utility"
    header_type: str = "none"
    header_text: str = ""
    body: str = ""
    footer: str = ""
    buttons: tuple[ButtonContent, ...] = ()
    samples: Mapping[tuple[str, int], str] = field(default_factory=dict, hash=False)


def check(content: TemplateContent) -> list[Problem]:
    """Return all that is wrong or risky, in the order of the template's parts."""
    return [
        *_check_name(content),
        *_check_category(content),
        *_check_header(content),
        *_check_body(content),
        *_check_footer(content),
        *_check_buttons(content),
        *_check_wording(content),
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
        yield _too_long("name", len(content.name), NAME_LENGTH)


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
    if content.header_type not in {"none", "text", "document", "image"}:
        yield Problem(
            "header_type",
            "header",
            _lt("The header can be a text, a document, an image or nothing."),
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
        yield _too_long("header", len(text), HEADER_LENGTH)
    yield from _check_plain("header", text)
    if len(placeholders(text)) > 1:
        yield Problem(
            "header_variables",
            "header",
            _lt("The header can have one variable at most."),
        )
    yield from _check_variables(content, "header", text)


# === BODY === #


def _check_body(content: TemplateContent) -> Iterator[Problem]:
    text = content.body
    if not text.strip():
        yield Problem("body_missing", "body", _lt("Write the text of the message."))
        return
    if len(text) > BODY_LENGTH:
        yield _too_long("body", len(text), BODY_LENGTH)
    yield from _check_variables(content, "body", text)
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
    first, last = PLACEHOLDER.match(stripped), stripped.endswith("}}")
    if first or (last and PLACEHOLDER.search(stripped)):
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
        yield _too_long("footer", len(text), FOOTER_LENGTH)
    yield from _check_no_variables("footer", text)
    yield from _check_plain("footer", text, markup=False)


# === BUTTONS === #


def _check_buttons(content: TemplateContent) -> Iterator[Problem]:
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
    for button in buttons:
        yield from _check_button(content, button)


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


def _check_button(content: TemplateContent, button: ButtonContent) -> Iterator[Problem]:
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
    yield from _check_no_variables("button", button.text)
    yield from _check_plain("button", button.text)
    if button.kind == "url":
        yield from _check_url(content, button)
    elif button.kind == "phone":
        yield from _check_phone(button)
    elif button.kind != "quick_reply":
        yield Problem(
            "button_kind",
            "button",
            _lt("A button is a link, a phone number or a quick reply."),
        )


def _check_url(content: TemplateContent, button: ButtonContent) -> Iterator[Problem]:
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
        yield _too_long("button", len(url), URL_LENGTH)
    positions = placeholders(url)
    if len(positions) > 1 or (positions and not url.endswith("}}")):
        yield Problem(
            "url_variable",
            "button",
            _lt("A link can have one variable, {{1}}, and only at its very end."),
        )
    yield from _check_variables(content, "button", url)


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
        yield _too_long("button", len(number), PHONE_LENGTH)


# === WORDING === #


def _check_wording(content: TemplateContent) -> Iterator[Problem]:
    parts = {
        "header": content.header_text,
        "body": content.body,
        "footer": content.footer,
        "button": "\n".join(button.text for button in content.buttons),
    }
    for component, text in parts.items():
        words = f" {fold(text)} "
        if content.category == "utility":
            yield from _find_promotion(component, text, words)
        threat = _find(_THREAT, words)
        if threat:
            yield Problem(
                "wording_threat",
                component,
                _lt(
                    "“%(phrase)s” may be taken for a threat, which WhatsApp refuses."
                    " Keep to what is owed, since when and how to pay."
                ),
                {"phrase": threat},
                severity="warning",
            )
        sensitive = _find(_SENSITIVE, words)
        if sensitive:
            yield Problem(
                "wording_sensitive",
                component,
                _lt(
                    "“%(phrase)s”: WhatsApp refuses templates that ask for card or"
                    " account numbers, identity documents or passwords."
                ),
                {"phrase": sensitive},
                severity="warning",
            )


def _find_promotion(component: str, text: str, words: str) -> Iterator[Problem]:
    percent = re.search(r"[0-9]\s?%", text)
    phrase = _find(_PROMOTION, words) or (percent[0] if percent else "")
    if phrase:
        yield Problem(
            "wording_promotion",
            component,
            _lt(
                "“%(phrase)s” sounds like an offer. WhatsApp may turn this template"
                " into Marketing, which costs more and needs its own consent."
            ),
            {"phrase": phrase},
            severity="warning",
        )


def _find(phrases: Iterable[str], words: str) -> str:
    return next((phrase for phrase in phrases if f" {phrase} " in words), "")


# === SHARED === #


def _check_variables(
    content: TemplateContent, component: str, text: str
) -> Iterator[Problem]:
    """Check the form, the numbering and the samples of a text's variables."""
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
    for position in found:
        if not clean(content.samples.get((component, position), "")):
            yield Problem(
                "sample_missing",
                component,
                _lt("Give an example for {{%(position)s}}; WhatsApp asks for one."),
                {"position": position},
            )


def _check_no_variables(component: str, text: str) -> Iterator[Problem]:
    if not _BRACES.search(text):
        return
    message = (
        _lt("The footer cannot have variables.")
        if component == "footer"
        else _lt("The text of a button cannot have variables.")
    )
    yield Problem(f"{component}_variables", component, message)


def _check_plain(
    component: str, text: str, *, markup: bool = True
) -> Iterator[Problem]:
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
    if char >= "\U0001f000":
        return unicodedata.category(char) in {"So", "Sk", "Cn"}
    return char >= "\u2600" and char <= "\u27bf" and unicodedata.category(char) == "So"


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


def _too_long(component: str, length: int, limit: int) -> Problem:
    return Problem(
        f"{component}_too_long",
        component,
        _TOO_LONG[component],
        {"length": length, "limit": limit},
    )
