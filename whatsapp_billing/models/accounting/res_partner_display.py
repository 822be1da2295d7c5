# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What people see of WhatsApp on a contact: number, consent, messages."""

from odoo import api, fields, models
from odoo.fields import Domain

from ...rules import numbers

GROUP = "whatsapp_billing.group_user"
CONSENT_STATES = [
    ("granted", "Agreed"),
    ("withdrawn", "Withdrawn"),
    ("none", "Never asked"),
]
# Odoo's tag colours.
RED, ORANGE, GREEN = 1, 2, 10
LAST_MESSAGES = 20
# In the context of a dialog: the document's customer. Contacts of others are marked.
OF_PARTNER = "wab_of_partner_id"


class ResPartner(models.Model):
    _inherit = "res.partner"

    # Relabelled: on contacts *WhatsApp* is `wab_enabled`, on documents this state.
    wab_state = fields.Selection(string="WhatsApp State")
    # Odoo computes these of the next activity as superuser, and its summary may quote
    # what a customer wrote to another company. As the user, only readable ones count.
    activity_summary = fields.Char(related_sudo=False)
    activity_type_id = fields.Many2one(related_sudo=False)
    activity_type_icon = fields.Char(related_sudo=False)
    wab_number_html = fields.Html(
        string="Number Check", compute="_compute_wab_number_html", sanitize=False
    )
    wab_tag_color = fields.Integer(compute="_compute_wab_tag_color")
    wab_is_on = fields.Boolean(
        string="WhatsApp Is On",
        compute="_compute_wab_is_on",
        help="Switched on, or covered by the contracts of the company.",
    )
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

    wab_last_message_ids = fields.Many2many(
        "whatsapp.billing.message",
        string="Last Messages",
        compute="_compute_wab_last_message_ids",
        groups=GROUP,
        help="The newest with this contact and, for a company, with its people.",
    )

    # === COMPUTE METHODS === #

    @api.depends("wab_recipient", "wab_number", "phone")
    @api.depends_context("wab_show_number")
    def _compute_display_name(self):
        """Override of `base` to show the number on the tags of our dialogs."""
        super()._compute_display_name()
        if not self.env.context.get("wab_show_number"):
            return
        for partner in self:
            name = partner.display_name
            number = partner.wab_recipient or partner._wab_raw_number()
            number = number or self.env._("no number")
            # In suggestions Odoo's client shows text between two dashes in grey.
            grey = self.env.context.get("formatted_display_name")
            partner.display_name = (
                f"{name} \t --{number}--" if grey else f"{name} ({number})"
            )

    @api.depends("wab_recipient", "wab_number_problem", "wab_number", "phone")
    def _compute_wab_number_html(self):
        for partner in self:
            country = numbers.country_of(partner.wab_recipient or "").lower()
            partner.wab_number_html = self.env["ir.qweb"]._render(
                "whatsapp_billing.number_check",
                {
                    "number": partner.wab_recipient,
                    "country": country,
                    "problem": partner.wab_number_problem,
                    "landline": numbers.is_fixed_line(partner.wab_recipient or ""),
                },
            )

    @api.depends("wab_recipient", "wab_enabled")
    @api.depends_context("company", OF_PARTNER)
    def _compute_wab_tag_color(self):
        may_see = self.env.user.has_group(GROUP)
        enabled = self._origin._wab_find_enabled(self.env.company)
        for partner in self:
            # sudo: whatsapp.billing.consent - read for whoever may send
            out = may_see and partner.sudo().wab_opted_out
            reached = partner.wab_recipient and partner._origin in enabled and not out
            stranger = partner._wab_is_stranger(self.env.context.get(OF_PARTNER))
            partner.wab_tag_color = (
                RED if not reached else ORANGE if stranger else GREEN
            )

    def _wab_is_stranger(self, owner_id):
        """Tell whether this contact is none of the customer's whose document it is."""
        if not owner_id or not isinstance(owner_id, int):
            return False
        owner = self.browse(owner_id)
        return self._origin.commercial_partner_id != owner.commercial_partner_id

    @api.model
    def name_search(self, name="", domain=None, operator="ilike", limit=100):
        """Override of `base`: a dialog offers the customer's own people first."""
        owner_id = self.env.context.get(OF_PARTNER)
        if not owner_id or not isinstance(owner_id, int):
            return super().name_search(name, domain, operator, limit)
        own = [("id", "child_of", self.browse(owner_id).commercial_partner_id.ids)]
        found = super().name_search(
            name, list(Domain(domain or []) & Domain(own)), operator, limit
        )
        if limit and len(found) >= limit:
            return found
        rest = super().name_search(
            name,
            list(Domain(domain or []) & ~Domain("id", "in", [f[0] for f in found])),
            operator,
            limit and limit - len(found),
        )
        return found + rest

    @api.depends("wab_recipient", "wab_enabled", "wab_consent_ids")
    @api.depends_context("company")
    def _compute_wab_is_on(self):
        enabled = self._origin._wab_find_enabled(self.env.company)
        for partner in self:
            partner.wab_is_on = partner._origin in enabled

    @api.depends("wab_opt_in_state")
    def _compute_wab_consents(self):
        for partner in self:
            states = partner.wab_opt_in_state or {}
            partner.wab_consent_billing = states.get("billing")
            partner.wab_consent_collections = states.get("collections")
            partner.wab_consent_marketing = states.get("marketing")

    def _compute_wab_partner_message_count(self):
        for partner in self:
            partner.wab_partner_message_count = (
                self.env["whatsapp.billing.message"].search_count(
                    partner._wab_people_domain()
                )
                if partner._origin
                else 0
            )

    def _wab_people_domain(self):
        """Return the messages with this contact and, for a company, with its people."""
        self.ensure_one()
        return [("partner_id", "child_of", self._origin.ids)]

    @api.depends("wab_partner_message_ids")
    def _compute_wab_last_message_ids(self):
        messages = self.env["whatsapp.billing.message"]
        for partner in self:
            partner.wab_last_message_ids = (
                messages.search(partner._wab_people_domain(), limit=LAST_MESSAGES)
                if partner._origin
                else messages
            )

    # === ACTION METHODS === #

    def action_wab_partner_messages(self):
        """Open the messages with this contact."""
        self.ensure_one()
        self.check_access("read")
        self.env["whatsapp.billing.message"].check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "whatsapp_billing.message_action"
        )
        action["domain"] = self._wab_people_domain()
        action["context"] = {}
        return action

    def action_wab_switch_on(self):
        """Switch on only with the consent that it stands for: ask how it is known."""
        action = self.with_context(
            wab_purpose="billing", wab_granted="granted"
        ).action_wab_consent()
        action["name"] = self.env._("Switch On WhatsApp")
        action["context"]["whatsapp_billing_switch_on"] = True
        return action

    def action_wab_switch_off(self):
        """Switch off, also what a contract switched on; written down as a withdrawal."""
        self.wab_enabled = False

    def action_wab_consent(self):
        """Ask for the evidence of a consent or withdrawal of these contacts."""
        self.check_access("read")
        self.env["whatsapp.billing.consent"].check_access("read")
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

    # === BUSINESS METHODS === #

    def _wab_open_number(self):
        """Return the action that opens what keeps this contact from being reached."""
        self.ensure_one()
        form = self.env.ref("whatsapp_billing.res_partner_view_form_number")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("WhatsApp Number"),
            "res_model": "res.partner",
            "res_id": self.id,
            "views": [(form.id, "form")],
            "target": "new",
            "context": {"dialog_size": "medium"},
        }
