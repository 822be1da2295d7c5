# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Messages as rows: queueing, the nightly run and answers all write them here.

What a row says is made in `message_enqueue.py` (`_row_values`) and what its line in the
chatter says below; few are created by the ORM, many by COPY (`sql_bulk.py`).
"""

from contextlib import nullcontext

from markupsafe import Markup
from psycopg2 import errors

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.mail import generate_tracking_message_id
from odoo.tools.misc import clean_context

from ...rules import markup
from ..common import sql_bulk
from ..worker.transactions import RepeatTransaction

# States of messages that go, now or later: these get a line in the chatter.
GOING = ("queued", "held")
OUR_MODULE = "whatsapp_billing"
# How Odoo's sanitizer writes what `quote_html` escapes, which puts no text into
# attributes. Replaced here, as sanitizing thousands of texts takes longer than all
# else.
SANITIZED = (
    ("&quot;", '"'),
    ("&#34;", '"'),
    ("&#x27;", "'"),
    ("&#39;", "'"),
    ("\N{NO-BREAK SPACE}", "&nbsp;"),
    ("<br/>", "<br>"),
)


def quote_html(who, words):
    """Return words of a message for the chatter, under whom they went to or are from.

    Shown openly: the chatter folds away what is a quotation.
    """
    return Markup(
        '<p>%s</p><div class="o_whatsapp_billing_quote border-start ps-2">%s</div>'
    ) % (who, Markup(markup.to_html(words or "")))


def as_sanitized(quoted):
    """Return what `quote_html` made as an Html field stores it: found and compared so."""
    text = str(quoted)
    for escaped, stored in SANITIZED:
        text = text.replace(escaped, stored)
    return text


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    # === BUSINESS METHODS - ROWS === #

    @api.model
    def _create_rows(self, all_planned, send_request):
        """Create the messages that were decided on, with all that goes with them.

        The consent that a contract gives, the line in the chatter, the reservation of
        credits, and the hint to the workers. What may not go is a row too.

        :param all_planned: list of `PlannedMessage`, each with its decision
        :return: the messages, in the same order
        """
        self._consent_by_contract(all_planned, send_request)
        self._read_fingerprints(all_planned)
        rows = [self._row_values(planned, send_request) for planned in all_planned]
        if not send_request.is_test:
            listed = [len(planned.listed) for planned in all_planned]
            self._create_lines(rows, listed)
        messages = self._insert_rows(rows, send_request)
        for message_id, row in zip(messages._ids, rows, strict=True):
            row |= {"id": message_id, "attempt_no": 0}
        with_file = [row["id"] for row in rows if row["attachment_id"]]
        messages.browse(with_file)._show_documents()
        self.env.flush_all()
        self._reserve_for(
            sorted(
                (row for row in rows if row["state"] == "queued"),
                key=lambda row: (row["priority"], row["id"]),
            )
        )
        self._trigger_for(rows)
        return messages

    @api.model
    def _insert_rows(self, rows, send_request):
        # sudo: whatsapp.billing.message - rows are written by the system only
        context = clean_context(self.env.context)
        # A new context: `default_*` of the caller's would fill in fields of the
        # message.
        # pylint: disable-next=context-overridden
        messages_sudo = self.sudo().with_context(context)
        try:
            with self.env.cr.savepoint() if send_request.key else nullcontext():
                found = sql_bulk.create(messages_sudo.browse(), rows, (OUR_MODULE,))
        except errors.UniqueViolation as error:
            if not send_request.key:
                raise
            # Another transaction used the key first; Odoo repeats this call, which
            # finds its result.
            raise RepeatTransaction(str(error)) from error
        return self.sudo().browse(found.ids)

    @api.model
    def _trigger_for(self, rows):
        """Tell the workers of what goes, as `_trigger_drain` does."""
        going = [row for row in rows if row["state"] in GOING]
        # sudo: whatsapp.billing.phone - which number sends is not the clerk's
        phones_sudo = self.env["whatsapp.billing.phone"].sudo()
        self._trigger_workers(
            phones_sudo.browse({row["phone_id"] for row in going} - {None}),
            any(row["document_state"] == "pending" for row in going),
        )

    # === BUSINESS METHODS - CHATTER === #

    @api.model
    def _create_lines(self, rows, listed):
        """Write a line in the chatter for each row that goes; note it in the row.

        As `mail.thread._message_log_batch` writes them, which takes one line for each
        document and a statement for each kind; nobody is notified.

        :param rows: as `_row_values` returns them
        :param listed: how many documents the text of each row lists
        """
        common = self._line_in_common()
        told, lines = [], []
        for row, count in zip(rows, listed, strict=True):
            if row["state"] in GOING and self._has_chatter(row["res_model"]):
                told.append(row)
                lines.append(common | self._line_of(row, count))
        # sudo: mail.message - whoever may send has the document say so
        model_sudo = self.env["mail.message"].sudo()
        context = clean_context(self.env.context)
        # pylint: disable-next=context-overridden
        model_sudo = model_sudo.with_context(context)
        created = sql_bulk.create(model_sudo, lines, ("mail", OUR_MODULE))
        for row, line_id in zip(told, created.ids, strict=True):
            row["mail_message_id"] = line_id

    @api.model
    def _has_chatter(self, model):
        return bool(model) and hasattr(self.env[model], "_message_log_batch")

    @api.model
    def _line_in_common(self):
        """Return what all lines of one call have in common."""
        threads = self.env["mail.thread"]
        author_id, email_from = threads._message_compute_author()
        replies = threads._notify_get_reply_to(default=email_from, author_id=author_id)
        return {
            "author_id": author_id or None,
            "email_from": email_from or None,
            "reply_to": replies[False] or None,
            "message_type": "notification",
            "subtype_id": self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_note"),
            "is_internal": True,
            "email_add_signature": False,
            "date": fields.Datetime.now(),
        }

    @api.model
    def _line_of(self, row, listed):
        """Return what is one line's own: of a contact's, the company that wrote."""
        is_shared = self.env[row["res_model"]]._wab_is_contact()
        quoted = self._make_chatter_body(row["recipient"], row["body"], listed)
        return {
            "model": row["res_model"],
            "res_id": row["res_id"],
            "body": as_sanitized(quoted),
            "message_id": generate_tracking_message_id("message-notify"),
            "wab_company_id": row["company_id"] if is_shared else None,
        }

    @api.model
    def _make_chatter_body(self, recipient, body, listed=0):
        """Return the text as the customer sees it, safe for the chatter.

        One that lists several documents is for who may read all of them, and the line
        is read by whoever may read this one: there it stands behind the ticks only.

        :param int listed: how many documents the text lists
        """
        if listed > 1:
            body = self.env._(
                "About %(count)s documents. Press the ticks to read the text.",
                count=listed,
            )
        return quote_html(self.env._("WhatsApp to %(number)s", number=recipient), body)

    def _link_lines(self, links):
        """Note on messages which lines in the chatter are theirs.

        :param links: list of (message, line)
        """
        if not links:
            return
        values = SQL(", ").join(
            SQL("(%s, %s)", message.id, line.id) for message, line in links
        )
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                UPDATE whatsapp_billing_message m SET mail_message_id = v.line
                  FROM (VALUES %s) v (id, line) WHERE m.id = v.id
                """,
                values,
            )
        )
        self.invalidate_recordset(["mail_message_id"], flush=False)
        self.env["whatsapp.billing.message"].union(
            *(message for message, _line in links)
        )._show_documents()
