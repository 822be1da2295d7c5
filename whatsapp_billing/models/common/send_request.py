# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What one call asked for, and the messages that it comes to."""

from dataclasses import dataclass, field

from odoo import models

from ...rules import eligibility, reasons
from ...rules.consent import NO_STANDING

# Reasons with which a message is `held` instead of `canceled`: they pass by themselves.
HOLD_REASONS = reasons.HOLDING


@dataclass(slots=True)
class PlannedMessage:
    """One document for one person, on its way to becoming a message."""

    record: models.BaseModel
    partner: models.BaseModel
    company: models.BaseModel
    document_type: str
    template: models.BaseModel = None
    account: models.BaseModel = None
    phone: models.BaseModel = None
    rendered: dict = field(default_factory=dict)
    consent: tuple = NO_STANDING
    # WhatsApp is on for the contact in this company; the provider reported a new
    # number.
    is_contact_on: bool = False
    is_number_changed: bool = False
    account_state: str = ""
    audience: str = "customer"
    decision: eligibility.Decision = None
    # Other documents that the same message is about.
    also_about: list = field(default_factory=list)
    # Names of the documents that its text lists, where those are several.
    listed: frozenset = frozenset()
    # Digest of what the document says, compared at the claim (`message_changed.py`).
    snapshot: str | None = None
    says_more: bool = False
    # Columns of its row that the caller sets itself.
    more: dict = field(default_factory=dict)

    def get_purpose(self, send_request):
        """Return which consent it needs: an offer has its own, however it is sent."""
        if send_request.is_test or not self.template:
            return send_request.purpose
        types = (self.document_type or None, self.template.document_type or None)
        return eligibility.needed_consent(
            send_request.purpose, self.template.category, types
        )

    @property
    def number(self):
        """Return whom it goes to as WhatsApp writes it, "" where nobody can tell."""
        return self.more.get("recipient") or self.partner.wab_recipient or ""

    @property
    def will_be_queued(self):
        """Tell whether it goes, now or later; without a number nothing would send it."""
        reason = self.decision.reason
        return not reason or (reason in HOLD_REASONS and bool(self.phone))


@dataclass(frozen=True, slots=True)
class SendRequest:
    """What a caller asked for, the same for all documents of one call."""

    method: str
    purpose: str = "billing"
    template: object = False
    key: str = ""
    explicit: bool = False
    is_reminder: bool = False
    # Decided by `rules.dunning`: pause, dispute and promise are not checked again.
    by_plan: bool = False
    is_test: bool = False
    # A message about the record, not the document itself: sent whatever the document's
    # state, without its file.
    is_note: bool = False
    # Recipients were named for this sending; else the document says who they are, and
    # is asked again at the claim.
    is_named: bool = False
    # Free text in a conversation that the customer began: it needs no template, and
    # only the consent to be written to.
    is_answer: bool = False

    @property
    def follows_document(self):
        """Tell whether who gets it is the document's to say, also later."""
        return not (self.is_named or self.is_note or self.is_test)
