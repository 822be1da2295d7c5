# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, models
from odoo.tools import SQL

from ...rules import consent as consent_rules
from ...rules import numbers
from .message_status import _moment
from .template_components import without_null


class WhatsappBillingMessage(models.Model):
    """What customers write: kept once, and acted on."""

    _inherit = "whatsapp.billing.message"

    # === BUSINESS METHODS - INBOUND === #

    @api.model
    def _apply_inbound(self, account, phone, update):
        """Keep what a customer wrote, once, and act on STOP and START.

        :return: the message, or an empty record when it was known
        """
        sender = update.sender or update.user_uid
        if not sender or not update.wamid:
            return self.browse()
        partner = self._inbound_partner(sender, update, account)
        self.env.cr.execute(
            """
            SELECT 1 FROM whatsapp_billing_message
             WHERE account_id = %s AND wamid = %s
            """,
            [account.id, update.wamid],
        )
        if self.env.cr.fetchone():
            return self.browse()
        message = self.create(self._inbound_values(account, phone, update, partner))
        message._act_on_inbound(update)
        return message

    @api.model
    def _inbound_values(self, account, phone, update, partner):
        text = update.text or update.payload or ""
        return {
            "direction": "in",
            "state": "received",
            "wamid": update.wamid,
            "account_id": account.id,
            "company_id": account.company_id.id,
            "phone_id": phone.id if phone else False,
            "partner_id": partner.id,
            "recipient": update.sender or update.user_uid,
            "recipient_uid": update.user_uid or False,
            "body": text,
            "payload": update.payload or False,
            "inbound_type": update.type,
            "context_wamid": update.context_wamid or False,
            "sent_at": _moment(update.timestamp),
            "queued_at": False,
            "content": {"media": without_null(update.media)} if update.media else False,
            "error_code": update.errors[0].code if update.errors else False,
            "error_detail": (update.errors[0].details or update.errors[0].title)
            if update.errors
            else False,
            **self._answered_document(account, update),
        }

    @api.model
    def _answered_document(self, account, update):
        """Return the document of the message that this one answers, if any."""
        if not update.context_wamid:
            return {}
        original = self._find_outgoing(account, wamid=update.context_wamid)
        if not original:
            return {}
        return {
            "res_model": original.res_model,
            "res_id": original.res_id,
            "document_name": original.document_name,
            "partner_id": original.partner_id.id,
        }

    @api.model
    def _inbound_partner(self, sender, update, account):
        """Return who wrote: whom we wrote to last at this number, else its owner."""
        last = self.search(
            [
                ("account_id", "=", account.id),
                ("direction", "=", "out"),
                ("partner_id", "!=", False),
                "|",
                ("person_key", "=", numbers.person_key(sender) or "-"),
                ("recipient_uid", "=", update.user_uid or "-"),
            ],
            limit=1,
        )
        if last:
            return last.partner_id
        return self.env["res.partner"]._wab_find_by_number(sender, account.company_id)[
            :1
        ]

    def _act_on_inbound(self, update):
        """Honour STOP and START from whoever writes them (C67, C68)."""
        self.ensure_one()
        word = consent_rules.keyword(update.payload or "") or consent_rules.keyword(
            update.text or ""
        )
        if not word:
            return
        # START takes back a STOP; offers need an opt-in of their own.
        purposes = ["billing", "collections"] if word == "start" else ()
        self.env["whatsapp.billing.consent"]._set_number(
            self.recipient, word == "start", "keyword", self.body, self, purposes
        )
        if word == "stop":
            self._cancel_opted_out()

    def _cancel_opted_out(self):
        """Withdraw what waits for a number that has just opted out."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE whatsapp_billing_message
                   SET state = 'canceled', reason = 'opted_out'
                 WHERE state IN ('queued', 'held') AND direction = 'out'
                   AND person_key = %s
             RETURNING id
                """,
                self.person_key,
            )
        )
        self.browse(row[0] for row in rows)._after_state_change()
