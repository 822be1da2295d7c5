# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What a plan's condition may ask about: invoices, their customers and what they say.

A condition is no way to read: by which invoices it takes in, it answers any question,
letter by letter. Odoo's own rights answer for each model and field on the way, as the
search is done with the writer's rights; this adds what no condition needs to ask.
"""

import re

from odoo.exceptions import AccessError
from odoo.fields import Domain

# Models that a condition may compare with but not look into: `invoice_user_id = 7` is
# allowed, `invoice_user_id.login` is not.
CLOSED_MODELS = frozenset(
    {
        "res.company",
        "res.config.settings",
        "payment.provider",
        "payment.token",
        "fetchmail.server",
        "webhook.event",
    }
)
CLOSED_PREFIXES = ("res.users", "ir.", "auth", "whatsapp.billing.", "base.", "queue.")
SECRET_NAMES = re.compile(
    r"token|secret|password|passwd|cipher|api_?key|signature|_pin$"
)


def check(model, domain):
    """Refuse a condition that asks about people's secrets or other records' insides.

    :param model: the model that the domain is about, as the writer sees it
    :param domain: a `Domain`
    :raise AccessError: for a field that is closed, or that the writer may not read
    :raise ValueError: for a field that does not exist
    """
    for condition in domain.iter_conditions():
        if condition.operator.endswith("!"):
            raise AccessError(model.env._("A condition cannot pass by the rights."))
        comodel = _follow(model, condition.field_expr)
        if condition.operator in ("any", "not any"):
            if comodel is None:
                raise ValueError(condition.field_expr)
            _check_open(model, comodel._name, condition.field_expr)
            check(comodel, Domain(condition.value))


def _follow(model, path):
    """Return the model that a path leads to, None where it ends in a value."""
    here, names = model, path.split(".")
    for position, name in enumerate(names):
        if here is None:
            raise ValueError(f"Invalid field {path!r}")
        field = here._fields.get(name)
        if field is None:
            if position and not here._fields.get(names[position - 1]):
                # The rest of the path is a part of a date, or a property: no field of a
                # model.
                return None
            raise ValueError(f"Invalid field {path!r} in {here._name!r}")
        if SECRET_NAMES.search(name):
            _refuse(model, path)
        here._check_field_access(field, "read")
        more = position + 1 < len(names)
        if field.type in ("date", "datetime", "properties") and more:
            return None
        here = here.env[field.comodel_name] if field.relational else None
        if here is not None and more:
            _check_open(model, here._name, path)
            here.check_access("read")
    return here


def _check_open(model, name, path):
    if name in CLOSED_MODELS or name.startswith(CLOSED_PREFIXES):
        _refuse(model, path)


def _refuse(model, path):
    raise AccessError(
        model.env._("A condition does not ask about %(field)s.", field=path)
    )
