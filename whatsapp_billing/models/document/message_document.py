# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Make the PDF that messages wait for, once a document, in a transaction of its own.

A job or the cron, never the transaction that queued them; `document_maker.py` has the
threads.
"""

import logging
import os

from odoo import api, fields, models
from odoo.exceptions import LockError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, config

from ...rules import eligibility, parameters, traces
from ..worker.budget import LONGEST_SECONDS, Budget
from .document_maker import DocumentMaker
from .ir_actions_report import SECONDS

_logger = logging.getLogger(__name__)

# Documents read in one query; each is made in a transaction of its own.
BATCH = 50
# Results of making a document: it is settled, or another transaction holds it.
MADE = "made"
BUSY = "busy"


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    # === BUSINESS METHODS - DOCUMENTS === #

    def _trigger_documents(self):
        """Ask queue_job for a job that makes missing PDFs."""
        # sudo: queue.job - the system renders, whoever caused it
        self.env[self._name].sudo().with_delay(
            identity_key="whatsapp_billing.documents"
        )._process_documents()

    def _ask_for_documents(self):
        """Have the files of these made anew, and keep them waiting until then."""
        self.write({"document_state": "pending", "attachment_id": False})
        self._trigger_documents()

    @api.model
    def _process_documents(self):
        """Make documents as long as a worker may, and have the rest made after that."""
        if self._make_documents(Budget.of_run()):
            self._trigger_documents()

    @api.model
    def _make_documents(self, budget, let_go=None):
        """Make the documents that messages wait for; each lets its messages go.

        As many at a time as there are cores. One that fails keeps no other waiting, and
        none is begun when time is up.

        :param let_go: called with the ids of the numbers whose messages got their
            document; default: a job each
        :return: whether some are left for another run
        """
        let_go = let_go or self._let_numbers_go
        with (
            self._own_transaction() as env,
            self._exclusive(env, "whatsapp_billing_documents", 0) as held,
        ):
            if not held:
                return False
            # Ends the transaction; the lock is the session's and stays.
            self._commit(env.cr)
            maker = DocumentMaker(env[self._name], budget)
            maker.run(self._document_threads(), let_go)
            return maker.is_left

    @api.model
    def _document_threads(self):
        """Return how many documents are made at a time: one for each core."""
        # sudo: ir.config_parameter - a setting of the worker
        configured = (
            self.env["ir.config_parameter"]
            .sudo()
            .get_param("whatsapp_billing.document_threads")
        )
        # Each takes a PostgreSQL connection: at most a quarter of the pool.
        most = max(1, config["db_maxconn"] // 4)
        return max(1, min(int(configured or len(os.sched_getaffinity(0))), most))

    @api.model
    def _limit_document(self, budget):
        """Return the model to make a document with: what hangs is ended, and when.

        One that is begun at a run's end is still within Odoo's limits.
        """
        seconds = min(LONGEST_SECONDS, budget.seconds_to_call())
        return self.with_context(**{SECONDS: seconds})

    @api.model
    def _let_numbers_go(self, phone_ids):
        """Ask queue_job for jobs of these numbers, in a transaction of its own."""
        with self._own_transaction() as env:
            env["whatsapp.billing.phone"].browse(phone_ids)._let_go()

    def _make_alone(self, res_model, res_id):
        """Make one document and commit; its fault is its messages'.

        :return: whether it is settled; what is not is left to another run
        """
        about = f"document {res_model},{res_id}"
        made = self._durably_alone(
            self.env, lambda: self._make_document(res_model, res_id) or MADE, about
        )
        if not made:
            text = self.env._("The document could not be made.")
            self._durably_alone(self.env, lambda: self._document_failed(text), about)
        return made == MADE

    @api.model
    def _next_documents(self, faulty):
        """Return [(model, id, message ids, phone ids)] of the documents to make next.

        :param faulty: ids of messages whose document is left to another run
        """
        return self.env.execute_query(
            SQL(
                """
                SELECT res_model, res_id, array_agg(id),
                       array_agg(DISTINCT phone_id) FILTER (WHERE phone_id IS NOT NULL)
                  FROM whatsapp_billing_message
                 WHERE document_state = 'pending' AND direction = 'out'
                   AND state IN ('queued', 'held') AND NOT id = ANY(%s)
              GROUP BY res_model, res_id ORDER BY min(id) LIMIT %s
                """,
                faulty,
                BATCH,
            )
        )

    def _make_document(self, res_model, res_id):
        """Render one document for all its messages, as its company's system user.

        :return: BUSY where somebody else is at the document right now
        """
        # The messages were read some documents ago: those cancelled since are left out.
        waiting = self._still_waiting()
        # The model's module may be uninstalled; messages about its records remain.
        model = self.env.get(res_model)
        record = model.browse(res_id).exists() if model is not None else model
        if not waiting or waiting._cancel_withdrawn(record):
            return None
        waiting = waiting._cancel_without_file(record)
        return waiting._make_file(record) if waiting else None

    def _still_waiting(self):
        """Return those of these that wait for their document, as it stands now."""
        self.invalidate_recordset(["state", "document_state"])
        return self.filtered(
            lambda m: m.state in ("queued", "held") and m.document_state == "pending"
        )

    def _make_file(self, record):
        """Have a document's own model make its file, for messages that carry one.

        :return: BUSY where somebody else is at the document right now
        """
        try:
            with self.env.cr.savepoint():
                attachment = record._wab_make_file()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except LockError:
            return BUSY
        except Exception as error:  # noqa: BLE001
            # Rendering runs other people's templates: what one raises fails its
            # messages, and the other documents are made.
            _logger.warning(
                "No document for %s,%s: %s",
                record._name,
                record.id,
                type(error).__name__,
            )
            self._document_failed(str(error))
            return None
        self._document_ready(attachment)
        return None

    def _cancel_withdrawn(self, record):
        """Cancel what waits for a document that is a draft again, or cancelled.

        That is somebody's decision, as it is for a message whose PDF exists
        already (`drain_claim.py`), and not a failure.

        :return: whether they were cancelled
        """
        facts = record._wab_document_facts() if record else {"document_state": "cancel"}
        state = facts.get("document_state")
        if state not in ("draft", "cancel"):
            return False
        self._cancel_for(eligibility.decide(eligibility.Facts(document_state=state)))
        return True

    def _cancel_without_file(self, record):
        """Cancel messages that ask for a file which their document does not have.

        They are refused when they are queued; these waited before that was asked, or
        the module that made their files has changed.

        :return: the messages that have one
        """
        waiting = self.browse()
        for message in self:
            problem = self.template_id._get_file_problem(record, message.document_type)
            if problem:
                message._cancel_for(eligibility.refuse_template(problem))
            else:
                waiting |= message
        return waiting

    def _cancel_for(self, decision):
        """Cancel these messages and keep in their trace what the reason is."""
        for message in self:
            message.write(
                {
                    "state": "canceled",
                    "reason": decision.reason,
                    "trace_data": traces.pack_after(message.trace_data, decision.trace),
                }
            )
        self.env.flush_all()
        self._after_state_change()

    def _document_ready(self, attachment):
        if not attachment:
            self._document_failed(self.env._("The document could not be made."))
            return
        if attachment.file_size > parameters.MAX_DOCUMENT_BYTES:
            self.write(
                {
                    "document_state": "failed",
                    "state": "canceled",
                    "reason": "file_too_large",
                    "attachment_id": attachment.id,
                }
            )
            self.env.flush_all()
            self._after_state_change()
            return
        self.write(
            {
                "document_state": "ready",
                "attachment_id": attachment.id,
                # The message was queued with an expected file name: the real one
                # replaces it.
                "filename": parameters.attachment_filename(attachment.name or ""),
            }
        )
        self._show_documents()

    def _show_documents(self):
        """Put the PDFs on the chatter lines, in one statement."""
        if not self:
            return
        self.flush_recordset(["attachment_id", "mail_message_id"])
        self.env.cr.execute(
            """
            INSERT INTO message_attachment_rel (message_id, attachment_id)
            SELECT mail_message_id, attachment_id FROM whatsapp_billing_message
             WHERE id = ANY(%s) AND mail_message_id IS NOT NULL
               AND attachment_id IS NOT NULL
            ON CONFLICT DO NOTHING
            """,
            [self.ids],
        )
        self.mail_message_id.invalidate_recordset(["attachment_ids"])

    def _document_failed(self, text):
        waiting = self._still_waiting()
        waiting.write(
            {
                "document_state": "failed",
                "state": "failed",
                "failed_at": fields.Datetime.now(),
                "error_detail": text[:500],
            }
        )
        self.env["whatsapp.billing.message.attempt"].create(
            [
                {
                    "message_id": message.id,
                    "number": message.attempts + 1,
                    "kind": "document",
                    "outcome": "failed",
                    "error_detail": text[:500],
                }
                for message in waiting
            ]
        )
        self.env.flush_all()
        waiting._after_state_change()
