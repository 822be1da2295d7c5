# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What customers write: kept once, judged by their own clock, told to a person.

A row is kept for everything that comes; `rules.inbound` says what may decide. What it
decides stands in `_act_on_inbound` and its overrides, in the order in which they call
each other; whom it is told stands in `message_inbound_tell.py`.
"""

from dataclasses import dataclass

from odoo import api, fields, models
from odoo.tools import SQL

from ...rules import answers, inbound, numbers
from ...rules import consent as consent_rules
from .message_status import to_datetime
from .plain_json import without_null

REVISIONS = ("edit", "revoke")
# Who has another number has another user id, too; of who hides it that is all we hear.
NOTICES_OF_CHANGE = ("other_number", "other_id")
# As a contact's new number: WhatsApp did not say which one it is.
UNKNOWN_NUMBER = "?"


@dataclass(frozen=True, slots=True)
class Heard:
    """What a customer said, whichever way it reached us: written, tapped or edited."""

    text: str = ""
    payload: str = ""
    context_wamid: str = ""
    # Typed into one of several fields of a form: never a command to us.
    is_form: bool = False


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    profile_name = fields.Char(readonly=True, help="As they call themselves.")
    group_uid = fields.Char(readonly=True, string="Group")
    is_user_message = fields.Boolean(
        readonly=True,
        string="Written by a Person",
        help="Opens the day in which free text may be sent.",
    )
    edited_body = fields.Text(
        readonly=True, string="Edited Text", help="What the customer made of it later."
    )
    is_withdrawn = fields.Boolean(readonly=True, string="Withdrawn by the Customer")
    is_handled = fields.Boolean(
        readonly=True,
        string="Handled",
        help="Somebody has seen to it, or nothing was to be done.",
    )

    # Revisions may come before what they revise.
    _revision_index = models.Index(
        "(context_wamid) WHERE inbound_type IN ('edit', 'revoke')"
    )

    # === BUSINESS METHODS - INBOUND === #

    @api.model
    def _apply_inbound(self, account, phone, update):
        """Keep what a customer sent, once, and let it act if it may.

        :return: the message, or an empty record when it was known
        """
        sender = update.sender or update.user_uid
        if not sender or not update.wamid:
            return self.browse()
        known, revisions = self._find_known(account, update)
        if known:
            return self.browse()
        quoted = self._find_quoted(account, update)
        partner = self._inbound_partner(sender, update, account, quoted)
        # Who is another company's by now is nobody that this one could read about.
        partner = partner._wab_of_company(account.company_id)
        if self._has_left_number(partner, update):
            # Whom a mistyped or former number belongs to is somebody else.
            partner = partner.browse()
        values = self._inbound_values(account, phone, update, partner, quoted)
        message = self.create(values)
        heard = message._hear(update, quoted, revisions)
        if heard:
            message._act_on_inbound(heard)
        elif update.notice in NOTICES_OF_CHANGE:
            message._note_other_number(message.content["new_sender"])
        return message

    @api.model
    def _find_known(self, account, update):
        """Return (whether we have it, revisions that came before it)."""
        self.flush_model(["wamid", "context_wamid", "inbound_type"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id, TRUE FROM whatsapp_billing_message
                 WHERE account_id = %(account)s AND wamid = %(wamid)s
                 UNION ALL
                SELECT id, FALSE FROM whatsapp_billing_message
                 WHERE account_id = %(account)s AND context_wamid = %(wamid)s
                   AND inbound_type IN ('edit', 'revoke')
                """,
                account=account.id,
                wamid=update.wamid,
            )
        )
        known = any(is_it for _id, is_it in rows)
        return known, self.browse(row_id for row_id, is_it in rows if not is_it)

    @api.model
    def _inbound_values(self, account, phone, update, partner, quoted):
        error = update.errors[0] if update.errors else None
        tell = self._choose_tell(update)
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
            "profile_name": update.profile_name[:200] or False,
            "body": update.text or "",
            "payload": update.payload or False,
            "inbound_type": update.type,
            "group_uid": update.group_uid or False,
            "is_user_message": inbound.is_user_message(
                update.type, group=bool(update.group_uid)
            ),
            "context_wamid": update.context_wamid or False,
            "tell": tell,
            "is_handled": tell != "person",
            "media_state": "pending" if (update.media or {}).get("id") else False,
            "sent_at": to_datetime(update.timestamp),
            "queued_at": False,
            "content": self._inbound_content(update),
            "filename": str((update.media or {}).get("filename") or "")[:200] or False,
            "error_code": error.code if error else False,
            "error_detail": (error.details or error.title) if error else False,
            **self._answered_document(quoted, partner),
        }

    @api.model
    def _inbound_content(self, update):
        content = {}
        if update.media:
            content["media"] = without_null(update.media)
        if update.notice in NOTICES_OF_CHANGE:
            is_told = numbers.is_e164(update.new_sender)
            content["new_sender"] = update.new_sender if is_told else UNKNOWN_NUMBER
        return content or False

    # --- what it is about ----------------------------------------------------------

    @api.model
    def _find_quoted(self, account, update):
        """Return the message that this one answers, revises or reacts to.

        A tap names it by its proof token, which only its reader knows; all else by the
        provider's id. Nothing of another account is found.
        """
        tapped = answers.read_payload(update.payload or "")
        named = self._find_outgoing(account, uuid=tapped.uuid) if tapped else None
        return named or self._find_any(account, update.context_wamid)

    @api.model
    def _find_any(self, account, wamid):
        """Return the message with this id of the provider, of ours or of a customer."""
        if not wamid:
            return self.browse()
        mine = [("account_id", "=", account.id), ("wamid", "=", wamid)]
        return self.search(mine, limit=1) or self._find_outgoing(account, wamid=wamid)

    @api.model
    def _answered_document(self, quoted, partner):
        """Return the document of what was answered, if it is of who answers."""
        if not quoted or not quoted.res_id:
            return {}
        theirs = quoted.partner_id.commercial_partner_id
        if theirs != partner.commercial_partner_id:
            return {}
        if self._has_left_customer(quoted, partner):
            return {}
        model = self.env.get(quoted.res_model or "")
        if model is None or not self._is_still_theirs(
            quoted, model.browse(quoted.res_id)
        ):
            return {}
        return {
            "res_model": quoted.res_model,
            "res_id": quoted.res_id,
            "document_name": quoted.document_name,
        }

    @api.model
    def _has_left_number(self, partner, update):
        """Tell whether a contact has another number by now than who writes, or none."""
        key = numbers.person_key(update.sender or "")
        if not partner or not key or numbers.is_bsuid(key):
            return False
        if partner.wab_person_key:
            return partner.wab_person_key != key
        # Their number was taken away; who is known by an id alone never had one.
        return bool(
            self.search_count(
                [
                    ("direction", "=", "out"),
                    ("partner_id", "=", partner.id),
                    ("person_key", "=", key),
                ],
                limit=1,
            )
        )

    @api.model
    def _is_still_theirs(self, told, document):
        """Tell whether a document is no other customer's than when we told of it."""
        if not told.document_partner_id:
            return True
        return told._is_for_customer_of(document.exists())

    @api.model
    def _has_left_customer(self, told, partner):
        """Tell whether who was told as one of a customer's people is so no more.

        Whom a person chose need not be the customer's own.
        """
        customer = told.document_partner_id.commercial_partner_id
        if (
            not customer
            or not told._follows_document()
            or partner.commercial_partner_id == customer
        ):
            return False
        document = self.env[told.res_model].browse(told.res_id).exists()
        get_chosen = getattr(document, "_wab_chosen_recipients", None)
        return not (document and get_chosen and partner in get_chosen())

    @api.model
    def _inbound_partner(self, sender, update, account, quoted):
        """Return who wrote, or nobody where that is not certain.

        Whom the answered message was for; else the contact of this number. Where it
        belongs to contacts of several customers, only a person can tell: an answer is
        never hung on the wrong one.
        """
        tapped = answers.read_payload(update.payload or "")
        if quoted.partner_id and (tapped or self._is_same_person(quoted, update)):
            return quoted.partner_id
        found = self.env["res.partner"]._wab_find_by_number(sender, account.company_id)
        if len(found.commercial_partner_id) > 1:
            return found.browse()
        if len(found) == 1:
            return found
        last = self._last_written_to(sender, update, account)
        return last if last in found or not found else found[:1]

    @api.model
    def _is_same_person(self, message, update):
        """Tell whether who sent this update is whom a message was for, or from.

        Who hides their number quotes us in their own chat only.
        """
        if not (update.sender or update.group_uid or message.recipient_uid):
            return message.direction == "out"
        theirs = {message.person_key, message.recipient_uid} - {False}
        mine = {numbers.person_key(update.sender), update.user_uid} - {""}
        return bool(theirs & mine)

    @api.model
    def _last_written_to(self, sender, update, account):
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
        return last.partner_id

    # --- what it says --------------------------------------------------------------

    def _hear(self, update, quoted, revisions):
        """Return what may act, or None; mark what the customer took back or changed.

        An edited message is judged as its new text, in whichever order the two come.
        One that was taken back decides nothing anew.
        """
        self.ensure_one()
        if update.type in REVISIONS:
            return self._revise(update, quoted)
        if not inbound.is_answer(
            update.type,
            group=bool(update.group_uid),
            has_errors=bool(update.errors),
            has_text=bool(update.text or update.payload or update.media),
        ):
            return None
        mine = revisions.filtered(self._is_by_same_sender)
        if any(revision.inbound_type == "revoke" for revision in mine):
            self.is_withdrawn = True
            return None
        edited = mine.sorted("sent_at")[-1:]
        if edited:
            self.edited_body = edited.body
        return Heard(
            text=edited.body if edited else update.text,
            payload="" if edited else update.payload,
            context_wamid=update.context_wamid,
            is_form=update.is_form,
        )

    def _revise(self, update, target):
        """Mark the customer's own message as edited or withdrawn.

        A message of somebody else, or of ours, is left alone. Of one that we never saw
        nothing is decided but a STOP, which is theirs whatever it stood on before.
        """
        if not target and update.type == "edit" and not update.group_uid:
            return self._hear_stop_only(update)
        if (
            not target
            or target.direction != "in"
            or not self._is_by_same_sender(target)
        ):
            return None
        if update.group_uid or target.group_uid:
            return None
        if update.type == "revoke":
            target.is_withdrawn = True
            return None
        if self._is_edited_again(target):
            return self._hear_stop_only(update)
        target.edited_body = update.text
        if target.is_withdrawn or not inbound.is_answer(
            update.edited_type, has_text=bool(update.text)
        ):
            return None
        self.is_user_message = True
        return Heard(
            text=update.text,
            context_wamid=update.edited_context or target.context_wamid or "",
        )

    def _hear_stop_only(self, update):
        """Return an edit's text if it asks us to stop: that counts whatever else is so."""
        heard = Heard(text=update.text, context_wamid=update.edited_context)
        return heard if self._consent_word(heard) == "stop" else None

    def _is_edited_again(self, target):
        """Tell whether a later edit of the same message came before this one."""
        edits = self.search(
            [
                ("account_id", "=", self.account_id.id),
                ("context_wamid", "=", target.wamid),
                ("inbound_type", "=", "edit"),
                ("sent_at", ">", self.sent_at),
            ]
        )
        return bool(edits.filtered(self._is_by_same_sender))

    def _is_by_same_sender(self, other):
        if self.recipient_uid and self.recipient_uid == other.recipient_uid:
            return True
        return bool(self.person_key) and self.person_key == other.person_key

    def _act_on_inbound(self, heard):
        """Honour STOP and START from whoever writes or taps them.

        Overridden by what else a customer's words may decide.

        :param Heard heard: what was said
        """
        self.ensure_one()
        word = self._consent_word(heard)
        if not word:
            return
        # START takes back a STOP; offers need an opt-in of their own.
        purposes = ["billing", "collections"] if word == "start" else ()
        self.env["whatsapp.billing.consent"]._set_number(
            self.recipient, word == "start", "keyword", self.body, self, purposes
        )
        self._note_decided()

    @api.model
    def _consent_word(self, heard):
        if heard.is_form:
            return None
        return consent_rules.keyword(heard.payload) or consent_rules.keyword(heard.text)

    def _cancel_waiting(self, recipient, reason):
        """Withdraw what this message's company has waiting for a recipient."""
        self.search(
            [
                ("state", "in", ("queued", "held")),
                ("direction", "=", "out"),
                ("person_key", "=", numbers.person_key(recipient) or "-"),
                ("company_id", "=", self.company_id.id),
            ]
        )._withdraw(reason)
