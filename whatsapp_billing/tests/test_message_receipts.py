# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.tests import tagged

from .lifecycle_common import LifecycleCommon


@tagged("post_install", "-at_install")
class TestMessageReceipts(LifecycleCommon):
    def setUp(self):
        super().setUp()
        self.accept_everything()
        self.invoice = self.make_invoice_with_pdf()
        self.message = self.send(self.invoice)
        self.drain()

    def test_news_about_an_erased_message_brings_nobody_back(self):
        """A receipt, and the answer to a call that was on its way, name their id."""
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        message._erase_person(self.partner, self.company)
        self.receive_statuses(
            self.status(message, "delivered", recipient_user_id="ES.1234567890")
        )
        self.assertEqual(message.state, "delivered")
        self.assertFalse(message.recipient_uid)

    def test_nothing_that_was_erased_goes_again(self):
        """What passes by itself goes again: not to whom it was erased for."""
        self.accept_everything()
        later = {"code": 131049, "title": "Not now"}
        calls = len(self.sent_calls())
        self.message._erase_person(self.partner, self.company)
        self.receive_statuses(self.status(self.message, "failed", errors=[later]))
        self.message.next_attempt_at = False
        self.assertEqual(self.drain(), 0)
        self.assertEqual(len(self.sent_calls()), calls)
        self.assertEqual(self.message.state, "canceled")
        theirs = self.messages.search([("res_id", "=", self.invoice.id)])
        self.assertEqual(theirs, self.message, "nothing is written anew about them")

    def test_a_reminder_that_was_erased_reminds_of_nothing_anew(self):
        self.accept_everything()
        self.invoice.with_user(self.clerk).wab_remind()
        domain = [("document_type", "=", "payment_reminder")]
        reminder = self.messages.search(domain)
        self.drain()
        reminder._erase_person(self.partner, self.company)
        later = {"code": 131049, "title": "Not now"}
        self.receive_statuses(self.status(reminder, "failed", errors=[later]))
        reminder.next_attempt_at = False
        self.assertEqual(self.drain(), 0)
        self.assertEqual(reminder.state, "canceled")
        self.assertEqual(self.messages.search(domain), reminder)

    def test_a_number_that_was_handed_on_tells_what_became_of_its_messages(self):
        """They are its former account's, also once another account has the number."""
        self.accept_everything()
        self.account.sudo().active = False
        self.env.flush_all()
        heir = self._make_account(self.company, name="Heir")
        self.assertEqual(heir.phone_ids.phone_uid, self.phone.phone_uid)
        self.assertTrue(
            self.receive(self.value(statuses=[self.status(self.message, "read")]))
        )
        self.process_inbox()
        self.assertEqual(self.message.state, "read")

    def test_one_id_for_two_messages_loses_no_receipt(self):
        """The provider names another call's id: our own proof tells them apart."""
        self.accept_everything()
        other = self.send(self.make_invoice_with_pdf())
        self.patch(type(self), "_accepted", lambda _self: self._same_id())
        self.drain()
        self.assertEqual((other.state, other.wamid), ("sent", False))
        self.receive_statuses(
            self.status(self.message, "delivered"),
            self.status(other, "read", id=self.message.wamid),
        )
        self.assertEqual(self.message.state, "delivered")
        self.assertEqual((other.state, other.wamid), ("read", False))
        self.assertEqual(self.events.search([], limit=1).state, "done")

    def _same_id(self):
        return self._answer({"messages": [{"id": self.message.wamid}]})

    def test_one_receipt_that_cannot_be_applied_costs_no_other(self):
        self.accept_everything()
        others = self.messages
        for _number in range(4):
            others |= self.send(self.make_invoice_with_pdf())
            self.drain()
        record = type(self.messages)._record_receipts

        def fail(messages, found):
            if any(update.uuid == others[1].uuid for _phone, update in found):
                raise ValueError
            return record(messages, found)

        self.patch(type(self.messages), "_record_receipts", fail)
        self.receive_statuses(*(self.status(one, "read") for one in others))
        self.assertEqual(
            others.mapped("state"), ["read", "sent", "read", "read"], others
        )
        event = self.events.search([], limit=1)
        self.assertEqual((event.state, event.is_unread), ("error", True))
        self.patch(type(self.messages), "_record_receipts", record)
        event.with_user(self.manager).action_process_again()
        self.process_inbox()
        self.assertEqual(set(others.mapped("state")), {"read"})
        self.assertEqual((event.state, event.is_unread), ("done", False))

    def test_delivered_and_read_show_on_the_invoice(self):
        self.receive_statuses(
            self.status(self.message, "sent"), self.status(self.message, "delivered")
        )
        self.assertEqual(self.message.state, "delivered")
        self.assertEqual(self.invoice.wab_state, "delivered")
        self.receive_statuses(self.status(self.message, "read", at=1763600500))
        self.assertEqual(self.invoice.wab_state, "read")
        self.assertTrue(self.message.delivered_at < self.message.read_at)

    def test_disorder_and_doubles_change_nothing(self):
        read = self.status(self.message, "read", at=1763600500)
        self.receive_statuses(read)
        self.receive_statuses(self.status(self.message, "sent"))
        self.receive_statuses(self.status(self.message, "delivered"))
        self.receive_statuses(dict(read, timestamp="1763600900"))
        self.assertEqual(self.message.state, "read")
        self.assertEqual(str(self.message.read_at), "2025-11-20 01:01:40")

    def test_failed_outranks_sent_and_delivered_outranks_failed(self):
        error = {"code": 131026, "title": "Undeliverable"}
        self.receive_statuses(self.status(self.message, "failed", errors=[error]))
        self.assertRecordValues(
            self.message, [{"state": "failed", "error_code": "131026"}]
        )
        self.receive_statuses(self.status(self.message, "sent"))
        self.assertEqual(self.message.state, "failed")
        self.receive_statuses(self.status(self.message, "delivered"))
        self.assertRecordValues(
            self.message, [{"state": "delivered", "error_code": False}]
        )

    def test_replayed_post_makes_no_new_row(self):
        value = self.value(statuses=[self.status(self.message, "delivered")])
        self.assertTrue(self.receive(value))
        before = self.events.search_count([])
        self.assertTrue(self.receive(value))
        self.assertEqual(self.events.search_count([]), before)

    def test_wrong_signature_is_refused_and_leaves_nothing(self):
        value = self.value(statuses=[self.status(self.message, "read")])
        before = self.events.search_count([])
        self.assertFalse(self.receive(value, secret="wrong"))
        self.assertEqual(self.events.search_count([]), before)

    def test_account_without_secret_refuses_everything(self):
        token = self.account.sudo().webhook_token
        self.account.sudo().app_secret_cipher = False
        for header in ({}, {"X-Hub-Signature-256": "sha256=" + "0" * 64}):
            self.assertFalse(self.events._receive(token, b"{}", header))

    def test_receipt_finds_an_unknown_message_by_its_proof(self):
        message = self.send(self.make_invoice_with_pdf())
        message.write({"state": "unknown", "unknown_at": self.ago(minutes=1)})
        self.receive_statuses(self.status(message, "sent", id="wamid.learned"))
        self.assertRecordValues(
            message, [{"state": "sent", "wamid": "wamid.learned"}]
        )
        self.run_cron()
        self.drain()
        self.assertEqual(len(self.sent_calls()), 1, "never a second copy")

    def test_receipt_takes_a_requeued_message_out_of_the_queue(self):
        message = self.send(self.make_invoice_with_pdf())
        self.receive_statuses(self.status(message, "sent", id="wamid.late"))
        self.assertEqual(message.state, "sent")
        self.drain()
        self.assertEqual(len(self.sent_calls()), 1)

    def test_unknown_ids_are_kept_and_ignored(self):
        value = self.value(statuses=[{"id": "wamid.x", "status": "sent"}])
        value["metadata"]["phone_number_id"] = "999"
        self.assertTrue(self.receive(value, waba="888"))
        self.process_inbox()
        self.assertEqual(self.events.search([], limit=1).state, "ignored")

    def test_another_companys_receipt_changes_nothing(self):
        other = self.env["res.company"].create({"name": "Other"})
        account = self._make_account(other, "200000000000009", "300000000000009")
        account.sudo().write({"app_uid": "100000000000009"})
        status = self.status(self.message, "read")
        value = self.value(statuses=[status])
        value["metadata"]["phone_number_id"] = "300000000000009"
        self.receive(value)
        self.process_inbox()
        self.assertEqual(self.message.state, "sent")

    def test_thousand_updates_in_one_post(self):
        statuses = [
            self.status(self.message, "delivered", at=1763600000 + n)
            for n in range(1000)
        ]
        self.receive_statuses(*statuses)
        self.assertEqual(self.message.state, "delivered")

    def test_hundred_events_take_few_queries(self):
        for n in range(100):
            self.receive(
                self.value(
                    statuses=[self.status(self.message, "delivered", at=1763600000 + n)]
                )
            )
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(140):
            self.events._process_batch()

    def test_marketing_stop_at_the_provider_becomes_consent(self):
        error = {"code": 131050, "title": "User stopped marketing"}
        self.receive_statuses(self.status(self.message, "failed", errors=[error]))
        states = self.partner.wab_opt_in_state
        self.assertEqual(states["marketing"], "withdrawn")
        self.assertEqual(states["billing"], "granted")

    # --- what customers write -------------------------------------------------------

    def test_stop_withdraws_everything_for_everybody_with_that_number(self):
        twin = self._make_customer("Twin", "600 00 00 01")
        self.receive_text("  ¡Baja! ")
        for partner in (self.partner, twin):
            self.assertEqual(
                set(partner.wab_opt_in_state.values()), {"withdrawn"}, partner.name
            )
        message = self.send(self.make_invoice_with_pdf())
        self.assertRecordValues(
            message, [{"state": "canceled", "reason": "opted_out"}]
        )

    def test_stop_withdraws_what_waits(self):
        waiting = self.send(self.make_invoice_with_pdf())
        self.receive_text("STOP")
        self.assertRecordValues(
            waiting, [{"state": "canceled", "reason": "opted_out"}]
        )

    def test_stop_binds_who_gets_the_number_next(self):
        self.receive_text("STOP", sender="34600000077")
        late = self._make_customer("Late", "+34600000077", wab_enabled=False)
        self.assertEqual(late.wab_opt_in_state["billing"], "withdrawn")

    def test_start_takes_back_a_stop_but_not_for_offers(self):
        self.receive_text("STOP", timestamp="1763600100")
        self.receive_text("alta", wamid="wamid.in2", timestamp="1763600101")
        self.assertEqual(
            self.partner.wab_opt_in_state,
            {"billing": "granted", "collections": "granted", "marketing": "withdrawn"},
        )

    def test_a_sentence_with_stop_in_it_is_no_stop(self):
        self.receive_text("Please stop by tomorrow")
        self.assertEqual(self.partner.wab_opt_in_state["billing"], "granted")

    def test_inbound_message_is_kept_once_beside_its_document(self):
        context = {"from": "34910000001", "id": self.message.wamid}
        self.receive_text("Thank you", context=context)
        self.receive_text("Thank you", context=context, extra="retry")
        inbound = self.messages.search([("direction", "=", "in")])
        self.assertEqual(len(inbound), 1)
        self.assertRecordValues(
            inbound,
            [
                {
                    "state": "received",
                    "partner_id": self.partner.id,
                    "res_model": "account.move",
                    "res_id": self.invoice.id,
                    "body": "Thank you",
                }
            ],
        )

    def test_user_without_number_is_kept(self):
        message = {
            "from_user_id": "ES.13491208655302741918",
            "id": "wamid.bsuid",
            "timestamp": "1763600100",
            "type": "text",
            "text": {"body": "Hi"},
        }
        self.receive(self.value(messages=[message]))
        self.process_inbox()
        inbound = self.messages.search([("wamid", "=", "wamid.bsuid")])
        self.assertEqual(inbound.recipient_uid, "ES.13491208655302741918")

    def test_processing_again_changes_nothing(self):
        self.receive_text("Hello")
        event = self.events.search([], limit=1)
        event.with_user(self.manager).action_process_again()
        self.process_inbox()
        self.assertEqual(event.state, "done")
        self.assertEqual(self.messages.search_count([("direction", "=", "in")]), 1)
