# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""May this message go, and if not, why? The one place that answers.

Rules are asked in the order of `RULES` and the first that fails gives the reason:

1. the document: draft, cancelled, of the wrong type for the template, superseded;
   for reminders also paid, disputed, paused
2. the partner and their consent: archived, opted out, not enabled, not opted in
3. the number: none, not valid
4. the template: none, not approved
5. its parameters, then 6. the file
7. the account: last, because it is the only one that passes by itself: a message
   refused for `account_inactive` is otherwise ready and may be held instead

An opt-out is asked before the channel flag: "switch WhatsApp on for this customer" is
the wrong advice for somebody who told us to stop.

Everything that grants something has a default that refuses, so a fact that nobody
filled in stops a message instead of sending it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from .numbers import is_bsuid, is_e164, mask
from .parameters import MAX_DOCUMENT_BYTES
from .terms import _lt

# `in_payment` is money that the bank has not confirmed yet; `invoicing_legacy` marks
# invoices from before the books were kept here, whose payments nobody can see.
PAID: Final[frozenset[str]] = frozenset(
    {"paid", "in_payment", "reversed", "invoicing_legacy"}
)

# What a reminder's template may be about: the reminder itself or what it reminds of.
REMINDABLE: Final[frozenset[str]] = frozenset(
    {"payment_reminder", "invoice", "sales_receipt", "retainer_invoice"}
)


@dataclass(frozen=True, slots=True)
class Facts:
    """Hold what is known about one message to one recipient.

    :param purpose: billing, collections or marketing
    :param document_state: None without a document, else draft, posted or cancel
    :param expected_document_type: what the template is for; None fits everything
    :param payment_state: Odoo's word; looked at for reminders only
    :param explicit: a person asked for this one message; changes no rule, is recorded
    :param consent: granted, withdrawn, none, or by_contract (the company's setting)
    :param number: E.164 or a business-scoped user id
    :param number_problem: None, no_number or invalid_number, from reading the number
    :param parameter_problem: the sentence of the problem, None when they fit
    :param file_size: bytes; None when there is no file or it is not made yet
    :param account_state: the account's state, of which only `connected` sends
    :param paused: the collection case, looked at for reminders only
    :param disputed: the same
    :param superseded: something newer makes this message untrue or needless
    :param recipient_active: False for an archived or merged partner
    """

    purpose: str = "billing"
    document_state: str | None = None
    document_type: str | None = None
    expected_document_type: str | None = None
    payment_state: str | None = None
    is_reminder: bool = False
    enabled: bool = False
    explicit: bool = False
    consent: str = "none"
    number: str = ""
    number_problem: str | None = None
    template_found: bool = False
    template_status: str | None = None
    parameter_problem: str | None = None
    file_size: int | None = None
    account_state: str | None = None
    paused: bool = False
    disputed: bool = False
    superseded: bool = False
    recipient_active: bool = True


class Decision(NamedTuple):
    """Tell the reason not to send, None to send, and how that was found."""

    reason: str | None
    trace: list[dict[str, Any]]


class Rule(NamedTuple):
    """One question: its name in the trace, what to answer when it fails, and how."""

    name: str
    reason: str
    value: Callable[[Facts], Any]
    passes: Callable[[Facts], bool]
    applies: Callable[[Facts], bool]
    is_final: bool  # answered once, at queueing: what it asks about cannot change


def _always(facts: Facts) -> bool:
    return True


def _has_document(facts: Facts) -> bool:
    return facts.document_state is not None


def _is_reminder(facts: Facts) -> bool:
    return facts.is_reminder


def _is_collecting(facts: Facts) -> bool:
    return facts.is_reminder or facts.purpose == "collections"


def _fits_template(facts: Facts) -> bool:
    if facts.document_type == facts.expected_document_type:
        return True
    return (
        facts.is_reminder
        and facts.expected_document_type == "payment_reminder"
        and facts.document_type in REMINDABLE
    )


def _has_consent(facts: Facts) -> bool:
    # A contract allows what it is about: documents and their payment, never offers.
    return facts.consent == "granted" or (
        facts.consent == "by_contract" and facts.purpose != "marketing"
    )


def _has_number(facts: Facts) -> bool:
    if facts.number_problem == "no_number":
        return False
    return bool(facts.number) or facts.number_problem is not None


def _has_valid_number(facts: Facts) -> bool:
    return facts.number_problem is None and (
        is_e164(facts.number) or is_bsuid(facts.number)
    )


def _rule(
    name: str,
    reason: str,
    value: Callable[[Facts], Any],
    passes: Callable[[Facts], bool],
    *,
    applies: Callable[[Facts], bool] = _always,
    is_final: bool = False,
) -> Rule:
    return Rule(name, reason, value, passes, applies, is_final)


RULES: Final[tuple[Rule, ...]] = (
    _rule(
        "document_posted",
        "draft",
        lambda facts: facts.document_state,
        lambda facts: facts.document_state != "draft",
        applies=_has_document,
    ),
    _rule(
        "document_not_cancelled",
        "cancelled_document",
        lambda facts: facts.document_state,
        lambda facts: facts.document_state not in {"cancel", "canceled", "cancelled"},
        applies=_has_document,
    ),
    _rule(
        "document_type_fits",
        "wrong_document_type",
        lambda facts: facts.document_type,
        _fits_template,
        applies=lambda facts: facts.expected_document_type is not None,
    ),
    _rule(
        "message_current",
        "superseded",
        lambda facts: facts.superseded,
        lambda facts: not facts.superseded,
    ),
    _rule(
        "document_unpaid",
        "already_paid",
        lambda facts: facts.payment_state,
        lambda facts: facts.payment_state not in PAID,
        applies=_is_reminder,
    ),
    _rule(
        "document_undisputed",
        "disputed",
        lambda facts: facts.disputed,
        lambda facts: not facts.disputed,
        applies=_is_collecting,
    ),
    _rule(
        "collection_running",
        "paused",
        lambda facts: facts.paused or facts.payment_state == "blocked",
        lambda facts: not facts.paused and facts.payment_state != "blocked",
        applies=_is_collecting,
    ),
    _rule(
        "recipient_active",
        "superseded",
        lambda facts: facts.recipient_active,
        lambda facts: facts.recipient_active,
    ),
    _rule(
        "not_opted_out",
        "opted_out",
        lambda facts: facts.consent,
        lambda facts: facts.consent != "withdrawn",
    ),
    _rule(
        "whatsapp_enabled",
        "not_enabled",
        lambda facts: facts.enabled,
        lambda facts: facts.enabled,
    ),
    _rule("consent_given", "not_opted_in", lambda facts: facts.consent, _has_consent),
    _rule("number_present", "no_number", lambda facts: mask(facts.number), _has_number),
    _rule(
        "number_valid",
        "invalid_number",
        lambda facts: mask(facts.number),
        _has_valid_number,
    ),
    _rule(
        "template_found",
        "no_template",
        lambda facts: facts.template_found,
        lambda facts: facts.template_found,
    ),
    _rule(
        "template_approved",
        "template_not_approved",
        lambda facts: facts.template_status,
        lambda facts: facts.template_status == "approved",
    ),
    _rule(
        "parameters_fit",
        "bad_parameter",
        lambda facts: facts.parameter_problem,
        lambda facts: not facts.parameter_problem,
        is_final=True,
    ),
    _rule(
        "file_fits",
        "file_too_large",
        lambda facts: facts.file_size,
        lambda facts: (facts.file_size or 0) <= MAX_DOCUMENT_BYTES,
        is_final=True,
    ),
    _rule(
        "account_active",
        "account_inactive",
        lambda facts: facts.account_state,
        lambda facts: facts.account_state == "connected",
    ),
)

_RECHECKED: Final = tuple(rule for rule in RULES if not rule.is_final)


def decide(facts: Facts) -> Decision:
    """Answer when a message is about to be queued.

    The trace lists every rule that was asked, in order, the failed one last; rules
    that do not apply (payment of what is no reminder) are left out.
    """
    return _ask(RULES, facts)


def recheck(facts: Facts) -> Decision:
    """Answer again just before the call, from facts that were read again.

    The same rules without parameters and file: these were rendered and kept when the
    message was queued and cannot have changed.
    """
    return _ask(_RECHECKED, facts)


def _ask(rules: tuple[Rule, ...], facts: Facts) -> Decision:
    trace: list[dict[str, Any]] = []
    if facts.explicit:
        trace.append({"rule": "sent_by_person", "value": True, "passed": True})
    for rule in rules:
        if not rule.applies(facts):
            continue
        passed = rule.passes(facts)
        trace.append({"rule": rule.name, "value": rule.value(facts), "passed": passed})
        if not passed:
            return Decision(rule.reason, trace)
    return Decision(None, trace)


REASONS: Final[dict[str, str]] = {
    "draft": _lt("The document is still a draft. Post it, then send it."),
    "cancelled_document": _lt(
        "The document is cancelled. If the customer must know, write to them yourself."
    ),
    "wrong_document_type": _lt(
        "The template is made for another kind of document. Choose one that fits."
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
    "no_template": _lt(
        "No template fits this document and language. Choose one, or set a default"
        " for the type of document."
    ),
    "template_not_approved": _lt(
        "WhatsApp has not approved the template, or no longer does. Choose another,"
        " or correct it and submit it again."
    ),
    "bad_parameter": _lt(
        "A value does not fit the template: it is missing or the text gets too long."
        " Complete the document or change the template's fields."
    ),
    "file_too_large": _lt(
        "The file is larger than WhatsApp takes (100 MB). Send a smaller one, or a"
        " template without a file."
    ),
    "already_paid": _lt("Nothing is left to pay, so there is nothing to remind of."),
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

RULE_NAMES: Final[dict[str, str]] = {
    "sent_by_person": _lt("Sent by a person, not by a plan or an automation"),
    "document_posted": _lt("The document is posted"),
    "document_not_cancelled": _lt("The document is not cancelled"),
    "document_type_fits": _lt("The template is made for this kind of document"),
    "message_current": _lt("Nothing newer replaces this message"),
    "document_unpaid": _lt("There is still something to pay"),
    "document_undisputed": _lt("The customer does not dispute the document"),
    "collection_running": _lt("Reminders are not paused"),
    "recipient_active": _lt("The contact is active"),
    "not_opted_out": _lt("The customer did not ask us to stop"),
    "whatsapp_enabled": _lt("WhatsApp is switched on"),
    "consent_given": _lt("There is consent for this purpose"),
    "number_present": _lt("The contact has a number"),
    "number_valid": _lt("The number is valid"),
    "template_found": _lt("There is a template"),
    "template_approved": _lt("WhatsApp approved the template"),
    "parameters_fit": _lt("The values fit the template"),
    "file_fits": _lt("The file is small enough"),
    "account_active": _lt("The WhatsApp account is connected"),
}


def describe(reason: str) -> str:
    """Return what a reason means and what to do next; an unknown one as it is."""
    return REASONS.get(reason, reason)


def describe_rule(rule: str) -> str:
    """Return what a rule of the trace asks, as a statement that held or did not."""
    return RULE_NAMES.get(rule, rule)
