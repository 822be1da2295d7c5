# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Who is asked about a customer, and what lines on a document tell of others."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .collection_common import CollectionCommon

WORDS = "The goods never arrived"


@tagged("post_install", "-at_install")
class TestWhoIsAsked(CollectionCommon):
    """Companies share their customers, and with them the salesperson."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.setup_other_company()["company"]
        cls.outsider = cls._make_user(
            "wab_outsider", "account.group_account_invoice", cls.other_company
        )
        cls.gone = cls._make_user("wab_gone", "account.group_account_invoice")
        cls.gone.active = False
        cls.customer_user = cls._make_user("wab_customer", "base.group_portal")
        cls.strangers = cls.outsider | cls.gone | cls.customer_user

    def ways(self, invoice, stranger):
        """Yield the ways in which somebody else looks after an invoice."""
        self.partner.user_id = stranger
        yield "salesperson of the customer"
        invoice.invoice_user_id = stranger
        yield "salesperson of the invoice"
        self.plan.user_id = stranger
        yield "responsible for the plan"

    def check_asked(self, record, stranger):
        asked = record.activity_ids.user_id
        self.assertTrue(asked)
        self.assertNotIn(stranger, asked)
        self.assertIn(self.company, asked.company_ids)
        self.assertNotIn(stranger.partner_id, record.message_partner_ids)
        if stranger.active and not stranger.share:
            activities = self.env["mail.activity"].with_user(stranger)
            self.assertFalse(activities.search([("res_model", "=", record._name)]))
            with self.assertRaises(AccessError):
                record.activity_ids.with_user(stranger).read(["note"])

    def test_nobody_of_another_company_is_told_of_a_dispute(self):
        for stranger in self.strangers:
            invoice = self.make_due(1)
            invoice.invoice_user_id = False
            for way in self.ways(invoice, stranger):
                with self.subTest(way=way, stranger=stranger.login):
                    case = self.case(invoice)
                    case._dispute(WORDS, case._get_responsible())
                    self.assertNotEqual(case.dispute_user_id, stranger)
                    self.check_asked(invoice, stranger)
                    invoice.activity_ids.unlink()
                    case._resume()
            self.plan.user_id = self.partner.user_id = False

    def test_whoever_can_see_to_it_is_asked_before_the_account(self):
        """A sibling: the plan's person is elsewhere, the salesperson is not."""
        invoice = self.make_due(1)
        invoice.invoice_user_id = self.clerk
        self.plan.user_id = self.outsider
        self.case(invoice)._dispute(WORDS, self.env["res.users"])
        self.assertEqual(invoice.activity_ids.user_id, self.clerk)

    def test_a_step_asks_nobody_of_another_company(self):
        step = self.plan.step_ids[0]
        step.write({"action": "hand_over", "user_id": self.outsider.id})
        invoice = self.make_due(1)
        self.run_plan()
        self.assertEqual(self.case(invoice).state, "escalated")
        self.check_asked(invoice, self.outsider)

    def test_nobody_hands_over_to_another_company(self):
        invoice = self.make_due(1)
        case = self.case(invoice).with_user(self.clerk)
        for user in self.outsider | self.gone:
            with self.assertRaises(UserError):
                case.action_hand_over(user.id)
        self.assertFalse(invoice.activity_ids)

    def test_a_plan_that_stops_and_credits_that_end_tell_nobody_else(self):
        self.plan.user_id = self.outsider
        self.plan._stop("Too many failed.")
        self.check_asked(self.plan, self.outsider)
        wallet = self.env["whatsapp.billing.credit.wallet"]._for_company(self.company)
        wallet.sudo().user_id = self.outsider
        wallet.sudo()._warn("Low", "Credits are running low")
        self.check_asked(wallet.sudo(), self.outsider)

    def test_money_for_a_cancelled_invoice_is_told_to_nobody_else(self):
        invoice = self.make_due(1)
        invoice.invoice_user_id = self.outsider
        payment = self.env["account.payment"].create(
            {"partner_id": self.partner.id, "amount": 5.0}
        )
        payment._wab_ask_about(invoice)
        self.check_asked(payment, self.outsider)


@tagged("post_install", "-at_install")
class TestLinesTellOfTheirOwn(CollectionCommon):
    """A salesperson reads own invoices only, and not what the customer owes besides."""

    def setUp(self):
        super().setUp()
        self.mine = self.make_due(3, amount=100.0)
        self.other = self.make_due(2, amount=77.0)
        self.reader = self._make_user(
            "wab_salesperson", "account.group_account_invoice"
        )
        self.env["ir.rule"].sudo().create(
            {
                "name": "Own invoices",
                "model_id": self.env["ir.model"]._get("account.move").id,
                "domain_force": f"[('id', '!=', {self.other.id})]"
                f" if user.id == {self.reader.id} else []",
            }
        )

    def read_lines(self):
        self.env.invalidate_all()
        mine = self.mine.with_user(self.reader)
        return " ".join(str(body) for body in mine.message_ids.mapped("body"))

    def check_lines(self, message):
        self.assertIn(self.other.name, message.body)
        line = message.mail_message_id
        self.assertEqual((line.model, line.res_id), ("account.move", self.mine.id))
        text = self.read_lines()
        self.assertIn("About 2 documents", text)
        self.assertNotIn(self.other.name, text)
        self.assertNotIn("177", text)

    def test_reminder_of_a_plan_about_several_invoices(self):
        self.run_plan()
        self.check_lines(self.reminders())

    def test_reminder_by_hand_about_several_invoices(self):
        self.plan.stage = "off"
        moves = self.mine | self.other
        moves.sudo().wab_remind()
        message = self.messages.search(
            [("document_type", "=", "payment_reminder"), ("state", "=", "queued")]
        )
        self.assertEqual(len(message), 1)
        self.check_lines(message)

    def test_reminder_of_one_invoice_is_shown(self):
        """A sibling: the text is about this document alone."""
        self.other.sudo().wab_plan_choice = "none"
        self.run_plan()
        message = self.reminders()
        self.assertNotIn(self.other.name, message.body)
        # As Odoo's sanitizer writes the space between sign and amount.
        said = message.body.replace("\N{NO-BREAK SPACE}", "&nbsp;")
        self.assertIn(said, self.read_lines())
