# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A queued message whose document changes before it goes."""

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import VARIABLES
from .lifecycle_common import LifecycleCommon

DUE = ("body", 4, "invoice_date_due", "text", "2026-12-01")


@tagged("post_install", "-at_install")
class TestDocumentChanged(LifecycleCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls._make_template(
            cls.account,
            "invoice",
            is_default=False,
            template_name="with_due_date",
            body="Hello {{1}}, {{2}} over {{3}} is due on {{4}}, says {{5}}.",
            variables=[
                *VARIABLES,
                DUE,
                ("body", 5, "invoice_user_id.name", "text", "Me"),
            ],
        )

    def setUp(self):
        super().setUp()
        self.accept_everything()
        self.invoice = self.make_invoice_with_pdf()
        self.invoice.invoice_user_id = self.clerk

    def queue(self, **kwargs):
        return self.send(self.invoice, template=self.template.id, **kwargs)

    def about(self):
        """Return all messages about the invoice, oldest first."""
        return self.messages.search(
            [("res_model", "=", "account.move"), ("res_id", "=", self.invoice.id)],
            order="id",
        )

    def drain_all(self):
        while self.drain():
            pass

    def change(self, **values):
        """Change the invoice as its author may: reset, write, post, print."""
        self.invoice.button_draft()
        self.invoice.write(values)
        self.invoice.action_post()
        self.attach_pdf(self.invoice, b"%PDF-1.4 " + str(values).encode())

    def assert_told_anew(self, old, text):
        self.drain_all()
        self.assertRecordValues(old, [{"state": "canceled", "reason": "superseded"}])
        new = self.about() - old
        self.assertRecordValues(new, [{"state": "sent", "replaces_id": old.id}])
        self.assertIn(text, new.body)
        self.assertEqual(new.user_id, old.user_id)
        self.assertEqual(len(self.sent_calls()), 1)
        return new

    # --- what changed is told anew ---------------------------------------------------

    def test_new_due_date_is_what_the_customer_reads(self):
        message = self.queue()
        self.change(invoice_date_due="2027-02-03")
        self.assert_told_anew(message, "02/03/2027")

    def test_due_date_moved_on_a_posted_invoice(self):
        message = self.queue()
        self.invoice.invoice_date_due = "2027-02-03"
        self.assert_told_anew(message, "02/03/2027")

    def test_new_currency_is_what_the_customer_reads(self):
        message = self.queue()
        other = self.setup_other_currency("GBP")
        self.change(currency_id=other.id)
        self.assertEqual(self.invoice.amount_total, 100.0)
        self.assert_told_anew(message, "£")

    def test_new_total_is_what_the_customer_reads(self):
        message = self.queue()
        self.invoice.button_draft()
        self.invoice.invoice_line_ids.price_unit = 250
        self.invoice.action_post()
        self.attach_pdf(self.invoice)
        self.assert_told_anew(message, "250")

    def test_what_no_fingerprint_covers_is_compared_as_text(self):
        message = self.queue()
        self.invoice.invoice_user_id = self.manager
        self.assert_told_anew(message, self.manager.name)

    def test_plain_text_is_told_anew_in_another_currency(self):
        """A text of nothing but what a fingerprint covers is not filled in again."""
        self.template.variable_ids.filtered(
            lambda v: v.field_path == "invoice_user_id.name"
        ).field_path = "ref"
        self.invoice.ref = "Order 12"
        message = self.queue()
        self.assertFalse(message.content["says_more"])
        other = self.setup_other_currency("GBP")
        self.change(currency_id=other.id)
        self.assertEqual(self.invoice.amount_total, 100.0)
        self.assert_told_anew(message, "£")

    def test_revoked_link_is_not_sent(self):
        message = self.send(self.invoice)
        self.invoice.access_token = "another-token"
        self.drain_all()
        new = self.about() - message
        self.assertEqual(new.state, "sent")
        self.assertIn("another-token", new.content["buttons"][0][2])

    def test_receipt_says_the_amount_that_was_corrected(self):
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.partner.id,
                "amount": 40.0,
            }
        )
        payment.action_post()
        results = payment.with_user(self.clerk).wab_send_receipt()
        message = self.messages.browse(results[0]["message_id"])
        message.write({"document_state": "none"})
        payment.amount = 50.0
        self.drain()
        self.assertRecordValues(
            message, [{"state": "canceled", "reason": "superseded"}]
        )
        new = self.messages.search([("replaces_id", "=", message.id)])
        self.assertEqual(new.document_state, "pending")
        self.assertIn("50", new.body)

    # --- what did not change goes as it is ----------------------------------------------

    def test_what_the_text_does_not_say_keeps_nothing(self):
        message = self.queue()
        self.invoice.ref = "Order 12"
        self.drain()
        self.assertEqual(message.state, "sent")

    def test_reset_and_posted_unchanged_goes_with_the_new_file(self):
        message = self.queue()
        self.change(narration="Thanks")
        self.drain()
        self.assertEqual(message.state, "sent")

    def test_renamed_contact_keeps_nothing(self):
        message = self.queue()
        self.partner.name = "Ana Perez Gil"
        self.drain()
        self.assertEqual(message.state, "sent")

    def test_claim_asks_once_for_all_its_rows(self):
        other = self._make_customer("Luis", "+34600000002")
        third = self._make_customer("Eva", "+34600000003")
        counts = []
        for partners in (self.partner, self.partner | other | third):
            self.send(self.invoice, partners=partners.ids)
            self.env.flush_all()
            self.env.invalidate_all()
            rows = self.messages.search([("state", "=", "queued")])
            self.assertEqual(len(rows), len(partners))
            before = self.env.cr.sql_log_count
            rows._mark_changed(
                [
                    {
                        "id": row.id,
                        "snapshot": row.content["snapshot"],
                        "content": row.content,
                        "res_model": row.res_model,
                        "res_id": row.res_id,
                        "document_type": row.document_type,
                        "partner_id": row.partner_id.id,
                        "company_id": row.company_id.id,
                        "template_id": row.template_id.id,
                        "template_status": row.template_id.status,
                        "template_digest": row.template_id.text_digest,
                        "template_obstacle": row.template_id.obstacle,
                        "attachment_id": row.attachment_id.id,
                        "document_state": row.document_state,
                    }
                    for row in rows
                ]
            )
            counts.append(self.env.cr.sql_log_count - before)
            self.drain_all()
        self.assertEqual(counts[0], counts[1])

    # --- what nobody can replace ----------------------------------------------------

    def assert_person_asked(self, message):
        self.assertRecordValues(
            message, [{"state": "canceled", "reason": "superseded"}]
        )
        activity = self.invoice.activity_ids
        self.assertEqual(len(activity), 1)
        self.assertEqual(activity.user_id, self.clerk)
        self.assertFalse(self.sent_calls())

    def test_another_customers_invoice_by_now_asks_a_person(self):
        message = self.queue()
        other = self._make_customer("Luis", "+34600000002")
        self.change(partner_id=other.id)
        self.drain_all()
        self.assert_person_asked(message)
        self.assertEqual(self.about(), message)

    def test_what_changes_each_time_is_told_anew_once_only(self):
        message = self.queue()
        self.invoice.invoice_date_due = "2027-02-03"
        message.write({"state": "canceled", "reason": "superseded"})
        message._replace_changed()
        new = self.about() - message
        self.invoice.invoice_date_due = "2027-02-04"
        self.drain_all()
        self.assertRecordValues(new, [{"state": "canceled", "reason": "superseded"}])
        self.assertEqual(self.about(), message | new)
        self.assertEqual(len(self.invoice.activity_ids), 1)
        self.assertFalse(self.sent_calls())

    def test_switched_off_meanwhile_asks_a_person(self):
        message = self.queue()
        self.invoice.invoice_date_due = "2027-02-03"
        self.invoice.wab_send_override = "off"
        self.drain_all()
        self.assertRecordValues(
            message, [{"state": "canceled", "reason": "superseded"}]
        )
        new = self.about() - message
        self.assertEqual((new.state, new.reason), ("canceled", "not_enabled"))
        self.assertEqual(self.invoice.activity_ids.user_id, self.clerk)

    @mute_logger("odoo.addons.whatsapp_billing.models.claim.message_changed")
    def test_fault_while_replacing_is_that_message_s(self):
        message = self.queue()
        self.invoice.invoice_date_due = "2027-02-03"
        other = self.make_invoice_with_pdf(self._make_customer("Luis", "+34600000002"))
        fine = self.send(other)

        def fail(_self):
            raise ValueError("broken")

        self.patch(type(self.messages), "_queue_replacements", fail)
        self.drain_all()
        self.assertEqual(fine.state, "sent")
        self.assertEqual(message.state, "canceled")
        self.assertEqual(self.invoice.activity_ids.user_id, self.clerk)

    def test_reset_or_cancelled_is_not_told_anew(self):
        message = self.queue()
        self.invoice.button_draft()
        self.drain_all()
        self.assertRecordValues(message, [{"state": "canceled", "reason": "draft"}])
        self.assertEqual(self.about(), message)
        self.assertFalse(self.invoice.activity_ids)

    def test_told_by_somebody_else_meanwhile_is_not_told_twice(self):
        message = self.queue()
        self.invoice.invoice_date_due = "2027-02-03"
        second = self.queue(key="again")
        self.drain_all()
        self.assertRecordValues(
            message | second,
            [{"state": "canceled"}, {"state": "sent"}],
        )
        self.assertEqual(self.about(), message | second)
