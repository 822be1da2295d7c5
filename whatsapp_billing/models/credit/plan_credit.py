# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What plans of reminders will cost: in their preview, and in the forecast."""

from datetime import timedelta

from odoo import models
from odoo.tools import SQL

from ...rules import markets, pricing
from .wallet_price import GROUP_COST, Item

PLANNED_DAYS = 366


class WhatsappBillingCollectionPlan(models.Model):
    _inherit = "whatsapp.billing.collection.plan"

    # === BUSINESS METHODS === #

    def _quote(self, entries):
        """Override to put the price on what would go, for those who may see it."""
        result = super()._quote(entries)
        if not entries or not self.env.user.has_group(GROUP_COST):
            return result
        # sudo: whatsapp.billing.credit.wallet - prices for who may see them
        wallets = self.env["whatsapp.billing.credit.wallet"]
        wallet = wallets._find(self.company_id).sudo() or wallets._get_draft(
            self.company_id
        )
        going = [entry for entry in entries if not entry["reason"]]
        items = [
            Item(entry["recipient"], entry.get("category") or "utility")
            for entry in going
        ]
        for entry, priced in zip(going, wallet._price_items(items), strict=True):
            entry["cost"] = float(priced.credits)
        return result


class WhatsappBillingCreditWallet(models.Model):
    _inherit = "whatsapp.billing.credit.wallet"

    # === BUSINESS METHODS - FORECAST === #

    def _get_planned(self, today):
        """Override to count the reminders that running plans have dates for.

        One message a day and debtor, at what reminders cost lately.
        """
        planned = dict(super()._get_planned(today))
        price = self._get_reminder_price(today)
        for day, count in self._read_planned_reminders(today):
            planned[day] = planned.get(day, pricing.ZERO) + pricing.exact(price * count)
        return planned

    def _read_planned_reminders(self, today):
        """Return [(day, messages)] of the next year."""
        self.env["whatsapp.billing.collection.case"].flush_model()
        return self.env.execute_query(
            SQL(
                """
                SELECT GREATEST(c.next_date, %(today)s), count(DISTINCT c.debtor_id)
                  FROM whatsapp_billing_collection_case c
                  JOIN whatsapp_billing_collection_plan p ON p.id = c.plan_id
                 WHERE c.company_id = %(company)s AND c.state = 'active'
                   AND c.next_date <= %(last)s AND p.stage IN ('on', 'share')
              GROUP BY 1
                """,
                today=today,
                company=self.company_id.id,
                last=today + timedelta(days=PLANNED_DAYS),
            )
        )

    def _get_reminder_price(self, today):
        """Return what the last reminders cost, else a message to our own country."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT avg(reserved_amount)
                  FROM (SELECT e.reserved_amount
                          FROM whatsapp_billing_message m
                          JOIN whatsapp_billing_credit_entry e
                            ON e.message_id = m.id AND e.kind = 'reserve'
                         WHERE m.company_id = %s AND m.purpose = 'collections'
                      ORDER BY m.id DESC LIMIT 200) last
                """,
                self.company_id.id,
            )
        )
        if rows[0][0] is not None:
            return pricing.exact(rows[0][0])
        market = markets.market_of_country(self.company_id.country_id.code or "")
        rate = self._get_price(market, "utility", False, today)
        return rate.credits if rate else pricing.ZERO
