# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What messages will cost, for a reservation and for people who are about to send."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.misc import formatLang

from ...rules import markets, numbers, pricing, window
from ...rules.reasons import HOLDING

GROUP_COST = "whatsapp_billing.group_cost"


@dataclass(frozen=True, slots=True)
class Item:
    """A message that is about to be sent: to whom, as what, from which number.

    `category` is that of the template; none is free text.
    """

    recipient: str
    category: str = ""
    phone_id: int = 0


@dataclass(frozen=True, slots=True)
class Priced:
    """What one message is expected to cost; `rate` is None where nothing says."""

    market: str
    category: str
    in_window: bool
    rate: pricing.Rate | None
    credits: Decimal
    cost: Decimal


class WhatsappBillingCreditWallet(models.Model):
    _inherit = "whatsapp.billing.credit.wallet"

    # === BUSINESS METHODS - PRICES === #

    def _get_price(self, market, category, in_window, day):
        """Return the `rules.pricing.Rate` of one kind of message on a day, or None."""
        self.ensure_one()
        prices = self.env["whatsapp.billing.credit.rate"]._get_prices(
            self.company_id.id, self.pricelist
        )
        return prices.find(market, category, in_window, day, self.currency_id.name)

    def _get_cost(self, rate, day, cache):
        """Return what a price is in the wallet's currency on a day.

        :param dict cache: conversion rates that were looked up before
        """
        if rate is None or not rate.price:
            return pricing.ZERO
        if rate.currency not in cache:
            source = self.currency_id
            if source.name != rate.currency:
                source = source.with_context(active_test=False).search(
                    [("name", "=", rate.currency)], limit=1
                )
            cache[rate.currency] = self._currency_rate(source, self.currency_id, day)
        return pricing.convert(rate.price, cache[rate.currency])

    def _price_items(self, items):
        """Return a `Priced` for each item, in a fixed number of queries.

        :param items: list of `Item`
        """
        self.ensure_one()
        today = fields.Date.context_today(self)
        open_windows = self._get_open_windows(items)
        free_texts = self._get_free_texts(items, today)
        cache, known = {}, {}
        result = []
        for item in items:
            category = item.category or "service"
            inside = bool(open_windows) and (
                (item.phone_id, numbers.person_key(item.recipient)) in open_windows
            )
            kind = (markets.market_of(item.recipient), category, inside)
            if kind not in known:
                rate = self._get_price(*kind, today)
                credit = rate.credits if rate else pricing.ZERO
                cost = self._get_cost(rate, today, cache)
                known[kind] = Priced(*kind, rate, credit, cost)
            priced = known[kind]
            if category == "service" and free_texts.get(item.phone_id, 0) > 0:
                free_texts[item.phone_id] -= 1
                priced = replace(priced, credits=pricing.ZERO, cost=pricing.ZERO)
            result.append(priced)
        return result

    @api.model
    def _get_open_windows(self, items):
        """Return {(phone id, person's key)} of who may be answered freely now."""
        keys = {numbers.person_key(item.recipient) for item in items} - {""}
        if not keys:
            return set()
        now = fields.Datetime.now()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT phone_id, person_key, max(sent_at)
                  FROM whatsapp_billing_message
                 WHERE direction = 'in' AND is_user_message AND sent_at > %s AND person_key = ANY(%s)
              GROUP BY phone_id, person_key
                """,
                now - timedelta(days=1),
                list(keys),
            )
        )
        return {
            (phone_id, key) for phone_id, key, last in rows if window.is_open(last, now)
        }

    @api.model
    def _get_free_texts(self, items, today):
        """Return {phone id: free texts left this month}."""
        phone_ids = list({item.phone_id for item in items if not item.category})
        if not phone_ids:
            return {}
        limit = pricing.free_service_messages(today)
        if limit is None:
            return dict.fromkeys(phone_ids, len(items))
        rows = self.env.execute_query(
            SQL(
                """
                SELECT phone_id, count(*) FROM whatsapp_billing_message
                 WHERE phone_id = ANY(%s) AND direction = 'out'
                   AND template_name IS NULL AND queued_at >= %s
                   AND state NOT IN ('failed', 'canceled', 'held', 'queued')
              GROUP BY phone_id
                """,
                phone_ids,
                today.replace(day=1),
            )
        )
        used = dict(rows)
        return {number: max(0, limit - used.get(number, 0)) for number in phone_ids}

    # === BUSINESS METHODS - BEFORE SENDING === #

    @api.model
    def _estimate(self, company, items):
        """Return what sending these would cost, for the dialog that asks.

        People without the right to see costs learn whether there is enough, and
        nothing else: the figures are not even in the answer.

        :param items: list of `Item`, or of (recipient, category, phone id)
        :return: dict `count`, `is_enough`, `shown`; where shown also `credits`,
            `cost`, `currency_id`, `available`, `left`, `is_limited`, `unpriced` and
            `markets`, a list of {market, label, count, credits, cost}
        """
        # sudo: whatsapp.billing.credit.wallet - the answer is cut to the user's rights
        wallet_sudo = self._find(company).sudo() or self._get_draft(company)
        items = [item if isinstance(item, Item) else Item(*item) for item in items]
        priced = wallet_sudo._price_items(items)
        total = sum((one.credits for one in priced), pricing.ZERO)
        available = pricing.exact(wallet_sudo.available)
        enough = not wallet_sudo.is_limited or total <= available
        result = {
            "count": len(items),
            "is_enough": enough,
            "shown": self.env.user.has_group(GROUP_COST),
        }
        if not result["shown"]:
            return result
        return {
            **result,
            "credits": float(total),
            "cost": float(sum((one.cost for one in priced), pricing.ZERO)),
            "currency_id": wallet_sudo.currency_id.id,
            "available": float(available),
            "left": float(available - total),
            "is_limited": wallet_sudo.is_limited,
            "unpriced": sum(one.rate is None for one in priced),
            "markets": self._count_markets(priced),
        }

    @api.model
    def _get_draft(self, company):
        """Return what a company's wallet would be: looking at prices makes none.

        An estimate is part of what dialogs compute, where nothing may be written.
        """
        # sudo: whatsapp.billing.credit.wallet - whoever sends may see an estimate; no
        # row is made
        return self.sudo().new(
            {"company_id": company.id, "currency_id": company.currency_id.id}
        )

    @api.model
    def _estimate_targets(self, targets):
        """Return an estimate for each company whose messages would go, now or later.

        :param targets: planned messages, as `whatsapp.billing.message._decide` returns them
        """
        groups = defaultdict(list)
        for target in targets:
            reason = target.decision.reason
            if reason and reason not in HOLDING:
                continue
            groups[target.company].append(
                Item(
                    target.partner.wab_recipient or "",
                    target.template.category or "utility",
                    target.phone.id if target.phone else 0,
                )
            )
        return [self._estimate(company, items) for company, items in groups.items()]

    @api.model
    def _count_markets(self, priced):
        names = dict(
            self.env["whatsapp.billing.credit.rate"]
            ._fields["market"]
            ._description_selection(self.env)
        )
        groups = defaultdict(list)
        for one in priced:
            groups[one.market].append(one)
        found = [
            {
                "market": market,
                "label": names[market],
                "count": len(group),
                "credits": float(sum((one.credits for one in group), pricing.ZERO)),
                "cost": float(sum((one.cost for one in group), pricing.ZERO)),
            }
            for market, group in groups.items()
        ]
        return sorted(found, key=lambda row: (-row["credits"], row["label"]))

    @api.model
    def _format_credits(self, amount):
        """Return an amount of credits as people read it: two digits at most."""
        text = formatLang(self.env, amount or 0.0, digits=2)
        point = self.env["res.lang"]._get_data(code=self.env.lang or "en_US")
        mark = point.decimal_point or "."
        return text.rstrip("0").rstrip(mark) if mark in text else text

    @api.model
    def _format_cost(self, amount, currency):
        """Return money; small amounts keep as many digits as they need."""
        digits = 2 if amount >= 1 or not amount else 4
        text = formatLang(self.env, amount or 0.0, digits=digits)
        symbol = currency.symbol or currency.name
        if currency.position == "before":
            return f"{symbol}{text}"
        return f"{text}\u00a0{symbol}"

    @api.model
    def _render_estimates(self, estimates):
        """Return estimates as HTML for a dialog, False where there is nothing."""
        return (
            Markup().join(
                self._render_estimate(estimate)
                for estimate in estimates or []
                if estimate["count"]
            )
            or False
        )

    @api.model
    def _render_estimate(self, estimate):
        currency = self.env["res.currency"].browse(estimate.get("currency_id") or 0)
        return self.env["ir.qweb"]._render(
            "whatsapp_billing.credit_estimate",
            {
                "estimate": estimate,
                "credits": self._format_credits,
                "money": lambda amount: self._format_cost(amount, currency),
            },
        )
