# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.tests import tagged

from .lifecycle_common import LifecycleCommon
from .tour_common import TourCase


@tagged("post_install", "-at_install")
class TestTours(LifecycleCommon, TourCase):
    """A clerk in a real Chromium; the provider answers in memory."""

    def tour(self, name, invoice):
        self.env.flush_all()
        self.start_tour(
            f"/odoo/customer-invoices/{invoice.id}", name, login=self.clerk.login
        )
        self.env.invalidate_all()

    def test_send_from_the_dialog_and_read_the_ticks(self):
        self.accept_everything()
        invoice = self.make_invoice_with_pdf()
        self.tour("whatsapp_billing_send_dialog", invoice)
        message = invoice.wab_message_ids.sudo()
        self.assertRecordValues(
            message, [{"state": "queued", "user_id": self.clerk.id}]
        )
        self.drain()
        self.receive_statuses(
            self.status(message, "delivered"), self.status(message, "read")
        )
        self.assertEqual(message.state, "read")
        self.tour("whatsapp_billing_read_ticks", invoice)

    def test_why_not_in_words(self):
        invoice = self.make_invoice_with_pdf()
        self.partner.with_user(self.clerk).wab_opt_out("billing", "On the phone")
        self.send(invoice)
        self.tour("whatsapp_billing_why_not", invoice)
