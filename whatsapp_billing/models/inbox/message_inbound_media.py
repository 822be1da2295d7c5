# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Fetch the files that customers send, before the provider deletes them.

A row is the truth (`media_state`); a job after each batch of the inbox, and a cron,
say that there is work. Calls are made outside of any transaction that holds rows.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import human_size
from odoo.tools.mimetypes import guess_mimetype

from ...clients.errors import ClientError, ContentError
from ...clients.whatsapp.error_table import FILE_LOST
from ...rules import parameters
from ..mail_message import of_company
from ..worker.budget import Budget

_logger = logging.getLogger(__name__)

# Most bytes of a file that are kept, and files fetched at a time.
MAX_BYTES = 16 * 1024 * 1024
THREADS = 4
# Minutes until the next attempt. Meta keeps a file for seven days.
WAITS = (1, 10, 60, 6 * 60, 24 * 60, 3 * 24 * 60)
# A file that is being fetched is left alone by other workers for this long.
LEASE_MINUTES = 5


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    media_state = fields.Selection(
        [
            ("pending", "Being fetched"),
            ("ready", "Ready"),
            ("gone", "Could not be fetched"),
        ],
        readonly=True,
        string="File",
    )

    file_html = fields.Html(
        compute="_compute_file_html", sanitize=False, string="Attached File"
    )

    _media_index = models.Index("(id) WHERE media_state = 'pending'")

    # === COMPUTE METHODS === #

    @api.depends("media_state", "attachment_id", "filename")
    @api.depends_context("lang")
    def _compute_file_html(self):
        states = dict(self._fields["media_state"]._description_selection(self.env))
        for message in self:
            # sudo: ir.attachment - the name; the link asks for the reader's rights
            file_sudo = message.attachment_id.sudo()
            if message.media_state == "ready" and file_sudo:
                message.file_html = Markup(
                    '<a href="/web/content/%s?download=true">%s</a> (%s)'
                ) % (file_sudo.id, file_sudo.name, human_size(file_sudo.file_size))
            else:
                message.file_html = message.media_state and Markup.escape(
                    states[message.media_state]
                )

    # === CRON METHODS === #

    @api.model
    def _cron_media(self):
        """Fetch what no job has fetched."""
        self._job_fetch_media()

    # === BUSINESS METHODS - FILES === #

    @api.model
    def _trigger_media(self):
        """Ask queue_job for a job that fetches files, if there are any."""
        # sudo: whatsapp.billing.message - only whether there are any
        if self.sudo().search_count([("media_state", "=", "pending")], limit=1):
            # sudo: queue.job - the provider's call has no user of its own
            self.sudo().with_delay(
                identity_key="whatsapp_billing.media"
            )._job_fetch_media()

    @api.model
    def _job_fetch_media(self):
        """Fetch files until none is due; when time is up another job goes on."""
        budget = Budget.of_run()
        while not budget.is_over():
            with self._own_transaction() as env:
                messages = env[self._name]
                found = self._durably(env, messages._claim_media)
                if not found:
                    return
                clients = messages._make_media_clients(found, budget)
                env.cr.rollback()
                with ThreadPoolExecutor(THREADS) as pool:
                    results = list(pool.map(partial(_fetch, clients), found))
                for row, result in zip(found, results, strict=True):
                    message = messages.browse(row["id"])
                    self._durably(env, lambda m=message, r=result: m._keep_media(r))
        self._trigger_media()

    @api.model
    def _claim_media(self):
        """Return the next files to fetch; each is left alone by others for a while."""
        now = fields.Datetime.now()
        self.env.cr.execute(
            """
            UPDATE whatsapp_billing_message m
               SET attempts = COALESCE(attempts, 0) + 1,
                   next_attempt_at = %(again)s
             WHERE m.id IN (
                   SELECT id FROM whatsapp_billing_message
                    WHERE media_state = 'pending'
                      AND (next_attempt_at IS NULL
                           OR next_attempt_at <= %(now)s)
                 ORDER BY id LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED)
         RETURNING m.id, m.account_id, m.phone_id,
                   m.content -> 'media' ->> 'id' AS media_uid
            """,
            {
                "now": now,
                "again": now + timedelta(minutes=LEASE_MINUTES),
                "limit": THREADS,
            },
        )
        return self.env.cr.dictfetchall()

    @api.model
    def _make_media_clients(self, found, budget):
        """Return {(account, phone): (client, phone's remote id)}, read once each.

        :param budget: the run's: no call takes longer than Odoo lets it live
        """
        result = {}
        for row in found:
            key = (row["account_id"], row["phone_id"])
            if key in result:
                continue
            account = self.env["whatsapp.billing.account"].browse(row["account_id"])
            phone = self.env["whatsapp.billing.phone"].browse(row["phone_id"] or ())
            try:
                client = account._get_client(THREADS, budget.seconds_to_call())
            except (ClientError, UserError, ValueError) as error:
                # The account has no token, or is of a copied database: its files wait,
                # the others' are fetched.
                _logger.warning(
                    "No files for account %s: %s", account.id, type(error).__name__
                )
                client = None
            result[key] = (client, phone.phone_uid or "")
        return result

    def _erase_files(self):
        """Delete what customers sent; our own documents stay with their invoices."""
        self.invalidate_recordset(["attachment_id", "media_state"])
        theirs = self.filtered("media_state")
        # sudo: ir.attachment - erased by the system, whoever may read them
        files_sudo = theirs.attachment_id.sudo()
        theirs.write({"media_state": False, "attachment_id": False})
        files_sudo.unlink()

    def _keep_media(self, result):
        """Attach what came, or decide when to try again."""
        self.ensure_one()
        if self.media_state != "pending":
            return
        if isinstance(result, ClientError):
            self._media_failed(result)
        elif result is None:
            self._media_failed(None)
        else:
            self._attach_media(result)

    def _attach_media(self, file):
        """Attach a file to the message, and to the chatter line where it was told."""
        record = self._get_line_record()
        # An attachment of the document is as readable as the document. About a contact
        # it is the message's: more people may read the contact than what it wrote.
        owner = self if not record or record._wab_is_contact() else record
        # HTML and SVG are kept as plain text, so that opening a customer's file runs
        # nothing.
        # sudo: ir.attachment - the worker keeps the file; it is read as its owner is
        attachment = (
            self.env["ir.attachment"]
            .sudo()
            .with_context(attachments_mime_plainxml=True)
            .create(
                {
                    "name": self._get_media_name(file),
                    "raw": file.content,
                    "res_model": owner._name,
                    "res_id": owner.id,
                }
            )
        )
        self.write(
            {
                "attachment_id": attachment.id,
                "media_state": "ready",
                "next_attempt_at": False,
            }
        )
        self._show_documents()

    def _get_media_name(self, file):
        """Return a safe file name with an ending that fits the content."""
        if self.filename:
            return parameters.safe_name(self.filename)[:120] or "file"
        mime = guess_mimetype(file.content, default=file.mime or "")
        ending = _ENDINGS.get(mime, _ENDINGS.get(file.mime.split(";")[0], ""))
        return f"whatsapp-{fields.Date.to_string(self.sent_at)}-{self.id}{ending}"

    def _media_failed(self, error):
        """Try again later; after a week the file is gone, and a person is told."""
        is_final = (
            isinstance(error, ContentError)
            or (error is not None and error.code == "too_large")
            or self.attempts > len(WAITS)
        )
        if not is_final:
            wait = timedelta(minutes=WAITS[self.attempts - 1])
            self.next_attempt_at = fields.Datetime.now() + wait
            return
        self.write(
            {
                "media_state": "gone",
                "next_attempt_at": False,
                "error_code": self.account_id._get_profile().errors.code_of(FILE_LOST),
                "is_handled": False,
            }
        )
        record = self._get_line_record()
        if record:
            of_company(record, self.company_id)._message_log(
                body=self.env._(
                    "A file that the customer sent could not be fetched; it is too"
                    " large or gone. Ask them to send it again."
                )
            )


_ENDINGS = {
    "application/pdf": ".pdf",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "audio/ogg": ".ogg",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "audio/aac": ".aac",
    "audio/amr": ".amr",
    "video/mp4": ".mp4",
    "video/3gpp": ".3gp",
    "text/plain": ".txt",
}


def _fetch(clients, row):
    """Fetch one file in a thread, without a cursor; return it or the error."""
    client, phone_uid = clients[row["account_id"], row["phone_id"]]
    if client is None or not row["media_uid"]:
        return None
    try:
        return client.download_media(phone_uid, row["media_uid"], MAX_BYTES)
    except ClientError as error:
        return error
