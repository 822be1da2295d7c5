# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.tests import tagged

from .common import WhatsappBillingCommon


@tagged("post_install", "-at_install")
class TestTemplateRender(WhatsappBillingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls.templates["invoice"].with_user(cls.clerk)

    def _render(self, template, records, partners=None):
        recipients = {record.id: partners or record.partner_id for record in records}
        return template._render_values(records, recipients)

    def _render_one(self, template, record):
        return self._render(template, record)[record.id, record.partner_id.id]

    def test_values_come_from_document_and_recipient(self):
        invoice = self._make_invoice(amount=1234.5)
        values = self._render_one(self.template, invoice)
        self.assertIsNone(values["problem"])
        self.assertIsNone(values["header"])
        self.assertEqual(values["body"][:2], ["Ana Perez", invoice.name])
        self.assertIn("1,234.50", values["body"][2])
        self.assertEqual(
            values["text"],
            f"Hello Ana Perez, document {invoice.name} over {values['body'][2]}"
            " is ready for you.",
        )
        self.assertEqual(
            values["buttons"],
            [
                [
                    0,
                    "url",
                    f"my/invoices/{invoice.id}?access_token={invoice.access_token}",
                ]
            ],
        )

    def test_each_recipient_is_addressed(self):
        invoice = self._make_invoice()
        other = self._make_customer("Bea", "+34600000002")
        values = self._render(self.template, invoice, self.partner | other)
        self.assertEqual(values[invoice.id, other.id]["body"][0], "Bea")
        self.assertEqual(values[invoice.id, self.partner.id]["body"][0], "Ana Perez")

    def test_language_of_the_template_decides_the_format(self):
        invoice = self._make_invoice(amount=1234.5)
        spanish = self._make_template(self.account, "invoice", "es")
        values = self._render_one(spanish, invoice)
        self.assertIn("1234,50", values["body"][2].replace(".", ""))

    def test_installed_language_of_the_recipient_is_preferred(self):
        self.env["res.lang"]._activate_lang("es_ES")
        self.env["res.lang"]._activate_lang("es_MX")
        spanish = self._make_template(self.account, "invoice", "es")
        installed = [code for code, _name in self.env["res.lang"].get_installed()]
        self.assertEqual(spanish._get_odoo_lang("es_MX", installed), "es_MX")
        self.assertIn(spanish._get_odoo_lang("en_US", installed), ("es_ES", "es_MX"))
        brazilian = spanish.copy({"lang_code": "pt_BR"})
        self.assertEqual(brazilian._get_odoo_lang("es_ES", installed), "")

    def test_dates_and_selections_are_words(self):
        invoice = self._make_invoice()
        variables = self.template.sudo().variable_ids
        name = variables.filtered(lambda v: v.field_path == "name")
        name.write({"field_path": "invoice_date_due", "format": "date"})
        amount = variables.filtered(lambda v: v.field_path == "amount_total")
        amount.write({"field_path": "state", "format": "text"})
        values = self._render_one(self.template, invoice)
        due = invoice.invoice_date_due.strftime("%m/%d/%Y")
        self.assertEqual(values["body"][1], due)
        self.assertEqual(values["body"][2], "Posted")

    def test_values_are_cleaned(self):
        invoice = self._make_invoice(self._make_customer("A\n\tB", "+34600000003"))
        values = self._render_one(self.template, invoice)
        self.assertEqual(values["body"][0], "A B")

    def test_an_address_without_a_name_is_called_as_its_company(self):
        """From odoo/odoo#209489, #232819; OCA/l10n-spain#4131."""
        company = self._make_customer("Acme SL", "+34600000010", is_company=True)
        for kind in ("invoice", "delivery", "other"):
            address = self._make_customer(
                False, "+34600000011", type=kind, parent_id=company.id
            )
            invoice = self._make_invoice(address)
            variables = self.template.sudo().variable_ids
            number = variables.filtered(lambda v: (v.component, v.position) == ("body", 2))
            for path in ("partner_id.name", "partner_id", "partner_id.display_name"):
                number.field_path = path
                values = self._render_one(self.template, invoice)
                self.assertIsNone(values["problem"], (kind, path))
                self.assertEqual(values["body"][:2], ["Acme SL", "Acme SL"])
        number.field_path = "name"
        named = self._make_customer("Eva", "+34600000012", parent_id=company.id)
        values = self._render_one(self.template, self._make_invoice(named))
        self.assertEqual(values["body"][0], "Eva")

    def test_empty_value_is_a_problem_of_that_document_alone(self):
        variables = self.template.sudo().variable_ids
        variables.filtered(lambda v: v.field_path == "name").field_path = "ref"
        invoice, other = self._make_invoice(), self._make_invoice()
        other.ref = "PO1"
        values = self._render(self.template, invoice + other)
        self.assertIn("{{2}}", values[invoice.id, self.partner.id]["problem"])
        self.assertIsNone(values[other.id, self.partner.id]["problem"])

    def test_variable_without_field_is_a_problem(self):
        self.template.sudo().variable_ids[0].field_path = False
        self.assertTrue(
            self._render_one(self.template, self._make_invoice())["problem"]
        )

    def test_approved_parts_decide_what_is_given(self):
        template = self.template.sudo()
        template.remote_components = [{"type": "BODY", "text": "Only {{1}} here."}]
        values = self._render_one(self.template, self._make_invoice())
        self.assertTrue(values["problem"])
        self.assertEqual(values["buttons"], [])

    def test_receipts_have_no_page(self):
        variables = self.template.sudo().variable_ids
        payment = self.env["account.payment"].create(
            {"partner_id": self.partner.id, "amount": 12.0}
        )
        template = self.templates["payment_receipt"].with_user(self.clerk)
        values = self._render_one(template, payment)
        self.assertIn("12.00", values["body"][2])
        self.assertEqual(values["buttons"], [])
        self.assertTrue(variables)

    def test_thousands_take_no_more_queries_than_a_few(self):
        invoices = self.env["account.move"]
        for _turn in range(3):
            invoices += self._make_invoice()
        many = invoices
        for _turn in range(9):
            many += self._make_invoice()
        counts = []
        for records in (invoices, many):
            self.env.flush_all()
            records.sudo().write({"access_token": False})
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            values = self._render(self.template, records)
            counts.append(self.env.cr.sql_log_count - before)
            self.assertTrue(all(v["buttons"][0][2] for v in values.values()))
        self.assertLessEqual(counts[1], counts[0] + 1)
