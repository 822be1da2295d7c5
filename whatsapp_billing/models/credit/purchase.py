# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools.misc import formatLang

from ...rules import pricing

PAID = ("paid", "in_payment")


class WhatsappBillingCreditPurchase(models.Model):
    """A top-up: quantity, price, vendor bill, and the credits once it is paid."""

    _name = "whatsapp.billing.credit.purchase"
    _inherit = ["mail.thread", "whatsapp.billing.rights.mixin"]
    _description = "WhatsApp Credit Purchase"
    _order = "id desc"
    _check_company_auto = True
    # Set by the system: only the bill made here, once paid, brings credits.
    _system_fields = frozenset({"bill_id", "state"})

    wallet_id = fields.Many2one(
        "whatsapp.billing.credit.wallet",
        string="Credits Of",
        required=True,
        index=True,
        ondelete="restrict",
        default=lambda self: self._get_default_wallet(),
    )
    company_id = fields.Many2one(related="wallet_id.company_id", store=True)
    credit_on = fields.Selection(related="wallet_id.credit_on")
    quantity = fields.Float(
        string="Credits", digits=(16, 2), required=True, default=1000.0, tracking=True
    )
    currency_id = fields.Many2one(
        "res.currency",
        required=True,
        compute="_compute_currency_id",
        store=True,
        readonly=False,
        precompute=True,
    )
    unit_price = fields.Float(
        digits=(16, 6),
        compute="_compute_unit_price",
        store=True,
        readonly=False,
        precompute=True,
        help="Of one credit, without taxes.",
    )
    total = fields.Monetary(
        compute="_compute_total", store=True, precompute=True, help="Without taxes."
    )
    vendor_id = fields.Many2one(
        "res.partner",
        compute="_compute_proposal",
        store=True,
        readonly=False,
        precompute=True,
        check_company=True,
    )
    product_id = fields.Many2one(
        "product.product",
        compute="_compute_proposal",
        store=True,
        readonly=False,
        precompute=True,
        check_company=True,
        domain=[("purchase_ok", "=", True)],
    )
    journal_id = fields.Many2one(
        "account.journal",
        string="Purchase Journal",
        compute="_compute_proposal",
        store=True,
        readonly=False,
        precompute=True,
        check_company=True,
        domain=[("type", "=", "purchase")],
    )
    bill_id = fields.Many2one(
        "account.move",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    bill_payment_state = fields.Selection(
        related="bill_id.payment_state", string="Payment"
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("billed", "To pay"),
            ("done", "Credits added"),
            ("refunded", "Refunded"),
            ("canceled", "Cancelled"),
        ],
        required=True,
        default="draft",
        readonly=True,
        copy=False,
        tracking=True,
    )
    credited = fields.Float(
        string="Credits Added",
        digits=(16, 6),
        compute="_compute_credited",
        help="What this purchase added, less what refunds took back.",
    )
    entry_ids = fields.One2many("whatsapp.billing.credit.entry", "purchase_id")

    _quantity_positive = models.Constraint(
        "CHECK(quantity > 0 AND unit_price >= 0)",
        "Buy at least some credits, at a price that is not negative.",
    )
    _bill_unique = models.UniqueIndex(
        "(bill_id) WHERE bill_id IS NOT NULL", "A bill buys credits once."
    )

    @api.model
    def _get_default_wallet(self):
        """Return the wallet of the company, made for who may buy credits only."""
        if not self.has_access("create"):
            return self.env["whatsapp.billing.credit.wallet"]
        return self.wallet_id._for_company(self.env.company)

    # === COMPUTE METHODS === #

    @api.depends("quantity", "state")
    def _compute_display_name(self):
        for purchase in self:
            purchase.display_name = self.env._(
                "%(count)s credits",
                count=formatLang(self.env, purchase.quantity, digits=0),
            )

    @api.depends("wallet_id")
    def _compute_currency_id(self):
        for purchase in self:
            purchase.currency_id = purchase.wallet_id.currency_id

    @api.depends("wallet_id", "currency_id")
    def _compute_unit_price(self):
        for purchase in self:
            wallet = purchase.wallet_id
            if not wallet or not purchase.currency_id:
                continue
            rate = wallet._currency_rate(wallet.currency_id, purchase.currency_id)
            purchase.unit_price = float(
                pricing.convert(pricing.exact(wallet.credit_price), rate)
            )

    @api.depends("quantity", "unit_price", "currency_id")
    def _compute_total(self):
        for purchase in self:
            amount = purchase.quantity * purchase.unit_price
            currency = purchase.currency_id
            purchase.total = currency.round(amount) if currency else amount

    @api.depends("wallet_id")
    def _compute_proposal(self):
        for purchase in self:
            wallet = purchase.wallet_id
            purchase.vendor_id = wallet.vendor_id
            purchase.product_id = wallet.product_id
            purchase.journal_id = wallet.journal_id

    @api.depends("state", "entry_ids")
    def _compute_credited(self):
        for purchase in self:
            # sudo: whatsapp.billing.credit.entry - lines of this purchase
            lines = purchase.sudo().entry_ids
            total = sum(
                (pricing.exact(a) for a in lines.mapped("amount")), pricing.ZERO
            )
            purchase.credited = float(total)

    # === CRUD METHODS === #

    def write(self, vals):
        fixed = {"wallet_id", "quantity", "unit_price", "currency_id"} & set(vals)
        if fixed and any(purchase.state != "draft" for purchase in self):
            raise UserError(
                self.env._("There is a bill for this purchase; make a new one.")
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_draft(self):
        if any(purchase.state not in ("draft", "canceled") for purchase in self):
            raise UserError(self.env._("There is a bill for this purchase."))

    # === ACTION METHODS === #

    def action_create_bill(self):
        """Make the vendor bill, remember who it is from, and open it."""
        self.ensure_one()
        self.check_access("write")
        if self.state != "draft":
            return self.action_open_bill()
        self._check_complete()
        bill = self.env["account.move"].create(self._prepare_bill())
        # sudo: whatsapp.billing.credit.purchase - the system's own fields
        self.sudo().write({"bill_id": bill.id, "state": "billed"})
        # sudo: whatsapp.billing.credit.wallet - what was chosen is proposed next time
        self.wallet_id.sudo().write(
            {
                "vendor_id": self.vendor_id.id,
                "product_id": self.product_id.id,
                "journal_id": self.journal_id.id,
            }
        )
        return self.action_open_bill()

    def action_open_bill(self):
        """Open the vendor bill of this purchase."""
        self.ensure_one()
        self.check_access("read")
        if not self.bill_id:
            raise UserError(self.env._("There is no bill yet."))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Bill"),
            "res_model": "account.move",
            "res_id": self.bill_id.id,
            "views": [(False, "form")],
        }

    def action_cancel(self):
        """Drop a purchase whose bill is not paid; a draft bill goes with it."""
        self.check_access("write")
        for purchase in self:
            if purchase.state not in ("draft", "billed"):
                raise UserError(
                    self.env._("The credits are there already: refund the bill.")
                )
            if purchase.bill_id.state == "draft":
                purchase.bill_id.button_cancel()
            elif purchase.bill_id.state == "posted":
                raise UserError(self.env._("The bill is posted: reverse it."))
            # sudo: whatsapp.billing.credit.purchase - the system's own field
            purchase.sudo().state = "canceled"

    def action_check_bill(self):
        """Book what the bill has earned by now, where that did not happen by itself.

        :raise UserError: when the bill is not what was ordered
        """
        self.check_access("write")
        billed = self.filtered("bill_id")
        # sudo: account.move - a bill of these purchases
        for purchase in billed.sudo():
            if purchase.bill_id.state == "posted" and not purchase._is_bill_right():
                raise UserError(purchase._get_mismatch())
        billed._sync_bill()

    # === BUSINESS METHODS === #

    def _check_complete(self):
        if not (self.vendor_id and self.product_id and self.journal_id):
            raise UserError(
                self.env._("Choose the vendor, the product and the purchase journal.")
            )
        if self.currency_id.compare_amounts(self.total, 0) <= 0:
            raise UserError(
                self.env._("Enter a price: credits that cost nothing are adjusted.")
            )

    def _prepare_bill(self):
        """Return the values of the vendor bill, in draft: accounting decides."""
        self.ensure_one()
        return {
            "move_type": "in_invoice",
            "company_id": self.company_id.id,
            "journal_id": self.journal_id.id,
            "partner_id": self.vendor_id.id,
            "currency_id": self.currency_id.id,
            "invoice_date": fields.Date.context_today(self),
            "invoice_line_ids": [
                Command.create(
                    {
                        "product_id": self.product_id.id,
                        "name": self.env._(
                            "%(product)s: %(count)s credits",
                            product=self.product_id.display_name,
                            count=formatLang(self.env, self.quantity, digits=0),
                        ),
                        "quantity": self.quantity,
                        "price_unit": self.unit_price,
                    }
                )
            ],
        }

    def _sync_bill(self):
        """Let the wallet hold what the bill has earned by now: more, or less again.

        Asked after everything that may change it, as often as one likes.
        """
        # sudo: whatsapp.billing.credit.entry - accounting decides, the system books
        for purchase in self.sudo():
            wanted = purchase._get_earned()
            if wanted is None:
                continue
            missing = wanted - pricing.exact(purchase.credited)
            note = purchase.bill_id.name or ""
            if missing > 0:
                purchase.wallet_id._give(
                    "purchase",
                    missing,
                    purchase_id=purchase.id,
                    attempt_no=purchase._count("purchase"),
                    note=note,
                )
            elif missing < 0:
                purchase.wallet_id._take(
                    "adjust",
                    -missing,
                    purchase_id=purchase.id,
                    attempt_no=purchase._count("adjust"),
                    note=self.env._("Refund of %(bill)s", bill=note),
                )
            purchase.invalidate_recordset(["entry_ids", "credited"])
            purchase.state = purchase._get_state(wanted)

    def _get_earned(self):
        """Return the credits that the bill stands for now, None to leave them."""
        self.ensure_one()
        bill = self.bill_id
        if bill.state != "posted" or not self._is_bill_right():
            return pricing.ZERO
        due = self.wallet_id.credit_on == "posted" or bill.payment_state in PAID
        if not due and not self.entry_ids:
            return pricing.ZERO if bill.payment_state == "reversed" else None
        refunds = bill.reversal_move_ids.filtered(lambda move: move.state == "posted")
        share = min(1.0, sum(refunds.mapped("amount_untaxed")) / bill.amount_untaxed)
        return pricing.exact(self.quantity * (1 - share))

    def _is_bill_right(self):
        """Tell whether the bill is over what was ordered; whoever wrote it may err."""
        self.ensure_one()
        bill, currency = self.bill_id, self.currency_id
        return (
            bill.move_type == "in_invoice"
            and bill.company_id == self.company_id
            and bill.currency_id == currency
            and currency.compare_amounts(bill.amount_untaxed, self.total) == 0
            and currency.compare_amounts(self.total, 0) > 0
        )

    def _get_mismatch(self):
        return self.env._(
            "The bill %(bill)s is over %(billed)s and the purchase over %(ordered)s,"
            " both without taxes. Credits are added when they agree.",
            bill=self.bill_id.name,
            billed=self.bill_id.currency_id.format(self.bill_id.amount_untaxed),
            ordered=self.currency_id.format(self.total),
        )

    def _get_state(self, earned):
        if earned > 0:
            return "done"
        if self.entry_ids or self.bill_id.payment_state == "reversed":
            return "refunded"
        return "canceled" if self.bill_id.state == "cancel" else "billed"

    def _count(self, kind):
        return len(self.entry_ids.filtered(lambda entry: entry.kind == kind))
