# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""May this message go, and if not, why? The one place that answers.

Rules are asked in the order of `RULES` and the first that fails gives the reason:

1. the document: draft, cancelled, of the wrong type for the template, of a kind that
   is switched off, superseded;
   for reminders also paid, disputed, paused
2. the partner and their consent: archived, opted out, not enabled, not opted in
3. the number: none, not valid, changed
4. the template: none, not approved, with a part that cannot be sent
5. its parameters, then 6. the file
7. the account: last, because it is the only one that passes by itself: a message
   refused for `account_inactive` is otherwise ready and may be held instead

Without a number nobody is asked for consent: the number is what is missing.

An opt-out is asked before the channel flag: "switch WhatsApp on for this customer" is
the wrong advice for somebody who told us to stop.

Everything that grants something has a default that refuses, so a fact that nobody
filled in stops a message instead of sending it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from .numbers import is_bsuid, is_e164, mask
from .parameters import MAX_DOCUMENT_BYTES
from .reasons import describe, describe_rule

# States of an account whose credentials the provider took: `pending` has numbers that
# send, though something else of it (an app secret, a webhook) is still missing.
SENDABLE_STATES: Final = ("connected", "pending")

__all__ = [
    "RULES",
    "Decision",
    "Facts",
    "decide",
    "describe",
    "describe_rule",
    "needed_consent",
    "recheck",
    "still_holds",
]

# `in_payment` is money that the bank has not confirmed yet; `invoicing_legacy` marks
# invoices from before the books were kept here, whose payments nobody can see.
PAID: Final[frozenset[str]] = frozenset(
    {"paid", "in_payment", "reversed", "invoicing_legacy"}
)

# What a reminder's template may be about: the reminder itself or what it reminds of.
REMINDABLE: Final[frozenset[str]] = frozenset(
    {"payment_reminder", "invoice", "sales_receipt", "retainer_invoice"}
)


# Types whose template has free wording; also templates without a type.
MESSAGES: Final[frozenset[str | None]] = frozenset(
    {"customer_message", "vendor_message", "", None}
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
    :param number_changed: the provider says that they have another, nobody decided yet
    :param template_obstacle: what of the template cannot be sent, None when all can
    :param parameter_problem: the sentence of the problem, None when they fit
    :param file_size: bytes; None when there is no file or it is not made yet
    :param account_state: the account's state, of which `SENDABLE_STATES` send
    :param paused: the collection case, looked at for reminders only
    :param disputed: the same
    :param no_followup: Odoo's flag on what it reminds of, for reminders only
    :param payment_pending: an online payment is on its way, for reminders only
    :param bank_match: an open bank transaction fits it, for reminders only
    :param superseded: something newer makes this message untrue or needless
    :param kind_off: the company does not send this kind of document on WhatsApp
    :param window_open: the person wrote in the last 24 hours; asked for free text only
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
    number_changed: bool = False
    template_found: bool = False
    template_status: str | None = None
    template_obstacle: str | None = None
    parameter_problem: str | None = None
    file_size: int | None = None
    account_state: str | None = None
    paused: bool = False
    disputed: bool = False
    no_followup: bool = False
    payment_pending: bool = False
    bank_match: bool = False
    superseded: bool = False
    kind_off: bool = False
    window_open: bool = True
    recipient_active: bool = True


def needed_consent(
    purpose: str, category: str | None, document_types: Collection[str | None]
) -> str:
    """Return which consent a message needs by now.

    What Meta calls marketing is an offer, also a text that was none when it was asked
    for. A document stays what the customer agreed to get, whatever Meta charges for it.

    :param purpose: what it was asked for as: billing, collections or marketing
    :param category: Meta's word for the template, None without one
    :param document_types: what message and template are for, None for nothing
    """
    is_document = MESSAGES.isdisjoint(document_types)
    return "marketing" if category == "marketing" and not is_document else purpose


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
    only_at_queueing: (
        bool  # answered once, at queueing: what it asks about cannot change
    )


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
    # Consent by contract covers documents and their payment, never offers.
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
    only_at_queueing: bool = False,
) -> Rule:
    return Rule(name, reason, value, passes, applies, only_at_queueing)


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
        "kind_sent",
        "kind_off",
        lambda facts: facts.document_type,
        lambda facts: not facts.kind_off,
    ),
    _rule(
        "window_open",
        "window_closed",
        lambda facts: facts.window_open,
        lambda facts: facts.window_open,
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
        "no_payment_pending",
        "already_paid",
        lambda facts: facts.payment_pending,
        lambda facts: not facts.payment_pending,
        applies=_is_reminder,
    ),
    _rule(
        "no_bank_match",
        "already_paid",
        lambda facts: facts.bank_match,
        lambda facts: not facts.bank_match,
        applies=_is_reminder,
    ),
    _rule(
        "followup_wanted",
        "no_followup",
        lambda facts: facts.no_followup,
        lambda facts: not facts.no_followup,
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
    # Skipped without a usable number: consent is about a number.
    _rule(
        "consent_given",
        "not_opted_in",
        lambda facts: facts.consent,
        _has_consent,
        applies=lambda facts: facts.number_problem is None,
    ),
    _rule("number_present", "no_number", lambda facts: mask(facts.number), _has_number),
    _rule(
        "number_valid",
        "invalid_number",
        lambda facts: mask(facts.number),
        _has_valid_number,
    ),
    _rule(
        "number_current",
        "number_changed",
        lambda facts: facts.number_changed,
        lambda facts: not facts.number_changed,
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
        "template_supported",
        "template_unsupported",
        lambda facts: facts.template_obstacle,
        lambda facts: not facts.template_obstacle,
    ),
    _rule(
        "parameters_fit",
        "bad_parameter",
        lambda facts: facts.parameter_problem,
        lambda facts: not facts.parameter_problem,
        only_at_queueing=True,
    ),
    _rule(
        "file_fits",
        "file_too_large",
        lambda facts: facts.file_size,
        lambda facts: (facts.file_size or 0) <= MAX_DOCUMENT_BYTES,
        only_at_queueing=True,
    ),
    _rule(
        "account_active",
        "account_inactive",
        lambda facts: facts.account_state,
        lambda facts: facts.account_state in SENDABLE_STATES,
    ),
)

_RECHECKED: Final = tuple(rule for rule in RULES if not rule.only_at_queueing)
_ALWAYS_RECHECKED: Final = tuple(r.passes for r in _RECHECKED if r.applies is _always)
_SOMETIMES_RECHECKED: Final = tuple(
    rule for rule in _RECHECKED if rule.applies is not _always
)


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


def still_holds(facts: Facts) -> bool:
    """Tell whether `recheck` finds no reason, without writing down how.

    Nearly every message that waited may go, and then nobody reads the trace.
    """
    return all(passes(facts) for passes in _ALWAYS_RECHECKED) and all(
        rule.passes(facts) for rule in _SOMETIMES_RECHECKED if rule.applies(facts)
    )


def refuse_template(obstacle: str) -> Decision:
    """Refuse a message for what of its template cannot be sent, and only that."""
    rule = next(rule for rule in RULES if rule.name == "template_supported")
    return _ask((rule,), Facts(template_obstacle=obstacle))


def _ask(rules: tuple[Rule, ...], facts: Facts) -> Decision:
    trace: list[dict[str, Any]] = []
    if facts.explicit:
        trace.append({"rule": "sent_by_person", "value": True, "passed": True})
    for rule in rules:
        if rule.applies is not _always and not rule.applies(facts):
            continue
        passed = rule.passes(facts)
        value = rule.value(facts)
        # False for None: traces are read over XML-RPC, which cannot carry a null.
        shown = False if value is None else value
        trace.append({"rule": rule.name, "value": shown, "passed": passed})
        if not passed:
            return Decision(rule.reason, trace)
    return Decision(None, trace)
