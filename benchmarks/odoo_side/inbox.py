# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Receipts as Meta posts them, processed in bulk and one by one."""

import base64
import hashlib
import json
import time

from psycopg2.extras import Json

from odoo.addons.whatsapp_billing.clients.whatsapp import get_profile

from . import setup

STATUSES = ("sent", "delivered", "read")
NOW = 1_790_000_000
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
    value = {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": "34910000001",
            "phone_number_id": setup.PHONE_UID,
        },
        "statuses": [
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
        ],
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
    env.cr.execute("DELETE FROM whatsapp_billing_webhook_event")
    env.cr.execute("SELECT id, uuid FROM whatsapp_billing_message ORDER BY id")
    rows = env.cr.fetchall()
    # Delivered after sent, not beside it: as receipts come in.
    bodies = [
        body(f"wamid.{message_id}", uuid, status)
        for status in STATUSES
        for message_id, uuid in rows[: -(-count // len(STATUSES))]
    ][:count]
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
    setup.vacuum(env, "whatsapp_billing_message")
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
