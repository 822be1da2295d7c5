# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import Counter

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.common import client_action, labels
from ..models.common.send_request import HOLD_REASONS, SendRequest
from ..rules import eligibility, languages
from .compose_summary import count_targets
from .phone_preview import render_phone, render_problems


class WhatsappBillingCompose(models.TransientModel):
    """Send many documents on WhatsApp, after seeing who gets them and who does not.

    Set-based: opening it and pressing Send take the same number of queries whatever
    the number of documents; only one document per template is filled in to be shown.
    """

    _name = "whatsapp.billing.compose"
    _inherit = ["whatsapp.billing.recipient.guard", "whatsapp.billing.links.mixin"]
    _description = "Send by WhatsApp"
    _wab_recipients_name = "partner_ids"

    res_model = fields.Selection("_get_models", required=True, readonly=True)
    res_ids = fields.Json(required=True, readonly=True)
    is_single = fields.Boolean(compute="_compute_is_single")
    is_template_required = fields.Boolean(compute="_compute_is_single")
    template_id = fields.Many2one(
        "whatsapp.billing.template",
        domain="[('id', 'in', allowed_template_ids)]",
    )
    allowed_template_ids = fields.Many2many(
        "whatsapp.billing.template", compute="_compute_allowed_template_ids"
    )
    partner_ids = fields.Many2many(
        "res.partner",
        "whatsapp_billing_compose_partner_rel",
        "compose_id",
        "partner_id",
        string="To",
    )
    summary = fields.Json(
        compute="_compute_summary",
        store=True,
        help="Who gets a message and who does not, with the ids of the documents.",
    )
    message_count = fields.Integer(compute="_compute_alerts")
    headline = fields.Char(compute="_compute_alerts")
    alerts = fields.Json(compute="_compute_alerts")
    shown_template_ids = fields.Many2many(
        "whatsapp.billing.template", compute="_compute_shown_template_ids"
    )
    is_preview_choice = fields.Boolean(compute="_compute_shown_template_ids")
    shown_template_id = fields.Many2one(
        "whatsapp.billing.template",
        string="Preview",
        compute="_compute_shown_template_id",
        store=True,
        readonly=False,
        domain="[('id', 'in', shown_template_ids)]",
    )
    cost_html = fields.Html(compute="_compute_cost_html", sanitize=False)
    preview_html = fields.Html(compute="_compute_preview_html", sanitize=False)
    problems_html = fields.Html(compute="_compute_preview_html", sanitize=False)
    is_sent = fields.Boolean(readonly=True)

    # === COMPUTE METHODS === #

    @api.model
    def _get_models(self):
        """Return the models whose records are sent, with their names."""
        names = self.env["whatsapp.billing.document.mixin"]._wab_model_names()
        return [(name, self.env[name]._description) for name in names]

    @api.depends("res_model", "res_ids")
    def _compute_is_single(self):
        for wizard in self:
            is_contact = wizard._records()._wab_is_contact()
            wizard.is_single = len(wizard.res_ids or []) == 1 and not is_contact
            wizard.is_template_required = is_contact

    @api.depends("res_model", "res_ids")
    def _compute_allowed_template_ids(self):
        templates = self.env["whatsapp.billing.template"]
        for wizard in self:
            records = wizard._records()
            types = records._wab_possible_types()
            companies = self.env.companies
            if "company_id" in records._fields and records.company_id:
                companies = records._wab_companies()
            wizard.allowed_template_ids = templates.search(
                [
                    ("status", "=", "approved"),
                    ("document_type", "in", list(types)),
                    ("obstacle", "=", False),
                    *templates._get_company_domain(companies),
                ]
            )

    @api.depends("res_model", "res_ids", "template_id", "partner_ids")
    def _compute_summary(self):
        for wizard in self:
            wizard.summary = wizard._as_creator()._summarise()

    @api.depends("summary")
    def _compute_shown_template_ids(self):
        for wizard in self:
            shown = (wizard.summary or {}).get("shown", [])
            wizard.shown_template_ids = [entry["template_id"] for entry in shown]
            wizard.is_preview_choice = len(shown) > 1

    @api.depends("summary")
    def _compute_shown_template_id(self):
        for wizard in self:
            shown = (wizard.summary or {}).get("shown", [])
            wizard.shown_template_id = shown[0]["template_id"] if shown else False

    @api.depends("summary", "shown_template_id")
    def _compute_preview_html(self):
        """Fill in one document of the template that is looked at."""
        for wizard in self:
            found = wizard._preview_example()
            shown = wizard.shown_template_id.id
            example = [entry for entry in found if entry["template_id"] == shown]
            wizard.preview_html = found and render_phone(
                self.env, (example or found)[0]
            )
            wizard.problems_html = render_problems(
                self.env,
                [
                    entry | {"waits": entry["reason"] in HOLD_REASONS}
                    for entry in found
                    if entry["reason"] == "bad_parameter"
                ],
            )

    @api.depends("summary")
    def _compute_cost_html(self):
        """Say what it costs, or to those who may not see that, whether it is enough."""
        wallets = self.env["whatsapp.billing.credit.wallet"]
        for wizard in self:
            estimates = (wizard.summary or {}).get("cost")
            wizard.cost_html = wallets._render_estimates(estimates)

    @api.depends("summary")
    def _compute_alerts(self):
        for wizard in self:
            summary = wizard.summary or {}
            wizard.message_count = summary.get("going", 0) + summary.get("waiting", 0)
            wizard.headline = wizard._get_headline(summary)
            wizard.alerts = wizard._get_alerts(summary)

    # === ACTION METHODS === #

    def action_send(self):
        """Queue the messages, once, and open them.

        :raise UserError: when nobody would get one
        """
        self.ensure_one()
        if self.is_template_required and not self.template_id:
            raise UserError(self.env._("Choose the template to send first."))
        if not self.is_sent:
            # Written before sending: a second press waits for this row, is repeated and
            # finds it.
            self.is_sent = True
            self.flush_recordset(["is_sent"])
            self.summary = self._queue()
        return self._open_messages(self.summary)

    def action_send_test(self):
        """Send the message that is shown to the user's own number."""
        self.ensure_one()
        example = self._get_example()
        if not example:
            raise UserError(self.env._("There is no message to try out yet."))
        template = self.shown_template_id
        record = self._records().browse(example["id"])
        return template._send_test(record)

    # === BUSINESS METHODS === #

    @api.model
    def _open(self, records):
        """Return the action that opens the composer for these documents.

        :param records: of a model with `whatsapp.billing.document.mixin`
        :raise UserError: when there are none, or none of a kind that is sent
        """
        if not records:
            raise UserError(self.env._("Select what to send first."))
        self.env["whatsapp.billing.message"]._check_may_send(records)
        if not any(record._wab_document_type() for record in records):
            raise UserError(
                self.env._(
                    "Only invoices, credit notes, sales receipts and payments of "
                    "customers go out on WhatsApp."
                )
            )
        wizard = self.create({"res_model": records._name, "res_ids": records.ids})
        if wizard.is_template_required:
            wizard.template_id = wizard._get_default_template(records)
        if wizard.is_single:
            wizard.partner_ids = records._wab_get_recipients()[records.id]
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send by WhatsApp"),
            "res_model": self._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }

    def _get_default_template(self, records):
        """Return the template for messages to contacts, in the first one's language."""
        company, partner = self.env.company, records[:1]
        found = self.env["whatsapp.billing.template"]._find_default(
            # sudo: res.company - which account sends is not the clerk's
            company.sudo().wab_account_id,
            partner._wab_document_type(),
            languages.candidates(partner.lang or "", company.partner_id.lang or ""),
        )
        return found & self.allowed_template_ids

    def _records(self):
        ids = self.res_ids or []
        model = self.res_model or "whatsapp.billing.document.mixin"
        return self.env[model].browse(ids).exists()

    def _wab_recipient_companies(self):
        """Override: those of the documents; messages to contacts are the user's."""
        records = self._records()
        if records._wab_is_contact():
            return self.env.company
        return records._wab_companies()

    def _get_recipients(self, records):
        """Return {record id: partners to write to}."""
        if self.is_single and self.partner_ids:
            # An unsaved form has contacts without ids: their originals are passed.
            return records._wab_get_recipients(self.partner_ids._origin)
        return records._wab_get_recipients()

    def _get_order(self):
        template = self.template_id
        return SendRequest(
            method="compose",
            template=template.id or False,
            explicit=True,
            is_named=self._is_named(),
        )

    def _is_named(self):
        """Tell whether somebody chose other recipients than the document's own."""
        if not self.is_single or not self.partner_ids:
            return False
        proposed = self._records()._wab_get_recipients()
        return self.partner_ids._origin not in proposed.values()

    def _summarise(self):
        """Return who would get a message, as JSON; writes and renders nothing."""
        records = self._records()
        if not records or (self.is_template_required and not self.template_id):
            return {"total": len(records), "going": 0}
        messages = self.env["whatsapp.billing.message"]
        messages._check_may_send(records)
        all_planned = messages._decide(
            records,
            self._get_recipients(records),
            records._wab_types(self.template_id),
            self._get_order(),
            render=False,
        )
        wallets = self.env["whatsapp.billing.credit.wallet"]
        return {
            "total": len(records),
            "cost": wallets._estimate_targets(all_planned),
            **count_targets(all_planned),
        }

    def _queue(self):
        """Queue all messages, also those that do not go, and count what became."""
        records = self._records()
        states = {r["message_id"]: r["state"] for r in self._enqueue(records)}
        counts = Counter(states.values())
        return {
            "total": len(records),
            "going": counts["queued"],
            "waiting": counts["held"],
            "not_sent": len(states) - counts["queued"] - counts["held"],
            "message_ids": list(states),
        }

    def _enqueue(self, records):
        """Return what `whatsapp.billing.message._enqueue` makes of all of these."""
        return self.env["whatsapp.billing.message"]._enqueue(
            records,
            self._get_recipients(records),
            records._wab_types(self.template_id),
            self._get_order(),
        )

    def _open_messages(self, summary):
        """Return a notification; of many documents it opens the messages.

        Who sent one document stays on it: its ticks say the rest.
        """
        parts = [self.env._("Messages on their way: %(count)s", count=summary["going"])]
        if summary["waiting"]:
            parts.append(self.env._("Waiting: %(count)s", count=summary["waiting"]))
        if summary["not_sent"]:
            parts.append(self.env._("Not sent: %(count)s", count=summary["not_sent"]))
        if self.is_single:
            action = client_action.close()
        else:
            action = self.env["ir.actions.act_window"]._for_xml_id(
                "whatsapp_billing.message_action"
            )
            action["domain"] = [("id", "in", summary["message_ids"])]
            action["context"] = {}
        return client_action.notification(
            "success" if summary["going"] else "warning",
            ", ".join(parts),
            action,
            title=self.env._("WhatsApp messages"),
        )

    # === BUSINESS METHODS - PREVIEW === #

    def _get_example(self):
        """Return {template_id, id, partner_id} of the document that is shown."""
        for entry in (self.summary or {}).get("shown", []):
            if entry["template_id"] == self.shown_template_id.id:
                return entry
        return None

    def _preview_example(self):
        example = self._get_example()
        if not example:
            return []
        record = self.env[self.res_model].browse(example["id"]).exists()
        if not record:
            return []
        partner = self.env["res.partner"].browse(example["partner_id"])
        records = self._get_example_records(record)
        return self.env["whatsapp.billing.message"]._preview(
            records,
            dict.fromkeys(records.ids, partner),
            records._wab_types(self.template_id),
            self._get_order(),
        )

    def _get_example_records(self, record):
        """Return the documents that the message about this one speaks of."""
        return record

    # === BUSINESS METHODS - WORDS === #

    def _get_headline(self, summary):
        going = summary.get("going", 0) + summary.get("waiting", 0)
        if self.is_template_required and not self.template_id:
            return self.env._("Choose a template to see who gets it.")
        if not going:
            return self.env._("No message can be sent.")
        if going == 1:
            return self.env._("1 message will be sent.")
        return self.env._("%(count)s messages will be sent.", count=going)

    def _get_alerts(self, summary):
        """Return Odoo's alerts: each reason with a link to exactly its documents."""
        alerts = self._get_template_alerts() | self._get_language_alerts()
        names = dict(
            self.env["whatsapp.billing.message"]
            ._fields["reason"]
            ._description_selection(self.env)
        )
        for entry in summary.get("reasons", []):
            reason = entry["reason"]
            text = self.env._(
                "%(reason)s (%(count)s): %(advice)s",
                reason=names.get(reason, reason),
                count=entry["count"],
                advice=self.env["whatsapp.billing.message"]._sentence(
                    eligibility.describe(reason)
                ),
            )
            alerts[reason] = {
                "level": "info" if reason in HOLD_REASONS else "warning",
                "message": text,
                "action_text": self.env._("Show"),
                "action": self._open_documents(entry, names.get(reason, reason)),
            }
        return alerts

    def _get_template_alerts(self):
        """Say that there is no template to choose, and lead to where one is made."""
        if not self.is_template_required or self.allowed_template_ids:
            return {}
        templates = self.env["whatsapp.billing.template"]
        kinds = self._records()._wab_possible_types()
        if not templates.has_access("create"):
            text = self.env._(
                "There is no approved template for messages to contacts yet. Ask"
                " whoever looks after WhatsApp to make one."
            )
            return {"no_template": {"level": "warning", "message": text}}
        return {
            "no_template": {
                "level": "warning",
                "message": self.env._(
                    "There is no approved template for messages to contacts yet."
                    " Submit a ready one, or make your own."
                ),
                "action_text": self.env._("Open Templates"),
                "action": {
                    "type": "ir.actions.act_window",
                    "name": self.env._("Templates for Messages to Contacts"),
                    "res_model": "whatsapp.billing.template",
                    "views": [[False, "list"], [False, "form"]],
                    "domain": [["document_type", "in", sorted(kinds)]],
                    "context": {"default_document_type": min(kinds, default=False)},
                    "target": "current",
                },
            }
        }

    def _get_language_alerts(self):
        """Say who reads another language than the template that all of them get."""
        if not self.is_template_required or not self.template_id:
            return {}
        code = self.template_id.lang_code
        others = self._records().filtered(
            lambda p: p.lang and p.lang.partition("_")[0] != code.partition("_")[0]
        )
        if not others:
            return {}
        title = self.env._("Other Languages")
        return {
            "language": {
                "level": "info",
                "message": self.env._(
                    "The template is in %(language)s; contacts with another language:"
                    " %(count)s. Send to each language by itself.",
                    language=labels.language(self.env, code),
                    count=len(others),
                ),
                "action_text": self.env._("Show"),
                "action": self._open_documents(
                    {"reason": "", "ids": others.ids, "partner_ids": others.ids}, title
                ),
            }
        }

    def _open_documents(self, entry, name):
        """Return the action that opens where the reason can be put right."""
        on_contact = entry["reason"] in (
            "no_number",
            "invalid_number",
            "opted_out",
            "not_opted_in",
        )
        model, ids = self.res_model, entry["ids"]
        if on_contact and entry["partner_ids"]:
            model, ids = "res.partner", entry["partner_ids"]
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "views": [[False, "list"], [False, "form"]],
            "domain": [["id", "in", ids]],
            "target": "current",
        }
