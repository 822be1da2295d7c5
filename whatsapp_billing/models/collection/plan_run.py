# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The nightly run: read, decide, claim, write; a few hundred debtors at a time."""

import logging
from collections import Counter, defaultdict

from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ...rules import dunning

_logger = logging.getLogger(__name__)

# Debtors in one chunk: what memory holds at a time, and what one commit is about.
CHUNK = 400


class WhatsappBillingCollectionPlan(models.Model):
    _name = "whatsapp.billing.collection.plan"
    _inherit = ["whatsapp.billing.collection.plan", "whatsapp.billing.outbox.mixin"]

    # === BUSINESS METHODS - RUNNING === #

    def _run(self, company, moment):
        """Run these plans of one company in this transaction; yields figures.

        :param moment: a `rules.dunning.Moment`
        """
        self.env["whatsapp.billing.collection.case"]._sweep(company)
        self._check_limits()
        after, totals = 0, Counter()
        while True:
            after, figures = self._run_chunk(company, moment, after)
            if figures is None:
                break
            totals += figures
            yield figures
        self._note_run(totals)

    def _run_chunk(self, company, moment, after):
        """Decide about the next debtors and write what follows.

        :return: (last debtor, figures), figures None when nothing is left
        """
        running = self.search([("company_id", "=", company.id), ("stage", "!=", "off")])
        mine = self & running
        if not mine:
            return after, None
        debtor_ids = self._due_debtor_ids(company, moment.day, after, CHUNK, mine.ids)
        if not debtor_ids:
            return after, None
        self._lock_company(company)
        rules = {plan.id: plan._to_rule() for plan in running}
        ledger = self._read_ledger(company, debtor_ids, moment.day, rules)
        outcome = dunning.decide(
            moment,
            rules,
            ledger.lines,
            ledger.credits,
            ledger.debtors,
            frozenset(mine.ids),
        )
        figures = self._apply(company, moment, ledger, outcome)
        self.env.invalidate_all()
        return debtor_ids[-1], figures

    @api.model
    def _lock_company(self, company):
        """Let two runs at once take turns; the claims keep them apart in any case."""
        self.env.cr.execute(
            SQL(
                "SELECT pg_advisory_xact_lock(hashtext(%s), %s)",
                "whatsapp_billing_collection",
                company.id,
            )
        )

    def _note_run(self, totals):
        # Not by the ORM: a figure of the run is no change of the plan.
        self.env.flush_all()
        self.env.cr.execute(
            """
            UPDATE whatsapp_billing_collection_plan
               SET last_run_at = now() at time zone 'utc', last_run = %s
             WHERE id = ANY(%s)
            """,
            [fields.Json().convert_to_column(dict(totals), self), self.ids],
        )
        self.invalidate_recordset(["last_run_at", "last_run"], flush=False)

    # === BUSINESS METHODS - STOPPING BY ITSELF === #

    def _check_limits(self):
        """Switch off the plans whose messages fail or drive customers away."""
        sending = self.filtered(
            lambda plan: plan.stage in ("own_numbers", "share", "on")
        )
        if not sending:
            return
        figures = self._read_limits(sending)
        for plan in sending:
            total, failed, stopped = figures.get(plan.id, (0, 0, 0))
            if total < plan.stop_sample:
                continue
            text = plan._get_limit_problem(total, failed, stopped)
            if text:
                plan._stop(text)

    @api.model
    def _read_limits(self, plans):
        rows = self.env.execute_query(
            SQL(
                """
                SELECT m.collection_plan_id, count(*),
                       count(*) FILTER (WHERE m.state = 'failed'),
                       count(*) FILTER (WHERE EXISTS (
                           SELECT 1 FROM whatsapp_billing_consent c
                            WHERE c.partner_id = m.partner_id AND NOT c.granted
                              AND c.purpose = 'collections'
                              AND c.create_date >= m.queued_at))
                  FROM whatsapp_billing_message m
                 WHERE m.collection_plan_id = ANY(%s)
                   AND m.state IN ('sent', 'delivered', 'read', 'failed')
                   AND m.queued_at > (now() at time zone 'utc') - interval '7 days'
              GROUP BY m.collection_plan_id
                """,
                list(plans.ids),
            )
        )
        return {row[0]: row[1:] for row in rows}

    def _get_limit_problem(self, total, failed, stopped):
        """Return in words which limit was passed, "" if none was."""
        self.ensure_one()
        failures, optouts = 100.0 * failed / total, 100.0 * stopped / total
        if self.stop_failures and failures > self.stop_failures:
            return self.env._(
                "%(percent).0f%% of its last %(total)s messages failed.",
                percent=failures,
                total=total,
            )
        if self.stop_optouts and optouts > self.stop_optouts:
            return self.env._(
                "%(percent).0f%% of the customers opted out after its last %(total)s"
                " messages.",
                percent=optouts,
                total=total,
            )
        return ""

    def _stop(self, text):
        """Switch the plan off and tell whoever is responsible."""
        self.ensure_one()
        self.write({"stage": "off", "stopped_reason": text})
        title = self.env._("Plan stopped by itself")
        self.message_post(subject=title, body=text)
        if self.env.ref("mail.mail_activity_data_warning", raise_if_not_found=False):
            account_sudo = self.company_id.sudo().wab_account_id
            user = self.user_id or (
                account_sudo._get_responsible() if account_sudo else self.env.user
            )
            self.activity_schedule(
                "mail.mail_activity_data_warning",
                summary=title,
                note=text,
                user_id=user.id,
            )

    # === CRON METHODS === #

    @api.model
    def _cron_collections(self):
        """Run every plan that is on, company by company, committing chunk by chunk."""
        by_company = defaultdict(list)
        for plan in self.search([("stage", "!=", "off")]):
            by_company[plan.company_id.id].append(plan.id)
        for company_id, plan_ids in by_company.items():
            try:
                self._run_company(company_id, plan_ids)
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                raise
            except Exception:
                # A worker: one company's ledger must not keep the others waiting.
                _logger.exception("Plans of company %s could not be run", company_id)

    @api.model
    def _run_company(self, company_id, plan_ids):
        with self._own_transaction() as env:
            plans = env[self._name].browse(plan_ids)
            company = env["res.company"].browse(company_id)
            moment = plans._get_moment(company)
            self._durably(env, lambda: plans._begin(company))
            after, totals = 0, Counter()
            while True:
                after, figures = self._durably(
                    env, lambda last=after: plans._run_chunk(company, moment, last)
                )
                if figures is None:
                    break
                totals += figures
            self._durably(env, lambda: plans._note_run(totals))

    def _begin(self, company):
        self.env["whatsapp.billing.collection.case"]._sweep(company)
        self._check_limits()
