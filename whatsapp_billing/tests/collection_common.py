# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from odoo.fields import Command

from .lifecycle_common import LifecycleCommon

MANY_BODY = "Hello {{1}}, {{2}} invoices are open, in all {{3}}: {{4}}. Thank you."
MANY_VARIABLES = [
    ("body", 1, "recipient.name", "text", "Ana"),
    ("body", 2, "wab_open_count", "text", "2"),
    ("body", 3, "wab_open_total", "text", "€200"),
    ("body", 4, "wab_open_lines", "text", "INV/1 €100 (1/11)"),
]


class CollectionCommon(LifecycleCommon):
    """A plan that is on, with a step one day and a step eight days after."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cases = cls.env["whatsapp.billing.collection.case"].sudo()
        cls.followups = cls.env["whatsapp.billing.collection.followup"].sudo()
        # Where the test customers are: late in the evening their day is not UTC's.
        cls.company.partner_id.tz = "Europe/Madrid"
        cls.today = datetime.now(ZoneInfo("Europe/Madrid")).date()
        cls.many = cls._make_many_template()
        cls.plan = cls._make_plan()
        cls.templates["payment_reminder"].is_default = True

    @classmethod
    def _make_plan(cls, days=(1, 8), **values):
        return (
            cls.env["whatsapp.billing.collection.plan"]
            .sudo()
            .create(
                {
                    "name": "Test plan",
                    "company_id": cls.company.id,
                    "stage": "on",
                    # Tests are run at any hour.
                    "quiet_start": 0.0,
                    "quiet_end": 0.0,
                    "step_ids": [Command.create({"days": n}) for n in days],
                    **values,
                }
            )
        )

    @classmethod
    def _make_many_template(cls):
        return cls._make_template(
            cls.account,
            "payment_reminder",
            variables=MANY_VARIABLES,
            template_name="test_many",
            is_default=False,
            body=MANY_BODY,
        )

    # --- documents ---------------------------------------------------------------

    def make_due(self, days_ago=1, partner=None, amount=100.0, **values):
        """Return a posted invoice that was due so many days ago."""
        invoice = self.init_invoice(
            "out_invoice",
            partner=partner or self.partner,
            invoice_date=self.today - timedelta(days=40),
            amounts=[amount],
            company=self.company,
            **values,
        )
        invoice.invoice_payment_term_id = False
        invoice.invoice_date_due = self.today - timedelta(days=days_ago)
        invoice.action_post()
        return invoice

    def make_instalments(self, day, amount=100.0, **values):
        """Return a posted invoice of that day: 30 % due then, the rest next month."""
        invoice = self.init_invoice(
            "out_invoice",
            partner=self.partner,
            invoice_date=day,
            amounts=[amount],
            company=self.company,
            **values,
        )
        invoice.invoice_payment_term_id = self.pay_terms_b
        invoice.action_post()
        return invoice

    def case(self, invoice):
        return self.cases.search(
            [("move_id", "=", invoice.id), ("state", "!=", "done")]
        )

    def pay(self, invoice, amount=None, **values):
        """Register a payment as the clerk does."""
        values |= {"amount": amount} if amount else {}
        wizard = (
            self.env["account.payment.register"]
            .with_user(self.clerk)
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create(values)
        )
        return wizard._create_payments()

    # --- running -----------------------------------------------------------------

    def run_plan(self, ahead=0, plan=None):
        """Run the plan as the manager, so many days from today."""
        day = self.today + timedelta(days=ahead) if ahead else False
        return (plan or self.plan).with_user(self.manager).action_run(day)

    def reminders(self, partner=None):
        domain = [("document_type", "=", "payment_reminder"), ("direction", "=", "out")]
        if partner:
            domain.append(("partner_id", "=", partner.id))
        return self.messages.search(domain, order="id")

    def day(self, ahead) -> date:
        return self.today + timedelta(days=ahead)
