# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What screens, answers and people say of a document that has another customer now."""

from odoo.tests import tagged

from .rights_common import RightsCommon
from .test_collection_inbound import AnswerCommon
from .test_customer_corrected import hand_over


class CorrectedCommon(AnswerCommon):
    def setUp(self):
        super().setUp()
        self.bea = self._make_customer("Bea", "+34600000066")

    def moves(self):
        return self.env["account.move"].with_user(self.clerk)

    def told(self, document, state="read", partner=None):
        """Return a message about a document that became of it what is said."""
        (result,) = document.with_user(self.clerk).wab_send(
            partners=partner.ids if partner else False
        )
        message = self.messages.browse(result["message_id"])
        message.sudo().state = state
        message.sudo()._after_state_change()
        self.env.flush_all()
        self.env.invalidate_all()
        return message

    def state(self, document):
        """Return the state as a clerk sees it, having looked for it, too."""
        document = document.with_user(self.clerk)
        found = document.wab_state
        mine = [("id", "=", document.id)]
        self.assertTrue(document.search([*mine, ("wab_state", "=", found)]))
        for other in {"read", "queued", "failed", False} - {found}:
            self.assertFalse(document.search([*mine, ("wab_state", "=", other)]))
        return found

    def drain_all(self):
        self.drain()
        self.run_cron()
        self.drain()


@tagged("post_install", "-at_install")
class TestStateOfAnotherCustomer(CorrectedCommon):
    """What a former customer read says nothing of what the customer was told."""

    def test_what_a_former_customer_read_is_no_news(self):
        invoice = self._make_invoice()
        self.told(invoice)
        self.assertEqual(self.state(invoice), "read")
        hand_over(invoice, self.bea)
        self.assertFalse(self.state(invoice))
        self.assertEqual(invoice.with_user(self.clerk).wab_message_count, 1)
        self.told(invoice, "queued")
        self.assertEqual(self.state(invoice), "queued")

    def test_it_is_again_where_the_correction_is_taken_back(self):
        invoice = self._make_invoice()
        self.told(invoice)
        hand_over(invoice, self.bea)
        hand_over(invoice, self.partner)
        self.assertEqual(self.state(invoice), "read")

    def test_nor_is_a_reminder_that_named_it_among_others(self):
        older, newer = self.make_due(9), self.make_due(2)
        (older | newer).with_user(self.clerk).wab_remind()
        self.reminders().sudo().state = "read"
        self.assertEqual(self.state(newer), "read")
        hand_over(newer, self.bea)
        self.assertFalse(self.state(newer))
        self.assertEqual(self.state(older), "read")

    def test_nor_of_a_credit_note(self):
        refund = self._make_invoice(move_type="out_refund")
        self.told(refund)
        self.assertEqual(self.state(refund), "read")
        hand_over(refund, self.bea)
        self.assertFalse(self.state(refund))

    def test_nor_of_a_payment(self):
        payment = self.pay(self._make_invoice())
        (result,) = payment.with_user(self.clerk).wab_send_receipt()
        self.messages.browse(result["message_id"]).sudo().state = "read"
        self.assertEqual(self.state(payment), "read")
        payment.action_draft()
        payment.partner_id = self.bea
        payment.action_post()
        self.assertFalse(self.state(payment))

    def test_people_of_the_same_customer_are_that_customer(self):
        acme = self._make_customer("Acme", "+34600000070", is_company=True)
        ann = self._make_customer("Ann", "+34600000071", parent_id=acme.id)
        invoice = self._make_invoice(ann)
        self.told(invoice)
        hand_over(invoice, acme)
        self.assertEqual(self.state(invoice), "read")

    def test_whom_it_was_sent_to_before_it_was_theirs_was_told(self):
        invoice = self._make_invoice()
        self.told(invoice, partner=self.bea)
        hand_over(invoice, self.bea)
        self.assertEqual(self.state(invoice), "read")

    def test_whom_a_person_chooses_again_was_told(self):
        leo = self._make_customer("Leo", "+34600000077")
        invoice = self._make_invoice()
        self.told(invoice, partner=leo)
        hand_over(invoice, self.bea)
        self.assertFalse(self.state(invoice))
        invoice.with_user(self.clerk).wab_recipient_ids = leo
        self.assertEqual(self.state(invoice), "read")

    def test_a_former_customer_who_is_gone_was_another(self):
        invoice = self._make_invoice()
        message = self.told(invoice)
        hand_over(invoice, self.bea)
        # As PostgreSQL leaves it when the contact is deleted.
        message.sudo().write({"partner_id": False, "document_partner_id": False})
        self.assertFalse(self.state(invoice))

    def test_whom_it_did_not_reach_is_no_problem_of_the_new_one(self):
        invoice = self._make_invoice()
        self.told(invoice, "failed")
        found = [("id", "=", invoice.id), ("wab_problem", "!=", False)]
        self.assertTrue(invoice.with_user(self.clerk).wab_problem)
        self.assertTrue(self.moves().search(found))
        hand_over(invoice, self.bea)
        self.assertFalse(invoice.with_user(self.clerk).wab_problem)
        self.assertFalse(self.moves().search(found))
        self.assertTrue(
            self.messages.with_user(self.clerk).search(
                [("res_id", "=", invoice.id), ("state", "=", "failed")]
            ),
            "it is still to be read",
        )

    def test_the_mark_sent_follows(self):
        invoice = self._make_invoice()
        self.told(invoice, "delivered")
        invoice.sudo().write({"is_move_sent": True, "wab_is_sent_alone": True})
        invoice.button_draft()
        invoice.action_post()
        self.assertTrue(invoice.is_move_sent, "the same customer has it")
        hand_over(invoice, self.bea)
        self.assertFalse(invoice.is_move_sent)
        message = self.messages.search([("res_id", "=", invoice.id)])
        message.sudo().state = "read"
        message.sudo()._after_state_change()
        self.assertFalse(invoice.is_move_sent, "late news of the former customer")
        self.told(invoice, "queued")
        self.assertTrue(invoice.is_move_sent)

    def test_what_went_by_e_mail_too_keeps_its_mark(self):
        invoice = self._make_invoice()
        self.told(invoice, "delivered")
        invoice.sudo().write({"is_move_sent": True, "wab_is_sent_alone": False})
        hand_over(invoice, self.bea)
        self.assertTrue(invoice.is_move_sent)


@tagged("post_install", "-at_install")
class TestLinkOfAnotherCustomer(CorrectedCommon):
    """A link opens an invoice without a login: not to whom it is no longer for."""

    def setUp(self):
        super().setUp()
        self.acme = self._make_customer("Acme", "+34600000070", is_company=True)
        self.ann = self._make_customer("Ann", "+34600000071", parent_id=self.acme.id)

    def check(self, document):
        self.told(document)
        first = document._portal_ensure_token()
        hand_over(document, self.ann)
        self.assertFalse(document.access_token)
        self.told(document)
        second = document._portal_ensure_token()
        self.assertNotEqual(second, first)
        hand_over(document, self.acme)
        self.assertEqual(document.access_token, second, "the same customer's")

    def test_of_an_invoice(self):
        self.check(self._make_invoice())

    def test_of_a_credit_note(self):
        self.check(self._make_invoice(move_type="out_refund"))

    def test_where_recipients_are_chosen_with_the_customer(self):
        """As a form saves them, together."""
        invoice = self._make_invoice()
        self.told(invoice)
        invoice.button_draft()
        invoice.with_user(self.clerk).write(
            {"partner_id": self.acme.id, "wab_recipient_ids": [(6, 0, self.ann.ids)]}
        )
        self.assertEqual(invoice.wab_recipient_ids, self.ann)
        self.assertFalse(invoice.access_token)

    def test_a_draft_that_is_posted_again_keeps_its_link(self):
        invoice = self._make_invoice()
        self.told(invoice)
        token = invoice.access_token
        hand_over(invoice, self.partner)
        self.assertEqual(invoice.access_token, token)


@tagged("post_install", "-at_install")
class TestKeyOfAnotherCustomer(CorrectedCommon):
    """A key is unique for each recipient: another customer is another key."""

    def check(self, document, send, correct):
        first = send()
        self.assertEqual([r["partner_id"] for r in first], self.partner.ids)
        self.assertEqual(send(), first)
        correct(self.bea)
        second = send()
        self.assertEqual([r["partner_id"] for r in second], self.bea.ids)
        self.assertEqual(second[0]["state"], "queued")
        self.assertEqual(send(), second, "once to the new one")
        correct(self.partner)
        self.assertEqual(send(), first, "nor twice to the first")
        messages = self.messages.search(
            [("res_model", "=", document._name), ("res_id", "=", document.id)]
        )
        self.assertEqual(len(messages), 2)

    def test_of_an_invoice(self):
        invoice = self._make_invoice()
        self.check(
            invoice,
            lambda: invoice.with_user(self.clerk).wab_send(key="k"),
            lambda partner: hand_over(invoice, partner),
        )

    def test_of_a_credit_note(self):
        refund = self._make_invoice(move_type="out_refund")
        self.check(
            refund,
            lambda: refund.with_user(self.clerk).wab_send(key="k"),
            lambda partner: hand_over(refund, partner),
        )

    def test_of_a_reminder(self):
        invoice = self.make_due(2)
        self.check(
            invoice,
            lambda: invoice.with_user(self.clerk).wab_remind(key="k"),
            lambda partner: hand_over(invoice, partner),
        )

    def test_of_a_payment(self):
        payment = self.pay(self._make_invoice())

        def correct(partner):
            payment.action_draft()
            payment.partner_id = partner
            payment.action_post()

        first = payment.with_user(self.clerk).wab_send_receipt(key="k")
        correct(self.bea)
        second = payment.with_user(self.clerk).wab_send_receipt(key="k")
        self.assertEqual([r["partner_id"] for r in second], self.bea.ids)
        self.assertNotEqual(second, first)
        self.assertEqual(payment.with_user(self.clerk).wab_send_receipt(key="k"), second)

    def test_who_was_named_before_got_it(self):
        """The key was used for that recipient, whoever's the document is."""
        invoice = self._make_invoice().with_user(self.clerk)
        leo = self._make_customer("Leo", "+34600000077")
        (first,) = invoice.wab_send(partners=leo.ids, key="k")
        hand_over(invoice.with_user(self.env.user), self.bea)
        both = (leo | self.bea).ids
        results = invoice.wab_send(partners=both, key="k")
        self.assertEqual(results[0], first)
        self.assertEqual([r["partner_id"] for r in results], both)
        self.assertEqual(len(self.messages.search([("res_id", "=", invoice.id)])), 2)

    def test_whoever_is_passed_while_the_customer_is_the_same(self):
        invoice = self._make_invoice().with_user(self.clerk)
        first = invoice.wab_send(key="k")
        self.assertEqual(invoice.wab_send(partners=self.bea.ids, key="k"), first)

    def test_many_are_a_fixed_number_of_queries(self):
        moves = self.env["account.move"].union(*(self._make_invoice() for _n in range(8)))
        moves.with_user(self.clerk).wab_send(key="k")
        for move in moves:
            hand_over(move, self.bea)
        moves.with_user(self.clerk).wab_send(key="k")
        counts = []
        for some in (moves[:2], moves[:2], moves):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            some.with_user(self.clerk).wab_send(key="k")
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[1], counts[2])


@tagged("post_install", "-at_install")
class TestLeftOutOfAReminder(CorrectedCommon):
    """One of several invoices of a reminder became another customer's while it waited."""

    def why(self, invoice):
        """Return what failed of the messages that the invoice shows."""
        clerk = invoice.with_user(self.clerk)
        messages = self.messages.with_user(self.clerk).search(
            clerk.action_wab_messages()["domain"]
        )
        return [
            rule["value"]
            for message in messages
            for rule in message.trace
            if rule["rule"] == "same_customer" and not rule["passed"]
        ]

    def check(self, moves, corrected):
        moves.with_user(self.clerk).wab_remind()
        self.assertEqual(len(self.reminders()), 1)
        hand_over(corrected, self.bea)
        self.drain_all()
        self.assertFalse(self.reminders(self.bea))
        sent = self.reminders().filtered(lambda m: m.state == "sent")
        self.assertEqual(sent.partner_id, self.partner)
        for move in moves - corrected:
            self.assertIn(move.name, sent.body)
            self.assertFalse(move.activity_ids, "nothing is wrong with these")
        self.assertNotIn(corrected.name, sent.body)
        self.assertEqual(corrected.activity_ids.user_id, self.clerk)
        self.assertIn(corrected.name, corrected.activity_ids.note)
        self.assertEqual(self.why(corrected), [corrected.name])
        self.assertFalse(self.state(corrected))

    def test_one_that_it_names_among_others(self):
        moves = self.make_due(9) | self.make_due(5) | self.make_due(2)
        self.check(moves, moves[1])

    def test_the_one_that_carries_it(self):
        moves = self.make_due(9) | self.make_due(5)
        self.check(moves, moves[0])

    def test_a_debit_of_another_person_chosen_by_hand(self):
        """A bookkeeper who got both is not shown the other customer's."""
        leo = self._make_customer("Leo", "+34600000077")
        moves = self.make_due(9) | self.make_due(5)
        moves.wab_recipient_ids = leo
        moves.with_user(self.clerk).wab_remind()
        hand_over(moves[1], self.bea)
        self.drain_all()
        self.assertEqual(moves[1].activity_ids.user_id, self.clerk)
        self.assertEqual(self.why(moves[1]), [moves[1].name])

    def test_all_of_them(self):
        """Each asks, not the one alone that carried the message."""
        moves = self.make_due(9) | self.make_due(5)
        moves.with_user(self.clerk).wab_remind()
        for move in moves:
            hand_over(move, self.bea)
        self.drain_all()
        self.assertFalse(self.reminders().filtered(lambda m: m.state == "sent"))
        for move in moves:
            self.assertEqual(move.activity_ids.user_id, self.clerk)

    def test_what_is_settled_asks_nobody(self):
        moves = self.make_due(9) | self.make_due(5)
        moves.with_user(self.clerk).wab_remind()
        hand_over(moves[1], self.bea)
        self.pay(moves[1])
        self.drain_all()
        self.assertFalse(moves.activity_ids)

    def test_of_a_plan_the_former_customer_hears_the_rest_the_same_day(self):
        """The plan decides about the new customer by itself; nobody is asked."""
        moves = self.make_due(2) | self.make_due(2)
        self.run_plan()
        (old,) = self.reminders()
        self.assertEqual(old.collection_item_ids.move_line_id.move_id, moves)
        hand_over(moves[0], self.bea)
        self.drain_all()
        sent = self.reminders(self.partner).filtered(lambda m: m.state == "sent")
        self.assertIn(moves[1].name, sent.body)
        self.assertNotIn(moves[0].name, sent.body)
        self.assertEqual(sent.replaces_id, old)
        self.assertFalse(moves.activity_ids)


@tagged("post_install", "-at_install")
class TestDisputeOfAFormerCustomer(CorrectedCommon):
    """A dispute is the word of who owed it; whoever handles it does not lose it."""

    def setUp(self):
        super().setUp()
        self.handler = self._make_user("handler", "account.group_account_invoice")
        self.invoice = self.make_due(2)
        self.former = self.case(self.invoice)
        self.former.with_user(self.handler).action_dispute("The goods were broken")
        self.invoice.activity_ids.unlink()

    def asked(self, invoice=None):
        return (invoice or self.invoice).activity_ids

    def test_it_ends_with_a_reason_and_stays_to_be_read(self):
        hand_over(self.invoice, self.bea)
        self.assertEqual(self.case(self.invoice).state, "active")
        self.assertEqual(self.case(self.invoice).debtor_id, self.bea)
        former = self.former.with_user(self.clerk)
        self.assertEqual(former.state, "done")
        self.assertEqual(former.close_reason, "other_customer")
        self.assertEqual(former.debtor_id, self.partner)
        self.assertIn("The goods were broken", former.explanation)
        self.assertIn("Ana Perez", former.explanation)
        self.assertIn(former, self.invoice.with_user(self.clerk).wab_case_ids)

    def test_who_handles_it_is_told_once(self):
        hand_over(self.invoice, self.bea)
        self.assertEqual(self.asked().user_id, self.handler)
        for word in ("Ana Perez", "The goods were broken", "Bea"):
            self.assertIn(word, self.asked().note)
        self.run_plan()
        self.assertEqual(len(self.asked()), 1)
        lines = [str(body) for body in self.invoice.message_ids.mapped("body")]
        told = [line for line in lines if "holds it no more" in line]
        self.assertEqual(len(told), 1)

    def test_of_who_has_left_the_responsible_is_told(self):
        self.handler.sudo().active = False
        hand_over(self.invoice, self.bea)
        self.assertTrue(self.asked().user_id)
        self.assertNotEqual(self.asked().user_id, self.handler)

    def test_it_holds_nobody_else_s_debt(self):
        hand_over(self.invoice, self.bea)
        self.run_plan()
        self.assertIn(self.invoice.name, self.reminders(self.bea).body)

    def test_it_holds_again_where_the_correction_is_taken_back(self):
        hand_over(self.invoice, self.bea)
        hand_over(self.invoice, self.partner)
        case = self.case(self.invoice)
        self.assertEqual((case.state, case.debtor_id), ("disputed", self.partner))
        self.assertEqual(case.dispute_reason, "The goods were broken")
        self.assertEqual(case.dispute_user_id, self.handler)

    def test_a_draft_that_is_the_same_customer_s_is_disputed_as_before(self):
        self.invoice.button_draft()
        self.assertFalse(self.asked())
        self.invoice.action_post()
        self.assertEqual(self.case(self.invoice).state, "disputed")
        self.assertFalse(self.asked())

    def test_a_contact_that_joined_the_company_is_that_customer(self):
        acme = self._make_customer("Acme", "+34600000070", is_company=True)
        self.partner.parent_id = acme
        hand_over(self.invoice, acme)
        case = self.case(self.invoice)
        self.assertEqual((case.state, case.debtor_id), ("disputed", acme))

    def test_what_no_hook_told_the_night_makes_up_for(self):
        self.env.cr.execute(
            "UPDATE account_move SET partner_id = %(p)s, commercial_partner_id = %(p)s"
            " WHERE id = %(id)s",
            {"p": self.bea.id, "id": self.invoice.id},
        )
        self.env.invalidate_all()
        self.run_plan()
        self.assertEqual(self.case(self.invoice).debtor_id, self.bea)
        self.assertEqual(self.former.close_reason, "other_customer")

    def test_an_instalment_that_the_correction_does_away_with(self):
        invoice = self.make_instalments(self.day(-70))
        cases = self.case(invoice)
        self.assertEqual(len(cases), 2)
        cases.with_user(self.handler).action_dispute("Late")
        invoice.activity_ids.unlink()
        invoice.button_draft()
        invoice.invoice_payment_term_id = False
        invoice.invoice_date_due = self.day(-2)
        invoice.partner_id = self.bea
        invoice.action_post()
        self.assertEqual(len(invoice.line_ids.filtered("date_maturity")), 1)
        self.assertEqual(cases.exists(), cases)
        self.assertEqual(set(cases.mapped("close_reason")), {"other_customer"})
        self.assertEqual(self.asked(invoice).user_id, self.handler)
        self.assertTrue(all(cases.mapped("explanation")))
        self.assertTrue(all(cases.mapped("display_name")))

    def test_the_invoice_says_nothing_of_the_former_case(self):
        self.bea.wab_plan_choice = "none"
        hand_over(self.invoice, self.bea)
        clerk = self.invoice.with_user(self.clerk)
        self.assertFalse(self.case(self.invoice))
        self.assertFalse(clerk.wab_collection_state)
        mine = [("id", "=", clerk.id)]
        self.assertTrue(clerk.search([*mine, ("wab_collection_state", "=", False)]))
        self.assertFalse(clerk.search([*mine, ("wab_collection_state", "=", "done")]))

    def test_why_of_the_new_case_is_not_the_former_reminder_s(self):
        invoice = self.make_due(2)
        reminder = self.remind(invoice)
        former = self.case(invoice)
        hand_over(invoice, self.bea)
        case = self.case(invoice)
        self.assertFalse(case.item_ids or case.trace)
        self.assertEqual(former.item_ids, reminder.collection_item_ids)
        self.assertEqual(reminder.collection_item_ids.case_id, former)


@tagged("post_install", "-at_install")
class TestCountsOfAReader(CorrectedCommon, RightsCommon):
    """A count is of what its reader may read."""

    def hide(self, invoice):
        """Leave the invoice to others, as sales people see their own only."""
        self.env["ir.rule"].sudo().create(
            {
                "name": "Own documents",
                "model_id": self.env["ir.model"]._get_id("account.move"),
                "domain_force": [("id", "!=", invoice.id)],
            }
        )
        self.env.invalidate_all()

    def counted(self, record, name):
        return self._as(record, name).wab_message_count

    def test_a_reminder_that_names_what_one_may_not_read(self):
        older, newer = self.make_due(9), self.make_due(2)
        self._as(older | newer, "clerk").wab_remind()
        self.assertEqual(self.counted(newer, "clerk"), 1)
        self.hide(older)
        self.assertEqual(self.counted(newer, "clerk"), 0)

    def test_what_a_contact_wrote_is_for_those_who_talk_with_them(self):
        for direction in ("in", "out"):
            self._make_message(
                direction=direction,
                state="received" if direction == "in" else "sent",
                partner_id=self.partner.id,
                res_model="res.partner",
                res_id=self.partner.id,
            )
        for name, wanted in (("agent", 2), ("sender", 1), ("agent", 2), ("clerk", 1)):
            self.assertEqual(self.counted(self.partner, name), wanted, name)

    def test_another_company_s_are_none(self):
        self._make_message(
            company=self.other_company,
            state="sent",
            partner_id=self.partner.id,
            res_model="res.partner",
            res_id=self.partner.id,
        )
        self.assertEqual(self.counted(self.partner, "sender"), 0)
        self.assertEqual(self.counted(self.partner, "other_sender"), 1)
        both = self._as(self.partner, "administrator")
        self.assertEqual(both.wab_message_count, 1)
        ours = both.with_context(allowed_company_ids=self.company.ids)
        self.assertEqual(ours.wab_message_count, 0, "another selection of companies")

    def test_many_are_a_fixed_number_of_queries(self):
        moves = self.env["account.move"].union(*(self._make_invoice() for _n in range(9)))
        self._as(moves, "clerk").wab_send()
        counts = []
        for some in (moves[:2], moves[:2], moves):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            found = self._as(some, "clerk").mapped("wab_message_count")
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(set(found), {1})
        self.assertEqual(counts[1], counts[2])
