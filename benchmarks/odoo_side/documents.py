# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Press Send on invoices without PDF and let the workers run; the same with e-mail."""

import os
import socketserver
import threading
import time
from contextlib import contextmanager

import requests

from . import setup

SIMULATED = {"access_token": "simulator-token", "app_secret": "simulator-app-secret"}
WARM_UP = 2
PDF_ROUNDS = 4


def ours(env, url, count):
    """Return seconds until the last and the first are on their phones, and of one PDF.

    The PDFs alone are rendered in four parts, before and after what is measured.
    """
    _connect(env, url)
    _send(env, url, 0, WARM_UP)
    alone = [_render(env, count + WARM_UP, PDF_ROUNDS)]
    alone.append(_render(env, count + WARM_UP + PDF_ROUNDS, PDF_ROUNDS))
    found = _send(env, url, WARM_UP, count)
    alone.append(_render(env, count + WARM_UP + 2 * PDF_ROUNDS, PDF_ROUNDS))
    alone.append(_render(env, count + WARM_UP + 3 * PDF_ROUNDS, PDF_ROUNDS))
    return found | {
        "pdf_seconds": sum(alone) / len(alone),
        "cores": len(os.sched_getaffinity(0)),
    }


def _connect(env, url):
    """Connect to the simulator, which knows the number and gets the template."""
    account = setup.connect(env, url)
    account.sudo().write(SIMULATED)
    env["ir.config_parameter"].sudo().set_param("account.pdf_generation_batch", "0")
    template = env["whatsapp.billing.template"].sudo().search([])
    requests.post(
        f"{url}/_control/template",
        json={
            "action": "create",
            "name": template.template_name,
            "language": template.lang_code,
            "components": template._components(),
            "category": "UTILITY",
            "status": "APPROVED",
            "waba_uid": setup.WABA_UID,
        },
        timeout=10,
    ).raise_for_status()
    requests.post(
        f"{url}/v25.0/{setup.PHONE_UID}/register",
        headers={"Authorization": f"Bearer {SIMULATED['access_token']}"},
        json={"messaging_product": "whatsapp", "pin": "123456"},
        timeout=10,
    ).raise_for_status()
    env.flush_all()
    env.cr.commit()


def _send(env, url, offset, count):
    """Press Send in our composer, and run what the cron runs until all have gone."""
    moves = setup.invoices(env, offset, count)
    before = _received(url)
    action = moves.action_wab_compose()
    wizard = env[action["res_model"]].browse(action["res_id"])
    env.flush_all()
    env.cr.commit()
    env.invalidate_all()
    first = _First(url, before)
    started = time.perf_counter()
    wizard.action_send()
    env.flush_all()
    env.cr.commit()
    until = time.monotonic() + 280
    while _received(url) < before + count and time.monotonic() < until:
        env["whatsapp.billing.message"]._cron_outbox()
        env.cr.commit()
    seconds = time.perf_counter() - started
    env.cr.execute(
        "SELECT state, document_state, count(*) FROM whatsapp_billing_message"
        " WHERE res_id = ANY(%s) GROUP BY 1, 2",
        [moves.ids],
    )
    rows = env.cr.fetchall()
    # What is measured must also be right: each once, with its file, and recorded.
    assert rows == [("sent", "ready", count)], rows
    assert _received(url) == before + count
    return {"seconds": seconds, "first_seconds": first.wait() - started}


class _First:
    """Notes when the first message has arrived, beside what is measured."""

    def __init__(self, url, before):
        self.url, self.before, self.at = url, before, None
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def _look(self):
        while _received(self.url) <= self.before:
            time.sleep(0.1)
        self.at = time.perf_counter()

    def wait(self):
        self.thread.join(10)
        return self.at


def _received(url):
    answer = requests.get(f"{url}/_control/messages", {"count": 1}, timeout=10)
    return answer.json()["count"]


def _render(env, offset, count):
    """Return the seconds of one PDF, rendered one after the other and kept nowhere."""
    moves = setup.invoices(env, offset, count)
    reports = env["ir.actions.report"]
    started = time.perf_counter()
    for move in moves:
        content, kind = reports._render_qweb_pdf("account.account_invoices", move.ids)
        assert kind == "pdf" and content.startswith(b"%PDF")
        env.invalidate_all()
    return (time.perf_counter() - started) / count


def core(env, count):
    """Return the seconds of core's batch Send with e-mail until the last has arrived."""
    env["ir.config_parameter"].sudo().set_param("account.pdf_generation_batch", "0")
    with _mail_server() as server:
        env["ir.mail_server"].create(
            {"name": "Bench", "smtp_host": "127.0.0.1", "smtp_port": server.port}
        )
        env.company.email = "bench@example.com"
        _mail(env, server, 0, WARM_UP)
        return {"seconds": _mail(env, server, WARM_UP, count)}


def _mail(env, server, offset, count):
    moves = setup.invoices(env, offset, count)
    before = server.received
    context = {"active_model": "account.move", "active_ids": moves.ids}
    wizard = env["account.move.send.batch.wizard"].with_context(**context).create({})
    env.flush_all()
    env.cr.commit()
    env.invalidate_all()
    started = time.perf_counter()
    wizard.action_send_and_print()
    env.flush_all()
    env.cr.commit()
    while env["account.move"].search_count([("sending_data", "!=", False)]):
        env["account.move"]._cron_account_move_send(job_count=count)
        env.cr.commit()
    env["mail.mail"].process_email_queue()
    env.cr.commit()
    seconds = time.perf_counter() - started
    assert server.received == before + count, (server.received, before, count)
    return seconds


@contextmanager
def _mail_server():
    """Run a mail server on loopback that takes everything and keeps nothing."""
    with _MailServer(("127.0.0.1", 0), _MailSession) as server:
        server.port = server.server_address[1]
        server.received = 0
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


class _MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True


class _MailSession(socketserver.StreamRequestHandler):
    def handle(self):
        self._say("220 bench")
        for line in self.rfile:
            word = line[:4].upper().strip()
            if word == b"DATA":
                self._say("354 go on")
                while self.rfile.readline().rstrip(b"\r\n") != b".":
                    pass
                self.server.received += 1
            self._say("221 bye" if word == b"QUIT" else "250 ok")
            if word == b"QUIT":
                return

    def _say(self, text):
        self.wfile.write(text.encode() + b"\r\n")
