# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import logging
import threading
from uuid import uuid4

import psutil

from odoo import api, models
from odoo.exceptions import UserError

_logger = logging.getLogger(__name__)

# In the context: seconds that rendering may take.
SECONDS = "wab_document_seconds"
MARK = "wab_document_mark"


class DocumentMark(str):
    """A folder that the program is allowed to read, in the context of our own code.

    Whoever prints may send a context along (`/report/pdf?context=...`), where every
    text is a plain one: nobody opens the server's files to a page that way.
    """


class IrActionsReport(models.Model):
    _inherit = "ir.actions.report"

    @api.model
    def _run_wkhtmltopdf(self, *args, **kwargs):
        """Override of `base`, which waits without end: end one that hangs.

        Only where a document of ours is made: whoever prints for themselves may wait
        as long as they like.
        """
        seconds = self.env.context.get(SECONDS)
        if not seconds:
            return super()._run_wkhtmltopdf(*args, **kwargs)
        mark = DocumentMark(f"/nonexistent/wab-document-{uuid4().hex}")
        was_ended = threading.Event()
        timer = threading.Timer(seconds, _end_process, (mark, was_ended))
        timer.daemon = True
        timer.start()
        marked = self.with_context(**{MARK: mark})
        try:
            return super(IrActionsReport, marked)._run_wkhtmltopdf(*args, **kwargs)
        except UserError as error:
            if not was_ended.is_set():
                raise
            raise UserError(
                self.env._(
                    "Making the PDF took longer than %(seconds)s seconds and was ended."
                    " Print it from the document to see why, then send it again.",
                    seconds=round(seconds),
                )
            ) from error
        finally:
            timer.cancel()

    @api.model
    def _build_wkhtmltopdf_args(self, *args, **kwargs):
        """Override of `base` to mark the process by a folder that it may read, of none."""
        found = super()._build_wkhtmltopdf_args(*args, **kwargs)
        mark = self.env.context.get(MARK)
        return [*found, "--allow", mark] if isinstance(mark, DocumentMark) else found


def _end_process(mark, was_ended):
    """End the process that has this mark, one of our own."""
    was_ended.set()
    for process in psutil.Process().children(recursive=True):
        try:
            if mark in process.cmdline():
                process.kill()
                _logger.warning("Ended %s, which hung", process.pid)
        except psutil.Error:
            # The process has ended meanwhile.
            continue
