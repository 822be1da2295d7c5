# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A channel of a plan's steps, all of it: an e-mail to who owes."""

from dataclasses import dataclass

from odoo import api, fields, models

from odoo.addons.whatsapp_billing.rules.eligibility import Decision


@dataclass(slots=True)
class PlannedMail:
    """One e-mail; without an address nothing goes, and the decision says why."""

    address: str
    subject: str
    decision: Decision

    @property
    def will_be_queued(self):
        return self.decision.reason is None


class WhatsappBillingCollectionStep(models.Model):
    _inherit = "whatsapp.billing.collection.step"

    channel = fields.Selection(
        selection_add=[("email", "E-mail")], ondelete={"email": "set default"}
    )


class WhatsappBillingCollectionChannelEmail(models.AbstractModel):
    _name = "whatsapp.billing.collection.channel.email"
    _inherit = ["whatsapp.billing.collection.channel"]
    _description = "Collection Steps by E-mail"
    _figure = "emails"

    @api.model
    def _prepare(self, company, ledger, drafts):
        debtors = self.env["res.partner"].browse(d.reminder.debtor_id for d in drafts)
        for draft, debtor in zip(drafts, debtors, strict=True):
            reason = None if debtor.email else "no_number"
            subject = ", ".join(entry.name for entry in draft.entries)
            draft.all_planned = [
                PlannedMail(debtor.email, subject, Decision(reason, []))
            ]

    @api.model
    def _carry_out(self, ledger, drafts, decisions):
        self.env["mail.mail"].create(
            [
                {"email_to": planned.address, "subject": planned.subject}
                for draft in drafts
                for planned in draft.all_planned
            ]
        )

    @api.model
    def _describe(self, day, draft):
        plans = self.env["whatsapp.billing.collection.plan"]
        (planned,) = draft.all_planned
        reason = planned.decision.reason
        return [
            plans._describe_draft(day, draft)
            | {
                "recipient": planned.address or "",
                "reason": reason or False,
                "detail": plans._describe_reason(reason),
            }
        ]
