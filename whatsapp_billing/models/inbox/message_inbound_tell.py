# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Tell people what customers write: a line in the chatter, one activity per customer.

Told in bulk after a batch of the inbox, from what stands on the rows (`tell`): a batch
that is interrupted is told by the next one.
"""

import logging
from collections import defaultdict

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, clean_context
from odoo.tools.mail import generate_tracking_message_id

from ...rules import inbound, markup, numbers
from ..common import sql_bulk
from ..message.message import HANDLEABLE_STATES
from ..message.message_enqueue import OUR_MODULE, as_sanitized, quote_html
from .message_inbound import UNKNOWN_NUMBER

_logger = logging.getLogger(__name__)

BATCH = 500
ACTIVITY = "whatsapp_billing.mail_activity_type_wrote"
# Characters of a customer's words in the title of a request.
TITLE = 80


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    tell = fields.Selection(
        [("line", "In the chatter"), ("person", "In the chatter, and to a person")],
        readonly=True,
        string="To Be Told",
    )
    shown_text = fields.Char(
        compute="_compute_shown_text",
        string="Message",
        help="The words, or what came where there are none.",
    )

    _tell_index = models.Index("(id) WHERE tell IS NOT NULL")

    # === COMPUTE METHODS === #

    @api.depends(
        "body", "recipient", "inbound_type", "content", "filename", "is_withdrawn"
    )
    @api.depends_context("lang")
    def _compute_shown_text(self):
        for message in self:
            message.shown_text = message._describe()

    # === ACTION METHODS === #

    def action_mark_handled(self):
        """Say that somebody has seen to these."""
        return self._set_handled(True)

    def action_mark_unhandled(self):
        """Put these back among those that wait for an answer."""
        return self._set_handled(False)

    def _set_handled(self, handled):
        self._check_sender()
        # sudo: whatsapp.billing.message - rows are written by the system only
        # Held messages go by themselves later: they cannot be marked as handled.
        self.sudo().filtered(
            lambda m: m.direction == "in" or m.state in HANDLEABLE_STATES
        ).is_handled = handled
        self._notify_waiting()
        return True

    def action_create_contact(self):
        """Open a new contact with the number that wrote; its messages go along."""
        self.ensure_one()
        self._check_sender()
        if self.partner_id or not self.recipient:
            raise UserError(self.env._("This message belongs to a contact already."))
        number = self.recipient if self.recipient.startswith("+") else False
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Contact"),
            "res_model": "res.partner",
            "views": [(False, "form")],
            "context": {
                "default_name": self.profile_name or False,
                "default_phone": number,
                "wab_message_id": self.id,
            },
        }

    # === BUSINESS METHODS - IN WORDS === #

    def _describe(self):
        """Return the words of a message, or what it is where there are none."""
        self.ensure_one()
        if self.direction != "in" or not (self.recipient or self.body):
            return self.body or (self.env._("(erased)") if self._is_erased() else "")
        words = self._describe_kind()
        if self.is_withdrawn:
            words = self.env._("Withdrawn by the customer: %(text)s", text=words)
        if self.group_uid:
            words = self.env._("In a group: %(text)s", text=words)
        return words

    def _is_erased(self):
        """Tell whether text and number were here once: with the reasons they went."""
        self.ensure_one()
        gone = not (self.recipient or self.body)
        return gone and (self.direction == "in" or not self.trace)

    def _describe_kind(self):
        kind, body = self.inbound_type or "", self.body or ""
        if kind in ("text", "button", "interactive", "order") and body:
            return body
        if kind in ("image", "video", "audio", "document", "sticker"):
            return self._describe_file(body)
        labels = {
            "location": self.env._("Location: %(text)s", text=body)
            if body
            else self.env._("Location"),
            "contacts": self.env._("Contact: %(text)s", text=body),
            "reaction": self.env._("Reaction: %(text)s", text=body)
            if body
            else self.env._("Took a reaction away"),
            "edit": self.env._("Edited: %(text)s", text=body),
            "revoke": self.env._("Withdrew a message"),
            "system": self._describe_notice(),
            "request_welcome": self.env._("Opened the chat for the first time"),
            "call_permission_reply": self.env._("Answered a request to call"),
        }
        return labels.get(kind) or self.env._(
            "This message cannot be shown here: open it on the phone."
        )

    def _describe_file(self, caption):
        # sudo: whatsapp.billing.message - only what kind of file it is
        media = (self.sudo().content or {}).get("media") or {}
        if self.inbound_type == "audio":
            words = (
                self.env._("Voice message")
                if media.get("voice")
                else self.env._("Audio")
            )
        elif self.inbound_type == "document":
            kind = inbound.file_kind(media) or self.env._("File")
            words = f"{kind} {self.filename}" if self.filename else kind
        else:
            words = {
                "image": self.env._("Image"),
                "video": self.env._("Video"),
                "sticker": self.env._("Sticker"),
            }[self.inbound_type]
        return f"{words}: {caption}" if caption else words

    def _describe_notice(self):
        # sudo: whatsapp.billing.message - only the number that they have now
        number = (self.sudo().content or {}).get("new_sender")
        if number == UNKNOWN_NUMBER:
            return self.env._(
                "Changed their number %(old)s to one that WhatsApp does not tell",
                old=self.recipient or "",
            )
        if number:
            return self.env._(
                "Changed their number from %(old)s to %(new)s",
                old=self.recipient or "",
                new=number,
            )
        return self.body or self.env._("Notice from WhatsApp")

    # === BUSINESS METHODS - WHAT TO TELL === #

    def _note_decided(self):
        """Leave it at a line: it was acted on, or a person was asked already."""
        self.write({"tell": "line", "is_handled": True})

    @api.model
    def _choose_tell(self, update):
        """Return what to tell of something new before it acts: who wrote waits for us."""
        if update.type in inbound.SILENT or update.group_uid:
            return False
        return "line" if update.type in ("reaction", "revoke") else "person"

    # === BUSINESS METHODS - TELLING === #

    @api.model
    def _tell_people(self):
        """Tell what was kept and not told yet; a row that cannot be told holds no other.

        Called with sudo, in the transaction of the inbox.
        """
        while True:
            self.flush_model(["tell"])
            # Rows locked by another worker are told by it: skipped here.
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT id FROM whatsapp_billing_message WHERE tell IS NOT NULL
                  ORDER BY id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
                    """,
                    BATCH,
                )
            )
            if not rows:
                return
            self._separately(
                self.env,
                lambda some: self.browse(some)._tell(),
                [row[0] for row in rows],
                self._leave_untold,
            )

    @api.model
    def _leave_untold(self, message_id, error):
        """Keep what a customer wrote whose line or request another module refuses."""
        _logger.error(
            "WhatsApp message %s could not be told", message_id, exc_info=error
        )
        self.browse(message_id).tell = False
        self.env.flush_all()

    def _tell(self):
        self._write_lines()
        asking = self.filtered(lambda m: m.tell == "person")
        asking._ask_people()
        if asking:
            self._notify_waiting()
        self.write({"tell": False})

    # --- chatter ---------------------------------------------------------------------

    def _write_lines(self):
        """Write a line per message on its document, else on its contact, in bulk."""
        values = defaultdict(list)
        for message, record in self._get_line_records().items():
            if record:
                values[record._name].append((message, message._line_values(record)))
        links = []
        for found in values.values():
            # sudo: mail.message - the inbox notes what came, whoever may open the
            # document; nobody else may say of which company a line is
            lines = sql_bulk.create(
                self.env["mail.message"]
                .sudo()
                .with_context(clean_context(self.env.context)),
                [line for _message, line in found],
                ("mail", OUR_MODULE),
            )
            links += zip([message for message, _line in found], lines, strict=True)
        self._link_lines(links)

    def _get_line_record(self):
        """Return where one message is told."""
        return self._get_line_records()[self]

    def _get_line_records(self):
        """Return {message: its document where it is of this company, else its contact}.

        Looks up the documents of each model together.
        """
        ids = defaultdict(set)
        for message in self:
            model = self.env.get(message.res_model or "")
            if message.res_id and hasattr(model, "message_post"):
                ids[message.res_model].add(message.res_id)
        # sudo: any document model - only where the line goes and of which company it is
        documents = {
            (model, record.id): record
            for model, res_ids in ids.items()
            for record in self.env[model].sudo().browse(res_ids).exists()
        }
        result = {}
        for message in self:
            record = documents.get((message.res_model, message.res_id))
            if record is None or not message._is_of_same_company(record):
                record = message.partner_id.sudo()
            result[message] = record
        return result

    def _is_of_same_company(self, record):
        if "company_id" not in record._fields or not record.company_id:
            return True
        return record.company_id == self.company_id

    def _line_values(self, record):
        words = self._describe()
        who = self.env._("WhatsApp from %(number)s", number=self.recipient or "")
        # sudo: res.partner - name and address of who wrote
        author = self.partner_id.sudo()
        return {
            "model": record._name,
            "res_id": record.id,
            "author_id": author.id or None,
            "email_from": author.email_formatted or self.recipient or who,
            "message_type": "comment",
            "is_internal": True,
            "subtype_id": self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_note"),
            "body": as_sanitized(quote_html(who, words)),
            "date": self.sent_at,
            "message_id": generate_tracking_message_id(f"{record.id}-{record._name}"),
            "reply_to": None,
            "email_add_signature": False,
            "record_company_id": self.company_id.id,
            "wab_company_id": self.company_id.id,
        }

    # --- activities ------------------------------------------------------------------

    def _ask_people(self):
        """Ask for one look per customer, however much they wrote, in bulk.

        An open request stays as it is: the newer words are in the chatter.
        """
        kind = self.env.ref(ACTIVITY, raise_if_not_found=False)
        if not kind:
            return
        wanted = {}
        for message in self:
            record = message.partner_id or message.account_id
            number = "" if message.partner_id else message.recipient or ""
            wanted.setdefault((record._name, record.id, number), message)
        open_ones = self._find_open_requests(kind, wanted)
        owners = self._read_owners()
        values = [
            message._request_values(kind, model, res_id, owners)
            for (model, res_id, number), message in wanted.items()
            if (model, res_id, number) not in open_ones
        ]
        # sudo: mail.activity - the system asks whoever looks after the customer
        self.env["mail.activity"].sudo().with_context(
            mail_activity_quick_update=True
        ).create(values)

    @api.model
    def _find_open_requests(self, kind, wanted):
        """Return which of {(model, id, number)} somebody was asked about already."""
        ids = {res_id for _model, res_id, _number in wanted}
        # Of a shared contact only this company's requests count.
        # sudo: mail.activity - whether somebody was asked already, whoever that is
        activities = (
            self.env["mail.activity"]
            .sudo()
            .search(
                [
                    ("activity_type_id", "=", kind.id),
                    ("res_model", "in", ["res.partner", "whatsapp.billing.account"]),
                    ("res_id", "in", list(ids)),
                    ("wab_company_id", "in", self.company_id.ids),
                ]
            )
        )
        texts = defaultdict(list)
        for activity in activities:
            texts[activity.res_model, activity.res_id].append(activity.summary or "")
        return {
            key
            for key in wanted
            if any(key[2] in summary for summary in texts.get(key[:2], ()))
        }

    def _read_owners(self):
        """Return {number: all contacts that have it} of messages that are nobody's.

        A number as `rules.numbers.person_key`.
        """
        keys = {message.person_key for message in self if not message.partner_id}
        # sudo: res.partner - names of all who have this number, for who is asked
        partners_sudo = self.env["res.partner"].sudo()
        found = partners_sudo.search([("wab_person_key", "in", list(keys - {False}))])
        return dict(found.grouped("wab_person_key"))

    def _request_values(self, kind, model, res_id, owners):
        self.ensure_one()
        user = self._get_salesperson()
        message = self.with_context(lang=user.lang or self.env.lang)
        env = message.env
        words = message._describe()
        # sudo: res.partner - only whether there is a contact, for the title
        partner = self.partner_id.sudo()
        if not partner:
            # The sender is unknown, or a contact of several customers: named by the
            # number.
            summary = env._(
                "%(number)s wrote on WhatsApp: %(text)s",
                number=self.recipient or "",
                text=words[:TITLE],
            )
        else:
            summary = env._("Customer wrote on WhatsApp: %(text)s", text=words[:TITLE])
        return {
            "activity_type_id": kind.id,
            "res_model_id": self.env["ir.model"]._get_id(model),
            "res_id": res_id,
            "summary": summary,
            "note": Markup(markup.to_html(words)) + message._shared_note(owners),
            "date_deadline": fields.Date.context_today(self),
            "user_id": user.id,
            "automated": True,
            "wab_company_id": self.company_id.id,
        }

    def _shared_note(self, owners):
        """Return whom the number belongs to where those are several customers.

        :param dict owners: as `_read_owners` says
        """
        if self.partner_id or self.person_key not in owners:
            return Markup()
        found = owners[self.person_key]._wab_of_company(self.company_id)
        if len(found) < 2:
            return Markup()
        names = ", ".join(found[:10].mapped("display_name"))
        return Markup("<p>%s</p>") % self.env._(
            "Several contacts have this number: %(names)s. Nothing was decided.",
            names=names,
        )

    def _get_salesperson(self, partner=None):
        """Return who looks after the customer in this company, else the account."""
        # sudo: res.partner - only who looks after the customer
        partner = (partner or self.partner_id).sudo()
        people = partner.user_id | partner.commercial_partner_id.user_id
        # sudo: whatsapp.billing.account - only who looks after it
        return self._find_able(people) or self.account_id.sudo()._get_responsible()

    def _find_able(self, users):
        """Return the first of these who can see to a message of its company, or nobody."""
        self.ensure_one()
        return self.company_id._wab_find_able(users)


class ResPartner(models.Model):
    _inherit = "res.partner"

    @api.model_create_multi
    def create(self, vals_list):
        partners = super().create(vals_list)
        message_id = self.env.context.get("wab_message_id")
        if message_id and len(partners) == 1:
            partners._wab_adopt_messages(message_id)
        return partners

    def _wab_adopt_messages(self, message_id):
        """Take over the messages of the number from which this contact was made.

        The form hands its context on: the firm that is made within it, with another
        number or none, is not who wrote.
        """
        message = self.env["whatsapp.billing.message"].browse(message_id).exists()
        message.check_access("read")
        if not message or message.partner_id or not message.recipient:
            return
        # A message under a user id names no number: the person who was made from it
        # takes it over.
        is_theirs = self.wab_person_key == message.person_key or (
            numbers.is_bsuid(message.recipient) and not self.is_company
        )
        if not is_theirs or not self._wab_of_company(message.company_id):
            return
        # sudo: whatsapp.billing.message - rows are written by the system only
        message.sudo().search(
            [
                ("company_id", "=", message.company_id.id),
                ("person_key", "=", message.person_key or "-"),
                ("partner_id", "=", False),
            ]
        ).partner_id = self
