# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import defaultdict
from typing import NamedTuple

from odoo import api, models

from ...rules import numbers

NOTE_TYPE = "customer_message"
# `method` of messages that automation rules send.
AUTOMATION = "automation"


class File(NamedTuple):
    """The file that goes with a message, as the claim reads it.

    :param mark: what it was made from, of files that tell of other records
    """

    id: int
    store_fname: str | None
    checksum: str | None
    mimetype: str | None
    mark: str | None


class Contact(NamedTuple):
    """What the claim reads of whoever a message is to.

    :param is_of_company: of the company that writes, or of none
    :param new_number: what the provider says that they have now
    """

    is_active: bool | None = True
    is_of_company: bool | None = True
    person_key: str | None = None
    new_number: str | None = None


class Look(NamedTuple):
    """What a model says of the document of a message just before the call.

    :param fingerprint: of what the document says; None when it is gone, was taken back
        or has nothing that could change
    :param is_theirs: a promise that whoever the message is for would get it if it were
        queued now; False says only that it takes more to know
    :param state: as `rules.eligibility.Facts.document_state`
    :param payment_state: as there
    :param is_off: somebody switched WhatsApp off for this very document
    :param partner_id: whom it is addressed to by now
    :param file: None when there is none any more
    :param contact: whom the message is to, where that was read on the way
    """

    fingerprint: str | None = None
    is_theirs: bool = False
    state: str | None = None
    payment_state: str | None = None
    is_off: bool | None = False
    partner_id: int | None = None
    file: File | None = None
    contact: Contact | None = None


# The look of a message without a document, and of one whose document was deleted.
UNSEEN = Look()
GONE = Look(state="cancel")
# The contact of a message to a number that belongs to no contact.
NOBODY = Contact()


def read_look(answer):
    """Return the `Look` of what `_wab_look_sql` gave for a message."""
    if answer is None:
        return GONE
    file = File(*answer[6:11]) if answer[6] else None
    return Look(*answer[:6], file, Contact(*answer[11:]))


class Base(models.AbstractModel):
    """What a message asks any record that it is about; documents answer more."""

    _inherit = "base"

    # === BUSINESS METHODS === #

    # --- what it is ---------------------------------------------------------------

    @api.model
    def _wab_is_document(self):
        """Tell whether records of this model go out themselves, as documents do.

        About any other record there are messages only.
        """
        return False

    @api.model
    def _wab_is_contact(self):
        """Tell whether these are whom messages are to, and nothing that is sent.

        Companies share them and not what they write to them; their names are people's;
        and nobody knows what is to be said to one before somebody chooses a template.
        """
        return False

    @api.model
    def _wab_document_types(self):
        """Return the document types that records of this model go out as.

        A type is offered to people only when some model of the database says so here:
        templates for documents that nobody can send would lead nowhere.
        """
        return ()

    def _wab_document_type(self):
        """Return the document type of templates that fit this record."""
        return False

    def _wab_possible_types(self):
        """Return the document types of templates that some of these can get."""
        return {record._wab_document_type() for record in self} - {False}

    @api.model
    def _wab_fact_words(self, name):
        """Return {value: word} of a fact that `_wab_document_facts` says, for people."""
        if name == "document_state":
            return {
                "draft": self.env._("Draft"),
                "posted": self.env._("Posted"),
                "cancel": self.env._("Cancelled"),
            }
        return {}

    @api.model
    def _wab_example_domain(self, document_type):
        """Return which records show what a template for this type will look like."""
        return []

    @api.model
    def _wab_rule_options(self):
        """Return how an automation rule sends these: `method`, and `key` for once."""
        return {"method": AUTOMATION, "key": False}

    # --- whom it is for -----------------------------------------------------------

    def _wab_addressees(self):
        """Return the contacts that these records are addressed to."""
        if "partner_id" in self._fields:
            return self.partner_id
        return self.env["res.partner"]

    def _wab_owners(self):
        """Return {record id: user}: who looks after it, asked when a message fails."""
        return {}

    # --- what is asked about it ---------------------------------------------------

    def _wab_types(self, template):
        """Return {record id: document type} of messages with a template, or none yet.

        :param template: as callers name it: a record, an id, an xml id, a name
        """
        return {record.id: record._wab_document_type() for record in self}

    def _wab_document_facts(self):
        """Return what `rules.eligibility.Facts` should know of this record."""
        return {}

    def _wab_hold_facts(self):
        """Return what keeps a reminder of this record from going, as such facts."""
        return {}

    def _wab_send_override_flag(self):
        """Return whether this very record is enabled, or None to ask the partner."""
        return

    @api.model
    def _wab_has_file(self, document_type):
        """Tell whether a message of this type carries a file that this model makes.

        No model does unless it says so here and makes the file in `_wab_make_file`:
        a file is never asked of another model under the same id.
        """
        return False

    def _wab_make_file(self):
        """Return the PDF, made now if it is missing; nothing where there is none."""
        return self._wab_attachment()

    def _wab_attachment(self):
        """Return the PDF if it exists already."""
        return self.env["ir.attachment"]

    def _wab_file_marks(self):
        """Return {record id: mark}, in bulk: another one once its file says less than it.

        For what a file tells of other records; none where it tells of its own only.
        """
        return {}

    def _wab_file_size(self):
        """Return the size in bytes of the PDF if it exists already, else None."""
        return self._wab_attachment().file_size or None

    def _wab_filename(self):
        """Return the name that the customer sees on the document."""
        return False

    def _wab_document_name(self):
        self.ensure_one()
        return self.display_name or ""

    def _wab_fingerprints(self):
        """Return {record id: text}: what a message and its file say of each, in bulk.

        Documents have one query for it (`_wab_fingerprint_sql`). A record that is not
        in the answer has nothing that could have changed, or is gone.
        """
        return {}

    @api.model
    def _wab_ask_again(self, rows):
        """Return {message id: `Look`}: what may have changed since these were queued.

        What the claim asks of all messages about records of one model, at once.

        :param list rows: dictionaries with `id`, `res_id`, `partner_id`, `company_id`,
            `document_state` and `attachment_id`
        """
        records = self.browse({row["res_id"] for row in rows}).exists()
        said = records._wab_fingerprints()
        files = self._wab_read_files(rows)
        found = {}
        for record in records:
            facts = record._wab_document_facts()
            found[record.id] = Look(
                fingerprint=said.get(record.id),
                state=facts.get("document_state"),
                payment_state=facts.get("payment_state"),
                is_off=record._wab_send_override_flag() is False,
                partner_id=record._wab_document_partner().id or None,
            )
        return {
            row["id"]: found.get(row["res_id"], GONE)._replace(
                file=files.get(row["id"])
            )
            for row in rows
        }

    @api.model
    def _wab_look_sql(self, has_files):
        """Return SQL for the same as JSON, for a claim to ask in its own statement.

        Of the message `a` with `message_id`, `res_id`, `partner_id`, `company_id`,
        `is_on` (the switch of a contact without one), `has_file` and `attachment_id`;
        read by `read_look`.

        :param has_files: whether files are looked at too
        :return: None where records are asked by `_wab_ask_again`
        """
        return

    @api.model
    def _wab_read_files(self, rows):
        """Return {message id: `File`} of those whose file was ready and is there."""
        ids = {row["id"]: row["attachment_id"] for row in rows if row["attachment_id"]}
        if not ids:
            return {}
        # sudo: ir.attachment - the file of a document, for the worker
        attachments_sudo = self.env["ir.attachment"].sudo()
        files = {
            file.id: File(
                file.id,
                file.store_fname,
                file.checksum,
                file.mimetype,
                file.description or None,
            )
            for file in attachments_sudo.browse(set(ids.values())).exists()
        }
        return {
            name: files[file_id] for name, file_id in ids.items() if file_id in files
        }

    @api.model
    def _wab_is_file_kept(self):
        """Tell whether a file stays right whatever its document says by now.

        Then only one that is gone is made anew.
        """
        return False

    def _wab_document_partner(self):
        """Return the contact that this record is addressed to, nobody where none is."""
        self.ensure_one()
        if "partner_id" in self._fields:
            return self.partner_id
        return self.env["res.partner"]

    @api.model
    def _wab_fingerprint_paths(self):
        """Return the field paths that a fingerprint covers."""
        return ()

    @api.model
    def _wab_partner_path(self):
        """Return where this model names who to write to, "" when it does not."""
        names = self._mail_get_partner_fields(introspect_fields=True)
        return next(iter(names), "")

    def _wab_note_recipients(self, path=""):
        """Return {record id: partners} to write to about these records.

        Whoever the path names; where that is nobody, the contact that has the phone
        number of the record: consent is given by people, not by numbers.

        :param path: names of fields that lead to contacts, "" for the model's own
        """
        path = path or self._wab_partner_path()
        empty = self.env["res.partner"]
        if path == "id":
            return {record.id: record for record in self}
        found = {record.id: record.mapped(path) if path else empty for record in self}
        missing = self.filtered(lambda record: not found[record.id])
        return found | missing._wab_find_by_phone()

    def _wab_find_by_phone(self):
        """Return {record id: partners} that have the phone numbers of these records.

        Of contacts with one number the oldest that the record's company may write to:
        whom another company knows under it is nobody here.
        """
        keys = {
            record.id: numbers.person_key(record._wab_recipient_of_record())
            for record in self
        }
        wanted = set(filter(None, keys.values()))
        owners = defaultdict(self.env["res.partner"].browse)
        if wanted:
            for partner in self.env["res.partner"].search(
                [("wab_person_key", "in", list(wanted))], order="id"
            ):
                owners[partner.wab_person_key] |= partner
        messages = self.env["whatsapp.billing.message"]
        found = {}
        for company, records in self.grouped(messages._company).items():
            named = owners.default_factory().union(
                *(owners[keys[record.id]] for record in records)
            )
            allowed = set(named._wab_of_company(company).ids)
            for record in records:
                mine = owners[keys[record.id]]
                found[record.id] = mine.filtered(lambda p, a=allowed: p.id in a)[:1]
        return found

    def _wab_recipient_of_record(self):
        """Return the record's own phone number as WhatsApp writes it, or ""."""
        country = self["country_id"].code if "country_id" in self._fields else None
        for name in self._phone_get_number_fields():
            try:
                return numbers.normalise(self[name] or "", country or None)
            except numbers.InvalidNumber:
                continue
        return ""
