# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""An invoice, a number or a company that is corrected: to nobody else, from nobody else."""

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from .rights_common import RightsCommon
from .test_collection_inbound import AnswerCommon
from .test_inbound import InboundCommon


def hand_over(invoice, partner):
    """Correct the customer of an invoice, as a clerk does."""
    due = invoice.invoice_date_due
    invoice.button_draft()
    invoice.partner_id = partner
    invoice.invoice_date_due = due
    invoice.action_post()


@tagged("post_install", "-at_install")
class TestAnotherCustomersByNow(AnswerCommon):
    """An invoice was written to the wrong customer, and is corrected."""

    def setUp(self):
        super().setUp()
        self.bea = self._make_customer("Bea", "+34600000066")

    def drain_all(self):
        self.drain()
        self.run_cron()
        self.drain()

    def told_and_handed_over(self):
        invoice = self.make_due(2)
        reminder = self.remind(invoice)
        self.assertEqual(reminder.partner_id, self.partner)
        hand_over(invoice, self.bea)
        other = self.make_due(3, self.bea)
        self.followups.search([]).unlink()
        self.run_plan()
        self.assertEqual(self.case(invoice).debtor_id, self.bea)
        return reminder, invoice, other

    def assert_untouched(self, *invoices):
        for invoice in invoices:
            self.assertEqual(self.case(invoice).state, "active")
            self.assertFalse(invoice.activity_ids)

    def test_a_tap_of_the_former_customer_decides_nothing(self):
        for kind in ("paid", "promise", "problem", "person"):
            with self.subTest(kind), self.env.cr.savepoint() as savepoint:
                reminder, invoice, other = self.told_and_handed_over()
                self.tap(reminder, kind)
                self.assert_untouched(invoice, other)
                savepoint.rollback()

    def test_words_of_the_former_customer_stand_on_no_document_of_another(self):
        _reminder, invoice, other = self.told_and_handed_over()
        row = self.hear("My illness is nobody's business")
        self.assert_untouched(invoice, other)
        for move in invoice | other:
            texts = [
                *move.message_ids.mapped("body"),
                *move.activity_ids.mapped("note"),
            ]
            self.assertNotIn("illness", " ".join(map(str, texts)))
        self.assertFalse(row.is_handled, "somebody is told of it")

    def test_words_about_a_settled_one_stand_on_no_document_of_another(self):
        invoice = self.make_due(2)
        reminder = self.remind(invoice)
        hand_over(invoice, self.bea)
        self.pay(invoice)
        self.quote(reminder, "My illness is nobody's business")
        self.assertNotIn("illness", " ".join(invoice.message_ids.mapped("body")))

    def test_a_joint_reminder_does_not_list_another_customer_s_invoice(self):
        """A bookkeeper who was chosen on both of Ana's invoices."""
        leo = self._make_customer("Leo", "+34600000077")
        moves = self.make_due(9) | self.make_due(5)
        moves.wab_recipient_ids = leo
        moves.with_user(self.clerk).wab_remind()
        old = self.reminders()
        self.assertEqual(old.partner_id, leo)
        hand_over(moves[1], self.bea)
        self.drain_all()
        for message in self.reminders().filtered(lambda m: m.state == "sent"):
            self.assertNotIn(moves[1].name, message.body)

    def test_a_reminder_by_hand_goes_to_nobody_whom_no_one_chose(self):
        """As an invoice that is another customer's by now, it asks a person."""
        move = self.make_due(9)
        move.with_user(self.clerk).wab_remind()
        hand_over(move, self.bea)
        self.drain_all()
        self.assertFalse(self.reminders(self.bea))
        self.assertEqual(move.activity_ids.user_id, self.clerk)

    def test_what_one_customer_said_does_not_hold_for_another(self):
        for kind in ("paid", "promise", "problem"):
            with self.subTest(kind), self.env.cr.savepoint() as savepoint:
                invoice = self.make_due(2)
                self.tap(self.remind(invoice), kind)
                hand_over(invoice, self.bea)
                case = self.case(invoice)
                self.assertEqual(case.debtor_id, self.bea)
                self.assertEqual(case.state, "active")
                self.assertFalse(case.promise_date or case.dispute_reason)
                self.assertFalse(
                    case.last_step_days, "their first reminder is the first"
                )
                savepoint.rollback()

    def test_before_the_night_their_answers_touch_it_neither(self):
        """Until the nightly run the case was still the former customer's."""
        invoice, mine = self.make_due(2), self.make_due(3)
        reminder = self.remind(invoice)
        hand_over(invoice, self.bea)
        self.tap(reminder, "person")
        self.assertEqual(self.case(mine).pause_reason, "wants_person")
        self.assert_untouched(invoice)

    def test_who_was_chosen_for_another_customer_gets_nothing(self):
        """Nobody looks at the list again when the customer on the form is corrected."""
        leo = self._make_customer("Ana's husband", "+34600000077")
        invoice = self.init_invoice(
            "out_invoice", partner=self.partner, amounts=[100.0], company=self.company
        )
        invoice.with_user(self.clerk).wab_recipient_ids = leo
        invoice.with_user(self.clerk).partner_id = self.bea
        invoice.with_user(self.clerk).action_post()
        self.attach_pdf(invoice)
        message = self.send(invoice)
        self.assertEqual(message.partner_id, self.bea)


@tagged("post_install", "-at_install")
class TestHandedToAnotherCompany(InboundCommon):
    def test_an_id_of_the_provider_finds_no_contact_of_another_company(self):
        zoe = self._make_customer("Zoe", "+34600000088")
        uid = "ES.1234567890"
        hello = {"id": "wamid.in1", "type": "text", "text": {"body": "Hello"}}
        self.receive_messages({**hello, "from_user_id": uid, "from": "34600000088"})
        first = self.inbound()
        self.assertEqual(first.partner_id, zoe)
        self.assertEqual(first.recipient_uid, uid)
        other = self.env["res.company"].create({"name": "Elsewhere"})
        zoe.company_id = other
        second = {**hello, "id": "wamid.in2", "from_user_id": uid}
        self.assertTrue(
            self.receive(
                self.value(messages=[{**second, "timestamp": str(self.stamp())}])
            )
        )
        self.process_inbox()
        message = self.inbound("wamid.in2")
        self.assertTrue(message)
        self.assertFalse(message.partner_id, "a contact of another company")
        agent = self._make_user(
            "attack4_agent", "base.group_user,whatsapp_billing.group_agent"
        )
        self.assertTrue(message.with_user(agent).has_access("read"))


@tagged("post_install", "-at_install")
class TestWhoLeft(RightsCommon):
    def setUp(self):
        super().setUp()
        self.secret = self._make_customer(
            "Private Of A", "+34600000099", company_id=self.company.id
        )
        invoice = self._make_invoice(self.secret)
        (result,) = self._as(invoice, "clerk").wab_send()
        messages = self.env["whatsapp.billing.message"].sudo()
        self.message = messages.browse(result["message_id"])
        self.user = self.users["clerk"].sudo()

    def _fail(self):
        self.message.state = "failed"
        self.message._after_state_change()
        self.env.flush_all()
        self.env.invalidate_all()

    def test_who_left_lists_no_failures_of_the_company(self):
        self._fail()
        self.user.write(
            {
                "company_ids": [Command.set(self.other_company.ids)],
                "company_id": self.other_company.id,
            }
        )
        self.env.flush_all()
        self.env.invalidate_all()
        mine = self._as(self.env["mail.notification"], "clerk")
        self.assertFalse(
            mine.search_read(
                [("notification_type", "=", "whatsapp_billing")], ["res_partner_id"]
            )
        )

    def test_no_ticks_of_what_one_may_not_read_any_more(self):
        self.user.group_ids = [Command.set(self.env.ref("base.group_user").ids)]
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            self._as(self.message, "clerk").read(["state"])
        told = []
        self.patch(
            type(self.env["res.partner"]),
            "_bus_send",
            lambda partner, *args, **_kw: told.append((partner, args)),
        )
        self.message.write({"state": "failed", "error_code": "131026"})
        self.message._notify_ticks()
        self.assertFalse([t for t in told if t[0] == self.user.partner_id])

    def test_nobody_forges_a_failure_to_silence_the_real_one(self):
        line = self.message.mail_message_id
        colleague = self._as(self.env["mail.notification"], "accountant")
        values = {
            "mail_message_id": line.id,
            "notification_type": "whatsapp_billing",
            "notification_status": "sent",
            "author_id": self.users["accountant"].partner_id.id,
            "res_partner_id": self.secret.id,
        }
        with self.assertRaises(AccessError):
            colleague.create(values)
        self._fail()
        told = line.sudo().notification_ids.filtered(
            lambda n: n.notification_status == "exception"
        )
        self.assertEqual(told.author_id, self.user.partner_id)


@tagged("post_install", "-at_install")
class TestNumberCorrected(AnswerCommon):
    def test_the_stranger_who_got_it_by_a_mistyped_number_decides_nothing(self):
        """A reminder went to a mistyped number; it is corrected; the stranger answers."""
        invoice = self.make_due(2)
        self.remind(invoice)
        self.partner.with_user(self.env.user).phone = "+34600000055"
        row = self.hear("pagado")
        self.assertFalse(row.partner_id)
        self.assertEqual(self.case(invoice).state, "active")

    def test_nor_does_their_tap(self):
        invoice = self.make_due(2)
        reminder = self.remind(invoice)
        self.partner.phone = "+34600000055"
        self.tap(reminder, "paid")
        self.assertEqual(self.case(invoice).state, "active")

    def assert_undecided(self, invoice, row):
        self.assertFalse(row.partner_id)
        self.assertFalse(row.res_id, "a stranger's words stand on no document")
        self.assertEqual(self.case(invoice).state, "active")
        self.assertFalse(invoice.activity_ids)

    def test_nor_does_their_quote(self):
        """They quoted what they had got by mistake, and the reminders stopped."""
        invoice = self.make_due(2)
        reminder = self.remind(invoice)
        self.partner.phone = "+34600000055"
        for text in ("pagado", "I will pay tomorrow", "problema", "who are you?"):
            self.assert_undecided(invoice, self.quote(reminder, text))
        plain = self.hear(
            type="button",
            button={"payload": "Already paid", "text": "Already paid"},
            context={"from": "34910000001", "id": reminder.wamid},
        )
        self.assert_undecided(invoice, plain)

    def test_nor_do_they_by_editing_what_they_wrote_before(self):
        invoice = self.make_due(2)
        reminder = self.remind(invoice)
        first = self.quote(reminder, "gracias")
        self.partner.phone = "+34600000055"
        edited = self.hear(
            type="edit",
            edit={
                "original_message_id": first.wamid,
                "message": {
                    "type": "text",
                    "text": {"body": "pagado"},
                    "context": {"id": reminder.wamid},
                },
            },
        )
        self.assertFalse(edited.partner_id)
        self.assertEqual(self.case(invoice).state, "active")

    def test_nor_where_the_number_was_only_taken_away(self):
        """Nobody knows the right one yet: the contact has none."""
        invoice = self.make_due(2)
        reminder = self.remind(invoice)
        for number in (False, "n/a"):
            self.partner.phone = number
            self.assert_undecided(invoice, self.tap(reminder, "paid"))
            day = self.tap(reminder, "promise", self.day(3))
            self.assert_undecided(invoice, day)
            self.assert_undecided(invoice, self.quote(reminder, "pagado"))
            self.assert_undecided(invoice, self.hear("problema"))


@tagged("post_install", "-at_install")
class TestLeftTheCustomer(AnswerCommon):
    """A contact person was reminded, and works elsewhere when they answer."""

    def setUp(self):
        super().setUp()
        self.acme = self._make_customer("Acme", "+34600000010", is_company=True)
        self.eve = self._make_customer(
            "Eve",
            "+34600000044",
            parent_id=self.acme.id,
            wab_is_default_recipient=True,
        )
        self.invoice = self.make_due(2, self.acme)

    def reminded(self):
        self.run_plan()
        self.drain()
        (reminder,) = self.reminders(self.eve)
        return reminder

    def answers(self, reminder):
        theirs = {"sender": "34600000044"}
        yield self.tap(reminder, "paid", **theirs)
        yield self.tap(reminder, "problem", **theirs)
        yield self.tap(reminder, "promise", self.day(3), **theirs)
        yield self.quote(reminder, "pagado", **theirs)
        yield self.hear("pagado", **theirs)

    def test_who_left_decides_nothing_about_its_debts(self):
        """The debt of their former employer was disputed from their own phone."""
        reminder = self.reminded()
        self.eve.parent_id = False
        for row in self.answers(reminder):
            self.assertEqual(self.case(self.invoice).state, "active")
            self.assertFalse(row.res_id, "their words stand on no document of it")
            self.assertFalse(self.invoice.activity_ids)

    def test_nor_who_works_for_another_customer_by_now(self):
        reminder = self.reminded()
        self.eve.parent_id = self._make_customer("Bea", "+34600000066").id
        for _row in self.answers(reminder):
            self.assertEqual(self.case(self.invoice).state, "active")

    def test_who_is_one_of_its_people_decides_though_unticked(self):
        reminder = self.reminded()
        self.eve.wab_is_default_recipient = False
        self.tap(reminder, "paid", sender="34600000044")
        self.assertEqual(self.case(self.invoice).pause_reason, "claims_paid")

    def test_whom_somebody_chose_decides_whosever_they_are(self):
        self.eve.parent_id = False
        self.invoice.wab_recipient_ids = self.eve
        self.tap(self.reminded(), "paid", sender="34600000044")
        self.assertEqual(self.case(self.invoice).pause_reason, "claims_paid")
