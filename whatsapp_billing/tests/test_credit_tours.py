# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields
from odoo.tests import tagged

from .credit_common import CreditCommon
from .tour_common import TourCase


@tagged("post_install", "-at_install")
class TestCreditTours(CreditCommon, TourCase):
    """A manager in a real Chromium: buy credits, see the cost, read the reports."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager.group_ids |= cls.env.ref("base.group_system")
        cls.wallet.write(
            {"currency_id": cls.env.ref("base.USD").id, "credit_price": 0.01}
        )

    def tour(self, name):
        self.env.flush_all()
        self.start_tour("/odoo", name, login=self.manager.login)
        self.env.invalidate_all()

    def test_buy_credits(self):
        self.fund(10)
        self.tour("whatsapp_billing_credits")
        # The one that was thought better of left nothing behind.
        purchase = self.env["whatsapp.billing.credit.purchase"].search([])
        self.assertEqual((purchase.quantity, purchase.state), (500, "billed"))
        self.assertEqual(purchase.bill_id.amount_untaxed, 5)

    def test_see_the_cost_in_the_composer(self):
        self.fund(10)
        self.make_invoice_with_pdf()
        self.tour("whatsapp_billing_credit_cost")

    def test_read_the_reports(self):
        # The chart of these tests has such taxes; Odoo's settings ask for it.
        self.company.tax_exigibility = True
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        now = int(fields.Datetime.now().timestamp())
        self.receive_statuses(self.status(message, "delivered", at=now))
        self.tour("whatsapp_billing_credit_usage")
