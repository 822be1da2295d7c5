# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What templates are offered for, and to whom: customers or vendors."""

from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .lifecycle_common import LifecycleCommon

VARIABLE = {
    "component": "body",
    "position": 1,
    "name": "Name",
    "field_path": "recipient.name",
    "sample": "Ana",
}
NOT_SENT_HERE = (
    "quotation",
    "sales_order",
    "customer_statement",
    "vendor_statement",
    "retainer_invoice",
)


@tagged("post_install", "-at_install")
class TestTemplateAudience(LifecycleCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vendor = cls._make_customer("Vera Vendor", "+34600000055", supplier_rank=1)
        cls.both = cls._make_customer(
            "Bo Both", "+34600000056", supplier_rank=1, customer_rank=1
        )
        cls.to_vendors = cls.make_message("vendor_message")
        cls.to_customers = cls.make_message("customer_message")
        cls.second = cls.phone.copy(
            {
                "phone_uid": "300000000000002",
                "number": "+34910000002",
                "is_verified": True,
                "status": "CONNECTED",
            }
        )
        routes = cls.env["whatsapp.billing.phone.route"].sudo().search(
            [("company_id", "=", cls.company.id), ("audience", "=", "vendor")]
        )
        routes.phone_id = cls.second

    @classmethod
    def make_message(cls, kind, **values):
        return cls._make_template(
            cls.account,
            kind,
            header_type="none",
            body="Hello {{1}}, please call us.",
            variable_ids=[Command.create(VARIABLE)],
            **values,
        )

    def send_to(self, partner, template):
        (result,) = partner.with_user(self.clerk).wab_send(template.id)
        return self.messages.browse(result["message_id"])

    # --- what is offered ------------------------------------------------------------------

    def test_only_what_some_module_sends_is_offered(self):
        templates = self.env["whatsapp.billing.template"].with_user(self.manager)
        offered = dict(
            templates.fields_get(["document_type"])["document_type"]["selection"]
        )
        self.assertLessEqual(
            {"invoice", "credit_note", "payment_receipt", "vendor_message"},
            set(offered),
        )
        for kind in NOT_SENT_HERE:
            if kind not in templates._get_models_by_type():
                self.assertNotIn(kind, offered)
                with self.assertRaises(ValidationError):
                    templates.create(
                        {"name": "X", "body": "Hello there", "document_type": kind}
                    )
        self.assertNotIn(
            "Quotation",
            self.env["res.config.settings"].sudo().create({}).wab_missing_templates
            or "",
        )

    def test_every_offered_type_has_a_model_that_sends_it(self):
        templates = self.env["whatsapp.billing.template"]
        for kind, _label in templates._get_document_types():
            template = templates.new({"document_type": kind})
            self.assertIn(kind, self.env[template.model]._wab_document_types())

    # --- to vendors -----------------------------------------------------------------------

    def test_a_vendor_is_written_to_from_the_vendors_number(self):
        message = self.send_to(self.vendor, self.to_vendors)
        self.assertRecordValues(
            message,
            [
                {
                    "state": "queued",
                    "audience": "vendor",
                    "document_type": "vendor_message",
                    "phone_id": self.second.id,
                }
            ],
        )
        found = self.messages.search(
            [("audience", "=", "vendor"), ("partner_id", "=", self.vendor.id)]
        )
        self.assertEqual(found, message)

    def test_who_is_both_gets_what_the_template_is_for(self):
        for template, audience, phone in (
            (self.to_vendors, "vendor", self.second),
            (self.to_customers, "customer", self.phone),
        ):
            message = self.send_to(self.both, template)
            self.assertRecordValues(
                message,
                [
                    {
                        "state": "queued",
                        "audience": audience,
                        "document_type": f"{audience}_message",
                        "phone_id": phone.id,
                    }
                ],
            )

    def test_a_template_for_one_side_does_not_go_to_the_other(self):
        for partner, template in (
            (self.vendor, self.to_customers),
            (self.partner, self.to_vendors),
        ):
            message = self.send_to(partner, template)
            self.assertEqual(message.reason, "wrong_document_type")

    def test_vendors_get_no_offers(self):
        offer = self.make_message(
            "vendor_message",
            category="marketing",
            template_name="offer",
            is_default=False,
        )
        self.env["whatsapp.billing.consent"].sudo()._record(
            self.vendor,
            ["marketing"],
            True,
            "user",
            "At the fair",
            company_id=self.company.id,
        )
        message = self.send_to(self.vendor, offer)
        self.assertEqual(message.reason, "template_unsupported")
        self.assertIn("Vendors", message.trace[-1]["value"])

    # --- offers ---------------------------------------------------------------------------

    def allow_offers(self):
        self.partner.wab_opt_in("marketing", "At the fair")

    def test_an_offer_needs_its_own_consent_however_it_is_sent(self):
        """Also about an invoice, by a template that is for nothing; a bill is none."""
        invoice = self._make_invoice()
        offers = {
            kind: self.make_message(
                kind,
                category="marketing",
                template_name=f"offer_{kind or 'any'}".lower(),
                is_default=False,
            )
            for kind in ("customer_message", False)
        }
        for records, template in (
            (self.partner, offers["customer_message"]),
            (self.partner, offers[False]),
            (invoice, offers[False]),
        ):
            for is_allowed in (False, True):
                if is_allowed:
                    savepoint = self.env.cr.savepoint()
                    self.allow_offers()
                message = self.send(records, template=template.id)
                with self.subTest(about=records, to=template.name, allowed=is_allowed):
                    self.assertEqual(message.purpose, "marketing")
                    reason = False if is_allowed else "not_opted_in"
                    self.assertEqual(message.reason, reason)
                if is_allowed:
                    savepoint.close(rollback=True)
                    self.env.invalidate_all()
        bill = self.templates["invoice"].sudo()
        bill.category = "marketing"
        message = self.send(self.make_invoice_with_pdf(), template=bill.id)
        self.assertEqual((message.state, message.purpose), ("queued", "billing"))

    def test_what_became_an_offer_while_it_waited_asks_for_that_consent(self):
        self.accept_everything()
        for is_allowed in (False, True):
            self.to_customers.sudo().category = "utility"
            message = self.send_to(self.partner, self.to_customers)
            self.assertEqual(message.state, "queued")
            bill = self.send(self.make_invoice_with_pdf())
            (self.to_customers | bill.template_id).sudo().category = "marketing"
            if is_allowed:
                self.allow_offers()
            self.drain()
            with self.subTest(allowed=is_allowed):
                reason = (message.state, message.reason)
                refused = ("canceled", "not_opted_in")
                self.assertEqual(reason, ("sent", False) if is_allowed else refused)
                self.assertEqual(bill.state, "sent")

    def test_the_composer_offers_vendors_their_templates(self):
        action = self.vendor.with_user(self.clerk).action_wab_compose()
        wizard = (
            self.env["whatsapp.billing.compose"]
            .with_user(self.clerk)
            .browse(action["res_id"])
        )
        self.assertIn(self.to_vendors, wizard.allowed_template_ids)
        self.assertNotIn(self.to_customers, wizard.allowed_template_ids)
        wizard.template_id = self.to_vendors
        wizard.action_send()
        message = self.messages.search([("partner_id", "=", self.vendor.id)])
        self.assertEqual(message.audience, "vendor")

    def test_the_composer_says_where_templates_are_made(self):
        (self.to_customers | self.to_vendors).sudo().status = "draft"
        for user, has_button in ((self.manager, True), (self.clerk, False)):
            action = self.partner.with_user(user).action_wab_compose()
            wizard = (
                self.env["whatsapp.billing.compose"]
                .with_user(user)
                .browse(action["res_id"])
            )
            alert = wizard.alerts["no_template"]
            self.assertIn("no approved template", alert["message"])
            self.assertEqual("action" in alert, has_button)

    def test_invoices_go_to_customers(self):
        message = self.send(self._make_invoice(self.both))
        self.assertEqual(message.audience, "customer")
        self.assertEqual(message.phone_id, self.phone)
