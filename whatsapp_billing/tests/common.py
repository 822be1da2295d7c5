# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A company that is connected, people who work in it, and a customer to write to."""

from odoo.fields import Command
from odoo.tests.common import new_test_user

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

from ..clients.testing import FakeTransport, json_response

GRAPH = "https://graph.facebook.com/v25.0"
APP_UID = "100000000000001"
WABA_UID = "200000000000001"
PHONE_UID = "300000000000001"
NUMBER = "+34910000001"
CUSTOMER_NUMBER = "+34600000001"
SECRET = "simulator-app-secret"
TOKEN = "simulator-token"

BODY = "Hello {{1}}, document {{2}} over {{3}} is ready for you."
VARIABLES = [
    ("body", 1, "recipient.name", "text", "Ana"),
    ("body", 2, "name", "text", "INV/1"),
    ("body", 3, "amount_total", "money", "€1"),
]
PAYMENT_VARIABLES = [*VARIABLES[:2], ("body", 3, "amount", "money", "€1")]
PAY_BUTTON = ("button", 1, "wab_pay_link", "text", "my/invoices/1?access_token=x")


class WhatsappBillingCommon(AccountTestInvoicingCommon):
    """One connected account per class; HTTP is answered by `self.transport`."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.company_data["company"]
        cls.company.partner_id.lang = "en_US"
        cls.env["ir.config_parameter"].sudo().set_param(
            "web.base.url", "https://odoo.example.com"
        )
        # One connection for all: a thread would wait for it.
        cls.env["ir.config_parameter"].sudo().set_param(
            "whatsapp_billing.document_threads", "1"
        )
        cls.clerk = cls._make_user("wab_clerk", "account.group_account_invoice")
        cls.manager = cls._make_user(
            "wab_manager",
            "account.group_account_manager,whatsapp_billing.group_manager"
            ",base.group_allow_export",
        )
        cls.account = cls._make_account(cls.company)
        cls.phone = cls.account.phone_ids
        cls.templates = cls._make_templates(cls.account)
        cls.partner = cls._make_customer("Ana Perez", CUSTOMER_NUMBER)

    def setUp(self):
        """Answer no call until a test says what to answer."""
        super().setUp()
        self.transport = FakeTransport()
        self.patch(
            type(self.env["whatsapp.billing.account"]),
            "_make_transport",
            lambda _account, _pool_size: self.transport,
        )

    @classmethod
    def _make_user(cls, login, groups, company=None):
        company = company or cls.company
        return new_test_user(
            cls.env,
            login=login,
            groups=groups,
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )

    @classmethod
    def _make_account(cls, company, waba_uid=WABA_UID, phone_uid=PHONE_UID, **values):
        """Return an account that is connected, with one verified number."""
        account = (
            cls.env["whatsapp.billing.account"]
            .sudo()
            .create(
                {
                    "name": f"WhatsApp of {company.name}",
                    "company_id": company.id,
                    "waba_uid": waba_uid,
                    "app_uid": APP_UID,
                    "access_token": TOKEN,
                    "app_secret": SECRET,
                    **values,
                }
            )
        )
        cls.env["whatsapp.billing.phone"].sudo().create(
            {
                "account_id": account.id,
                "phone_uid": phone_uid,
                "number": NUMBER,
                "verified_name": company.name,
                "is_verified": True,
            }
        )
        cls.env["whatsapp.billing.phone.route"].sudo()._make_defaults(account)
        account.state = "connected"
        company.sudo().wab_account_id = account
        return account

    @classmethod
    def _make_templates(cls, account, lang_code="en"):
        """Return {document type: approved default template}."""
        types = (
            "invoice",
            "credit_note",
            "sales_receipt",
            "payment_receipt",
            "payment_reminder",
        )
        return {kind: cls._make_template(account, kind, lang_code) for kind in types}

    @classmethod
    def _make_template(
        cls, account, document_type, lang_code="en", variables=None, **values
    ):
        """Return an approved template, the default of its kind.

        :param variables: (component, position, path, format, sample) of each, instead
            of the usual ones; then it has no button
        """
        has_link = not variables and document_type in ("invoice", "payment_reminder")
        if not variables:
            is_payment = document_type == "payment_receipt"
            variables = list(PAYMENT_VARIABLES if is_payment else VARIABLES)
        if has_link:
            variables.append(PAY_BUTTON)
        button = {"text": "View and pay", "value": "{base}/{{1}}"}
        template = (
            cls.env["whatsapp.billing.template"]
            .sudo()
            .create(
                {
                    "name": f"{document_type} {lang_code}",
                    "template_name": f"test_{document_type}",
                    "lang_code": lang_code,
                    "account_id": account.id,
                    "document_type": document_type,
                    "header_type": (
                        "none" if document_type == "payment_reminder" else "document"
                    ),
                    "body": BODY,
                    "variable_ids": [
                        Command.create(
                            {
                                "component": component,
                                "position": position,
                                "name": path,
                                "field_path": path,
                                "format": kind,
                                "sample": sample,
                            }
                        )
                        for component, position, path, kind, sample in variables
                    ],
                    "button_ids": [Command.create(button)] if has_link else [],
                    "status": "approved",
                    "raw_status": "APPROVED",
                    "is_default": True,
                    **values,
                }
            )
        )
        template.write(
            {
                "template_uid": str(500000000000000 + template.id),
                "remote_components": template._components(),
            }
        )
        template.button_ids._note_address()
        return template

    @classmethod
    def _make_customer(cls, name, number, lang="en_US", **values):
        """Return a customer with a number who agreed to be written to."""
        return cls.env["res.partner"].create(
            {
                "name": name,
                "phone": number,
                "country_id": cls.env.ref("base.es").id,
                "lang": lang,
                "wab_enabled": True,
                **values,
            }
        )

    @classmethod
    def _make_invoice(
        cls, partner=None, amount=100.0, move_type="out_invoice", **values
    ):
        """Return a posted document of that amount without taxes."""
        return cls.init_invoice(
            move_type,
            partner=partner or cls.partner,
            invoice_date="2026-11-01",
            post=True,
            amounts=[amount],
            company=cls.company,
            **values,
        )

    @staticmethod
    def _answer(data, status=200):
        return json_response(data, status=status)

    @staticmethod
    def _refusal(code, message="No", status=400, **more):
        """Return an error as Meta writes it."""
        error = {"message": message, "type": "OAuthException", "code": code} | more
        return json_response({"error": error}, status=status)
