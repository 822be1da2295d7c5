# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""How a message calls its recipient, and its file."""

from unittest.mock import patch

from lxml import etree

from odoo.tests import tagged
from odoo.tools import file_path

from odoo.addons.account.models import account_move

from ..models.accounting.account_move import CORE_PRINT_NAME
from .lifecycle_common import LifecycleCommon


@tagged("post_install", "-at_install")
class TestSaidNames(LifecycleCommon):
    """Reported as odoo/odoo#209489 and #232819: addresses need no name of their own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.acme = cls._make_customer("Acme SL", "+34600000010", is_company=True)

    def make_address(self, **values):
        return self.env["res.partner"].create(
            {
                "name": False,
                "type": "invoice",
                "parent_id": self.acme.id,
                "phone": "+34600000011",
                "wab_enabled": True,
                **values,
            }
        )

    def greeting(self, partner):
        (message,) = self.send(self._make_invoice(partner))
        self.assertEqual((message.state, message.reason), ("queued", False))
        self.assertEqual(message.partner_id, partner)
        return message.content["body"][0]

    def test_address_without_a_name_is_called_as_its_company(self):
        for kind in ("invoice", "delivery", "other"):
            address = self.make_address(type=kind)
            self.assertEqual(self.greeting(address), "Acme SL", kind)

    def test_names_that_say_nothing(self):
        for name in (" ", " \t\n ", "…", "\U0001f338", "--"):
            self.assertEqual(self.greeting(self.make_address(name=name)), "Acme SL")

    def test_name_on_several_lines_is_one_line(self):
        address = self.make_address(name="Acme\tSL\n Facturas  ")
        self.assertEqual(self.greeting(address), "Acme SL Facturas")

    def test_endless_name_leaves_room_for_the_text(self):
        said = self.greeting(self.make_address(name="Ana " * 400))
        self.assertLessEqual(len(said), 80)
        self.assertTrue(said.startswith("Ana Ana"))

    def test_emoji_is_a_name_where_there_is_no_other(self):
        flower = self._make_customer("\U0001f338", "+34600000014")
        self.assertEqual(self.greeting(flower), "\U0001f338")

    def test_nobody_s_address_is_called_customer(self):
        lonely = self.make_address(parent_id=False, type="other")
        self.assertEqual(self.greeting(lonely), "customer")

    def test_customer_on_the_document_is_called_the_same(self):
        address = self.make_address()
        template = self.templates["invoice"]
        variable = template.sudo().variable_ids.filtered(
            lambda v: v.field_path == "recipient.name"
        )
        for path in ("partner_id.name", "partner_id", "partner_id.display_name"):
            variable.field_path = path
            self.assertEqual(self.greeting(address), "Acme SL", path)


@tagged("post_install", "-at_install")
class TestFileNames(LifecycleCommon):
    """Reported as odoo/odoo#219279 and #271489: the report's own name was ignored."""

    PRINTED = "'Factura %s %s' % (object.name, object.partner_id.name)"

    def setUp(self):
        super().setUp()
        self.accept_everything()
        self.report = self.env.ref("account.account_invoices")
        self.report.print_report_name = self.PRINTED
        self.partner.name = "Ana Perez & Hijos / Sur"

    def make_pdf(self, move):
        """Make the attachment as Odoo's own sending names it."""
        self.attach_pdf(move)
        move.sudo().invoice_pdf_report_id.name = move._get_invoice_report_filename(
            report=self.env["account.move.send"]._get_default_pdf_report_id(move)
        )
        return move.sudo().invoice_pdf_report_id

    def preview(self, move):
        wizard = self.env["account.move.send.wizard"].with_user(self.clerk)
        wizard = wizard.create({"move_id": move.id})
        return wizard.wab_preview_html

    def phone_names(self):
        return [
            part["parameters"][0]["document"]["filename"]
            for call in self.sent_calls()
            for part in call.json["template"]["components"]
            if part["type"] == "header"
        ]

    def test_first_and_later_sendings_carry_the_report_s_name(self):
        self.patch(type(self.env["account.move"]), "_wab_make_file", self.make_pdf_of())
        move = self._make_invoice()
        number = move.name.replace("/", "_")
        expected = f"Factura {number} Ana Perez & Hijos _ Sur.pdf"
        self.assertIn("Ana Perez &amp; Hijos _ Sur.pdf", self.preview(move))
        message = self.send(move)
        self.assertEqual(message.filename, expected)
        self.run_cron()
        self.drain()
        second = self.send(move, key="again")
        self.drain()
        self.assertEqual(second.state, "sent")
        self.assertEqual(self.phone_names(), [expected, expected])
        self.assertEqual(move.invoice_pdf_report_id.name, expected)
        self.assertIn("Ana Perez &amp; Hijos _ Sur.pdf", self.preview(move))

    def make_pdf_of(self):
        make_pdf = self.make_pdf

        def make(move):
            return make_pdf(move)

        return make

    def test_odoo_s_own_name_is_not_evaluated_for_each(self):
        self.report.print_report_name = CORE_PRINT_NAME
        move = self._make_invoice()
        expected = move._get_invoice_report_filename(report=self.report)
        with patch.object(account_move, "safe_eval", side_effect=AssertionError):
            self.assertEqual(self.send(move).filename, expected)

    def test_odoo_s_reports_have_the_name_that_is_not_evaluated(self):
        """Read as installed: another release may say it in another way."""
        path = file_path("account/views/account_report.xml")
        names = etree.parse(path).xpath(
            "//record[@id='account_invoices']/field[@name='print_report_name']/text()"
        )
        self.assertEqual(names, [CORE_PRINT_NAME])

    def test_another_module_s_name_goes_before_odoo_s(self):
        self.report.print_report_name = CORE_PRINT_NAME
        for name, result, expected in (
            ("_get_report_base_filename", "Rechnung 1/2", "Rechnung 1_2.pdf"),
            ("_get_invoice_report_filename", "e-Rechnung.pdf", "e-Rechnung.pdf"),
        ):
            self.startPatcher(
                patch.object(
                    self.env.registry["account.move"],
                    name,
                    lambda *_args, r=result, **_options: r,
                )
            )
            self.assertEqual(self.send(self._make_invoice()).filename, expected)

    def test_report_without_a_printed_name_uses_the_number(self):
        self.report.print_report_name = False
        move = self._make_invoice()
        message = self.send(move)
        self.assertEqual(message.filename, f"{move.name.replace('/', '_')}.pdf")

    def test_printed_name_with_a_fault_does_not_stop_sending(self):
        self.report.print_report_name = "object.no_such_field"
        message = self.send(self._make_invoice())
        self.assertEqual(message.state, "queued")
        self.assertTrue(message.filename.endswith(".pdf"))

    def test_receipt_has_its_report_s_name(self):
        report = self.env.ref("account.action_report_payment_receipt")
        report.print_report_name = "'Recibo %s' % object.name"
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.partner.id,
                "amount": 40.0,
            }
        )
        payment.action_post()
        (result,) = payment.with_user(self.clerk).wab_send_receipt()
        message = self.messages.browse(result["message_id"])
        expected = f"Recibo {payment.name.replace('/', '_')}.pdf"
        self.assertEqual(message.filename, expected)
