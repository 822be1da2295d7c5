# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A missing PDF is made as Odoo makes it, and nothing of Odoo's own sending happens."""

from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.account.models import account_move_send

from ..models.worker.budget import Budget
from .lifecycle_common import LifecycleCommon

LOGGER = "odoo.addons.whatsapp_billing.models.document.message_document"


@tagged("post_install", "-at_install")
class TestDocumentMade(LifecycleCommon):
    """In tests Odoo's reports are HTML: what is made here has no pages."""

    def setUp(self):
        super().setUp()
        self.partner.email = "ana@example.com"
        self.invoice = self._make_invoice()
        self.sender = type(self.env["account.move.send"])
        self.called = []

    def extend(self, name, effect=lambda _self, _data: None):
        """Extend a step of Odoo's sending as another module does, noting each call."""
        original = getattr(self.sender, name)

        def extended(sender, *args):
            self.called.append(name)
            result = original(sender, *args)
            effect(sender, args[-1])
            return result

        self.patch(self.sender, name, extended)

    def make(self):
        self.env.flush_all()
        self.messages._make_documents(Budget(60))
        self.env.invalidate_all()

    def test_it_is_the_legal_pdf_by_odoo_s_name(self):
        message = self.send(self.invoice)
        self.make()
        pdf = self.invoice.invoice_pdf_report_id
        self.assertEqual(pdf.res_field, "invoice_pdf_report_file")
        self.assertEqual(pdf.name, self.invoice._get_invoice_report_filename())
        self.assertEqual(self.invoice.message_main_attachment_id, pdf)
        self.assertEqual(message.attachment_id, pdf)
        self.assertEqual(message.document_state, "ready")

    def test_e_mail_that_waits_for_odoo_s_cron_still_waits_and_goes_once(self):
        waiting = {"sending_methods": ["email"], "author_user_id": self.env.uid}
        self.invoice.sending_data = waiting
        self.send(self.invoice)
        mails = self.env["mail.mail"].sudo().search_count([])
        self.make()
        self.assertEqual(self.invoice.sending_data, waiting)
        self.assertEqual(self.env["mail.mail"].sudo().search_count([]), mails)
        made = self.invoice.invoice_pdf_report_id
        with patch("odoo.addons.mail.models.mail_mail.MailMail.unlink"):
            self.env.ref("account.ir_cron_account_move_send").method_direct_trigger()
        self.env.invalidate_all()
        mail = self.env["mail.mail"].sudo().search([], order="id desc", limit=1)
        self.assertEqual(self.env["mail.mail"].sudo().search_count([]), mails + 1)
        self.assertIn(made.name, mail.attachment_ids.mapped("name"))
        self.assertEqual(self.invoice.invoice_pdf_report_id, made)
        self.assertFalse(self.invoice.sending_data)

    def test_steps_that_tell_somebody_are_not_taken(self):
        for name in (
            "_call_web_service_after_invoice_pdf_render",
            "_hook_if_success",
            "_hook_if_errors",
            "_send_mails",
        ):
            self.extend(name)
        self.send(self.invoice)
        self.make()
        self.assertTrue(self.invoice.invoice_pdf_report_id)
        self.assertEqual(self.called, [])

    def test_what_modules_embed_is_in_the_file(self):
        before = "_hook_invoice_document_before_pdf_report_render"
        after = "_hook_invoice_document_after_pdf_report_render"
        self.extend(before, lambda _sender, data: data.update(xml=b"<factur-x/>"))

        def embed(_sender, data):
            data["pdf_attachment_values"]["raw"] += data["xml"]

        self.extend(after, embed)
        self.extend("_link_invoice_documents")
        self.send(self.invoice)
        self.make()
        self.assertEqual(self.called, [before, after, "_link_invoice_documents"])
        self.assertIn(b"<factur-x/>", self.invoice.invoice_pdf_report_id.raw)

    def test_no_module_commits_meanwhile(self):
        found = []
        self.patch(account_move_send.AccountMoveSend, "_can_commit", lambda _s: True)
        self.extend(
            "_hook_invoice_document_before_pdf_report_render",
            lambda sender, _data: found.append(sender._can_commit()),
        )
        self.send(self.invoice)
        self.make()
        self.assertEqual(found, [False])
        self.assertTrue(self.env["account.move.send"]._can_commit(), "as outside tests")

    @mute_logger(LOGGER)
    def test_fault_that_a_module_finds_is_told_in_its_words(self):
        def refuse(_sender, data):
            data["error"] = {"error_title": "No VAT", "errors": ["of the customer"]}

        self.extend("_hook_invoice_document_before_pdf_report_render", refuse)
        message = self.send(self.invoice)
        self.make()
        self.assertEqual(message.state, "failed")
        self.assertIn("No VAT\n- of the customer", message.error_detail)
        self.assertFalse(self.invoice.invoice_pdf_report_id)

    @mute_logger(LOGGER)
    def test_invoice_that_an_authority_hears_of_first_gets_no_pdf_from_us(self):
        hook = "_call_web_service_before_invoice_pdf_render"
        told = []
        service = {
            "label": "To the authority",
            "is_applicable": lambda m: m not in told,
        }
        self.patch(self.sender, "_get_all_extra_edis", lambda _s: {"edi": service})
        self.extend(hook)
        message = self.send(self.invoice)
        self.make()
        self.assertEqual(message.state, "failed")
        self.assertIn("To the authority", message.error_detail)
        self.assertFalse(self.invoice.invoice_pdf_report_id)
        self.assertEqual(self.called, [])
        told.append(self.invoice)
        message.with_user(self.manager).action_retry()
        self.make()
        self.assertTrue(self.invoice.invoice_pdf_report_id)

    def test_lost_file_is_made_again_in_its_place(self):
        self.attach_pdf(self.invoice, b"%PDF-lost")
        lost = self.invoice.invoice_pdf_report_id
        original = type(lost)._file_read

        def read(attachment, fname, size=None):
            if fname == lost_name:
                return b""
            return original(attachment, fname, size)

        lost_name = lost.store_fname
        self.patch(type(lost), "_file_read", read)
        lost.invalidate_recordset()
        self.assertFalse(lost._wab_is_there())
        self.assertEqual(self.invoice._wab_make_file(), lost)
        self.assertTrue(lost._wab_is_there())
        self.assertEqual(self.invoice.invoice_pdf_report_id, lost)

    def test_no_draft_gets_one(self):
        self.invoice.button_draft()
        with self.assertRaises(UserError):
            self.invoice._wab_make_file()
