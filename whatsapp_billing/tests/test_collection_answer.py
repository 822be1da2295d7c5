# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import json

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from ..rules import answers
from .collection_common import MANY_BODY, CollectionCommon


@tagged("post_install", "-at_install")
class TestCollectionAnswer(CollectionCommon):
    def setUp(self):
        super().setUp()
        self.invoice = self.make_due(2)
        self.accept_everything()
        self.run_plan()
        self.drain()
        self.reminder = self.reminders()
        self.assertEqual(self.reminder.state, "sent")

    sender = "34600000001"

    def tap(self, kind, day=None, wamid="wamid.tap1"):
        """Press a quick reply of the reminder on the customer's phone."""
        value = answers.payload(kind, self.reminder.uuid, day)
        self.receive_text(
            "",
            sender=self.sender,
            wamid=wamid,
            type="button",
            button={"payload": value, "text": "..."},
            context={"from": "34910000001", "id": self.reminder.wamid},
        )

    def replies(self):
        return self.messages.search(
            [("method", "=", "answer"), ("partner_id", "=", self.partner.id)],
            order="id",
        )

    def test_a_promise_pauses_at_once_and_offers_days(self):
        self.tap("promise")
        case = self.case(self.invoice)
        self.assertEqual((case.state, case.promise_date), ("promised", self.day(3)))
        offer = self.replies()
        self.assertEqual(len(offer.content["rows"]), 7)
        self.drain()
        sent = json.loads(json.dumps(self.sent_calls()[-1].json))
        self.assertEqual(sent["type"], "interactive")
        rows = sent["interactive"]["action"]["sections"][0]["rows"]
        chosen = answers.read_payload(rows[3]["id"])
        self.receive_text(
            "",
            wamid="wamid.list1",
            type="interactive",
            interactive={
                "type": "list_reply",
                "list_reply": {"id": rows[3]["id"], "title": rows[3]["title"]},
            },
        )
        self.assertEqual(case.promise_date, chosen.day)
        self.assertEqual(case.promise_date, self.day(5))
        self.assertEqual(len(self.replies()), 2)

    def test_a_reply_is_decided_priced_and_told_like_any_message(self):
        self.tap("promise")
        reply = self.replies()
        self.assertEqual(reply.state, "queued")
        asked = {rule["rule"]: rule["passed"] for rule in reply.trace}
        self.assertTrue(asked["not_opted_out"] and asked["account_active"])
        self.assertEqual(reply.consent_id, self.reminder.consent_id)
        self.assertTrue(reply.consent_id.granted)
        self.assertEqual(reply.credit_entry_ids.mapped("kind"), ["reserve"])
        self.assertEqual(reply.credit_entry_ids.category, "service")
        self.assertEqual(reply.mail_message_id.res_id, self.invoice.id)
        self.assertEqual(reply.document_name, self.invoice.name)
        self.assertEqual(reply.person_key, self.reminder.person_key)

    def test_a_reply_that_may_not_go_is_a_row_with_its_reason(self):
        """Decided when it is made: the claim would have said the same."""
        self.partner.wab_enabled = False
        self.tap("promise")
        reply = self.replies()
        self.assertRecordValues(reply, [{"state": "canceled", "reason": "not_enabled"}])
        self.assertFalse(reply.mail_message_id)
        self.assertFalse(reply.credit_entry_ids)

    def test_a_reply_waits_for_an_account_that_is_stopped(self):
        self.account.sudo().state = "inactive"
        self.tap("promise")
        reply = self.replies()
        self.assertRecordValues(
            reply, [{"state": "held", "reason": "account_inactive"}]
        )

    def test_a_typed_date_is_a_promise(self):
        self.receive_text(self.day(6).isoformat())
        case = self.case(self.invoice)
        self.assertEqual((case.state, case.promise_date), ("promised", self.day(6)))

    def test_a_day_that_has_passed_is_asked_for_again(self):
        self.tap("promise", self.day(-1))
        case = self.case(self.invoice)
        self.assertEqual((case.state, case.promise_date), ("promised", self.day(3)))
        self.assertEqual(len(self.replies().content["rows"]), 7)
        self.run_plan(1)
        self.assertEqual(case.promises_broken, 0)

    def test_a_number_may_be_spelled_another_way_when_it_writes(self):
        for number, sender in (
            ("+5215512345678", "5215512345678"),
            ("+5511987654321", "551187654321"),
        ):
            invoice = self.make_due(2, self._make_customer(sender, number))
            self.run_plan()
            self.drain()
            self.receive_text(
                self.day(6).isoformat(), sender=sender, wamid=f"wamid.{sender}"
            )
            self.assertEqual(self.case(invoice).state, "promised")

    def test_already_paid_pauses_and_asks_a_person(self):
        self.tap("paid")
        case = self.case(self.invoice)
        self.assertEqual((case.state, case.pause_reason), ("paused", "claims_paid"))
        self.assertEqual(len(self.invoice.activity_ids), 1)
        self.assertFalse(case.resume_on)

    def test_a_problem_disputes_only_what_was_named(self):
        other = self.make_due(-30)
        self.tap("problem")
        self.assertEqual(self.case(self.invoice).state, "disputed")
        self.assertTrue(self.case(self.invoice).dispute_user_id)
        self.assertEqual(self.case(other).state, "active")

    def test_a_problem_is_asked_for_and_said(self):
        self.env["res.lang"]._activate_lang("es_ES")
        self.partner.lang = "es_ES"
        self.tap("problem")
        offer = self.replies()
        self.assertIn("¿Qué está mal?", offer.body)
        rows = offer.content["rows"]
        self.assertEqual(len(rows), 4)
        self.assertTrue(all(len(title) <= 24 for _id, title in rows))
        self.drain()
        sent = self.sent_calls()[-1].json["interactive"]["action"]["sections"][0]
        self.receive_text(
            "",
            wamid="wamid.list2",
            type="interactive",
            interactive={
                "type": "list_reply",
                "list_reply": {
                    "id": sent["rows"][0]["id"],
                    "title": sent["rows"][0]["title"],
                },
            },
        )
        case = self.case(self.invoice)
        self.assertRecordValues(
            case, [{"state": "disputed", "dispute_reason": "The amount is wrong"}]
        )
        self.assertIn("Gracias", self.replies()[-1].body)
        self.assertEqual(len(self.invoice.activity_ids), 1)

    def test_talking_pauses_everything_of_the_customer(self):
        other = self.make_due(-30)
        self.tap("person")
        for invoice in (self.invoice, other):
            self.assertEqual(self.case(invoice).pause_reason, "wants_person")

    def test_any_other_text_pauses_for_some_days(self):
        self.receive_text("The goods came late, as I told your colleague")
        case = self.case(self.invoice)
        self.assertEqual((case.state, case.pause_reason), ("paused", "answered"))
        self.assertEqual(case.resume_on, self.day(7))
        self.run_plan(6)
        self.assertEqual(len(self.reminders()), 1)
        self.run_plan(7)
        self.assertEqual(case.state, "active")
        self.assertEqual(len(self.reminders()), 2)

    def test_stop_is_an_opt_out_and_no_answer(self):
        self.receive_text("STOP")
        case = self.case(self.invoice)
        self.assertEqual((case.state, case.pause_reason), ("paused", "opted_out"))
        self.assertFalse(case.resume_on)
        self.assertFalse(self.replies())

    def test_the_same_tap_twice_acts_once(self):
        self.tap("promise")
        self.tap("promise")
        self.assertEqual(len(self.replies()), 1)

    def test_a_stranger_who_writes_changes_nothing(self):
        self.receive_text("hello", sender="34600999888", wamid="wamid.in9")
        self.assertEqual(self.case(self.invoice).state, "active")

    def test_answers_to_reminders_by_hand_reach_who_sent_them(self):
        self.plan.stage = "off"
        for kind, words in (
            ("paid", "says it is paid"),
            ("promise", "will pay"),
            ("problem", "problem"),
            ("person", "talk"),
        ):
            invoice = self.make_due(2, self._make_customer(kind, "+34600000066"))
            # As they tap it: from the phone that got it.
            self.sender = "34600000066"
            invoice.with_user(self.clerk).wab_remind()
            self.drain()
            self.reminder = self.reminders()[-1]
            self.tap(kind, wamid=f"wamid.{kind}")
            self.assertFalse(self.case(invoice))
            self.assertIn(words, invoice.activity_ids.summary)
            self.assertEqual(invoice.activity_ids.user_id, self.clerk)
        self.assertEqual(len(self.replies_to("promise").content["rows"]), 7)

    def replies_to(self, name):
        return self.messages.search(
            [("method", "=", "answer"), ("partner_id.name", "=", name)]
        )

    def test_an_answer_after_paying_changes_nothing(self):
        self.pay(self.invoice)
        self.tap("problem")
        self.assertFalse(self.case(self.invoice))
        self.assertFalse(self.invoice.activity_ids)


@tagged("post_install", "-at_install")
class TestCollectionTruth(CollectionCommon):
    """The last look, in the transaction that sends."""

    def setUp(self):
        super().setUp()
        self.accept_everything()
        self.invoice = self.make_due(1)
        self.run_plan()

    def assert_not_sent(self, reason):
        self.assertEqual(self.drain(), 0)
        self.assertRecordValues(
            self.reminders(), [{"state": "canceled", "reason": reason}]
        )
        self.assertFalse(self.sent_calls())

    def assert_said_anew(self, amount):
        """Tell that the old text did not go and one that is true did, once."""
        old = self.reminders()
        self.assertEqual(self.drain(), 1)
        new = self.reminders() - old
        self.assertRecordValues(
            old + new,
            [
                {"state": "canceled", "reason": "superseded", "replaces_id": False},
                {"state": "sent", "reason": False, "replaces_id": old.id},
            ],
        )
        self.assertEqual(sum(new.collection_item_ids.mapped("amount")), amount)
        self.assertEqual(len(self.sent_calls()), 1)
        self.run_plan()
        self.assertEqual(self.drain(), 0)
        return new

    def requeue(self):
        """Undo what a hook did at once: only the last look is left to notice."""
        self.reminders().write({"state": "queued", "reason": False})

    def test_true_ones_go(self):
        self.assertEqual(self.drain(), 1)

    def test_paid_meanwhile(self):
        self.pay(self.invoice)
        self.requeue()
        self.assert_not_sent("already_paid")

    def test_part_paid_meanwhile_is_no_longer_true(self):
        payment = self.pay(self.invoice, 30.0)
        if self.invoice.payment_state == "in_payment":
            self.requeue()
            self.assert_not_sent("already_paid")
            return
        self.assertTrue(payment)
        self.requeue()
        self.assert_said_anew(70.0)

    def test_credited_meanwhile(self):
        self.invoice._reverse_moves(cancel=True)
        self.requeue()
        self.assert_not_sent("already_paid")

    def test_a_credit_note_that_comes_meanwhile(self):
        self._make_invoice(amount=30.0, move_type="out_refund")
        again = self.assert_said_anew(70.0)
        self.assertIn("credit", again.collection_item_ids.mapped("role"))

    def test_paused_meanwhile_by_sql_alone(self):
        self.case(self.invoice).write({"state": "paused"})
        self.assert_not_sent("paused")

    def test_disputed_meanwhile_by_sql_alone(self):
        self.case(self.invoice).write({"state": "disputed"})
        self.assert_not_sent("disputed")

    def test_pending_online_payment(self):
        provider = self.env["payment.provider"].sudo().search([], limit=1)
        methods = self.env["payment.method"].sudo().with_context(active_test=False)
        method = methods.search([], limit=1)
        self.env["payment.transaction"].sudo().create(
            {
                "provider_id": provider.id,
                "payment_method_id": method.id,
                "reference": "T1",
                "amount": 100.0,
                "currency_id": self.invoice.currency_id.id,
                "partner_id": self.partner.id,
                "state": "pending",
                "invoice_ids": [Command.set(self.invoice.ids)],
            }
        )
        self.assert_not_sent("already_paid")

    def test_a_bank_line_that_fits(self):
        self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.company_data["default_journal_bank"].id,
                "date": self.today,
                "payment_ref": f"Transfer {self.invoice.name}",
                "amount": self.invoice.amount_residual,
            }
        )
        self.assert_not_sent("already_paid")
        rule = self.reminders().trace[-1]
        self.assertEqual((rule["rule"], rule["passed"]), ("no_bank_match", False))
        self.run_plan(1)
        self.assertEqual(self.case(self.invoice).reason, "probably_paid")

    def test_what_never_left_takes_its_step_back(self):
        self.case(self.invoice).write({"state": "disputed"})
        self.drain()
        case = self.case(self.invoice)
        self.assertFalse(case.last_date)
        case.action_resume()
        self.run_plan(1)
        self.assertEqual(self.drain(), 1)
        self.assertEqual(case.last_step_days, 1)


@tagged("post_install", "-at_install")
class TestCollectionByHand(CollectionCommon):
    def test_remind_uses_the_reminder_template_and_takes_the_day(self):
        invoice = self.make_due(-10)
        result = invoice.with_user(self.clerk).wab_remind()
        self.assertEqual([r["state"] for r in result], ["queued"])
        message = self.reminders()
        self.assertEqual(message.template_id, self.templates["payment_reminder"])
        self.assertEqual(message.purpose, "collections")
        self.assertEqual(message.collection_item_ids.role, "due")
        self.make_due(1)
        self.run_plan()
        self.assertEqual(len(self.reminders()), 1)

    def test_remind_refuses_with_reasons(self):
        paid, paused, disputed = (self.make_due(1) for _n in range(3))
        refund = self._make_invoice(move_type="out_refund")
        self.pay(paid)
        self.case(paused).action_pause()
        self.case(disputed).action_dispute("wrong")
        moves = paid | paused | disputed | refund
        result = moves.with_user(self.clerk).wab_remind()
        self.assertEqual(
            {r["id"]: r["reason"] for r in result},
            {
                paid.id: "already_paid",
                paused.id: "paused",
                disputed.id: "disputed",
                refund.id: "wrong_document_type",
            },
        )
        self.assertTrue(all(r["detail"] for r in result))

    def make_luis(self):
        return self.env["res.partner"].create(
            {"name": "Luis", "phone": "+34 600 10 00 77", "wab_enabled": True}
        )

    def remind(self, moves, **values):
        return moves.with_user(self.clerk).wab_remind(**values)

    def test_several_invoices_of_a_customer_are_one_message(self):
        newer, older = self.make_due(1, amount=50.0), self.make_due(9, amount=70.0)
        other = self.make_due(1, self.make_luis())
        results = self.remind(newer | older | other)
        messages = self.reminders()
        self.assertEqual(len(messages), 2)
        joint = self.reminders(self.partner)
        self.assertEqual(joint.template_id, self.many)
        self.assertEqual(joint.res_id, older.id, "the oldest carries it")
        for text in (newer.name, older.name, "120.00"):
            self.assertIn(text, joint.body)
        self.assertEqual(
            {r["id"]: r["message_id"] for r in results},
            {
                newer.id: joint.id,
                older.id: joint.id,
                other.id: (messages - joint).id,
            },
        )
        self.assertEqual(joint.collection_item_ids.move_line_id.move_id, newer | older)
        self.accept_everything()
        self.assertEqual(self.drain(), 2, "all its lines are as it says")

    def test_who_is_named_among_others_finds_the_message(self):
        newer, older = self.make_due(1), self.make_due(9)
        silent = self.make_due(1, self.make_luis())
        self.remind(newer | older)
        clerk = newer.with_user(self.clerk)
        self.assertEqual((clerk.wab_message_count, clerk.wab_state), (1, "queued"))
        self.assertEqual(clerk.wab_mentioned_in_ids.sudo(), self.reminders())
        self.assertFalse(older.with_user(self.clerk).wab_mentioned_in_ids)
        self.assertEqual(
            self.messages.search(clerk.action_wab_messages()["domain"]),
            self.reminders(),
        )
        moves = self.env["account.move"].with_user(self.clerk)
        ours = [("id", "in", (newer | older | silent).ids)]
        self.assertEqual(
            moves.search([*ours, ("wab_state", "=", "queued")]), newer | older
        )
        self.assertEqual(moves.search([*ours, ("wab_state", "=", False)]), silent)

    def test_what_is_held_stays_out_of_the_joint_message(self):
        first, second, paused = (self.make_due(days) for days in (1, 2, 3))
        self.case(paused).action_pause()
        results = {r["id"]: r for r in self.remind(first | second | paused)}
        self.assertEqual(results[paused.id]["reason"], "paused")
        self.assertEqual(
            results[first.id]["message_id"], results[second.id]["message_id"]
        )
        self.assertNotIn(
            paused.name, self.messages.browse(results[first.id]["message_id"]).body
        )

    def test_without_a_template_for_several_each_is_its_own(self):
        self.many.status = "paused"
        first, second = self.make_due(1), self.make_due(2)
        results = self.remind(first | second)
        self.assertEqual(len({r["message_id"] for r in results}), 2)

    def test_a_template_for_several_is_enough(self):
        self.templates["payment_reminder"].status = "paused"
        first, second = self.make_due(1), self.make_due(2)
        results = self.remind(first | second)
        self.assertEqual({r["state"] for r in results}, {"queued"})
        self.assertEqual(self.reminders().template_id, self.many)

    def test_an_invoice_that_is_named_twice_is_one(self):
        first, second = self.make_due(1), self.make_due(2)
        twice = first.browse([first.id, second.id, first.id])
        self.assertEqual(len(self.remind(twice)), 2)
        self.assertEqual(len(self.reminders()), 1)
        self.assertEqual(len(self.remind(first.browse([first.id, first.id]))), 1)

    def test_everybody_reads_of_their_own_invoices_only(self):
        luis = self.make_luis()
        both, mine, his = (self.make_due(days) for days in (3, 2, 1))
        both.wab_recipient_ids = self.partner | luis
        mine.wab_recipient_ids = self.partner
        his.wab_recipient_ids = luis
        self.remind(both | mine | his)
        for partner, named, other in (self.partner, mine, his), (luis, his, mine):
            message = self.reminders(partner)
            self.assertIn(named.name, message.body)
            self.assertNotIn(other.name, message.body)
            self.assertEqual(
                message.collection_item_ids.move_line_id.move_id, both | named
            )

    def test_a_template_for_one_that_was_asked_for_is_used(self):
        first, second = self.make_due(1), self.make_due(2)
        one = self.templates["payment_reminder"]
        results = self.remind(first | second, template=one.id)
        self.assertEqual(len({r["message_id"] for r in results}), 2)

    def test_a_joint_message_that_is_too_long_is_not_made(self):
        moves = self.env["account.move"].union(
            *(self.make_due(days) for days in range(1, 5))
        )
        self.many.write(
            {"body": f"{MANY_BODY} {'x' * 900}", "remote_components": False}
        )
        self.many.remote_components = self.many._components()
        results = self.remind(moves)
        self.assertEqual(len({r["message_id"] for r in results}), 4)
        self.assertEqual({r["state"] for r in results}, {"queued"})

    def test_with_a_key_each_has_its_own_result(self):
        first, second = self.make_due(1), self.make_due(2)
        both = self.remind(first | second, key="k")
        self.assertEqual(len({r["message_id"] for r in both}), 2)
        self.assertEqual(self.remind(second, key="k"), [both[1]])
        self.assertEqual(len(self.reminders()), 2)

    def test_remind_with_a_key_once(self):
        invoice = self.make_due(1)
        first = invoice.with_user(self.clerk).wab_remind(key="k")
        again = invoice.with_user(self.clerk).wab_remind(key="k")
        self.assertEqual(first, again)
        self.assertEqual(len(self.reminders()), 1)
        with freeze_time(self.day(1)):
            invoice.with_user(self.clerk).wab_remind(key="k")
        self.assertEqual(self.followups.search([]).mapped("day"), [self.today])

    def test_remind_takes_the_day_of_whom_it_goes_to(self):
        held = self.make_due(1, self._make_customer("Bea", "+34600000066"))
        self.case(held).with_user(self.clerk).action_pause()
        (self.make_due(1) | held).with_user(self.clerk).wab_remind()
        self.assertEqual(self.followups.search([]).debtor_id, self.partner)

    def receipts(self):
        return self.messages.search(
            [("document_type", "=", "payment_receipt"), ("state", "!=", "canceled")]
        )

    def test_receipts_by_themselves_once_whole_and_part(self):
        self.company.wab_auto_receipt = True
        template = self.templates["payment_receipt"]
        variable = template.variable_ids.filtered(lambda v: v.position == 3)
        variable.sudo().field_path = "wab_still_open"
        invoice = self.make_due(1, amount=100.0)
        payment = self.pay(invoice, 40.0)
        self.assertEqual(len(self.receipts()), 1)
        self.assertIn("60.00", self.receipts().body)
        self.assertEqual(self.receipts().res_id, payment.id)
        payment.action_draft()
        payment.action_post()
        self.assertEqual(len(self.receipts()), 1)
        rest = self.pay(invoice, 60.0)
        self.assertEqual(len(self.receipts()), 2)
        last = self.receipts().filtered(lambda m: m.res_id == rest.id)
        self.assertNotIn("60.00", last.body)

    def test_no_receipts_unless_wanted_nor_to_vendors(self):
        self.pay(self.make_due(1))
        self.assertFalse(self.receipts())
        self.company.wab_auto_receipt = True
        bill = self._make_invoice(move_type="in_invoice")
        self.pay(bill)
        self.assertFalse(self.receipts())
