# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What other programs may pass to the public methods, and a sentence for all else.

Arguments come over XML-RPC and JSON as whatever a caller's language made of them. A
wrong one is the caller's mistake: it is told in words, before anything is read.
"""

from odoo.exceptions import UserError
from odoo.models import BaseModel

MAX_ID = 2**31 - 1
MAX_KEY = 64
MAX_REFERENCE = 255


def is_absent(value):
    """Tell whether an argument was left out; XML-RPC has no null."""
    return value is None or value is False or value == ""


def is_id(value):
    return (
        isinstance(value, int)
        and not isinstance(value, bool)
        and 0 < value <= MAX_ID
    )


def is_text(value, longest):
    """Tell whether this is a text that the database can keep."""
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        return False
    return "\0" not in value and _is_encodable(value)


def _is_encodable(value):
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_records(records):
    """Refuse what `browse` takes and the database does not.

    :raise UserError: with a sentence for the caller
    """
    if not all(is_id(record_id) for record_id in records._ids):
        raise UserError(records.env._("The ids of records are whole numbers above 0."))


def check_key(env, key):
    """Return the key, "" where none was given."""
    if is_absent(key):
        return ""
    if not is_text(key, MAX_KEY):
        raise UserError(
            env._("A key is a text of at most %(n)s characters.", n=MAX_KEY)
        )
    return key


def check_template(env, template):
    """Return the reference to a template, False where none was given."""
    if isinstance(template, BaseModel) and template._name == (
        "whatsapp.billing.template"
    ):
        return template
    if is_absent(template):
        return False
    if is_id(template) or is_text(template, MAX_REFERENCE):
        return template
    raise UserError(
        env._(
            "A template is named by its id, its external id, or as name:language,"
            " for example invoice_ready:es."
        )
    )


def check_partners(env, partners, companies):
    """Return the contacts that a caller named, none where none were given.

    :param companies: whose documents go to them
    """
    if isinstance(partners, BaseModel) and partners._name == "res.partner":
        partners = partners.ids
    if is_absent(partners):
        return env["res.partner"]
    if not isinstance(partners, list | tuple) or not all(map(is_id, partners)):
        raise UserError(env._("Partners are a list of the ids of contacts."))
    given = env["res.partner"].browse(dict.fromkeys(partners))
    missing = given - given.exists()
    if missing:
        raise UserError(
            env._(
                "There is no contact with the id %(ids)s.",
                ids=", ".join(map(str, missing.ids)),
            )
        )
    given.check_access("read")
    for partner in given:
        if any(not partner._wab_of_company(company) for company in companies):
            raise UserError(
                env._(
                    "%(name)s is a contact of another company than the document.",
                    name=partner.display_name,
                )
            )
    return given
