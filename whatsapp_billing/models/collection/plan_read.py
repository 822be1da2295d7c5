# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What the engine has to know of a few hundred debtors, in a fixed number of queries."""

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...rules import dunning, workdays
from ...rules.dunning_time import day_of
from ..accounting.res_partner_collection import zone_of_country
from ..common.ledger import CLEARED

# Days of follow-ups that are read: those that limits per week may count.
FOLLOWUP_DAYS = 14
HISTORY_DAYS = 365


class Ledger:
    """The facts of one chunk of debtors, as read."""

    __slots__ = ("credit_by_id", "credits", "debtors", "lines", "rows")

    def __init__(self, rows, lines, credits, debtors):
        self.rows = rows
        self.lines = lines
        self.credits = credits
        self.credit_by_id = {credit.line_id: credit for credit in credits}
        self.debtors = debtors

    def is_off(self, line_id):
        """Tell whether somebody switched WhatsApp off for the line's invoice."""
        return self.rows[line_id]["wab_send_override"] == "off"


class WhatsappBillingCollectionPlan(models.Model):
    _inherit = "whatsapp.billing.collection.plan"

    # === BUSINESS METHODS - READING === #

    def _find_due_debtors(self, company, day, among=None):
        """Return the debtors that a run of these plans for a day has to look at.

        :param day: on the company's calendar, as `next_check_date` is; a pause ends by the
            customer's, who may be ahead
        :param among: only these debtors
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT debtor_id FROM whatsapp_billing_collection_case
                 WHERE company_id = %(company)s AND plan_id = ANY(%(plans)s)
                   AND ((state IN ('active', 'promised') AND next_check_date <= %(day)s)
                        OR (state = 'paused' AND resume_on <= %(day)s + 1)) %(among)s
              ORDER BY debtor_id
                """,
                company=company.id,
                day=day,
                plans=list(self.ids),
                among=SQL("")
                if among is None
                else SQL("AND debtor_id = ANY(%s)", list(among)),
            )
        )
        return [row[0] for row in rows]

    @api.model
    def _read_ledger(self, company, debtor_ids, day, rules, future=()):
        """Return the open lines of these debtors and all that is asked about them.

        :param rules: the plans as the rules see them; figures that no step asks for
            are not computed
        """
        rows = [*self._read_rows(company, debtor_ids), *future]
        line_ids = [row["line_id"] for row in rows]
        move_ids = list({row["move_id"] for row in rows})
        cases = self.env["whatsapp.billing.collection.case"]
        open_amounts = cases._read_open_amounts(move_ids)
        pending = cases._read_pending_transactions(move_ids)
        matches = cases._read_bank_matches(company, line_ids)
        no_rate = self._read_currencies_without_rate(company, rows, day)
        lines = []
        for row in rows:
            row["open"] = open_amounts.get(row["line_id"], row["residual"])
            lines.append(_line(row, pending, matches, no_rate))
        debtors = self._read_debtors(company, debtor_ids, day, rules)
        if _asks_for(rules, "owed_amount"):
            owed = self._read_owed(company, rows, no_rate, debtor_ids)
            debtors = {
                debtor_id: replace(debtor, owed=owed.get(debtor_id, 0.0))
                for debtor_id, debtor in debtors.items()
            }
        return Ledger(
            {row["line_id"]: row for row in rows},
            lines,
            self._read_credits(company, debtor_ids),
            debtors,
        )

    @api.model
    def _read_rows(self, company, debtor_ids):
        self.env.cr.execute(
            """
            SELECT c.id AS case_id, l.id AS line_id, l.move_id, c.debtor_id, c.plan_id,
                   l.date_maturity AS due, m.state AS document, m.payment_state,
                   l.amount_residual_currency::float AS residual,
                   l.amount_residual::float AS company_residual, l.currency_id,
                   u.name AS currency, u.rounding::float AS rounding,
                   c.state, c.promise_date, c.promises_broken, c.resume_on,
                   c.last_step_days, c.last_date, c.pause_reason, m.name AS move_name,
                   m.partner_id, m.wab_send_override, l.no_followup, c.person_id
              FROM whatsapp_billing_collection_case c
              JOIN account_move_line l ON l.id = c.move_line_id
              JOIN account_move m ON m.id = l.move_id
              JOIN res_currency u ON u.id = l.currency_id
             WHERE c.company_id = %s AND c.debtor_id = ANY(%s) AND c.state != 'done'
          ORDER BY c.debtor_id, l.date_maturity, l.id
            """,
            [company.id, debtor_ids],
        )
        return self.env.cr.dictfetchall()

    @api.model
    def _read_currencies_without_rate(self, company, rows, day):
        """Return the foreign currencies that nobody gave a rate for."""
        foreign = {row["currency_id"] for row in rows} - {company.currency_id.id}
        if not foreign:
            return set()
        found = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT currency_id FROM res_currency_rate
                 WHERE currency_id = ANY(%s) AND name <= %s
                   AND (company_id IS NULL OR company_id = %s)
                """,
                list(foreign),
                day,
                company.root_id.id,
            )
        )
        return foreign - {row[0] for row in found}

    @api.model
    def _read_credits(self, company, debtor_ids):
        rows = self.env.execute_query(
            SQL(
                """
                SELECT l.id, p.commercial_partner_id, u.name,
                       -l.amount_residual_currency::float
                  FROM account_move_line l
                  JOIN res_partner p ON p.id = l.partner_id
                  JOIN account_account a ON a.id = l.account_id
                  JOIN account_move m ON m.id = l.move_id
                  JOIN res_currency u ON u.id = l.currency_id
                 WHERE l.company_id = %s AND l.parent_state = 'posted'
                   AND l.reconciled IS NOT TRUE AND l.amount_residual_currency < 0
                   AND a.account_type = 'asset_receivable'
                   AND NOT (l.no_followup IS TRUE AND m.move_type = 'out_refund')
                   AND l.partner_id IN (
                       SELECT id FROM res_partner WHERE commercial_partner_id = ANY(%s))
                """,
                company.id,
                debtor_ids,
            )
        )
        return [dunning.Credit(*row) for row in rows]

    @api.model
    def _read_owed(self, company, rows, no_rate, debtor_ids):
        """Return {debtor: all that is open, in the company's currency}.

        In whatever plan or none, due or not, less credits and what is on its way; None
        where a currency has no rate. What is disputed or not to be followed up is
        left out, as in the reminders themselves.
        """
        on_their_way = defaultdict(float)
        for row in rows:
            if (
                row["state"] != "disputed"
                and not row["no_followup"]
                and row["residual"]
            ):
                share = 1 - row["open"] / row["residual"]
                on_their_way[row["debtor_id"]] += row["company_residual"] * share
        totals = self.env.execute_query(
            SQL(
                """
                SELECT p.commercial_partner_id, sum(l.amount_residual)::float,
                       array_agg(DISTINCT l.currency_id)
                  FROM account_move_line l
                  JOIN res_partner p ON p.id = l.partner_id
                  JOIN account_account a ON a.id = l.account_id
                  JOIN account_move m ON m.id = l.move_id
             LEFT JOIN whatsapp_billing_collection_case c
                    ON c.move_line_id = l.id AND c.state = 'disputed'
                 WHERE l.company_id = %(company)s AND l.parent_state = 'posted'
                   AND l.reconciled IS NOT TRUE AND c.id IS NULL
                   AND a.account_type = 'asset_receivable'
                   AND COALESCE(m.payment_state, 'not_paid') NOT IN %(cleared)s
                   AND NOT (l.no_followup IS TRUE
                            AND (l.amount_residual > 0 OR m.move_type = 'out_refund'))
                   AND l.partner_id IN (
                       SELECT id FROM res_partner
                        WHERE commercial_partner_id = ANY(%(debtors)s))
              GROUP BY p.commercial_partner_id
                """,
                company=company.id,
                debtors=debtor_ids,
                cleared=CLEARED,
            )
        )
        return {
            debtor_id: None
            if no_rate & set(currencies)
            else round(total - on_their_way[debtor_id], 6)
            for debtor_id, total, currencies in totals
        }

    # === BUSINESS METHODS - READING DEBTORS === #

    @api.model
    def _read_debtors(self, company, debtor_ids, day, rules):
        asked = {step.condition for plan in rules.values() for step in plan.steps}
        stages = {plan.stage for plan in rules.values()}
        followups = self._read_followup_days(company, debtor_ids, day)
        turnover, late = {}, {}
        if asked & {"turnover", "days_late"}:
            turnover, late = self._read_history(company, debtor_ids, day)
        silent = {}
        if "no_answer" in asked:
            silent = self._read_unanswered(company, debtor_ids)
        own = self._read_own(company, debtor_ids) if "own_numbers" in stages else set()
        holidays = {}
        if any(plan.working_days for plan in rules.values()):
            holidays = self._read_holidays(company, day)
        rows = self._read_places(debtor_ids, company)
        fallback = company._wab_time_zone()
        home = company.country_id.code or None
        common = holidays.get(None, frozenset())
        return {
            debtor_id: dunning.Debtor(
                debtor_id=debtor_id,
                is_active=bool(is_active),
                timezone=zone_of(country, number, tz, default_tz) or fallback or None,
                workdays=workdays.of_country(country or home),
                holidays=common | holidays.get(country or home, frozenset()),
                followup_days=followups.get(debtor_id, ()),
                turnover=turnover.get(debtor_id, 0.0),
                days_late=late.get(debtor_id, 0.0),
                unanswered=silent.get(debtor_id, 0),
                has_own_number=debtor_id in own,
            )
            for debtor_id, is_active, country, number, tz, default_tz in rows
        }

    @api.model
    def _read_local_days(self, company, debtor_ids):
        """Return {debtor: which day it is where they are}."""
        now = fields.Datetime.now()
        home = company._wab_time_zone() or self.env.user.tz or None
        days = {}
        for debtor_id, _active, country, number, tz, default in self._read_places(
            debtor_ids, company
        ):
            place = zone_of(country, number, tz, default) or home
            debtor = dunning.Debtor(debtor_id, timezone=place)
            days[debtor_id] = day_of(dunning.RunTime(now, now.date()), debtor)
        return days

    @api.model
    def _read_places(self, debtor_ids, company):
        """Return (debtor, whether active, country, number, time zone, default).

        The number is that of who gets the company's reminders. Odoo gives a new contact
        the time zone of whoever writes it down, and no form shows it: one that equals
        that default says little.
        """
        return self.env.execute_query(
            SQL(
                """
                SELECT p.id, p.active, n.code, COALESCE(c.wab_recipient, p.wab_recipient),
                       p.tz, w.tz
                  FROM res_partner p
             LEFT JOIN res_country n ON n.id = p.country_id
             LEFT JOIN res_users u ON u.id = p.create_uid
             LEFT JOIN res_partner w ON w.id = u.partner_id
             LEFT JOIN LATERAL (
                       SELECT wab_recipient FROM res_partner
                        WHERE commercial_partner_id = p.id AND active
                          AND wab_is_default_recipient AND wab_recipient IS NOT NULL
                          AND (company_id IS NULL OR company_id = ANY(%s))
                     ORDER BY id LIMIT 1) c ON TRUE
                 WHERE p.id = ANY(%s)
                """,
                # sudo: res.company - only which ones it is a branch of
                company.sudo().parent_ids.ids,
                debtor_ids,
            )
        )

    @api.model
    def _read_followup_days(self, company, debtor_ids, day):
        rows = self.env.execute_query(
            SQL(
                """
                SELECT debtor_id, array_agg(DISTINCT day ORDER BY day)
                  FROM whatsapp_billing_collection_followup
                 WHERE company_id = %s AND debtor_id = ANY(%s) AND day > %s
              GROUP BY debtor_id
                """,
                company.id,
                debtor_ids,
                day - timedelta(days=FOLLOWUP_DAYS),
            )
        )
        return {debtor_id: tuple(days) for debtor_id, days in rows}

    @api.model
    def _read_history(self, company, debtor_ids, day):
        """Return a year's turnover, and how many days late the paid ones were."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT m.commercial_partner_id, sum(l.balance)::float,
                       COALESCE(avg(greatest(f.paid_on - l.date_maturity, 0))
                                FILTER (WHERE l.reconciled), 0)::float
                  FROM account_move_line l
                  JOIN account_move m ON m.id = l.move_id
                  JOIN account_account a ON a.id = l.account_id
             LEFT JOIN LATERAL (
                       SELECT max(x.max_date) AS paid_on
                         FROM account_partial_reconcile x
                        WHERE x.debit_move_id = l.id) f ON TRUE
                 WHERE m.company_id = %s AND m.commercial_partner_id = ANY(%s)
                   AND m.move_type = 'out_invoice' AND m.state = 'posted'
                   AND a.account_type = 'asset_receivable' AND m.date > %s
              GROUP BY m.commercial_partner_id
                """,
                company.id,
                debtor_ids,
                day - timedelta(days=HISTORY_DAYS),
            )
        )
        return {r[0]: r[1] for r in rows}, {r[0]: r[2] for r in rows}

    @api.model
    def _read_unanswered(self, company, debtor_ids):
        """Return {debtor: reminders delivered since they last wrote}.

        Of what is still open: who paid has answered.
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT p.commercial_partner_id, count(*)
                  FROM whatsapp_billing_message m
                  JOIN res_partner p ON p.id = m.partner_id
                 WHERE p.commercial_partner_id = ANY(%s) AND m.company_id = %s
                   AND m.document_type = 'payment_reminder'
                   AND m.state IN ('delivered', 'read')
                   AND EXISTS (
                       SELECT 1 FROM whatsapp_billing_collection_item t
                         JOIN account_move_line l ON l.id = t.move_line_id
                        WHERE t.message_id = m.id AND t.role = 'due'
                          AND l.reconciled IS NOT TRUE)
                   AND NOT EXISTS (
                       SELECT 1 FROM whatsapp_billing_message i
                        WHERE i.direction = 'in' AND i.is_user_message
                          AND i.partner_id = m.partner_id
                          AND i.id > m.id)
              GROUP BY p.commercial_partner_id
                """,
                debtor_ids,
                company.id,
            )
        )
        return dict(rows)

    @api.model
    def _read_own(self, company, debtor_ids):
        """Return the debtors all of whose recipients are users of the company."""
        # sudo: res.users - only their numbers are looked at
        users_sudo = self.env["res.users"].sudo()
        people = users_sudo.search([("company_ids", "in", company.ids)])
        keys = set(filter(None, people.partner_id.mapped("wab_person_key")))
        debtors = self.env["res.partner"].sudo().browse(debtor_ids)
        recipients = debtors._wab_default_recipients(company)
        return {
            debtor_id
            for debtor_id, partners in recipients.items()
            if partners and set(partners.mapped("wab_person_key")) <= keys
        }

    @api.model
    def _read_holidays(self, company, day):
        """Return {country code or None: days off}, half a year ahead.

        The company's own days off (its working calendar, where one is installed)
        count for everybody: nobody would be there to answer.
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT n.code, h.date FROM whatsapp_billing_collection_holiday h
             LEFT JOIN res_country n ON n.id = h.country_id
                 WHERE (h.company_id IS NULL OR h.company_id = %s)
                   AND h.date BETWEEN %s AND %s
                """,
                company.id,
                day - timedelta(days=1),
                day + timedelta(days=186),
            )
        )
        found = defaultdict(set)
        for code, holiday in rows:
            found[code].add(holiday)
        found[None] |= self._get_days_off(company, day)
        return {code: frozenset(days) for code, days in found.items()}

    @api.model
    def _get_days_off(self, company, day):
        if "resource.calendar.leaves" not in self.env:
            return set()
        leaves_sudo = self.env["resource.calendar.leaves"].sudo()
        days = set()
        for leave in leaves_sudo.search(
            [
                ("resource_id", "=", False),
                ("company_id", "in", [False, company.id]),
                ("date_to", ">=", day),
                ("date_from", "<=", day + timedelta(days=186)),
            ]
        ):
            tz = leave.calendar_id.tz or company._wab_time_zone()
            first, last = (
                fields.Datetime.context_timestamp(leave.with_context(tz=tz), at).date()
                for at in (leave.date_from, leave.date_to - timedelta(seconds=1))
            )
            days |= {first + timedelta(days=n) for n in range((last - first).days + 1)}
        return days


def _line(row, pending, matches, no_rate):
    residual = row["residual"]
    share = row["open"] / residual if residual else 0.0
    company_amount = row["company_residual"] * share
    return dunning.Line(
        line_id=row["line_id"],
        move_id=row["move_id"],
        debtor_id=row["debtor_id"],
        plan_id=row["plan_id"],
        due=row["due"],
        open_amount=row["open"],
        company_amount=None if row["currency_id"] in no_rate else company_amount,
        currency=row["currency"],
        rounding=row["rounding"],
        document=row["document"],
        is_cleared=row["payment_state"] in CLEARED,
        state=row["state"],
        promise_date=row["promise_date"],
        promises_broken=row["promises_broken"] or 0,
        resume_on=row["resume_on"],
        payment_pending=row["move_id"] in pending,
        bank_match=row["line_id"] in matches,
        no_followup=bool(row["no_followup"]),
        last_step_days=row["last_step_days"] if row["last_date"] else None,
        last_date=row["last_date"],
    )


def _asks_for(rules, condition):
    return any(s.condition == condition for plan in rules.values() for s in plan.steps)


def zone_of(country, number, tz, default_tz):
    """Return the time zone of a customer, None where nothing tells."""
    if tz and tz != default_tz:
        return tz
    return zone_of_country(country, number or "", tz) or tz
