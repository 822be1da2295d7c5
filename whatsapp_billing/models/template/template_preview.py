# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The message as the phone shows it, while it is being written."""

import re

from markupsafe import Markup

from odoo import api, fields, models

from ...rules import markup, parameters

PLACE = re.compile(r"\{\{(\d+)\}\}")
CHIP = Markup('<span class="o_whatsapp_billing_chip" title="%s">%s</span>')
MISSING_CHIP = Markup(
    '<span class="o_whatsapp_billing_chip o_whatsapp_billing_chip_missing"'
    ' title="%s">%s</span>'
)
SEVERITIES = {"error": "danger", "warning": "warning"}


class WhatsappBillingTemplate(models.Model):
    _inherit = "whatsapp.billing.template"

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
                # After a press on Submit they stand at the top of the form.
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


def _ordered(texts, component):
    """Return the values by position; a missing one keeps its braces."""
    positions = [position for name, position in texts if name == component]
    return [
        texts.get((component, position)) or f"{{{{{position}}}}}"
        for position in range(1, max(positions, default=0) + 1)
    ]
