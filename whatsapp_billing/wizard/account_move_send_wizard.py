# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import logging

from odoo import api, fields, models
from odoo.tools import format_datetime

from ..const import METHOD, TEST_METHOD
from ..models.common import labels
from ..models.common.savepoint import savepoint_or_log
from ..models.common.send_request import HOLD_REASONS, SendRequest
from ..rules import languages
from .phone_preview import render_phone, render_problems

_logger = logging.getLogger(__name__)

GROUP = "whatsapp_billing.group_user"

# Reasons whose link leads to the templates, not to the contact.
TEMPLATE_REASONS = (
    "no_template",
    "template_not_approved",
    "template_unsupported",
    "bad_parameter",
)


class AccountMoveSendWizard(models.TransientModel):
    """The Send dialog with WhatsApp beside e-mail.

    A problem of WhatsApp is a sentence in the dialog, never an error: e-mail must
    always remain possible. Only where WhatsApp is the one method ticked
    and reaches nobody does Send refuse, through Odoo's own blocking alerts.
    """

    _name = "account.move.send.wizard"
    _inherit = ["account.move.send.wizard", "whatsapp.billing.recipient.guard"]
    _wab_recipients_name = "wab_partner_ids"

    wab_customer_id = fields.Many2one(related="move_id.commercial_partner_id")
    wab_document_type = fields.Char(compute="_compute_wab_document_type")
    wab_template_id = fields.Many2one(
        "whatsapp.billing.template",
        string="WhatsApp Template",
        compute="_compute_wab_template_id",
        store=True,
        readonly=False,
        groups=GROUP,
        domain="""[
            ('status', '=', 'approved'),
            ('document_type', '=', wab_document_type),
            ('company_id', 'in', [False, company_id]),
            '|', ('account_id', '=', False), ('account_id.company_id', '=', company_id),
        ]""",
    )
    wab_partner_ids = fields.Many2many(
        "res.partner",
        "account_move_send_wizard_wab_partner_rel",
        "wizard_id",
        "partner_id",
        string="WhatsApp To",
        compute="_compute_wab_partner_ids",
        store=True,
        readonly=False,
    )
    wab_lang = fields.Char(
        string="Language of the Message",
        compute="_compute_wab_preview_data",
        compute_sudo=False,
    )
    wab_preview_data = fields.Json(
        compute="_compute_wab_preview_data", compute_sudo=False
    )
    wab_preview_html = fields.Html(
        compute="_compute_wab_preview_data", compute_sudo=False, sanitize=False
    )
    wab_problems_html = fields.Html(
        compute="_compute_wab_preview_data", compute_sudo=False, sanitize=False
    )
    wab_cost_html = fields.Html(
        compute="_compute_wab_preview_data", compute_sudo=False, sanitize=False
    )

    # === COMPUTE METHODS === #

    @api.depends("move_id")
    def _compute_wab_document_type(self):
        for wizard in self:
            wizard.wab_document_type = wizard.move_id._wab_document_type()

    @api.depends("move_id")
    def _compute_wab_partner_ids(self):
        for wizard in self:
            move = wizard.move_id
            wizard.wab_partner_ids = move._wab_get_recipients()[move.id]

    @api.depends("move_id", "wab_partner_ids")
    def _compute_wab_template_id(self):
        for wizard in self:
            wizard.wab_template_id = wizard._wab_default_template()

    @api.depends("move_id", "sending_methods", "wab_template_id", "wab_partner_ids")
    def _compute_wab_preview_data(self):
        """Look at what would be sent, without sending or keeping anything."""
        for wizard in self:
            results = (
                wizard._wab_preview_results()
                if METHOD in (wizard.sending_methods or [])
                else []
            )
            going = [found for found in results if not found["reason"]]
            shown = going or [found for found in results if found["template_id"]]
            wizard.wab_preview_data = {
                "going": len(going),
                "waiting": sum(found["waits"] for found in results),
                "detail": results[0]["detail"] if results else False,
                "reason": results[0]["reason"] if results else False,
            }
            wizard.wab_lang = wizard._wab_language_names(shown)
            wizard.wab_cost_html = wizard._wab_cost(results)
            wizard.wab_problems_html = render_problems(self.env, results)
            wizard.wab_preview_html = shown and render_phone(self.env, shown[0])

    @api.depends("move_id")
    def _compute_sending_method_checkboxes(self):
        """Override of `account`: WhatsApp is proposed only where it reaches somebody.

        Where it does not, e-mail is what remains.
        """
        super()._compute_sending_method_checkboxes()
        for wizard in self:
            boxes = wizard.sending_method_checkboxes or {}
            if not self.env.user.has_group(GROUP):
                boxes.pop(METHOD, None)
            elif boxes.get(METHOD, {}).get("checked") and not wizard._wab_reaches():
                boxes[METHOD]["checked"] = False
            if "email" in boxes and wizard._wab_falls_back(boxes):
                boxes["email"]["checked"] = True
            wizard.sending_method_checkboxes = boxes

    @api.depends("wab_preview_data")
    def _compute_alerts(self):
        """Override of `account` to judge by the recipients chosen in the dialog."""
        super()._compute_alerts()
        for wizard in self:
            alerts = dict(wizard.alerts or {})
            # Core's alerts are about the customer; the chosen recipients count here.
            alerts.pop("whatsapp_billing_no_number", None)
            alerts.pop("whatsapp_billing_not_sent", None)
            wizard.alerts = alerts | wizard._wab_alerts()

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse dialogs about invoices that their user may not read.

        What is proposed in them, and to whom, Odoo computes as superuser.
        """
        wizards = super().create(vals_list)
        if not self.env.su:
            wizards.move_id.check_access("read")
        return wizards

    def write(self, vals):
        """Refuse an invoice that the user may not read."""
        result = super().write(vals)
        if "move_id" in vals and not self.env.su:
            self.move_id.check_access("read")
        return result

    # === BUSINESS METHODS === #

    def _wab_recipient_companies(self):
        """Override: the invoice's, as other programs' dialogs have no company."""
        return self.move_id.company_id

    def _get_sending_settings(self):
        """Override of `account` to hand over template and recipients of WhatsApp."""
        settings = super()._get_sending_settings()
        if METHOD in (self.sending_methods or []):
            settings["wab_template_id"] = self._wab_chosen_template()
            settings["wab_partner_ids"] = self._wab_chosen_partners()
        return settings

    def _wab_chosen_partners(self):
        """Return the recipients' ids if somebody chose them, else False.

        Those that are proposed are the document's to say, also once it waits.
        """
        chosen, move = self.wab_partner_ids._origin, self.move_id._origin
        return chosen.ids if chosen != move._wab_get_recipients()[move.id] else False

    def _wab_chosen_template(self):
        """Return the template's id if somebody chose it, else False.

        The proposed one is that of the first recipient; the others get theirs in
        their own language, which only happens when none is named.
        """
        chosen = self.wab_template_id
        return chosen.id if chosen != self._wab_default_template() else False

    def _wab_default_template(self):
        """Return the template that the first recipient would get."""
        templates = self.env["whatsapp.billing.template"]
        if not self.env.user.has_group(GROUP):
            return templates
        company = self.move_id.company_id
        partner = self.wab_partner_ids[:1]
        found = templates._find_default(
            # sudo: res.company - which account sends is not the clerk's
            company.sudo().wab_account_id,
            self.move_id._wab_document_type(),
            languages.candidates(partner.lang or "", company.partner_id.lang or ""),
        )
        # sudo: whatsapp.billing.template - one that cannot be sent is not proposed
        return found if found.sudo().status == "approved" else templates

    def _wab_preview_results(self):
        """Return what would become of this document for each recipient."""
        move, messages = self.move_id._origin, self.env["whatsapp.billing.message"]
        send_request = SendRequest(
            "send_dialog", template=self._wab_chosen_template(), explicit=True
        )
        text = "No preview of the WhatsApp message"
        with savepoint_or_log(self.env, _logger, text) as look:
            results = messages._preview(
                move,
                {move.id: self.wab_partner_ids._origin},
                {move.id: move._wab_document_type()},
                send_request,
            )
        if look.error:
            # A fault of ours is shown as an alert: e-mail can still be sent.
            results = [self._wab_broken()]
        return [found | {"waits": found["reason"] in HOLD_REASONS} for found in results]

    def _wab_cost(self, results):
        """Return what these messages cost, as the dialog shows it."""
        wallets = self.env["whatsapp.billing.credit.wallet"]
        items = [
            (found["recipient"], found["category"] or "utility", found["phone_id"])
            for found in results
            if found["waits"] or not found["reason"]
        ]
        if not items:
            return False
        return wallets._render_estimates(
            [wallets._estimate(self.move_id.company_id, items)]
        )

    def _wab_broken(self):
        return {
            "partner_name": self.move_id.partner_id.display_name,
            "recipient": "",
            "lang_code": "",
            "template_id": False,
            "phone_id": False,
            "category": False,
            "reason": "bad_parameter",
            "detail": self.env._(
                "The message could not be prepared. Ask whoever manages the templates."
            ),
            "body": "",
            "content": False,
            "filename": "",
        }

    def _wab_reaches(self):
        """Return whether somebody would get the message, now or later."""
        return any(
            found["waits"] or not found["reason"]
            for found in self._wab_preview_results()
        )

    def _wab_falls_back(self, boxes):
        """Return whether WhatsApp was to go alone and now nothing would."""
        if any(box["checked"] for box in boxes.values()):
            return False
        return self._get_default_sending_methods(self.move_id) == {METHOD}

    def _wab_language_names(self, results):
        codes = dict.fromkeys(found["lang_code"] for found in results)
        return ", ".join(labels.language(self.env, code) for code in codes if code)

    # === BUSINESS METHODS - ALERTS === #

    def _wab_alerts(self):
        """Return Odoo's alerts for what keeps WhatsApp from going out."""
        if METHOD not in (self.sending_methods or []):
            return self._wab_fallback_alert()
        look = self.wab_preview_data
        alerts = self._wab_stranger_alert() | self._wab_again_alert()
        if look["going"]:
            return alerts
        others = [method for method in self.sending_methods if method != METHOD]
        if look["waiting"]:
            return {"whatsapp_billing": self._wab_alert("info", look["detail"])}
        if others:
            text = self.env._(
                "Nobody gets this on WhatsApp; it goes out by the other methods only."
            )
            return {"whatsapp_billing": self._wab_alert("warning", text)}
        text = self.env._(
            "Nobody can get this on WhatsApp: %(why)s Tick another way to send it, "
            "or choose another recipient.",
            why=look["detail"] or self.env._("There is no recipient."),
        )
        return {"whatsapp_billing": self._wab_alert("danger", text)}

    def _wab_stranger_alert(self):
        """Say who would read another customer's document."""
        owner = self.move_id.commercial_partner_id
        strangers = self.wab_partner_ids._origin.filtered(
            lambda partner: partner._wab_is_stranger(owner.id)
        )
        if not strangers:
            return {}
        text = self.env._(
            "%(names)s: does not belong to %(customer)s, and would get this document"
            " with its link.",
            names=", ".join(strangers.mapped("display_name")),
            customer=owner.display_name,
        )
        return {
            "whatsapp_billing_stranger": {"level": "warning", "message": text},
        }

    def _wab_again_alert(self):
        """Say that the same was sent before, to whom, and what became of it."""
        sent = self.env["whatsapp.billing.message"].search(
            [
                *self.move_id._origin._wab_message_domain(),
                ("document_type", "=", self.wab_document_type),
                ("partner_id", "in", self.wab_partner_ids._origin.ids),
                ("state", "in", ["sent", "delivered", "read"]),
                ("method", "!=", TEST_METHOD),
            ],
            limit=1,
        )
        if not sent:
            return {}
        states = dict(sent._fields["state"]._description_selection(self.env))
        at = sent.read_at or sent.delivered_at or sent.sent_at
        text = self.env._(
            "%(state)s: %(name)s, %(when)s. Sending it again is paid again.",
            state=states[sent.state],
            # sudo: res.partner - the name of whom a readable message is about
            name=sent.partner_id.sudo().display_name or sent.recipient,
            when=format_datetime(self.env, at) if at else "",
        )
        return {"whatsapp_billing_again": {"level": "info", "message": text}}

    def _wab_fallback_alert(self):
        """Say why WhatsApp is not ticked although this customer usually has it."""
        boxes = self.sending_method_checkboxes or {}
        if METHOD not in boxes or METHOD not in self._get_default_sending_methods(
            self.move_id
        ):
            return {}
        results = self._wab_preview_results()
        if not results or any(not found["reason"] for found in results):
            return {}
        text = self.env._(
            "WhatsApp cannot reach %(name)s: %(why)s",
            name=results[0]["partner_name"] or self.env._("anybody"),
            why=results[0]["detail"],
        )
        alert = self._wab_alert("info", text, results[0]["reason"])
        return {"whatsapp_billing": alert}

    def _wab_alert(self, level, text, reason=None):
        """Return Odoo's alert with a link to where its reason is mended."""
        reason = reason or (self.wab_preview_data or {}).get("reason")
        partners = self.wab_partner_ids._origin or self.move_id.partner_id
        off = partners.with_company(self.company_id).filtered(
            lambda partner: not partner.wab_enabled
        )
        if off and reason == "not_enabled":
            return {
                "level": level,
                "message": text,
                "action_text": self.env._(
                    "Switch on for %(name)s", name=off[0].display_name
                ),
                "action": {
                    "type": "ir.actions.act_window",
                    "name": self.env._("Switch On WhatsApp"),
                    "res_model": "whatsapp.billing.partner.enable",
                    "views": [[False, "form"]],
                    "target": "new",
                    "context": {"default_res_ids": off.ids},
                },
            }
        if reason in TEMPLATE_REASONS:
            return {
                "level": level,
                "message": text,
                "action_text": self.env._("Open Templates"),
                "action": {
                    **self.env["ir.actions.act_window"]._for_xml_id(
                        "whatsapp_billing.template_action"
                    ),
                    "domain": [("document_type", "=", self.wab_document_type)],
                },
            }
        return {
            "level": level,
            "message": text,
            "action_text": self.env._("View Contact"),
            "action": partners._get_records_action(name=self.env._("Contacts")),
        }
