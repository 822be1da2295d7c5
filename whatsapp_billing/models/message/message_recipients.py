# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Who gets a queued message, asked again before it goes.

Between queueing and the call somebody may untick a contact, move it to another customer,
correct its number, or put another recipient on the document. What waits for somebody who
would not get it any more is not sent; who gets it by now is told instead, once. Whoever
a person named for one sending stays, as long as they may get the company's documents.
"""

from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

from ... import const
from ...rules import numbers


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    # === BUSINESS METHODS - AT THE CLAIM === #

    @api.model
    def _mark_misdirected(self, rows):
        """Set `is_misdirected` on claimed rows whose recipient is not the right one.

        Nothing is asked of those whose recipient plainly is (`_look_again`); of the
        others with a fixed number of queries for all whose documents are of one model.

        :param list rows: dictionaries as `drain_claim` reads them
        """
        doubtful = []
        for row in rows:
            row["is_misdirected"] = _is_foreign(row) or _has_other_number(row)
            follows = (row["content"] or {}).get("follows_document")
            if follows and not row["gone"] and not row["look"].is_theirs:
                doubtful.append(row)
        if not doubtful:
            return
        now = self._recipients_now(doubtful)
        for row in doubtful:
            if row["partner_id"] not in now[row["id"]].ids:
                row["is_misdirected"] = True

    @api.model
    def _recipients_now(self, rows):
        """Return {message id: who would get it if it were queued now}.

        :param list rows: dictionaries with `id`, `res_model`, `res_id`, `company_id`,
            `method` and `document_type`; the documents exist
        """
        groups = defaultdict(list)
        for row in rows:
            groups[row["res_model"], row["company_id"]].append(row)
        found = {}
        for (model, company_id), group in groups.items():
            records = self.env[model].browse({row["res_id"] for row in group})
            company = self.env["res.company"].browse(company_id)
            now = records.with_company(company)._wab_read_recipients_now()
            found |= {row["id"]: now[row["res_id"]] for row in group}
        return found

    # === BUSINESS METHODS - WHO IS TOLD INSTEAD === #

    def _follows_document(self):
        """Tell whether the document says who gets this, and not who sent it."""
        self.ensure_one()
        return bool((self.content or {}).get("follows_document"))

    def _is_misdirected(self, heirs):
        """Tell whether it was for somebody else, or for another number of theirs.

        :param heirs: who is told instead, as `_find_heirs` says
        """
        self.ensure_one()
        return heirs != self.partner_id or (self.partner_id.wab_person_key or "") != (
            self.person_key or ""
        )

    def _find_heirs(self):
        """Return {message id: who is told instead of its recipient}.

        The recipient themselves where it is still for them; nobody where nobody may
        get it. Without those that need no heir: whoever gets the document by now has
        been told of it since this was queued.
        """
        heirs = {}
        following = self.filtered(lambda message: message._follows_document())
        for message in self - following:
            heirs[message.id] = message.partner_id._wab_of_company(message.company_id)
        now = self._recipients_now(following._recipient_rows())
        told = following._read_told_since()
        for message in following:
            ids = now[message.id].ids if message.id in now else ()
            partners = message.partner_id.browse(ids)
            if message.partner_id and message.partner_id in partners:
                heirs[message.id] = message.partner_id
                continue
            left = partners.filtered(
                lambda p, heard=told[message.id]: not heard & {p.id, p.wab_person_key}
            )
            if left or not partners:
                heirs[message.id] = left
        return heirs

    def _recipient_rows(self):
        """Return what `_recipients_now` asks of messages, of documents that exist."""
        rows = []
        for model, messages in self.grouped("res_model").items():
            ids = set(self.env[model].browse(messages.mapped("res_id")).exists().ids)
            rows += [
                {
                    "id": message.id,
                    "res_model": model,
                    "res_id": message.res_id,
                    "company_id": message.company_id.id,
                    "method": message.method,
                    "document_type": message.document_type,
                }
                for message in messages
                if message.res_id in ids
            ]
        return rows

    def _read_told_since(self):
        """Return {message id: ids and numbers of who else was told of its document}.

        In the same sending or a later one.
        """
        told = defaultdict(set)
        if not self:
            return told
        self.flush_model(
            ["state", "res_model", "res_id", "document_type", "partner_id", "queued_at"]
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT o.id, n.partner_id, n.person_key
                  FROM whatsapp_billing_message o
                  JOIN whatsapp_billing_message n
                    ON n.res_model = o.res_model AND n.res_id = o.res_id
                   AND n.document_type IS NOT DISTINCT FROM o.document_type
                 WHERE o.id = ANY(%s) AND n.id != o.id AND n.direction = 'out'
                   AND n.queued_at >= o.queued_at
                   AND n.method IS DISTINCT FROM %s
                   AND n.state NOT IN ('canceled', 'failed')
                """,
                self.ids,
                const.TEST_METHOD,
            )
        )
        for message_id, partner_id, person_key in rows:
            told[message_id] |= {partner_id, person_key} - {None, ""}
        return told

    def _ask_about_recipients(self):
        """Ask the senders of these messages: no recipient is left who may get them."""
        self._ask_on_documents(
            self.env._("WhatsApp message not sent: the recipient changed"),
            lambda document, names: self.env._(
                "The recipient of %(document)s changed after a WhatsApp message to"
                " %(names)s was queued, so that message was not sent. Send it to"
                " whoever is to get it.",
                document=document,
                names=names or self.env._("a contact that is gone"),
            ),
        )


def _has_other_number(row):
    """Tell whether the contact has another number by now, or none any more.

    The one that the message waits for may be somebody else's.
    """
    if not row["partner_id"] or numbers.is_bsuid(row["recipient"] or ""):
        return False
    return (row["contact"].person_key or "") != (row["person_key"] or "")


def _is_foreign(row):
    """Tell whether the contact is another company's by now."""
    return is_by_template(row) and not row["contact"].is_of_company


def is_by_template(row):
    """Tell whether we began it: neither an answer nor a test to oneself."""
    return bool(row["template_name"]) and row["method"] != const.TEST_METHOD
