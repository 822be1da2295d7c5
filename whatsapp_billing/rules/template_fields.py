# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Which fields may go into a message: what is said to customers anyway.

A value is read where a document is, whatever it leads to, so what may be named is
listed and nothing else is. Of the document itself every plain field may be named, of
its contact, company and the like the fields below, of any other record only what it is
called. Companies share their contacts: what is worked out of one as each reader may
see it would be worked out of all companies' records, as superuser. Rights of people are
asked besides (`template_variable.py`).
"""

from __future__ import annotations

import re
from typing import Final

_ADDRESS: Final = frozenset(
    {"street", "street2", "zip", "city", "state_id", "country_id", "contact_address"}
)

CONTACT: Final = "res.partner"

# Fields that may be named of any record.
NAMES: Final = frozenset({"name", "display_name", "code", "full_name"})

PUBLIC: Final[dict[str, frozenset[str]]] = {
    CONTACT: NAMES
    | _ADDRESS
    | {
        *("ref", "vat", "company_registry", "email", "phone", "website", "function"),
        *("complete_name", "commercial_company_name", "company_name", "title"),
        *(
            "parent_id",
            "commercial_partner_id",
            "user_id",
            "lang",
            "property_payment_term_id",
        ),
    },
    "res.company": NAMES
    | _ADDRESS
    | {
        *("vat", "company_registry", "email", "phone", "website", "partner_id"),
        *("currency_id", "parent_id"),
    },
    "res.currency": NAMES | {"symbol", "currency_unit_label"},
    "res.country": NAMES | {"phone_code"},
    "res.partner.bank": NAMES | {"acc_number", "acc_holder_name", "bank_id"},
    "res.bank": NAMES | {"bic"},
    "account.payment.term": NAMES | {"note"},
    "account.move": NAMES
    | {
        *("ref", "payment_reference", "invoice_date", "invoice_date_due"),
        *("amount_total", "amount_residual", "invoice_origin", "currency_id"),
    },
    # Somebody who works here is a name to customers.
    "res.users": frozenset({"name", "display_name"}),
}

# Models of set-up, secrets and machinery: none of their fields, but a user's name.
_PRIVATE: Final = re.compile(
    r"(?:ir|base|bus|auth|auth_\w+|iap|res\.config|res\.users|res\.groups|fetchmail"
    r"|certificate|whatsapp\.billing|payment\.provider|payment\.token|queue\.job"
    r"|google|microsoft|mail\.push|discuss)(?:\.|$)"
)
_SECRET: Final = re.compile(
    r"token|passw|secret|cipher|totp|credential|signup|(?:^|_)(?:api|private|otp)_?key"
    r"|(?:^|_)(?:pin|key|hash|salt|signature)(?:_|$)"
)


def is_private_model(model: str) -> bool:
    """Tell whether nothing of this model but a name belongs into a message."""
    return _PRIVATE.match(model) is not None


def is_public(
    model: str,
    name: str,
    *,
    is_document: bool,
    is_sent: bool = False,
    depends_on_reader: bool = False,
) -> bool:
    """Tell whether a field may be named, whoever asks.

    :param is_document: the field is of the document itself, not of what it leads to
    :param is_sent: records of this model are sent to customers, so what they hold is for
        them, also where the model is one of ours
    :param depends_on_reader: it is not stored, and computed with its reader's rights
    """
    if _SECRET.search(name):
        return False
    if name in PUBLIC.get(model, NAMES) and not _is_hidden(model):
        return True
    if depends_on_reader and model == CONTACT:
        return False
    return is_document and (is_sent or not is_private_model(model))


def _is_hidden(model: str) -> bool:
    return is_private_model(model) and model not in PUBLIC
