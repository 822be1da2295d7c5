# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields
from odoo.tests import tagged

from ..clients.errors import UnknownOutcomeError
from ..clients.testing import FakeTransport
from .lifecycle_common import LifecycleCommon

# What a provider reports by webhook and what passes by itself.
PASSING = (
    *("131000", "131016", "130429", "131056", "131048", "131049"),
    *("132069", "131057", "131064", "80007"),
)
FINAL = ("131026", "131047", "130472", "999999")


@tagged("post_install", "-at_install")
class TestMessageAttempts(LifecycleCommon):
    """News about one call never speaks for another call of the same message."""

    def setUp(self):
        super().setUp()
        self.accept_everything()
        self.invoice = self.make_invoice_with_pdf()
        self.message = self.send(self.invoice)
        self.drain()
        self.first = self.ids_of(self.message)

    def ids_of(self, message):
        return {
            "id": message.wamid,
            "biz_opaque_callback_data": message.uuid,
        }

    def about(self, ids, status, at=1763600000, code=None, **extra):
        if code:
            extra["errors"] = [{"code": int(code), "title": "No"}]
        return self.status(self.message, status, at=at, **ids, **extra)

    def fail_first(self, code="131026"):
        self.receive_statuses(self.about(self.first, "failed", code=code))

    def retry(self):
        self.message.with_user(self.clerk).action_retry()
        self.drain()
        return self.ids_of(self.message)

    def go_on(self):
        self.message.next_attempt_at = False
        self.drain()

    # --- whose news ------------------------------------------------------------------

    def test_each_attempt_has_its_own_ids(self):
        self.fail_first()
        second = self.retry()
        self.assertEqual(self.message.state, "sent")
        self.assertNotEqual(second["id"], self.first["id"])
        self.assertNotEqual(
            second["biz_opaque_callback_data"], self.first["biz_opaque_callback_data"]
        )
        attempt = self.message.attempt_ids
        self.assertRecordValues(
            attempt,
            [
                {
                    "uuid": self.first["biz_opaque_callback_data"],
                    "wamid": self.first["id"],
                    "state": "failed",
                }
            ],
        )
        proofs = [c.json["biz_opaque_callback_data"] for c in self.sent_calls()]
        self.assertEqual(len(set(proofs)), 2)

    # --- a wrong number ---------------------------------------------------------------

    def correct(self, phone):
        self.clerk.group_ids |= self.env.ref("base.group_partner_manager")
        action = self.message.with_user(self.clerk).action_correct_number()
        partner = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(partner, self.message.partner_id)
        partner.with_user(self.clerk).phone = phone

    def test_retry_with_the_number_corrected_says_what_went_instead(self):
        self.fail_first()
        self.assertTrue(self.message.is_number_refused)
        self.correct("+34600000099")
        shown = self.message.with_user(self.clerk)
        said = shown.action_retry()["params"]["message"]
        self.assertEqual(said, "The message goes out again.")
        self.assertIn("+34600000099", shown.explanation)
        self.drain()
        self.drain()
        self.assertEqual(self.message.state, "canceled")
        self.assertRecordValues(
            shown.replaced_by_id, [{"recipient": "+34600000099", "state": "sent"}]
        )
        self.assertIn("another message", shown.explanation)

    def test_retry_to_a_number_that_is_none_keeps_the_failure(self):
        self.fail_first()
        self.correct("+34 600")
        notice = self.message.with_user(self.clerk).action_retry()["params"]
        self.assertEqual(notice["type"], "warning")
        self.assertIn(self.partner.display_name, notice["message"])
        self.assertEqual(self.message.state, "failed")
        self.assertTrue(self.invoice.with_user(self.clerk).wab_problem)

    def test_the_number_is_no_matter_where_something_else_failed(self):
        self.fail_first("130472")
        self.assertEqual(self.message.state, "failed")
        self.assertFalse(self.message.is_number_refused)

    def test_late_failure_of_the_first_leaves_the_second_alone(self):
        self.fail_first()
        second = self.retry()
        self.receive_statuses(
            self.about(self.first, "failed", at=1763600900, code="131047")
        )
        self.assertEqual(self.message.state, "sent")
        self.receive_statuses(self.about(second, "delivered"))
        self.assertEqual(self.message.state, "delivered")

    def test_late_failure_found_by_the_providers_id_alone(self):
        self.fail_first()
        self.retry()
        bare = {"id": self.first["id"], "biz_opaque_callback_data": None}
        self.receive_statuses(self.about(bare, "failed", at=1763600900, code="131047"))
        self.assertEqual(self.message.state, "sent")

    def test_late_sent_of_a_failed_attempt_changes_nothing(self):
        self.fail_first("131000")
        self.receive_statuses(self.about(self.first, "sent", at=1763600900))
        self.assertEqual(self.message.state, "queued")

    def test_late_delivery_of_the_first_stops_the_second(self):
        self.fail_first("131000")
        self.assertEqual(self.message.state, "queued")
        self.receive_statuses(self.about(self.first, "delivered", at=1763600900))
        self.assertRecordValues(
            self.message,
            [
                {
                    "state": "delivered",
                    "wamid": self.first["id"],
                    "next_attempt_at": False,
                    "error_code": False,
                }
            ],
        )
        self.drain()
        self.run_cron()
        self.assertEqual(len(self.sent_calls()), 1, "never a second copy")

    def test_late_delivery_after_the_second_left_is_shown(self):
        self.fail_first()
        second = self.retry()
        self.receive_statuses(self.about(self.first, "delivered", at=1763600900))
        self.assertRecordValues(
            self.message, [{"state": "delivered", "wamid": second["id"]}]
        )
        self.receive_statuses(self.about(second, "failed", code="131000"))
        self.assertEqual(self.message.state, "delivered")
        self.receive_statuses(self.about(self.first, "read", at=1763600950))
        self.assertEqual(self.message.state, "read")

    def test_unknown_first_that_was_sent_takes_the_second_out_of_the_queue(self):
        message = self.send(self.make_invoice_with_pdf())
        self.transport.routes.clear()
        self.transport.add("POST", "/media", lambda _call: self._media())
        self.transport.add("POST", "/messages", UnknownOutcomeError("read timeout"))
        self.drain()
        self.assertEqual(message.state, "unknown")
        first = message.uuid
        message.with_user(self.clerk).action_retry()
        self.assertNotEqual(message.uuid, first)
        calls = len(self.sent_calls())
        ids = {"id": "wamid.one", "biz_opaque_callback_data": first}
        self.receive_statuses(self.about(ids, "sent"))
        self.assertRecordValues(message, [{"state": "sent", "wamid": "wamid.one"}])
        self.drain()
        self.assertEqual(len(self.sent_calls()), calls)

    def test_answers_to_either_attempt_find_the_message(self):
        self.fail_first()
        second = self.retry()
        for number, ids in enumerate((self.first, second)):
            context = {"from": "34910000001", "id": ids["id"]}
            self.receive_text("Thanks", wamid=f"wamid.in{number}", context=context)
            found = self.messages.search([("wamid", "=", f"wamid.in{number}")])
            self.assertEqual(
                (found.res_model, found.res_id), ("account.move", self.invoice.id)
            )
            for given in (
                {"wamid": ids["id"]},
                {"uuid": ids["biz_opaque_callback_data"]},
            ):
                self.assertEqual(
                    self.messages._find_outgoing(self.account, **given), self.message
                )
        other = self.env["whatsapp.billing.account"]
        self.assertFalse(self.messages._find_outgoing(other, wamid=second["id"]))
        self.assertFalse(self.messages._find_outgoing(self.account, wamid="wamid.no"))

    def test_worker_that_comes_back_late_tells_of_its_own_attempt(self):
        message = self.send(self.make_invoice_with_pdf())
        model = type(self.messages)
        original = model._record_outcomes

        def another_attempt_began(messages, drain, outcomes, recording):
            message._begin_attempt()
            message.state = "sending"
            self.env.flush_all()
            return original(messages, drain, outcomes, recording)

        self.patch(model, "_record_outcomes", another_attempt_began)
        first = message.uuid
        self.drain()
        self.assertNotEqual(message.uuid, first)
        attempt = message.attempt_ids.filtered(lambda a: a.uuid == first)
        self.assertEqual(attempt.state, "sent")
        self.assertTrue(attempt.wamid)
        self.assertFalse(message.wamid, "not the id of the attempt under way")

    def test_call_that_may_have_arrived_is_not_forgotten_by_a_retry(self):
        """A plan frees the step of what never left; this may have."""
        self.message.write({"state": "unknown"})
        self.message.with_user(self.clerk).action_retry()
        self.message.with_user(self.clerk).action_cancel()
        self.assertRecordValues(self.message, [{"state": "canceled", "attempts": 1}])
        never = self.send(self.make_invoice_with_pdf(), key="never")
        never.write({"state": "held", "reason": "account_inactive"})
        never.with_user(self.clerk).action_retry()
        self.assertEqual(never.attempts, 0)

    def test_retry_uploads_a_stale_file_again_once(self):
        self.fail_first()
        self.transport = FakeTransport()
        self.transport.add("POST", "/media", lambda _call: self._media())
        refusals = [self._refusal(131053, "Media") for _n in range(2)]
        self.transport.add("POST", "/messages", refusals)
        self.message.with_user(self.clerk).action_retry()
        self.drain()
        self.drain()
        self.assertEqual(self.message.state, "failed")
        uploads = [c for c in self.transport.calls if "/media" in c.url]
        self.assertEqual(len(uploads), 1, "instead of the one of the first call")

    # --- failures that come by webhook -------------------------------------------------

    def test_what_passes_goes_again_later(self):
        for number, code in enumerate(PASSING, 20):
            partner = self._make_customer(code, f"+346000000{number}")
            message = self.send(self.make_invoice_with_pdf(partner))
            self.drain()
            ids = self.ids_of(message)
            before = message.attempts
            self.receive_statuses(self.about(ids, "failed", code=code))
            with self.subTest(code=code):
                self.assertRecordValues(
                    message,
                    [{"state": "queued", "error_code": code, "attempts": before}],
                )
                self.assertGreater(message.next_attempt_at, fields.Datetime.now())
                self.assertFalse(message.sent_at or message.failed_at or message.wamid)
                self.assertIn(message.error_sentence, message.explanation)
                self.assertEqual(message.attempt_ids.outcome, "queued")

    def test_limits_of_the_person_wait_a_day(self):
        self.fail_first("131049")
        wait = self.message.next_attempt_at - fields.Datetime.now()
        self.assertGreaterEqual(wait.total_seconds(), 24 * 3600 - 60)

    def test_what_is_final_stays_final(self):
        for number, code in enumerate(FINAL, 20):
            partner = self._make_customer(code, f"+346000000{number}")
            message = self.send(self.make_invoice_with_pdf(partner))
            self.drain()
            self.receive_statuses(self.about(self.ids_of(message), "failed", code=code))
            with self.subTest(code=code):
                self.assertRecordValues(
                    message, [{"state": "failed", "error_code": code}]
                )
                self.assertEqual(message.attempt_ids.outcome, "failed")

    def test_repeated_and_disordered_failures_count_once(self):
        self.fail_first("131016")
        due = self.message.next_attempt_at
        for at in (1763600001, 1763600002):
            self.receive_statuses(
                self.about(self.first, "failed", at=at, code="131016")
            )
        self.receive_statuses(self.about(self.first, "sent", at=1763600003))
        self.assertRecordValues(
            self.message, [{"state": "queued", "next_attempt_at": due}]
        )
        self.assertEqual(len(self.message.attempt_ids), 1)

    def test_later_each_time_and_given_up_in_words_that_are_true(self):
        waits = []
        for _attempt in range(10):
            self.receive_statuses(
                self.about(self.ids_of(self.message), "failed", code="131000")
            )
            if self.message.state == "failed":
                break
            wait = self.message.next_attempt_at - fields.Datetime.now()
            waits.append(wait.total_seconds())
            self.go_on()
        self.assertEqual(len(waits), 4)
        self.assertEqual(waits, sorted(waits))
        self.assertGreater(waits[-1], waits[0] * 2)
        self.assertEqual(self.message.error_code, "131000")
        self.assertNotIn("again by itself", self.message.explanation)
        self.assertEqual(len(self.message.attempt_ids), 5)
        last = self.message.attempt_ids.sorted("id")[-1]
        self.assertNotIn("again by itself", last.explanation)

    def test_nothing_goes_again_after_its_time_to_live(self):
        self.message.expires_at = self.ago(minutes=1)
        self.fail_first("130429")
        self.assertEqual(self.message.state, "failed")

    def test_limit_beyond_the_time_to_live_ends_it(self):
        self.message.expires_at = self.ago(hours=-12)
        self.fail_first("131049")
        self.assertEqual(self.message.state, "failed")

    def test_failure_that_overtakes_our_own_answer(self):
        """The webhook may be faster than the answer of the call it is about."""
        message = self.send(self.make_invoice_with_pdf())
        model = type(self.messages)
        original = model._record_outcomes

        def webhook_first(messages, drain, outcomes, recording):
            if not message.attempt_ids:
                self.env.flush_all()
                ids = {
                    "id": outcomes[0].result.wamid,
                    "biz_opaque_callback_data": message.uuid,
                }
                self.receive_statuses(self.about(ids, "failed", code="131016"))
            return original(messages, drain, outcomes, recording)

        self.patch(model, "_record_outcomes", webhook_first)
        self.drain()
        self.assertRecordValues(
            message, [{"state": "queued", "error_code": "131016", "wamid": False}]
        )

    def test_refusals_of_account_and_template_hold_as_answers_do(self):
        self.fail_first("132015")
        self.assertRecordValues(
            self.message, [{"state": "held", "reason": "template_not_approved"}]
        )
        self.templates["invoice"].status = "approved"
        self.run_cron()
        self.drain()
        self.assertEqual(self.message.state, "sent")
        self.receive_statuses(
            self.about(self.ids_of(self.message), "failed", code="131042")
        )
        self.assertRecordValues(
            self.message, [{"state": "held", "reason": "account_inactive"}]
        )
        self.assertEqual(self.account.state, "error")

    def test_refusal_of_the_number_holds_too(self):
        self.fail_first("133010")
        self.assertRecordValues(
            self.message, [{"state": "held", "reason": "account_inactive"}]
        )
