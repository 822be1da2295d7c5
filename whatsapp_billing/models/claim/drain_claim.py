# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Claim the next messages of a number, after a last look at the truth."""

import hashlib
import logging
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from odoo import SUPERUSER_ID, api, fields
from odoo.tools import SQL

from ... import const
from ...clients.whatsapp.base import (
    ButtonParam,
    HeaderParam,
    ListMessage,
    Outgoing,
    TemplateMessage,
    TextMessage,
)
from ...clients.whatsapp.sender import Document, Work
from ...rules import answers, consent, eligibility, refusals, traces, window
from ..document.base import NOBODY, NOTE_TYPE
from ..sending import drain_record
from ..worker.drain import Claim
from . import drain_reminders
from .drain_look import DocumentLooks
from .message_changed import is_by_template

_logger = logging.getLogger(__name__)

# Reasons with which a claimed row is held: a person mends account, number or template,
# and it goes after all. At queueing an unapproved template cancels it.
WAITING_REASONS = frozenset(refusals.WAITS_FOR.values())
# Reasons with which a reminder may still be sent anew about its other invoices.
NOT_AS_IT_IS = frozenset({"superseded", "draft", "cancelled_document"})
# What `claim_sql` is given besides the calls that it writes down (`drain_record`).
CLAIM_TYPES = ("varchar[]", "int", "timestamp", "timestamp", *drain_record.TYPES)
CLAIM_RECORDS = [SQL(f"${number}") for number in range(5, len(CLAIM_TYPES) + 1)]
# Most files read through Odoo at a time: each takes a PostgreSQL connection.
READERS = threading.BoundedSemaphore(4)


@dataclass(frozen=True, slots=True)
class Claimed(Claim):
    """A message on its way, and what recording its outcome needs."""

    person_key: str = ""
    template_id: int = 0
    checksum: str = ""
    expires_at: datetime | None = None


def _fail(drain, row, error):
    """Fail a row that cannot be made into a call, in words; the others go on."""
    _logger.error(
        "Message %s cannot be sent: %s", row["id"], type(error).__name__, exc_info=error
    )
    detail = f"{type(error).__name__}: {error}"[:500]
    drain.messages.browse(row["id"])._fail_unsendable(detail)


def _prepare(drain, rows):
    """Return (calls to make, ids of rows that may no longer go) of marked rows."""
    drop, wait_for_document, ready = [], [], []
    truths = drain_reminders.look(drain, rows)
    drain.messages._mark_changed(rows)
    _mark_contacts(drain, rows)
    drain.messages._mark_misdirected(rows)
    _mark_windows(drain, rows)
    changed, rest = [], []
    for row in rows:
        row["truth"] = truths.get(row["id"], drain_reminders.UNCHANGED)
        if _wants_document(drain, row):
            wait_for_document.append(row["id"])
            continue
        facts = _facts(drain, row)
        if eligibility.still_holds(facts):
            ready.append(row)
            continue
        decision = eligibility.recheck(facts)
        drop.append((row["id"], decision))
        if decision.reason in NOT_AS_IT_IS and _has_rest(row):
            rest.append(row["id"])
        elif decision.reason == "superseded" and _is_told_anew(row):
            changed.append(row["id"])
    dropped = [message_id for message_id, _decision in drop]
    _give_back(drain, wait_for_document + dropped)
    _ask_for_documents(drain, wait_for_document)
    if drop:
        _drop(drain, drop)
        drain.messages.browse(changed)._replace_changed()
        drain.messages.browse(rest)._remind_of_the_rest()
    media = _find_media(drain, ready)
    return [_claimed(drain, row, media) for row in ready], dropped


def _mark_contacts(drain, rows):
    """Set `contact`: what is known by now of whoever each message is to.

    One query for those that were not read with their documents.
    """
    left = [row for row in rows if row["partner_id"] and not row["look"].contact]
    found = drain.env["res.partner"]._wab_look_at(left) if left else {}
    for row in rows:
        row["contact"] = row["look"].contact or found.get(row["id"], NOBODY)


def _mark_windows(drain, rows):
    """Set `window_open`: free text goes only within 24 hours of the customer's words.

    One query for all rows without a template, none where every row has one.
    """
    keys = list({row["person_key"] for row in rows if not row["template_name"]})
    last = {}
    if keys:
        last = dict(
            drain.env.execute_query(
                SQL(
                    """
                    SELECT person_key, max(sent_at) FROM whatsapp_billing_message
                     WHERE direction = 'in' AND is_user_message
                       AND phone_id = %s AND person_key = ANY(%s)
                  GROUP BY person_key
                    """,
                    drain.phone.id,
                    keys,
                )
            )
        )
    for row in rows:
        row["window_open"] = bool(row["template_name"]) or window.is_open(
            last.get(row["person_key"]), _now()
        )


def _now():
    return fields.Datetime.now()


def _find_media(drain, rows):
    files = [row["look"].file for row in rows]
    checksums = {file.checksum for file in files if file and file.checksum}
    if not checksums:
        return {}
    return drain.env["whatsapp.billing.media"]._find(drain.phone, checksums, _now())


def _mark_sending(drain, free, recording):
    """Lock and mark due rows; return each with what is ours and may have changed since.

    One statement: between it and the commit the threads have nothing to do. It writes
    down what calls brought as well (`recording.late`), and looks at documents of kinds
    that were met before (`drain_look`); of the others their models are asked, at once
    for all rows. What may not go after all is given back in the same transaction.
    """
    busy = {
        row.person_key
        for key, row in drain.in_flight.items()
        if key not in recording.keys
    }
    now = _now()
    looks = DocumentLooks(drain.env) if drain.is_careful else drain.looks
    rows = drain.claim_statement.execute(
        drain.claim_query(looks.sql),
        list(busy),
        free,
        now,
        now + timedelta(seconds=drain.messages._lease_seconds()),
        *drain_record.accepted_values(drain, recording.late, now),
    )
    drain_record.keep_earlier(drain, recording.late, rows[0]["earlier_ids"])
    rows = [row for row in rows if row["id"]]
    looks.take(rows)
    return rows


def claim_sql(drain, look):
    """Return SQL that claims: $1 the busy, $2 how many, $3 now, $4 the lease.

    $5 and on are the accepted calls that it writes down.

    :param look: SQL for what is asked of the document of a claimed row `m`
    """
    return SQL(
        """
        WITH recorded AS (%(recorded)s),
        due AS MATERIALIZED (
             SELECT DISTINCT ON (person_key) id
               FROM (SELECT * FROM (
                            SELECT id, priority,
                                   COALESCE(person_key, recipient, id::text)
                                   AS person_key
                              FROM whatsapp_billing_message
                             WHERE phone_id = %(phone_id)s AND state = 'queued'
                               AND document_state IN ('none', 'ready')
                               AND (next_attempt_at IS NULL OR next_attempt_at <= $3)
                               AND NOT COALESCE(person_key, '') = ANY($1)
                               AND NOT id = ANY(%(recorded_ids)s)
                          ORDER BY priority, id
                             LIMIT %(slice)s
                               FOR NO KEY UPDATE SKIP LOCKED) next LIMIT $2) locked
           ORDER BY person_key, priority, id),
        m AS (
             UPDATE whatsapp_billing_message
                SET state = 'sending', lease_until = $4, attempts = attempts + 1
               FROM due
              WHERE whatsapp_billing_message.id = due.id
          RETURNING whatsapp_billing_message.*)
        SELECT recorded.earlier_ids,
               m.id, m.uuid, m.recipient, m.recipient_uid, m.person_key, m.attempts,
               m.content, m.body, m.template_id, m.template_name, m.lang_code, m.purpose,
               m.document_type, m.res_model, m.res_id, m.filename, m.reason,
               m.document_state, m.attachment_id, m.partner_id, m.document_partner_id,
               m.method, m.company_id, m.expires_at,
               m.content ->> 'snapshot' AS snapshot,
               t.status AS template_status, t.obstacle AS template_obstacle,
               t.text_digest AS template_digest, t.category AS template_category,
               t.document_type AS template_type,
               a.state AS account_state,
               m.method IS DISTINCT FROM %(test)s AND %(kind_on)s IS NOT TRUE
                    AS kind_off,
               c.words AS consent_words, %(look)s AS document_look
          FROM (SELECT array(SELECT unnest(%(recorded_ids)s)
                      EXCEPT SELECT id FROM recorded) AS earlier_ids) recorded
     LEFT JOIN m ON TRUE
     LEFT JOIN whatsapp_billing_account a ON a.id = m.account_id
     LEFT JOIN whatsapp_billing_template t ON t.id = m.template_id
     LEFT JOIN res_company k ON k.id = m.company_id
     LEFT JOIN LATERAL (
               SELECT json_agg(json_build_array(
                          id, purpose, granted, said_at, source,
                          COALESCE(is_switch, FALSE), partner_id IS NULL,
                          partner_id IS NULL
                          OR COALESCE(person_key = m.person_key, FALSE))) AS words
                 FROM (SELECT * FROM whatsapp_billing_consent
                        WHERE partner_id = m.partner_id AND company_id = m.company_id
                    UNION ALL
                       SELECT * FROM whatsapp_billing_consent
                        WHERE partner_id IS NULL AND company_id = m.company_id
                          AND person_key IN (
                              m.person_key,
                              'erased:' || encode(sha256(convert_to(
                                  %(salt)s || m.person_key, 'UTF8')), 'hex'))
                      ) said) c ON TRUE
      ORDER BY m.priority, m.id
        """,
        phone_id=drain.phone.id,
        # So the plan goes along the index; how many it takes of them is $2.
        slice=drain.slice,
        recorded=drain_record.accepted_sql(*CLAIM_RECORDS),
        recorded_ids=CLAIM_RECORDS[0],
        salt=drain.env["whatsapp.billing.consent"]._salt(),
        test=const.TEST_METHOD,
        kind_on=_kind_on_sql(drain.env),
        look=look,
    )


def _kind_on_sql(env):
    """Return SQL for whether the company `k` sends documents of the kind of `m`."""
    switches = env["whatsapp.billing.document.mixin"]._wab_all_kind_switches()
    if not switches:
        return SQL("TRUE")
    cases = SQL(" ").join(
        SQL("WHEN %s THEN %s", kind, SQL.identifier("k", switch))
        for kind, switch in switches.items()
    )
    return SQL("CASE m.document_type %s ELSE TRUE END", cases)


def _give_back(drain, ids):
    """Take back the mark of rows that may not go, in the same transaction."""
    if ids:
        drain.env.cr.execute(
            """
            UPDATE whatsapp_billing_message
               SET state = 'queued', lease_until = NULL, attempts = attempts - 1
             WHERE id = ANY(%s)
            """,
            [ids],
        )


def _wants_document(drain, row):
    """Tell whether the file that was ready is gone or old: reset, replaced, deleted."""
    if row["document_state"] != "ready" or row["gone"]:
        return False
    if _has_document_changed(row):
        # The document has changed, so the message is replaced: no file is made for this
        # one.
        return False
    look = row["look"]
    if look.file and not row["file_changed"]:
        return False
    model = drain.env.get(row["res_model"] or "")
    is_kept = model is not None and model._wab_is_file_kept()
    # No file is made for a document in draft or cancelled: its messages are cancelled.
    return look.state in (None, "posted") and not (look.file and is_kept)


def _facts(drain, row):
    """Return what is so by now of a claimed row, for `eligibility.recheck`.

    The claim read it with what is so of its document (`look`); `_prepare` added that of
    a reminder's lines (`truth`) and of whom it is to (`contact`), for all rows at once.
    """
    look, truth = row["look"], row["truth"]
    purpose = _get_purpose(row)
    standing = _read_standing(row, purpose)
    by_switch = standing.state == "withdrawn" and standing.kind == "switch"
    return eligibility.Facts(
        purpose=purpose,
        document_state=_document_state(row),
        document_type=row["document_type"],
        payment_state="paid" if truth.is_settled else look.payment_state,
        is_reminder=row["document_type"] == drain_reminders.REMINDER,
        paused=truth.is_paused,
        disputed=truth.is_disputed,
        payment_pending=truth.payment_pending,
        bank_match=truth.bank_match,
        no_followup=truth.no_followup,
        # Off only where somebody switched the contact or the document off since;
        # without any consent row the message was allowed by contract or as a test.
        enabled=not (
            by_switch or truth.is_off or (look.is_off and is_by_template(row))
        ),
        consent="by_contract"
        if by_switch or standing.state == "none"
        else standing.state,
        number=row["recipient_uid"] or row["recipient"],
        number_changed=bool(row["contact"].new_number),
        template_found=bool(row["template_status"] or not row["template_name"]),
        template_status=row["template_status"] or "approved",
        template_obstacle=_get_obstacle(drain, row),
        account_state=row["account_state"] or "inactive",
        superseded=_is_superseded(row),
        kind_off=bool(row["kind_off"]),
        window_open=row["window_open"],
        recipient_active=row["contact"].is_active is not False,
    )


def _document_state(row):
    """Return the state of the document; what is gone counts as cancelled."""
    if row["gone"]:
        return "cancel"
    # Customer messages ignore the state of the document.
    return None if row["document_type"] == NOTE_TYPE else row["look"].state


def _get_obstacle(drain, row):
    """Return what of a message's template cannot be sent, None if all can."""
    templates = drain.env["whatsapp.billing.template"]
    if row["template_obstacle"]:
        return templates.browse(row["template_id"]).obstacle_sentence
    header = (row["content"] or {}).get("header") or {}
    model = drain.env.get(row["res_model"] or "")
    if header.get("kind") != "document" or model is None:
        return None
    return templates._get_file_problem(model, row["document_type"]) or None


def _read_standing(row, purpose):
    """Return what the recipient's words in the row's company amount to by now."""
    words = [
        consent.Word(number, purpose, granted, datetime.fromisoformat(said_at), *more)
        for number, purpose, granted, said_at, *more in row["consent_words"] or ()
    ]
    return consent.standing(words, purpose)


def _get_purpose(row):
    """Return which consent the message needs as its template is called by now."""
    if row["method"] == const.TEST_METHOD:
        return row["purpose"]
    types = (row["document_type"], row["template_type"])
    return eligibility.needed_consent(row["purpose"], row["template_category"], types)


def _is_superseded(row):
    """Tell whether the invoice, who gets it or their number is another one by now."""
    if row["is_misdirected"]:
        return True
    if row["truth"].has_changed and not row["truth"].is_settled:
        return True
    return _has_document_changed(row)


def _has_rest(row):
    """Tell whether a reminder that is not true any more has something left to say."""
    if not row["recipient"]:
        # The message was erased during its call and came back without number and text.
        return False
    if row["truth"].has_rest:
        return True
    if row["document_type"] != drain_reminders.REMINDER:
        return False
    is_theirs = row["document_partner_id"] == row["look"].partner_id
    return row["truth"] == drain_reminders.UNCHANGED and (
        row["is_misdirected"] or (row["changed"] and is_theirs)
    )


def _is_told_anew(row):
    """Tell whether the document is still to be told: in other words, to others."""
    if not row["recipient"]:
        # The message was erased during its call: not replaced, as waiting ones are
        # withdrawn.
        return False
    if row["is_misdirected"]:
        # Free text answers one person's words: it is not sent to another recipient.
        is_told = row["template_name"] and row["method"] != const.TEST_METHOD
        return bool(is_told) and row["document_type"] != drain_reminders.REMINDER
    return _has_document_changed(row)


def _has_document_changed(row):
    """Tell whether the document says something else by now, or is another customer's."""
    if row["changed"]:
        return True
    return bool(row["snapshot"]) and (
        row["document_partner_id"] != row["look"].partner_id
    )


def _ask_for_documents(drain, ids):
    if ids:
        drain.messages.browse(ids)._ask_for_documents()


def _drop(drain, drop):
    messages = drain.messages.browse([message_id for message_id, _decision in drop])
    for message, (_id, decision) in zip(messages, drop, strict=True):
        waits = decision.reason in WAITING_REASONS
        message.write(
            {
                "state": "held" if waits else "canceled",
                "reason": decision.reason,
                "trace_data": traces.pack_after(message.trace_data, decision.trace),
            }
        )
    drain.env.flush_all()


def _claimed(drain, row, media):
    document, checksum = None, ""
    if row["document_state"] == "ready":
        file = row["look"].file
        checksum = file.checksum or ""
        document = Document(
            # Without a checksum no two files count as the same: uploaded for this
            # message.
            checksum=checksum or f"message {row['id']}",
            filename=row["filename"] or "document.pdf",
            mime=file.mimetype or const.PDF,
            load=_loader(drain, file),
            media_uid=media.get(file.checksum, ""),
        )
    return Claimed(
        work=Work(row["id"], _outgoing(row), document),
        person_key=row["person_key"] or "",
        attempts=row["attempts"],
        template_id=row["template_id"],
        checksum=checksum,
        expires_at=row["expires_at"],
    )


def _loader(drain, file):
    """Return a function that reads the file in a thread, wherever Odoo keeps it."""
    attachments = drain.env["ir.attachment"]
    name = file.store_fname
    if not name:
        content = attachments.browse(file.id).raw
        return lambda: content
    # Other storages write a scheme (`s3://`) into the name: no file on our disk.
    path = None if "://" in name else attachments._full_path(name)
    return partial(_read_file, drain.env.registry, path, file.checksum, file.id)


def _read_file(registry, path, checksum, attachment_id):
    """Return the bytes of an attachment, none where the file is gone.

    From the disk when they are there as Odoo wrote them, which takes no connection to
    PostgreSQL; else as Odoo reads them, so that other storages have their say.
    """
    if path:
        with suppress(OSError), open(path, "rb") as stream:
            content = stream.read()
            if hashlib.sha1(content, usedforsecurity=False).hexdigest() == checksum:
                return content
    with READERS, registry.cursor() as cr:
        attachments = api.Environment(cr, SUPERUSER_ID, {})["ir.attachment"]
        return attachments.browse(attachment_id).exists().raw or b""


def _button_value(row, kind, value):
    """Return what a button carries; an answer names the message it is to."""
    return answers.payload(value, row["uuid"]) if kind == "quick_reply" else value


def _outgoing(row):
    content = row["content"] or {}
    if content.get("rows"):
        rows = tuple((payload, title) for payload, title in content["rows"])
        message = ListMessage(row["body"], content["button"], rows)
    elif not row["template_name"]:
        message = TextMessage(row["body"])
    else:
        header = content.get("header")
        message = TemplateMessage(
            template_name=row["template_name"],
            lang_code=row["lang_code"],
            header=HeaderParam(kind=header["kind"], text=header.get("param") or "")
            if header and (header["kind"] != "text" or header.get("param"))
            else None,
            body=tuple(content.get("body") or ()),
            buttons=tuple(
                ButtonParam(
                    index=index, kind=kind, value=_button_value(row, kind, value)
                )
                for index, kind, value in content.get("buttons") or ()
            ),
        )
    return Outgoing(
        recipient=row["recipient_uid"] or row["recipient"],
        content=message,
        uuid=row["uuid"],
    )
