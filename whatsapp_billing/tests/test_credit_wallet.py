# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import base64
from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools.misc import format_date

from .common import CUSTOMER_NUMBER
from .credit_common import UTILITY, CreditCommon


@tagged("post_install", "-at_install")
class TestCreditWallet(CreditCommon):
    def buy(self, quantity=1000, **values):
        """Return a purchase of the accountant, with its bill in draft."""
        purchase = (
            self.env["whatsapp.billing.credit.purchase"]
            .with_user(self.accountant)
            .create({"wallet_id": self.wallet.id, "quantity": quantity, **values})
        )
        purchase.action_create_bill()
        return purchase

    def pay(self, bill):
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=bill.ids
        ).create({})._create_payments()

    # --- buying -------------------------------------------------------------------------

    def test_buying_proposes_what_the_bill_needs(self):
        purchase = self.buy(quantity=500, unit_price=0.0123)
        self.assertEqual(purchase.total, 6.15)
        bill = purchase.bill_id
        self.assertEqual((bill.move_type, bill.state), ("in_invoice", "draft"))
        self.assertEqual(bill.journal_id.type, "purchase")
        self.assertEqual(bill.amount_untaxed, 6.15)
        self.assertTrue(bill.partner_id)
        self.assertEqual(purchase.state, "billed")

    def test_credits_come_when_the_bill_is_paid(self):
        self.wallet.is_limited = True
        purchase = self.buy()
        purchase.bill_id.action_post()
        self.assertFigures(0, 0)
        self.pay(purchase.bill_id)
        self.assertEqual(purchase.state, "done")
        self.assertFigures(1000, 0)
        purchase.action_check_bill()
        self.assertFigures(1000, 0)
        self.assertEqual(purchase.credited, 1000)

    def test_credits_come_at_posting_where_set_so(self):
        self.wallet.credit_on = "posted"
        purchase = self.buy()
        self.assertFigures(0, 0)
        purchase.bill_id.action_post()
        self.assertFigures(1000, 0)

    def test_a_refund_takes_back_what_is_left(self):
        self.fund(0)
        self.wallet.credit_on = "posted"
        purchase = self.buy(quantity=10)
        purchase.bill_id.action_post()
        self.send(self.make_invoice_with_pdf())
        self.assertFigures(10, UTILITY)
        reversal = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=purchase.bill_id.ids)
            .create({"journal_id": purchase.bill_id.journal_id.id})
        )
        refund = self.env["account.move"].browse(reversal.reverse_moves()["res_id"])
        refund.invoice_date = fields.Date.today()
        refund.action_post()
        self.assertEqual(purchase.state, "refunded")
        self.assertFigures(UTILITY, UTILITY)
        purchase.action_check_bill()
        self.assertFigures(UTILITY, UTILITY)

    def test_half_a_refund_takes_back_half(self):
        self.wallet.credit_on = "posted"
        purchase = self.buy(quantity=100)
        bill = purchase.bill_id
        bill.action_post()
        refund = bill._reverse_moves([{"invoice_date": fields.Date.today()}])
        refund.invoice_line_ids.write({"quantity": 50})
        refund.action_post()
        self.assertEqual(purchase.state, "done")
        self.assertFigures(50, 0)

    def test_a_bill_reset_to_draft_takes_back_and_gives_again(self):
        self.wallet.credit_on = "posted"
        purchase = self.buy(quantity=100)
        purchase.bill_id.action_post()
        purchase.bill_id.button_draft()
        self.assertFigures(0, 0)
        purchase.bill_id.action_post()
        self.assertFigures(100, 0)

    def test_the_price_depends_on_the_currency(self):
        dollar, other = self.env.ref("base.USD"), self.env.ref("base.EUR")
        other.active = dollar.active = True
        self.wallet.write({"currency_id": dollar.id, "credit_price": 0.01})
        self.env["res.currency.rate"].search([]).unlink()
        for currency, rate in ((dollar, 1.0), (other, 0.5)):
            if currency != self.company.currency_id:
                self.env["res.currency.rate"].create(
                    {
                        "currency_id": currency.id,
                        "rate": rate,
                        "name": "2026-01-01",
                        "company_id": self.company.id,
                    }
                )
        purchase = self.env["whatsapp.billing.credit.purchase"].create(
            {"wallet_id": self.wallet.id, "quantity": 1000, "currency_id": other.id}
        )
        self.assertEqual(purchase.unit_price, 0.005)
        self.assertEqual(purchase.total, 5)

    def test_a_purchase_with_a_bill_does_not_change(self):
        purchase = self.buy()
        with self.assertRaises(UserError):
            purchase.quantity = 5
        with self.assertRaises(UserError):
            purchase.unlink()
        purchase.action_cancel()
        self.assertEqual(purchase.bill_id.state, "cancel")
        self.assertEqual(purchase.state, "canceled")

    def test_a_clerk_neither_buys_nor_sees_prices(self):
        purchases = self.env["whatsapp.billing.credit.purchase"].with_user(self.clerk)
        with self.assertRaises(AccessError):
            purchases.create({"wallet_id": self.wallet.id, "quantity": 1})
        for model in ("wallet", "entry", "rate", "purchase", "usage.report"):
            with self.assertRaises(AccessError):
                self.env[f"whatsapp.billing.credit.{model}"].with_user(
                    self.clerk
                ).search([]).read()
        message = self.send(self.make_invoice_with_pdf()).with_user(self.clerk)
        self.assertNotIn("credits", message.read()[0])

    # --- allowance ------------------------------------------------------------------------

    def test_an_allowance_expires_with_its_month(self):
        with freeze_time("2026-11-20 10:00:00"):
            self.wallet.write({"is_limited": True, "monthly_allowance": 10})
            self.assertFigures(10, 0)
            self.run_cron("ir_cron_credits")
            self.assertFigures(10, 0)
            self.wallet._adjust(100, "bought")
            self.accept_everything()
            message = self.send(self.make_invoice_with_pdf())
            self.drain()
            self.priced(message)
            self.assertFigures(108, 0)
        with freeze_time("2026-12-01 10:00:00"):
            self.run_cron("ir_cron_credits")
            self.assertFigures(110, 0)
            self.run_cron("ir_cron_credits")
            self.assertFigures(110, 0)
        kinds = self.entries.search([("wallet_id", "=", self.wallet.id)]).mapped("kind")
        self.assertEqual(kinds.count("expire"), 1)
        self.assertEqual(kinds.count("allowance"), 2)

    def test_an_allowance_that_was_used_up_does_not_expire(self):
        with freeze_time("2026-11-20 10:00:00"):
            self.wallet.write({"is_limited": True, "monthly_allowance": 1})
            self.wallet._adjust(5, "bought")
            self.send(self.make_invoice_with_pdf())
        with freeze_time("2026-12-01 10:00:00"):
            self.wallet.monthly_allowance = 0
            self.run_cron("ir_cron_credits")
            self.assertFigures(6, UTILITY)

    # --- running low ------------------------------------------------------------------------

    def test_one_warning_a_crossing(self):
        self.manager.email = "manager@example.com"
        self.fund(10)
        self.wallet.write({"alert_threshold": 9, "user_id": self.manager.id})
        self.run_cron("ir_cron_credits")
        self.assertFalse(self.warnings())
        self.send(self.make_invoice_with_pdf())
        for _again in range(2):
            self.run_cron("ir_cron_credits")
        self.assertEqual(len(self.warnings()), 1)
        self.assertEqual(len(self.mails()), 1)
        self.assertIn("8", self.mails().body_html)
        self.wallet._adjust(10, "bought")
        self.run_cron("ir_cron_credits")
        self.assertFalse(self.warnings())
        self.wallet._adjust(-10, "used")
        self.run_cron("ir_cron_credits")
        self.assertEqual(len(self.mails()), 2)

    def warnings(self):
        return self.wallet.activity_ids.filtered(lambda a: a.user_id == self.manager)

    def mails(self):
        return self.env["mail.mail"].search(
            [("email_to", "ilike", "manager@example.com")]
        )

    def test_how_long_it_lasts(self):
        self.fund(20)
        self.assertEqual(self.wallet.lasts_until_text, "Nothing used yet")
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.priced(message)
        self.wallet.invalidate_recordset()
        self.assertEqual(self.wallet.daily_use, UTILITY)
        today = fields.Date.today()
        self.assertEqual(self.wallet.lasts_until, today + timedelta(days=8))
        self.assertIn('"value": 2.0', self.wallet.graph)

    def test_credits_that_are_left_are_not_said_to_be_used_up(self):
        self.fund(UTILITY * 1.5)
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.priced(message)
        self.wallet.invalidate_recordset()
        self.assertGreater(self.wallet.available, 0)
        self.assertEqual(self.wallet.lasts_until_text, "Less than a day")
        self.assertEqual(self.wallet.daily_use_days, "today only")
        self.wallet._take("expire", self.wallet.available, period="2026-01")
        self.wallet.invalidate_recordset()
        self.assertEqual(self.wallet.lasts_until_text, "Used up")

    def test_the_average_counts_four_weeks_at_most(self):
        self.fund(100)
        today = fields.Date.today()
        entries = self.env["whatsapp.billing.credit.entry"].sudo()
        message = self.send(self.make_invoice_with_pdf())
        for days, number in ((40, 7), (27, 8)):
            entries.create(
                {
                    "wallet_id": self.wallet.id,
                    "kind": "settle",
                    "amount": -28,
                    "date": fields.Datetime.now() - timedelta(days=days),
                    "message_id": message.id,
                    "attempt_no": number,
                }
            )
        self.wallet.invalidate_recordset()
        self.assertEqual(self.wallet.daily_use, 1)
        first, last = (
            format_date(self.env, day) for day in (today - timedelta(days=27), today)
        )
        self.assertEqual(self.wallet.daily_use_days, f"from {first} to {last}")

    def test_an_old_card_is_said_to_be_old(self):
        with freeze_time("2026-11-20"):
            self.assertFalse(self.wallet.is_card_outdated)
        self.wallet.invalidate_recordset()
        with freeze_time("2027-01-05"):
            self.assertTrue(self.wallet.is_card_outdated)
            self.wallet.pricelist = "flat"
            self.assertFalse(self.wallet.is_card_outdated)

    def test_totals_that_differ_from_the_journal_are_reported(self):
        self.fund(10)
        self.assertTrue(self.wallet._verify(fields.Datetime.now()))
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE whatsapp_billing_credit_wallet SET total_balance = 11, "
            "verified_at = NULL WHERE id = %s",
            [self.wallet.id],
        )
        self.wallet.invalidate_recordset()
        with self.assertLogs("odoo.addons.whatsapp_billing", "ERROR"):
            self.assertFalse(self.wallet._verify(fields.Datetime.now()))
        self.assertTrue(self.wallet.activity_ids)

    # --- prices -------------------------------------------------------------------------------

    def import_prices(self, text, **values):
        return (
            self.env["whatsapp.billing.credit.rate.import"]
            .with_user(self.manager)
            .create(
                {
                    "file": base64.b64encode(text.encode()),
                    "valid_from": "2026-11-01",
                    "source": "A letter",
                    **values,
                }
            )
        )

    def test_prices_come_from_a_file(self):
        text = "market,marketing,utility\nSpain,0.08,0.03\n"
        for _again in range(2):
            self.import_prices(text).action_import()
        rates = self.env["whatsapp.billing.credit.rate"].search(
            [("company_id", "=", self.company.id)]
        )
        self.assertEqual(len(rates), 4)
        self.assertEqual(set(rates.mapped("source")), {"A letter"})
        message = self.send(self.make_invoice_with_pdf())
        self.assertEqual(self.lines(message), [("reserve", 0, 3)])
        with self.assertRaises(UserError):
            self.import_prices(text.replace("0.03", "0.04")).action_import()

    def test_a_file_with_mistakes_imports_nothing(self):
        with self.assertRaisesRegex(UserError, "Atlantis"):
            self.import_prices(
                "market,utility\nSpain,0.03\nAtlantis,1\n"
            ).action_import()

    def test_a_price_that_was_used_stays(self):
        message = self.send(self.make_invoice_with_pdf())
        rate = self.entries.search([("message_id", "=", message.id)]).rate_id
        with self.assertRaises(UserError):
            rate.sudo().credits = 1
        with self.assertRaises(UserError):
            rate.sudo().unlink()
        rate.sudo().source = "Read again"

    def test_shipped_prices_are_not_a_companys_to_change(self):
        rate = self.env["whatsapp.billing.credit.rate"].search(
            [("company_id", "=", False)], limit=1
        )
        with self.assertRaises(AccessError):
            rate.with_user(self.manager).source = "Mine"

    # --- before sending -------------------------------------------------------------------------

    def test_an_estimate_says_what_it_costs_and_what_is_left(self):
        self.fund(10)
        found = self.wallets.with_user(self.manager)._estimate(
            self.company,
            [
                (CUSTOMER_NUMBER, "utility", self.phone.id),
                (CUSTOMER_NUMBER, "marketing", self.phone.id),
                ("+18095551234", "utility", self.phone.id),
            ],
        )
        self.assertEqual(found["count"], 3)
        self.assertEqual(found["credits"], 10.2)
        self.assertFalse(found["is_enough"])
        self.assertEqual(
            [(row["label"], row["count"]) for row in found["markets"]],
            [("Spain", 2), ("Rest of Latin America", 1)],
        )

    def test_a_clerk_learns_whether_it_is_enough_and_nothing_else(self):
        self.fund(1)
        found = self.wallets.with_user(self.clerk)._estimate(
            self.company, [(CUSTOMER_NUMBER, "utility", self.phone.id)]
        )
        self.assertEqual(found, {"count": 1, "is_enough": False, "shown": False})

    def test_the_report_says_what_was_used_by_what(self):
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.priced(message)
        self.env.flush_all()
        report = self.env["whatsapp.billing.credit.usage.report"].with_user(
            self.accountant
        )
        groups = report._read_group(
            [], ["document_type", "market", "category", "user_id"], ["credits:sum"]
        )
        self.assertEqual(groups, [("invoice", "spain", "utility", self.clerk, UTILITY)])

    def test_a_correction_by_hand_has_its_reason(self):
        self.fund(5)
        wizard = self.env["whatsapp.billing.credit.adjust"].with_user(self.manager)
        wizard.create(
            {"wallet_id": self.wallet.id, "amount": -7, "note": "Gift ended"}
        ).action_apply()
        self.assertFigures(0, 0)
        entry = self.entries.search([("wallet_id", "=", self.wallet.id)], limit=1)
        self.assertEqual((entry.note, entry.user_id), ("Gift ended", self.manager))

    def test_settings_of_another_company_are_not_mine(self):
        other = self.setup_other_company()["company"]
        theirs = self.wallets._for_company(other)
        with self.assertRaises(AccessError):
            theirs.with_user(self.manager).write({"alert_threshold": 1})
