# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.tests import tagged

from .credit_common import CreditCommon


@tagged("post_install", "-at_install")
class TestCreditDialogs(CreditCommon):
    """What people see of the cost before they send."""

    def compose(self, invoices, user):
        action = invoices.with_user(user).action_wab_compose()
        return self.env[action["res_model"]].with_user(user).browse(action["res_id"])

    def invoices(self):
        latin = self._make_customer("Juan", "+18095551234")
        return self.make_invoice_with_pdf() + self.make_invoice_with_pdf(latin)

    def test_the_composer_shows_a_manager_the_cost(self):
        self.fund(10)
        wizard = self.compose(self.invoices(), self.manager)
        cost = wizard.summary["cost"][0]
        self.assertEqual((cost["count"], cost["credits"]), (2, 3.13))
        self.assertEqual(cost["left"], 6.87)
        for text in ("3.13", "6.87", "Spain", "Rest of Latin America"):
            self.assertIn(text, wizard.cost_html)

    def test_the_composer_tells_a_clerk_whether_it_is_enough(self):
        self.fund(10)
        wizard = self.compose(self.invoices(), self.clerk)
        self.assertEqual(
            wizard.summary["cost"], [{"count": 2, "is_enough": True, "shown": False}]
        )
        self.assertIn("There are enough credits", wizard.cost_html)
        self.assertNotIn("3.13", wizard.cost_html)
        self.wallet._adjust(-9, "used")
        wizard = self.compose(self.invoices(), self.clerk)
        self.assertIn("not enough", wizard.cost_html)

    def test_sending_without_enough_holds_the_rest(self):
        self.fund(2)
        wizard = self.compose(self.invoices(), self.clerk)
        wizard.action_send()
        self.assertEqual((wizard.summary["going"], wizard.summary["waiting"]), (1, 1))

    def test_the_send_dialog_shows_the_cost(self):
        invoice = self.make_invoice_with_pdf()
        wizard = (
            self.env["account.move.send.wizard"]
            .with_user(self.manager)
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({})
        )
        self.assertIn("Spain", wizard.wab_cost_html)

    def test_the_dialog_for_many_shows_the_cost(self):
        invoices = self.invoices()
        wizards = self.env["account.move.send.batch.wizard"].with_context(
            active_model="account.move", active_ids=invoices.ids
        )
        wizard = wizards.with_user(self.manager).create({})
        self.assertIn("3.13", wizard.wab_cost_html)
        wizard = wizards.with_user(self.clerk).create({})
        self.assertIn("enough", wizard.wab_cost_html)
        self.assertNotIn("3.13", wizard.wab_cost_html)

    def test_looking_at_prices_makes_no_wallet(self):
        other = self.setup_other_company()["company"]
        wallets = self.wallets.with_user(self.manager)
        estimate = wallets._estimate(other, [("+34600000001", "utility", 0)])
        self.assertEqual((estimate["credits"], estimate["is_enough"]), (2.0, True))
        self.assertFalse(self.wallets._find(other))
