# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..clients.signatures import sign_meta
from .common import SECRET
from .lifecycle_common import LifecycleCommon

DRAIN = "odoo.addons.whatsapp_billing.models.sending.message_drain"
EVENTS = "odoo.addons.whatsapp_billing.models.inbox.webhook_event"
OTHER_PHONE = "300000000000002"


@tagged("post_install", "-at_install")
class TestWebhookEvidence(LifecycleCommon):
    """What a number's own webhooks prove, and what becomes of unreadable ones."""

    def setUp(self):
        super().setUp()
        self.accept_everything()
        self.message = self.send(self.make_invoice_with_pdf())
        self.message.write({"state": "unknown", "unknown_at": self.ago(minutes=30)})

    def seen(self, phone_uid, **ago):
        """Have a receipt about something else come for a number, some time ago."""
        value = self.value(
            statuses=[{"id": f"wamid.other{ago}", "status": "sent", "timestamp": "1"}]
        )
        value["metadata"]["phone_number_id"] = phone_uid
        self.receive(value)
        self.events.search([], limit=1).received_at = self.ago(**ago)
        self.process_inbox()

    def prove(self, phone_uid=None):
        """Show a number's channel alive for longer than is asked."""
        for minutes in (29, 2):
            self.seen(phone_uid or self.phone.phone_uid, minutes=minutes)

    def receive_raw(self, body, account=None):
        account = account or self.account
        headers = {"X-Hub-Signature-256": sign_meta(SECRET, body)}
        self.assertTrue(
            self.events._receive(account.sudo().webhook_token, body, headers)
        )
        self.process_inbox()
        return self.events.search([], limit=1)

    def make_other_account(self):
        other = self.env["res.company"].create({"name": "Other"})
        account = self._make_account(other, "200000000000009", "300000000000009")
        account.sudo().write({"app_uid": "100000000000009"})
        account.sudo().write({"app_secret": SECRET})
        account.sudo().state = "connected"
        return account

    def settle(self):
        self.run_cron()
        self.drain()
        return self.message.state

    # --- evidence --------------------------------------------------------------------

    def test_own_channel_is_evidence(self):
        self.prove()
        self.assertEqual(self.settle(), "sent")
        self.assertEqual(len(self.sent_calls()), 1)

    def test_silence_proves_nothing_where_our_token_does_not_come_back(self):
        with patch(f"{DRAIN}.PROVING", []):
            self.prove()
            self.assertEqual(self.settle(), "unknown")
        self.assertFalse(self.sent_calls())
        self.assertEqual(self.settle(), "sent", "the same where it comes back")

    def test_channel_of_another_number_of_the_account_is_none(self):
        second = self.phone.sudo().copy(
            {"phone_uid": OTHER_PHONE, "number": "+34910000002", "is_verified": True}
        )
        self.phone.sudo().last_status_at = False
        self.prove(second.phone_uid)
        self.assertTrue(second.last_status_at)
        self.assertEqual(self.settle(), "unknown")
        self.seen(self.phone.phone_uid, minutes=1)
        self.assertEqual(self.settle(), "unknown", "its own was seen just now only")

    def test_one_sign_of_life_is_not_enough(self):
        self.seen(self.phone.phone_uid, minutes=2)
        self.assertEqual(self.settle(), "unknown")

    def test_signs_before_the_call_do_not_count(self):
        self.seen(self.phone.phone_uid, minutes=50)
        self.seen(self.phone.phone_uid, minutes=5)
        self.assertEqual(self.settle(), "unknown")

    def test_unread_events_of_another_account_hold_nothing_up(self):
        self.prove()
        token = self.make_other_account().sudo().webhook_token
        for number, state in enumerate(("new", "error", "error")):
            self.events.create(
                {
                    "app_key": token,
                    "provider": "meta",
                    "body": b"e30=",
                    "digest": str(number),
                    "state": state,
                    "is_unread": True,
                }
            )
        self.assertEqual(self.settle(), "sent")

    def test_own_unread_event_holds_what_it_may_be_about(self):
        self.prove()
        with mute_logger(EVENTS):
            self.receive_raw(b'{"object": "whatsapp_business_account", "entry": [{')
        self.assertEqual(self.settle(), "unknown")
        later = self.send(self.make_invoice_with_pdf(), key="later")
        self.events.search([], limit=1).received_at = self.ago(minutes=40)
        self.assertEqual(self.settle(), "sent")
        self.assertEqual(later.state, "sent")

    @mute_logger(EVENTS)
    def test_event_whose_receipts_were_read_holds_nothing_up(self):
        self.prove()

        def fail(*_args):
            raise ValueError("template gone")

        messages = self.env["whatsapp.billing.message"]
        self.patch(type(messages), "_keep_inbound", fail)
        self.receive_text("Hello")
        event = self.events.search([], limit=1)
        self.assertRecordValues(event, [{"state": "error", "is_unread": False}])
        self.assertEqual(self.settle(), "sent")

    # --- what cannot be read or applied ------------------------------------------------

    def test_cut_body_alarms_once_and_is_read_again_after_an_update(self):
        bodies = (b'{"entry": [', b"[" * 40 + b'{"a', b"\xff\xfe{}")
        for body in bodies:
            self.receive_raw(body)
        events = self.events.search([("state", "=", "error")])
        self.assertEqual(len(events), 3)
        self.assertEqual(len(self.account.activity_ids), 1)
        self.assertFalse(any(events.mapped("next_attempt_at")))
        self.run_cron("ir_cron_inbox")
        self.assertEqual(set(events.mapped("state")), {"error"})
        self.events.init()
        self.env.invalidate_all()
        self.assertEqual(set(events.mapped("state")), {"new"})
        self.run_cron("ir_cron_inbox")
        self.assertEqual(len(self.account.activity_ids), 1)

    @mute_logger(EVENTS)
    def test_event_that_fails_is_tried_again_later_and_then_told(self):
        is_broken = [True]
        messages = self.env["whatsapp.billing.message"]
        original = type(messages)._keep_inbound

        def keep(messages, batch):
            if is_broken[0]:
                raise ValueError("not today")
            return original(messages, batch)

        self.patch(type(messages), "_keep_inbound", keep)
        self.receive_text("STOP")
        event = self.events.search([], limit=1)
        waits = []
        while event.next_attempt_at:
            self.assertFalse(self.account.activity_ids)
            waits.append(event.next_attempt_at - self.ago())
            self.run_cron("ir_cron_inbox")
            self.assertEqual(event.attempts, len(waits), "not before its time")
            event.next_attempt_at = self.ago(seconds=1)
            self.run_cron("ir_cron_inbox")
        self.assertGreater(len(waits), 2)
        self.assertEqual(waits, sorted(waits))
        self.assertEqual(len(self.account.activity_ids), 1)
        self.assertIn("not today", event.error)
        is_broken[0] = False
        event.with_user(self.manager).action_process_again()
        self.process_inbox()
        self.assertRecordValues(event, [{"state": "done", "attempts": 0}])
        self.assertEqual(self.partner.wab_opt_in_state["billing"], "withdrawn")
        self.assertFalse(self.account.activity_ids, "its reason is gone")

    @mute_logger(EVENTS)
    def test_faulty_event_among_good_ones_stops_none(self):
        self.message.write({"state": "sent", "wamid": "wamid.known"})
        self.receive(self.value(statuses=[self.status(self.message, "delivered")]))
        body = b'{"cut'
        self.events._receive(
            self.account.sudo().webhook_token,
            body,
            {"X-Hub-Signature-256": sign_meta(SECRET, body)},
        )
        self.receive(self.value(statuses=[self.status(self.message, "read")]))
        self.process_inbox()
        self.assertEqual(self.message.state, "read")
