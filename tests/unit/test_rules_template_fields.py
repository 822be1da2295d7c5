# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Which fields may be named in a message, whoever asks."""

import pytest

from rules.template_fields import is_private_model, is_public

TOLD = [
    ("account.move", "name"),
    ("account.move", "amount_total"),
    ("account.move", "narration_of_a_module"),
    ("project.task", "stage_id"),
    ("res.partner", "credit_warning_text"),
]
LED_TO = [
    ("res.partner", "name"),
    ("res.partner", "vat"),
    ("res.company", "phone"),
    ("res.currency", "symbol"),
    ("res.users", "name"),
    ("res.country", "code"),
    ("res.partner.bank", "acc_number"),
    ("crm.team", "name"),
]
NEVER = [
    ("res.users", "totp_secret"),
    ("res.users", "login"),
    ("res.users", "partner_id"),
    ("ir.config_parameter", "value"),
    ("ir.mail_server", "smtp_user"),
    ("ir.attachment", "name"),
    ("whatsapp.billing.account", "webhook_token"),
    ("whatsapp.billing.account", "name"),
    ("payment.provider", "stripe_publishable"),
    ("account.move", "access_token"),
    ("res.partner", "signup_token"),
    ("res.partner", "api_key"),
    ("iap.account", "account_token"),
    ("auth.oauth.provider", "client_id"),
]


@pytest.mark.parametrize(("model", "name"), TOLD)
def test_plain_fields_of_the_document_itself(model, name):
    assert is_public(model, name, is_document=True)


@pytest.mark.parametrize(("model", "name"), LED_TO)
def test_what_customers_are_told_anyway(model, name):
    assert is_public(model, name, is_document=False)


@pytest.mark.parametrize(("model", "name"), NEVER)
@pytest.mark.parametrize("is_document", [True, False])
def test_what_is_nobodys_business(model, name, is_document):
    assert not is_public(model, name, is_document=is_document)


def test_nothing_of_a_shared_contact_that_depends_on_who_reads_it():
    """As superuser it would be reckoned out of what other companies keep, too."""
    for name in ("days_sales_outstanding", "activity_type_icon"):
        assert is_public("res.partner", name, is_document=True)
        assert not is_public(
            "res.partner", name, is_document=True, depends_on_reader=True
        )
    for model, name in (("res.partner", "contact_address"), ("account.move", "x_due")):
        assert is_public(model, name, is_document=True, depends_on_reader=True)


def test_what_is_sent_is_told_also_where_it_is_a_model_of_ours():
    model = "whatsapp.billing.statement"
    assert not is_public(model, "total", is_document=True)
    assert is_public(model, "total", is_document=True, is_sent=True)
    assert not is_public(model, "total", is_document=False, is_sent=True)
    assert not is_public(model, "access_token", is_document=True, is_sent=True)


def test_nothing_but_a_name_of_what_the_document_leads_to():
    assert not is_public("res.company", "wab_account_id", is_document=False)
    assert not is_public("res.partner", "credit_limit", is_document=False)
    assert not is_public("account.journal", "invoice_reference_type", is_document=False)
    assert is_private_model("whatsapp.billing.webhook.event")
    assert not is_private_model("account.move")
    assert not is_private_model("iron.mine")
