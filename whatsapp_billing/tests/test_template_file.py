# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Whose file goes with a message: its own document's, or none."""

from odoo.fields import Command
from odoo.tests import tagged

from ..models.common.send_request import SendRequest
from .lifecycle_common import LifecycleCommon


@tagged("post_install", "-at_install")
class TestTemplateFile(LifecycleCommon):
    """The receipt of payment 45 once went to contact 45."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.with_document = cls._make_template(
            cls.account,
            "customer_message",
            template_name="news_with_document",
            header_type="document",
            body="Hello {{1}}, we open at 8.",
            variable_ids=[
                Command.create(
                    {
                        "component": "body",
                        "position": 1,
                        "name": "Name",
                        "field_path": "recipient.name",
                        "sample": "Ana",
                    }
                )
            ],
        )

    def make_payment_with_id(self, record_id):
        """Return somebody else's payment that has the id of a contact."""
        self.env.cr.execute(
            "SELECT setval('account_payment_id_seq', %s)", [record_id - 1]
        )
        payment = self.env["account.payment"].create(
            {
                "partner_id": self._make_customer("Secret", "+34600000077").id,
                "amount": 1234.56,
            }
        )
        self.assertEqual(payment.id, record_id)
        return payment

    def files_of(self, record):
        return self.env["ir.attachment"].search(
            [("res_model", "=", record._name), ("res_id", "=", record.id)]
        )

    def check_refused(self, result):
        self.assertEqual(result["reason"], "template_unsupported")
        self.assertIn("PDF", result["detail"])
        message = self.messages.browse(result["message_id"])
        self.assertEqual(message.state, "canceled")
        self.accept_everything()
        self.run_cron()
        self.drain()
        self.assertFalse(self.transport.calls)
        self.assertFalse(message.attachment_id)

    def test_a_contact_gets_no_payments_receipt(self):
        payment = self.make_payment_with_id(self.partner.id)
        (result,) = self.partner.with_user(self.clerk).wab_send(self.with_document.id)
        self.check_refused(result)
        self.assertFalse(self.files_of(self.partner))
        self.assertFalse(self.files_of(payment))

    def test_nor_with_a_template_that_says_nothing_of_what_it_is_for(self):
        self.make_payment_with_id(self.partner.id)
        self.with_document.write({"document_type": False, "is_default": False})
        (result,) = self.partner.with_user(self.clerk).wab_send(self.with_document.id)
        self.check_refused(result)

    def test_nor_does_a_message_about_an_invoice_or_any_other_record(self):
        for record in (self._make_invoice(), self.env.ref("base.es")):
            send_request = SendRequest(
                "automation", template=self.with_document.id, is_note=True
            )
            (result,) = self.messages.with_user(self.clerk)._enqueue(
                record.with_user(self.clerk),
                {record.id: self.partner},
                {record.id: "customer_message"},
                send_request,
            )
            self.check_refused(result)

    def test_a_payment_to_a_vendor_has_no_receipt_for_customers(self):
        payment = self.env["account.payment"].create(
            {
                "partner_id": self.partner.id,
                "amount": 5.0,
                "payment_type": "outbound",
                "partner_type": "supplier",
            }
        )
        payment.action_post()
        self.with_document.write({"document_type": False, "is_default": False})
        (result,) = payment.with_user(self.clerk).wab_send_receipt(
            self.with_document.id
        )
        self.check_refused(result)

    def make_waiting(self, state):
        """Return a queued message to a contact that asks for a file, as of old."""
        self.with_document.header_type = "none"
        (result,) = self.partner.with_user(self.clerk).wab_send(self.with_document.id)
        self.assertFalse(result["reason"])
        message = self.messages.browse(result["message_id"])
        message.write(
            {
                "document_state": state,
                "content": message.content | {"header": {"kind": "document"}},
            }
        )
        return message

    def test_what_waits_for_such_a_file_is_cancelled_and_nothing_is_made(self):
        self.make_payment_with_id(self.partner.id)
        message = self.make_waiting("pending")
        self.run_cron()
        self.assertRecordValues(
            message,
            [{"state": "canceled", "reason": "template_unsupported"}],
        )
        self.assertEqual(message.trace[-1]["rule"], "template_supported")
        self.assertFalse(self.files_of(self.partner))

    def test_what_is_ready_is_asked_again_before_the_call(self):
        message = self.make_waiting("none")
        self.accept_everything()
        self.drain()
        self.assertRecordValues(
            message, [{"state": "canceled", "reason": "template_unsupported"}]
        )
        self.assertFalse(self.sent_calls())

    def test_documents_of_a_module_that_is_gone_keep_no_others_waiting(self):
        gone = self.make_waiting("pending")
        gone.res_model = "no.such.model"
        message = self.send(self._make_invoice())
        self.patch(
            type(self.env["account.move"]),
            "_wab_make_file",
            lambda move: self.attach_pdf(move) or move.invoice_pdf_report_id,
        )
        self.accept_everything()
        self.run_cron()
        self.drain()
        self.assertEqual(gone.state, "canceled")
        self.assertEqual(message.state, "sent")

    def test_the_check_names_it_and_nothing_is_submitted(self):
        template = self.with_document.copy().with_user(self.manager)
        self.assertIn(
            ("header_without_file", "error"),
            [(p["code"], p["severity"]) for p in template.problems or []],
        )
        template.action_submit()
        self.assertIn("PDF", template.status_detail)
        self.assertFalse(self.transport.calls)
        template.header_type = "none"
        self.assertNotIn(
            "header_without_file", [p["code"] for p in template.problems or []]
        )

    def test_an_invoice_has_its_own_whatever_the_template_says_it_is_for(self):
        self.with_document.write({"document_type": False, "is_default": False})
        invoice = self.make_invoice_with_pdf()
        (result,) = invoice.with_user(self.clerk).wab_send(self.with_document.id)
        message = self.messages.browse(result["message_id"])
        self.assertEqual(message.attachment_id, invoice.invoice_pdf_report_id)
