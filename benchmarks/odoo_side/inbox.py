# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Receipts and texts as Meta posts them, processed in bulk and one by one."""

import base64
import hashlib
import json
import time

from psycopg2.extras import Json

from odoo.addons.whatsapp_billing.clients.whatsapp import get_profile

from . import setup

STATUSES = ("sent", "delivered", "read")
NOW = 1_790_000_000
# Before the texts of a run that is measured are read: their windows are open.
TEXTS_AT = int(time.time()) - 3600
# What a hundred customers write: questions, thanks, and one asks to be left alone.
QUESTION = "Hello, could you please tell me when the order of last week is delivered?"
WORDS = [QUESTION] * 89 + ["Thank you!"] * 10 + ["STOP"]
COLUMNS = {"delivered": "delivered_at", "read": "read_at", "sent": "sent_at"}


def process(env, count, baseline_count, rounds):
    """Return [[ours, one by one], ...] in receipts a second."""
    account = setup.connect(env, "http://127.0.0.1:9", header_type="none")
    moves = setup.invoices(env, limit=count // len(STATUSES))
    results = moves.wab_send()
    assert {r["state"] for r in results} == {"queued"}, results[:2]
    env.flush_all()
    env.cr.execute("DELETE FROM queue_job")
    pairs = []
    for _round in range(rounds):
        _reset(env, account, count)
        ours = _in_bulk(env, count)
        _reset(env, account, baseline_count)
        pairs.append([ours, _one_by_one(env, baseline_count)])
    return pairs


def body(wamid, uuid, status):
    """Return one receipt in a POST of its own, the smallest that Meta sends."""
    return _post(
        statuses=[
            {
                "id": wamid,
                "status": status,
                "timestamp": str(NOW + STATUSES.index(status)),
                "recipient_id": "34600000000",
                "biz_opaque_callback_data": uuid,
                "pricing": {
                    "billable": True,
                    "pricing_model": "PMP",
                    "type": "regular",
                    "category": "utility",
                },
            }
        ]
    )


def text_body(number, sender, text):
    """Return one text of a customer in a POST of its own, as Meta sends it."""
    return _post(
        contacts=[{"profile": {"name": f"Customer {sender}"}, "wa_id": sender}],
        messages=[
            {
                "from": sender,
                "id": f"wamid.text.{number}",
                "timestamp": str(TEXTS_AT + number // 100),
                "type": "text",
                "text": {"body": text},
            }
        ],
    )


def _post(**parts):
    value = {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": "34910000001",
            "phone_number_id": setup.PHONE_UID,
        },
        **parts,
    }
    entry = {
        "id": setup.WABA_UID,
        "changes": [{"field": "messages", "value": value}],
    }
    return json.dumps(
        {"object": "whatsapp_business_account", "entry": [entry]}
    ).encode()


def _reset(env, account, count):
    """Put messages back to `sent` and `count` receipts about them into the inbox."""
    env.cr.execute(
        """
        UPDATE whatsapp_billing_message
           SET state = 'sending', wamid = NULL, sent_at = NULL, delivered_at = NULL,
               read_at = NULL, pricing = NULL
        """
    )
    env.cr.execute("SELECT id, uuid FROM whatsapp_billing_message ORDER BY id")
    rows = env.cr.fetchall()
    # Delivered after sent, not beside it: as receipts come in.
    bodies = [
        body(f"wamid.{message_id}", uuid, status)
        for status in STATUSES
        for message_id, uuid in rows[: -(-count // len(STATUSES))]
    ][:count]
    _store(env, account, bodies)
    env.cr.commit()
    setup.vacuum(env, "whatsapp_billing_message")


def _store(env, account, bodies):
    """Put POSTs into the inbox, as the controller does, and nothing else."""
    env.cr.execute("DELETE FROM whatsapp_billing_webhook_event")
    env.cr.execute_values(
        """
        INSERT INTO whatsapp_billing_webhook_event
               (app_key, provider, body, digest, signer_ids, received_at, state,
                create_date)
        VALUES %s
        """,
        [
            (
                account.webhook_token,
                "meta",
                base64.b64encode(content),
                hashlib.sha256(content).hexdigest(),
                Json([account.id]),
                "2026-11-20 08:00:00",
                "new",
                "2026-11-20 08:00:00",
            )
            for content in bodies
        ],
    )
    env.invalidate_all()
    env.cr.commit()
    setup.vacuum(env, "whatsapp_billing_webhook_event")


def _in_bulk(env, count):
    events = env["whatsapp.billing.webhook.event"].sudo()
    started = time.perf_counter()
    done = events._job_process()
    seconds = time.perf_counter() - started
    assert done == count, done
    _check(env, count)
    return count / seconds


def _check(env, count):
    """Make sure that what was measured is also right."""
    env.cr.execute(
        "SELECT count(*) FROM whatsapp_billing_webhook_event WHERE state != 'done'"
    )
    assert env.cr.fetchone()[0] == 0
    env.cr.execute("SELECT count(*) FROM whatsapp_billing_message WHERE state = 'read'")
    assert env.cr.fetchone()[0] == count // len(STATUSES)
    env.cr.commit()


def _one_by_one(env, count):
    """Do what a plain module does: read, look up, write, commit, next."""
    messages = env["whatsapp.billing.message"].sudo()
    events = env["whatsapp.billing.webhook.event"].sudo()
    rank = {"sending": 0, "sent": 1, "delivered": 2, "read": 3}
    started = time.perf_counter()
    for event in events.search([("state", "=", "new")], order="id"):
        raw = base64.b64decode(event.body)
        for update in get_profile(event.provider).parse_webhook(raw):
            message = messages.search([("uuid", "=", update.uuid)], limit=1)
            values = {"wamid": update.wamid, "pricing": update.pricing}
            if rank[update.status] > rank[message.state]:
                values["state"] = update.status
            values[COLUMNS[update.status]] = time.strftime(
                "%Y-%m-%d %H:%M:%S", time.gmtime(update.timestamp)
            )
            message.write(values)
        event.state = "done"
        env.cr.commit()
    seconds = time.perf_counter() - started
    _check(env, count)
    return count / seconds


# --- texts ----------------------------------------------------------------------------


def process_texts(env, count, baseline_count, rounds):
    """Return [[ours, one by one], ...] in texts a second; two texts a customer."""
    account = setup.connect(env, "http://127.0.0.1:9", header_type="none")
    partners = setup.invoices(env, limit=count // 2).partner_id
    senders = [partner.wab_recipient.lstrip("+") for partner in partners]
    pairs = []
    for _round in range(rounds):
        _reset_texts(env, account, senders, count)
        ours = _texts_in_bulk(env, count)
        _reset_texts(env, account, senders, baseline_count)
        pairs.append([ours, _texts_one_by_one(env, baseline_count)])
    return pairs


def _reset_texts(env, account, senders, count):
    """Forget what customers wrote and put `count` texts into the inbox."""
    env["mail.activity"].sudo().search(
        [("res_model", "in", ("res.partner", account._name))]
    ).unlink()
    env.flush_all()
    env.cr.execute(
        """
        DELETE FROM mail_message
         WHERE model = 'res.partner' AND message_type = 'comment'
        """
    )
    env.cr.execute("DELETE FROM whatsapp_billing_consent WHERE source = 'keyword'")
    env.cr.execute("DELETE FROM whatsapp_billing_message")
    env.cr.execute("DELETE FROM queue_job")
    bodies = [
        text_body(number, senders[number // 2], WORDS[number % len(WORDS)])
        for number in range(count)
    ]
    _store(env, account, bodies)
    for table in ("whatsapp_billing_message", "mail_message", "mail_activity"):
        setup.vacuum(env, table)


def _texts_in_bulk(env, count):
    events = env["whatsapp.billing.webhook.event"].sudo()
    started = time.perf_counter()
    done = events._job_process()
    seconds = time.perf_counter() - started
    assert done == count, done
    _check_texts(env, count)
    return count / seconds


def _check_texts(env, count):
    """Make sure that everything was kept and told, and that who wrote is looked after."""
    env.invalidate_all()
    messages = env["whatsapp.billing.message"].sudo()
    assert messages.search_count([("direction", "=", "in")]) == count
    assert not messages.search_count([("tell", "!=", False)])
    lines = env["mail.message"].sudo()
    told = lines.search_count(
        [("model", "=", "res.partner"), ("message_type", "=", "comment")]
    )
    assert told == count, told
    asked = (
        env["mail.activity"].sudo().search_count([("res_model", "=", "res.partner")])
    )
    assert asked >= count * 0.4, asked
    env.cr.commit()


def _texts_one_by_one(env, count):
    """Do what a plain module does: look up, keep, tell the chatter, ask, commit, next."""
    messages = env["whatsapp.billing.message"].sudo()
    events = env["whatsapp.billing.webhook.event"].sudo()
    partners = env["res.partner"].sudo()
    kind = env.ref("mail.mail_activity_data_todo")
    started = time.perf_counter()
    for event in events.search([("state", "=", "new")], order="id"):
        raw = base64.b64decode(event.body)
        for update in get_profile(event.provider).parse_webhook(raw):
            if messages.search_count([("wamid", "=", update.wamid)]):
                continue
            partner = partners.search([("wab_recipient", "=", update.sender)], limit=1)
            messages.create(
                {
                    "direction": "in",
                    "state": "received",
                    "wamid": update.wamid,
                    "company_id": env.company.id,
                    "partner_id": partner.id,
                    "recipient": update.sender,
                    "body": update.text,
                    "inbound_type": update.type,
                }
            )
            partner.message_post(
                body=update.text,
                author_id=partner.id,
                message_type="comment",
                subtype_xmlid="mail.mt_note",
            )
            if not partner.activity_ids:
                partner.activity_schedule(
                    activity_type_id=kind.id, summary=update.text[:80]
                )
        event.state = "done"
        env.flush_all()
        env.cr.commit()
    seconds = time.perf_counter() - started
    _check_texts(env, count)
    return count / seconds
