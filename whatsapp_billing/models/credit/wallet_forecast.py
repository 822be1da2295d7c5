# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What the screen of credits shows: how long they last, the last weeks, warnings."""

import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.misc import format_date

from ...rules import pricing

WEEKS = 8
AVERAGE_DAYS = 28
# Price lists whose age is warned about: the provider changes its own each quarter.
CHECKED_LISTS = {"provider"}
WITHOUT_REMINDERS = SQL(
    "JOIN whatsapp_billing_message m "
    "ON m.id = e.message_id AND m.purpose IS DISTINCT FROM 'collections'"
)


class WhatsappBillingCreditWallet(models.Model):
    _inherit = "whatsapp.billing.credit.wallet"

    lasts_until = fields.Date(string="Last Day", compute="_compute_lasts_until")
    lasts_until_text = fields.Char(string="Lasts Until", compute="_compute_lasts_until")
    daily_use = fields.Float(
        string="Average per Day",
        digits=(16, 6),
        compute="_compute_lasts_until",
        help="Of the last four weeks, or of the days since the first message.",
    )
    daily_use_days = fields.Char(
        string="Days of the Average", compute="_compute_lasts_until"
    )
    waiting_count = fields.Integer(
        string="Messages Waiting", compute="_compute_waiting_count"
    )
    graph = fields.Text(compute="_compute_graph")
    card_date = fields.Date(string="Prices Since", compute="_compute_card")
    is_card_outdated = fields.Boolean(compute="_compute_card")

    # === COMPUTE METHODS === #

    @api.depends_context("lang")
    def _compute_lasts_until(self):
        today = fields.Date.context_today(self)
        for wallet in self:
            planned = wallet._get_planned(today)
            daily, since = wallet._get_daily_use(today, bool(planned))
            day = pricing.lasts_until(
                pricing.exact(wallet.available), daily, planned, today
            )
            wallet.daily_use = float(daily)
            wallet.daily_use_days = wallet._describe_days(since, today)
            wallet.lasts_until = day
            wallet.lasts_until_text = wallet._describe_end(day, daily, planned, today)

    def _describe_end(self, day, daily, planned, today):
        if not daily and not planned:
            return self.env._("Nothing used yet")
        if day is None:
            return self.env._("More than a year")
        if day < today:
            is_left = self.available > 0
            return self.env._("Less than a day") if is_left else self.env._("Used up")
        return format_date(self.env, day)

    def _describe_days(self, since, today):
        """Name the days of an average, so that somebody can check it."""
        if not since:
            return ""
        if since == today:
            return self.env._("today only")
        return self.env._(
            "from %(since)s to %(today)s",
            since=format_date(self.env, since),
            today=format_date(self.env, today),
        )

    def _get_daily_use(self, today, has_plan):
        """Return the credits used on an average day, and the first day counted.

        Of the last four weeks, or of the days since the first message where that is
        less than four weeks ago.

        :param has_plan: whether reminders are planned, and so counted on their days
        """
        self.ensure_one()
        since = today - timedelta(days=AVERAGE_DAYS - 1)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT -sum(e.amount), min(e.date)
                  FROM whatsapp_billing_credit_entry e %s
                 WHERE e.wallet_id = %s AND e.date >= %s
                   AND (e.kind = 'settle'
                        OR (e.kind = 'adjust' AND e.message_id IS NOT NULL))
                """,
                WITHOUT_REMINDERS if has_plan else SQL(""),
                self.id or 0,
                since,
            )
        )
        used, first = rows[0]
        if not used or used < 0:
            return pricing.ZERO, None
        start = min(max(first.date(), since), today)
        return pricing.exact(used / ((today - start).days + 1)), start

    def _get_planned(self, today):
        """Return {day: credits} of what is planned to go out, beyond the average.

        Overridden by what plans messages.
        """
        self.ensure_one()
        return {}

    def _compute_waiting_count(self):
        # sudo: whatsapp.billing.message - how many there are, nothing more
        messages_sudo = self.env["whatsapp.billing.message"].sudo()
        groups = messages_sudo._read_group(
            [
                ("company_id", "in", self.company_id.ids),
                ("state", "=", "held"),
                ("reason", "=", "no_credit"),
            ],
            ["company_id"],
            ["__count"],
        )
        found = {company.id: count for company, count in groups}
        for wallet in self:
            wallet.waiting_count = found.get(wallet.company_id.id, 0)

    @api.depends_context("lang")
    def _compute_graph(self):
        """Sum the credits used in each of the last weeks, for the dashboard's bars."""
        today = fields.Date.context_today(self)
        monday = today - timedelta(days=today.weekday())
        first = monday - timedelta(weeks=WEEKS - 1)
        for wallet in self:
            used = wallet._get_weekly_use(first)
            values = []
            for number in range(WEEKS):
                start = first + timedelta(weeks=number)
                values.append(
                    {
                        "label": format_date(self.env, start, date_format="d MMM")
                        if number < WEEKS - 1
                        else self.env._("This week"),
                        "value": float(used.get(start, 0)),
                        "type": "past" if number < WEEKS - 1 else "future",
                    }
                )
            wallet.graph = json.dumps(
                [
                    {
                        "key": self.env._("Credits used"),
                        "values": values,
                        "is_sample_data": False,
                    }
                ]
            )

    def _get_weekly_use(self, first):
        rows = self.env.execute_query(
            SQL(
                """
                SELECT date_trunc('week', date)::date, -sum(amount)
                  FROM whatsapp_billing_credit_entry
                 WHERE wallet_id = %s AND date >= %s
                   AND (kind = 'settle' OR (kind = 'adjust' AND message_id IS NOT NULL))
              GROUP BY 1
                """,
                self.id or 0,
                first,
            )
        )
        return dict(rows)

    @api.depends("pricelist", "company_id")
    def _compute_card(self):
        today = fields.Date.context_today(self)
        rates = self.env["whatsapp.billing.credit.rate"]
        for wallet in self:
            newest = rates._get_newest(wallet.company_id, wallet.pricelist)
            wallet.card_date = newest
            wallet.is_card_outdated = (
                wallet.pricelist in CHECKED_LISTS
                and pricing.is_outdated(newest or None, today)
            )
