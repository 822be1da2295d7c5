# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Drain a queue against the stub, as the job does, and the same with core's SMS."""

import json
import subprocess
import sys
import time
import urllib.request

import requests

from . import setup

WARM_UP = 50


def drain(env, url, count, rounds):
    """Return {threads: [[ours, bare loop], ...]} in messages a second."""
    phone = _queue(env, url, count)
    result = {"pace": [], "pairs": {}}
    _measure(env, phone, url, WARM_UP, 16)
    for threads in (64, 128):
        result["pairs"][threads] = [
            [_measure(env, phone, url, count, threads), _bare(url, count, threads)]
            for _round in range(rounds)
        ]
    # At Meta's highest pace for a number, kept by our own bucket.
    phone.pace = 1000
    env.flush_all()
    env.cr.commit()
    result["pace"] = [_measure(env, phone, url, count, 128) for _round in range(rounds)]
    return result


def _queue(env, url, count):
    """Queue messages about real invoices, with everything that is looked at again.

    Without a PDF: uploading is another call, and both baselines have none.
    """
    account = setup.connect(env, url, pace=100_000, header_type="none")
    results = setup.invoices(env, limit=count).wab_send()
    assert {r["state"] for r in results} == {"queued"}, results[:2]
    env.flush_all()
    env.cr.execute("DELETE FROM queue_job")
    env.cr.commit()
    return account.phone_ids


def _measure(env, phone, url, count, threads):
    _requeue(env, phone, count, threads)
    fetch(f"{url}/reset")
    started = time.perf_counter()
    sent = phone.sudo()._drain()
    seconds = time.perf_counter() - started
    found = fetch(f"{url}/count")
    # What is measured must also be right: each message once, and recorded.
    assert sent == count == found["accepted"] == found["distinct"], (sent, found)
    env.cr.execute("SELECT count(*) FROM whatsapp_billing_message WHERE state = 'sent'")
    assert env.cr.fetchone()[0] == count
    env.cr.commit()
    return count / seconds


def _requeue(env, phone, count, threads):
    """Put the first `count` messages back to where they were."""
    env["ir.config_parameter"].sudo().set_param("whatsapp_billing.threads", threads)
    env.cr.execute(
        """
        UPDATE whatsapp_billing_message m
           SET state = CASE WHEN n <= %s THEN 'queued' ELSE 'canceled' END,
               wamid = NULL, sent_at = NULL, attempts = 0
          FROM (SELECT id, row_number() OVER (ORDER BY id) AS n
                  FROM whatsapp_billing_message) v
         WHERE v.id = m.id
        """,
        [count],
    )
    env.invalidate_all()
    env.cr.commit()
    setup.vacuum(env, "whatsapp_billing_message")


def _bare(url, count, threads):
    output = subprocess.run(
        [sys.executable, "-m", "benchmarks.loop"]
        + [f"{url}/v25.0/{setup.PHONE_UID}/messages", str(count), str(threads)],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return float(output)


def twilio(env, url, count):
    """Return messages a second of core's SMS queue, one batch after the other."""
    env.company.sudo().write(
        {
            "sms_provider": "twilio",
            "sms_twilio_account_sid": f"AC{'0' * 32}",
            "sms_twilio_auth_token": "bench",
            "sms_twilio_number_ids": [
                (0, 0, {"number": "+34910000001", "country_id": env.ref("base.es").id})
            ],
        }
    )
    partners = setup.invoices(env, limit=count).partner_id
    env["sms.sms"].create(
        [
            {
                "number": partner.phone,
                "partner_id": partner.id,
                "body": f"Hello {partner.name}, your invoice is ready for you.",
            }
            for partner in partners
        ]
    )
    env.flush_all()
    env.cr.commit()
    original = requests.Session.request

    def request(session, method, address, **options):
        address = address.replace("https://api.twilio.com", url)
        return original(session, method, address, **options)

    requests.Session.request = request
    try:
        started = time.perf_counter()
        while env["sms.sms"].search_count([("state", "=", "outgoing")]):
            env["sms.sms"]._process_queue()
            env.cr.commit()
        seconds = time.perf_counter() - started
    finally:
        requests.Session.request = original
    states = set(env["sms.sms"].search([]).mapped("state"))
    assert states <= {"sent", "pending"}, states
    return count / seconds


def fetch(address):
    with urllib.request.urlopen(address, timeout=10) as answer:
        return json.loads(answer.read())
