# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What people see of a case and do with it: the board, the reason in words."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import babel_locale_parse
from odoo.tools.misc import get_lang

from ...rules import dunning_reasons

# Rule of a trace -> (model, selection field) whose labels its values are shown by.
VALUE_WORDS = {
    "document_posted": ("account.move", "state"),
    "plan_running": ("whatsapp.billing.collection.plan", "stage"),
    "document_undisputed": ("whatsapp.billing.collection.case", "state"),
    "not_with_a_person": ("whatsapp.billing.collection.case", "state"),
    "collection_running": ("whatsapp.billing.collection.case", "state"),
    "template_approved": ("whatsapp.billing.template", "status"),
}
# Rules whose value is a date, unless it is one of the words above.
DAY_RULES = (
    *("due_date_known", "no_promise_running", "collection_running"),
    "working_day",
)
# State of a case that somebody set after the last run -> the rule that it fails.
HOLDS = {
    "promised": "no_promise_running",
    "paused": "collection_running",
    "disputed": "document_undisputed",
    "escalated": "not_with_a_person",
}


class WhatsappBillingCollectionCase(models.Model):
    _inherit = "whatsapp.billing.collection.case"

    state = fields.Selection(group_expand="_group_expand_states")
    days_overdue = fields.Integer(
        string="Days", compute="_compute_days_overdue", search="_search_days_overdue"
    )
    why_html = fields.Html(compute="_compute_why_html", sanitize=False)
    explanation = fields.Char(compute="_compute_explanation")
    may_act = fields.Boolean(compute="_compute_may_act")
    last_answer_id = fields.Many2one(
        "whatsapp.billing.message",
        compute="_compute_last_answer",
        string="Last Message From the Customer",
    )
    last_answer = fields.Char(
        compute="_compute_last_answer", string="The Customer Wrote"
    )
    last_answer_at = fields.Datetime(
        compute="_compute_last_answer", string="Written On"
    )

    # === COMPUTE METHODS === #

    @api.depends("due_date")
    def _compute_days_overdue(self):
        today = fields.Date.context_today(self)
        for case in self:
            case.days_overdue = (today - case.due_date).days if case.due_date else 0

    def _search_days_overdue(self, operator, value):
        if operator not in ("<", "<=", ">", ">="):
            return NotImplemented
        day = fields.Date.context_today(self) - timedelta(days=value)
        turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}[operator]
        return [("move_line_id.date_maturity", turned, day)]

    @api.depends(
        "trace",
        "state",
        "pause_reason",
        "resume_on",
        "promise_date",
        "dispute_reason",
    )
    @api.depends_context("lang")
    def _compute_why_html(self):
        for case in self:
            case.why_html = self.env["ir.qweb"]._render(
                "whatsapp_billing.collection_trace",
                {"rules": case._get_rules(), "case": case},
            )

    @api.depends(
        "state",
        "reason",
        "pause_reason",
        "pause_note",
        "person_id",
        "promise_date",
        "dispute_reason",
        "resume_on",
        "close_reason",
    )
    def _compute_explanation(self):
        for case in self:
            case.explanation = case._explain() or False

    @api.depends("debtor_id", "company_id")
    @api.depends_context("uid", "lang")
    def _compute_last_answer(self):
        """Find what the customer, or somebody of theirs, wrote to the company last.

        Whoever may not read it sees nothing here either.
        """
        messages = self.env["whatsapp.billing.message"]
        found = {}
        if messages.has_access("read"):
            rows = messages._read_group(
                [
                    ("direction", "=", "in"),
                    (
                        "partner_id",
                        "child_of",
                        self.debtor_id.commercial_partner_id.ids,
                    ),
                    ("company_id", "in", self.company_id.ids),
                ],
                ["partner_id", "company_id"],
                ["id:max"],
            )
            for partner, company, newest in rows:
                # sudo: res.partner - only whose person this is
                key = (partner.sudo().commercial_partner_id.id, company.id)
                found[key] = max(newest, found.get(key, 0))
        for case in self:
            key = (case.debtor_id.commercial_partner_id.id, case.company_id.id)
            message = messages.browse(found.get(key, ()))
            case.last_answer_id = message
            case.last_answer = message.shown_text
            case.last_answer_at = message.sent_at or message.create_date

    @api.depends("state")
    @api.depends_context("uid")
    def _compute_may_act(self):
        for case in self:
            case.may_act = case.state != "done" and case.move_id.has_access("write")

    @api.model
    def _group_expand_states(self, states, _domain):
        """Show every column of the board, in order; what is done only when asked."""
        order = [state for state, _label in self._fields["state"].selection]
        return [state for state in order if state != "done" or "done" in states]

    # === ACTION METHODS === #

    def action_why(self):
        """Open in words what was asked about this invoice, and what was found."""
        self.ensure_one()
        self.check_access("read")
        form = self.env.ref("whatsapp_billing.collection_case_view_form_why")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Why?"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(form.id, "form")],
            "target": "new",
            "context": {"dialog_size": "medium"},
        }

    def action_hand_over(self, user_id=False):
        """Have a person take over: no more reminders until somebody resumes them.

        :param int user_id: who it is; left out, who looks after the invoice
        :raise UserError: for somebody who is no internal user of the company
        """
        user = self.env["res.users"].browse()
        if user_id:
            user = user.search([("id", "=", user_id), ("share", "=", False)])
            # sudo: whatsapp.billing.collection.case - only of which company they are
            companies = self.sudo().company_id
            if not user or not all(c._wab_find_able(user) for c in companies):
                raise UserError(self.env._("Choose one of your users to take over."))
        cases_sudo = self._by_person().filtered(lambda c: c.state != "escalated")
        cases_sudo.write(
            {
                "state": "escalated",
                "pause_reason": False,
                "resume_on": False,
                "promise_date": False,
                "next_date": False,
            }
        )
        for case in cases_sudo:
            case.person_id = user or case._get_responsible()
        cases_sudo._withdraw_waiting("paused")
        cases_sudo._note_on_invoices(self.env._("Handed over to a person."))
        cases_sudo._ask_person(
            self.env._("Payment reminder"),
            self.env._("Take over from the automatic reminders."),
            user,
        )
        return True

    def action_ask_pause(self):
        """Ask until when to pause, and why."""
        return self._ask("pause", self.env._("Pause"))

    def action_ask_promise(self):
        """Ask for the day that the customer promised."""
        return self._ask("promise", self.env._("Promise to Pay"))

    def action_ask_dispute(self):
        """Ask what the customer disputes."""
        self.check_access("read")
        return self._ask("dispute", self.env._("Dispute"))

    def action_ask_hand_over(self):
        """Ask who takes over."""
        return self._ask("hand_over", self.env._("Hand Over"))

    def action_open_invoice(self):
        """Open the invoice."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.move_id.display_name,
            "res_model": "account.move",
            "res_id": self.move_id.id,
            "views": [(False, "form")],
        }

    def action_open_answer(self):
        """Open what the customer wrote last, to answer it or to see the file."""
        self.ensure_one()
        self.check_access("read")
        if not self.last_answer_id:
            raise UserError(self.env._("The customer has written nothing yet."))
        return self.last_answer_id.action_open_message()

    # === BUSINESS METHODS === #

    def _ask(self, kind, title):
        if all(case.state == "done" for case in self):
            raise UserError(self.env._("Nothing is open here any more."))
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": "whatsapp.billing.collection.answer",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_case_ids": self.ids,
                "default_kind": kind,
                "dialog_size": "medium",
            },
        }

    def _explain(self):
        """Return one sentence on what holds the reminders, "" when nothing does."""
        self.ensure_one()
        if self.state == "promised":
            return self.env._(
                "Promised to pay on %(date)s.", date=self._say_date(self.promise_date)
            )
        if self.state == "disputed":
            return self.dispute_reason or ""
        if self.state == "escalated":
            if self.person_id:
                return self.env._("With %(person)s", person=self.person_id.name)
            return self.env._("A person has taken over.")
        if self.state == "paused":
            reasons = dict(
                self._fields["pause_reason"]._description_selection(self.env)
            )
            reason = reasons.get(self.pause_reason, "")
            if self.pause_reason == "manual" and self.person_id:
                reason = self.env._("Paused by %(person)s", person=self.person_id.name)
            if self.pause_note:
                reason = f"{reason}: {self.pause_note}"
            if not self.resume_on:
                return reason
            return self.env._(
                "%(reason)s, until %(date)s",
                reason=reason,
                date=self._say_date(self.resume_on),
            )
        if self.state == "done":
            return self._explain_end()
        return self.reason_detail or ""

    def _explain_end(self):
        """Return why it is done; of a former customer's, whose and what they disputed."""
        if self.close_reason != "other_customer":
            reasons = dict(
                self._fields["close_reason"]._description_selection(self.env)
            )
            return reasons.get(self.close_reason, "")
        # sudo: res.partner - the name of whose case a readable one was
        customer = self.debtor_id.sudo().display_name
        if self.state_before == "disputed" and self.dispute_reason:
            return self.env._(
                "%(customer)s disputed it: %(reason)s. It is another customer's now.",
                customer=customer,
                reason=self.dispute_reason,
            )
        return self.env._(
            "It was %(customer)s's, and is another customer's now.", customer=customer
        )

    def _say_date(self, day):
        return self.env["ir.qweb.field.date"].value_to_html(day, {}) if day else ""

    def _get_rules(self):
        """Return the rules of the last decision: {label, value, passed}.

        What holds the case since then comes last, as the rule that fails.
        """
        trace = self.trace or []
        hold = HOLDS.get(self.state)
        if trace and not trace[-1].get("passed"):
            hold = None
        rules = [
            {
                "label": self._say_rule(rule.get("rule")),
                "value": self._say_value(rule.get("rule"), rule.get("value")),
                "passed": rule.get("passed"),
            }
            for rule in trace
            # The stored trace is older than the state: its line of the same rule is
            # left out.
            if not hold or rule.get("rule") != hold
        ]
        if hold:
            rules.append(
                {
                    "label": self._say_rule(hold),
                    "value": self._say_hold(),
                    "passed": False,
                }
            )
        return rules

    @api.model
    def _say_rule(self, rule):
        messages = self.env["whatsapp.billing.message"]
        return messages._sentence(dunning_reasons.describe_rule(rule or ""))

    def _say_hold(self):
        """Return what holds the case now, "" where the rule says it all."""
        if self.state == "promised" and self.promise_date:
            day = self._say_date(self.promise_date)
            return self.env._("until %(date)s", date=day)
        if self.state in ("paused", "disputed"):
            return self._explain()
        return ""

    @api.model
    def _say_value(self, rule, value):
        """Return what was found, in words, "" where the rule says it all."""
        if value is None or isinstance(value, bool) or value in ("", "none"):
            return ""
        if rule in VALUE_WORDS:
            model, name = VALUE_WORDS[rule]
            words = dict(self.env[model]._fields[name]._description_selection(self.env))
            if value in words:
                return words[value]
        if rule in DAY_RULES:
            return self._say_date(fields.Date.to_date(value))
        if rule == "working_calendar_known" and isinstance(value, list):
            names = babel_locale_parse(get_lang(self.env).code).days
            words = names["stand-alone"]["abbreviated"]
            return ", ".join(words[day] for day in value if day in words)
        if rule == "step_due":
            return self.env._("%(n)s days from the due date", n=value)
        if isinstance(value, float):
            return self.env["ir.qweb.field.float"].value_to_html(
                value, {"precision": 2}
            )
        # The rules of every message follow those of reminders in one trace.
        return self.env["whatsapp.billing.message"]._trace_value(
            {"rule": rule, "value": value}, "account.move"
        )


class WhatsappBillingCollectionItem(models.Model):
    _inherit = "whatsapp.billing.collection.item"

    said_at = fields.Datetime(related="message_id.queued_at", string="When")
    message_state = fields.Selection(related="message_id.state", string="Delivery")
