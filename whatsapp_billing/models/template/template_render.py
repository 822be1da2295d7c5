# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A template filled in: for a message, for a preview, for a test message."""

import hashlib
import json
import re
import uuid
from collections import defaultdict

import babel.dates
import babel.numbers
from babel import Locale, UnknownLocaleError
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.misc import format_amount, format_date

from ... import const
from ...rules import markup, parameters
from ..common import client_action
from ..common.send_request import SendRequest
from .template_send import TEXT_PARTS
from .template_variable import COMPANY_NAME, PAY_LINK, RECIPIENT_NAME

# Fields of a contact that are rendered as the contact's name.
PARTNER_NAMES = ("name", "display_name", "complete_name")

PLACE = re.compile(r"\{\{(\d+)\}\}")

CHIP = Markup('<span class="o_whatsapp_billing_chip" title="%s">%s</span>')

MISSING_CHIP = Markup(
    '<span class="o_whatsapp_billing_chip o_whatsapp_billing_chip_missing"'
    ' title="%s">%s</span>'
)

SEVERITIES = {"error": "danger", "warning": "warning"}


class WhatsappBillingTemplate(models.Model):
    _inherit = "whatsapp.billing.template"

    text_digest = fields.Char(
        compute="_compute_text_digest",
        store=True,
        help="Another one once a text of it, a link, or where a value comes from is"
        " another: what was filled in before says something else then.",
    )
    preview_res_id = fields.Many2oneReference(
        string="Show With",
        model_field="model",
        compute="_compute_preview_res_id",
        store=False,
        readonly=False,
    )
    preview_html = fields.Html(compute="_compute_preview_html", sanitize=False)
    problem_html = fields.Html(compute="_compute_problem_html", sanitize=False)
    header_chips = fields.Html(compute="_compute_chips", sanitize=False)
    body_chips = fields.Html(compute="_compute_chips", sanitize=False)

    # === COMPUTE METHODS === #

    @api.depends(*TEXT_PARTS, "variable_ids.format", "variable_ids.sample")
    def _compute_text_digest(self):
        for template in self:
            parts = template._get_approved_texts()
            sources = sorted(
                (v.component, v.position, v.field_path or "", v.format)
                for v in template.variable_ids
            )
            marked = json.dumps(
                [parts["texts"], parts["links"], sources], sort_keys=True
            )
            digest = hashlib.sha256(marked.encode()).hexdigest()
            template.text_digest = digest[:32]

    @api.depends("model", "document_type")
    def _compute_preview_res_id(self):
        for template in self:
            template.preview_res_id = template._find_example().id

    @api.depends(
        "preview_res_id",
        "lang_code",
        "header_type",
        "header_text",
        "body",
        "footer",
        "button_ids.kind",
        "button_ids.text",
        "button_ids.sequence",
        "variable_ids.component",
        "variable_ids.position",
        "variable_ids.field_path",
        "variable_ids.format",
        "variable_ids.sample",
    )
    def _compute_preview_html(self):
        for template in self:
            record = template._get_preview_record()
            values = template._prepare_preview(
                *template._get_preview_texts(),
                filename=record and parameters.filename(record.display_name or ""),
            )
            template.preview_html = template._render_phone(values)

    @api.depends("problems", "status_detail")
    def _compute_problem_html(self):
        for template in self:
            template.problem_html = Markup().join(
                Markup('<div class="text-%s"><i class="fa fa-%s me-1"></i>%s</div>')
                % (
                    SEVERITIES.get(problem["severity"], "muted"),
                    "times-circle"
                    if problem["severity"] == "error"
                    else "exclamation-triangle",
                    problem["message"],
                )
                for problem in template.problems or []
                # Not those that the form shows at its top after Submit.
                if problem["message"] not in (template.status_detail or "")
            )

    @api.depends(
        "header_text",
        "body",
        "variable_ids.component",
        "variable_ids.position",
        "variable_ids.name",
        "variable_ids.sample",
    )
    def _compute_chips(self):
        for template in self:
            template.header_chips = template._get_chips("header", template.header_text)
            template.body_chips = template._get_chips("body", template.body)

    # === ACTION METHODS === #

    def action_send_test(self):
        """Send this template, filled in with an example, to the user's own number."""
        self.ensure_one()
        record = self._get_preview_record() or self._find_example()
        if not record or record == self:
            raise UserError(
                self.env._(
                    "There is no document yet to fill the template in with. Choose "
                    "what it is for, and make one such document."
                )
            )
        return self._send_test(record)

    # === BUSINESS METHODS - RENDERING === #

    def _render_values(self, records, recipients):
        """Return what goes into the placeholders, and the text that people will see.

        Values are read as superuser: whoever may send a document need not be able to
        open every record it mentions. Which fields may be named is asked here, once
        for all documents, of the sender and of whoever chose them
        (`template_variable.py`).

        :param recipients: {record id: partners written to}
        :return: {(record id, partner id): {header, body, buttons, text, problem}};
            `problem` is a sentence, or None where the values fit
        """
        self.ensure_one()
        misfit = self._get_misfit(records._name)
        if misfit:
            return {
                (record.id, partner.id): self._refuse(misfit)
                for record in records
                for partner in recipients.get(record.id) or ()
            }
        # sudo: any document model - the sender may not open all that a text mentions
        records_sudo = records.sudo()
        if self._uses_pay_link():
            self._ensure_access_tokens(records_sudo)
        parts = self._get_approved_texts()
        rendered = {}
        for lang, pairs in self._group_by_lang(records_sudo, recipients).items():
            values = self._read_documents(records_sudo, lang)
            for record_id, partner in pairs:
                texts = self._get_texts(values[record_id], partner)
                rendered[record_id, partner.id] = self._fill(parts, texts)
        return rendered

    def _get_approved_texts(self):
        """Return the texts with placeholders, and the links by their button's place.

        Read once for all documents: a Json field is parsed each time it is read.
        """
        components = self._components()
        codec = self._get_codec()
        return {
            "texts": codec.texts(components),
            "links": codec.links(components),
            "link_variables": {
                place: (variable.component, variable.position)
                for place, variable in self._get_button_variables().items()
            },
        }

    def _group_by_lang(self, records, recipients):
        """Return {Odoo language: [(record id, partner)]}."""
        groups = defaultdict(list)
        installed = [code for code, _name in self.env["res.lang"].get_installed()]
        everybody = {p.id for record in records for p in recipients.get(record.id, ())}
        # sudo: res.partner - name and language of whoever is written to
        people_sudo = {
            p.id: p for p in self.env["res.partner"].sudo().browse(everybody)
        }
        for record in records:
            for partner in recipients.get(record.id) or ():
                partner_sudo = people_sudo[partner.id]
                lang = self._get_odoo_lang(partner_sudo.lang, installed)
                groups[lang].append((record.id, partner_sudo))
        return groups

    def _get_odoo_lang(self, partner_lang, installed):
        """Return the installed language to write in, "" if there is none.

        A template in `es` for a Mexican is written with Mexican dates and amounts.
        """
        base = self.lang_code.partition("_")[0]
        same = [code for code in installed if code.partition("_")[0] == base]
        if self.lang_code in same:
            return self.lang_code
        if partner_lang in same and "_" not in self.lang_code:
            return partner_lang
        return same[0] if same and "_" not in self.lang_code else ""

    def _read_documents(self, records, lang, variables=None):
        """Return {record id: {variable: text or None}} for what partners share.

        Whoever asks, and wherever they are: days are those of the document's own
        company, and so are the words where the template's language is not installed.

        :param variables: all but the recipient's name by default
        """
        if variables is None:
            variables = self.variable_ids.filtered(
                lambda v: v.field_path != RECIPIENT_NAME
            )
        found = {}
        for mine in self._in_own_companies(records):
            # sudo: res.company - in which language it works, and where it is
            home_sudo = mine.env.company.sudo().partner_id
            for record in mine.with_context(
                lang=lang or home_sudo.lang or "en_US", tz=home_sudo.tz or "UTC"
            ):
                found[record.id] = {
                    variable: self._read_variable(record, variable, lang)
                    for variable in variables
                }
        return found

    def _is_of_lines(self, path):
        """Tell whether a value is one of what a message is about, line by line.

        Overridden by reminders, which ask of each line whether it is so yet.
        """
        return False

    @api.model
    def _in_own_companies(self, records):
        """Return documents as their companies read them, company by company.

        What a contact has in each company, its payment terms say, is one thing there
        and another where the user works, or the cron.
        """
        messages = self.env["whatsapp.billing.message"]
        return [
            mine.with_company(company)
            for company, mine in records.grouped(messages._company).items()
        ]

    def _read_variable(self, record, variable, lang):
        path = variable.field_path
        if not path:
            return ""
        if path == PAY_LINK:
            return _get_portal_suffix(record)
        if path == COMPANY_NAME:
            own = record["company_id"] if "company_id" in record._fields else None
            return (own or self.env.company).name
        *steps, name = path.split(".")
        for step in steps:
            record = record[step]
        return self._format_value(record, name, variable.format, lang)

    def _format_value(self, record, name, kind, lang):
        field = record._fields[name]
        value = record[name]
        if record._name == "res.partner" and name in PARTNER_NAMES:
            return record._wab_said_name()
        if field.relational and field.comodel_name == "res.partner" and value:
            return ", ".join(partner._wab_said_name() for partner in value)
        if kind == "money" and field.type in ("monetary", "float", "integer"):
            return self._format_money(value, _get_currency(record, field), lang)
        if value is False or value is None or (not value and field.relational):
            return ""
        if field.type == "datetime":
            value = fields.Datetime.context_timestamp(record, value).date()
        if field.type in ("date", "datetime"):
            return self._format_date(value, lang)
        if field.type == "selection":
            return str(dict(field._description_selection(record.env)).get(value, value))
        if field.relational:
            return value.display_name or ""
        if kind == "number" or field.type in ("monetary", "float"):
            return babel.numbers.format_decimal(value, locale=self._get_locale(lang))
        return str(value)

    def _format_money(self, value, currency, lang):
        # Cached for the transaction: formatting an amount takes long, and thousands
        # have the same.
        known = self.env.cr.cache.setdefault("whatsapp_billing.money", {})
        name = (value, currency.id, lang, self.lang_code)
        if name not in known:
            known[name] = self._make_money(value, currency, lang)
        return known[name]

    def _make_money(self, value, currency, lang):
        if not currency:
            return babel.numbers.format_decimal(value, locale=self._get_locale(lang))
        if lang:
            return format_amount(self.env, value, currency, lang_code=lang)
        return babel.numbers.format_currency(
            currency.round(value), currency.name, locale=self._get_locale(lang)
        )

    def _format_date(self, value, lang):
        if lang:
            return format_date(self.env, value, lang_code=lang)
        return babel.dates.format_date(
            value, format="medium", locale=self._get_locale(lang)
        )

    def _get_locale(self, lang):
        """Return the locale of a language that need not be installed."""
        try:
            return Locale.parse(lang or self.lang_code)
        except (UnknownLocaleError, ValueError):
            return Locale.parse("en")

    # === BUSINESS METHODS - FILLING IN === #

    def _refuse(self, problem):
        """Return what `_render_values` does where nothing may be filled in."""
        return {
            "header": None,
            "body": [],
            "buttons": [],
            "text": "",
            "problem": problem,
        }

    def _get_texts(self, values, partner):
        """Return {(component, position): text} for one document and recipient."""
        return {
            (v.component, v.position): parameters.clean(
                partner._wab_said_name()
                if v.field_path == RECIPIENT_NAME
                else values[v] or ""
            )
            for v in self.variable_ids
        }

    def _fill(self, parts, texts):
        """Return one message's parameters, its text and what is wrong with them."""
        given = {name: _collect(texts, name) for name in ("header", "body")}
        ends = {
            place: texts.get(parts["link_variables"].get(place), "")
            for place in parts["links"]
        }
        has_header = bool(parameters.placeholders(parts["texts"]["header"]))
        return {
            "header": given["header"][0] if has_header and given["header"] else None,
            "body": given["body"],
            "buttons": [[place - 1, "url", end] for place, end in ends.items()],
            "text": parameters.without_keys(
                parameters.fill(parts["texts"]["body"], given["body"])
            ),
            "problem": self._get_fill_problem(parts, given, ends),
        }

    def _get_fill_problem(self, parts, given, ends):
        """Return in words why WhatsApp would refuse these values, or None."""
        for component, text in parts["texts"].items():
            problem = parameters.check(text, given[component], component)
            if problem:
                return self.env._(problem.message_template, **problem.params)
        for place, url in parts["links"].items():
            problem = parameters.check(url, [ends[place]], "button")
            if problem and not ends[place]:
                return self.env._(
                    "The link of button %(place)s has no value. Fill in the field it"
                    " comes from, or choose another one in the template.",
                    place=place,
                )
            if problem:
                return self.env._(problem.message_template, **problem.params)
        return None

    def _uses_pay_link(self):
        return PAY_LINK in self.variable_ids.mapped("field_path")

    @api.model
    def _ensure_access_tokens(self, records):
        """Give every document the token of its portal page, in one statement.

        Called with sudo.
        """
        if "access_token" not in records._fields:
            return
        missing = records.filtered(lambda record: not record.access_token)
        if not missing:
            return
        missing.flush_recordset(["access_token"])
        rows = SQL(", ").join(
            SQL("(%s, %s)", record.id, str(uuid.uuid4())) for record in missing
        )
        self.env.cr.execute(
            SQL(
                "UPDATE %(table)s AS record SET access_token = new.token"
                " FROM (VALUES %(rows)s) AS new (id, token)"
                " WHERE record.id = new.id AND record.access_token IS NULL",
                table=SQL.identifier(records._table),
                rows=rows,
            )
        )
        missing.invalidate_recordset(["access_token"])

    # === BUSINESS METHODS === #

    def _get_chips(self, component, text):
        """Return a text with what its variables mean in place of their braces."""
        variables = {
            variable.position: variable
            for variable in self.variable_ids
            if variable.component == component
        }

        def chip(match):
            variable = variables.get(int(match[1]))
            return str(
                MISSING_CHIP % (self.env._("Add this variable below."), match[0])
                if not variable
                else CHIP % (variable.sample or "", variable.name or match[0])
            )

        return Markup(PLACE.sub(chip, markup.to_html(text or "")))

    def _find_example(self):
        """Return a document that the user can open, to show the template with."""
        model = self.model
        if not model or model not in self.env:
            return self
        records = self.env[model]
        if not records.has_access("read"):
            return records
        domain = records._wab_example_domain(self.document_type)
        return records.search(domain, limit=1)

    def _get_preview_texts(self):
        """Return header and body with a document's values, else with the examples."""
        texts = self._get_samples() | self._get_document_texts()
        filled = (
            parameters.fill(self.header_text or "", _ordered(texts, "header")),
            parameters.fill(self.body or "", _ordered(texts, "body")),
        )
        return tuple(map(parameters.without_keys, filled))

    def _get_preview_record(self):
        """Return the chosen document, if the user may look at it."""
        if not (self.model and self.model in self.env and self.preview_res_id):
            return None
        record = self.env[self.model].browse(self.preview_res_id).exists()
        return record if record and record.has_access("read") else None

    def _get_document_texts(self):
        """Return {(component, position): text} from the chosen document."""
        record = self._get_preview_record()
        if not record:
            return {}
        partner = record._wab_addressees()
        installed = [code for code, _name in self.env["res.lang"].get_installed()]
        # sudo: res.partner - name and language of whom the example is written to
        lang = self._get_odoo_lang(partner.sudo().lang, installed)
        texts = {}
        for variable in self.variable_ids:
            text = self._get_variable_text(record, partner, variable, lang)
            if text:
                texts[variable.component, variable.position] = text
        return texts

    def _get_variable_text(self, record, partner, variable, lang):
        path = variable.field_path
        if path == "recipient.name":
            # sudo: res.partner - the name of whom the example is written to
            return partner.sudo()._wab_said_name()
        problem = path and variable._get_path_problem(record._name, path)
        if not path or problem:
            return ""
        # sudo: any document model - as when it is sent; the path was just checked
        (record_sudo,) = self._in_own_companies(record.sudo())
        return self._read_variable(
            record_sudo.with_context(lang=lang or self.env.lang), variable, lang
        )

    @api.model
    def _prepare_preview(
        self, header, body, template=None, filename=None, ticks=None, time=None
    ):
        """Return what `whatsapp_billing.phone_preview` shows.

        :param template: whose header, footer and buttons to show; default this one
        :param filename: of the document in the header
        :param ticks: sent, delivered, read, failed or None
        """
        template = template or self
        return {
            "header": template._prepare_header(header, filename),
            "body_html": Markup(markup.to_html(body or "")),
            "footer": template.footer or "",
            "buttons": [
                button.text or "" for button in template.button_ids.sorted("sequence")
            ],
            "clock": time or "",
            "ticks": ticks or "",
        }

    def _prepare_header(self, text, filename):
        kind = self.header_type or "none"
        name = filename or parameters.filename(
            str(self.document_type or self.env._("document"))
        )
        return {"kind": kind, "text": text or "", "filename": name}

    @api.model
    def _render_phone(self, values):
        """Return the phone as HTML, from `_prepare_preview`'s values."""
        return self.env["ir.qweb"]._render("whatsapp_billing.phone_preview", values)

    def _send_test(self, record):
        """Queue one message about a document to the user; the way every message goes.

        :return: a notification that says what became of it
        :raise UserError: when the user has no number of their own
        """
        self.ensure_one()
        partner = self.env.user.partner_id
        if not partner.wab_recipient:
            raise UserError(
                self.env._(
                    "You have no WhatsApp number yourself. Add it, with country code, "
                    "to your own contact %(name)s.",
                    name=partner.display_name,
                )
            )
        send_request = SendRequest(
            const.TEST_METHOD, template=self.id, explicit=True, is_test=True
        )
        [result] = self.env["whatsapp.billing.message"]._enqueue(
            record,
            {record.id: partner},
            {record.id: self.document_type or record._wab_document_type()},
            send_request,
        )
        queued = result["state"] == "queued"
        on_its_way = self.env._(
            "On its way to %(number)s.", number=partner.wab_recipient
        )
        return client_action.notification(
            "success" if queued else "warning",
            on_its_way if queued else result["detail"],
            title=self.env._("Test message"),
        )


def _collect(texts, component):
    """Return the values of one part by position, "" for a missing one."""
    positions = [position for name, position in texts if name == component]
    return [
        texts.get((component, position), "")
        for position in range(1, max(positions, default=0) + 1)
    ]


def _get_currency(record, field):
    """Return the currency of an amount: its field's, else the document's."""
    name = field.get_currency_field(record) if field.type == "monetary" else None
    if name or "currency_id" in record._fields:
        return record[name or "currency_id"]
    return record.env["res.currency"]


def _get_portal_suffix(record):
    """Return the document's page after the address, "" for one that has none."""
    url = record["access_url"] if "access_url" in record._fields else ""
    if not url or url == "#":
        return ""
    return f"{url.lstrip('/')}?access_token={record.access_token}"


def _ordered(texts, component):
    """Return the values by position; a missing one keeps its braces."""
    positions = [position for name, position in texts if name == component]
    return [
        texts.get((component, position)) or f"{{{{{position}}}}}"
        for position in range(1, max(positions, default=0) + 1)
    ]
