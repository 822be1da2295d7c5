# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.tools.misc import format_datetime

from ..models.common import client_action

# What each purpose covers: who agrees to documents, or wants no more of them, says the
# same about reminders (`rules.consent.standing`).
PURPOSES = [
    ("billing", "Documents, receipts and reminders"),
    ("collections", "Payment reminders only"),
    ("marketing", "Offers and news"),
]


class WhatsappBillingConsentRecord(models.TransientModel):
    """Write down that contacts agreed or withdrew, and how that is known."""

    _name = "whatsapp.billing.consent.record"
    _inherit = "whatsapp.billing.links.mixin"
    _description = "Record Consent to WhatsApp"

    partner_ids = fields.Many2many(
        "res.partner",
        "whatsapp_billing_consent_record_partner_rel",
        "record_id",
        "partner_id",
        required=True,
        string="Contacts",
    )
    purpose = fields.Selection(PURPOSES, required=True, default="billing")
    granted = fields.Selection(
        [("granted", "They agreed"), ("withdrawn", "They withdrew")],
        string="What Happened",
        required=True,
        default="granted",
    )
    evidence = fields.Text(
        required=True,
        help="The form, conversation or message that proves it, with its date.",
    )

    opted_out = fields.Char(compute="_compute_opted_out")

    # === COMPUTE METHODS === #

    @api.model
    def default_get(self, fields):
        """Propose the evidence that the contact's consent was last recorded with."""
        values = super().default_get(fields)
        partners = self.env["res.partner"].browse(
            self.env.context.get("default_partner_ids") or []
        )
        if (
            "evidence" in fields
            and not values.get("evidence")
            and values.get("granted") == "granted"
            and len(partners) == 1
        ):
            last = self.env["whatsapp.billing.consent"].search(
                [
                    ("partner_id", "=", partners.id),
                    ("company_id", "=", self.env.company.id),
                    ("granted", "=", True),
                    ("is_switch", "=", False),
                    ("source", "in", ("user", "rpc")),
                ],
                limit=1,
            )
            values["evidence"] = last.evidence
        return values

    @api.depends("partner_ids", "purpose", "granted")
    def _compute_opted_out(self):
        """Say when they asked us to stop: only a newer agreement lifts that."""
        # sudo: whatsapp.billing.consent - the state of contacts that the user sees
        consents_sudo = self.env["whatsapp.billing.consent"].sudo()
        for wizard in self:
            partners = wizard.partner_ids._origin
            states = consents_sudo._states(partners, [wizard.purpose or "billing"])
            stops = consents_sudo.browse(
                standing.consent_id
                for standing in states.values()
                if standing.state == "withdrawn" and standing.kind == "said"
            )
            wizard.opted_out = bool(stops) and self.env._(
                "They asked for no more messages on %(date)s. Record only what they"
                " agreed to after that.",
                date=format_datetime(
                    self.env, max(stops.mapped("said_at")), dt_format="short"
                ),
            )

    # === ACTION METHODS === #

    def action_record(self):
        """Write the consent rows as the public methods do, with their checks."""
        self.ensure_one()
        self.partner_ids._wab_record_consent(
            self.purpose,
            self.evidence.strip(),
            False,
            self.granted == "granted",
            source="user",
        )
        return client_action.close()
