# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...rules import dunning

SENDABLE = ("approved",)


class WhatsappBillingCollectionStep(models.Model):
    """What to say, or do, some days before or after the due date."""

    _name = "whatsapp.billing.collection.step"
    _inherit = ["whatsapp.billing.rights.mixin"]
    _description = "Collection Step"
    _order = "plan_id, days, id"
    _rec_name = "name"
    _rec_names_search = ["custom_name"]

    plan_id = fields.Many2one(
        "whatsapp.billing.collection.plan",
        required=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="plan_id.company_id", store=True)
    currency_id = fields.Many2one(related="plan_id.currency_id")
    custom_name = fields.Char(
        string="Called", translate=True, help="Empty: the days, in words."
    )
    name = fields.Char(compute="_compute_name")
    days = fields.Integer(
        string="Days From Due Date",
        required=True,
        default=1,
        help="Negative: before the due date. 0: on it.",
    )
    day_count = fields.Integer(
        string="Number of Days", compute="_compute_when", inverse="_inverse_when"
    )
    when = fields.Selection(
        [
            ("before", "days before the due date"),
            ("on", "on the due date"),
            ("after", "days after the due date"),
        ],
        compute="_compute_when",
        inverse="_inverse_when",
    )
    template_id = fields.Many2one(
        "whatsapp.billing.template",
        index="btree_not_null",
        ondelete="restrict",
        domain="[('document_type', '=', 'payment_reminder')]",
        help="In other languages, the template of the same name in the customer's"
        " language is used. Empty: the default for payment reminders.",
    )
    many_template_id = fields.Many2one(
        "whatsapp.billing.template",
        string="Template for Several Invoices",
        index="btree_not_null",
        ondelete="restrict",
        domain="[('document_type', '=', 'payment_reminder')]",
        help="Empty: one that lists the open invoices, in the customer's language.",
    )
    channel = fields.Selection(
        [("whatsapp", "WhatsApp"), ("activity", "Activity")],
        string="By",
        required=True,
        default="whatsapp",
        help="WhatsApp: a message to the customer. Activity: a person calls, visits or"
        " writes to them.",
    )
    activity_type_id = fields.Many2one(
        "mail.activity.type",
        string="What to Do",
        index="btree_not_null",
        ondelete="set null",
        domain="[('res_model', 'in', [False, 'account.move'])]",
        default=lambda self: self.env.ref(
            "mail.mail_activity_data_call", raise_if_not_found=False
        ),
        help="The kind of activity.",
    )
    activity_summary = fields.Char(
        string="Summary",
        translate=True,
        help="What the person reads first. Empty: what the kind of activity says, or"
        " that payment is to be followed up.",
    )
    activity_title = fields.Char(compute="_compute_activity_title")
    minimum_amount = fields.Monetary(
        help="In the company's currency. Less than this is not worth the step."
    )
    condition = fields.Selection(
        [
            ("always", "Always"),
            ("owed_amount", "The customer owes at least"),
            ("overdue_days", "Days overdue are at least"),
            ("turnover", "The customer's yearly turnover is at least"),
            ("days_late", "The customer pays late on average by days"),
            ("no_answer", "Delivered reminders without an answer"),
        ],
        required=True,
        default="always",
    )
    threshold = fields.Float(help="What the condition asks for at least.")
    action = fields.Selection(
        [
            ("none", "Nothing"),
            ("activity", "Ask a person to follow up"),
            ("hand_over", "Hand over to a person and stop"),
            ("stop", "Stop reminding"),
            ("legal", "Mark for legal action and stop"),
        ],
        string="Also",
        required=True,
        default="none",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Person",
        index="btree_not_null",
        help="Empty: who looks after the invoice.",
    )

    _days_unique = models.UniqueIndex(
        "(plan_id, days)", "A plan has one step for each number of days."
    )

    # === COMPUTE METHODS === #

    @api.depends("days")
    def _compute_when(self):
        for step in self:
            step.day_count = abs(step.days)
            step.when = "before" if step.days < 0 else "after" if step.days else "on"

    @api.onchange("channel")
    def _onchange_channel(self):
        """Ask a person once: the activity itself is what asks them."""
        for step in self:
            if step.channel == "activity" and step.action == "activity":
                step.action = "none"

    @api.onchange("day_count")
    def _inverse_when(self):
        """Put the days as people say them into one number that can be sorted."""
        for step in self:
            sign = {"before": -1, "after": 1}.get(step.when, 0)
            step.days = sign * abs(step.day_count)

    @api.onchange("when")
    def _onchange_when(self):
        """Begin with one day where there was none: before and after need a number."""
        for step in self:
            if step.when != "on" and not step.day_count:
                step.day_count = 1
            step._inverse_when()

    @api.depends("days", "custom_name")
    @api.depends_context("lang")
    def _compute_name(self):
        for step in self:
            step.name = step.custom_name or step._get_days_words()

    @api.depends("name")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for step in self:
            step.display_name = step.name

    @api.depends("channel", "activity_summary", "activity_type_id", "action")
    @api.depends_context("lang")
    def _compute_activity_title(self):
        for step in self:
            is_activity = step.channel == "activity"
            step.activity_title = is_activity and step._get_activity_summary()

    # === CONSTRAINT METHODS === #

    @api.constrains("template_id", "many_template_id")
    def _check_template(self):
        for step in self:
            templates = step.template_id | step.many_template_id
            wrong = templates.filtered(
                lambda t: t.document_type and t.document_type != "payment_reminder"
            )
            if wrong:
                raise ValidationError(
                    self.env._(
                        "%(name)s is not a template for payment reminders.",
                        name=wrong[0].display_name,
                    )
                )

    @api.constrains("channel", "action")
    def _check_channel(self):
        for step in self:
            if step.channel == "activity" and step.action == "activity":
                raise ValidationError(
                    self.env._(
                        "The step %(step)s asks a person by itself. Choose what else to"
                        " do, or nothing.",
                        step=step.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Look at the plan's cases again: another step may be due now."""
        steps = super().create(vals_list)
        steps.plan_id._look_again()
        return steps

    def write(self, vals):
        """Look at the plan's cases again: another step may be due now."""
        result = super().write(vals)
        if {"days", "minimum_amount", "condition", "threshold", "channel"} & set(vals):
            self.plan_id._look_again()
        return result

    # === ACTION METHODS === #

    def action_open_reached(self):
        """Open whom this step would be about if the plan ran today."""
        self.ensure_one()
        self.plan_id._check_reads_ledger()
        forecasts = self.env["whatsapp.billing.collection.forecast"]._make(
            self.plan_id, 1
        )
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "whatsapp_billing.collection_forecast_action"
        )
        title = self.env._("Today: %(step)s", step=self.name)
        return action | {
            "name": title,
            "display_name": title,
            "views": sorted(action["views"], key=lambda view: view[1] != "list"),
            "domain": [("id", "in", forecasts.ids), ("step_id", "=", self.id)],
            "context": {"search_default_goes": 1},
            "help": Markup('<p class="o_view_nocontent_smiling_face">%s</p><p>%s</p>')
            % (
                self.env._("Nobody would be followed up today"),
                self.env._("Take the filter away to see who is left out, and why."),
            ),
        }

    # === BUSINESS METHODS === #

    def _get_days_words(self):
        """Return when the step is due, in the reader's language."""
        self.ensure_one()
        if self.days == -1:
            return self.env._("1 day before")
        if self.days == 1:
            return self.env._("1 day after")
        if self.days < 0:
            return self.env._("%(n)s days before", n=-self.days)
        if self.days:
            return self.env._("%(n)s days after", n=self.days)
        return self.env._("On the due date")

    def _get_tone(self):
        """Return how a step speaks: overdue, last, or "" before and on the due date."""
        if not self or self.days <= 0:
            return ""
        overdue = self.plan_id.step_ids.filtered(
            lambda s: s.channel == "whatsapp" and s.days > 0
        )
        is_last = self.days == max(overdue.mapped("days"), default=self.days)
        return "last" if is_last and len(overdue) > 1 else "overdue"

    def _to_rule(self):
        """Return the step as the rules look at it."""
        self.ensure_one()
        channels = self.env["whatsapp.billing.collection.channel"]
        return dunning.Step(
            step_id=self.id,
            days=self.days,
            minimum_amount=self.minimum_amount,
            condition=self.condition,
            threshold=self.threshold,
            channel=self.channel,
            action=self.action,
            template_problem=channels._of(self.channel)._get_template_problem(self),
        )

    def _get_activity_summary(self):
        """Return what the activity of this step is called, in the reader's language."""
        self.ensure_one()
        if self.activity_summary:
            return self.activity_summary
        title, _text = self.plan_id._get_action_words(self._get_spoken_action())
        if self.action in ("hand_over", "legal"):
            return title
        # sudo: mail.activity.type - its words, for who is asked
        return self.activity_type_id.sudo().summary or title

    def _get_activity_text(self):
        """Return why a person is asked, in the reader's language."""
        self.ensure_one()
        return self.plan_id._get_action_words(self._get_spoken_action())[1]

    def _get_spoken_action(self):
        """Return which of the plan's words say what a person is to do."""
        return self.action if self.action in ("hand_over", "legal") else "activity"

    def _get_template_problem(self):
        """Return why the chosen template cannot go, None if it can or none is chosen.

        One that WhatsApp moved to another category costs more and needs another
        consent: a person decides whether it still fits.
        """
        # sudo: whatsapp.billing.template - its state decides, whoever may see it
        template_sudo = self.template_id.sudo()
        if not template_sudo:
            return None
        if template_sudo.status not in SENDABLE:
            return template_sudo.status
        if template_sudo.category != "utility":
            return template_sudo.category
        return template_sudo.obstacle_sentence or None
