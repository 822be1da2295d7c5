# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

import psycopg2
from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import CUSTOMER_NUMBER
from .credit_common import MARKETING, UTILITY, CreditCommon


@tagged("post_install", "-at_install")
class TestCreditMessages(CreditCommon):
    # --- a message's way through the journal -----------------------------------------

    def test_a_new_company_measures_without_limit(self):
        self.assertFalse(self.wallet.is_limited)
        message = self.send(self.make_invoice_with_pdf())
        self.assertEqual(message.state, "queued")
        self.assertEqual(self.lines(message), [("reserve", 0, UTILITY)])
        self.assertFigures(0, UTILITY)
        self.assertEqual(self.wallet.available, -UTILITY)

    def test_delivered_settles_what_was_reserved_once(self):
        self.fund(10)
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.assertFigures(10, UTILITY)
        self.drain()
        self.priced(message, "sent")
        self.assertFigures(10, UTILITY)
        for _again in range(2):
            self.priced(message)
        self.priced(message, "read")
        self.assertEqual(
            self.lines(message),
            [("reserve", 0, UTILITY), ("settle", -UTILITY, -UTILITY)],
        )
        self.assertFigures(8, 0)
        entry = self.entries.search([("message_id", "=", message.id)], limit=1)
        self.assertEqual(entry.pricing_type, "regular")
        self.assertEqual(entry.rate_id.market, "spain")
        self.assertEqual(entry.rate_id.price, 0.02)

    def test_read_without_delivered_settles(self):
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.receive_statuses(self.status(message, "read"))
        self.assertFigures(-UTILITY, 0)

    def test_the_providers_category_decides(self):
        self.fund(10)
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.priced(message, category="marketing")
        self.assertEqual(self.lines(message)[-1], ("settle", -MARKETING, -UTILITY))
        self.assertFigures(10 - MARKETING, 0)

    def test_another_category_later_is_a_correction(self):
        self.fund(10)
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.priced(message)
        self.priced(message, "read", "marketing")
        self.assertEqual(
            self.lines(message)[-1], ("adjust", -(MARKETING - UTILITY), 0)
        )
        self.assertFigures(10 - MARKETING, 0)
        self.priced(message, "read", "marketing")
        self.assertEqual(len(self.lines(message)), 3)

    def test_free_gives_the_reservation_back(self):
        self.fund(10)
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.priced(message, billable=False, type="free_entry_point")
        self.assertEqual(self.lines(message)[-1], ("release", 0, -UTILITY))
        self.assertFigures(10, 0)

    def test_failed_gives_the_reservation_back(self):
        self.fund(10)
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.receive_statuses(
            self.status(message, "failed", errors=[{"code": 131026, "title": "No"}])
        )
        self.assertFigures(10, 0)
        # Delivered outranks failed: it was charged after all.
        self.priced(message)
        self.assertFigures(8, 0)

    def test_cancelled_gives_back_and_a_retry_reserves_again(self):
        self.fund(10)
        self.transport.add("POST", r"/media", lambda _call: self._media())
        self.transport.add("POST", r"/messages", self._refusal(131026))
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.assertEqual(message.state, "failed")
        self.assertFigures(10, 0)
        message.with_user(self.clerk).action_retry()
        self.assertFigures(10, UTILITY)
        message.with_user(self.clerk).action_cancel()
        self.assertFigures(10, 0)
        self.assertEqual(
            [kind for kind, _amount, _reserved in self.lines(message)],
            ["reserve", "release"] * 2,
        )

    def test_no_delivery_within_the_time_to_live_and_a_day_gives_back(self):
        self.fund(10)
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        now = fields.Datetime.now()
        with freeze_time(now + timedelta(days=30, hours=23)):
            self.run_cron("ir_cron_credits")
            self.assertFigures(10, UTILITY)
        with freeze_time(now + timedelta(days=31, hours=1)):
            self.run_cron("ir_cron_credits")
            self.assertFigures(10, 0)
            self.run_cron("ir_cron_credits")
        self.assertEqual(len(self.lines(message)), 2)
        self.priced(message)
        self.assertFigures(8, 0)

    def test_a_change_of_price_touches_no_running_reservation(self):
        self.fund(10)
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.env["whatsapp.billing.credit.rate"].sudo().create(
            {
                "market": "spain",
                "category": "utility",
                "valid_from": fields.Date.today(),
                "credits": 5,
            }
        )
        self.priced(message)
        self.assertFigures(8, 0)
        later = self.send(self.make_invoice_with_pdf())
        self.assertEqual(self.lines(later), [("reserve", 0, 5)])

    def test_what_never_goes_reserves_nothing(self):
        self.partner.wab_enabled = False
        message = self.send(self.make_invoice_with_pdf())
        self.assertEqual(message.state, "canceled")
        self.assertFalse(self.lines(message))

    def test_one_credit_a_message(self):
        self.wallet.pricelist = "flat"
        messages = self.send(
            self.make_invoice_with_pdf() + self.make_invoice_with_pdf()
        )
        self.assertFigures(0, 2)
        self.assertFalse(messages.filtered(lambda m: m.state != "queued"))

    def test_amounts_keep_six_decimals(self):
        self.env["whatsapp.billing.credit.rate"].sudo().create(
            {
                "market": "spain",
                "category": "utility",
                "valid_from": fields.Date.today(),
                "credits": 0.333333,
            }
        )
        for _number in range(3):
            self.send(self.make_invoice_with_pdf())
        self.assertFigures(0, 0.999999)

    # --- no credit --------------------------------------------------------------------

    def test_without_credit_messages_wait_and_go_when_it_comes(self):
        self.fund(3)
        self.accept_everything()
        invoices = self.make_invoice_with_pdf() + self.make_invoice_with_pdf()
        messages = self.send(invoices)
        self.assertEqual(messages.mapped("state"), ["queued", "held"])
        held = messages[1]
        self.assertEqual(held.reason, "no_credit")
        self.assertTrue(held.reason_detail)
        self.assertEqual(held.trace[-1]["rule"], "credit_available")
        self.assertFigures(3, UTILITY)
        self.run_cron()
        self.assertEqual(held.state, "held")
        self.wallet._adjust(1, "more")
        self.run_cron()
        self.assertEqual(held.state, "sent")
        self.assertFalse(held.reason)
        self.assertFigures(4, 4)

    def test_what_waited_and_is_no_longer_true_does_not_go(self):
        self.fund(0)
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.assertEqual((message.state, message.reason), ("held", "no_credit"))
        invoice = self.env["account.move"].browse(message.res_id)
        invoice.button_draft()
        self.wallet._adjust(10, "more")
        self.run_cron()
        self.assertEqual(message.state, "canceled")
        self.assertFalse(self.sent_calls())
        self.assertFigures(10, 0)

    def test_the_caller_learns_that_it_waits(self):
        self.fund(0)
        result = self.make_invoice_with_pdf().with_user(self.clerk).wab_send()[0]
        self.assertEqual((result["state"], result["reason"]), ("held", "no_credit"))
        self.assertTrue(result["detail"])

    def test_without_limit_everything_that_waited_goes(self):
        self.fund(0)
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.wallet.is_limited = False
        self.run_cron()
        self.assertEqual(message.state, "sent")

    def test_never_below_zero_where_limited(self):
        self.fund(UTILITY)
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.priced(message, category="marketing")
        self.assertEqual(self.lines(message)[-1], ("settle", -UTILITY, -UTILITY))
        self.assertFigures(0, 0)
        self.assertAlmostEqual(self.wallet.shortfall, MARKETING - UTILITY, 6)
        # The next credits that come pay for it.
        self.wallet._give("adjust", 10)
        self.assertFigures(10 - (MARKETING - UTILITY), 0)
        self.assertEqual(self.wallet.shortfall, 0)

    def test_a_limit_starts_at_zero_after_measuring(self):
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.priced(message)
        self.assertFigures(-UTILITY, 0)
        self.wallet.is_limited = True
        self.assertFigures(0, 0)

    # --- in bulk ------------------------------------------------------------------------

    def test_reserving_for_many_takes_a_constant_number_of_queries(self):
        self.fund(100)
        invoices = self.env["account.move"]
        for _number in range(12):
            invoices |= self.make_invoice_with_pdf()
        messages = self.send(invoices)
        self.messages.browse(messages.ids).with_user(self.clerk).action_cancel()
        self.env.flush_all()
        counts = []
        for some in (messages[:1], messages[1:3], messages[3:]):
            self.env.cr.execute(
                "UPDATE whatsapp_billing_message SET state = 'queued', reason = NULL "
                "WHERE id = ANY(%s)",
                [some.ids],
            )
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            some._reserve_credits()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[1], counts[2])
        self.assertLessEqual(counts[2], 15)
        self.assertFigures(100, 24)
        # Called again, it changes nothing.
        self.assertFalse(messages._reserve_credits())
        self.assertFigures(100, 24)

    def test_two_companies_do_not_share_credits(self):
        other = self.setup_other_company()["company"]
        theirs = self.wallets._for_company(other)
        self.fund(10)
        self.send(self.make_invoice_with_pdf())
        self.assertEqual((theirs.balance, theirs.reserved), (0, 0))
        mine = self.env["whatsapp.billing.credit.wallet"].with_user(self.manager)
        self.assertEqual(mine.search([]), self.wallet)
        self.assertNotIn(
            theirs, self.entries.with_user(self.manager).search([]).wallet_id
        )

    # --- append only ----------------------------------------------------------------------

    def test_nobody_edits_or_deletes_an_entry(self):
        self.fund(10)
        entry = self.entries.search([("wallet_id", "=", self.wallet.id)], limit=1)
        admin = self.env.ref("base.user_admin")
        for user in (self.clerk, self.manager, self.accountant, admin):
            mine = entry.with_user(user)
            with self.assertRaises(UserError):
                mine.write({"amount": 99})
            with self.assertRaises(UserError):
                mine.unlink()
            with self.assertRaises(AccessError):
                mine.create({"wallet_id": self.wallet.id, "kind": "purchase"})
        with self.assertRaises(UserError):
            entry.sudo().write({"note": "x"})
        with self.assertRaises(UserError):
            entry.sudo().unlink()

    @mute_logger("odoo.sql_db")
    def test_the_database_refuses_it_as_well(self):
        self.fund(10)
        for statement in (
            "UPDATE whatsapp_billing_credit_entry SET amount = 1",
            "DELETE FROM whatsapp_billing_credit_entry",
            "TRUNCATE whatsapp_billing_credit_entry",
        ):
            with (
                self.assertRaises(psycopg2.errors.RaiseException),
                self.env.cr.savepoint(),
            ):
                self.env.cr.execute(statement)

    @mute_logger("odoo.sql_db")
    def test_the_database_refuses_an_overdraft(self):
        self.fund(1)
        with (
            self.assertRaises(psycopg2.errors.CheckViolation),
            self.env.cr.savepoint(),
        ):
            self.env.cr.execute(
                "UPDATE whatsapp_billing_credit_wallet SET total_balance = -1 "
                "WHERE id = %s",
                [self.wallet.id],
            )

    def test_nobody_writes_the_totals(self):
        for user in (self.manager, self.accountant, self.env.ref("base.user_admin")):
            with self.assertRaises(AccessError):
                self.wallet.with_user(user).write({"total_balance": 5})

    def test_lines_of_the_system_keep_the_totals_right(self):
        self.entries.create(
            {"wallet_id": self.wallet.id, "kind": "purchase", "amount": 12.5}
        )
        self.assertFigures(12.5, 0)

    def test_the_journal_shows_the_running_balance(self):
        self.fund(10)
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.priced(message)
        self.wallet._adjust(5, "more")
        entries = self.entries.search([("wallet_id", "=", self.wallet.id)])
        self.assertEqual(
            [(entry.kind, entry.balance_after) for entry in entries],
            [("adjust", 13), ("settle", 8), ("reserve", 10), ("adjust", 10)],
        )
        self.assertEqual(entries[-1].balance_after, 10)

    # --- free texts -----------------------------------------------------------------------

    def test_a_free_text_costs_nothing_until_a_thousand_a_month(self):
        items = [(CUSTOMER_NUMBER, "", self.phone.id)] * 3
        self.assertEqual(self.estimate(items)["credits"], 0)
        self.env.cr.execute(
            """
            INSERT INTO whatsapp_billing_message
                   (direction, state, uuid, company_id, phone_id, queued_at, audience,
                    purpose, document_state)
            SELECT 'out', 'delivered', 'free-' || n, %s, %s,
                   now() at time zone 'utc', 'customer', 'billing', 'none'
              FROM generate_series(1, 998) n
            """,
            [self.company.id, self.phone.id],
        )
        self.assertEqual(self.estimate(items)["credits"], UTILITY)

    def estimate(self, items):
        return self.wallets.with_user(self.manager)._estimate(self.company, items)
