# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The last look at a reminder: is it still true what it says?"""

from dataclasses import dataclass

REMINDER = "payment_reminder"


@dataclass(frozen=True, slots=True)
class ReminderCheck:
    """What has become of the lines that a reminder is about.

    :param has_changed: it may not go as it is
    :param has_rest: something that it names is still to be told
    """

    is_settled: bool = False
    has_changed: bool = False
    has_rest: bool = False
    is_paused: bool = False
    is_disputed: bool = False
    payment_pending: bool = False
    bank_match: bool = False
    no_followup: bool = False
    is_off: bool = False


UNCHANGED = ReminderCheck()
# Reason against naming a line -> the flag of `ReminderCheck` that it sets.
SHOWN_AS = {
    "already_paid": "is_settled",
    "paused": "is_paused",
    "disputed": "is_disputed",
    "payment_pending": "payment_pending",
    "probably_paid": "bank_match",
    "no_followup": "no_followup",
    "not_enabled": "is_off",
}


def look(drain, rows):
    """Return {message id: ReminderCheck} of the reminders among claimed rows.

    A fixed number of queries whatever their number. Which reminders may go is the
    collections' to say; this only asks.
    """
    ids = [row["id"] for row in rows if row["document_type"] == REMINDER]
    if not ids:
        return {}
    found = drain.env["whatsapp.billing.collection.case"]._recheck_reminders(ids)
    return {message_id: _truth(*answer) for message_id, answer in found.items()}


def _truth(reason, has_rest):
    if has_rest or (reason and reason not in SHOWN_AS):
        return ReminderCheck(has_changed=True, has_rest=has_rest)
    return ReminderCheck(**{SHOWN_AS[reason]: True}) if reason else UNCHANGED
