# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, models

from ...clients.whatsapp.error_table import TEMPLATE_DISABLED, TEMPLATE_PAUSED
from ..common import call_arguments

# What templates are that the provider stopped.
STOPPED = {TEMPLATE_PAUSED: "paused", TEMPLATE_DISABLED: "disabled"}


class WhatsappBillingTemplate(models.Model):
    _inherit = "whatsapp.billing.template"

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
        # The ten digits only: others count as digits too and are no number of ours.
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
