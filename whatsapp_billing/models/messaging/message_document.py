# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import logging

from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ...rules import eligibility, parameters, traces

_logger = logging.getLogger(__name__)

# Documents made in one transaction. Rendering takes a second each.
BATCH = 10


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    # === BUSINESS METHODS - DOCUMENTS === #

    def _trigger_documents(self):
        """Delay the job that makes missing PDFs."""
        # sudo: queue.job - the system renders, whoever caused it
        self.env[self._name].sudo().with_delay(
            identity_key="whatsapp_billing.documents"
        )._process_documents()

    @api.model
    def _process_documents(self):
        """Make the documents that messages wait for, then let those messages go."""
        phone_ids = set()
        with (
            self._own_transaction() as env,
            self._exclusive(env, "whatsapp_billing_documents", 0) as held,
        ):
            while held:
                messages = env[self._name]
                found = self._durably(env, messages._make_next_documents)
                if found is None:
                    break
                phone_ids |= found
        for phone in self.env["whatsapp.billing.phone"].sudo().browse(phone_ids):
            phone._trigger_drain()

    @api.model
    def _make_next_documents(self):
        """Make the next few documents; return their numbers, or None when done."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT res_model, res_id, array_agg(id), array_agg(DISTINCT phone_id)
                  FROM whatsapp_billing_message
                 WHERE document_state = 'pending' AND direction = 'out'
                   AND state IN ('queued', 'held')
              GROUP BY res_model, res_id ORDER BY min(id) LIMIT %s
                """,
                BATCH,
            )
        )
        if not rows:
            return None
        for res_model, res_id, message_ids, _phones in rows:
            self.browse(message_ids)._make_document(res_model, res_id)
        return {phone for row in rows for phone in row[3] if phone}

    def _make_document(self, res_model, res_id):
        """Render one document for all its messages, as its company's system user."""
        # A model goes with its module, and messages about it stay.
        model = self.env.get(res_model)
        record = model.browse(res_id).exists() if model is not None else model
        if self._cancel_withdrawn(record):
            return
        waiting = self._cancel_without_file(record)
        if waiting:
            waiting._make_file(record)

    def _make_file(self, record):
        """Have a document's own model make its file, for messages that carry one."""
        try:
            with self.env.cr.savepoint():
                attachment = record._wab_make_file()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:  # noqa: BLE001
            # Rendering runs other people's templates: whatever they raise belongs
            # on the message, and the other documents go on.
            _logger.warning(
                "No document for %s,%s: %s",
                record._name,
                record.id,
                type(error).__name__,
            )
            self._document_failed(str(error))
            return
        self._document_ready(attachment)

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
            problem = self.template_id._get_file_problem(
                record, message.document_type
            )
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
        self.write({"document_state": "ready", "attachment_id": attachment.id})
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
        self.write(
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
                for message in self
            ]
        )
        self.env.flush_all()
        self._after_state_change()
