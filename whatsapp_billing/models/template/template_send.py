# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What a message takes from a template, and what of one cannot be sent from here.

WhatsApp approves more than this module fills in, and an approved button may lead
anywhere. Which it is is kept as a word, so that the last look before a call needs no
more than the row; the sentence is made for whoever reads it.
"""

from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.fields import Command

from ... import const
from ...clients.whatsapp.error_table import TEMPLATE_DISABLED, TEMPLATE_PAUSED
from ...rules import parameters
from ..common import call_arguments, labels
from .template_button import DOCUMENT_PAGE
from .template_variable import PAY_LINK, USUAL

# Meaning of an error code -> state of the template that it reports as stopped.
STOPPED = {TEMPLATE_PAUSED: "paused", TEMPLATE_DISABLED: "disabled"}

# Fields that a template's text and values are computed from.
TEXT_PARTS = (
    "remote_components",
    "header_type",
    "header_text",
    "body",
    "button_ids.kind",
    "button_ids.text",
    "button_ids.value",
    "button_ids.sequence",
    "button_ids.own_address",
    "variable_ids.component",
    "variable_ids.position",
    "variable_ids.field_path",
)


class WhatsappBillingTemplate(models.Model):
    _inherit = "whatsapp.billing.template"
    unsupported_parts = fields.Char(copy=False, readonly=True)
    unsupported = fields.Char(compute="_compute_unsupported")
    obstacle = fields.Char(compute="_compute_obstacle", store=True)
    obstacle_sentence = fields.Char(compute="_compute_obstacle_sentence")
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

    @api.depends("unsupported_parts")
    @api.depends_context("lang")
    def _compute_unsupported(self):
        for template in self:
            parts = (template.unsupported_parts or "").split(", ")
            known = template.account_id._get_profile().parts
            words = [labels.part(self.env, known, part) for part in parts if part]
            template.unsupported = ", ".join(words) or False

    @api.depends("unsupported_parts", "category", "document_type", *TEXT_PARTS)
    def _compute_obstacle(self):
        for template in self:
            template.obstacle = template._find_obstacle() or False

    @api.depends("obstacle", "unsupported_parts", "button_ids.text")
    @api.depends_context("lang")
    def _compute_obstacle_sentence(self):
        for template in self:
            template.obstacle_sentence = template._describe_obstacle() or False

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

    # === BUSINESS METHODS - SENDING === #

    @api.model
    def _resolve(self, reference, company):
        """Return the template that a caller named; none when there is no such one.

        What somebody has archived is out of use, whatever a call's context asks for.

        :param reference: an id, an xml id, or `template_name:lang_code`
        :param company: whose templates, besides shared ones, are looked up
        """
        found = self._resolve_any(reference).filtered("active")
        return found._of_company(company)[:1]

    def _of_company(self, company):
        """Return those that may go to customers of a company. Called with sudo.

        One of all companies that stands on another company's account is none: it would
        go from that company's number, and the answers to it, and a STOP, to there.
        """
        own = (company.browse(), company)
        return self.filtered(
            lambda t: t.company_id in own and t.account_id.company_id in own
        )

    @api.model
    def _get_company_domain(self, companies):
        """Return `_of_company` as a domain, for companies of the user."""
        return [
            ("company_id", "in", [False, *companies.ids]),
            "|",
            ("account_id", "=", False),
            ("account_id.company_id", "in", companies.ids),
        ]

    @api.model
    def _resolve_any(self, reference):
        if isinstance(reference, models.BaseModel):
            return reference
        if call_arguments.is_id(reference):
            return self.browse(reference).exists()
        text = reference if isinstance(reference, str) else ""
        # ASCII digits only: `isdigit()` also takes those of other scripts.
        if text.isascii() and text.isdigit() and call_arguments.is_id(int(text)):
            return self.browse(int(text)).exists()
        name, colon, lang = text.rpartition(":")
        if colon:
            return self.search([("template_name", "=", name), ("lang_code", "=", lang)])
        record = self.env.ref(text, raise_if_not_found=False) if "." in text else None
        return record if record and record._name == self._name else self.browse()

    @api.model
    def _find_remote(self, account, template_uid, name, lang_code):
        """Return the template that a provider speaks of: by id, else name + language."""
        domain = [("account_id", "=", account.id)]
        found = self.browse()
        if template_uid:
            found = self.search([*domain, ("template_uid", "=", template_uid)], limit=1)
        if not found and name:
            found = self.search(
                [
                    *domain,
                    ("template_name", "=", name),
                    ("lang_code", "=", (lang_code or "").replace("-", "_")),
                ],
                limit=1,
            )
        return found

    def _get_misfit(self, model):
        """Return why this template cannot be filled in from a model, "" if it can.

        A template for payments names fields that an invoice does not have, and a
        field may be named that the sender, or whoever chose it, may not read.
        """
        self.ensure_one()
        problems = (
            variable._get_path_problem(model, variable.field_path)
            for variable in self.variable_ids
            if variable.field_path
        )
        return next(filter(None, problems), "")

    @api.model
    def _get_file_problem(self, record, document_type):
        """Return why no file goes with messages of this type, "" if one does.

        :param record: any record, or the empty set, of the document's model
        """
        if record._wab_has_file(document_type):
            return ""
        return self.env._(
            "The template begins with a document (PDF), and there is none for what"
            " this message is about. Choose a template without a document."
        )

    def _get_obstacle(self, record, document_type):
        """Return what of this template cannot be sent about a document, "" if all can.

        :param record: any record, or the empty set, of the document's model
        """
        if not self:
            return ""
        if self.obstacle:
            return self.obstacle_sentence
        if self.header_type == "document":
            return self._get_file_problem(record, document_type)
        return ""

    def _apply_send_error(self, error):
        """Stop a template that the provider refused at sending, and ask a person."""
        self._apply_send_error_code(error.code)

    def _apply_send_error_code(self, code):
        for template in self:
            spec = template.account_id._get_profile().errors.classify(code)
            status = STOPPED.get(spec.meaning, "unknown")
            if template.status == status:
                continue
            template.write({"status": status})
            template = template._for_reader()
            template.account_id._schedule_warning(
                template,
                template.env._("Template stopped"),
                template.env._(
                    "WhatsApp no longer accepts the template %(name)s. Its messages "
                    "wait until it is approved again.",
                    name=template.display_name,
                ),
                "template_unusable",
            )

    # === BUSINESS METHODS === #

    def _find_obstacle(self):
        """Return a word for what cannot be sent, "" when all can.

        `link:2` is the second button, which would take a document's link elsewhere.
        """
        if self.unsupported_parts:
            return "parts"
        if self.category == "authentication":
            return "category"
        if self.category == "marketing" and self.document_type in const.VENDOR_TYPES:
            return "vendor"
        links = self.variable_ids.filtered(lambda v: v.field_path == PAY_LINK)
        if any(variable.component != "button" for variable in links):
            return "text"
        if links:
            own = self._get_own_addresses()
            places = self._get_button_variables()
            for place, url in self._get_codec().links(self._components()).items():
                if places.get(place) in links and not _leads_here(url, own):
                    return f"link:{place}"
        return ""

    def _describe_obstacle(self):
        """Return in words what cannot be sent and what to do, "" when all can."""
        word, _colon, place = (self.obstacle or "").partition(":")
        if word == "parts":
            return self.env._(
                "This template has parts that cannot be sent from here: %(parts)s."
                " Make another one without them.",
                parts=self.unsupported,
            )
        if word == "category":
            return self.env._(
                "Templates for one-time codes cannot be sent from here. Make one for"
                " messages about documents."
            )
        if word == "vendor":
            return self.env._(
                "Vendors get messages about their business with you and no offers."
                " Choose Utility, or a template for customers."
            )
        if word == "text":
            return self.env._(
                "The link of a document opens it without a password, so it belongs"
                " into a button of its own and not into the text."
            )
        if word == "link":
            text, url = self._get_codec().button_at(self._components(), int(place))
            return self.env._(
                "The button “%(text)s” leads to %(host)s. The link of a document opens"
                " it without a password, so it goes only into a button that leads to"
                " this Odoo. Fill it with something else.",
                text=text,
                host=urlsplit(url).netloc or url,
            )
        return ""

    def _get_button_variables(self):
        """Return {place of a button: the variable that its link ends with}.

        One link and one variable belong together, wherever the button stands.
        """
        links = self._get_codec().links(self._components())
        variables = self.variable_ids.filtered(lambda v: v.component == "button")
        if len(links) == len(variables) == 1:
            return {next(iter(links)): variables}
        return {variable.position: variable for variable in variables}

    def _get_own_addresses(self):
        """Return the addresses that this Odoo has, or had when buttons were approved."""
        accounts = self.env["whatsapp.billing.account"]
        addresses = {
            accounts._get_base_address(),
            *self.button_ids.mapped("own_address"),
        }
        return addresses - {"", False}

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


def _leads_here(url, own_addresses):
    """Tell whether a link ends at a page of ours, whatever its variable says.

    The address and a slash, so that `https://ours.example.com.evil.net` is another
    one, and nothing in between that could hand the rest on.
    """
    start = url.partition("{{")[0]
    return any(
        start.startswith(f"{address}/")
        and not set("?#\\@") & set(start[len(address) :])
        for address in own_addresses
    )
