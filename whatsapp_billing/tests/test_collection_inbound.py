# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What may decide about debts, and about which: the answered ones, by their clock."""

from datetime import datetime, timezone

from freezegun import freeze_time

from odoo.tests import tagged

from ..rules import answers
from .collection_common import CollectionCommon


class AnswerCommon(CollectionCommon):
    def setUp(self):
        super().setUp()
        self.accept_everything()
        self.count = 0

    def remind(self, invoice):
        """Have the plan remind of an invoice; return the message."""
        self.run_plan()
        self.drain()
        return self.reminders(invoice.partner_id)[-1]

    def hear(self, text="", **extra):
        """Receive a message of the customer; return its row."""
        self.count += 1
        wamid = extra.pop("wamid", f"wamid.heard{self.count}")
        self.receive_text(text, wamid=wamid, **extra)
        return self.messages.search([("wamid", "=", wamid)])

    def tap(self, reminder, kind, day=None, about="", **extra):
        value = answers.payload(kind, reminder.uuid, day, about)
        return self.hear(
            type="button",
            button={"payload": value, "text": "..."},
            context={"from": "34910000001", "id": reminder.wamid},
            **extra,
        )

    def quote(self, message, text, **extra):
        return self.hear(
            text, context={"from": "34910000001", "id": message.wamid}, **extra
        )

    def replies(self):
        return self.messages.search([("method", "=", "answer")], order="id")


@tagged("post_install", "-at_install")
class TestAboutWhat(AnswerCommon):
    def setUp(self):
        super().setUp()
        self.old = self.make_due(2)
        self.reminder = self.remind(self.old)
        self.pay(self.old)
        self.new = self.make_due(1, amount=70.0)
        with freeze_time(self.today):
            self.run_plan()
        self.assertEqual(self.case(self.new).state, "active")

    def assert_untouched(self):
        self.assertEqual(self.case(self.new).state, "active")
        self.assertFalse(self.case(self.old))

    def test_a_tap_on_what_is_settled_touches_nothing_else(self):
        """A button on an old reminder disputed the newest invoice."""
        for kind in answers.KINDS:
            self.tap(self.reminder, kind)
            self.assert_untouched()

    def test_a_day_of_an_old_list_touches_nothing_else(self):
        self.tap(self.reminder, "promise", self.day(5))
        self.tap(self.reminder, "problem", about="amount")
        self.assert_untouched()

    def test_words_that_quote_what_is_settled_touch_nothing_else(self):
        for text in ("pagado", "I will pay on Friday", "problema", "why this?"):
            self.quote(self.reminder, text)
            self.assert_untouched()

    def test_it_is_noted_and_answered(self):
        row = self.tap(self.reminder, "paid")
        self.assertIn("settled", " ".join(self.old.message_ids.mapped("body")))
        self.assertIn("settled", self.replies()[-1].body)
        self.assertTrue(row.is_handled)
        self.assertIn("contact you", self._after(self.tap(self.reminder, "person")))

    def _after(self, _row):
        return self.replies()[-1].body


@tagged("post_install", "-at_install")
class TestAboutNothingWeKnow(AnswerCommon):
    """Somebody was reminded just now, and that is not what they answer."""

    def setUp(self):
        super().setUp()
        self.bea = self._make_customer("Bea", "+34600000066")
        self.mine, self.theirs = self.make_due(2), self.make_due(2, self.bea)
        self.reminder = self.remind(self.mine)
        self.assertEqual(self.reminder.state, "sent")

    def assert_untouched(self):
        for invoice in self.mine, self.theirs:
            self.assertEqual(self.case(invoice).state, "active")
            self.assertFalse(invoice.activity_ids)

    def test_a_quote_of_nothing_we_know_decides_nothing(self):
        for text in ("pagado", "I will pay on Friday", "problema", "why this?"):
            self.hear(text, context={"from": "34910000001", "id": "wamid.never"})
            self.assert_untouched()

    def test_a_quote_of_what_another_customer_got_decides_nothing(self):
        for text in ("pagado", "problema"):
            self.quote(self.reminders(self.bea), text)
            self.assert_untouched()

    def test_a_tap_that_names_nothing_we_know_decides_nothing(self):
        for kind in answers.KINDS:
            payload = answers.payload(kind, "00000000-0000-4000-8000-000000000000")
            self.hear(type="button", button={"payload": payload, "text": "x"})
            self.assert_untouched()


@tagged("post_install", "-at_install")
class TestAboutWhom(AnswerCommon):
    def test_a_quoted_invoice_is_what_it_is_about(self):
        """Of two open invoices, the one whose message is quoted."""
        first, second = self.make_due(2), self.make_due(3)
        self.attach_pdf(first)
        sent = self.send(first)
        self.drain()
        self.remind(first)
        self.quote(sent, "pagado")
        self.assertEqual(self.case(first).pause_reason, "claims_paid")
        self.assertEqual(self.case(second).state, "active")

    def test_an_answer_to_our_list_is_about_its_reminder(self):
        invoice = self.make_due(2)
        reminder = self.remind(invoice)
        self.tap(reminder, "promise")
        self.drain()
        self.make_due(-30)
        self.quote(self.replies()[-1], self.day(6).isoformat())
        self.assertEqual(self.case(invoice).promise_date, self.day(6))

    def test_an_answer_to_our_list_is_about_all_that_its_reminder_named(self):
        first, second = self.make_due(9), self.make_due(5)
        reminder = self.remind(first)
        self.assertEqual(len(reminder.collection_item_ids), 2)
        self.tap(reminder, "promise")
        self.drain()
        self.quote(self.replies()[-1], self.day(6).isoformat())
        for invoice in first, second:
            self.assertEqual(self.case(invoice).promise_date, self.day(6))

    def test_words_without_a_quote_are_about_what_was_asked_before_them(self):
        invoice = self.make_due(2)
        said_at = str(self.stamp(self.ago(hours=2)))
        self.remind(invoice)
        self.hear("pagado", timestamp=said_at)
        self.assertEqual(self.case(invoice).state, "active")

    def test_a_number_of_two_customers_decides_for_neither(self):
        """An answer is never hung on the wrong debtor."""
        twin = self._make_customer("Twin", "600 00 00 01")
        mine = self.make_due(2)
        theirs = self.make_due(2, twin)
        reminder = self.remind(mine)
        row = self.hear("pagado")
        self.assertFalse(row.partner_id)
        for invoice in mine, theirs:
            self.assertEqual(self.case(invoice).state, "active")
        self.assertFalse(row.is_handled)
        row = self.tap(reminder, "paid")
        self.assertEqual(row.partner_id, self.partner)
        self.assertEqual(self.case(mine).pause_reason, "claims_paid")
        self.assertEqual(self.case(theirs).state, "active")


@tagged("post_install", "-at_install")
class TestWhatIsNoAnswer(AnswerCommon):
    def setUp(self):
        super().setUp()
        self.invoice = self.make_due(2)
        self.reminder = self.remind(self.invoice)

    def test_what_nobody_said_pauses_nothing(self):
        """Welcome, system, unreadable, groups, reactions, and types
        that nobody has invented yet."""
        rows = (
            {"type": "request_welcome"},
            {"type": "system", "system": {"type": "user_identity_changed"}},
            {"type": "unsupported", "errors": [{"code": 131051}]},
            {"type": "unknown", "errors": [{"code": 131051, "details": "x"}]},
            {"type": "reaction", "reaction": {"message_id": "x", "emoji": "👍"}},
            {"type": "revoke", "revoke": {"original_message_id": "wamid.never"}},
            {"type": "edit", "edit": {"original_message_id": "wamid.never"}},
            {"type": "hologram", "hologram": {"body": "pagado"}},
            {"type": "text", "text": {"body": "pagado"}, "group_id": "Y2Fw"},
            {"type": "sticker", "sticker": {"id": "1"}},
            {
                "type": "interactive",
                "interactive": {"type": "call_permission_reply"},
            },
            {"type": "interactive", "errors": [{"code": 131000}]},
        )
        for row in rows:
            self.hear(**row)
            case = self.case(self.invoice)
            self.assertEqual(case.state, "active", row)
            self.assertFalse(self.invoice.activity_ids, row)
        self.assertFalse(self.replies())

    def test_who_only_opened_the_chat_has_not_answered(self):
        self.receive_statuses(self.status(self.reminder, "delivered"))
        plans = self.env["whatsapp.billing.collection.plan"]
        debtors = self.partner.ids

        def silent():
            self.env.flush_all()
            return plans._read_unanswered(self.company, debtors)

        self.assertTrue(silent())
        self.hear(type="request_welcome")
        self.assertTrue(silent())
        self.hear("hello")
        self.assertFalse(silent())

    def test_a_file_is_an_answer(self):
        self.hear(type="image", image={"caption": "slip"})
        self.assertEqual(self.case(self.invoice).pause_reason, "answered")

    def test_thanks_leaves_a_promise(self):
        """Thanks turned promised into paused, and it did not count as kept."""
        self.tap(self.reminder, "promise", self.day(3))
        case = self.case(self.invoice)
        for text in ("gracias", "ok", "👍🏽", "Muito obrigada!", "thank you!"):
            self.hear(text)
            self.assertEqual((case.state, case.promise_date), ("promised", self.day(3)))
        self.hear("I will send you the slip")
        self.assertEqual((case.state, case.promise_date), ("promised", self.day(3)))
        self.pay(self.invoice)
        self.assertEqual((case.state, case.promises_kept), ("done", 1))

    def test_thanks_pauses_nothing(self):
        self.quote(self.reminder, "muchas gracias")
        self.assertEqual(self.case(self.invoice).state, "active")

    def test_a_wish_to_pay_is_no_promise_in_words(self):
        """The chatter spoke of a date that nobody had named."""
        self.tap(self.reminder, "promise")
        bodies = " ".join(self.invoice.message_ids.mapped("body"))
        self.assertIn("has not said when", bodies)
        self.assertNotIn("promised to pay", bodies)

    def test_every_button_is_answered(self):
        """Two buttons met silence."""
        self.tap(self.reminder, "paid")
        self.assertIn("payment slip", self.replies()[-1].body)
        self.tap(self.reminder, "person")
        self.assertIn("working days", self.replies()[-1].body)
        self.drain()
        self.assertEqual(set(self.replies().mapped("state")), {"sent"})

    def test_words_in_notes_are_text(self):
        """HTML of customers was live in the notes of staff."""
        self.hear('<a href="http://evil.example">x</a><img src="//evil.example/i"/>')
        note = self.invoice.activity_ids.note
        self.assertNotIn("<a", note)
        self.assertNotIn("<img", note)
        self.assertIn("&lt;img", note)


@tagged("post_install", "-at_install")
class TestRevisedAnswers(AnswerCommon):
    def setUp(self):
        super().setUp()
        self.invoice = self.make_due(2)
        self.reminder = self.remind(self.invoice)

    def edit(self, text, target="wamid.W1", **extra):
        return self.hear(
            type="edit",
            edit={
                "original_message_id": target,
                "message": {"type": "text", "text": {"body": text}},
            },
            **extra,
        )

    def revoke(self, target="wamid.W1", **extra):
        return self.hear(type="revoke", revoke={"original_message_id": target}, **extra)

    def test_an_edited_answer_is_its_new_text(self):
        """From paid to a promise."""
        self.hear("ya pagué", wamid="wamid.W1")
        self.edit(self.day(4).isoformat())
        case = self.case(self.invoice)
        self.assertEqual((case.state, case.promise_date), ("promised", self.day(4)))
        first = self.messages.search([("wamid", "=", "wamid.W1")])
        self.assertEqual(first.body, "ya pagué")
        self.assertEqual(first.edited_body, self.day(4).isoformat())

    def test_a_withdrawn_answer_decides_nothing_anew(self):
        self.hear("ya pagué", wamid="wamid.W1")
        self.revoke()
        self.assertEqual(self.case(self.invoice).pause_reason, "claims_paid")
        first = self.messages.search([("wamid", "=", "wamid.W1")])
        self.assertTrue(first.is_withdrawn)

    def test_a_withdrawal_leaves_a_promise(self):
        self.hear(self.day(4).isoformat(), wamid="wamid.W1")
        self.revoke()
        case = self.case(self.invoice)
        self.assertEqual((case.state, case.promise_date), ("promised", self.day(4)))

    def test_of_two_edits_the_later_one_counts_whichever_comes_first(self):
        self.hear("hello", wamid="wamid.W1", timestamp=str(self.stamp() - 900))
        self.edit(self.day(9).isoformat(), timestamp=str(self.stamp() - 60))
        self.edit("ya pagué", timestamp=str(self.stamp() - 600))
        first = self.messages.search([("wamid", "=", "wamid.W1")])
        self.assertEqual(first.edited_body, self.day(9).isoformat())
        case = self.case(self.invoice)
        self.assertEqual((case.state, case.promise_date), ("promised", self.day(9)))
        self.edit("STOP", timestamp=str(self.stamp() - 500))
        self.assertEqual(first.edited_body, self.day(9).isoformat())
        self.assertEqual(self.partner.wab_opt_in_state["billing"], "withdrawn")

    def test_out_of_order(self):
        self.revoke()
        self.hear("ya pagué", wamid="wamid.W1")
        self.assertEqual(self.case(self.invoice).state, "active")
        self.edit(self.day(4).isoformat(), target="wamid.W2")
        self.assertEqual(self.case(self.invoice).state, "active")
        self.hear("ya pagué", wamid="wamid.W2")
        self.assertEqual(self.case(self.invoice).promise_date, self.day(4))


@tagged("post_install", "-at_install")
class TestWhatTheySaidLast(AnswerCommon):
    """An event that failed is applied up to two hours later, after newer answers."""

    def setUp(self):
        super().setUp()
        self.invoice = self.make_due(2)
        self.reminder = self.remind(self.invoice)
        self.said = {
            "the fifth": lambda **when: self.tap(
                self.reminder, "promise", self.day(5), **when
            ),
            "the ninth": lambda **when: self.hear(self.day(9).isoformat(), **when),
            "paid": lambda **when: self.tap(self.reminder, "paid", **when),
            "person": lambda **when: self.tap(self.reminder, "person", **when),
            "problem": lambda **when: self.tap(self.reminder, "problem", **when),
            "words": lambda **when: self.hear("why do you write?", **when),
        }

    def answer(self, *answers_in_turn):
        """Hear (what, seconds ago) from a case that runs; return the last row."""
        self.case(self.invoice)._resume()
        self.case(self.invoice).answered_at = False
        for name, ago in answers_in_turn:
            row = self.said[name](timestamp=str(self.stamp() - ago))
        return row

    def assert_stands(self, name):
        """Check that a case stands as after this answer alone."""
        case = self.case(self.invoice)
        day = case.promise_date if case.state == "promised" else False
        self.assertEqual(
            (case.state, case.pause_reason, day),
            {
                "the fifth": ("promised", False, self.day(5)),
                "the ninth": ("promised", False, self.day(9)),
                "paid": ("paused", "claims_paid", False),
                "person": ("paused", "wants_person", False),
                "problem": ("disputed", False, False),
            }[name],
        )

    def test_each_answer_decides_by_when_it_was_said(self):
        """But a dispute, which no words end, and words that say nothing plain."""
        for first, later, expected in (
            ("the fifth", "the ninth", "the ninth"),
            ("the ninth", "the fifth", "the fifth"),
            ("the fifth", "paid", "paid"),
            ("paid", "the ninth", "the ninth"),
            ("the fifth", "person", "person"),
            ("person", "the ninth", "the ninth"),
            ("person", "paid", "paid"),
            ("paid", "person", "person"),
            ("the fifth", "problem", "problem"),
            ("problem", "the fifth", "problem"),
            ("problem", "paid", "problem"),
            ("the fifth", "words", "the fifth"),
            ("paid", "words", "paid"),
        ):
            with self.subTest(first=first, later=later):
                self.answer((later, 60), (first, 600))
                self.assert_stands(expected)

    def test_a_person_reads_what_decides_nothing_any_more(self):
        row = self.answer(("paid", 60), ("the fifth", 600))
        self.assertFalse(row.is_handled)
        self.assertEqual(len(self.replies()), 1)

    def test_a_promise_noted_by_a_colleague_is_not_replaced_by_older_words(self):
        self.case(self.invoice).with_user(self.clerk).action_promise(self.day(9))
        self.said["the fifth"](timestamp=str(self.stamp() - 600))
        self.assertEqual(self.case(self.invoice).promise_date, self.day(9))
        self.said["the fifth"](timestamp=str(self.stamp() + 5))
        self.assertEqual(self.case(self.invoice).promise_date, self.day(5))

    def test_words_about_one_invoice_leave_the_answer_about_another(self):
        """Who wants to talk is left in peace, but where something newer was said."""
        other = self.make_due(3)
        self.run_plan()
        self.case(other)._promise(self.day(9))
        self.case(other).answered_at = self.ago(minutes=1)
        self.said["person"](timestamp=str(self.stamp() - 600))
        self.assertEqual(self.case(other).state, "promised")
        self.assertEqual(self.case(self.invoice).pause_reason, "wants_person")


@tagged("post_install", "-at_install")
class TestPausedByAPerson(AnswerCommon):
    """Somebody wants it quiet: the customer's words do not end that."""

    def setUp(self):
        super().setUp()
        self.invoice = self.make_due(2)
        self.reminder = self.remind(self.invoice)

    def pause(self, until=False):
        self.case(self.invoice).with_user(self.clerk).action_pause(until, "lawyer")

    def stop_and_start(self):
        for word, ago in (("STOP", 20), ("START", 10)):
            self.hear(word, timestamp=str(self.stamp() - ago))
        self.assertEqual(self.partner.wab_opt_in_state["billing"], "granted")

    def assert_paused(self, until=False):
        self.assertRecordValues(
            self.case(self.invoice),
            [
                {
                    "state": "paused",
                    "pause_reason": "manual",
                    "resume_on": until,
                    "pause_note": "lawyer",
                }
            ],
        )

    def test_a_promise_does_not_end_it(self):
        """After the promised day reminders went on, though a lawyer had it."""
        for until in (self.day(20), False):
            self.pause(until)
            self.tap(self.reminder, "promise", self.day(3))
            self.hear(self.day(4).isoformat())
            self.assert_paused(until)
            self.assertEqual(
                self.invoice.activity_ids.mapped("summary"), ["The customer will pay"]
            )
            self.assertIn("Somebody will contact you", self.replies()[-1].body)

    def test_stop_and_start_do_not_end_it(self):
        for until in (self.day(20), False):
            self.pause(until)
            self.stop_and_start()
            self.assert_paused(until)

    def test_a_stop_holds_when_it_ends(self):
        self.pause(self.day(7))
        self.hear("STOP")
        self.run_plan(8)
        self.assertEqual(len(self.reminders()), 1)

    def test_a_wish_to_pay_is_no_promise_after_stop_and_start(self):
        self.tap(self.reminder, "promise")
        before = self.invoice.message_ids
        self.stop_and_start()
        self.assertEqual(self.case(self.invoice).state, "promised")
        lines = " ".join((self.invoice.message_ids - before).mapped("body"))
        self.assertNotIn("promised to pay on", lines)


@tagged("post_install", "-at_install")
class TestTheirClock(AnswerCommon):
    """A plan in Madrid; words mean what they meant when they were written."""

    @staticmethod
    def at(text):
        moment = datetime.fromisoformat(text).replace(tzinfo=timezone.utc)
        return str(int(moment.timestamp()))

    def remind_at(self, text):
        self.today = datetime.fromisoformat(text).date()
        self.invoice = self.make_due(2)
        self.enterContext(freeze_time(text))
        self.plan.with_user(self.manager).action_run(False)
        self.drain()
        self.env.cr.execute(
            "UPDATE whatsapp_billing_message SET queued_at = %s, sent_at = %s",
            [text, text],
        )
        self.env.invalidate_all()
        self.case_ = self.case(self.invoice)
        self.assertEqual(self.reminders().state, "sent")

    def test_tomorrow_came_too_late(self):
        """The word mañana of the 1st, delivered on the 4th, promised the 5th."""
        self.remind_at("2027-02-01 08:00:00")
        with freeze_time("2027-02-04 10:00:00"):
            self.hear("mañana", timestamp=self.at("2027-02-01 09:00"))
        self.assertEqual(self.case_.state, "paused")
        self.assertEqual(len(self.invoice.activity_ids), 1)
        self.assertFalse(self.replies())

    def test_a_day_still_to_come_stands_without_an_answer(self):
        self.remind_at("2027-02-01 08:00:00")
        with freeze_time("2027-02-04 10:00:00"):
            self.hear("el 10 de febrero", timestamp=self.at("2027-02-01 09:00"))
        self.assertEqual(self.case_.promise_date.isoformat(), "2027-02-10")
        self.assertFalse(self.replies())

    def test_buttons_read_too_late_are_not_answered(self):
        self.remind_at("2027-02-01 08:00:00")
        with freeze_time("2027-02-04 10:00:00"):
            for kind in answers.KINDS:
                self.tap(self.reminders(), kind, timestamp=self.at("2027-02-01 09:00"))
        self.assertFalse(self.replies())

    def test_an_answer_that_waited_past_the_window_is_not_sent(self):
        self.remind_at("2027-02-01 08:00:00")
        with freeze_time("2027-02-01 10:00:00"):
            self.hear("el 10 de febrero", timestamp=self.at("2027-02-01 09:00"))
        waiting = self.replies()
        self.assertEqual(waiting.state, "queued")
        with freeze_time("2027-02-02 10:00:00"):
            self.drain()
        self.assertRecordValues(
            waiting, [{"state": "canceled", "reason": "window_closed"}]
        )

    def test_tomorrow_is_where_they_are(self):
        """Half past midnight in Mexico is the day before in Greenwich... and Madrid."""
        mexico = self._make_customer("Mex", "+525512345678")
        mexico.country_id = self.env.ref("base.mx")
        self.today = datetime.fromisoformat("2027-02-01").date()
        self.enterContext(freeze_time("2027-02-02 03:00:00"))
        invoice = self.make_due(2, mexico)
        self.plan.with_user(self.manager).action_run(False)
        self.drain()
        # It is still 1 February there.
        self.hear(
            "mañana", sender="5215512345678", timestamp=self.at("2027-02-02 03:30")
        )
        self.assertEqual(self.case(invoice).promise_date.isoformat(), "2027-02-02")

    def test_the_window_counts_from_their_time(self):
        wallet = self.env["whatsapp.billing.credit.wallet"].sudo()
        item = type("Item", (), {"recipient": "+34600000001"})()
        self.hear("hello", timestamp=self.stamp(self.ago(hours=30)))
        self.assertFalse(wallet._get_open_windows([item]))
        self.hear(type="request_welcome")
        self.assertFalse(wallet._get_open_windows([item]))
        self.hear("hello", timestamp=self.stamp(self.ago(hours=2)))
        self.assertTrue(wallet._get_open_windows([item]))

    def test_a_stop_counts_when_it_was_said(self):
        """An older STOP that comes after a newer START stops nothing."""
        late = self._make_customer("Late", "+34600000077", wab_enabled=False)
        for word, hours, state in (
            ("alta", 2, "granted"),
            ("baja", 3, "granted"),
            ("baja", 1, "withdrawn"),
            ("alta", 2, "withdrawn"),
        ):
            self.hear(
                word,
                sender="34600000077",
                timestamp=str(self.stamp(self.ago(hours=hours))),
            )
            self.assertEqual(late.wab_opt_in_state["billing"], state, (word, hours))
