# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import fields, models

from ..const import PURPOSES


class WhatsappBillingConsentRecord(models.TransientModel):
    """Write down that contacts agreed or withdrew, and how that is known."""

    _name = "whatsapp.billing.consent.record"
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
        return {"type": "ir.actions.act_window_close"}
