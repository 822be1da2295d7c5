# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A step comes by its channel: a message, or a person who is asked to act."""

from datetime import timedelta

from psycopg2 import errors

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .collection_common import CollectionCommon

ACTIVITY = "collection_step"


class ChannelCommon(CollectionCommon):
    """A message a day after, a call eight days after the due date."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.message_step, cls.call_step = cls.plan.step_ids
        cls.call_step.channel = "activity"

    def calls(self, invoices=None):
        """Return what people are asked to do, by the plan's steps."""
        domain = [("wab_reason", "=", ACTIVITY)]
        if invoices:
            domain.append(("res_id", "in", invoices.ids))
        return self.env["mail.activity"].with_user(self.clerk).search(domain)

    def days(self, partner=None):
        """Return [(day, channel)] of what a customer was followed up by."""
        found = self.followups.with_user(self.clerk).search(
            [("debtor_id", "=", (partner or self.partner).id)], order="day, channel"
        )
        return [(followup.day, followup.channel) for followup in found]


@tagged("post_install", "-at_install")
class TestActivityStep(ChannelCommon):
    def test_a_person_is_asked_once_about_all_that_a_customer_owes(self):
        older, newer = self.make_due(9), self.make_due(8, amount=40.0)
        older.invoice_user_id = self.clerk
        figures = self.run_plan()
        self.assertEqual((figures["messages"], figures["activities"]), (0, 1))
        self.assertFalse(self.reminders())
        call = self.calls()
        self.assertEqual(len(call), 1)
        self.assertEqual((call.res_model, call.res_id), ("account.move", older.id))
        self.assertEqual(call.user_id, self.clerk)
        self.assertEqual(call.date_deadline, self.today)
        self.assertEqual(
            call.activity_type_id, self.env.ref("mail.mail_activity_data_call")
        )
        for invoice in (older, newer):
            self.assertIn(invoice.name, call.note)
            self.assertEqual(self.case(invoice).last_step_days, 8)
        self.assertIn("140.00", call.note)
        self.assertEqual(self.days(), [(self.today, "activity")])
        followup = self.followups.search([]).with_user(self.clerk)
        self.assertEqual(followup.step_id, self.call_step)
        self.assertEqual(followup.activity_id, call)
        self.assertEqual(followup.user_id, self.clerk)
        self.assertEqual(followup.activity_state, "todo")

    def test_a_second_run_asks_nobody(self):
        self.make_due(8)
        self.run_plan()
        self.run_plan()
        self.run_plan(1)
        self.assertEqual(len(self.calls()), 1)
        self.assertEqual(self.days(), [(self.today, "activity")])

    def test_the_plan_s_words_and_person_come_first(self):
        self.call_step.write(
            {
                "activity_summary": "Visit them",
                "user_id": self.manager.id,
                "activity_type_id": self.env.ref("mail.mail_activity_data_meeting").id,
            }
        )
        invoice = self.make_due(8)
        invoice.invoice_user_id = self.clerk
        self.run_plan()
        call = self.calls()
        self.assertEqual((call.summary, call.user_id), ("Visit them", self.manager))
        self.assertEqual(
            call.activity_type_id, self.env.ref("mail.mail_activity_data_meeting")
        )

    def test_it_is_said_in_the_language_of_whom_it_is_for(self):
        self.env["res.lang"]._activate_lang("es_ES")
        self.clerk.lang = "es_ES"
        self.call_step.with_context(lang="es_ES").activity_summary = "Llamar"
        self.call_step.with_context(lang="en_US").activity_summary = "Call"
        invoice = self.make_due(8)
        invoice.invoice_user_id = self.clerk
        self.run_plan()
        self.assertEqual(self.calls().summary, "Llamar")
        self.assertIn("vence", self.calls().note)

    def test_who_cannot_be_written_to_is_called(self):
        self.partner.phone = False
        self.account.state = "error"
        invoice = self.make_due(8)
        self.run_plan()
        self.assertEqual(len(self.calls(invoice)), 1)

    def test_whatsapp_switched_off_for_an_invoice_is_no_matter(self):
        invoice = self.make_due(8)
        invoice.with_user(self.clerk).wab_enabled = False
        self.run_plan()
        self.assertIn(invoice.name, self.calls().note)

    def test_what_holds_a_message_holds_an_activity(self):
        paused, promised, disputed, paid, followed = (
            self.make_due(7, self._make_customer(f"C{n}", f"+3460000010{n}"))
            for n in range(5)
        )
        self.run_plan()
        self.case(paused).with_user(self.clerk).action_pause()
        self.case(promised).with_user(self.clerk).action_promise(self.day(5))
        self.case(disputed).with_user(self.clerk).action_dispute("Never ordered")
        self.pay(paid)
        self.run_plan(1)
        self.assertEqual(self.calls().mapped("res_id"), followed.ids)

    def test_a_dry_run_asks_nobody(self):
        self.plan.stage = "dry_run"
        invoice = self.make_due(8)
        self.run_plan()
        self.assertFalse(self.calls())
        self.assertFalse(self.days())
        self.assertEqual(self.case(invoice).reason, "dry_run")
        self.plan.stage = "on"
        self.run_plan()
        self.assertEqual(len(self.calls()), 1)

    def test_the_week_s_limit_counts_both(self):
        self.plan.max_per_week = 1
        invoice = self.make_due(5)
        self.run_plan()
        self.assertEqual(len(self.reminders()), 1)
        self.run_plan(3)
        self.assertFalse(self.calls())
        self.assertEqual(self.case(invoice).reason, "too_often")
        self.run_plan(7)
        self.assertEqual(len(self.calls()), 1)

    def test_whoever_takes_over_is_asked_once(self):
        self.call_step.action = "hand_over"
        invoice = self.make_due(8)
        self.run_plan()
        self.assertEqual(self.case(invoice).state, "escalated")
        self.assertEqual(invoice.activity_ids.summary, "Take over collection")
        self.assertEqual(len(invoice.activity_ids), 1)

    def test_the_case_says_why_and_what_was_done(self):
        invoice = self.make_due(8)
        self.run_plan()
        case = self.case(invoice).with_user(self.clerk)
        self.assertEqual(case.followup_ids.activity_id, self.calls())
        self.assertEqual(case.last_step_id, self.call_step)
        self.assertTrue(case.trace)
        self.assertTrue(all(rule["passed"] for rule in case.trace))
        self.assertIn("8 days from the due date", case.why_html)
        action = case.followup_ids.action_open()
        self.assertEqual(
            (action["res_model"], action["res_id"]), (invoice._name, invoice.id)
        )

    def test_the_button_says_how_many(self):
        self.make_due(8)
        self.make_due(1, self._make_customer("Eva", "+34600000066"))
        action = self.plan.with_user(self.manager).action_run_now()
        self.assertEqual(action["params"]["message"], "1 message queued, 1 activity")
        self.assertEqual(self.plan.last_run_text, "1 message queued, 1 activity")


@tagged("post_install", "-at_install")
class TestOneChannelADay(ChannelCommon):
    def test_a_message_waits_for_the_day_after_the_call(self):
        serious, fresh = self.make_due(8), self.make_due(1, amount=40.0)
        self.run_plan()
        self.assertFalse(self.reminders())
        self.assertIn(fresh.name, self.calls().note, "all that is overdue is named")
        case = self.case(fresh)
        self.assertFalse(case.last_date)
        self.assertIn("Nothing more serious", case.with_user(self.clerk).why_html)
        self.run_plan(1)
        self.assertEqual(len(self.calls()), 1)
        self.assertIn(serious.name, self.reminders().body)
        self.assertEqual(case.last_step_days, 1)
        self.assertEqual(
            self.days(), [(self.today, "activity"), (self.day(1), "whatsapp")]
        )

    def test_a_call_waits_for_the_day_after_the_message(self):
        self.message_step.channel = "activity"
        self.call_step.channel = "whatsapp"
        serious, fresh = self.make_due(8), self.make_due(1, amount=40.0)
        self.run_plan()
        self.assertFalse(self.calls())
        self.assertIn(fresh.name, self.reminders().body)
        self.run_plan(1)
        self.assertEqual(len(self.calls()), 1)
        self.assertEqual(len(self.reminders()), 1)
        self.assertIn(serious.name, self.calls().note)

    def test_what_is_not_overdue_is_not_named_the_day_before(self):
        self.message_step.days = -3
        serious, ahead = self.make_due(8), self.make_due(-3, amount=40.0)
        self.run_plan()
        self.assertNotIn(ahead.name, self.calls().note)
        self.assertEqual(self.case(ahead).reason, "already_today")
        self.run_plan(1)
        self.assertIn(ahead.name, self.reminders().body)
        self.assertTrue(self.case(serious).last_date)

    def test_by_hand_and_by_a_person_are_two_rows_of_a_day(self):
        invoice = self.make_due(8)
        self.run_plan()
        results = invoice.with_user(self.clerk).wab_remind()
        self.assertEqual(
            self.days(), [(self.today, "activity"), (self.today, "whatsapp")]
        )
        by_hand = self.followups.search([("channel", "=", "whatsapp")])
        self.assertEqual(by_hand.message_id.id, results[0]["message_id"])
        self.assertEqual(by_hand.user_id, self.clerk)
        self.assertFalse(by_hand.step_id)

    def test_the_same_channel_twice_a_day_is_no_row(self):
        self.make_due(8)
        self.run_plan()
        with mute_logger("odoo.sql_db"), self.assertRaises(errors.UniqueViolation):
            self.followups.search([]).copy()

    def test_the_day_of_a_message_says_which(self):
        self.make_due(1)
        self.run_plan()
        followup = self.followups.search([]).with_user(self.clerk)
        self.assertEqual(followup.message_id, self.reminders())
        self.assertEqual(followup.message_state, "queued")
        self.assertEqual(followup.action_open()["res_id"], self.reminders().id)


@tagged("post_install", "-at_install")
class TestActivityEnds(ChannelCommon):
    def test_it_goes_when_all_that_it_is_about_is_settled(self):
        first, second = self.make_due(9), self.make_due(8)
        self.run_plan()
        self.pay(first)
        self.assertEqual(len(self.calls()), 1, "the other one is open")
        self.pay(second)
        self.assertFalse(self.calls())
        followup = self.followups.search([])
        self.assertFalse(followup.activity_id)
        self.assertEqual(followup.step_id, self.call_step)

    def test_what_is_done_is_kept(self):
        invoice = self.make_due(8)
        self.run_plan()
        call = self.calls()
        call.action_feedback("They pay on Friday")
        self.pay(invoice)
        followup = self.followups.search([]).with_user(self.clerk)
        self.assertEqual(followup.activity_id, call)
        self.assertEqual(followup.activity_state, "done")


@tagged("post_install", "-at_install")
class TestForecastOfChannels(ChannelCommon):
    def test_the_preview_is_what_the_run_does(self):
        self.plan.stage = "off"
        people = [self._make_customer(f"C{n}", f"+3460000010{n}") for n in range(3)]
        self.make_due(8, people[0])
        self.make_due(1, people[1])
        self.make_due(8, people[2])
        self.make_due(1, people[2])
        found = self.plan.with_user(self.manager)._preview(2)
        self.plan.stage = "on"
        for ahead in range(2):
            self.run_plan(ahead)
        calls = self.calls()
        self.assertEqual(
            sorted(
                (a["date"], a["debtor_id"], a["user_id"], a["summary"])
                for a in found["activities"]
            ),
            sorted(
                (
                    call.date_deadline.isoformat(),
                    self.env["account.move"].browse(call.res_id).partner_id.id,
                    call.user_id.id,
                    call.summary,
                )
                for call in calls
            ),
        )
        self.assertEqual(
            [(m["debtor_id"], m["body"]) for m in found["messages"]],
            [(m.partner_id.id, m.body) for m in self.reminders()],
        )

    def test_the_forecast_tells_them_apart(self):
        self.make_due(8)
        self.make_due(1, self._make_customer("Eva", "+34600000066"))
        action = self.plan.with_user(self.manager).action_preview()
        rows = (
            self.env[action["res_model"]]
            .with_user(self.manager)
            .search([*action["domain"], ("date", "=", self.today)])
        )
        self.assertEqual(sorted(rows.mapped("channel")), ["activity", "whatsapp"])
        call = rows.filtered(lambda row: row.channel == "activity")
        self.assertEqual(call.body, "Call")
        self.assertTrue(call.user_id)
        self.assertFalse(call.preview_html)
        self.assertIn("activities: 2", action["name"])

    def test_the_card_counts_both(self):
        self.make_due(8)
        self.plan.with_user(self.manager).action_count_reached()
        step = self.call_step.with_user(self.manager)
        self.assertEqual(step.reach_today, "1 activity today")

    def test_switching_on_says_how_often_people_are_asked(self):
        self.plan.stage = "off"
        self.make_due(8)
        action = self.plan.with_user(self.manager).action_switch()
        wizard = self.env[action["res_model"]].with_user(self.manager)
        self.assertIn(
            "Somebody of yours is asked once", wizard.browse(action["res_id"]).headline
        )


@tagged("post_install", "-at_install")
class TestChannelOfAStep(ChannelCommon):
    def test_asking_twice_is_refused(self):
        step = self.call_step.with_user(self.manager)
        with self.assertRaises(ValidationError):
            step.action = "activity"
        with self.assertRaises(ValidationError):
            self.message_step.with_user(self.manager).write(
                {"action": "activity", "channel": "activity"}
            )

    def test_a_plan_without_messages_needs_no_account(self):
        self.account.state = "draft"
        plan = self._make_plan(days=(5,))
        self.assertTrue(plan.problem)
        plan.step_ids.channel = "activity"
        self.assertFalse(plan.problem)

    def test_followups_are_the_system_s(self):
        self.make_due(8)
        self.run_plan()
        followup = self.followups.search([]).with_user(self.manager)
        with self.assertRaises(AccessError):
            followup.day = self.today - timedelta(days=1)
        with self.assertRaises(AccessError):
            followup.unlink()

    def test_who_may_not_read_invoices_reads_no_followups(self):
        self.make_due(8)
        self.run_plan()
        sender = new_test_user(
            self.env, "sender", "base.group_user,whatsapp_billing.group_user"
        )
        self.assertFalse(self.followups.with_user(sender).search([]))

    def count_queries(self, size):
        """Return how many queries a night takes for so many customers."""
        with self.env.cr.savepoint() as savepoint:
            for n in range(size):
                self.make_due(8, self._make_customer(f"C{n}", f"+346000001{n:02}"))
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.run_plan()
            self.env.flush_all()
            count = self.env.cr.sql_log_count - before
            self.assertEqual(
                self.env["mail.activity"].search_count(
                    [("summary", "=", "Follow up on payment")]
                ),
                size,
            )
            savepoint.rollback()
        self.env.invalidate_all()
        return count

    def test_as_many_queries_for_many_customers_as_for_a_few(self):
        self.call_step.activity_summary = "Follow up on payment"
        few, many = (self.count_queries(size) for size in (4, 12))
        self.assertLessEqual(many, few + 2)
