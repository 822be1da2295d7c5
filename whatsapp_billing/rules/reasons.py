# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Why a message did not go, in words, and what to do next.

The reasons are public: they are stored on messages and returned to
external systems. The sentences are English and marked for translation.
"""

from __future__ import annotations

from typing import Final

from .terms import _lt

REASONS: Final[dict[str, str]] = {
    "draft": _lt("The document is still a draft. Post it, then send it."),
    "cancelled_document": _lt(
        "The document is cancelled. If the customer must know, write to them yourself."
    ),
    "wrong_document_type": _lt(
        "The template is made for another kind of document. Choose one that fits."
    ),
    "kind_off": _lt(
        "This kind of document is not sent on WhatsApp. Switch it on in the settings of"
        " WhatsApp, or send it by e-mail."
    ),
    "not_enabled": _lt(
        "WhatsApp is switched off for this contact or document. Switch it on if they"
        " agreed to be written to."
    ),
    "not_opted_in": _lt(
        "There is no consent on record for this purpose. Ask the customer, then record"
        " it on their contact."
    ),
    "opted_out": _lt(
        "The customer asked for no more messages. Use e-mail; only they can change"
        " their mind."
    ),
    "no_number": _lt(
        "There is no WhatsApp or phone number. Add one to the contact, or use e-mail."
    ),
    "invalid_number": _lt(
        "The number is not valid. Write it with a plus and the country code, or set"
        " the contact's country."
    ),
    "number_changed": _lt(
        "WhatsApp says that the customer has another number. Ask them, then use the new"
        " number or keep the old one on the contact."
    ),
    "no_template": _lt(
        "No template fits this document and language. Choose one, or set a default"
        " for the type of document."
    ),
    "template_not_approved": _lt(
        "WhatsApp has not approved the template, or no longer does. Choose another,"
        " or correct it and submit it again."
    ),
    "template_unsupported": _lt(
        "The template has a part that cannot be sent from here. Choose another, or"
        " make one without that part."
    ),
    "bad_parameter": _lt(
        "A value does not fit the template: it is missing or the text gets too long."
        " Complete the document or change the template's fields."
    ),
    "file_too_large": _lt(
        "The file is larger than WhatsApp takes (100 MB). Send a smaller one, or a"
        " template without a file."
    ),
    "already_paid": _lt(
        "Nothing is left to pay, or the payment is on its way: there is nothing to"
        " remind of."
    ),
    "no_credit": _lt(
        "The credits are used up. The message goes by itself once credits are added."
    ),
    "quiet_hours": _lt(
        "It is outside the hours for messages where the customer is. The message goes"
        " by itself when they begin."
    ),
    "account_inactive": _lt(
        "The WhatsApp account is not connected. Connect it; what waits then goes by"
        " itself."
    ),
    "paused": _lt(
        "Reminders are paused for this document. Resume them to remind again."
    ),
    "disputed": _lt(
        "The customer disputes this document. Settle the dispute before reminding."
    ),
    "no_followup": _lt(
        "No Follow-Up is ticked on the invoice. Untick it to remind again."
    ),
    "window_closed": _lt(
        "The customer last wrote more than 24 hours ago, so only a template may go."
        " Send one if it is still needed."
    ),
    "superseded": _lt(
        "Something changed since, and the message is no longer right. Send a new one"
        " if it is still needed."
    ),
    "not_mapped": _lt(
        "A field of the other system has no counterpart here. Complete the mapping of"
        " the connection."
    ),
    "no_connection": _lt(
        "There is no active connection to the other system. Connect it in the settings."
    ),
}

# Reasons that pass by themselves: the message is held instead of cancelled.
HOLDING: Final[frozenset[str]] = frozenset(
    {"account_inactive", "no_credit", "quiet_hours"}
)

RULE_NAMES: Final[dict[str, str]] = {
    "sent_by_person": _lt("Sent by a person, not by a plan or an automation"),
    "document_posted": _lt("The document is posted"),
    "document_not_cancelled": _lt("The document is not cancelled"),
    "document_type_fits": _lt("The template is made for this kind of document"),
    "window_open": _lt("The customer wrote in the last 24 hours, or a template goes"),
    "kind_sent": _lt("This kind of document goes out on WhatsApp"),
    "message_current": _lt("Nothing newer replaces this message"),
    "same_customer": _lt("All its invoices are still this customer's"),
    "document_unpaid": _lt("There is still something to pay"),
    "no_payment_pending": _lt("No online payment is on its way"),
    "no_bank_match": _lt("No open bank transaction fits it"),
    "followup_wanted": _lt("No Follow-Up is not ticked on the invoice"),
    "document_undisputed": _lt("The customer does not dispute the document"),
    "collection_running": _lt("Reminders are not paused"),
    "recipient_active": _lt("The contact is active"),
    "not_opted_out": _lt("The customer did not ask us to stop"),
    "whatsapp_enabled": _lt("WhatsApp is switched on"),
    "consent_given": _lt("There is consent for this purpose"),
    "number_present": _lt("The contact has a number"),
    "number_valid": _lt("The number is valid"),
    "number_current": _lt("The number is still theirs"),
    "template_found": _lt("There is a template"),
    "template_approved": _lt("WhatsApp approved the template"),
    "template_supported": _lt("All parts of the template can be sent from here"),
    "parameters_fit": _lt("The values fit the template"),
    "file_fits": _lt("The file is small enough"),
    "account_active": _lt("The WhatsApp account is connected"),
    "credit_available": _lt("There are credits for it"),
}


def describe(reason: str) -> str:
    """Return what a reason means and what to do next; an unknown one as it is."""
    return REASONS.get(reason, reason)


def describe_rule(rule: str) -> str:
    """Return what a rule of the trace asks, as a statement that held or did not."""
    return RULE_NAMES.get(rule, rule)
