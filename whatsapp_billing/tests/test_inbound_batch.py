# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What many customers write at once: a fixed number of queries, each message for itself."""

import itertools
import time
from unittest.mock import patch

from odoo.tests import tagged

from ..models.inbox import message_inbound, webhook_event
from .collection_common import CollectionCommon
from .test_collection_inbound import AnswerCommon
from .test_inbound import InboundCommon


class BatchCommon(InboundCommon):
    def setUp(self):
        super().setUp()
        self.numbers = itertools.count(1)

    def text(self, body="Question", sender="34600000001", wamid=None, **extra):
        """Return what a customer has just written, as Meta tells it."""
        return {
            "from": sender,
            "id": wamid or f"wamid.batch{next(self.numbers)}",
            "timestamp": str(self.stamp()),
            "type": "text",
            "text": {"body": body},
            **extra,
        }

    def edit(self, body, target, **extra):
        message = {"type": "text", "text": {"body": body}}
        edit = {"original_message_id": target, "message": message}
        return self.text(type="edit", edit=edit, **extra)

    def post(self, *messages):
        """Take in one POST with all of these; return its event."""
        self.assertTrue(self.receive(self.value(messages=list(messages))))
        return self.events.search([], limit=1)

    def kept(self):
        return self.messages.search([("direction", "=", "in")], order="id")


@tagged("post_install", "-at_install")
class TestInboundBatch(BatchCommon):
    def make_senders(self, number, first):
        """Return so many customers' numbers; every fifth one is nobody's we know."""
        senders = [f"346{first + n:08d}" for n in range(number)]
        self.env["res.partner"].create(
            [
                {"name": f"Customer {sender}", "phone": f"+{sender}"}
                for n, sender in enumerate(senders)
                if n % 5
            ]
        )
        return senders

    def count_queries(self, number, first):
        """Return the queries in which so many texts are kept and told."""
        messages = [
            self.text(f"Question {n}", sender)
            for n, sender in enumerate(self.make_senders(number, first))
        ]
        for message in messages:
            self.post(message)
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        self.assertEqual(self.events._process_batch(), number)
        self.env.flush_all()
        queries = self.env.cr.sql_log_count - before
        self.assertFalse(self.messages.search_count([("tell", "!=", False)]))
        return queries

    def test_a_batch_is_a_fixed_number_of_queries(self):
        """Each text of a customer cost three to six queries and a savepoint."""
        self.count_queries(5, 100)
        few = self.count_queries(10, 200)
        many = self.count_queries(80, 300)
        # What is cached of users and rights may be known, or not, the second time.
        self.assertLessEqual(many, few + 2)
        self.assertEqual(len(self.kept()), 95)

    def test_it_is_told_once_to_each_and_to_open_screens_once(self):
        for sender in self.make_senders(20, 400):
            self.post(self.text("One", sender), self.text("Two", sender))
        with patch.object(
            type(self.messages), "_notify_waiting", autospec=True
        ) as notify:
            self.process_inbox()
        self.assertEqual(notify.call_count, 1)
        self.assertEqual(len(self.kept()), 40)
        kind = self.env.ref("whatsapp_billing.mail_activity_type_wrote")
        asked = self.env["mail.activity"].sudo()
        self.assertEqual(asked.search_count([("activity_type_id", "=", kind.id)]), 20)

    def test_a_repeated_message_is_kept_once(self):
        message = self.text(wamid="wamid.same")
        self.post(message, message)
        self.post(message, self.text())
        self.process_inbox()
        self.assertEqual(len(self.kept()), 2)

    def test_messages_of_one_batch_are_about_each_other(self):
        """By the provider's time, in whichever order they stand there."""
        at = self.stamp() - 60
        first = self.text("one", wamid="wamid.one", timestamp=str(at))
        self.post(
            self.edit("three", "wamid.one", timestamp=str(at + 2)),
            self.edit("two", "wamid.one", timestamp=str(at + 1)),
            self.text("STOP", wamid="wamid.two", timestamp=str(at + 4)),
            self.text(
                type="revoke",
                revoke={"original_message_id": "wamid.two"},
                timestamp=str(at + 3),
            ),
        )
        self.post(first)
        self.process_inbox()
        self.assertEqual(self.inbound("wamid.one").edited_body, "three")
        # What was taken back before it came decides nothing.
        self.assertTrue(self.inbound("wamid.two").is_withdrawn)
        self.assertEqual(self.partner.wab_opt_in_state["billing"], "granted")

    def test_who_quotes_themselves_writes_about_the_same(self):
        self.accept_everything()
        invoice = self.make_invoice_with_pdf()
        sent = self.send(invoice)
        self.drain()
        ours = {"from": "34910000001", "id": sent.wamid}
        theirs = {"from": "34600000001", "id": "wamid.one"}
        self.post(
            self.text("The amount is wrong", wamid="wamid.one", context=ours),
            self.text("See above", wamid="wamid.two", context=theirs),
        )
        self.process_inbox()
        for wamid in "wamid.one", "wamid.two":
            message = self.inbound(wamid)
            self.assertEqual(message.partner_id, self.partner)
            self.assertEqual(message.res_id, invoice.id)


@tagged("post_install", "-at_install")
class TestInboundBounds(BatchCommon):
    """One POST with very much in it is read in several transactions."""

    def test_many_messages_in_one_post(self):
        event = self.post(*(self.text(f"Text {n}") for n in range(7)))
        self.env.flush_all()
        with patch.object(webhook_event, "BATCH_MESSAGES", 3):
            for done, state in ((3, "new"), (6, "new"), (7, "done")):
                self.assertEqual(self.events._process_batch(), 1)
                self.assertEqual(len(self.kept()), done)
                self.assertEqual(event.state, state)
        self.assertEqual(self.kept().mapped("body"), [f"Text {n}" for n in range(7)])
        self.assertFalse(event.done_messages)

    def test_one_that_cannot_be_applied_keeps_no_other(self):
        """Neither those beside it, nor those of a later round; it is tried again."""
        event = self.post(
            *(self.text(f"Text {n}", wamid=f"wamid.{n}") for n in range(7))
        )
        cls = self.env.registry["whatsapp.billing.message"]
        hear = cls._hear

        def fail(message, incoming):
            if incoming.update.wamid == "wamid.1":
                raise ValueError("poison")
            return hear(message, incoming)

        with (
            patch.object(webhook_event, "BATCH_MESSAGES", 3),
            patch.object(cls, "_hear", fail),
            self.assertLogs("odoo.addons.whatsapp_billing", "ERROR"),
        ):
            self.process_inbox()
        self.assertEqual(len(self.kept()), 6)
        self.assertFalse(self.inbound("wamid.1"))
        self.assertEqual(event.state, "error")
        self.assertIn("poison", event.error)
        self.assertTrue(event.next_attempt_at)
        event.next_attempt_at = self.ago(minutes=1)
        self.run_cron("ir_cron_inbox")
        self.assertEqual(event.state, "done")
        self.assertEqual(len(self.kept()), 7)
        self.assertEqual(len(self.inbound("wamid.1")), 1)

    def test_those_beside_it_are_about_each_other_all_the_same(self):
        self.post(
            self.text("one", wamid="wamid.one"),
            self.edit("two", "wamid.one", wamid="wamid.two"),
            self.text("poison"),
            self.text("three"),
        )
        cls = self.env.registry["whatsapp.billing.message"]
        hear = cls._hear

        def fail(message, incoming):
            if incoming.update.text == "poison":
                raise ValueError("poison")
            return hear(message, incoming)

        with (
            patch.object(cls, "_hear", fail),
            self.assertLogs("odoo.addons.whatsapp_billing", "ERROR"),
        ):
            self.process_inbox()
        self.assertEqual(self.inbound("wamid.one").edited_body, "two")
        self.assertEqual(len(self.kept()), 3)

    def test_a_text_without_end(self):
        """1.2 million characters took half a minute of everybody's inbox."""
        self.post(self.text("baja " * 240_000, wamid="wamid.long"), self.text())
        started = time.process_time()
        self.process_inbox()
        self.assertLess(time.process_time() - started, 8)
        message = self.inbound("wamid.long")
        self.assertEqual(len(message.body), message_inbound.LONGEST_TEXT)
        self.assertEqual(self.partner.wab_opt_in_state["billing"], "granted")
        self.assertEqual(len(self.kept()), 2)

    def test_long_texts_are_not_all_in_one_transaction(self):
        for _n in range(3):
            self.post(self.text("x" * 60))
        self.env.flush_all()
        with patch.object(webhook_event, "BATCH_CHARACTERS", 100):
            self.events._process_batch()
            self.assertEqual(len(self.kept()), 1)
            self.process_inbox()
        self.assertEqual(len(self.kept()), 3)


@tagged("post_install", "-at_install")
class TestInboundOrder(BatchCommon):
    """What comes in another order than it was said."""

    def test_the_later_edit_stands(self):
        at = self.stamp() - 60
        self.receive_messages(self.text("one", wamid="wamid.one"))
        for body, second in (("three", 2), ("two", 1)):
            self.receive_messages(
                self.edit(body, "wamid.one", timestamp=str(at + second))
            )
        self.assertEqual(self.inbound("wamid.one").edited_body, "three")

    def test_the_later_word_about_consent_stands(self):
        at = self.stamp() - 60
        for body, second in (("START", 2), ("STOP", 1)):
            self.receive_messages(self.text(body, timestamp=str(at + second)))
        self.assertEqual(self.partner.wab_opt_in_state["billing"], "granted")


@tagged("post_install", "-at_install")
class TestAnswerOrder(AnswerCommon, CollectionCommon):
    def setUp(self):
        super().setUp()
        self.invoice = self.make_due(2)
        self.reminder = self.remind(self.invoice)
        self.at = self.stamp() - 30

    def test_two_in_one_batch_both_act_in_their_order(self):
        rows = [
            {
                "from": "34600000001",
                "id": f"wamid.two{second}",
                "timestamp": str(self.at + second),
                "type": "text",
                "text": {"body": self.day(days).isoformat()},
            }
            for second, days in ((2, 6), (1, 3))
        ]
        self.assertTrue(self.receive(self.value(messages=rows)))
        self.process_inbox()
        self.assertEqual(self.case(self.invoice).promise_date, self.day(6))
        self.assertEqual(len(self.replies()), 2)
