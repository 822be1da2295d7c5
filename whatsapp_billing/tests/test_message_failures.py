# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A message that failed reaches a person, and nothing is called sent that was not."""

from odoo.tests import tagged

from odoo.addons.mail.tools.discuss import Store

from ..models.worker.budget import Budget
from .lifecycle_common import LifecycleCommon
from .tour_common import TourCase

UNREACHABLE = {"code": 131026, "title": "Undeliverable"}


class FailureCommon(LifecycleCommon):
    def send_by_dialog(self, move, *methods):
        sender = self.env["account.move.send"].with_user(self.clerk)
        sender._generate_and_send_invoices(
            move.with_user(self.clerk), sending_methods=list(methods)
        )
        return move.wab_message_ids.sudo().sorted()[:1]

    def fail_message(self, message):
        """Send what waits and hear that this number has no WhatsApp."""
        self.accept_everything()
        self.drain()
        self.receive_statuses(self.status(message, "failed", errors=[UNREACHABLE]))
        self.assertEqual(message.state, "failed")

    def notifications(self, message):
        return (
            self.env["mail.notification"]
            .sudo()
            .search(
                [
                    ("mail_message_id", "=", message.mail_message_id.id),
                    ("notification_type", "=", "whatsapp_billing"),
                ]
            )
        )


@tagged("post_install", "-at_install")
class TestFailureMenu(FailureCommon):
    """The messaging menu counts what failed, for who is to see to it."""

    def setUp(self):
        super().setUp()
        self.invoice = self.make_invoice_with_pdf()

    def assert_told(self, message, user, status="exception"):
        self.assertRecordValues(
            self.notifications(message),
            [
                {
                    "author_id": user.partner_id.id,
                    "res_partner_id": self.partner.id,
                    "notification_status": status,
                    "is_read": True,
                }
            ],
        )

    def test_who_sent_is_told(self):
        message = self.send(self.invoice)
        self.fail_message(message)
        self.assert_told(message, self.clerk)
        self.assertTrue(self.invoice.with_user(self.clerk).message_has_error)

    def test_refused_at_the_call_is_told_too(self):
        message = self.send(self.invoice)
        self.transport.add("POST", r"/media(\?|$)", lambda _call: self._media())
        self.transport.add(
            "POST",
            r"/messages(\?|$)",
            lambda _call: self._answer({"error": UNREACHABLE}, 400),
        )
        self.drain()
        self.assertEqual(message.state, "failed")
        self.assert_told(message, self.clerk)

    def test_of_a_rule_the_salesperson_is_told(self):
        seller = self._make_user("wab_seller", "account.group_account_invoice")
        self.invoice.sudo().invoice_user_id = seller
        message = self.send(self.invoice)
        message.user_id = self.env.ref("base.user_root")
        self.fail_message(message)
        self.assert_told(message, seller)

    def test_somebody_of_another_company_is_not_told(self):
        message = self.send(self.invoice)
        other = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        self.clerk.sudo().write(
            {"company_ids": [(6, 0, other.ids)], "company_id": other.id}
        )
        self.fail_message(message)
        self.assertNotEqual(
            self.notifications(message).author_id, self.clerk.partner_id
        )

    def test_what_arrived_after_all_is_told_no_more(self):
        message = self.send(self.invoice)
        self.fail_message(message)
        self.receive_statuses(self.status(message, "delivered"))
        self.assert_told(message, self.clerk, "sent")

    def test_handled_and_sent_again_are_told_no_more(self):
        message = self.send(self.invoice)
        self.fail_message(message)
        self.invoice.with_user(self.clerk).action_wab_handled()
        self.assert_told(message, self.clerk, "canceled")
        message.with_user(self.clerk).action_mark_unhandled()
        self.assert_told(message, self.clerk)
        message.with_user(self.clerk).action_retry()
        self.assert_told(message, self.clerk, "ready")
        self.fail_message(message)
        self.assert_told(message, self.clerk)

    def test_dismissed_in_the_menu(self):
        message = self.send(self.invoice)
        self.fail_message(message)
        self.invoice.with_user(self.clerk).notify_cancel_by_type("whatsapp_billing")
        self.assert_told(message, self.clerk, "canceled")
        self.assertFalse(message.is_handled)

    def test_try_on_oneself_is_told_nobody(self):
        message = self.send(self.invoice)
        message.method = "test"
        self.fail_message(message)
        self.assertFalse(self.notifications(message))

    def test_telling_of_many_takes_as_many_queries(self):
        """Reminders that a plan sent: the salesperson of each invoice is looked for."""

        def count(size):
            messages = self.messages.browse()
            for _n in range(size):
                message = self.send(self._make_invoice())
                message.write({"user_id": self.env.ref("base.user_root").id})
                message.write({"state": "failed", "error_code": "131026"})
                messages |= message
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(len(messages._failure_values()), size)
            return self.env.cr.sql_log_count - before

        count(1)
        self.assertEqual(count(2), count(7))

    def test_screen_hears_who_is_to_see_to_it(self):
        message = self.send(self.invoice)
        self.fail_message(message)
        store = Store(bus_channel=self.clerk)
        line = message.mail_message_id.with_user(self.clerk)
        line._message_notifications_to_store(store)
        (told,) = store.get_result()["mail.notification"]
        self.assertEqual(told["wab_author_id"], self.clerk.partner_id.id)


@tagged("post_install", "-at_install")
class TestSentMark(FailureCommon):
    """An invoice is called sent when something was, or is to be."""

    def assert_sent(self, invoice, is_sent):
        self.env.flush_all()
        invoice.invalidate_recordset()
        self.assertEqual(invoice.is_move_sent, is_sent)
        expected = "sent" if is_sent else "posted"
        self.assertEqual(invoice.status_in_payment, expected)

    def test_nothing_arrived(self):
        invoice = self._make_invoice()
        message = self.send_by_dialog(invoice, "whatsapp_billing")
        self.assert_sent(invoice, True)
        self.fail_message(message)
        self.assert_sent(invoice, False)
        message.with_user(self.clerk).action_retry()
        self.accept_everything()
        self.drain()
        self.receive_statuses(self.status(message, "delivered"))
        self.assert_sent(invoice, True)

    def test_refused_at_once(self):
        invoice = self._make_invoice()
        self.partner.with_user(self.clerk).wab_opt_out("billing", "On the phone")
        message = self.send_by_dialog(invoice, "whatsapp_billing")
        self.assertEqual(message.state, "canceled")
        self.assert_sent(invoice, False)

    def test_went_by_email_too(self):
        self.partner.email = "ana@example.com"
        invoice = self._make_invoice()
        message = self.send_by_dialog(invoice, "whatsapp_billing", "email")
        self.fail_message(message)
        self.assert_sent(invoice, True)

    def test_goes_by_email_afterwards(self):
        self.partner.email = "ana@example.com"
        invoice = self._make_invoice()
        self.fail_message(self.send_by_dialog(invoice, "whatsapp_billing"))
        self.assert_sent(invoice, False)
        self.send_by_dialog(invoice, "email")
        self.assert_sent(invoice, True)
        invoice.wab_message_ids.sudo()._after_state_change()
        self.assert_sent(invoice, True)

    def test_marked_before_stays_marked(self):
        invoice = self.make_invoice_with_pdf()
        invoice.is_move_sent = True
        self.fail_message(self.send_by_dialog(invoice, "whatsapp_billing"))
        self.assert_sent(invoice, True)

    def test_one_of_two_is_enough(self):
        luis = self._make_customer("Luis", "+34600000002")
        invoice = self._make_invoice()
        invoice.wab_recipient_ids = self.partner | luis
        self.send_by_dialog(invoice, "whatsapp_billing")
        first, second = invoice.wab_message_ids.sudo().sorted("id")
        self.accept_everything()
        self.drain()
        self.receive_statuses(
            self.status(first, "failed", errors=[UNREACHABLE]),
            self.status(second, "delivered"),
        )
        self.assert_sent(invoice, True)

    def test_other_programs_send(self):
        invoice = self._make_invoice()
        message = self.send(invoice)
        self.env.flush_all()
        self.messages._make_documents(Budget(60))
        self.env.invalidate_all()
        self.assert_sent(invoice, True)
        self.fail_message(message)
        self.assert_sent(invoice, False)


@tagged("post_install", "-at_install")
class TestFailureTour(FailureCommon, TourCase):
    def test_menu_leads_to_the_invoice(self):
        invoice = self._make_invoice()
        self.fail_message(self.send_by_dialog(invoice, "whatsapp_billing"))
        self.start_tour(
            "/odoo/customer-invoices",
            "whatsapp_billing_failure_menu",
            login=self.clerk.login,
        )
        self.assertTrue(invoice.wab_message_ids.is_handled)
