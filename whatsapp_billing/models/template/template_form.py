# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What the form does while a template is written: rows come from the text."""

from odoo import api, fields, models
from odoo.fields import Command

from ...rules import parameters
from .template_button import DOCUMENT_PAGE
from .template_variable import PAY_LINK, USUAL


class WhatsappBillingTemplate(models.Model):
    _inherit = "whatsapp.billing.template"

    insert_choice = fields.Selection(
        "_get_insert_choices",
        string="Insert",
        compute="_compute_insert_choice",
        readonly=False,
        help="Adds a variable where the cursor stands in the text, with its field and an"
        " example.",
    )
    insert_at = fields.Integer(
        compute="_compute_insert_choice",
        readonly=False,
        help="Where the cursor stands in the text, in characters; less than 0: its end.",
    )
    usual_sources = fields.Json(
        compute="_compute_usual_sources",
        help="What the short list offers for this kind of document.",
    )

    # === COMPUTE METHODS === #

    @api.model
    def _get_insert_choices(self):
        variables = self.env["whatsapp.billing.template.variable"]
        labels = variables._fields["source"]._description_selection(self.env)
        return [(value, label) for value, label in labels if value in USUAL]

    def _compute_insert_choice(self):
        self.insert_choice = False
        self.insert_at = -1

    @api.depends("model")
    def _compute_usual_sources(self):
        variables = self.env["whatsapp.billing.template.variable"]
        for template in self:
            template.usual_sources = variables._get_usual_sources(template.model)

    # === ONCHANGE METHODS === #

    @api.onchange("insert_choice")
    def _onchange_insert_choice(self):
        """Add a variable to the text where the cursor stands, filled in."""
        chosen, self.insert_choice = self.insert_choice, False
        place, self.insert_at = self.insert_at, -1
        if not chosen:
            return None
        variables = self.env["whatsapp.billing.template.variable"]
        path = USUAL[chosen].path
        if self.model in self.env:
            problem = variables._get_path_problem(self.model, path)
            if problem:
                return {"warning": {"title": self.env._("Insert"), "message": problem}}
        body = self.body or ""
        position = max(parameters.placeholders(body), default=0) + 1
        self.body = parameters.insert(body, position, place)
        values = {"component": "body", "position": position}
        self.variable_ids = [Command.create(values | variables._get_usual(chosen))]
        return None

    @api.onchange("body", "header_type", "header_text", "button_ids")
    def _onchange_places(self):
        """Have one row for each variable of the text and each link, and no other."""
        wanted = self._get_places()
        links = [place for place in wanted if place[0] == "button"]
        ours = self.variable_ids.filtered(lambda v: v.component == "button")
        if len(links) == len(ours) == 1:
            ours.position = links[0][1]
        known = {(v.component, v.position): v for v in self.variable_ids}
        commands = [
            Command.create(self._prepare_variable(component, position))
            for component, position in wanted
            if (component, position) not in known
        ]
        gone = [variable for place, variable in known.items() if place not in wanted]
        for variable in gone:
            self.variable_ids -= variable
        if commands:
            self.variable_ids = commands

    # === BUSINESS METHODS === #

    def _get_places(self):
        """Return {(component, position)} of what needs a value, in reading order."""
        header = self.header_text if self.header_type == "text" else ""
        texts = {"header": header or "", "body": self.body or ""}
        places = [
            (component, position)
            for component, text in texts.items()
            for position in sorted(set(parameters.placeholders(text)))
        ]
        return places + [
            ("button", place)
            for place, button in enumerate(self.button_ids.sorted("sequence"), start=1)
            if button.kind == "url" and parameters.placeholders(button.value or "")
        ]

    def _prepare_variable(self, component, position):
        values = {"component": component, "position": position}
        if component == "button":
            button = self.button_ids.sorted("sequence")[position - 1]
            if button.value == DOCUMENT_PAGE:
                variables = self.env["whatsapp.billing.template.variable"]
                return values | variables._get_usual("link") | {"field_path": PAY_LINK}
        return values | {"name": self._name_variable(component, position)}
