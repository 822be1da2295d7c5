# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What customers write: kept once, judged by their own clock, told to a person.

A row is kept for everything that comes; `rules.inbound` says what may decide. Batches of
the inbox go through `message_inbound_batch.py`; what each message is stands here, what it
decides in `_act_on_inbound` and its overrides, in the order in which they call each other,
and whom it is told in `message_inbound_tell.py`.
"""

from dataclasses import dataclass

from odoo import api, fields, models

from ...rules import consent as consent_rules
from ...rules import inbound, numbers
from ..common.plain_json import without_null
from ..message.message_attempt import to_datetime

REVISIONS = ("edit", "revoke")
# System notices of a changed number. Of a person who hides the number only the changed
# user id is reported.
NOTICES_OF_CHANGE = ("other_number", "other_id")
# Stored as a contact's new number where WhatsApp did not say which one it is.
UNKNOWN_NUMBER = "?"
# Most characters that WhatsApp lets a person type; the event keeps longer ones.
LONGEST_TEXT = 65536


@dataclass(frozen=True, slots=True)
class Heard:
    """What a customer said, whichever way it reached us: written, tapped or edited."""

    text: str = ""
    payload: str = ""
    context_wamid: str = ""
    # Typed into a form of several fields: never read as STOP or as an answer.
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

    # An edit or withdrawal may arrive before the message that it is about.
    _revision_index = models.Index(
        "(context_wamid) WHERE inbound_type IN ('edit', 'revoke')"
    )

    # === BUSINESS METHODS - INBOUND === #

    @api.model
    def _inbound_values(self, incoming, senders, documents):
        """Return the row of a message.

        :param incoming: `message_inbound_batch.Incoming`
        :param senders: `message_inbound_batch.Senders`
        :param documents: {(model, id): document} of all that is quoted
        """
        update, account = incoming.update, incoming.account
        error = update.errors[0] if update.errors else None
        partner = self._inbound_partner(incoming, senders)
        tell = self._choose_tell(update)
        return {
            "direction": "in",
            "state": "received",
            "wamid": update.wamid,
            "account_id": account.id,
            "company_id": account.company_id.id,
            "phone_id": incoming.phone.id if incoming.phone else False,
            "partner_id": partner.id,
            "recipient": incoming.sender,
            "recipient_uid": update.user_uid or False,
            "profile_name": update.profile_name[:200] or False,
            "body": update.text[:LONGEST_TEXT],
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
            **self._answered_document(incoming.quoted, partner, documents),
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
    def _find_any(self, account, wamid):
        """Return the message with this id of the provider, of ours or of a customer."""
        if not wamid:
            return self.browse()
        mine = [("account_id", "=", account.id), ("wamid", "=", wamid)]
        return self.search(mine, limit=1) or self._find_outgoing(account, wamid=wamid)

    @api.model
    def _answered_document(self, quoted, partner, documents):
        """Return the document of what was answered, if it is of who answers.

        :param documents: {(model, id): document} of those that exist
        """
        if not quoted or not quoted.res_id:
            return {}
        theirs = quoted.partner_id.commercial_partner_id
        if theirs != partner.commercial_partner_id:
            return {}
        model = self.env.get(quoted.res_model or "")
        if model is None:
            return {}
        document = documents.get((quoted.res_model, quoted.res_id), model)
        if self._has_left_customer(
            quoted, partner, document
        ) or not self._is_still_theirs(quoted, document):
            return {}
        return {
            "res_model": quoted.res_model,
            "res_id": quoted.res_id,
            "document_name": quoted.document_name,
        }

    @api.model
    def _has_left_number(self, partner, update, senders):
        """Tell whether a contact has another number by now than who writes, or none."""
        key = numbers.person_key(update.sender or "")
        if not partner or not key or numbers.is_bsuid(key):
            return False
        if partner.wab_person_key:
            return partner.wab_person_key != key
        # The contact's number was removed: it has left this number if it was written to
        # at it; a contact known by a user id never had one.
        return senders.was_written_to(partner, key)

    @api.model
    def _is_still_theirs(self, told, document):
        """Tell whether a document is no other customer's than when we told of it.

        :param document: empty where it does not exist any more
        """
        return not told.document_partner_id or told._is_for_customer_of(document)

    @api.model
    def _has_left_customer(self, told, partner, document=None):
        """Tell whether who was told as one of a customer's people is so no more.

        Whom a person chose need not be the customer's own.

        :param document: what it was about, empty where that does not exist any more;
            looked up where it is not given
        """
        customer = told.document_partner_id.commercial_partner_id
        if (
            not customer
            or not told._follows_document()
            or partner.commercial_partner_id == customer
        ):
            return False
        if document is None:
            document = self.env[told.res_model].browse(told.res_id).exists()
        get_chosen = getattr(document, "_wab_chosen_recipients", None)
        return not (document and get_chosen and partner in get_chosen())

    @api.model
    def _inbound_partner(self, incoming, senders):
        """Return who wrote, or nobody where that is not certain.

        Who is another company's by now is nobody that this one could read about. Whom a
        mistyped or former number belongs to is somebody else.
        """
        partner = self._find_sender(incoming, senders)
        partner = partner._wab_of_company(incoming.account.company_id)
        if self._has_left_number(partner, incoming.update, senders):
            return partner.browse()
        return partner

    @api.model
    def _find_sender(self, incoming, senders):
        """Return whom the answered message was for; else the contact of this number.

        Where it belongs to contacts of several customers, only a person can tell: an
        answer is never hung on the wrong one.
        """
        quoted, update = incoming.quoted, incoming.update
        if quoted.partner_id and (
            incoming.tapped or self._is_same_person(quoted, update)
        ):
            return quoted.partner_id
        found = senders.contacts(incoming)
        if len(found.commercial_partner_id) > 1:
            return found.browse()
        if len(found) == 1:
            return found
        last = senders.last_written_to(incoming)
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

    # --- what it says --------------------------------------------------------------

    def _hear(self, incoming):
        """Return what may act, or None; mark what the customer took back or changed.

        An edited message is judged as its new text, in whichever order the two come.
        One that was taken back decides nothing anew.
        """
        self.ensure_one()
        update = incoming.update
        mine = self.browse().union(*incoming.revisions)
        mine = mine.filtered(self._is_by_same_sender)
        if update.type in REVISIONS:
            return self._revise(update, incoming.quoted, mine)
        if not inbound.is_answer(
            update.type,
            group=bool(update.group_uid),
            has_errors=bool(update.errors),
            has_text=bool(update.text or update.payload or update.media),
        ):
            return None
        if any(revision.inbound_type == "revoke" for revision in mine):
            self.is_withdrawn = True
            return None
        edited = mine.sorted(lambda revision: (revision.sent_at, revision.id))[-1:]
        if edited:
            self.edited_body = edited.body
        return Heard(
            text=(edited.body if edited else self.body) or "",
            payload="" if edited else update.payload,
            context_wamid=update.context_wamid,
            is_form=update.is_form,
        )

    def _revise(self, update, target, known):
        """Mark the customer's own message as edited or withdrawn.

        A message of somebody else, or of ours, is left alone. Of one that we never saw
        nothing is decided but a STOP, which is theirs whatever it stood on before.

        :param known: what the customer made of the same message, as far as we have it
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
        if any(
            other.inbound_type == "edit" and other.sent_at > self.sent_at
            for other in known
        ):
            # A later edit of the same message was applied before: of this one only a
            # STOP counts.
            return self._hear_stop_only(update)
        target.edited_body = self.body
        if target.is_withdrawn or not inbound.is_answer(
            update.edited_type, has_text=bool(update.text)
        ):
            return None
        self.is_user_message = True
        return Heard(
            text=self.body or "",
            context_wamid=update.edited_context or target.context_wamid or "",
        )

    def _hear_stop_only(self, update):
        """Return an edit's text if it asks us to stop: that counts whatever else is so."""
        heard = Heard(text=self.body or "", context_wamid=update.edited_context)
        return heard if self._consent_word(heard) == "stop" else None

    def _is_by_same_sender(self, other):
        if self.recipient_uid and self.recipient_uid == other.recipient_uid:
            return True
        return bool(self.person_key) and self.person_key == other.person_key

    @api.model
    def _choose_acting(self, heard):
        """Return those words of a batch that may act: most ask for nothing of ours.

        Overridden by what else a customer's words may decide.

        :param dict heard: {message: `Heard`}
        """
        return {
            message: said for message, said in heard.items() if self._consent_word(said)
        }

    def _act_on_inbound(self, heard):
        """Honour STOP and START from whoever writes or taps them.

        Overridden by what else a customer's words may decide.

        :param Heard heard: what was said
        """
        self.ensure_one()
        word = self._consent_word(heard)
        if not word:
            return
        # START grants documents and reminders; offers need an opt-in of their own.
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
