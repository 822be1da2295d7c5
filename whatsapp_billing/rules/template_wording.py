# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Wording that WhatsApp refuses or charges at the marketing price; only warnings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from .consent import fold
from .template_parts import TemplateContent
from .terms import Problem, _lt

# Folded words and phrases. A utility template with one of these is likely to be
# approved as marketing.
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
    *(
        "acciones legales",
        "accion legal",
        "medidas legales",
        "via judicial",
        "embargo judicial",
    ),
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


def check_wording(content: TemplateContent) -> Iterator[Problem]:
    """Warn of offers in a utility template, of threats and of sensitive questions."""
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
    percent = re.search(r"%\s*(off|dto|desc)\b", text, re.IGNORECASE)
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
