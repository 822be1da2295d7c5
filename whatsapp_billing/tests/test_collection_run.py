# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import datetime

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .collection_common import CollectionCommon


@tagged("post_install", "-at_install")
class TestCollectionRun(CollectionCommon):
    def test_posting_enrols_and_the_run_reminds_once(self):
        invoice = self.make_due(1)
        case = self.case(invoice)
        self.assertEqual(
            (case.state, case.plan_id, case.debtor_id),
            ("active", self.plan, self.partner),
        )
        figures = self.run_plan()
        self.assertEqual(figures["messages"], 1)
        message = self.reminders()
        self.assertRecordValues(
            message,
            [
                {
                    "state": "queued",
                    "res_model": "account.move",
                    "res_id": invoice.id,
                    "partner_id": self.partner.id,
                    "purpose": "collections",
                    "collection_plan_id": self.plan.id,
                    "collection_step_id": self.plan.step_ids[0].id,
                }
            ],
        )
        self.assertIn(invoice.name, message.body)
        self.assertTrue(message.uuid)
        self.assertTrue(all(rule["passed"] for rule in message.trace))
        self.assertIn(invoice.name, message.mail_message_id.body)
        self.assertEqual(message.mail_message_id.model, "account.move")
        item = message.collection_item_ids
        self.assertEqual((item.amount, item.role), (invoice.amount_total, "due"))
        self.assertEqual(case.last_step_days, 1)
        self.assertEqual(case.step_id, self.plan.step_ids[1])
        self.assertEqual(case.next_date, self.day(7))
        self.run_plan()
        self.assertEqual(len(self.reminders()), 1)

    def test_a_run_takes_as_many_queries_for_many_debtors(self):
        def run(count, first):
            for n in range(first, first + count):
                self.make_due(1, self._make_customer(f"P{n}", f"+3460001{n:04}"))
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            figures = self.run_plan()
            self.assertEqual(figures["messages"], count)
            return self.env.cr.sql_log_count - before

        run(2, 0)
        few = run(4, 10)
        self.assertEqual(run(24, 20), few)

    def test_reminder_goes_out_once(self):
        self.make_due(1)
        self.run_plan()
        self.accept_everything()
        self.assertEqual(self.drain(), 1)
        self.assertEqual(self.reminders().state, "sent")
        self.run_plan(7)
        self.assertEqual(self.drain(), 1)
        self.run_plan(7)
        self.assertEqual(self.drain(), 0)
        self.assertEqual(len(self.reminders()), 2)

    def test_missed_days_bring_only_the_latest_step(self):
        invoice = self.make_due(1)
        self.run_plan(30)
        self.assertEqual(self.reminders().collection_step_id, self.plan.step_ids[1])
        self.assertEqual(self.case(invoice).last_step_days, 8)
        self.run_plan(31)
        self.assertEqual(len(self.reminders()), 1)

    def test_an_earlier_day_after_a_later_one_brings_nothing(self):
        self.make_due(1)
        self.run_plan(5)
        other = self.make_due(2)
        self.run_plan()
        self.assertEqual(len(self.reminders()), 1)
        self.assertEqual(self.case(other).reason, "clock_back")

    def test_one_message_names_all_invoices_and_currencies(self):
        dollars = self.setup_other_currency("CAD", rates=[("2016-01-01", 2.0)])
        one = self.make_due(1)
        two = self.make_due(3, amount=50.0)
        three = self.make_due(2, amount=70.0, currency=dollars)
        self.run_plan()
        message = self.reminders()
        self.assertEqual(len(message), 1)
        for invoice in (one, two, three):
            self.assertIn(invoice.name, message.body)
        self.assertIn("3 invoices", message.body)
        self.assertIn("150.00", message.body)
        self.assertIn("70.00", message.body)
        self.assertEqual(message.template_id, self.many)
        self.assertEqual(message.res_id, two.id)

    def test_without_a_template_for_several_one_invoice_a_day(self):
        self.many.status = "paused"
        one, two = self.make_due(3), self.make_due(1)
        self.run_plan()
        self.assertEqual(self.reminders().res_id, one.id)
        self.assertEqual(self.case(two).reason, "no_template")
        self.run_plan(1)
        self.assertEqual(self.reminders().mapped("res_id"), [one.id, two.id])

    def test_credit_notes_are_deducted(self):
        self.make_due(1, amount=100.0)
        self._make_invoice(amount=30.0, move_type="out_refund")
        self.templates["payment_reminder"].is_default = False
        self.run_plan()
        message = self.reminders()
        self.assertEqual(
            sorted(message.collection_item_ids.mapped("role")), ["credit", "due"]
        )

    def test_a_credit_that_covers_everything_silences(self):
        invoice = self.make_due(1, amount=100.0)
        self._make_invoice(amount=100.0, move_type="out_refund")
        self.run_plan()
        self.assertFalse(self.reminders())
        self.assertEqual(self.case(invoice).reason, "credit_covers")

    def test_part_paid_lines_say_what_is_open(self):
        invoice = self.make_due(1, amount=100.0)
        payment = self.pay(invoice, 40.0)
        payment.action_validate()
        if invoice.payment_state != "partial":
            self.skipTest("payments here wait for the bank")
        self.run_plan()
        self.assertEqual(self.reminders().collection_item_ids.amount, 60.0)

    def test_who_cannot_be_reached_leaves_a_reason_and_no_message(self):
        nobody = self._make_customer("No Number", False)
        invoice = self.make_due(1, nobody)
        figures = self.run_plan()
        self.assertEqual(figures["no_number"], 1)
        case = self.case(invoice)
        self.assertEqual(case.reason, "no_number")
        self.assertTrue(case.reason_detail)
        self.assertFalse(
            self.reminders() | self.messages.search([("partner_id", "=", nobody.id)])
        )
        self.assertFalse(self.followups.search([("debtor_id", "=", nobody.id)]))
        nobody.phone = "+34600000009"
        self.run_plan(1)
        self.assertEqual(self.reminders().partner_id, nobody)

    def test_dry_run_decides_and_sends_nothing(self):
        self.plan.stage = "dry_run"
        invoice = self.make_due(1)
        figures = self.run_plan()
        self.assertEqual(figures, {"dry_run": 1, "messages": 0, "customers": 1})
        self.assertFalse(self.reminders() | self.messages.browse(self.followups.ids))
        case = self.case(invoice)
        self.assertEqual((case.reason, case.last_date), ("dry_run", False))

    def test_own_numbers_go_to_our_users_only(self):
        self.plan.stage = "own_numbers"
        invoice = self.make_due(1)
        self.run_plan()
        self.assertEqual(self.case(invoice).reason, "not_own_number")
        self.clerk.partner_id.phone = self.partner.phone
        self.clerk.partner_id.country_id = self.partner.country_id
        self.run_plan(1)
        self.assertEqual(len(self.reminders()), 1)

    def test_a_share_is_the_same_customers_every_night(self):
        partners = [
            self._make_customer(f"C{n}", f"+3460000{n:04d}") for n in range(100, 130)
        ]
        for partner in partners:
            self.make_due(1, partner)
        self.plan.write({"stage": "share", "share": 40})
        self.run_plan()
        first = self.reminders().partner_id
        self.assertTrue(0 < len(first) < 30)
        self.run_plan(7)
        self.assertEqual(self.reminders().partner_id, first)

    def test_quiet_hours_hold_until_they_end(self):
        self.partner.tz = "Europe/Madrid"
        self.plan.write({"quiet_start": 20.0, "quiet_end": 8.0})
        self.accept_everything()
        self.make_due(1)
        # However long ago this transaction began, the clock is what counts.
        with freeze_time("2037-01-12 02:00:00"):
            for _figures in self.plan._run(
                self.company, self.plan._get_moment(self.company)
            ):
                pass
            message = self.reminders()
            self.assertEqual((message.state, message.reason), ("held", "quiet_hours"))
            self.assertEqual(message.next_attempt_at, datetime(2037, 1, 12, 7))
            self.assertEqual(message.queued_at, datetime(2037, 1, 12, 2))
        with freeze_time("2037-01-12 06:59:00"):
            self.run_cron()
            self.assertEqual(message.state, "held")
        with freeze_time("2037-01-12 07:00:01"):
            self.run_cron()
            self.assertEqual(message.state, "sent")

    def test_holidays_wait_for_a_working_day(self):
        self.plan.working_days = True
        for ahead in range(8):
            self.env["whatsapp.billing.collection.holiday"].sudo().create(
                {
                    "name": "Long feast",
                    "date": self.day(ahead),
                    "country_id": self.partner.country_id.id,
                }
            )
        invoice = self.make_due(1)
        self.run_plan(1)
        self.assertFalse(self.reminders())
        case = self.case(invoice)
        self.assertEqual(case.reason, "not_working_day")
        self.assertGreater(case.next_check_date, self.day(7))
        self.run_plan((case.next_check_date - self.today).days)
        self.assertEqual(len(self.reminders()), 1)

    def test_only_managers_run_plans_and_never_for_a_past_day(self):
        with self.assertRaises(AccessError):
            self.plan.with_user(self.clerk).action_run()
        with self.assertRaises(UserError):
            # Two days: late in the evening Greenwich is a day behind Madrid.
            self.run_plan(-2)
        with self.assertRaises(UserError):
            self.plan.with_user(self.manager).action_run("soon")
        with self.assertRaises(UserError):
            # Nobody would hear from us again.
            self.run_plan(367)

    def test_a_run_for_a_later_day_takes_the_days_until_then(self):
        invoice = self.make_due(-1)
        self.run_plan(2)
        first = self.reminders()
        self.assertEqual(len(first), 1)
        self.assertEqual(self.followups.search([]).day, self.day(2))
        other = self.make_due(1)
        self.run_plan()
        self.assertEqual(self.case(other).reason, "clock_back")
        self.assertEqual(self.case(other).next_check_date, self.day(2))
        self.run_plan(2)
        self.assertEqual(self.reminders(), first)
        # By hand still, and by itself once the day has passed.
        other.with_user(self.clerk).wab_remind()
        self.assertEqual(len(self.reminders()), 2)
        self.run_plan(3)
        third = self.reminders()[-1]
        self.assertEqual(
            third.collection_item_ids.move_line_id.move_id, invoice | other
        )

    def test_two_runs_at_once_take_a_day_once(self):
        self.make_due(1)
        self.followups.create(
            {
                "company_id": self.company.id,
                "debtor_id": self.partner.id,
                "day": self.today,
            }
        )
        self.run_plan()
        self.assertFalse(self.reminders())

    def test_cron_runs_all_plans(self):
        self.make_due(1)
        self.run_cron("ir_cron_collections")
        self.assertEqual(len(self.reminders()), 1)
        self.assertEqual(self.plan.last_run["messages"], 1)
        self.run_cron("ir_cron_collections")
        self.assertEqual(len(self.reminders()), 1)
