# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models, tools
from odoo.exceptions import UserError

from ...rules import markets, pricing

PRICELISTS = [
    ("provider", "WhatsApp's price list"),
    ("flat", "One credit per message"),
    ("own", "Our own price list"),
]
# Fields that cannot change once an entry of the journal refers to the price.
PRICE_FIELDS = {
    "pricelist",
    "company_id",
    "market",
    "category",
    "in_window",
    "valid_from",
    "credits",
    "price",
    "currency_id",
}


class WhatsappBillingCreditRate(models.Model):
    """What one message costs from a day on: market x category x service window.

    Rows without a company are shipped with the module and hold for everybody; a
    company adds its own with a later date. The provider changes prices each quarter:
    a new price is a new row, and an old one that was used stays as it is.
    """

    _name = "whatsapp.billing.credit.rate"
    _inherit = ["whatsapp.billing.rights.mixin"]
    _description = "WhatsApp Price"
    _order = "valid_from desc, pricelist, market, category, in_window, id desc"
    _rec_name = "market"

    pricelist = fields.Selection(
        PRICELISTS, string="Price List", required=True, default="provider"
    )
    company_id = fields.Many2one(
        "res.company",
        index="btree_not_null",
        default=lambda self: self.env.company,
        help="Empty: for all companies.",
    )
    market = fields.Selection(list(markets.MARKETS.items()), required=True)
    category = fields.Selection(list(pricing.CATEGORIES.items()), required=True)
    in_window = fields.Boolean(
        string="In Service Window",
        help="The price within 24 hours of the customer's last message.",
    )
    valid_from = fields.Date(required=True, default=fields.Date.context_today)
    credits = fields.Float(digits=(16, 6), required=True)
    price = fields.Float(
        digits=(16, 6), help="What WhatsApp charges, in the currency of this row."
    )
    currency_id = fields.Many2one(
        "res.currency",
        required=True,
        default=lambda self: self.env.ref("base.USD"),
    )
    source = fields.Char(help="Where the price was read, and when.")

    _row_unique = models.UniqueIndex(
        "(pricelist, COALESCE(company_id, 0), market, category, in_window,"
        " valid_from, currency_id)",
        "There is a price for this market, category and day already.",
    )
    _credits_positive = models.Constraint(
        "CHECK(credits >= 0 AND price >= 0)", "A price cannot be negative."
    )

    # === COMPUTE METHODS === #

    @api.depends("market", "category", "valid_from")
    def _compute_display_name(self):
        places = dict(self._fields["market"]._description_selection(self.env))
        kinds = dict(self._fields["category"]._description_selection(self.env))
        for rate in self:
            rate.display_name = self.env._(
                "%(market)s, %(category)s",
                market=places.get(rate.market, ""),
                category=kinds.get(rate.category, ""),
            )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        changed = self.filtered(lambda rate: rate._changes(vals))
        if changed._is_used():
            raise UserError(
                self.env._(
                    "Messages were charged by this price. Add a new price with a "
                    "later date instead."
                )
            )
        self.env.registry.clear_cache()
        return super().write(vals)

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    @api.ondelete(at_uninstall=False)
    def _unlink_unused(self):
        if self._is_used():
            raise UserError(
                self.env._("Messages were charged by this price; it stays.")
            )

    def _changes(self, vals):
        for name in PRICE_FIELDS & set(vals):
            field = self._fields[name]
            new = field.convert_to_cache(vals[name], self)
            if field.convert_to_record(new, self) != self[name]:
                return True
        return False

    def _is_used(self):
        # sudo: whatsapp.billing.credit.entry - whether there is one, nothing more
        entries_sudo = self.env["whatsapp.billing.credit.entry"].sudo()
        return bool(
            self and entries_sudo.search_count([("rate_id", "in", self.ids)], limit=1)
        )

    # === BUSINESS METHODS === #

    @api.model
    @tools.ormcache("company_id", "pricelist")
    def _get_prices(self, company_id, pricelist):
        """Return the `rules.pricing.PriceList` that a company pays by."""
        self.flush_model()
        rows = self.env.execute_query_dict(
            tools.SQL(
                """
                SELECT r.id, r.market, r.category, r.in_window, r.valid_from,
                       r.credits, r.price, c.name AS currency, r.company_id
                  FROM whatsapp_billing_credit_rate r
                  JOIN res_currency c ON c.id = r.currency_id
                 WHERE r.pricelist = %s
                   AND (r.company_id IS NULL OR r.company_id = %s)
                """,
                pricelist,
                company_id,
            )
        )
        return pricing.PriceList(
            pricing.Rate(
                uid=row["id"],
                market=row["market"],
                category=row["category"],
                in_window=bool(row["in_window"]),
                valid_from=row["valid_from"],
                credits=pricing.exact(row["credits"]),
                price=pricing.exact(row["price"] or 0),
                currency=row["currency"],
                priority=1 if row["company_id"] else 0,
            )
            for row in rows
        )

    @api.model
    def _get_newest(self, company, pricelist):
        """Return the start of the newest card of a list, or False."""
        return self.search(
            [
                ("pricelist", "=", pricelist),
                ("company_id", "in", [False, company.id]),
            ],
            order="valid_from desc",
            limit=1,
        ).valid_from
