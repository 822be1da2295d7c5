# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Receipts of money that comes twice, late, for nothing, or goes back."""

from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.account_payment.tests.common import AccountPaymentCommon

from .lifecycle_common import LifecycleCommon


@tagged("post_install", "-at_install")
class TestOnlineReceipts(AccountPaymentCommon, LifecycleCommon):
    """Reported as odoo/odoo#168298, #213365 and ingadhoc/account-payment#1212."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls._make_customer("Ana Perez", "+34600000001")
        cls.provider.company_id = cls.company
        cls.company.wab_auto_receipt = True
        cls.invoice = cls._make_invoice(amount=100.0)

    def pay_online(self, state):
        return self._create_transaction(
            "direct",
            reference=f"T{self.invoice.id}",
            amount=100.0,
            currency_id=self.invoice.currency_id.id,
            partner_id=self.partner.id,
            invoice_ids=[Command.set(self.invoice.ids)],
            state=state,
        )

    def receipts(self):
        return self.messages.search(
            [("res_model", "=", "account.payment"), ("direction", "=", "out")]
        )

    def run_payment_cron(self):
        # It commits for each transaction, which no test may.
        with patch.object(self.env.cr, "commit", self.env.flush_all):
            self.env["payment.transaction"]._cron_post_process()

    def test_confirmed_twice_is_one_receipt(self):
        self.provider.support_manual_capture = "full_only"
        transaction = self.pay_online("authorized")
        transaction._post_process()
        self.assertFalse(self.receipts())
        transaction._set_done()
        transaction._post_process()
        transaction._post_process()
        transaction.is_post_processed = False
        self.run_payment_cron()
        self.assertEqual(len(self.receipts()), 1)

    def test_money_for_a_cancelled_invoice(self):
        template = self.templates["payment_receipt"].sudo()
        template.variable_ids[1].field_path = "wab_still_open"
        transaction = self.pay_online("pending")
        self.invoice.button_draft()
        self.invoice.button_cancel()
        transaction._set_done()
        transaction._post_process()
        receipt = self.receipts()
        self.assertEqual(len(receipt), 1)
        self.assertEqual(receipt.state, "queued")
        self.assertIn("100.00", receipt.body)
        self.assertIn("0.00", receipt.content["body"][1])
        self.assertNotIn("100", receipt.content["body"][1])
        activity = transaction.payment_id.activity_ids
        self.assertIn(self.invoice.name, activity.note)

    def test_pending_for_a_day_says_nothing(self):
        transaction = self.pay_online("pending")
        transaction.last_state_change = self.ago(days=1)
        for _n in range(3):
            self.run_payment_cron()
            self.run_cron()
        self.assertFalse(self.receipts())
        self.assertFalse(transaction.payment_id)


@tagged("post_install", "-at_install")
class TestTakenBackReceipts(LifecycleCommon):
    """Reported as ingadhoc/account-payment#978 and Dolibarr/dolibarr#3131."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.wab_auto_receipt = True

    def pay(self, amount=500.0):
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.partner.id,
                "amount": amount,
            }
        )
        payment.action_post()
        return payment

    def receipts(self, payment):
        return self.messages.search(
            [("res_model", "=", "account.payment"), ("res_id", "=", payment.id)],
            order="id",
        )

    def sent(self, payment):
        """Return its receipt, which has been delivered."""
        message = self.receipts(payment)
        message.state = "delivered"
        return message

    def test_receipt_that_left_is_marked(self):
        for action in ("action_reject", "action_cancel", "action_draft"):
            payment = self.pay()
            message = self.sent(payment)
            getattr(payment, action)()
            self.assertTrue(message.is_no_longer_true, action)
            self.assertEqual(message.state, "delivered")
            self.assertTrue(message.explanation)
            self.assertIn("no longer true", payment.message_ids[:1].body)

    def test_receipt_that_waits_is_withdrawn(self):
        payment = self.pay()
        message = self.receipts(payment)
        payment.action_reject()
        self.assertRecordValues(
            message, [{"state": "canceled", "reason": "cancelled_document"}]
        )
        self.assertFalse(message.is_no_longer_true)

    def reverse(self, payment):
        """Book that the bank took the money back, as an accountant does."""
        moves = payment.move_id.with_user(self.manager)
        moves._reverse_moves([{"date": payment.date}], cancel=True)
        self.assertIn(payment.state, ("in_process", "paid"))

    def test_receipt_whose_payment_was_reversed(self):
        """The state of a payment does not tell that its entry was reversed."""
        payment = self.pay()
        message = self.receipts(payment)
        self.reverse(payment)
        self.assertRecordValues(
            message, [{"state": "canceled", "reason": "cancelled_document"}]
        )
        (result,) = payment.with_user(self.clerk).wab_send_receipt()
        self.assertEqual(result["reason"], "cancelled_document")
        told = self.sent(other := self.pay())
        self.reverse(other)
        self.assertTrue(told.is_no_longer_true)

    def test_the_last_look_sees_a_reversal_too(self):
        payment = self.pay()
        message = self.receipts(payment)
        self.reverse(payment)
        message.write({"state": "queued", "reason": False, "document_state": "none"})
        self.drain()
        self.assertRecordValues(
            message, [{"state": "canceled", "reason": "cancelled_document"}]
        )
        self.assertFalse(self.transport.calls)

    def test_payment_deleted_while_its_receipt_waits(self):
        payment = self.pay()
        message = self.receipts(payment)
        message.document_state = "none"
        payment.action_draft()
        payment.unlink()
        message.write({"state": "queued", "reason": False})
        self.drain()
        self.assertRecordValues(
            message, [{"state": "canceled", "reason": "cancelled_document"}]
        )
        self.assertFalse(self.transport.calls)

    def test_new_payment_has_its_own_receipt(self):
        old = self.pay()
        self.sent(old)
        old.action_reject()
        new = self.pay()
        self.assertEqual(self.receipts(new).state, "queued")
        self.assertFalse(self.receipts(new).is_no_longer_true)

    def test_reset_and_posted_again_unchanged_is_told_once(self):
        payment = self.pay()
        message = self.sent(payment)
        payment.action_draft()
        payment.action_post()
        self.assertEqual(self.receipts(payment), message)
        self.assertFalse(message.is_no_longer_true)

    def test_reset_while_it_waits_and_posted_again_is_told(self):
        for amount in (500.0, 400.0):
            payment = self.pay()
            message = self.receipts(payment)
            payment.action_draft()
            self.assertEqual(message.state, "canceled")
            payment.amount = amount
            payment.action_post()
            new = self.receipts(payment) - message
            self.assertEqual(new.state, "queued")
            self.assertIn(f"{amount:.2f}", new.body)

    def test_posted_again_after_a_number_was_found_is_told(self):
        self.partner.phone = False
        payment = self.pay()
        message = self.receipts(payment)
        self.assertEqual(message.reason, "no_number")
        payment.action_draft()
        self.partner.phone = "+34600000001"
        payment.action_post()
        new = self.receipts(payment) - message
        self.assertEqual(new.state, "queued")

    def test_receipt_that_a_person_cancelled_stays_so(self):
        payment = self.pay()
        message = self.receipts(payment)
        message.with_user(self.clerk).action_cancel()
        self.assertRecordValues(message, [{"state": "canceled", "reason": False}])
        payment.action_draft()
        payment.action_post()
        self.assertEqual(self.receipts(payment), message)

    def test_reset_and_corrected_is_told_anew(self):
        payment = self.pay()
        message = self.sent(payment)
        payment.action_draft()
        payment.amount = 400.0
        payment.action_post()
        new = self.receipts(payment) - message
        self.assertTrue(message.is_no_longer_true)
        self.assertEqual(new.state, "queued")
        self.assertIn("400", new.body)


@tagged("post_install", "-at_install")
class TestReceiptText(LifecycleCommon):
    """A receipt says what was paid and what is left, not its own number."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        variables = cls.templates["payment_receipt"].sudo().variable_ids
        variables[1].write({"field_path": "wab_paid_for", "format": "text"})
        variables[2].write({"field_path": "wab_left_to_pay", "format": "text"})

    def receipt(self, invoices, amount=None):
        wizard = (
            self.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=invoices.ids)
            .create({"group_payment": True, "wab_send_receipt": True})
        )
        if amount:
            wizard.amount = amount
        payment = wizard._create_payments()
        message = self.messages.search(
            [("res_model", "=", "account.payment"), ("res_id", "=", payment.id)]
        )
        return message.content["body"][1:]

    def test_one_invoice_paid_in_full(self):
        invoice = self._make_invoice()
        self.assertEqual(
            self.receipt(invoice),
            [f"invoice {invoice.name}", "Nothing is left to pay."],
        )

    def test_part_of_an_invoice(self):
        invoice = self._make_invoice()
        paid_for, left = self.receipt(invoice, amount=30)
        self.assertEqual(paid_for, f"invoice {invoice.name}")
        self.assertIn("70.00", left)

    def test_several_invoices_in_spanish(self):
        self.env["res.lang"]._activate_lang("es_ES")
        self.partner.lang = "es_ES"
        self._make_template(
            self.account,
            "payment_receipt",
            "es",
            variable_ids=[
                Command.create(
                    {
                        "component": "body",
                        "position": position,
                        "name": path,
                        "field_path": path,
                        "format": "text",
                        "sample": "x",
                    }
                )
                for position, path in enumerate(
                    ("recipient.name", "wab_paid_for", "wab_left_to_pay"), 1
                )
            ],
        )
        invoices = self._make_invoice() | self._make_invoice()
        paid_for, left = self.receipt(invoices)
        self.assertTrue(paid_for.startswith("las facturas "), paid_for)
        self.assertEqual(left, "No queda nada por pagar.")

    def test_payment_on_account(self):
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.partner.id,
                "amount": 40.0,
            }
        )
        payment.action_post()
        (result,) = payment.wab_send_receipt()
        message = self.messages.browse(result["message_id"])
        self.assertEqual(message.content["body"][1], "your account")
