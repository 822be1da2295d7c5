# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from .common import WhatsappBillingCommon

THEIR_APP = {"app_uid": "100000000000002", "app_secret": "simulator-app-secret-2"}


@tagged("post_install", "-at_install")
class TestMulticompany(WhatsappBillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.setup_other_company()["company"]
        cls.other_manager = cls._make_user(
            "wab_other_manager",
            "account.group_account_manager,whatsapp_billing.group_manager",
            cls.other_company,
        )
        cls.other_account = cls._make_account(
            cls.other_company, "200000000000002", "300000000000003", **THEIR_APP
        )
        cls.other_templates = cls._make_templates(cls.other_account)
        cls.shared = cls.templates["invoice"].copy(
            {"name": "Shared", "template_name": "shared_text", "account_id": False}
        )
        cls.shared.company_id = False
        cls.sides = [
            (cls.manager, cls.company, cls.account),
            (cls.other_manager, cls.other_company, cls.other_account),
        ]
        for _user, company, account in cls.sides:
            cls._fill(company, account)

    @classmethod
    def _fill(cls, company, account):
        """Give a company a message, an event and a consent of its own."""
        cls.env["whatsapp.billing.message"].sudo().create(
            {
                "company_id": company.id,
                "account_id": account.id,
                "phone_id": account.phone_ids.id,
                "partner_id": cls.partner.id,
                "recipient": cls.partner.wab_recipient,
                "body": company.name,
                "attempt_ids": [
                    (0, 0, {"number": 1, "kind": "pace", "outcome": "queued"})
                ],
            }
        )
        cls.env["whatsapp.billing.webhook.event"].sudo().create(
            {
                "account_id": account.id,
                "provider": "meta",
                "body": b"e30=",
                "digest": company.name,
                "app_key": company.name,
            }
        )
        cls.env["whatsapp.billing.consent"].sudo().create(
            {
                "partner_id": cls.partner.id,
                "company_id": company.id,
                "purpose": "marketing",
                "granted": True,
                "source": "user",
                "evidence": company.name,
            }
        )

    def _search(self, model, user, company, domain=()):
        return (
            self.env[model]
            .with_user(user)
            .with_context(allowed_company_ids=company.ids)
            .search(list(domain))
        )

    def test_neither_company_sees_what_is_the_other_s(self):
        for model in (
            "whatsapp.billing.account",
            "whatsapp.billing.phone",
            "whatsapp.billing.phone.route",
            "whatsapp.billing.message",
            "whatsapp.billing.webhook.event",
        ):
            for user, company, _account in self.sides:
                with self.subTest(model=model, company=company.name):
                    found = self._search(model, user, company)
                    self.assertEqual(found.company_id, company)

    def test_consent_of_another_company_is_not_seen(self):
        for user, company, _account in self.sides:
            found = self._search(
                "whatsapp.billing.consent", user, company, [("company_id", "!=", False)]
            )
            self.assertEqual(found.company_id, company)

    def test_attempts_follow_their_message(self):
        for user, company, _account in self.sides:
            found = self._search("whatsapp.billing.message.attempt", user, company)
            self.assertEqual(found.message_id.company_id, company)

    def test_templates_are_seen_by_their_company_and_shared_ones_by_both(self):
        for user, company, account in self.sides:
            found = self._search("whatsapp.billing.template", user, company)
            self.assertIn(self.shared, found)
            self.assertEqual((found - self.shared).account_id, account)

    def test_nothing_goes_from_the_other_s_number_by_a_template_for_all(self):
        """Replies, and a STOP, would reach the company of the number only."""
        theirs = self.other_templates["invoice"]
        theirs.company_id = False
        invoice = self._make_invoice().with_user(self.clerk)
        for named in (theirs.id, f"{theirs.template_name}:en"):
            with self.subTest(named=named):
                [result] = invoice.wab_send(template=named)
                message = (
                    self.env["whatsapp.billing.message"]
                    .sudo()
                    .browse(result["message_id"])
                )
                self.assertNotEqual(message.account_id, self.other_account)
                self.assertNotEqual(message.phone_id, self.other_account.phone_ids)
        [result] = invoice.wab_send(template=theirs.id)
        self.assertEqual(result["state"], "canceled")
        composer = (
            self.env["whatsapp.billing.compose"]
            .with_user(self.clerk)
            .create({"res_model": "account.move", "res_ids": invoice.ids})
        )
        self.assertNotIn(theirs, composer.allowed_template_ids)
        self.assertIn(self.templates["invoice"], composer.allowed_template_ids)
        with self.assertRaises(ValidationError):
            self.company.sudo().wab_account_id = self.other_account

    def test_what_a_contact_has_in_each_company_is_said_by_the_document_s(self):
        """Wherever the user works, or the cron: terms, say, are a company's own."""
        for company, name in ((self.company, "Ours"), (self.other_company, "Theirs")):
            term = self.env["account.payment.term"].create(
                {"name": name, "company_id": company.id}
            )
            self.partner.with_company(company).property_payment_term_id = term
        invoice = self._make_invoice()
        template = self.templates["payment_reminder"]
        path = "partner_id.property_payment_term_id"
        second = template.variable_ids.filtered(
            lambda v: (v.component, v.position) == ("body", 2)
        )
        second.field_path = path
        companies = self.company | self.other_company
        self.manager.company_ids = companies
        for first in companies:
            allowed = [first.id, *(companies - first).ids]
            mine = template.with_user(self.manager).with_context(
                allowed_company_ids=allowed
            )
            with self.subTest(works_in=first.name):
                self.env.invalidate_all()
                rendered = mine.sudo()._render_values(
                    invoice.with_env(mine.env), {invoice.id: self.partner}
                )
                text = rendered[invoice.id, self.partner.id]["text"]
                self.assertIn("Ours", text)
                self.assertNotIn("Theirs", text)
                mine.preview_res_id = invoice.id
                self.assertIn("Ours", mine.preview_html)
                self.assertNotIn("Theirs", mine.preview_html)

    def test_a_branch_knows_the_contacts_that_it_writes_to(self):
        """What it may send to a contact of its parent, that contact may answer."""
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        contacts = self.env["res.partner"]
        for company, is_known in (
            (self.company, {branch, self.company}),
            (branch, {branch}),
            (self.other_company, {self.other_company}),
        ):
            number = f"+3460000{7000 + company.id % 1000:04}"
            mine = self._make_customer("Theirs", number, company_id=company.id)
            for asked in (self.company, branch, self.other_company):
                with self.subTest(of=company.name, asked=asked.name):
                    found = contacts._wab_find_by_number(number, asked)
                    self.assertEqual(mine in found, asked in is_known)
                    self.assertEqual(bool(mine._wab_of_company(asked)), mine in found)

    def test_a_branch_writes_from_its_own_number_to_contacts_of_its_parent(self):
        """Its people have no rights in the parent, and spend none of its money."""
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        user = self._make_user(
            "wab_branch", "account.group_account_invoice", company=branch
        )
        self.partner.company_id = self.company
        self.partner.with_company(branch).wab_enabled = True
        partner = self.partner.with_user(user)
        mine = {"is_default": False, "header_type": "none", "variable_ids": []}
        mine |= {"body": "Hello", "template_name": "test_hello"}
        theirs = self._make_template(self.account, "customer_message", **mine)
        messages = self.env["whatsapp.billing.message"].sudo()

        def send(template):
            [result] = partner.wab_send(template=template)
            return messages.browse(result["message_id"])

        for named in (theirs.id, "test_hello:en"):
            with self.subTest(named=named):
                self.assertRecordValues(
                    send(named),
                    [
                        {
                            "company_id": branch.id,
                            "account_id": False,
                            "state": "canceled",
                            "reason": "no_template",
                        }
                    ],
                )
        account = self._make_account(branch, "200000000000009", "300000000000009")
        own = self._make_template(account, "customer_message", **mine)
        composer = (
            self.env["whatsapp.billing.compose"]
            .with_user(user)
            .create({"res_model": "res.partner", "res_ids": partner.ids})
        )
        self.assertEqual(composer.allowed_template_ids, own)
        for named in (own.id, "test_hello:en"):
            with self.subTest(named=named):
                self.assertRecordValues(
                    send(named),
                    [
                        {
                            "company_id": branch.id,
                            "account_id": account.id,
                            "state": "queued",
                        }
                    ],
                )

    def test_reading_the_other_s_message_is_refused(self):
        theirs = (
            self.env["whatsapp.billing.message"]
            .sudo()
            .search([("company_id", "=", self.other_company.id)])
        )
        with self.assertRaises(AccessError):
            theirs.with_user(self.manager).read(["body"])
        with self.assertRaises(AccessError):
            theirs.with_user(self.manager).action_retry()

    def test_invoice_goes_from_its_own_company_s_number(self):
        invoice = self._make_invoice()
        invoice.with_user(self.clerk).wab_send()
        self.assertEqual(invoice.sudo().wab_message_ids.account_id, self.account)

    def test_settings_offer_only_the_company_s_own_account(self):
        for _user, company, account in self.sides:
            administrator = self._make_user(
                f"wab_administrator_{company.id}",
                "base.group_system,whatsapp_billing.group_manager",
                company,
            )
            settings = (
                self.env["res.config.settings"].with_user(administrator).create({})
            )
            self.assertEqual(settings.wab_account_id, account)
            self.assertEqual(settings.wab_template_ids.account_id, account)
