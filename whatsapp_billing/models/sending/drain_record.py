# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Write down what became of calls, a slice at a time."""

import logging
from datetime import timedelta

from odoo import fields
from odoo.tools import SQL

from ... import const
from ...clients.errors import FileMissingError
from ...clients.whatsapp.error_table import FILE_LOST, FILE_REFUSED, UNSPECIFIC
from ...rules import refusals
from ..common.plain_json import without_null
from ..message.message_attempt import Receipt, free_wamid_sql

_logger = logging.getLogger(__name__)

# Meanings of errors after which a file's id is forgotten and the file uploaded again.
FILE_GONE = {FILE_REFUSED, FILE_LOST}
# Of the arguments of `accepted_sql`, as PostgreSQL calls them.
TYPES = ("int[]", "varchar[]", "varchar[]", "varchar[]", "timestamp", "timestamp")
# How often a lost file is made again for one message.
FILE_TRIES = 2


def _record(drain, outcomes, recording):
    """Write down what became of calls; see `whatsapp.billing.outbox._record_outcomes`.

    Accepted calls are usually left to the statement of the claim that follows in the same
    transaction (`recording.late`, `drain_claim._mark_sending`): threads wait for each
    statement. Refused ones are written here, one by one.
    """
    accepted = [outcome for outcome in outcomes if outcome.result is not None]
    refused = [outcome for outcome in outcomes if outcome.result is None]
    for outcome in refused:
        _record_refused(drain, outcome, recording)
    drain.env.flush_all()
    if recording.goes_on and not recording.stop:
        recording.late += accepted
    else:
        _record_accepted(drain, accepted)
    uploads = {
        checksum: media_uid
        for outcome in outcomes
        for checksum, media_uid in outcome.uploaded.items()
        if checksum not in recording.gone
    }
    drain.env["whatsapp.billing.media"]._store(drain.phone.id, uploads)
    recording.ids += [outcome.key for outcome in accepted]
    recording.ended += [outcome.key for outcome in refused]
    recording.accepted += len(accepted)


def _record_accepted(drain, outcomes):
    if outcomes:
        values = accepted_values(drain, outcomes, fields.Datetime.now())
        rows = drain.env.execute_query(accepted_sql(*values))
        recorded = {row[0] for row in rows}
        keep_earlier(drain, outcomes, [n for n in values[0] if n not in recorded])


def accepted_values(drain, outcomes, now):
    """Return the arguments of `accepted_sql` for accepted calls, of the types `TYPES`."""
    return (
        [outcome.key for outcome in outcomes],
        [drain.in_flight[outcome.key].work.outgoing.uuid for outcome in outcomes],
        [outcome.result.wamid for outcome in outcomes],
        [outcome.result.user_uid or None for outcome in outcomes],
        now,
        now + timedelta(days=const.MESSAGE_LIFE_DAYS),
    )


def accepted_sql(ids, uuids, wamids, user_uids, now, expires_at):
    """Return SQL that writes accepted calls down and returns the ids of their messages.

    Of those that are still at the attempt that was called (`keep_earlier`).
    """
    return SQL(
        """
        UPDATE whatsapp_billing_message m
           SET wamid = COALESCE(m.wamid, %(free_wamid)s),
               recipient_uid = CASE WHEN m.recipient IS NOT NULL
                    THEN COALESCE(m.recipient_uid, v.user_uid) END,
               sent_at = %(now)s, lease_until = NULL, unknown_at = NULL,
               next_attempt_at = NULL, reason = NULL,
               error_code = CASE WHEN m.state = 'failed' THEN m.error_code END,
               error_detail = CASE WHEN m.state = 'failed' THEN m.error_detail END,
               expires_at = COALESCE(m.expires_at, %(expires_at)s),
               state = CASE WHEN m.state IN ('failed', 'delivered', 'read')
                            THEN m.state ELSE 'sent' END
          FROM unnest(%(ids)s::int[], %(uuids)s::varchar[], %(wamids)s::varchar[],
                      %(user_uids)s::varchar[]) v (id, uuid, wamid, user_uid)
         WHERE m.id = v.id AND m.uuid = v.uuid
     RETURNING m.id
        """,
        free_wamid=free_wamid_sql(),
        ids=ids,
        uuids=uuids,
        wamids=wamids,
        user_uids=user_uids,
        now=now,
        expires_at=expires_at,
    )


def keep_earlier(drain, outcomes, ids):
    """Keep what came of those calls whose message is at another attempt by now."""
    if not ids:
        return
    receipts = []
    for outcome in outcomes:
        if outcome.key not in ids:
            continue
        receipt = Receipt(
            drain.phone.account_id.id,
            drain.in_flight[outcome.key].work.outgoing.uuid,
            outcome.result.wamid,
        )
        receipt.note("sent", fields.Datetime.now())
        receipts.append(receipt)
    drain.messages._apply_earlier(receipts, "uuid")


def _record_refused(drain, outcome, recording):
    error = outcome.error
    row = drain.in_flight[outcome.key]
    values = _next_state(drain, row, outcome)
    if values.pop("media_gone", False):
        recording.gone.add(row.checksum)
    is_file_lost = values.pop("file_lost", False)
    recording.stop = recording.stop or error.kind in ("account", "number")
    recording.slow_down = recording.slow_down or error.kind == "pace"
    applied = _update_refused(drain, row, values, error)
    if not applied:
        return
    drain.env["whatsapp.billing.message.attempt"].create(
        {
            "message_id": outcome.key,
            "number": row.attempts,
            "uuid": row.work.outgoing.uuid,
            "state": "unknown" if error.sent is None else "failed",
            "kind": error.kind,
            "outcome": values["state"],
            "error_code": error.code,
            "error_detail": error.as_dict()["details"] or error.as_dict()["message"],
            "http_status": error.http_status or 0,
            "trace_uid": error.trace_id,
            "raw": without_null(error.as_dict()),
        }
    )
    if is_file_lost:
        drain.messages.browse(outcome.key)._ask_for_documents()
    _tell_owner(drain, row, error)


def _next_state(drain, row, outcome):
    """Return the row's next state by the class of the error.

    As `message_attempt._state_after_refusal` for what a webhook reports: `rules.refusals`.
    """
    now = fields.Datetime.now()
    error = outcome.error
    if error.sent is None:
        return {"state": "unknown", "unknown_at": now}
    if error.kind == FileMissingError.kind:
        return _next_without_file(drain, row, now)
    if _is_stale_media(drain, row, outcome):
        return {"state": "queued", "media_gone": True}
    verdict = refusals.judge(
        refusals.Refusal(
            error.kind,
            row.attempts,
            drain.jitter(),
            error.retry_after,
            refusals.life_left(row.expires_at, now),
            has_template=bool(row.template_id),
        )
    )
    values = {"state": verdict.state, "reason": verdict.reason}
    if verdict.state == "failed":
        values["failed_at"] = now
    if verdict.delay is not None:
        values["next_attempt_at"] = now + timedelta(seconds=verdict.delay)
    return values


def _next_without_file(drain, row, now):
    """Have a file that we cannot find made anew; where that does not help, fail."""
    tried = drain.env["whatsapp.billing.message.attempt"].search_count(
        [("message_id", "=", row.work.key), ("kind", "=", FileMissingError.kind)]
    )
    if tried < FILE_TRIES:
        return {"state": "queued", "file_lost": True}
    text = drain.env._(
        "The file %(name)s is not where Odoo keeps it, also after it was made again."
        " Ask your administrator about the storage of attachments, then send it again.",
        name=row.work.document.filename,
    )
    return {"state": "failed", "failed_at": now, "detail": text}


def _is_stale_media(drain, row, outcome):
    """Forget a refused file and tell whether to try once more with a new upload.

    One that was uploaded for this very call is refused rather than stale: it goes up
    once more after a first call only. The general code names no reason that can be
    relied on: where the file was one that WhatsApp had before, it may be gone there,
    and once more costs nothing.
    """
    error = outcome.error
    if not row.checksum or (row.attempts > 1 and row.checksum in outcome.uploaded):
        return False
    was_uploaded_before = bool(row.work.document and row.work.document.media_uid)
    is_unsaid = error.meaning == UNSPECIFIC and not error.subcode
    if error.meaning not in FILE_GONE and not (is_unsaid and was_uploaded_before):
        return False
    drain.env["whatsapp.billing.media"]._forget(drain.phone.id, [row.checksum])
    return True


def _update_refused(drain, row, values, error):
    """Move the row on, if it still stands where this very attempt left it.

    A worker that was stopped for longer than its lease may come back when another
    attempt is under way: its news is old then. What goes again gets a new uuid, so
    that news about this call is not taken for news about the next.
    """
    clean = error.as_dict()
    detail = values.get("detail") or clean["details"] or clean["message"] or ""
    rows = drain.env.execute_query(
        SQL(
            """
            UPDATE whatsapp_billing_message
               SET state = %s, reason = %s, unknown_at = %s, failed_at = %s,
                   next_attempt_at = %s, lease_until = NULL,
                   error_code = %s, error_detail = %s,
                   uuid = CASE WHEN %s THEN gen_random_uuid()::varchar ELSE uuid END
             WHERE id = %s AND uuid = %s AND state IN ('sending', 'unknown')
         RETURNING id
            """,
            values["state"],
            values.get("reason"),
            values.get("unknown_at"),
            values.get("failed_at"),
            values.get("next_attempt_at"),
            error.code or None,
            detail[:500] or None,
            values["state"] in ("queued", "held"),
            row.work.key,
            row.work.outgoing.uuid,
        )
    )
    return bool(rows)


def _tell_owner(drain, row, error):
    """Stop the account, number or template that the provider no longer accepts."""
    if error.kind == "account":
        drain.phone.account_id._apply_account_error(error)
    elif error.kind == "number":
        drain.phone._apply_number_error(error.code)
    elif error.kind == "template" and row.template_id:
        template = drain.env["whatsapp.billing.template"].browse(row.template_id)
        template._apply_send_error(error)
