# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Four times as many rows make no statement read much more than four times as much.

Measured with the statistics of empty tables, as after a restore: a plan that is good by
luck is none.
"""

from odoo.tests import tagged
from odoo.tools import SQL

from .collection_common import CollectionCommon
from .growth_common import copy_rows, count_pages, forget_statistics

# What is in proportion reads four times as much, and a little more for larger indexes;
# what reads all rows for each of them, sixteen times as much.
RATIO = 8
# Pages that a statement may read for each row, however few they were.
PAGES = 32
SIZES = (60, 240)
# A first enrolment is planned once for all its rows: few of them hide a bad plan.
LEDGERS = (200, 800)


@tagged("post_install", "-at_install")
class TestGrowth(CollectionCommon):
    def setUp(self):
        super().setUp()
        self.accept_everything()
        self.company.wab_consent_by_contract = True

    def check(self, prepare, do, sizes=SIZES):
        """Do something at two sizes, each from nothing, and compare what was read."""
        small, large = (self.measure(prepare, do, number) for number in sizes)
        self.assertTrue(large, "nothing was counted")
        for statement, pages in large.items():
            allowed = max(RATIO * small[statement], PAGES * sizes[1])
            self.assertLessEqual(pages, allowed, statement[:2000])

    def measure(self, prepare, do, number):
        with self.env.cr.savepoint() as savepoint:
            forget_statistics(self.env)
            given = prepare(number)
            self.env.flush_all()
            # Those of accounting grow with it; only ours begin with nothing.
            for table in ("account_move", "account_move_line", "res_partner"):
                self.env.cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))
            with count_pages(self.env.cr) as pages:
                do(given)
                self.env.flush_all()
            savepoint.rollback()
        self.env.invalidate_all()
        return pages

    # --- what grows ---------------------------------------------------------------

    def make_debtors(self, number):
        """Return the ids of customers who owe one overdue invoice each."""
        invoice = self.make_due(1)
        self.env.flush_all()
        partner_ids = copy_rows(
            self.env,
            "res_partner",
            self.partner.id,
            number,
            name=SQL("name || ' ' || n"),
            phone=SQL("'+34' || (610000000 + n)"),
            wab_recipient=SQL("'+34' || (610000000 + n)"),
            wab_person_key=SQL("'+34' || (610000000 + n)"),
        )
        self.env.cr.execute(
            "UPDATE res_partner SET commercial_partner_id = id WHERE id = ANY(%s)",
            [partner_ids],
        )
        partner = SQL("(%s::int[])[n]", partner_ids)
        move_ids = copy_rows(
            self.env,
            "account_move",
            invoice.id,
            number,
            name=SQL("name || '/' || n"),
            partner_id=partner,
            commercial_partner_id=partner,
        )
        for line in invoice.line_ids:
            copy_rows(
                self.env,
                "account_move_line",
                line.id,
                number,
                move_id=SQL("(%s::int[])[n]", move_ids),
                move_name=SQL("move_name || '/' || n"),
                partner_id=partner,
            )
        self.env.invalidate_all()
        return partner_ids

    def make_reminders(self, number):
        """Return as many reminders, queued."""
        partner_ids = self.make_debtors(number)
        self.run_plan()
        queued = self.reminders().filtered(lambda m: m.state == "queued")
        self.assertGreaterEqual(len(queued), len(partner_ids))
        return queued

    def make_sent(self, number):
        """Return as many reminders that the provider has taken."""
        reminders = self.make_reminders(number)
        self.drain()
        self.assertEqual(set(reminders.mapped("state")), {"sent"})
        return reminders

    def test_the_first_night_of_a_large_ledger(self):
        self.check(self.make_debtors, lambda _ids: self.run_plan(), LEDGERS)

    def test_every_other_night(self):
        self.check(self.make_reminders, lambda _sent: self.run_plan(7))

    def make_called(self, number):
        """Return the ids of customers about each of whom a person is asked."""
        self.plan.step_ids[0].channel = "activity"
        partner_ids = self.make_debtors(number)
        self.run_plan()
        asked = self.followups.search([("channel", "=", "activity")])
        self.assertGreaterEqual(len(asked.activity_id), number)
        return partner_ids

    def test_a_night_of_activities(self):
        def prepare(number):
            self.plan.step_ids[0].channel = "activity"
            return self.make_debtors(number)

        self.check(prepare, lambda _ids: self.run_plan())

    def test_the_night_after_one_of_activities(self):
        self.check(self.make_called, lambda _ids: self.run_plan(7))

    def test_the_end_of_activities(self):
        def settle(partner_ids):
            self.cases.search([("debtor_id", "in", partner_ids)])._end_activities()

        self.check(self.make_called, settle)

    def test_what_many_nights_would_do(self):
        def preview(_ids):
            self.plan.with_user(self.manager)._preview(30)

        self.check(self.make_debtors, preview)

    def test_sending_what_a_night_has_queued(self):
        self.check(self.make_reminders, lambda _queued: self.drain())

    def test_receipts(self):
        def receive(sent):
            receipts = [self.status(message, "delivered") for message in sent]
            for start in range(0, len(receipts), 50):
                self.receive(self.value(statuses=receipts[start : start + 50]))
            self.process_inbox()

        self.check(self.make_sent, receive)

    def test_words_of_customers(self):
        def receive(sent):
            for number, message in enumerate(sent):
                sender = message.recipient.lstrip("+")
                text = {"from": sender, "id": f"wamid.grow.{number}", "type": "text"}
                text |= {"timestamp": str(self.stamp()), "text": {"body": "Thank you"}}
                self.receive(self.value(messages=[text]))
            self.process_inbox()

        self.check(self.make_sent, receive)

    def test_words_of_strangers(self):
        """Nobody has their number, or they hide it: we look for whom we wrote to."""

        def receive(sent):
            for number, _message in enumerate(sent):
                sender = {"from": f"34655{number:06d}"}
                if number % 2:
                    sender = {"from_user_id": f"ES.{number:016d}"}
                text = {"id": f"wamid.grow.{number}", "type": "text", **sender}
                text |= {"timestamp": str(self.stamp()), "text": {"body": "Hello?"}}
                self.receive(self.value(messages=[text]))
            self.process_inbox()
            self.assertEqual(
                self.messages.search_count([("direction", "=", "in")]), len(sent)
            )

        self.check(self.make_sent, receive)
