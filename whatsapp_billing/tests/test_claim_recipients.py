# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The claim asks again who gets a document, and whether it goes on WhatsApp at all."""

from odoo.fields import Command
from odoo.tests import tagged

from .collection_common import CollectionCommon

ACME = "+34600000010"
MARTA = "+34600000012"
LEO = "+34600000013"


class ClaimCommon(CollectionCommon):
    """A company whose documents go to Marta, and somebody who corrects that."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.acme = cls._make_customer("Acme SL", ACME, is_company=True)
        cls.other = cls._make_customer("Other SL", "+34600000020", is_company=True)
        cls.marta = cls.add_person("Marta", MARTA)

    @classmethod
    def add_person(cls, name, number, **values):
        return cls._make_customer(
            name,
            number,
            **{
                "parent_id": cls.acme.id,
                "wab_is_default_recipient": True,
                **values,
            },
        )

    def setUp(self):
        super().setUp()
        self.accept_everything()

    def as_clerk(self, record):
        """Return a record as the clerk edits it, contacts included."""
        self.clerk.group_ids |= self.env.ref("base.group_partner_manager")
        return record.with_user(self.clerk)

    def drain_all(self):
        while self.drain():
            pass

    def phones(self):
        """Return whose phones got a message, in order."""
        return [call.json["to"] for call in self.sent_calls()]

    def assert_told_instead(self, old, partners):
        """Assert that these were told once each, and that it shows in whose place."""
        self.drain_all()
        self.assertEqual(
            set(zip(old.mapped("state"), old.mapped("reason"), strict=True)),
            {("canceled", "superseded")},
        )
        self.assertEqual(
            sorted(self.phones()), sorted(partners.mapped("wab_recipient"))
        )
        new = self.messages.search([("replaces_id", "in", old.ids)])
        self.assertEqual(new.partner_id, partners)
        self.assertEqual(set(new.mapped("state")), {"sent"})
        return new


@tagged("post_install", "-at_install")
class TestDocumentSwitchedOff(ClaimCommon):
    def test_invoice_switched_off_while_it_waits(self):
        """Also for a message that a person sent: the switch was said later."""
        move = self.make_invoice_with_pdf(self.acme)
        messages = self.send(move | self.make_invoice_with_pdf())
        self.assertEqual(messages.mapped("state"), ["queued", "queued"])
        move.with_user(self.clerk).wab_enabled = False
        self.drain()
        off = messages.filtered(lambda m: m.res_id == move.id)
        self.assertEqual((off.state, off.reason), ("canceled", "not_enabled"))
        self.assertEqual(len(self.sent_calls()), 1)

    def test_held_message_is_asked_when_it_is_let_go(self):
        move = self.make_invoice_with_pdf(self.acme)
        self.account.state = "inactive"
        message = self.send(move)
        self.assertEqual(message.state, "held")
        move.with_user(self.clerk).wab_enabled = False
        self.account.state = "connected"
        self.run_cron()
        self.drain_all()
        self.assertEqual((message.state, message.reason), ("canceled", "not_enabled"))
        self.assertFalse(self.sent_calls())

    def test_switched_on_again_goes(self):
        move = self.make_invoice_with_pdf(self.acme)
        message = self.send(move)
        move.with_user(self.clerk).wab_enabled = False
        move.with_user(self.clerk).wab_enabled = True
        self.drain()
        self.assertEqual(message.state, "sent")

    def test_reminder_by_a_plan_of_one_invoice(self):
        move = self.make_due(partner=self.partner)
        self.run_plan()
        message = self.reminders(self.partner)
        move.with_user(self.clerk).wab_enabled = False
        self.drain_all()
        self.assertEqual((message.state, message.reason), ("canceled", "not_enabled"))
        self.assertFalse(self.sent_calls())

    def test_reminder_of_two_goes_with_the_other(self):
        """Whichever of them carries the message, by plan and by hand."""
        for by_hand in (False, True):
            for position in (0, 1):
                with self.subTest(by_hand=by_hand, position=position):
                    partner = self._make_customer(
                        "Eva", f"+346000003{position}{int(by_hand)}"
                    )
                    moves = self.make_due(9, partner, 100.0) | self.make_due(
                        5, partner, 40.0
                    )
                    if by_hand:
                        moves.with_user(self.clerk).wab_remind()
                    else:
                        self.run_plan()
                    old = self.reminders(partner)
                    self.assertEqual(old.state, "queued")
                    moves[position].with_user(self.clerk).wab_enabled = False
                    self.drain_all()
                    self.assertEqual(old.state, "canceled")
                    new = self.reminders(partner) - old
                    self.assertEqual(new.state, "sent")
                    self.assertEqual(new.replaces_id, old)
                    self.assertEqual(
                        new.collection_item_ids.move_line_id.move_id,
                        moves - moves[position],
                    )

    def test_a_test_message_goes(self):
        """Whoever tries out a template sees it on their own phone all the same."""
        move = self.make_invoice_with_pdf(self.acme)
        message = self.send(move)
        message.method = "test"
        move.wab_send_override = "off"
        self.drain()
        self.assertEqual(message.state, "sent")


@tagged("post_install", "-at_install")
class TestRecipientsCorrected(ClaimCommon):
    def send_to_acme(self, **kwargs):
        move = self.make_invoice_with_pdf(self.acme)
        message = self.send(move, **kwargs)
        self.assertEqual(set(message.mapped("state")), {"queued"})
        return move, message

    def test_person_unticked(self):
        _move, message = self.send_to_acme()
        self.assertEqual(message.partner_id, self.marta)
        self.as_clerk(self.marta).wab_is_default_recipient = False
        self.assert_told_instead(message, self.acme)

    def test_another_person_ticked_instead(self):
        _move, message = self.send_to_acme()
        self.as_clerk(self.marta).wab_is_default_recipient = False
        leo = self.add_person("Leo", LEO)
        self.assert_told_instead(message, leo)

    def test_person_moved_to_another_customer(self):
        _move, message = self.send_to_acme()
        self.as_clerk(self.marta).parent_id = self.other
        self.assert_told_instead(message, self.acme)

    def test_person_archived(self):
        _move, message = self.send_to_acme()
        self.as_clerk(self.marta).active = False
        self.assert_told_instead(message, self.acme)

    def test_list_on_the_invoice_replaced(self):
        move = self.make_invoice_with_pdf(self.acme)
        move.wab_recipient_ids = self.marta
        message = self.send(move)
        leo = self.add_person("Leo", LEO, wab_is_default_recipient=False)
        self.as_clerk(move).wab_recipient_ids = [Command.set(leo.ids)]
        self.assert_told_instead(message, leo)

    def test_list_on_the_invoice_made(self):
        move, message = self.send_to_acme()
        self.as_clerk(move).wab_recipient_ids = [Command.set(self.acme.ids)]
        self.assert_told_instead(message, self.acme)

    def test_number_of_the_contact_corrected(self):
        """The document is still theirs: it goes to the right number, once."""
        _move, message = self.send_to_acme()
        self.as_clerk(self.marta).phone = "+34600000019"
        self.assert_told_instead(message, self.marta)

    def test_number_corrected_to_none_is_asked_about_by_its_name(self):
        """What is asked names the number; nobody else is to get the document."""
        move, message = self.send_to_acme()
        self.as_clerk(self.marta).phone = "+34 600"
        self.drain_all()
        self.assertEqual((message.state, message.reason), ("canceled", "superseded"))
        new = self.messages.search([("replaces_id", "=", message.id)])
        self.assertEqual((new.state, new.reason), ("canceled", "invalid_number"))
        self.assertIn("number is not valid", move.activity_ids.note)
        self.assertNotIn("recipient", move.activity_ids.summary)

    def test_contact_lost_its_own_number_and_tick(self):
        self.marta.wab_is_default_recipient = False
        message = self.send(self.make_invoice_with_pdf(self.marta))
        self.assertEqual(message.partner_id, self.marta)
        self.as_clerk(self.marta).write({"phone": False, "wab_enabled": False})
        self.assert_told_instead(message, self.acme)

    def test_receipt_of_a_payment(self):
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.acme.id,
                "amount": 40.0,
            }
        )
        payment.action_post()
        (result,) = payment.with_user(self.clerk).wab_send_receipt()
        message = self.messages.browse(result["message_id"])
        message.document_state = "none"
        self.as_clerk(self.marta).wab_is_default_recipient = False
        self.drain()
        self.assertEqual((message.state, message.reason), ("canceled", "superseded"))
        new = self.messages.search([("replaces_id", "=", message.id)])
        self.assertEqual((new.partner_id, new.state), (self.acme, "queued"))

    def test_of_two_only_the_other_one_is_told(self):
        leo = self.add_person("Leo", LEO)
        _move, messages = self.send_to_acme()
        self.assertEqual(messages.partner_id, self.marta | leo)
        self.as_clerk(self.marta).wab_is_default_recipient = False
        self.drain_all()
        self.assertEqual(self.phones(), [LEO])
        self.assertFalse(self.messages.search([("replaces_id", "!=", False)]))

    def test_of_two_that_were_wrong_one_is_told_instead(self):
        leo = self.add_person("Leo", LEO)
        _move, messages = self.send_to_acme()
        self.as_clerk(self.marta | leo).write({"wab_is_default_recipient": False})
        self.drain_all()
        self.assertEqual(set(messages.mapped("state")), {"canceled"})
        self.assertEqual(self.phones(), [ACME])

    def test_who_was_told_before_is_not_told_again(self):
        """The other phone of the pair has the document already."""
        leo = self.add_person("Leo", LEO)
        _move, messages = self.send_to_acme()
        first = messages.filtered(lambda m: m.partner_id == leo)
        (messages - first).next_attempt_at = self.ago(hours=-1)
        self.drain()
        self.assertEqual(first.state, "sent")
        (messages - first).next_attempt_at = False
        self.as_clerk(self.marta).wab_is_default_recipient = False
        self.drain_all()
        self.assertEqual(self.phones(), [LEO])

    def test_nobody_who_may_be_told_asks_a_person(self):
        move, message = self.send_to_acme()
        self.acme.wab_enabled = False
        self.as_clerk(self.marta).wab_is_default_recipient = False
        self.drain_all()
        self.assertEqual((message.state, message.reason), ("canceled", "superseded"))
        self.assertFalse(self.sent_calls())
        self.assertEqual(move.activity_ids.user_id, self.clerk)
        self.assertIn("recipient", move.activity_ids.summary)

    # --- who was named stays ------------------------------------------------------

    def test_named_over_rpc_stays(self):
        _move, message = self.send_to_acme(partners=self.marta.ids)
        self.as_clerk(self.marta).wab_is_default_recipient = False
        self.drain()
        self.assertEqual(message.state, "sent")

    def test_chosen_in_the_dialog_stays(self):
        move = self.make_invoice_with_pdf(self.acme)
        leo = self.add_person("Leo", LEO, wab_is_default_recipient=False)
        dialog = self.env["account.move.send.wizard"].with_user(self.clerk)
        wizard = dialog.create({"move_id": move.id})
        wizard.wab_partner_ids = leo
        wizard.action_send_and_print()
        self.as_clerk(self.marta).wab_is_default_recipient = False
        self.drain()
        self.assertEqual(self.phones(), [LEO])

    def test_proposed_by_the_dialog_is_asked_again(self):
        move = self.make_invoice_with_pdf(self.acme)
        dialog = self.env["account.move.send.wizard"].with_user(self.clerk)
        dialog.create({"move_id": move.id}).action_send_and_print()
        message = self.messages.search([("res_id", "=", move.id)])
        self.assertEqual(message.partner_id, self.marta)
        self.as_clerk(self.marta).wab_is_default_recipient = False
        self.assert_told_instead(message, self.acme)

    def test_named_and_of_another_company_by_now(self):
        move, message = self.send_to_acme(partners=self.marta.ids)
        self.marta.sudo().company_id = self.env["res.company"].create({"name": "B"})
        self.drain_all()
        self.assertEqual((message.state, message.reason), ("canceled", "superseded"))
        self.assertFalse(self.sent_calls())
        self.assertEqual(move.activity_ids.user_id, self.clerk)

    # --- reminders ----------------------------------------------------------------

    def test_message_about_a_contact_that_is_another_company_s_by_now(self):
        """The other company gets no message of ours, nor a row of what became of it."""
        other = self.env["res.company"].create({"name": "Elsewhere"})
        template = self._make_template(
            self.account,
            "customer_message",
            is_default=False,
            header_type="none",
            body="Hello",
            variable_ids=[],
        )
        (result,) = self.partner.with_user(self.clerk).wab_send(template=template.id)
        message = self.messages.browse(result["message_id"])
        self.assertEqual(message.state, "queued")
        self.partner.with_company(other).wab_enabled = True
        self.partner.company_id = other
        self.drain_all()
        self.assertEqual(message.state, "canceled")
        self.assertFalse(self.messages.search([("company_id", "=", other.id)]))
        self.assertFalse(self.messages.search([("replaces_id", "=", message.id)]))
        (request,) = self.partner.sudo().activity_ids
        self.assertEqual(request.user_id, self.clerk)
        self.assertEqual(request.wab_company_id, self.company)

    def test_reminder_by_a_plan(self):
        self.make_due(partner=self.acme)
        self.run_plan()
        message = self.reminders()
        self.assertEqual(message.partner_id, self.marta)
        self.as_clerk(self.marta).wab_is_default_recipient = False
        self.assert_told_instead(message, self.acme)
        self.run_plan()
        self.assertEqual(self.drain(), 0, "one message a day")

    def test_reminder_by_hand(self):
        move = self.make_due(partner=self.acme)
        move.with_user(self.clerk).wab_remind()
        message = self.reminders()
        self.as_clerk(move).wab_recipient_ids = [Command.set(self.acme.ids)]
        new = self.assert_told_instead(message, self.acme)
        self.assertEqual(new.user_id, self.clerk)

    def test_reminder_by_hand_of_two_with_another_list_on_one(self):
        """Each invoice goes to whom it is for."""
        moves = self.make_due(9, self.acme) | self.make_due(5, self.acme)
        moves.with_user(self.clerk).wab_remind()
        old = self.reminders()
        self.assertEqual(old.partner_id, self.marta)
        self.as_clerk(moves[1]).wab_recipient_ids = [Command.set(self.acme.ids)]
        self.drain_all()
        self.assertEqual(old.state, "canceled")
        told = {
            message.partner_id: message.collection_item_ids.move_line_id.move_id
            for message in self.reminders() - old
        }
        self.assertEqual(told, {self.marta: moves[0], self.acme: moves[1]})
        self.assertEqual(sorted(self.phones()), [ACME, MARTA])

    # --- the one function ---------------------------------------------------------

    def test_the_tick_is_asked_in_the_document_s_company(self):
        """Whichever company the user looks from: both see the contact."""
        home = self.env["res.company"].create({"name": "Home"})
        self.marta.write({"wab_is_default_recipient": False, "phone": False})
        self.marta.with_company(home).wab_enabled = True
        self.marta.with_company(self.company).wab_enabled = False
        move = self._make_invoice(self.marta)
        elsewhere = move.with_context(allowed_company_ids=[home.id, self.company.id])
        self.assertEqual(elsewhere._wab_get_recipients()[move.id], self.acme)

    def test_claim_asks_once_for_all_its_messages(self):
        counts = []
        for number in (2, 12):
            moves = self.env["account.move"].union(
                *(
                    self.make_invoice_with_pdf(
                        self._make_customer("Eva", f"+346000{number:02d}{i:03d}")
                        if i % 2
                        else self.acme
                    )
                    for i in range(number)
                )
            )
            counts.append(self.count_queries(self.send(moves)))
            self.drain_all()
        self.assertEqual(counts[0], counts[1])
        self.assertLess(counts[0], 10)

    def count_queries(self, messages):
        """Return how many queries it takes to ask who gets these by now."""
        self.env.flush_all()
        self.assertEqual(set(messages.mapped("state")), {"queued"})
        rows = messages._recipient_rows()
        wanted = {message.id: message.partner_id for message in messages}
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        found = messages._recipients_now(rows)
        count = self.env.cr.sql_log_count - before
        self.assertEqual(found, wanted)
        return count

    def test_claim_asks_once_for_all_its_reminders(self):
        for by_hand in (False, True):
            counts = []
            for number in (2, 9):
                names = [f"+34601{int(by_hand)}{number}{i:04d}" for i in range(number)]
                partners = [self._make_customer("Eva", name) for name in names]
                moves = self.env["account.move"].union(
                    *(self.make_due(partner=partner) for partner in partners)
                )
                if by_hand:
                    moves.with_user(self.clerk).wab_remind()
                else:
                    self.run_plan()
                messages = self.reminders().filtered(lambda m: m.state == "queued")
                self.assertEqual(len(messages), number)
                counts.append(self.count_queries(messages))
                self.drain_all()
            self.assertEqual(counts[0], counts[1])
            self.assertLess(counts[0], 12)
