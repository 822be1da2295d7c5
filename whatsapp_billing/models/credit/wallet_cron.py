# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What happens to credits by time: allowances, lost reservations, warnings."""

import logging
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import SQL

from ...rules import pricing
from ..worker.budget import Budget

_logger = logging.getLogger(__name__)

# A message that was not delivered within its time to live never will be, and no
# webhook says so (30 days unless the template says less); the day is
# for a receipt that comes late.
DEFAULT_LIFE = timedelta(days=30)
GRACE = timedelta(days=1)
BATCH = 5000
CRON = "whatsapp_billing.ir_cron_credits"


class WhatsappBillingCreditWallet(models.Model):
    _name = "whatsapp.billing.credit.wallet"
    _inherit = ["whatsapp.billing.credit.wallet", "whatsapp.billing.worker.mixin"]

    verified_at = fields.Datetime(
        string="Checked On",
        readonly=True,
        help="When the balance was last compared with the sum of the journal.",
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
            # Half at most: what nobody uses may not keep the wallets waiting.
            reservations = budget.share(2)
            while not reservations.is_over() and self._durably_alone(
                env, lambda: messages._release_overdue(now, BATCH), "reservations"
            ):
                continue
            # Those that were not looked at for the longest come first, should time end.
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
