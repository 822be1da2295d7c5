# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import base64

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate

from ..models.common import client_action
from ..models.credit.rate import PRICELISTS
from ..rules import pricing, rate_card

_lt = LazyTranslate(__name__)


class WhatsappBillingCreditRateImport(models.TransientModel):
    """Add a price card from a file: all of it, or nothing and why not."""

    _name = "whatsapp.billing.credit.rate.import"
    _inherit = "whatsapp.billing.links.mixin"
    _description = "Import WhatsApp Prices"

    file = fields.Binary(required=True, attachment=False)
    filename = fields.Char()
    pricelist = fields.Selection(
        PRICELISTS, string="Price List", required=True, default="provider"
    )
    valid_from = fields.Date(
        required=True,
        default=lambda self: self._default_valid_from(),
        help="For lines that name no day of their own.",
    )
    currency_id = fields.Many2one(
        "res.currency",
        required=True,
        default=lambda self: self.env.ref("base.USD"),
        help="For lines that name no currency of their own.",
    )
    source = fields.Char(required=True, help="Where the file is from.")
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )

    @api.model
    def _default_valid_from(self):
        """Return the first day of this quarter: prices change on no other day."""
        today = fields.Date.context_today(self)
        return today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)

    # === ACTION METHODS === #

    def action_import(self):
        """Add the prices; a price of the same day is replaced if it was never used.

        :raise UserError: with every line that cannot be read
        """
        self.ensure_one()
        rows = self._read()
        rates = self.env["whatsapp.billing.credit.rate"]
        known = {self._key(rate): rate for rate in self._find_known(rates)}
        fresh = []
        for vals in self._prepare(rows):
            key = tuple(vals[name] for name in self._key_fields())
            if key in known:
                known[key].write(vals)
            else:
                fresh.append(vals)
        rates.create(fresh)
        return self._show(len(rows))

    def _read(self):
        rows, problems = rate_card.parse(self._decode())
        if problems:
            raise UserError(
                "\n".join(
                    str(self.env._(_lt(problem.message_template))) % problem.params
                    for problem in problems
                )
            )
        return rows

    def _decode(self):
        raw = base64.b64decode(self.file or b"")
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            return raw.decode("latin-1")

    @api.model
    def _key_fields(self):
        return ("market", "category", "in_window", "valid_from", "currency_id")

    def _key(self, rate):
        return (
            rate.market,
            rate.category,
            rate.in_window,
            rate.valid_from,
            rate.currency_id.id,
        )

    def _find_known(self, rates):
        return rates.search(
            [("pricelist", "=", self.pricelist), ("company_id", "=", self.company_id.id)]
        )

    def _prepare(self, rows):
        codes = {row.currency for row in rows if row.currency}
        found = self.env["res.currency"].with_context(active_test=False).search(
            [("name", "in", list(codes))]
        )
        currencies = {currency.name: currency for currency in found}
        missing = codes - set(currencies)
        if missing:
            raise UserError(
                self.env._(
                    "There is no currency called %(names)s.",
                    names=", ".join(sorted(missing)),
                )
            )
        for row in rows:
            currency = currencies.get(row.currency, self.currency_id)
            yield {
                "pricelist": self.pricelist,
                "company_id": self.company_id.id,
                "market": row.market,
                "category": row.category,
                "in_window": row.in_window,
                "valid_from": row.valid_from or self.valid_from,
                "currency_id": currency.id,
                "price": float(row.price),
                "credits": float(self._get_credits(row, currency)),
                "source": self.source,
            }

    def _get_credits(self, row, currency):
        """Return a row's credits: those of the file, else a cent of a dollar each."""
        if row.credits is not None:
            return row.credits
        dollar = self.env.ref("base.USD")
        rate = self.env["res.currency"]._get_conversion_rate(
            currency, dollar, self.company_id, row.valid_from or self.valid_from
        )
        return pricing.credits_of(pricing.convert(row.price, rate))

    def _show(self, count):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "whatsapp_billing.credit_rate_action"
        )
        text = self.env._("%(count)s prices imported.", count=count)
        return client_action.notification("success", text, action)
