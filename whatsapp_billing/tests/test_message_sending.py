# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..clients.errors import NotConnectedError, UnknownOutcomeError
from .common import VARIABLES
from .lifecycle_common import LifecycleCommon


@tagged("post_install", "-at_install")
class TestMessageSending(LifecycleCommon):
    def test_posted_invoice_goes_out_once(self):
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.assertEqual(message.state, "queued")
        self.assertEqual(self.drain(), 1)
        self.assertRecordValues(
            message, [{"state": "sent", "attempts": 1, "reason": False}]
        )
        self.assertTrue(message.wamid)
        self.assertTrue(message.sent_at)
        self.assertEqual(self.drain(), 0)
        self.assertEqual(len(self.sent_calls()), 1)

    def test_request_carries_proof_recipient_and_document(self):
        self.accept_everything()
        invoice = self.make_invoice_with_pdf()
        message = self.send(invoice)
        self.drain()
        body = self.sent_calls()[0].json
        self.assertEqual(body["biz_opaque_callback_data"], message.uuid)
        self.assertEqual(body["to"], "+34600000001")
        parts = {p["type"]: p for p in body["template"]["components"]}
        document = parts["header"]["parameters"][0]["document"]
        self.assertEqual(document["id"], "777")
        self.assertEqual(document["filename"], f"{invoice.name.replace('/', '_')}.pdf")
        suffix = parts["button"]["parameters"][0]["text"]
        self.assertIn(f"my/invoices/{invoice.id}?access_token=", suffix)
        self.assertIn(invoice.name, [p["text"] for p in parts["body"]["parameters"]])

    def test_text_header_goes_out_filled_in(self):
        template = self._make_template(
            self.account,
            "invoice",
            is_default=False,
            template_name="with_header",
            header_type="text",
            header_text="Invoice {{1}}",
            variables=[("header", 1, "name", "text", "INV/1"), *VARIABLES],
        )
        self.accept_everything()
        invoice = self._make_invoice()
        message = self.send(invoice, template=template.id)
        self.assertEqual(message.content["header"]["text"], f"Invoice {invoice.name}")
        self.drain()
        parts = {
            p["type"]: p for p in self.sent_calls()[0].json["template"]["components"]
        }
        self.assertEqual(
            parts["header"]["parameters"], [{"type": "text", "text": invoice.name}]
        )

    def test_accepted_but_never_delivered_is_shown_as_late(self):
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.assertTrue(message.expires_at > message.sent_at)
        self.assertFalse(message.is_late)
        message.expires_at = self.ago(days=1)
        self.assertTrue(message.is_late)
        self.assertTrue(message.explanation)
        late = [("state", "=", "sent"), ("expires_at", "<", "now")]
        self.assertIn(message, self.messages.search(late))

    def test_document_is_uploaded_once_per_number(self):
        self.accept_everything()
        other = self._make_customer("Luis", "+34600000002")
        invoice = self.make_invoice_with_pdf()
        self.send(invoice, partners=(self.partner | other).ids)
        self.drain()
        self.send(invoice, key="again")
        self.drain()
        uploads = [c for c in self.transport.calls if "/media" in c.url]
        self.assertEqual((len(uploads), len(self.sent_calls())), (1, 3))

    def test_no_connection_is_evidence_and_queues_again(self):
        self.transport.add("POST", "/media", lambda _call: self._media())
        self.transport.add("POST", "/messages", NotConnectedError("refused"))
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.assertRecordValues(message, [{"state": "queued", "attempts": 1}])
        self.assertTrue(message.next_attempt_at)
        self.assertEqual(message.attempt_ids.outcome, "queued")
        self.assertEqual(self.drain(), 0, "not before its time")

    def test_silence_is_unknown_never_failed_never_queued(self):
        self.transport.add("POST", "/media", lambda _call: self._media())
        self.transport.add("POST", "/messages", UnknownOutcomeError("read timeout"))
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.assertEqual(message.state, "unknown")
        self.assertTrue(message.unknown_at)
        self.run_cron()
        self.assertEqual(message.state, "unknown")
        self.assertEqual(len(self.sent_calls()), 1)

    def test_html_answer_is_unknown(self):
        self.transport.add("POST", "/media", lambda _call: self._media())
        answer = self._answer({})
        html = type(answer)(200, answer.headers, b"<html>gateway</html>")
        self.transport.add("POST", "/messages", html)
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.assertEqual(message.state, "unknown")

    def test_wrong_recipient_fails_with_a_sentence(self):
        self.transport.add("POST", "/media", lambda _call: self._media())
        self.transport.add("POST", "/messages", self._refusal(131026, "Undeliverable"))
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.assertRecordValues(message, [{"state": "failed", "error_code": "131026"}])
        self.assertTrue(message.error_sentence)
        self.assertNotIn("131026", message.error_sentence)

    def test_too_fast_comes_back_later_without_end(self):
        self.transport.add("POST", "/media", lambda _call: self._media())
        self.transport.add("POST", "/messages", self._refusal(130429, "Rate limit"))
        message = self.send(self.make_invoice_with_pdf())
        for _n in range(8):
            message.next_attempt_at = False
            self.drain()
            self.assertEqual(message.state, "queued")

    def test_provider_trouble_gives_up_after_some_attempts(self):
        self.transport.add("POST", "/media", lambda _call: self._media())
        self.transport.add("POST", "/messages", self._refusal(131016, "Down", 500))
        message = self.send(self.make_invoice_with_pdf())
        for _n in range(9):
            message.next_attempt_at = False
            self.drain()
        self.assertEqual(message.state, "failed")
        self.assertEqual(len(message.attempt_ids), message.attempts)

    def test_refusal_in_the_answer_ends_with_the_time_to_live(self):
        """As one by webhook does: nobody should hear of it any more."""
        self.transport.add("POST", "/media", lambda _call: self._media())
        refusals = ((131016, 500), (190, 401), (132015, 400))
        for number, (code, status) in enumerate(refusals):
            self.transport.add("POST", "/messages", [self._refusal(code, "No", status)])
            partner = self._make_customer("Luis", f"+3460000005{number}")
            message = self.send(self.make_invoice_with_pdf(partner))
            message.expires_at = self.ago(minutes=1)
            self.drain()
            self.assertRecordValues(message, [{"state": "failed", "reason": False}])
            self.assertTrue(message.failed_at)
            self.account.state = "connected"
            self.templates["invoice"].status = "approved"

    def test_expired_token_stops_the_account_and_holds(self):
        self.transport.add("POST", "/media", lambda _call: self._media())
        self.transport.add("POST", "/messages", self._refusal(190, "Expired", 401))
        messages = self.send(self.make_invoice_with_pdf()) | self.send(
            self.make_invoice_with_pdf(self._make_customer("Luis", "+34600000002"))
        )
        self.drain()
        self.drain()
        self.assertEqual(self.account.state, "error")
        self.assertTrue(self.account.state_detail)
        self.assertEqual(set(messages.mapped("state")), {"held"})
        self.assertEqual(set(messages.mapped("reason")), {"account_inactive"})
        self.transport.routes.clear()

    def test_held_messages_go_when_the_account_is_back(self):
        self.account.state = "inactive"
        message = self.send(self.make_invoice_with_pdf())
        self.assertRecordValues(
            message, [{"state": "held", "reason": "account_inactive"}]
        )
        self.account.state = "connected"
        self.accept_everything()
        self.run_cron()
        self.drain()
        self.assertEqual(message.state, "sent")

    def test_paused_template_holds_its_messages(self):
        self.transport.add("POST", "/media", lambda _call: self._media())
        self.transport.add("POST", "/messages", self._refusal(132015, "Paused"))
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.assertRecordValues(
            message, [{"state": "held", "reason": "template_not_approved"}]
        )
        self.assertEqual(self.templates["invoice"].status, "paused")

    def test_stale_media_is_uploaded_again_once(self):
        self.transport.add("POST", "/media", lambda _call: self._media())
        self.transport.add(
            "POST", "/messages", [self._refusal(131053, "Media"), self._accepted()]
        )
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.drain()
        self.assertEqual(message.state, "sent")
        self.assertEqual(len([c for c in self.transport.calls if "/media" in c.url]), 2)

    def test_media_that_whatsapp_had_before_is_uploaded_again_whatever_it_says(self):
        """The general error speaks Spanish, and says "archivo" and never "media"."""
        invoice = self.make_invoice_with_pdf()
        self.transport.add("POST", "/media", lambda _call: self._media())
        words = "(#100) No existe el archivo"
        self.transport.add(
            "POST",
            "/messages",
            [self._accepted(), self._refusal(100, words), self._accepted()],
        )
        first = self.send(invoice)
        self.drain()
        self.assertEqual(first.state, "sent")
        again = self.send(invoice)
        self.drain()
        self.drain()
        self.assertEqual(again.state, "sent")
        self.assertEqual(len([c for c in self.transport.calls if "/media" in c.url]), 2)

    def test_what_was_just_uploaded_is_not_uploaded_again(self):
        self.transport.add("POST", "/media", lambda _call: self._media())
        self.transport.add(
            "POST", "/messages", [self._refusal(100, "Unsupported media type")]
        )
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.assertEqual(message.state, "failed")
        self.assertEqual(len([c for c in self.transport.calls if "/media" in c.url]), 1)

    def test_expired_lease_is_unknown(self):
        message = self.send(self.make_invoice_with_pdf())
        message.write({"state": "sending", "lease_until": self.ago(hours=1)})
        self.run_cron()
        self.assertEqual(message.state, "unknown")
        self.assertFalse(self.sent_calls())

    def test_unknown_goes_again_when_the_channel_proves_it_never_left(self):
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        message.write({"state": "unknown", "unknown_at": self.ago(minutes=30)})
        self.phone.sudo().last_status_at = self.ago(minutes=1)
        self.run_cron()
        self.assertEqual(message.state, "unknown", "alive now, but since when?")
        message.channel_seen_at = self.ago(minutes=29)
        self.phone.sudo().last_status_at = self.ago(minutes=21)
        self.run_cron()
        self.assertEqual(message.state, "unknown", "seen alive, but not long enough")
        self.phone.sudo().last_status_at = self.ago(minutes=18)
        self.run_cron()
        self.drain()
        self.assertEqual(message.state, "sent")
        self.assertEqual(len(self.sent_calls()), 1)

    def test_unreadable_webhook_is_no_evidence(self):
        message = self.send(self.make_invoice_with_pdf())
        message.write({"state": "unknown", "unknown_at": self.ago(minutes=30)})
        self.phone.sudo().last_status_at = self.ago(minutes=1)
        self.receive(self.value(statuses=[]))
        self.events.search([], limit=1).write({"state": "error", "is_unread": True})
        self.run_cron()
        self.assertEqual(message.state, "unknown")

    def test_old_news_of_an_earlier_attempt_changes_nothing(self):
        message = self.send(self.make_invoice_with_pdf())

        self.transport.add("POST", "/media", lambda _call: self._media())
        self.transport.add("POST", "/messages", NotConnectedError("refused"))
        model = type(self.messages)
        original = model._record_outcomes

        def another_attempt_began(messages, drain, outcomes, recording):
            message._begin_attempt()
            self.env.flush_all()
            return original(messages, drain, outcomes, recording)

        self.patch(model, "_record_outcomes", another_attempt_began)
        self.drain()
        self.assertEqual(message.state, "sending")

    def test_unknown_without_evidence_asks_a_person(self):
        message = self.send(self.make_invoice_with_pdf())
        message.write({"state": "unknown", "unknown_at": self.ago(hours=3)})
        before = len(self.account.message_ids)
        self.run_cron()
        self.run_cron()
        self.assertEqual(message.state, "unknown")
        self.assertEqual(len(self.account.activity_ids), 1)
        self.assertLessEqual(len(self.account.message_ids), before + 1)

    def test_a_person_sends_an_unknown_one_with_a_click(self):
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        message.write({"state": "unknown", "unknown_at": self.ago(hours=3)})
        message.with_user(self.clerk).action_retry()
        self.drain()
        self.assertEqual(message.state, "sent")

    def test_a_person_cancels_what_waits(self):
        message = self.send(self.make_invoice_with_pdf())
        message.with_user(self.clerk).action_cancel()
        self.assertEqual(message.state, "canceled")
        self.assertEqual(self.drain(), 0)

    def test_sent_messages_cannot_be_cancelled_or_retried(self):
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        message.with_user(self.clerk).action_cancel()
        message.with_user(self.clerk).action_retry()
        self.assertEqual(message.state, "sent")

    # --- the last look before a call ------------------------------------------------

    def test_invoice_reset_while_queued_is_not_sent(self):
        message = self.send(self.make_invoice_with_pdf())
        self.env["account.move"].browse(message.res_id).button_draft()
        self.drain()
        self.assertRecordValues(message, [{"state": "canceled", "reason": "draft"}])

    def test_invoice_cancelled_while_queued_is_not_sent(self):
        message = self.send(self.make_invoice_with_pdf())
        move = self.env["account.move"].browse(message.res_id)
        move.button_draft()
        move.button_cancel()
        self.drain()
        self.assertRecordValues(
            message, [{"state": "canceled", "reason": "cancelled_document"}]
        )

    def test_invoice_with_another_total_is_superseded(self):
        invoice = self.make_invoice_with_pdf()
        message = self.send(invoice)
        invoice.button_draft()
        invoice.invoice_line_ids.price_unit = 250
        invoice.action_post()
        self.attach_pdf(invoice)
        self.drain()
        self.assertRecordValues(
            message, [{"state": "canceled", "reason": "superseded"}]
        )

    def test_archived_partner_gets_nothing(self):
        message = self.send(self.make_invoice_with_pdf())
        self.partner.active = False
        self.drain()
        self.assertRecordValues(
            message, [{"state": "canceled", "reason": "superseded"}]
        )

    def test_opt_out_while_queued_is_respected(self):
        message = self.send(self.make_invoice_with_pdf())
        self.partner.with_user(self.clerk).wab_opt_out("billing", "On the phone")
        self.drain()
        self.assertRecordValues(message, [{"state": "canceled", "reason": "opted_out"}])

    def test_merged_partner_gets_it_at_the_same_number_only(self):
        message = self.send(self.make_invoice_with_pdf())
        other = self._make_customer("Ana P.", "+34600000001")
        self._merge(self.partner, other)
        self.assertEqual(message.partner_id, other)
        self.accept_everything()
        self.drain()
        self.assertEqual(message.state, "sent")

    def test_merged_into_a_partner_with_another_number_is_not_sent(self):
        message = self.send(self.make_invoice_with_pdf())
        other = self._make_customer("Ana P.", "+34600000099")
        self._merge(self.partner, other)
        self.drain()
        self.assertRecordValues(
            message, [{"state": "canceled", "reason": "superseded"}]
        )

    def _merge(self, source, target):
        wizard = self.env["base.partner.merge.automatic.wizard"].sudo()
        self.env.flush_all()
        wizard._merge((source | target).ids, target)
        self.env.invalidate_all()

    def test_template_that_keeps_failing_alarms_once(self):
        invoice = self.make_invoice_with_pdf()
        messages = self.messages.browse()
        for n in range(20):
            messages |= self.send(invoice, key=str(n))
        messages[:5].write({"state": "failed"})
        messages[5:].write({"state": "delivered"})
        template = self.templates["invoice"]
        self.account.sudo().last_sync_at = self.ago(minutes=1)
        for _n in range(2):
            self.run_cron("ir_cron_templates")
        self.assertEqual(len(template.activity_ids), 1)

    def test_template_rejected_while_queued_stops_it(self):
        message = self.send(self.make_invoice_with_pdf())
        self.templates["invoice"].status = "disabled"
        self.drain()
        self.assertEqual(message.reason, "template_not_approved")

    def test_copied_database_sends_nothing(self):
        message = self.send(self.make_invoice_with_pdf())
        self.env["ir.config_parameter"].sudo().set_param("database.uuid", "other")
        self.drain()
        self.assertRecordValues(
            message, [{"state": "held", "reason": "account_inactive"}]
        )
        self.assertFalse(self.transport.calls)

    # --- documents ---------------------------------------------------------------------

    def test_missing_pdf_is_made_behind_the_users_back(self):
        self.accept_everything()
        invoice = self._make_invoice()
        message = self.send(invoice)
        self.assertRecordValues(
            message, [{"state": "queued", "document_state": "pending"}]
        )
        self.assertEqual(self.drain(), 0, "not before the PDF is there")

        def make(move):
            self.attach_pdf(move)
            return move.invoice_pdf_report_id

        self.patch(type(self.env["account.move"]), "_wab_make_file", make)
        self.run_cron()
        self.drain()
        self.assertRecordValues(message, [{"state": "sent", "document_state": "ready"}])

    @mute_logger("odoo.addons.whatsapp_billing.models.document.message_document")
    def test_pdf_that_cannot_be_made_fails_with_the_reason(self):
        message = self.send(self._make_invoice())

        def fail(_move):
            raise ValueError("report broken")

        self.patch(type(self.env["account.move"]), "_wab_make_file", fail)
        self.run_cron()
        self.assertEqual(message.state, "failed")
        self.assertIn("report broken", message.error_detail)
        self.assertEqual(message.attempt_ids.kind, "document")

    def test_pdf_over_the_limit_is_refused(self):
        invoice = self._make_invoice()
        message = self.send(invoice)
        self.attach_pdf(invoice)
        attachment = invoice.invoice_pdf_report_id
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE ir_attachment SET file_size = %s WHERE id = %s",
            [101 * 1024 * 1024, attachment.id],
        )
        attachment.invalidate_recordset()
        self.run_cron()
        self.assertRecordValues(
            message, [{"state": "canceled", "reason": "file_too_large"}]
        )
