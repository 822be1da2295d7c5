# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ...rules import markets, pricing

KINDS = [
    ("purchase", "Purchase"),
    ("allowance", "Allowance"),
    ("reserve", "Reserved"),
    ("settle", "Charged"),
    ("release", "Released"),
    ("adjust", "Adjustment"),
    ("expire", "Expired"),
]


class WhatsappBillingCreditEntry(models.Model):
    """One line of a wallet's journal; never edited, never deleted, by anybody.

    `amount` is the effect on the balance (0 for reserve and release),
    `reserved_amount` the effect on what is reserved; a settlement carries both. The
    sums of the two are the wallet's figures. The ORM refuses changes with
    a sentence, the database refuses them whoever asks.
    """

    _name = "whatsapp.billing.credit.entry"
    _inherit = ["whatsapp.billing.rights.mixin", "whatsapp.billing.system.rows.mixin"]
    _description = "WhatsApp Credit Entry"
    _order = "id desc"
    _rec_name = "kind"
    _log_access = False

    wallet_id = fields.Many2one(
        "whatsapp.billing.credit.wallet", required=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="wallet_id.company_id")
    kind = fields.Selection(KINDS, required=True)
    amount = fields.Float(digits=(16, 6), required=True, default=0.0)
    reserved_amount = fields.Float(
        digits=(16, 6), string="Reserved", required=True, default=0.0
    )
    shortfall = fields.Float(
        digits=(16, 6),
        string="Not Covered",
        help="What should have been taken and was not there; taken from the next "
        "credits that come.",
    )
    balance_after = fields.Float(
        digits=(16, 6), string="Balance", compute="_compute_balance_after"
    )
    date = fields.Datetime(required=True, default=fields.Datetime.now)
    message_id = fields.Many2one(
        "whatsapp.billing.message", index="btree_not_null", ondelete="restrict"
    )
    purchase_id = fields.Many2one(
        "whatsapp.billing.credit.purchase", index="btree_not_null", ondelete="restrict"
    )
    rate_id = fields.Many2one(
        "whatsapp.billing.credit.rate",
        string="Price",
        index="btree_not_null",
        ondelete="restrict",
    )
    cost = fields.Float(
        digits=(16, 6),
        help="What WhatsApp charges, in the wallet's currency at the day's rate.",
    )
    currency_id = fields.Many2one(related="wallet_id.currency_id")
    market = fields.Selection(list(markets.MARKETS.items()))
    category = fields.Selection(list(pricing.CATEGORIES.items()))
    in_window = fields.Boolean(string="In Service Window")
    pricing_type = fields.Char(
        string="WhatsApp's Word", help="The type of price that WhatsApp reported."
    )
    is_free = fields.Boolean(string="Free")
    attempt_no = fields.Integer(
        required=True, default=0, help="Counts lines of one kind about one message."
    )
    period = fields.Char(help="The month of an allowance.")
    note = fields.Char()
    user_id = fields.Many2one("res.users", string="By", ondelete="restrict")

    _message_kind_unique = models.UniqueIndex(
        "(message_id, kind, attempt_no) WHERE message_id IS NOT NULL",
        "This message was charged before.",
    )
    _purchase_kind_unique = models.UniqueIndex(
        "(purchase_id, kind, attempt_no) WHERE purchase_id IS NOT NULL",
        "These credits were added before.",
    )
    _period_unique = models.UniqueIndex(
        "(wallet_id, kind, period) WHERE period IS NOT NULL",
        "The allowance of this month was given before.",
    )
    _sum_index = models.Index("(wallet_id, id) INCLUDE (amount, reserved_amount)")
    _date_index = models.Index(
        "(wallet_id, date) INCLUDE (kind, amount, reserved_amount)"
    )

    @api.model
    def _get_reading_sql(self, alias, query):
        """A line about a message is as readable as the message."""
        message = self._field_to_sql(alias, "message_id", query)
        readable = self._readable_sql("whatsapp.billing.message", message)
        return SQL("(%s IS NULL OR %s)", message, readable)

    def init(self):
        """Make the database itself keep the journal append-only, and its totals.

        Every insertion, by whatever way, leaves one row of totals a statement and
        wallet in `whatsapp_billing_credit_delta`; the wallet folds them in. So
        nothing waits for a lock to write down what happened, and the figures are
        right at every commit. Triggers are dropped and made: PostgreSQL 13 cannot
        replace one.
        """
        self.env.cr.execute(
            """
            CREATE TABLE IF NOT EXISTS whatsapp_billing_credit_delta (
                wallet_id integer NOT NULL
                    REFERENCES whatsapp_billing_credit_wallet (id) ON DELETE CASCADE,
                amount numeric NOT NULL,
                reserved_amount numeric NOT NULL,
                shortfall numeric NOT NULL)
                -- Rows come and go with every fold.
                WITH (autovacuum_vacuum_scale_factor = 0,
                      autovacuum_vacuum_threshold = 500);
            CREATE INDEX IF NOT EXISTS whatsapp_billing_credit_delta_wallet
                ON whatsapp_billing_credit_delta (wallet_id);

            CREATE OR REPLACE FUNCTION whatsapp_billing_credit_guard()
            RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION
                    'The credit journal is append-only: entries never change.';
            END $$;

            CREATE OR REPLACE FUNCTION whatsapp_billing_credit_total()
            RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO whatsapp_billing_credit_delta
                SELECT wallet_id, sum(amount), sum(reserved_amount),
                       sum(COALESCE(shortfall, 0))
                  FROM fresh GROUP BY wallet_id;
                RETURN NULL;
            END $$;

            DROP TRIGGER IF EXISTS whatsapp_billing_credit_entry_guard
                ON whatsapp_billing_credit_entry;
            CREATE TRIGGER whatsapp_billing_credit_entry_guard
                BEFORE UPDATE OR DELETE ON whatsapp_billing_credit_entry
                FOR EACH ROW EXECUTE FUNCTION whatsapp_billing_credit_guard();
            DROP TRIGGER IF EXISTS whatsapp_billing_credit_entry_truncate
                ON whatsapp_billing_credit_entry;
            CREATE TRIGGER whatsapp_billing_credit_entry_truncate
                BEFORE TRUNCATE ON whatsapp_billing_credit_entry
                FOR EACH STATEMENT EXECUTE FUNCTION whatsapp_billing_credit_guard();
            DROP TRIGGER IF EXISTS whatsapp_billing_credit_entry_total
                ON whatsapp_billing_credit_entry;
            CREATE TRIGGER whatsapp_billing_credit_entry_total
                AFTER INSERT ON whatsapp_billing_credit_entry
                REFERENCING NEW TABLE AS fresh
                FOR EACH STATEMENT EXECUTE FUNCTION whatsapp_billing_credit_total();
            """
        )

    # === COMPUTE METHODS === #

    @api.depends_context("uid")
    def _compute_balance_after(self):
        """Show the running balance, as a bank does: one query for a page."""
        for wallet in self.wallet_id:
            mine = self.filtered(lambda e, w=wallet: e.wallet_id == w and e.id)
            # sudo: whatsapp.billing.credit.entry - the sum of all, read or not
            later = mine.sudo()._sums_after(wallet)
            balance = pricing.exact(wallet.balance)
            for entry in mine:
                entry.balance_after = float(balance - later[entry.id])
        self.filtered(lambda e: not e.wallet_id or not e.id).balance_after = 0.0

    def _sums_after(self, wallet):
        """Return {entry id: sum of the amounts written after it}."""
        ids = sorted(self.ids)
        rows = dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT width_bucket(id - 1, %s::int[]), sum(amount)
                      FROM whatsapp_billing_credit_entry
                     WHERE wallet_id = %s AND id > %s GROUP BY 1
                    """,
                    ids,
                    wallet.id,
                    ids[0],
                )
            )
        )
        later, total = {}, pricing.ZERO
        for position in range(len(ids), 0, -1):
            total += pricing.exact(rows.get(position, 0))
            later[ids[position - 1]] = total
        return later

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse people; for the system, take only what is there.

        Batches are written by the wallet's own statements (`wallet_ledger.py`).
        """
        if not self.env.su:
            raise AccessError(
                self.env._("Credits are booked by the system; buy credits instead.")
            )
        wallets = self.env["whatsapp.billing.credit.wallet"].browse(
            {vals["wallet_id"] for vals in vals_list}
        )
        limited = wallets.sorted("id").filtered(lambda w: w._begin_taking())
        entries = super().create(vals_list)
        self.flush_model()
        limited._fold()
        wallets._forget_figures()
        return entries

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("The credit journal never changes."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Entries of the credit journal are never deleted."))

    # === ACTION METHODS === #

    def action_open_source(self):
        """Open the message or the purchase that this line is about."""
        self.ensure_one()
        self.check_access("read")
        record = self.message_id or self.purchase_id
        if not record:
            raise UserError(self.env._("This line belongs to no document."))
        return {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "views": [(False, "form")],
        }


def drop_functions(cr):
    """Remove what uninstalling leaves: Odoo knows only of its own tables."""
    cr.execute(
        """
        DROP FUNCTION IF EXISTS whatsapp_billing_credit_guard CASCADE;
        DROP FUNCTION IF EXISTS whatsapp_billing_credit_total CASCADE;
        DROP TABLE IF EXISTS whatsapp_billing_credit_delta;
        """
    )
