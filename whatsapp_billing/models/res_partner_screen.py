# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What people see of WhatsApp on a contact: number, consent, messages."""

from odoo import api, fields, models

from ..rules import numbers

GROUP = "whatsapp_billing.group_user"
CONSENT_STATES = [
    ("granted", "Agreed"),
    ("withdrawn", "Withdrawn"),
    ("none", "Never asked"),
]
# Odoo's tag colours.
RED, GREEN = 1, 10


class ResPartner(models.Model):
    _inherit = "res.partner"

    # `wab_enabled` is called WhatsApp here; on documents the state is.
    wab_state = fields.Selection(string="WhatsApp State")
    wab_number_html = fields.Html(
        string="Number Check", compute="_compute_wab_number_html", sanitize=False
    )
    wab_tag_color = fields.Integer(compute="_compute_wab_tag_color")
    wab_consent_billing = fields.Selection(
        CONSENT_STATES,
        compute="_compute_wab_consents",
        string="Documents and receipts",
        groups=GROUP,
    )
    wab_consent_collections = fields.Selection(
        CONSENT_STATES,
        compute="_compute_wab_consents",
        string="Payment reminders",
        groups=GROUP,
    )
    wab_consent_marketing = fields.Selection(
        CONSENT_STATES,
        compute="_compute_wab_consents",
        string="Offers and news",
        groups=GROUP,
    )
    wab_partner_message_count = fields.Integer(
        compute="_compute_wab_partner_message_count", groups=GROUP
    )

    # === COMPUTE METHODS === #

    @api.depends("wab_e164", "wab_number", "phone")
    @api.depends_context("wab_show_number")
    def _compute_display_name(self):
        """Override of `base` to show the number on the tags of our dialogs."""
        super()._compute_display_name()
        if not self.env.context.get("wab_show_number"):
            return
        for partner in self:
            name = partner.display_name
            number = partner.wab_e164 or partner._wab_raw_number()
            number = number or self.env._("no number")
            # The suggestions of a field show in grey what stands between dashes.
            grey = self.env.context.get("formatted_display_name")
            partner.display_name = (
                f"{name} \t --{number}--" if grey else f"{name} ({number})"
            )

    @api.depends("wab_e164", "wab_number_problem", "wab_number", "phone")
    def _compute_wab_number_html(self):
        for partner in self:
            country = numbers.country_of(partner.wab_e164 or "").lower()
            partner.wab_number_html = self.env["ir.qweb"]._render(
                "whatsapp_billing.number_check",
                {
                    "number": partner.wab_e164,
                    "country": country,
                    "problem": partner.wab_number_problem,
                },
            )

    @api.depends("wab_e164", "wab_enabled")
    @api.depends_context("company")
    def _compute_wab_tag_color(self):
        may_see = self.env.user.has_group(GROUP)
        enabled = self._origin._wab_find_enabled(self.env.company)
        for partner in self:
            # sudo: whatsapp.billing.consent - read for whoever may send
            out = may_see and partner.sudo().wab_opted_out
            reached = partner.wab_e164 and partner._origin in enabled and not out
            partner.wab_tag_color = GREEN if reached else RED

    @api.depends("wab_opt_in_state")
    def _compute_wab_consents(self):
        for partner in self:
            states = partner.wab_opt_in_state or {}
            partner.wab_consent_billing = states.get("billing")
            partner.wab_consent_collections = states.get("collections")
            partner.wab_consent_marketing = states.get("marketing")

    def _compute_wab_partner_message_count(self):
        counts = dict(
            self.env["whatsapp.billing.message"]._read_group(
                [("partner_id", "in", self.ids)], ["partner_id"], ["__count"]
            )
        )
        for partner in self:
            partner.wab_partner_message_count = counts.get(partner._origin, 0)

    # === ACTION METHODS === #

    def action_wab_partner_messages(self):
        """Open the messages with this contact."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "whatsapp_billing.message_action"
        )
        action["domain"] = [("partner_id", "=", self.id)]
        action["context"] = {}
        return action

    def action_wab_consent(self):
        """Ask for the evidence of a consent or withdrawal of these contacts."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Consent to WhatsApp"),
            "res_model": "whatsapp.billing.consent.record",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_partner_ids": self.ids,
                "default_purpose": self.env.context.get("wab_purpose", "billing"),
                "default_granted": self.env.context.get("wab_granted", "granted"),
                "dialog_size": "medium",
            },
        }
