# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""When to say what to whom: a plan, which invoices it takes in, what stops it.

A condition is no way to read: by which invoices it takes in, it answers any question,
letter by letter. Odoo's own rights answer for each model and field on the way, as the
search is done with the writer's rights; `check_condition` below adds what no condition
needs to ask.
"""

import ast
import logging
import re
from datetime import timedelta
from functools import partial

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ...const import REMINDABLE_MOVES
from ...rules import dunning
from ..worker.budget import Budget

_logger = logging.getLogger(__name__)

SENDING_STAGES = ("own_numbers", "share", "on")

# Upper bound of the day that a run can be for: until it has passed the plan says
# nothing, so a later one is a typing error.
LATEST_RUN = timedelta(days=366)

# Models that a condition may compare with but not look into: `invoice_user_id = 7` is
# allowed, `invoice_user_id.login` is not.
CLOSED_MODELS = frozenset(
    {
        "res.company",
        "res.config.settings",
        "payment.provider",
        "payment.token",
        "fetchmail.server",
        "webhook.event",
    }
)

CLOSED_PREFIXES = ("res.users", "ir.", "auth", "whatsapp.billing.", "base.", "queue.")

SECRET_NAMES = re.compile(
    r"token|secret|password|passwd|cipher|api_?key|signature|_pin$"
)

# Messages withdrawn in one transaction; a drain that claims the same rows waits.
BATCH = 500


class WhatsappBillingCollectionPlan(models.Model):
    """When to say what to whom; switched on in stages.

    The steps are decided on by `rules.dunning`; this model and its parts
    (`plan_run.py`, `plan_read.py`, `plan_write.py`) bring it the facts and do what
    it says, in bulk.
    """

    _name = "whatsapp.billing.collection.plan"
    _description = "Collection Plan"
    _inherit = ["mail.thread", "mail.activity.mixin", "whatsapp.billing.rights.mixin"]
    _order = "sequence, id"
    _system_fields = frozenset(
        {
            "case_ids",
            "domain_user_id",
            "stopped_reason",
            "last_run_at",
            "last_run",
        }
    )

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(
        default=10, help="Of several plans that fit an invoice, the first is used."
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    domain = fields.Char(
        string="Applies To",
        default="[]",
        help="Which customer invoices this plan is for.",
    )
    domain_user_id = fields.Many2one(
        "res.users",
        string="Condition By",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="Whoever wrote the condition: it finds what they may read.",
    )
    stage = fields.Selection(
        [
            ("off", "Off"),
            ("dry_run", "Dry run"),
            ("own_numbers", "Our own numbers"),
            ("share", "A share of the customers"),
            ("on", "On"),
        ],
        required=True,
        default="off",
        copy=False,
        tracking=True,
    )
    share = fields.Integer(
        string="Share (%)",
        default=10,
        help="Percent of the customers, always the same.",
    )
    step_ids = fields.One2many(
        "whatsapp.billing.collection.step", "plan_id", string="Steps", copy=True
    )
    case_ids = fields.One2many("whatsapp.billing.collection.case", "plan_id")
    case_count = fields.Integer(compute="_compute_case_count")
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        index="btree_not_null",
        help="Gets the activities. Empty: the salesperson of the invoice.",
    )
    tolerance = fields.Monetary(help="An invoice with no more open than this is left.")
    grace_days = fields.Integer(
        string="Grace After a Promise (Days)",
        default=2,
        help="So many days after the promised date the promise counts as broken.",
    )
    promise_days = fields.Integer(
        string="Promise Without a Date (Days)",
        default=3,
        help="How long reminders wait when the customer promises to pay and has not"
        " said when.",
    )
    max_broken = fields.Integer(
        string="Broken Promises",
        default=2,
        help="After so many broken promises a person takes over.",
    )
    pause_days = fields.Integer(
        string="Pause After an Answer (Days)",
        default=7,
        help="How long reminders wait after the customer wrote. 0: until resumed.",
    )
    quiet_start = fields.Float(
        string="Quiet From",
        default=20.0,
        help="Where the customer is. The same as its end: no quiet hours.",
    )
    quiet_end = fields.Float(string="Quiet Until", default=8.0)
    working_days = fields.Boolean(
        string="Only on Working Days",
        help="By the weekend and the public holidays of the customer's country.",
    )
    max_per_week = fields.Integer(
        string="At Most in a Week", help="Reminders to one customer. 0: no limit."
    )
    stop_failures = fields.Float(
        string="Stop at Failures (%)",
        default=20.0,
        help="The plan switches itself off when more of its messages fail. 0: never.",
    )
    stop_optouts = fields.Float(
        string="Stop at Opt-outs (%)",
        default=5.0,
        help="The plan switches itself off when more customers opt out. 0: never.",
    )
    stop_sample = fields.Integer(
        string="After Messages",
        default=20,
        help="How many messages of the last seven days it takes to judge.",
    )
    stopped_reason = fields.Char(readonly=True, copy=False)
    last_run_at = fields.Datetime(readonly=True, copy=False)
    last_run = fields.Json(
        readonly=True, copy=False, help="Figures of the last run, by reason."
    )

    _share_range = models.Constraint(
        "CHECK(share BETWEEN 0 AND 100)", "A share is between 0 and 100 percent."
    )
    _days_positive = models.Constraint(
        "CHECK(grace_days >= 0 AND promise_days >= 0 AND pause_days >= 0"
        " AND max_per_week >= 0 AND max_broken >= 1 AND tolerance >= 0)",
        "Days, limits and tolerance cannot be negative; at least one promise is heard.",
    )
    _hours_range = models.Constraint(
        "CHECK(quiet_start >= 0 AND quiet_start < 24"
        " AND quiet_end >= 0 AND quiet_end < 24)",
        "Hours are between 0 and 24.",
    )

    # === COMPUTE METHODS === #

    def _compute_case_count(self):
        counts = dict(
            self.env["whatsapp.billing.collection.case"]._read_group(
                [("plan_id", "in", self.ids), ("state", "!=", "done")],
                ["plan_id"],
                ["__count"],
            )
        )
        for plan in self:
            plan.case_count = counts.get(plan, 0)

    # === CONSTRAINT METHODS === #

    @api.constrains("domain")
    def _check_domain(self):
        for plan in self:
            try:
                plan._find_fitting()
            except Exception as error:
                # Any error of evaluating the condition is shown now, not met by the
                # nightly run.
                raise ValidationError(
                    self.env._(
                        "The condition of %(name)s does not fit invoices: %(error)s",
                        name=plan.name,
                        error=error,
                    )
                ) from error

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Remember who wrote the condition."""
        plans = super().create(vals_list)
        plans._sign_domain()
        return plans

    def write(self, vals):
        """Look at all cases again when what decides about them changes."""
        if "domain" in vals:
            self.check_access("write")
            self._sign_domain()
        result = super().write(vals)
        if vals.keys() - {
            "domain_user_id",
            "last_run",
            "last_run_at",
            "name",
            "reach_counts",
            "stopped_reason",
        }:
            self._look_again()
        if (
            vals.get("stage")
            and vals["stage"] != "off"
            and "stopped_reason" not in vals
        ):
            # sudo: whatsapp.billing.collection.plan - the system's own field
            self.sudo().filtered("stopped_reason").stopped_reason = False
        if vals.get("stage", "on") not in SENDING_STAGES or not vals.get("active", 1):
            self._withdraw_after_commit()
        if "domain" in vals:
            # sudo: whatsapp.billing.collection.case - kept by the system
            cases_sudo = self.env["whatsapp.billing.collection.case"].sudo()
            for plan in self:
                cases_sudo._leave_misfits(plan)
        return result

    # === ACTION METHODS === #

    def action_run(self, date=False):
        """Run these plans as of a date: decide, and queue what the stage allows.

        A second run for the same date sends nothing, and so does one for an earlier
        date. For a later date hours do not count: it is noon where the customer is.

        A run for a later date is no rehearsal (that is the preview): what is due by
        then goes out now, a promise that ends before counts as broken, and whoever is
        written to hears nothing more from plans until that date has passed. Reminders
        by hand still go.

        :param date: a date or its ISO text, from today to a year ahead; today by
            default
        :return: {reason or "sent": lines, "messages": messages queued, and what went by
            other channels: "activities"}
        :raise AccessError: for anybody but managers
        :raise UserError: for a date that is none, past, or more than a year away
        """
        self._check_manager()
        self.check_access("write")
        day = self._get_run_day(date)
        total = {}
        # sudo: whatsapp.billing.collection.plan - the system reads all ledgers of a
        # company that the manager may run plans for
        for company, plans in self.sudo().grouped("company_id").items():
            for figures in plans._run(company, self._get_moment(company, day)):
                for name, count in figures.items():
                    total[name] = total.get(name, 0) + count
        return total

    def action_open_cases(self):
        """Open the cases of this plan."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Cases"),
            "res_model": "whatsapp.billing.collection.case",
            "views": [(False, "list"), (False, "form")],
            "domain": [("plan_id", "=", self.id)],
        }

    # === BUSINESS METHODS === #

    def _check_may_choose(self, company):
        """Refuse plans of another company, and what the user may not read.

        Asked before Odoo asks: its sentence would name the plan.

        :raise AccessError: if the user may not read one
        :raise ValidationError: if one belongs to another company
        """
        if not self.env.su:
            self.check_access("read")
        if any(plan.company_id != company for plan in self):
            raise ValidationError(
                self.env._(
                    "This plan reminds for another company. Choose one of %(company)s.",
                    company=company.display_name,
                )
            )

    @api.model
    def _check_manager(self):
        if not (
            self.env.su or self.env.user.has_group("whatsapp_billing.group_manager")
        ):
            raise AccessError(self.env._("Only WhatsApp managers may run plans."))

    @api.model
    def _get_run_day(self, date):
        today = fields.Date.context_today(self.with_context(tz=self.env.user.tz))
        if not date:
            return None
        try:
            day = fields.Date.to_date(date)
        except (TypeError, ValueError):
            day = None
        if day is None:
            raise UserError(self.env._("%(date)s is not a date.", date=date))
        if day < today:
            raise UserError(
                self.env._("A plan cannot be run as of a day that has passed.")
            )
        if day > today + LATEST_RUN:
            raise UserError(
                self.env._("A plan is run for a day from today on, within a year.")
            )
        return day

    @api.model
    def _get_moment(self, company, day=None):
        """Return as of when to decide, on the company's own calendar."""
        now = fields.Datetime.now()
        tz = company._wab_time_zone() or self.env.user.tz or "UTC"
        today = fields.Datetime.context_timestamp(self.with_context(tz=tz), now).date()
        if day is None or day == today:
            return dunning.RunTime(now, today)
        return dunning.RunTime(now, day, at_noon=True)

    def _get_domain(self):
        """Return which invoices the plan is for, as it was written.

        Only `_find_fitting` searches by it: with its writer's rights.
        """
        self.ensure_one()
        return Domain(ast.literal_eval(self.domain or "[]"))

    def _sign_domain(self):
        """Note that the present user answers for these plans' conditions."""
        # sudo: whatsapp.billing.collection.plan - the system's own field
        self.sudo().domain_user_id = self.env.uid

    def _find_fitting(self, moves=None):
        """Return SQL for the ids of the invoices that the condition fits.

        A condition asks questions whose answers show: whose invoice is taken in.
        So it is searched with the rights that whoever wrote it has now, in the
        plan's company, and no plan reads what its writer could not.

        :param moves: only of these; all of the company's by default
        :raise AccessError: when its writer may not ask that (any more)
        """
        self.ensure_one()
        condition, scope = self._get_domain(), self._get_scope(moves)
        if condition.is_true():
            # sudo: account.move - all customer invoices of the plan's company
            return self.env["account.move"].sudo()._search(scope).subselect()
        writer = self.sudo().domain_user_id or self.sudo().create_uid
        if not writer.id == SUPERUSER_ID and not (
            writer.active and self.company_id in writer.company_ids
        ):
            raise AccessError(
                self.env._(
                    "%(user)s, who wrote the condition of %(plan)s, has no access to"
                    " %(company)s any more. Save the condition anew.",
                    user=writer.name,
                    plan=self.name,
                    company=self.company_id.name,
                )
            )
        moves = self.env["account.move"].with_user(writer)
        moves = moves.with_context(
            allowed_company_ids=self.company_id.ids, active_test=True
        )
        check_condition(moves, condition)
        return moves._search(condition & scope).subselect()

    def _is_condition_allowed(self):
        """Tell whether the condition can be asked; else the run leaves it alone."""
        try:
            self._find_fitting()
        except (AccessError, ValueError, SyntaxError) as error:
            _logger.warning("Plan %s takes nothing in: %s", self.id, error)
            return False
        return True

    def _to_rule(self):
        """Return the plan as the rules look at it."""
        self.ensure_one()
        return dunning.Plan(
            plan_id=self.id,
            steps=tuple(step._to_rule() for step in self.step_ids),
            stage=self.stage if self.active else "off",
            share=self.share,
            tolerance=self.tolerance,
            grace_days=self.grace_days,
            quiet_start=self.quiet_start,
            quiet_end=self.quiet_end,
            working_days=self.working_days,
            max_per_week=self.max_per_week,
            max_broken=self.max_broken,
        )

    def _look_again(self):
        """Have the next run look at every case of these plans."""
        if not self.ids:
            return
        # sudo: whatsapp.billing.collection.plan - counted by rules that are others now
        self.sudo().filtered("reach_counts").reach_counts = False
        self.env.flush_all()
        self.env.cr.execute(
            """
            UPDATE whatsapp_billing_collection_case SET next_check_date = '1970-01-01'
             WHERE plan_id = ANY(%s) AND state IN ('active', 'promised')
            """,
            [self.ids],
        )
        self.env["whatsapp.billing.collection.case"].invalidate_model(
            ["next_check_date"]
        )

    def _get_scope(self, moves=None):
        """Return the customer invoices of the plan's company, or those of `moves`."""
        self.ensure_one()
        scope = Domain("company_id", "=", self.company_id.id) & Domain(
            "move_type", "in", REMINDABLE_MOVES
        )
        return scope & Domain("id", "in", moves.ids) if moves is not None else scope

    def _withdraw_after_commit(self):
        """Cancel what these plans have queued once their new stage is committed.

        Not in the user's own transaction: a drain changes the same messages many times
        a second, and PostgreSQL would refuse each attempt at Odoo's isolation. What the
        drain meets before, it asks about and cancels (`case_recheck.py`).
        """
        self.env.cr.postcommit.add(
            partial(self._skip_faults, self._withdraw_stopped, "plans switched off")
        )

    @api.model
    def _withdraw_stopped(self, budget=None):
        """Cancel what waits of plans that do not send; nobody has seen it.

        :return: whether some is left
        """
        budget = budget or Budget.of_run()
        while not budget.is_over():
            with self._own_transaction() as env:
                plans = env[self._name]
                if not self._durably(env, plans._withdraw_stopped_now):
                    return False
        return True

    @api.model
    def _withdraw_stopped_now(self):
        """Cancel some of it in this transaction; return how many."""
        stopped = self.with_context(active_test=False).search(
            ["|", ("active", "=", False), ("stage", "not in", SENDING_STAGES)]
        )
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE whatsapp_billing_message
                   SET state = 'canceled', reason = 'paused'
                 WHERE id IN (
                       SELECT id FROM whatsapp_billing_message
                        WHERE collection_plan_id = ANY(%s) AND direction = 'out'
                          AND state IN ('queued', 'held') AND attempts = 0
                     ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
             RETURNING id
                """,
                stopped.ids,
                BATCH,
            )
        )
        messages = self.env["whatsapp.billing.message"].browse(row[0] for row in rows)
        messages._after_state_change()
        return len(messages)


def check_condition(model, domain):
    """Refuse a condition that asks about people's secrets or other records' insides.

    :param model: the model that the domain is about, as the writer sees it
    :param domain: a `Domain`
    :raise AccessError: for a field that is closed, or that the writer may not read
    :raise ValueError: for a field that does not exist
    """
    for condition in domain.iter_conditions():
        if condition.operator.endswith("!"):
            raise AccessError(model.env._("A condition cannot pass by the rights."))
        comodel = _follow(model, condition.field_expr)
        if condition.operator in ("any", "not any"):
            if comodel is None:
                raise ValueError(condition.field_expr)
            _check_open(model, comodel._name, condition.field_expr)
            check_condition(comodel, Domain(condition.value))


def _follow(model, path):
    """Return the model that a path leads to, None where it ends in a value."""
    here, names = model, path.split(".")
    for position, name in enumerate(names):
        if here is None:
            raise ValueError(f"Invalid field {path!r}")
        field = here._fields.get(name)
        if field is None:
            if position and not here._fields.get(names[position - 1]):
                # The rest of the path is a part of a date, or a property: no field of a
                # model.
                return None
            raise ValueError(f"Invalid field {path!r} in {here._name!r}")
        if SECRET_NAMES.search(name):
            _refuse(model, path)
        here._check_field_access(field, "read")
        more = position + 1 < len(names)
        if field.type in ("date", "datetime", "properties") and more:
            return None
        here = here.env[field.comodel_name] if field.relational else None
        if here is not None and more:
            _check_open(model, here._name, path)
            here.check_access("read")
    return here


def _check_open(model, name, path):
    if name in CLOSED_MODELS or name.startswith(CLOSED_PREFIXES):
        _refuse(model, path)


def _refuse(model, path):
    raise AccessError(
        model.env._("A condition does not ask about %(field)s.", field=path)
    )
