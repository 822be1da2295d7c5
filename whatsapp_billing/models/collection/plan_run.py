# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The nightly run: read, decide, take days, write; a few hundred debtors at a time.

Also what waits when the customer's quiet hours begin: it is held until they end.
"""

import gc
import logging
import math
from collections import Counter, defaultdict
from contextlib import contextmanager
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ...rules import dunning, dunning_time, window
from ..worker.budget import Budget
from .plan_read import zone_of

_logger = logging.getLogger(__name__)

# Debtors in one chunk: read, decided and committed together.
CHUNK = 400

# Workers that share a company's run, the cron's own included.
WORKERS = 2

# A helper job that starts later than this after the run began leaves it to the next.
HELPER_LATEST = timedelta(minutes=10)

# Key in `last_run` of a run that ran out of time: the next run adds its figures.
INTERRUPTED = "cut"

# After so many debtors that fail the fault is systemic: the run stops.
MAX_BROKEN = 20

CRON = "whatsapp_billing.ir_cron_collections"


class WhatsappBillingCollectionPlan(models.Model):
    _name = "whatsapp.billing.collection.plan"
    _inherit = ["whatsapp.billing.collection.plan", "whatsapp.billing.worker.mixin"]

    # === BUSINESS METHODS - RUNNING === #

    def _run(self, company, moment):
        """Run these plans of one company in this transaction; yields figures.

        :param moment: a `rules.dunning.RunTime`
        """
        self._begin(company)
        noted = defaultdict(Counter)
        for chunk in _chunks(self._find_due_debtors(company, moment.day)):
            total = Counter()
            for plan_id, figures in self._run_debtors(company, moment, chunk).items():
                noted[plan_id].update(figures)
                total.update(figures)
            self.env.invalidate_all()
            yield total
        self._note_run(noted, is_new=True)

    def _begin(self, company):
        self.env["whatsapp.billing.collection.case"]._sweep(company)
        self._check_limits()

    def _run_debtors(self, company, moment, debtor_ids):
        """Decide about some debtors and write what follows.

        Their cases stay locked until the transaction ends: whoever pauses, disputes or
        runs a plan at the same time waits, and sees the other's result.

        :return: {plan id: {reason or "sent": lines, "messages": messages queued, and
            what went by other channels}}
        """
        running = self.search([("company_id", "=", company.id), ("stage", "!=", "off")])
        mine = self & running
        self._lock_cases(company, debtor_ids)
        # Read again under the lock: another worker may have done some of them.
        debtor_ids = mine._find_due_debtors(company, moment.day, debtor_ids)
        if not debtor_ids:
            return {}
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
        return self._apply(company, moment, ledger, outcome)

    @api.model
    def _lock_cases(self, company, debtor_ids):
        self.env.cr.execute(
            """
            SELECT count(*) FROM (
                SELECT id FROM whatsapp_billing_collection_case
                 WHERE company_id = %s AND debtor_id = ANY(%s) AND state != 'done'
              ORDER BY debtor_id, id FOR NO KEY UPDATE) locked
            """,
            [company.id, debtor_ids],
        )

    def _note_run(self, figures, is_new=False):
        """Add figures, by plan, to those of the latest run.

        Not by the ORM: a figure of the run is no change of the plan.

        :param is_new: True where another run begins, unless it goes on with one that
            time cut short
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id, last_run FROM whatsapp_billing_collection_plan
                 WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
                """,
                self.ids,
            )
        )
        for plan_id, before in rows:
            total = Counter(before or {})
            if is_new and not total.pop(INTERRUPTED, 0):
                total = Counter()
            total.update(figures.get(plan_id, {}))
            self.env.cr.execute(
                """
                UPDATE whatsapp_billing_collection_plan
                   SET last_run_at = %s, last_run = %s
                 WHERE id = %s
                """,
                [
                    fields.Datetime.now(),
                    fields.Json().convert_to_column(dict(total), self),
                    plan_id,
                ],
            )
        self.invalidate_recordset(["last_run_at", "last_run"], flush=False)

    # === BUSINESS METHODS - STOPPING BY ITSELF === #

    def _check_limits(self):
        """Switch off the plans whose messages fail or drive customers away.

        One that cannot be looked at or stopped keeps no other going.
        """
        self._each_separately(lambda plans: plans._check_limits_now(), "limits")

    def _each_separately(self, step, about):
        """Do `step(plans)` for all; where that fails, plan by plan, and log whose."""
        self._separately(
            self.env,
            lambda plans: step(self.browse().union(*plans)),
            list(self),
            lambda plan, error: _logger.error(
                "Plan %s (%s): %s", plan.id, about, error, exc_info=error
            ),
        )

    def _check_limits_now(self):
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
        """Return {plan id: (messages of the last week, failed, followed by STOP)}."""
        since = fields.Datetime.now() - timedelta(days=7)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT collection_plan_id, count(*),
                       count(*) FILTER (WHERE state = 'failed')
                  FROM whatsapp_billing_message
                 WHERE collection_plan_id = ANY(%s) AND queued_at > %s
                   AND state IN ('sent', 'delivered', 'read', 'failed')
              GROUP BY collection_plan_id
                """,
                plans.ids,
                since,
            )
        )
        # Starts from the opt-outs, which are few, not from the messages.
        stopped = dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT m.collection_plan_id, count(DISTINCT m.id)
                      FROM whatsapp_billing_consent c
                      JOIN whatsapp_billing_message m ON m.partner_id = c.partner_id
                       AND m.company_id = c.company_id
                     WHERE NOT c.granted AND c.purpose = 'collections'
                       AND c.create_date > %(since)s AND c.create_date >= m.queued_at
                       AND m.collection_plan_id = ANY(%(plans)s)
                       AND m.queued_at > %(since)s
                       AND m.state IN ('sent', 'delivered', 'read', 'failed')
                  GROUP BY m.collection_plan_id
                    """,
                    plans=plans.ids,
                    since=since,
                )
            )
        )
        return {
            plan_id: (total, failed, stopped.get(plan_id, 0))
            for plan_id, total, failed in rows
        }

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
            self.activity_schedule(
                "mail.mail_activity_data_warning",
                summary=title,
                note=Markup("<p>%s</p>") % text,
                user_id=self.company_id._wab_get_responsible(self.user_id).id,
            )

    # === CRON METHODS === #

    @api.model
    def _cron_collections(self):
        """Run every plan that is on, company by company, committing chunk by chunk."""
        by_company = defaultdict(list)
        for plan in self.search([("stage", "!=", "off")]):
            by_company[plan.company_id.id].append(plan.id)
        budget = Budget.of_run()
        for company_id, plan_ids in by_company.items():
            try:
                if budget.is_over() or not self._run_company(
                    company_id, plan_ids, budget
                ):
                    # Time is up: the cron runs again at once and finds what is still
                    # due.
                    self.env.ref(CRON)._trigger()
                    return
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                raise
            except Exception:
                # What one company's ledger raises is logged; the other companies are
                # run.
                _logger.exception("Plans of company %s could not be run", company_id)

    @api.model
    def _cron_limits(self):
        """Stop plans that fail or drive customers away while their messages go out.

        A night's reminders take hours: by the next run they would all have gone.
        """
        with self._own_transaction() as env:
            self._durably(env, env[self._name]._check_limits_of_waiting)
        self._withdraw_stopped()

    @api.model
    def _check_limits_of_waiting(self):
        """Look at the limits of the plans whose messages wait."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT collection_plan_id FROM whatsapp_billing_message
                 WHERE state IN ('queued', 'held') AND collection_plan_id IS NOT NULL
                """
            )
        )
        self.browse(row[0] for row in rows)._check_limits()

    @api.model
    def _job_run_share(self, company_id, plan_ids, share, begun):
        """Help with a run that another worker has begun.

        Only a hint: what this does not do, the worker that began does. One that comes
        late would be a run of its own, at an hour that nobody chose.

        :param str begun: when the run began, UTC
        """
        if fields.Datetime.now() - fields.Datetime.to_datetime(begun) > HELPER_LATEST:
            return
        with self._own_transaction() as env:
            plans = env[self._name].browse(plan_ids).exists()
            company = env["res.company"].browse(company_id)
            moment = plans._get_moment(company)
            debtor_ids = plans._find_due_debtors(company, moment.day)
        work = _CompanyRun(plans.with_env(self.env), company_id, moment)
        work.run(_rotate(debtor_ids, share), Budget.of_run())

    @api.model
    def _run_company(self, company_id, plan_ids, budget=None):
        """Run plans of one company in transactions of their own.

        :param budget: None for as long as it takes
        :return: whether nothing is left to do
        """
        with self._own_transaction() as env:
            plans = env[self._name].browse(plan_ids).exists()
            company = env["res.company"].browse(company_id)
            moment = plans._get_moment(company)
            self._durably(env, lambda: plans._begin(company))
            self._durably(env, lambda: plans._note_run({}, is_new=True))
            debtor_ids = plans._find_due_debtors(company, moment.day)
            if len(debtor_ids) > CHUNK:
                self._durably(env, lambda: plans._call_helpers(company))
        work = _CompanyRun(plans.with_env(self.env), company_id, moment)
        is_done = work.run(debtor_ids, budget or Budget(math.inf))
        if not is_done:
            with self._own_transaction() as env:
                plans = env[self._name].browse(plan_ids)
                cut = {plan_id: {INTERRUPTED: 1} for plan_id in plan_ids}
                self._durably(env, lambda: plans._note_run(cut))
        return is_done

    def _call_helpers(self, company):
        """Have free workers begin elsewhere among the debtors; several become one.

        Where no job runner lives the hint would only lie about.
        """
        if not self.env["whatsapp.billing.message"]._is_job_runner_alive():
            return
        begun = fields.Datetime.to_string(fields.Datetime.now())
        for number in range(1, WORKERS):
            self.with_delay(
                identity_key=f"whatsapp_billing.collections.{company.id}.{number}"
            )._job_run_share(company.id, self.ids, number / WORKERS, begun)

    # === QUIET HOURS === #

    @api.model
    def _cron_quiet_hours(self):
        """Hold what a run has queued and nobody could send before the quiet hours.

        The run looks at the hour when it queues; a slow night, a number without
        connection or another try may come hours later.
        """
        with self._own_transaction() as env:
            self._durably(env, env[self._name]._hold_waiting_in_quiet_hours)

    @api.model
    def _hold_waiting_in_quiet_hours(self):
        """Look at all that waits; what fails for one plan holds up no other."""
        rows = self._read_waiting()
        plans = self.browse({plan_id for _id, plan_id, _debtor_id in rows})
        plans._each_separately(
            lambda some: some._hold_in_quiet_hours(
                [row for row in rows if row[1] in some._ids]
            ),
            "quiet hours",
        )

    def _hold_in_quiet_hours(self, rows):
        """Hold those of these (message, plan, debtor) whose quiet hours have begun."""
        now = fields.Datetime.now()
        held = defaultdict(list)
        debtors = defaultdict(set)
        for _id, plan_id, debtor_id in rows:
            debtors[self.browse(plan_id).company_id].add(debtor_id)
        zones = {
            (company, partner_id): zone_of(country, number, tz, default_tz)
            for company, ids in debtors.items()
            for partner_id, _active, country, number, tz, default_tz in (
                self._read_places(list(ids), company)
            )
        }
        for message_id, plan_id, debtor_id in rows:
            plan = self.browse(plan_id)
            tz = (
                zones.get((plan.company_id, debtor_id))
                or plan.company_id._wab_time_zone()
            )
            wakes = window.next_allowed(
                now, dunning_time.zone(tz), plan.quiet_start, plan.quiet_end
            )
            if wakes > now:
                held[wakes].append(message_id)
        for wakes, ids in held.items():
            self._hold_until(ids, wakes)

    @api.model
    def _read_waiting(self):
        """Return (message, plan, debtor) of plans that have quiet hours."""
        self.env.flush_all()
        return self.env.execute_query(
            SQL(
                """
                SELECT m.id, m.collection_plan_id, d.commercial_partner_id
                  FROM whatsapp_billing_message m
                  JOIN whatsapp_billing_collection_plan p
                    ON p.id = m.collection_plan_id AND p.quiet_start != p.quiet_end
                  JOIN res_partner d ON d.id = m.partner_id
                 WHERE m.state = 'queued' AND m.direction = 'out'
              ORDER BY m.id
                """
            )
        )

    @api.model
    def _hold_until(self, message_ids, wakes):
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE whatsapp_billing_message
                   SET state = 'held', reason = 'quiet_hours', next_attempt_at = %s
                 WHERE id IN (SELECT id FROM whatsapp_billing_message
                               WHERE id = ANY(%s) AND state = 'queued'
                            ORDER BY id FOR UPDATE SKIP LOCKED)
             RETURNING id
                """,
                wakes,
                message_ids,
            )
        )
        # sudo: whatsapp.billing.message - rows are written by the system only
        messages_sudo = self.env["whatsapp.billing.message"].sudo()
        messages_sudo.browse(row[0] for row in rows)._after_state_change()


class _CompanyRun:
    """One worker's part in a company's run, chunk by chunk, each a transaction."""

    def __init__(self, plans, company_id, moment):
        self.plans = plans
        self.company_id = company_id
        self.moment = moment
        self.broken = 0

    def run(self, debtor_ids, budget):
        """Run debtors until time is up; return whether all were seen to."""
        for chunk in _chunks(debtor_ids):
            if budget.is_over():
                return False
            with _no_garbage_collection():
                self._do(chunk)
        return True

    def _do(self, debtor_ids):
        """Run these debtors; where one raises, the others are run without it."""
        try:
            self._run(debtor_ids)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception:
            if len(debtor_ids) == 1:
                self.broken += 1
                if self.broken > MAX_BROKEN:
                    raise
                _logger.exception("Reminders of customer %s failed", debtor_ids[0])
                return
            half = len(debtor_ids) // 2
            self._do(debtor_ids[:half])
            self._do(debtor_ids[half:])

    def _run(self, debtor_ids):
        with self.plans._own_transaction() as env:
            plans = self.plans.with_env(env)
            company = env["res.company"].browse(self.company_id)
            figures = plans._durably(
                env, lambda: plans._run_debtors(company, self.moment, debtor_ids)
            )
            # In a transaction of its own: who switches a plan holds its row and waits
            # for its cases, so holding both here would deadlock.
            if figures:
                plans._durably(env, lambda: plans._note_run(figures))


@contextmanager
def _no_garbage_collection():
    """Spare Python the search for cycles among what one chunk makes.

    A tenth of the time; Odoo's `disabling_gc` does not switch it on after an error.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _chunks(debtor_ids):
    """Return debtors in chunks."""
    return [debtor_ids[at : at + CHUNK] for at in range(0, len(debtor_ids), CHUNK)]


def _rotate(debtor_ids, share):
    """Return the same debtors, beginning with those after this share of them."""
    start = int(len(debtor_ids) * share)
    return [*debtor_ids[start:], *debtor_ids[:start]]
