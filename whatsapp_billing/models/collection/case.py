# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import defaultdict
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL
from odoo.tools.misc import format_date

from ...rules import dunning_reasons, traces

# Upper bound of a promised day; a later one is refused as a typing error.
LONGEST_PROMISE = timedelta(days=366)


class WhatsappBillingCollectionCase(models.Model):
    """One receivable line in one plan: what comes next, what holds it, why.

    Written by the system and by the buttons below; people pause, resume, promise and
    dispute what they may edit the invoice of.
    """

    _name = "whatsapp.billing.collection.case"
    _inherit = ["whatsapp.billing.rights.mixin", "whatsapp.billing.system.rows.mixin"]
    _description = "Collection Case"
    _order = "next_check_date, due_date, id"
    _rec_name = "move_line_id"

    # Empty once the instalment was removed by a correction of its invoice; the case
    # stays with the invoice. This index serves `wab_case_ids`, `_latest_index` the
    # latest case.
    move_line_id = fields.Many2one("account.move.line", index=True, ondelete="set null")
    move_id = fields.Many2one(
        "account.move", required=True, index=True, ondelete="cascade", string="Invoice"
    )
    debtor_id = fields.Many2one(
        "res.partner", required=True, index=True, string="Customer"
    )
    debtor_phone = fields.Char(related="debtor_id.phone", string="Phone")
    company_id = fields.Many2one("res.company", required=True)
    due_date = fields.Date(related="move_line_id.date_maturity", string="Due")
    currency_id = fields.Many2one(related="move_line_id.currency_id")
    amount_open = fields.Monetary(
        related="move_line_id.amount_residual_currency", string="Open"
    )
    plan_id = fields.Many2one(
        "whatsapp.billing.collection.plan",
        required=True,
        index=True,
        ondelete="restrict",
    )
    step_id = fields.Many2one(
        "whatsapp.billing.collection.step",
        string="Next Step",
        ondelete="set null",
    )
    next_date = fields.Date(string="Next on")
    # 1970-01-01 means: at the next run, whichever day it is for.
    next_check_date = fields.Date(
        help="First day on which a run has to look at it again."
    )
    last_step_id = fields.Many2one(
        "whatsapp.billing.collection.step", compute="_compute_last_step_id"
    )
    last_step_days = fields.Integer(
        help="Days of the last step; kept without the step."
    )
    last_date = fields.Date(string="Last on")
    state = fields.Selection(
        [
            ("active", "To remind"),
            ("paused", "Waiting"),
            ("promised", "Promised"),
            ("disputed", "Disputed"),
            ("escalated", "With a person"),
            ("done", "Done"),
        ],
        required=True,
        default="active",
    )
    pause_reason = fields.Selection(
        [
            ("manual", "Paused"),
            ("answered", "The customer wrote"),
            ("claims_paid", "The customer says it is paid"),
            ("wants_person", "The customer wants to talk to somebody"),
            ("opted_out", "The customer asked for no more messages"),
        ]
    )
    resume_on = fields.Date(string="Paused Until")
    pause_note = fields.Char(string="Paused Because")
    person_id = fields.Many2one(
        "res.users",
        string="With",
        index="btree_not_null",
        help="Who has paused it, or has taken over.",
    )
    promise_date = fields.Date(string="Promised For")
    answered_at = fields.Datetime(
        string="Answered On",
        help="When the customer said what was last decided by it, or somebody noted a"
        " promise of theirs. What they said before and what comes later decides nothing.",
    )
    promises_kept = fields.Integer()
    promises_broken = fields.Integer()
    dispute_reason = fields.Char(string="Disputed Because")
    dispute_user_id = fields.Many2one("res.users", string="Dispute Handled By")
    disputed_at = fields.Datetime()
    close_reason = fields.Selection(
        [
            ("paid", "Paid"),
            ("credited", "Credited"),
            ("cancelled", "Cancelled"),
            ("draft", "Reset to draft"),
            ("no_plan", "No plan any more"),
            ("other_customer", "Another customer's now"),
        ]
    )
    reason = fields.Char(readonly=True, help="Why nothing was sent, at the last look.")
    reason_detail = fields.Char(compute="_compute_reason_detail", string="Why Not")
    trace = fields.Json(
        compute="_compute_trace",
        help="Each rule with its value at the last look: {rule, value, passed}.",
    )
    # Trace of the last decision when no message was sent; else it is on the item.
    trace_data = fields.Json(readonly=True)
    decided_on = fields.Date(readonly=True)
    item_ids = fields.One2many(
        "whatsapp.billing.collection.item",
        string="Reminders",
        compute="_compute_item_ids",
    )

    followup_ids = fields.One2many(
        "whatsapp.billing.collection.followup",
        string="Follow-ups of the Customer",
        compute="_compute_followup_ids",
    )

    _line_unique = models.UniqueIndex(
        "(move_line_id) WHERE state != 'done'", "This instalment has a case already."
    )
    # The latest case is read for each line of a ledger. Without this index PostgreSQL
    # may scan all cases, newest first, for each line.
    _latest_index = models.Index("(move_line_id, id DESC)")
    # No index on columns that each run updates: PostgreSQL keeps such updates within
    # the page (HOT).
    _open_index = models.Index("(company_id, debtor_id) WHERE state != 'done'")
    _resume_index = models.Index("(resume_on) WHERE state = 'paused'")

    def init(self):
        """Leave room on each page for the next night's version of its rows."""
        self.env.cr.execute(
            "ALTER TABLE whatsapp_billing_collection_case SET (fillfactor = 45)"
        )

    @api.model
    def _get_reading_sql(self, alias, query):
        """A case is as readable as its invoice."""
        move = self._field_to_sql(alias, "move_id", query)
        return self._readable_sql("account.move", move)

    # === COMPUTE METHODS === #

    @api.depends("reason")
    def _compute_reason_detail(self):
        messages = self.env["whatsapp.billing.message"]
        for case in self:
            case.reason_detail = messages._sentence(
                dunning_reasons.describe(case.reason) if case.reason else ""
            )

    @api.depends("move_line_id.wab_item_ids", "debtor_id")
    def _compute_item_ids(self):
        for case in self:
            # sudo: res.partner - only who belongs to whom
            case.item_ids = case.move_line_id.wab_item_ids.filtered(
                lambda item, c=case: item.sudo()._is_to(c.debtor_id)
            )

    @api.depends("debtor_id", "company_id")
    @api.depends_context("uid")
    def _compute_followup_ids(self):
        found = (
            self.env["whatsapp.billing.collection.followup"]
            .search(
                [
                    ("debtor_id", "in", self.debtor_id.ids),
                    ("company_id", "in", self.company_id.ids),
                ]
            )
            .grouped(lambda followup: (followup.company_id, followup.debtor_id))
        )
        for case in self:
            case.followup_ids = found.get((case.company_id, case.debtor_id), False)

    @api.depends("trace_data", "move_line_id.wab_item_ids.trace", "debtor_id")
    def _compute_trace(self):
        for case in self:
            if case.trace_data:
                case.trace = traces.unpack(case.trace_data)
            else:
                last = case.item_ids.sorted(lambda item: item._origin.id)[-1:]
                case.trace = last.trace or []

    @api.depends("plan_id.step_ids.days", "last_step_days", "last_date")
    def _compute_last_step_id(self):
        for case in self:
            case.last_step_id = case.last_date and case.plan_id.step_ids.filtered(
                lambda step, days=case.last_step_days: step.days == days
            )

    @api.depends("move_id.name", "due_date")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for case in self:
            due = case.due_date and format_date(self.env, case.due_date)
            case.display_name = " ".join(filter(None, [case.move_id.name, due]))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        self._check_system()
        return super().create(vals_list)

    def write(self, vals):
        self._check_system()
        return super().write(vals)

    @api.model
    def _check_system(self):
        if not self.env.su:
            raise AccessError(
                self.env._("Cases are kept by the system; use their buttons.")
            )

    # === ACTION METHODS === #

    def action_pause(self, until=False, reason=""):
        """Pause these cases until a day, or until somebody resumes them.

        :param until: a date or its ISO text, today or later; left out, for good
        :param reason: why, in a few words
        :raise UserError: for a date that is none, past, or more than a year away
        """
        day = self._read_date(until) if until else False
        note = reason.strip()[:200] if isinstance(reason, str) else ""
        cases_sudo = self._by_person()
        cases_sudo._pause("manual", day)
        cases_sudo.filtered(lambda case: case.state == "paused").write(
            {"pause_note": note, "person_id": self.env.uid}
        )
        return True

    def action_resume(self):
        """Go on as planned: a pause, a promise, a dispute or a person's turn is over."""
        cases_sudo = self._by_person().filtered(lambda c: c.state != "done")
        cases_sudo._note_on_invoices(self.env._("Reminders go on."))
        return cases_sudo._resume()

    def action_promise(self, date):
        """Wait until a promised date and the plan's grace have passed.

        :param date: a date or its ISO text, today or later
        :raise UserError: for a date that is none, past, or more than a year away
        """
        day = self._read_date(date)
        cases_sudo = self._by_person()
        cases_sudo.answered_at = fields.Datetime.now()
        return cases_sudo._promise(day)

    def action_dispute(self, reason):
        """Take these out of the reminders because the customer disputes them.

        :param reason: what is disputed, in a few words
        :raise UserError: without a reason
        """
        if not isinstance(reason, str) or not reason.strip():
            raise UserError(self.env._("Say what the customer disputes."))
        return self._by_person()._dispute(reason.strip()[:500], self.env.user)

    # === BUSINESS METHODS === #

    def _by_person(self):
        """Return these with the system's rights, for who may edit the invoices.

        :raise AccessError: for anybody else
        """
        self.check_access("read")
        self.move_id.check_access("write")
        # sudo: whatsapp.billing.collection.case - written by its buttons only
        return self.sudo().filtered(lambda case: case.state != "done")

    @api.model
    def _read_date(self, date):
        today = fields.Date.context_today(self)
        try:
            day = fields.Date.to_date(date)
        except (TypeError, ValueError):
            day = None
        if not day:
            raise UserError(self.env._("%(date)s is not a date.", date=date))
        if not today <= day <= today + LONGEST_PROMISE:
            raise UserError(self.env._("Choose a day from today on, within a year."))
        return day

    def _hold_open(self):
        """Return those that are open once nobody else is changing them. With sudo.

        A payment closes them and an answer decides about them at the same moment: who
        comes second decides about what the first has left.
        """
        if not self:
            return self
        self.flush_recordset()
        rows = self.env.execute_query(
            SQL(
                "SELECT id FROM whatsapp_billing_collection_case"
                " WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
                self.ids,
            )
        )
        self.invalidate_recordset(flush=False)
        held = {row[0] for row in rows}
        return self.filtered(lambda case: case.id in held and case.state != "done")

    def _pause(self, reason, resume_on=False, withdrawn_as="paused"):
        """Pause what runs. Called with sudo.

        :param resume_on: day on which it goes on by itself
        :param withdrawn_as: why what waits does not go
        """
        todo = self._hold_open().filtered(
            lambda c: c.state in ("active", "promised", "paused")
        )
        # A pause without an end is not replaced by one that ends.
        todo = todo.filtered(
            lambda c: c.state != "paused" or c.resume_on or not resume_on
        )
        todo.write(
            {
                "state": "paused",
                "pause_reason": reason,
                "resume_on": resume_on,
                "pause_note": False,
                "person_id": False,
                "next_date": False,
            }
        )
        todo._withdraw_waiting(withdrawn_as)
        labels = dict(self._fields["pause_reason"]._description_selection(self.env))
        todo._note_on_invoices(
            self.env._("Reminders paused: %(reason)s.", reason=labels[reason])
        )
        return True

    def _resume(self):
        """Go on as planned. Called with sudo."""
        self._hold_open().write(
            {
                "state": "active",
                "pause_reason": False,
                "resume_on": False,
                "pause_note": False,
                "person_id": False,
                "promise_date": False,
                "dispute_reason": False,
                "dispute_user_id": False,
                "disputed_at": False,
                "next_check_date": fields.Date.to_date("1970-01-01"),
            }
        )
        return True

    def _promise(self, day, named=True):
        """Wait for a promised day. Called with sudo.

        :param named: False when the customer wants to pay and has not said when, None
            when it was noted before
        """
        todo = self._hold_open().filtered(
            lambda c: c.state in ("active", "promised", "paused")
        )
        for plan, cases in todo.grouped("plan_id").items():
            again = day + timedelta(days=plan.grace_days + 1)
            cases.write(
                {
                    "state": "promised",
                    "promise_date": day,
                    "pause_reason": False,
                    "resume_on": False,
                    "next_check_date": again,
                    "next_date": again,
                }
            )
        todo._withdraw_waiting("paused")
        if named is None:
            return True
        date = format_date(self.env, day)
        todo._note_on_invoices(
            self.env._("The customer promised to pay on %(date)s.", date=date)
            if named
            else self.env._(
                "The customer wants to pay and has not said when. Reminders wait until"
                " %(date)s.",
                date=date,
            )
        )
        return True

    def _dispute(self, reason, user):
        """Take out what is disputed, and name who handles it. Called with sudo."""
        todo = self._hold_open().filtered(lambda c: c.state != "disputed")
        for case in todo:
            case.write(
                {
                    "state": "disputed",
                    "dispute_reason": reason,
                    "dispute_user_id": (user or case._get_responsible()).id,
                    "disputed_at": fields.Datetime.now(),
                    "promise_date": False,
                    "pause_reason": False,
                    "resume_on": False,
                    "next_date": False,
                }
            )
        todo._withdraw_waiting("disputed")
        todo._note_on_invoices(
            self.env._("Disputed by the customer: %(reason)s", reason=reason)
        )
        todo._ask_person(self.env._("Dispute"), reason)
        return True

    def _get_responsible(self):
        """Return who looks after the invoice."""
        self.ensure_one()
        # A shared contact's salesperson may not work in this company: then another is
        # asked.
        return self.company_id._wab_get_responsible(
            self.plan_id.user_id | self.move_id.invoice_user_id | self.debtor_id.user_id
        )

    def _ask_person(self, title, text, user=None):
        """Put one activity per debtor on its first invoice. Called with sudo.

        :param user: whom to ask, if they can see to it; else who looks after the invoice
        """
        moves_by_user = defaultdict(self.env["account.move"].browse)
        for cases in self.grouped("debtor_id").values():
            case = cases.sorted(lambda c: (c.due_date or c.create_date.date(), c.id))[0]
            move = case.move_id
            if any(activity.summary == title for activity in move.activity_ids):
                continue
            able = case.company_id._wab_find_able(user) if user else None
            moves_by_user[able or case._get_responsible()] |= move
        for person, moves in moves_by_user.items():
            # Their names, which Odoo would read one by one for the activities.
            moves.mapped("display_name")
            moves.activity_schedule(
                "mail.mail_activity_data_todo",
                summary=title,
                note=Markup("<p>%s</p>") % text,
                user_id=person.id,
                wab_reason="customer_answered",
            )

    def _note_on_invoices(self, text):
        """Write a line in the chatter of the invoices. Called with sudo."""
        author = self.env.user.partner_id.id
        for company, cases in self.filtered("move_id").grouped("company_id").items():
            lines = cases.move_id._message_log_batch(
                bodies=dict.fromkeys(cases.move_id.ids, text), author_id=author
            )
            # sudo: mail.message - which company's line it is, is the system's to write
            lines.sudo().wab_company_id = company
