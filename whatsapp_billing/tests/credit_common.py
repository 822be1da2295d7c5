# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from decimal import Decimal

from ..rules import pricing
from .lifecycle_common import LifecycleCommon

# Spain, utility and marketing, October 2026: 0.0200 and 0.0707 dollars.
UTILITY = 2.0
MARKETING = 7.07
REGULAR = {"billable": True, "pricing_model": "PMP", "type": "regular"}


class CreditCommon(LifecycleCommon):
    """A company whose wallet is used; `self.wallet` is the system's view of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.wallets = cls.env["whatsapp.billing.credit.wallet"].sudo()
        cls.entries = cls.env["whatsapp.billing.credit.entry"].sudo()
        cls.wallet = cls.wallets._for_company(cls.company)
        cls.accountant = cls._make_user(
            "wab_accountant", "account.group_account_manager"
        )

    def fund(self, amount):
        """Limit the wallet and let it have that many credits available."""
        self.wallet.is_limited = True
        self.wallet._adjust(amount - self.wallet.available, "test")
        self.assertEqual(self.wallet.available, amount)

    def priced(self, message, status="delivered", category="utility", **pricing_values):
        """Let a receipt arrive that names what the message was."""
        values = {**REGULAR, "category": category, **pricing_values}
        self.receive_statuses(self.status(message, status, pricing=values))

    def lines(self, message):
        """Return [(kind, amount, reserved amount)] of a message, oldest first."""
        return [
            (entry.kind, round(entry.amount, 6), round(entry.reserved_amount, 6))
            for entry in self.entries.search([("message_id", "=", message.id)], order="id")
        ]

    def assertFigures(self, balance, reserved):
        """Check the wallet's figures, and that they are the sums of the journal."""
        self.wallet.invalidate_recordset()
        self.assertEqual(
            tuple(map(pricing.exact, (self.wallet.balance, self.wallet.reserved))),
            tuple(map(pricing.exact, (balance, reserved))),
        )
        self.assertAddsUp()

    def assertAddsUp(self):
        entries = self.entries.search([("wallet_id", "=", self.wallet.id)])
        figures = self.wallet._read_figures()[self.wallet.id]
        for found, name in zip(
            figures, ("amount", "reserved_amount", "shortfall"), strict=True
        ):
            total = sum((pricing.exact(a) for a in entries.mapped(name)), Decimal(0))
            self.assertEqual(found, total, name)
