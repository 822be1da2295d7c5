# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import importlib
import random
from collections import defaultdict

from odoo import fields
from odoo.tests import tagged

from .collection_common import CollectionCommon

OCA = "odoo.addons.partner_statement.report.outstanding_statement"
PARTS = (
    "_get_account_display_lines",
    "_display_outstanding_lines_sql_q1",
    "_display_outstanding_lines_sql_q2",
    "_display_outstanding_lines_sql_q3",
)
LEDGERS = 4


@tagged("post_install", "-at_install")
class TestCollectionStatement(CollectionCommon):
    """What a reminder says is owed is what OCA's outstanding statement says."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dollars = cls.setup_other_currency("CAD", rates=[("2016-01-01", 2.0)])

    def test_figures_equal_the_oca_statement_on_random_ledgers(self):
        try:
            oca = importlib.import_module(OCA).OutstandingStatement
        except ImportError:
            self.skipTest("partner_statement is not installed")
        for seed in range(LEDGERS):
            with self.subTest(seed=seed):
                partner = self._make_customer(f"Ledger {seed}", f"+3460100{seed:04d}")
                self.make_ledger(random.Random(seed), partner)
                self.run_plan()
                self.compare(partner, self.read_oca(oca, partner))

    def make_ledger(self, chance, partner):
        """Make invoices, credit notes and payments, some of them reconciled."""
        currencies = [self.company.currency_id, self.dollars]
        invoices = [
            self.make_due(
                chance.randint(1, 60),
                partner,
                amount=round(chance.uniform(5, 900), 2),
                currency=chance.choice(currencies),
            )
            for _n in range(chance.randint(3, 7))
        ]
        for invoice in invoices:
            kind = chance.choice(["nothing", "nothing", "part", "whole", "credit"])
            if kind == "part":
                self.settle(invoice, round(invoice.amount_total / 3, 2))
            elif kind == "whole":
                self.settle(invoice, invoice.amount_total)
            elif kind == "credit":
                self._make_invoice(
                    partner,
                    amount=round(invoice.amount_total / 4, 2),
                    move_type="out_refund",
                    currency=invoice.currency_id,
                )

    def settle(self, invoice, amount):
        """Book money on an invoice, through the ledger itself."""
        receivable = invoice.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        rate = receivable.balance / receivable.amount_currency
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "date": fields.Date.today(),
                "journal_id": self.company_data["default_journal_misc"].id,
                "line_ids": [
                    (
                        0,
                        0,
                        {
                            "account_id": account.id,
                            "partner_id": invoice.partner_id.id,
                            "currency_id": invoice.currency_id.id,
                            "amount_currency": sign * amount,
                            "balance": sign
                            * self.company.currency_id.round(amount * rate),
                        },
                    )
                    for account, sign in (
                        (receivable.account_id, -1),
                        (self.company_data["default_account_revenue"], 1),
                    )
                ],
            }
        )
        entry.action_post()
        counterpart = entry.line_ids.filtered(
            lambda line: line.account_id == receivable.account_id
        )
        (receivable | counterpart).reconcile()

    def read_oca(self, oca, partner):
        """Return {currency: open} as OCA's own queries find it today."""
        self.env.flush_all()
        # The module need not be installed: its queries ask for nothing but a cursor.
        reader = type("Reader", (), {name: getattr(oca, name) for name in PARTS})()
        reader.env = self.env
        today = fields.Date.today()
        lines = reader._get_account_display_lines(
            self.company.id, [partner.id], today, today, "asset_receivable"
        )[partner.id]
        totals = defaultdict(float)
        for line in lines:
            totals[line["currency_id"]] += float(line["open_amount"])
        return {k: round(v, 2) for k, v in totals.items() if round(v, 2)}

    def compare(self, partner, expected):
        message = self.reminders(partner)
        said = defaultdict(float)
        for item in message.collection_item_ids:
            said[item.currency_id.id] += item.amount
        said = {k: round(v, 2) for k, v in said.items() if round(v, 2)}
        owed = {k: v for k, v in expected.items() if v > 0}
        self.assertEqual(said, owed)
        if not message:
            return
        for currency in self.env["res.currency"].browse(owed):
            self.assertIn(
                f"{owed[currency.id]:,.2f}", message.body.replace("\xa0", " ")
            )
