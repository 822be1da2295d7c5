# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A company's prepaid balance, and what happens to it by time.

Allowances come, reservations that were lost are given back, people are warned.
"""

import logging
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup
from psycopg2 import errors

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ...rules import pricing
from ..worker.budget import Budget
from ..worker.transactions import RepeatTransaction
from .rate import PRICELISTS

# Totals of all folded entries; only SQL under the wallet's lock writes them.
TOTALS = ("total_balance", "total_reserved", "total_shortfall")

_logger = logging.getLogger(__name__)

# Not delivered within its life (30 days unless the template says less), a message is
# dropped without a webhook: its reservation is released. A day more, for a late
# receipt.
DEFAULT_LIFE = timedelta(days=30)

GRACE = timedelta(days=1)

BATCH = 5000

CRON = "whatsapp_billing.ir_cron_credits"


class WhatsappBillingCreditWallet(models.Model):
    """The prepaid credits of one company.

    balance = sum(amount), reserved = sum(reserved_amount), available = balance -
    reserved; where the wallet is limited, available never falls below
    zero. Made at the first message, without a limit: it then only measures.
    """

    _name = "whatsapp.billing.credit.wallet"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "whatsapp.billing.rights.mixin",
        "whatsapp.billing.system.rows.mixin",
        "whatsapp.billing.worker.mixin",
    ]
    _description = "WhatsApp Credits"
    _order = "id"
    _check_company_auto = True
    _system_fields = frozenset({"is_low", *TOTALS})

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda s: s.env.company
    )
    balance = fields.Float(
        digits=(16, 6), compute="_compute_figures", help="Credits bought less used."
    )
    reserved = fields.Float(
        digits=(16, 6),
        compute="_compute_figures",
        help="Set aside for messages that are on their way.",
    )
    available = fields.Float(
        digits=(16, 6), compute="_compute_figures", help="Balance less reserved."
    )
    shortfall = fields.Float(
        digits=(16, 6),
        string="Not Covered",
        compute="_compute_figures",
        help="Charged by WhatsApp when no credits were left; taken from the next ones.",
    )
    total_balance = fields.Float(digits=(16, 6), default=0.0, groups=".")
    total_reserved = fields.Float(digits=(16, 6), default=0.0, groups=".")
    total_shortfall = fields.Float(digits=(16, 6), default=0.0, groups=".")
    is_limited = fields.Boolean(
        string="Stop Without Credits",
        tracking=True,
        help="Messages wait when the credits are used up. Off: the journal only "
        "measures what messages cost.",
    )
    pricelist = fields.Selection(
        PRICELISTS, string="Price List", required=True, default="provider"
    )
    currency_id = fields.Many2one(
        "res.currency",
        required=True,
        default=lambda self: self.env.company.currency_id,
        help="Costs are shown in this currency, at the day's rate.",
    )
    monthly_allowance = fields.Float(
        digits=(16, 2),
        tracking=True,
        help="Credits given at the start of each month; what is left of them at its "
        "end expires.",
    )
    alert_threshold = fields.Float(
        string="Warn Below",
        digits=(16, 2),
        tracking=True,
        help="An activity and an e-mail, once each time fewer credits are available.",
    )
    is_low = fields.Boolean(readonly=True, copy=False)
    user_id = fields.Many2one(
        "res.users", string="Responsible", help="Who is told when credits run low."
    )
    credit_price = fields.Float(
        string="Price of a Credit",
        digits=(16, 6),
        help="In the wallet's currency, without taxes; what Buy Credits proposes.",
    )
    credit_on = fields.Selection(
        [("paid", "The bill is paid"), ("posted", "The bill is posted")],
        string="Add Credits When",
        required=True,
        default="paid",
    )
    vendor_id = fields.Many2one("res.partner", check_company=True)
    product_id = fields.Many2one(
        "product.product", check_company=True, domain=[("purchase_ok", "=", True)]
    )
    journal_id = fields.Many2one(
        "account.journal",
        string="Purchase Journal",
        check_company=True,
        domain=[("type", "=", "purchase")],
    )

    _company_unique = models.UniqueIndex(
        "(company_id)", "A company has one wallet for its WhatsApp credits."
    )
    _not_overspent = models.Constraint(
        "CHECK(is_limited IS NOT TRUE OR total_balance >= total_reserved)",
        "There are not enough WhatsApp credits.",
    )
    _not_negative = models.Constraint(
        "CHECK(monthly_allowance >= 0 AND alert_threshold >= 0 AND credit_price >= 0)",
        "Credits and prices cannot be negative.",
    )
    verified_at = fields.Datetime(
        string="Checked On",
        readonly=True,
        help="When the balance was last compared with the sum of the journal.",
    )

    # === COMPUTE METHODS === #

    @api.depends("company_id")
    def _compute_display_name(self):
        for wallet in self:
            wallet.display_name = self.env._(
                "WhatsApp credits of %(company)s", company=wallet.company_id.name
            )

    @api.depends_context("uid")
    def _compute_figures(self):
        """Add the folded totals and those not folded yet: quick, however long the journal."""
        found = self._read_figures()
        for wallet in self:
            balance, reserved, shortfall = found.get(wallet._origin.id, (0, 0, 0))
            wallet.balance = float(balance)
            wallet.reserved = float(reserved)
            wallet.available = float(balance - reserved)
            wallet.shortfall = float(shortfall)

    def _read_figures(self):
        """Return {wallet id: (balance, reserved, shortfall)} as decimals."""
        ids = self._origin.ids
        if not ids:
            return {}
        self.flush_recordset(TOTALS)
        self.env["whatsapp.billing.credit.entry"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT w.id, w.total_balance + COALESCE(sum(d.amount), 0),
                       w.total_reserved + COALESCE(sum(d.reserved_amount), 0),
                       w.total_shortfall + COALESCE(sum(d.shortfall), 0)
                  FROM whatsapp_billing_credit_wallet w
             LEFT JOIN whatsapp_billing_credit_delta d ON d.wallet_id = w.id
                 WHERE w.id = ANY(%s) GROUP BY w.id
                """,
                ids,
            )
        )
        return {row[0]: tuple(map(pricing.exact, row[1:])) for row in rows}

    def _forget_figures(self):
        self.invalidate_recordset(
            ["balance", "reserved", "available", "shortfall", *TOTALS], flush=False
        )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_totals(vals)
        wallets = super().create(vals_list)
        for wallet in wallets:
            wallet._propose()
        return wallets

    def write(self, vals):
        self._check_totals(vals)
        starting = self.browse()
        if vals.get("is_limited"):
            starting = self.filtered(lambda wallet: not wallet.is_limited)
            # sudo: whatsapp.billing.credit.entry - closes what was only measured
            starting.sudo()._start_limit()
        result = super().write(vals)
        if "is_limited" in vals and not vals["is_limited"]:
            self._trigger_release()
        if vals.get("monthly_allowance"):
            # sudo: whatsapp.billing.credit.entry - this month's, at once
            self.sudo()._grant_allowances(fields.Datetime.now())
        if {"alert_threshold", "user_id"} & set(vals):
            self._trigger_check()
        return result

    @api.model
    def _check_totals(self, vals):
        if set(TOTALS) & set(vals):
            raise AccessError(
                self.env._("The balance is the sum of the journal; buy credits.")
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_empty(self):
        # sudo: whatsapp.billing.credit.entry - whether there is one, nothing more
        entries_sudo = self.env["whatsapp.billing.credit.entry"].sudo()
        if entries_sudo.search_count([("wallet_id", "in", self.ids)], limit=1):
            raise AccessError(self.env._("A wallet with a journal cannot be deleted."))

    # === ACTION METHODS === #

    @api.model
    def action_open(self):
        """Open the credits of the current company."""
        self.check_access("read")
        wallet = self._for_company(self.env.company)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Credits"),
            "res_model": self._name,
            "res_id": wallet.id,
            "views": [
                (self.env.ref("whatsapp_billing.credit_wallet_view_form").id, "form")
            ],
            "path": "whatsapp-credits",
            "context": {"create": False},
        }

    def action_buy(self):
        """Ask how many credits to buy, in a dialog that keeps nothing until it is done."""
        self.ensure_one()
        self.check_access("read")
        form = self.env.ref("whatsapp_billing.credit_purchase_view_form_buy")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Buy Credits"),
            "res_model": "whatsapp.billing.credit.purchase",
            "views": [(form.id, "form")],
            "target": "new",
            "context": {"default_wallet_id": self.id},
        }

    def action_view_journal(self):
        """Open the journal of this wallet."""
        return self._open_mine("whatsapp_billing.credit_entry_action")

    def action_view_purchases(self):
        """Open the purchases of this wallet."""
        return self._open_mine("whatsapp_billing.credit_purchase_action")

    def action_view_usage(self):
        """Open the report of what was used."""
        return self._open_mine("whatsapp_billing.credit_usage_action")

    def _open_mine(self, xml_id):
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(xml_id)
        action["domain"] = [("wallet_id", "=", self.id)]
        return action

    def action_view_waiting(self):
        """Open the messages that wait for credits."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "whatsapp_billing.message_action"
        )
        action["domain"] = [
            ("company_id", "=", self.company_id.id),
            ("state", "=", "held"),
            ("reason", "=", "no_credit"),
        ]
        action["context"] = {}
        return action

    # === BUSINESS METHODS === #

    @api.model
    def _for_company(self, company):
        """Return the wallet of a company, made at its first use."""
        # sudo: whatsapp.billing.credit.wallet - whoever sends first makes it
        wallets_sudo = self.sudo()
        found = self._find(company).sudo()
        if not found:
            try:
                with self.env.cr.savepoint():
                    found = wallets_sudo.with_company(company).create(
                        {
                            "company_id": company.id,
                            "currency_id": company.currency_id.id,
                        }
                    )
            except errors.UniqueViolation as error:
                # Another transaction made the wallet; Odoo repeats this call, which
                # finds it.
                raise RepeatTransaction(str(error)) from error
        return found.with_env(self.env)

    @api.model
    def _find(self, company):
        """Return the wallet of a company, or none before its first use."""
        # sudo: whatsapp.billing.credit.wallet - the figures are guarded, not its being
        found = self.sudo().search_fetch([("company_id", "=", company.id)], limit=1)
        return found.with_env(self.env)

    def _propose(self):
        """Fill in what buying needs where nobody has said anything yet."""
        self.ensure_one()
        ref = self.env.ref
        company = self.company_id
        if not self.product_id:
            self.product_id = ref(
                "whatsapp_billing.product_credit", raise_if_not_found=False
            )
        if not self.vendor_id:
            self.vendor_id = ref(
                "whatsapp_billing.partner_credit_vendor", raise_if_not_found=False
            )
        if not self.journal_id:
            self.journal_id = self.env["account.journal"].search(
                [
                    *self.env["account.journal"]._check_company_domain(company),
                    ("type", "=", "purchase"),
                ],
                limit=1,
            )
        if not self.credit_price:
            dollars = 1 / pricing.CREDITS_PER_UNIT
            self.credit_price = float(
                pricing.convert(
                    dollars, self._currency_rate(ref("base.USD"), self.currency_id)
                )
            )

    def _currency_rate(self, source, target, date=None):
        """Return how many units of `target` one of `source` is worth on a day."""
        return self.env["res.currency"]._get_conversion_rate(
            source,
            target,
            self.company_id,
            date or fields.Date.context_today(self),
        )

    # === BUSINESS METHODS - TRIGGERS === #

    def _trigger_release(self):
        """Have messages that wait for credits looked at soon.

        Only a hint, like every job: the one-minute cron looks as well.
        """
        # sudo: ir.cron - the system sends, whoever bought
        cron_sudo = self.env.ref("whatsapp_billing.ir_cron_outbox").sudo()
        cron_sudo._trigger()
        self._trigger_check()

    @api.model
    def _trigger_check(self):
        # sudo: ir.cron - the system warns, whoever used the credits
        self.env.ref(CRON).sudo()._trigger()

    def _check_low(self):
        """Ask for a warning when the threshold was just crossed."""
        for wallet in self:
            if not wallet.is_low and wallet._is_below():
                wallet._trigger_check()

    def _is_below(self):
        self.ensure_one()
        return bool(self.alert_threshold) and self.available < self.alert_threshold

    # === CRON METHODS === #

    @api.model
    def _cron_credits(self):
        """Give and end allowances, give back lost reservations, warn, check sums."""
        now = fields.Datetime.now()
        budget = Budget.of_run()
        with self._own_transaction() as env:
            messages = env["whatsapp.billing.message"]
            # Half of the time at most for old reservations; the rest is for the
            # wallets.
            reservations = budget.share(2)
            while not reservations.is_over() and self._durably_alone(
                env, lambda: messages._release_overdue(now, BATCH), "reservations"
            ):
                continue
            # The wallet verified longest ago comes first, in case time ends.
            for wallet in env[self._name].search([], order="verified_at NULLS FIRST"):
                if not budget.is_over():
                    wallet._look_after(now)
        if reservations.is_over() or budget.is_over():
            self._trigger_check()

    def _look_after(self, now):
        """Do what time brings to one wallet; a step that fails stops no other."""
        for step in (
            lambda: self._grant_allowances(now),
            self._fold_free,
            self._warn_low,
            lambda: self._verify(now),
        ):
            self._durably_alone(self.env, step, f"wallet {self.id}")

    def _fold_free(self):
        """Fold where nobody is taking at this moment; the next run does the others."""
        self.env.cr.execute(
            "SELECT id FROM whatsapp_billing_credit_wallet WHERE id = ANY(%s) "
            "ORDER BY id FOR NO KEY UPDATE SKIP LOCKED",
            [self.ids],
        )
        self.browse(row[0] for row in self.env.cr.fetchall())._fold()

    def _verify(self, now):
        """Compare the totals with the journal; a difference is for a person.

        Once a day: it reads the whole journal.

        :return: whether they are the same, None where it is not due
        """
        self.ensure_one()
        if self.verified_at and self.verified_at > now - timedelta(days=1):
            return None
        self.verified_at = now
        rows = self.env.execute_query(
            SQL(
                """
                SELECT COALESCE(sum(amount), 0), COALESCE(sum(reserved_amount), 0)
                  FROM whatsapp_billing_credit_entry WHERE wallet_id = %s
                """,
                self.id,
            )
        )
        expected = tuple(map(pricing.exact, rows[0]))
        found = self._read_figures()[self.id][:2]
        if found == expected:
            return True
        _logger.error(
            "Credits of wallet %s: totals %s, journal %s", self.id, found, expected
        )
        self._warn(
            self.env._("Credits do not add up"),
            self.env._(
                "The balance shown is not the sum of the journal. The journal is "
                "right; ask whoever runs this system to look at its log."
            ),
        )
        return False

    # === BUSINESS METHODS - ALLOWANCES === #

    def _grant_allowances(self, now):
        """End the allowances of past months and give this month's, once each."""
        for wallet in self:
            today = wallet._local(now)
            period = f"{today:%Y-%m}"
            wallet._expire_allowances(period)
            if wallet.monthly_allowance:
                wallet._give("allowance", wallet.monthly_allowance, period=period)

    def _local(self, now):
        zone = ZoneInfo(self.company_id.partner_id.tz or "UTC")
        return now.replace(tzinfo=ZoneInfo("UTC")).astimezone(zone).date()

    def _expire_allowances(self, period):
        """Take back what is left of the allowances of other months than this.

        An allowance is used before what was bought.
        """
        entries = self.env["whatsapp.billing.credit.entry"]
        given = entries.search(
            [
                ("wallet_id", "=", self.id),
                ("kind", "=", "allowance"),
                ("period", "!=", period),
            ]
        )
        ended = entries.search(
            [
                ("wallet_id", "=", self.id),
                ("kind", "=", "expire"),
                ("period", "in", given.mapped("period")),
            ]
        ).mapped("period")
        for entry in given.filtered(lambda e: e.period not in ended):
            self._take("expire", self._get_unused(entry), period=entry.period)

    def _get_unused(self, entry):
        """Return what of an allowance was neither used nor reserved in its month."""
        year, month = map(int, entry.period.split("-"))
        end = datetime.combine(
            fields.Date.to_date(f"{year + month // 12}-{month % 12 + 1:02d}-01"),
            time(),
            ZoneInfo(self.company_id.partner_id.tz or "UTC"),
        )
        end = end.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT COALESCE(-sum(amount) FILTER (
                           WHERE date < %(end)s AND message_id IS NOT NULL), 0),
                       COALESCE(sum(reserved_amount) FILTER (WHERE date < %(end)s), 0)
                  FROM whatsapp_billing_credit_entry
                 WHERE wallet_id = %(wallet)s AND date >= %(start)s
                """,
                end=end,
                start=entry.date,
                wallet=self.id,
            )
        )
        used, reserved = map(pricing.exact, rows[0])
        granted = pricing.exact(entry.amount)
        return max(pricing.ZERO, granted - max(pricing.ZERO, used + reserved))

    # === BUSINESS METHODS - WARNINGS === #

    def _warn_low(self):
        """Tell somebody once when credits fall below the threshold."""
        for wallet in self:
            below = wallet._is_below()
            if below == wallet.is_low:
                continue
            wallet.is_low = below
            if below:
                wallet._send_low_warning()
            else:
                title = wallet._low_title(wallet._get_responsible().lang)
                wallet.activity_ids.filtered(lambda a, t=title: a.summary == t).unlink()

    def _low_title(self, lang):
        wallet = self.with_context(lang=lang)
        return wallet.env._("WhatsApp credits are running low")

    def _send_low_warning(self):
        self.ensure_one()
        user = self._get_responsible()
        wallet = self.with_context(lang=user.lang)
        title = self._low_title(user.lang)
        text = wallet.env._(
            "%(available)s credits are available at %(company)s, fewer than the "
            "%(threshold)s you want to be warned at. They last until: %(until)s.",
            available=wallet._format_credits(wallet.available),
            company=wallet.company_id.name,
            threshold=wallet._format_credits(wallet.alert_threshold),
            until=wallet.lasts_until_text,
        )
        wallet._warn(title, text)
        if user.email:
            # sudo: mail.mail - a warning of the system's own
            wallet.env["mail.mail"].sudo().create(
                {
                    "subject": title,
                    "body_html": wallet.env["ir.qweb"]._render(
                        "whatsapp_billing.credit_low_mail",
                        {"text": text, "url": wallet._get_url()},
                    ),
                    "email_to": user.email_formatted,
                    "auto_delete": True,
                }
            )

    def _get_url(self):
        return f"{self.get_base_url()}/odoo/whatsapp-credits"

    def _warn(self, title, text):
        """Put an activity on the wallet, unless the same is there already."""
        self.ensure_one()
        if any(activity.summary == title for activity in self.activity_ids):
            return
        self.activity_schedule(
            "mail.mail_activity_data_warning",
            summary=title,
            note=Markup("<p>%s</p>") % text,
            user_id=self._get_responsible().id,
        )

    def _get_responsible(self):
        """Return who looks after the credits: as set, else a manager."""
        self.ensure_one()
        able = self.company_id._wab_find_able(self.user_id)
        return able or self.company_id._wab_get_managers()[:1] or self.env.user
