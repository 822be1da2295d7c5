# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Files of messages with real PDFs, threads and connections.

Run by `test_documents.py` in a process with Odoo, on a database of its own: the tests in
the module share one connection, which threads would wait for, and render no PDF.
"""

import hashlib
import io
import os
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

import psutil
import pypdf
from two_connections import PATIENCE_SECONDS, Beside, Ground, play


class Files(Ground):
    """A connected company, and a provider that keeps what is uploaded."""

    def __init__(self, registry):
        super().__init__(registry)
        self.numbers = iter(range(34600000201, 34600000299))
        self.uploads = []
        self.template_id = self.common.templates["invoice"].id

    def transport(self, pool_size):
        from odoo.addons.whatsapp_billing.clients.testing import json_response

        def keep(call):
            self.uploads.append(dict(call.files)["file"][1])
            return json_response({"id": str(len(self.uploads))})

        transport = super().transport(pool_size)
        transport.add("POST", r"/media(\?|$)", keep)
        return transport

    def queue(self, count=1):
        """Send new invoices with their PDF; return the messages' ids."""
        move_ids = [self.customer(f"+{next(self.numbers)}")[1] for _n in range(count)]
        with self.request() as env:
            results = env["account.move"].browse(move_ids).wab_send(self.template_id)
            return [result["message_id"] for result in results]

    def make(self):
        from odoo.addons.whatsapp_billing.models.worker.budget import Budget

        with self.request() as env:
            env["whatsapp.billing.message"]._make_documents(Budget(600))

    @contextmanager
    def message(self, message_id):
        with self.request() as env:
            yield env["whatsapp.billing.message"].browse(message_id)

    def pdf(self, message_id):
        """Return (id, stored name, digest) of the legal PDF of a message's invoice."""
        with self.message(message_id) as message:
            move = message.env["account.move"].browse(message.res_id)
            pdf = move.invoice_pdf_report_id
            return pdf.id, pdf.store_fname, hashlib.sha256(pdf.raw or b"").hexdigest()

    def ready(self):
        """Return the id of a message whose PDF is there."""
        (message_id,) = self.queue()
        self.make()
        return message_id

    def go(self, message_id, rounds=12):
        """Let the workers run, with no waiting between; return what came of it."""
        before = len(self.calls)
        for _n in range(rounds):
            with self.message(message_id) as message:
                if message.state != "queued":
                    break
                message.next_attempt_at = False
            self.drain()
            self.make()
        with self.message(message_id) as message:
            return {
                "state": message.state,
                "attempts": message.attempt_ids.sorted("id").mapped("kind"),
                "words": message.error_detail or "",
                "calls": len(self.calls) - before,
            }

    def read_as(self, read):
        """Replace what Odoo reads of a stored file, as another storage does.

        :param read: called with the stored name; None leaves it to Odoo
        """
        model = self.registry["ir.attachment"]
        original = model._file_read

        def file_read(attachment, fname, size=None):
            found = read(fname)
            return original(attachment, fname, size) if found is None else found

        return patch.object(model, "_file_read", file_read)

    @contextmanager
    def threads(self, number):
        """Make so many documents at a time."""
        name = "whatsapp_billing.document_threads"
        with self.request() as env:
            env["ir.config_parameter"].set_param(name, str(number))
        yield
        with self.request() as env:
            env["ir.config_parameter"].set_param(name, False)

    def render_by(self, step):
        """Do `step` instead of rendering; the PDF is an empty page."""
        from odoo.tools.misc import file_path

        with open(file_path("base/tests/minimal.pdf"), "rb") as stream:
            page = stream.read()

        def run(report, *_args, **_kwargs):
            step(report)
            return page

        model = self.registry["ir.actions.report"]
        return patch.object(model, "_run_wkhtmltopdf", run)

    def states(self, message_ids):
        """Return [state of the message, of its document] of each."""
        with self.request() as env:
            messages = env["whatsapp.billing.message"].browse(message_ids)
            return [[m.state, m.document_state] for m in messages]

    def has_begun(self, let_go, before):
        """Tell whether a message has gone, or a job that sends it is there."""
        if let_go == "cron":
            return len(self.calls) > before
        with self.request() as env:
            key = f"whatsapp.billing.phone.drain.{self.phone_id}"
            jobs = env["queue.job"].search_count([("identity_key", "=", key)])
            return bool(jobs)

    def make_as_odoo(self, move_id):
        """Have Odoo's own sending make the PDF, and commit."""
        with self.request() as env:
            env["account.move.send"]._generate_and_send_invoices(
                env["account.move"].browse(move_id), sending_methods=[]
            )

    def images(self, message_id):
        """Return how many images are on the pages of a message's PDF."""
        with self.message(message_id) as message:
            reader = pypdf.PdfReader(io.BytesIO(message.attachment_id.raw))
            return sum(len(page.images) for page in reader.pages)

    def sha(self, content):
        return hashlib.sha256(content).hexdigest()


# --- where files are kept --------------------------------------------------------------


def file_on_another_storage(files):
    """Its name says nothing about our disk, where there is no such file."""
    message_id = files.ready()
    pdf_id, fname, digest = files.pdf(message_id)
    away = f"s3://bucket/{fname}"
    with files.message(message_id) as message:
        attachment = message.env["ir.attachment"].browse(pdf_id)
        content, path = attachment.raw, attachment._full_path(fname)
        message.env.cr.execute(
            "UPDATE ir_attachment SET store_fname = %s WHERE id = %s", [away, pdf_id]
        )
    os.unlink(path)
    with files.read_as({away: content}.get):
        outcome = files.go(message_id)
    return outcome | {"same": files.sha(files.uploads[-1]) == digest}


def file_that_a_storage_changes_on_our_disk(files):
    """Encrypted there, say: what is on the disk is not what was stored."""
    message_id = files.ready()
    pdf_id, fname, digest = files.pdf(message_id)
    with files.message(message_id) as message:
        attachment = message.env["ir.attachment"].browse(pdf_id)
        content, path = attachment.raw, attachment._full_path(fname)
    with open(path, "wb") as stream:
        stream.write(content[::-1])
    with files.read_as({fname: content}.get):
        outcome = files.go(message_id)
    return outcome | {"same": files.sha(files.uploads[-1]) == digest}


def file_that_is_lost(files):
    """Nobody knows where it is; it is made anew in its place."""
    message_id = files.ready()
    pdf_id, fname, _digest = files.pdf(message_id)
    with files.message(message_id) as message:
        os.unlink(message.env["ir.attachment"]._full_path(fname))
    outcome = files.go(message_id)
    again_id, _fname, digest = files.pdf(message_id)
    return outcome | {
        "same": files.sha(files.uploads[-1]) == digest,
        "in_place": again_id == pdf_id,
        "is_pdf": files.uploads[-1].startswith(b"%PDF"),
    }


def file_that_stays_lost(files):
    """A storage that loses all: the message says so and is tried no more."""
    message_id = files.ready()
    uploads = len(files.uploads)
    with files.message(message_id) as message:
        path = message.env["ir.attachment"]._full_path("")
    with files.read_as(lambda _fname: b""), patch_open(path):
        outcome = files.go(message_id)
    return outcome | {"uploads": len(files.uploads) - uploads}


def storage_that_is_down(files):
    """It is no trouble of the provider's: tried some times, not without end."""
    message_id = files.ready()
    pdf_id, _fname, _digest = files.pdf(message_id)
    with files.message(message_id) as message:
        message.env.cr.execute(
            "UPDATE ir_attachment SET store_fname = 's3://x/1' WHERE id = %s", [pdf_id]
        )

    def down(fname):
        if fname.startswith("s3://"):
            raise ConnectionError("bucket not reachable")

    with files.read_as(down):
        return files.go(message_id)


# --- how they are made -------------------------------------------------------------------


def documents_side_by_side(files):
    """Each waits until another is being made, too."""
    message_ids = files.queue(4)
    both = threading.Barrier(2)

    def render(_report):
        both.wait(PATIENCE_SECONDS)

    with files.threads(2), files.render_by(render):
        files.make()
    return files.states(message_ids)


def messages_go_while_documents_are_made(files, let_go="cron"):
    """The second document is finished when the first message has gone."""
    first, second = files.queue(2)
    before, gone = len(files.calls), threading.Event()
    with files.request() as env:
        env["queue.job"].search([]).unlink()
    turns = iter((False, True))

    def render(_report):
        if next(turns):
            gone.wait(PATIENCE_SECONDS)

    def look():
        while not gone.wait(0.05):
            if files.has_begun(let_go, before):
                gone.set()

    found = {}
    with files.threads(2), files.render_by(render):
        beside = Beside(look)
        with files.request() as env:
            messages = env["whatsapp.billing.message"]
            if let_go == "cron":
                messages._cron_outbox()
            else:
                messages._process_documents()
        found["gone_first"] = gone.is_set()
        gone.set()
        beside.join()
    return found | {"states": files.states([first, second])}


def jobs_begin_while_documents_are_made(files):
    """With a job runner: the number's job is there before the last document is."""
    return messages_go_while_documents_are_made(files, "job")


def program_that_hangs(files):
    """It is ended; its document fails in words, and the others are made."""
    from odoo.addons.base.models import ir_actions_report
    from odoo.addons.whatsapp_billing.models.worker.budget import Budget

    hanging, fine = files.queue(2)
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "wkhtmltopdf")
        with open(program, "w") as stream:
            stream.write(HANGS_ONCE)
        os.chmod(program, 0o700)
        info = ir_actions_report._wkhtml()._replace(bin=program)
        began = time.monotonic()
        model = files.registry["whatsapp.billing.message"]
        original = model._limit_document

        def limit(messages, _budget):
            return original(messages, Budget(600, 2))

        with (
            files.threads(1),
            patch.object(ir_actions_report, "_wkhtml", lambda: info),
            patch.object(model, "_limit_document", limit),
        ):
            files.make()
        took = time.monotonic() - began
        left = [p for p in psutil.Process().children() if program in p.cmdline()]
    with files.message(hanging) as message:
        words = message.error_detail
    return {
        "states": files.states([hanging, fine]),
        "in_time": took < PATIENCE_SECONDS / 2,
        "left": len(left),
        "words": words,
    }


HANGS_ONCE = f"""#!{sys.executable}
import os, sys, time
mark = os.path.join(os.path.dirname(__file__), "hung")
if not os.path.exists(mark):
    open(mark, "w").close()
    time.sleep(600)
os.execv("/usr/bin/env", ["env", "wkhtmltopdf", *sys.argv[1:]])
"""


def invoice_that_somebody_works_on(files):
    """It is left to another run, and keeps no other waiting."""
    busy, free = files.queue(2)
    with files.request() as env, files.threads(1):
        move_id = env["whatsapp.billing.message"].browse(busy).res_id
        env["account.move"].browse(move_id).lock_for_update()
        files.make()
        meanwhile = files.states([busy, free])
    files.make()
    return {"meanwhile": meanwhile, "later": files.states([busy, free])}


def pdf_that_odoo_makes_meanwhile(files):
    """Odoo's own cron is at the same invoice and commits first: there is one PDF."""
    (message_id,) = files.queue()
    with files.message(message_id) as message:
        move_id = message.res_id

    def render(_report):
        if not begun:
            begun.append(True)
            theirs.append(Beside(partial(files.make_as_odoo, move_id)).join().error)

    begun, theirs = [], []
    with files.threads(1), files.render_by(render):
        files.make()
    with files.request() as env:
        pdfs = env["ir.attachment"].search(
            [
                ("res_model", "=", "account.move"),
                ("res_id", "=", move_id),
                ("res_field", "=", "invoice_pdf_report_file"),
            ]
        )
        message = env["whatsapp.billing.message"].browse(message_id)
        return {
            "theirs": theirs,
            "pdfs": len(pdfs),
            "is_it": message.attachment_id == pdfs,
            "states": files.states([message_id]),
        }


def qr_code_of_a_payment_link(files):
    """Drawn by `reportlab` with what our set-up installs: there is more on the page."""
    (plain,) = files.queue()
    files.make()
    with files.request() as env:
        env.company.link_qr_code = True
    (with_code,) = files.queue()
    files.make()
    with files.request() as env:
        env.company.link_qr_code = False
    return {
        "outcome": files.go(with_code),
        "images": files.images(with_code) - files.images(plain),
    }


def patch_open(path):
    """Have our disk hold none of the stored files."""
    from odoo.addons.whatsapp_billing.models.claim import drain_claim

    def no_file(name, *args):
        if str(name).startswith(path):
            raise FileNotFoundError(name)
        return open(name, *args)

    return patch.object(drain_claim, "open", no_file, create=True)


SCENARIOS = (
    file_on_another_storage,
    file_that_a_storage_changes_on_our_disk,
    file_that_is_lost,
    file_that_stays_lost,
    storage_that_is_down,
    documents_side_by_side,
    messages_go_while_documents_are_made,
    jobs_begin_while_documents_are_made,
    program_that_hangs,
    invoice_that_somebody_works_on,
    pdf_that_odoo_makes_meanwhile,
    qr_code_of_a_payment_link,
)


if __name__ == "__main__":
    play(*sys.argv[1:], Files, SCENARIOS)
