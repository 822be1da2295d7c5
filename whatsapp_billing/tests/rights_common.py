# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The people whose rights are asked: of two companies that share a contact."""

from odoo.fields import Command
from odoo.tests.common import new_test_user

from .common import WhatsappBillingCommon

THEIR_APP = {"app_uid": "100000000000002", "app_secret": "simulator-app-secret-2"}
STAFF = "base.group_user,base.group_allow_export"
INVOICING = f"{STAFF},account.group_account_invoice"
AGENT = "whatsapp_billing.group_agent"
MANAGER = "whatsapp_billing.group_manager"
# A manager and an agent of ours as they are hired: with the accounting that they need.
GROUPS = {
    "portal": "base.group_portal",
    "internal": STAFF,
    "sender": f"{STAFF},whatsapp_billing.group_user",
    "clerk": INVOICING,
    "agent": f"{INVOICING},{AGENT}",
    "manager": f"{INVOICING},{MANAGER}",
    "accountant": f"{STAFF},account.group_account_manager",
}


class RightsCommon(WhatsappBillingCommon):
    """`self.users[name]` works in our company, `self.users["other_" + name]` in theirs.

    `self.administrator` configures both; `self.partner` is a customer of both.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.setup_other_company()["company"]
        cls.other_account = cls._make_account(
            cls.other_company, "200000000000002", "300000000000003", **THEIR_APP
        )
        cls.other_templates = cls._make_templates(cls.other_account)
        cls.users = {}
        for prefix, company in (("", cls.company), ("other_", cls.other_company)):
            for name, groups in GROUPS.items():
                cls.users[prefix + name] = cls._make_user(
                    f"rights_{prefix}{name}", groups, company
                )
        cls.administrator = new_test_user(
            cls.env,
            login="rights_administrator",
            groups=f"base.group_system,account.group_account_manager,{MANAGER}",
            company_id=cls.company.id,
            company_ids=[Command.set((cls.company | cls.other_company).ids)],
        )
        cls.invoice = cls._make_invoice()
        cls.other_invoice = cls.init_invoice(
            "out_invoice",
            partner=cls.partner,
            invoice_date="2026-11-01",
            post=True,
            amounts=[250.0],
            company=cls.other_company,
        )

    @classmethod
    def _as(cls, records, name):
        """Return records as one of the users sees them, in that user's company."""
        user = cls.users.get(name) or cls.administrator
        return records.with_user(user).with_context(
            allowed_company_ids=user.company_ids.ids
        )

    @classmethod
    def _make_message(cls, **values):
        """Return a message of our company, by the system."""
        company = values.pop("company", cls.company)
        account = cls.account if company == cls.company else cls.other_account
        return (
            cls.env["whatsapp.billing.message"]
            .sudo()
            .create(
                {
                    "company_id": company.id,
                    "account_id": account.id,
                    "phone_id": account.phone_ids.id,
                    "recipient": cls.partner.wab_recipient,
                    "body": "A text",
                    **values,
                }
            )
        )
