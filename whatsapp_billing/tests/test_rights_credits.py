# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Credits come from the bill that was made for them, over what was ordered."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .rights_common import RightsCommon

PURCHASES = "whatsapp.billing.credit.purchase"
WALLETS = "whatsapp.billing.credit.wallet"


@tagged("post_install", "-at_install")
class TestCreditRights(RightsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.wallet = cls.env[WALLETS]._for_company(cls.company)
        cls.wallet.sudo().credit_on = "posted"

    def _order(self, name="accountant", **values):
        purchases = self._as(self.env[PURCHASES], name)
        return purchases.create(
            {
                "wallet_id": self.wallet.id,
                "quantity": 1000,
                "unit_price": 0.05,
                "vendor_id": self.partner_a.id,
                **values,
            }
        )

    def test_nobody_writes_bill_or_state(self):
        purchase = self._order()
        bill = self.init_invoice(
            "in_invoice", partner=self.partner_a, amounts=[0.01], company=self.company
        )
        for name in ("manager", "accountant", "administrator"):
            mine = self._as(purchase, name)
            for values in ({"bill_id": bill.id}, {"state": "done"}):
                with self.subTest(user=name, values=values):
                    with self.assertRaises(AccessError):
                        mine.write(values)
                    with self.assertRaises(AccessError):
                        mine.create({"wallet_id": self.wallet.id, **values})

    def test_the_right_bill_brings_credits(self):
        purchase = self._order()
        purchase.action_create_bill()
        purchase.bill_id.action_post()
        self.assertEqual(purchase.state, "done")
        self.assertEqual(purchase.credited, 1000)

    def test_a_bill_over_another_amount_brings_none(self):
        for price in (0.00001, 0.04, 50):
            purchase = self._order()
            purchase.action_create_bill()
            bill = purchase.bill_id
            bill.invoice_line_ids.price_unit = price
            bill.action_post()
            with self.subTest(price=price):
                self.assertEqual(purchase.credited, 0)
                with self.assertRaisesRegex(UserError, "agree"):
                    purchase.action_check_bill()
        bill.button_draft()
        bill.invoice_line_ids.price_unit = 0.05
        bill.action_post()
        self.assertEqual(purchase.credited, 1000)

    def test_a_bill_in_another_currency_brings_none(self):
        purchase = self._order()
        purchase.action_create_bill()
        other = self.setup_other_currency("EUR", rounding=0.01)
        purchase.bill_id.currency_id = (
            other if other != self.company.currency_id else self.env.ref("base.USD")
        )
        purchase.bill_id.action_post()
        self.assertEqual(purchase.credited, 0)

    def test_another_entry_of_the_same_amount_is_no_bill_of_it(self):
        """Another company's bill, a refund, and nothing at all, put there by SQL."""
        for kind, company, price, credited in (
            ("in_invoice", self.other_company, 0.05, 0),
            ("in_refund", self.company, 0.05, 0),
            ("in_invoice", self.company, 0, 0),
            ("in_invoice", self.company, 0.05, 1000),
        ):
            purchase = self._order(unit_price=price)
            entry = self.init_invoice(
                kind,
                partner=self.partner_a,
                invoice_date="2026-11-01",
                amounts=[purchase.total],
                company=company,
            )
            entry.currency_id = purchase.currency_id
            purchase.sudo().write({"bill_id": entry.id, "state": "billed"})
            entry.action_post()
            self.assertEqual(entry.amount_untaxed, purchase.total)
            with self.subTest(kind=kind, company=company.name, price=price):
                self.assertEqual(purchase.credited, credited)

    def test_what_costs_nothing_is_not_bought(self):
        with self.assertRaisesRegex(UserError, "price"):
            self._order(unit_price=0).action_create_bill()

    def test_a_billed_order_stays_as_it_is(self):
        purchase = self._order()
        purchase.action_create_bill()
        for values in ({"quantity": 999999}, {"unit_price": 0.000001}):
            with self.assertRaises(UserError):
                purchase.write(values)

    def test_nobody_without_rights_makes_or_opens_a_wallet(self):
        company = self.env["res.company"].sudo().create({"name": "New one"})
        before = self.env[WALLETS].sudo().search_count([])
        for name in ("portal", "internal", "sender", "clerk"):
            user = self.users[name].sudo()
            user.company_ids |= company
            user.company_id = company
            wallets = self._as(self.env[WALLETS], name).with_company(company)
            with self.subTest(user=name):
                with self.assertRaises(AccessError):
                    wallets.action_open()
                purchases = wallets.env[PURCHASES]
                purchases.default_get(["wallet_id"])
                for action in ("action_buy", "action_view_journal"):
                    with self.assertRaises(AccessError):
                        getattr(wallets.browse(self.wallet.id), action)()
        self.assertEqual(self.env[WALLETS].sudo().search_count([]), before)
