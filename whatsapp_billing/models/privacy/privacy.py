# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What is kept about a person: given to them, and erased where they ask for it.

Only in the companies that the manager works in. A person is a contact and its numbers:
whole numbers, by `rules.numbers.person_key`, in every spelling.
"""

import base64
import json
import re
from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL, html2plaintext

from ...rules import numbers
from ..worker.budget import Budget

# Text fields that stay on an erased message: ids and what it was about.
KEPT_TEXTS = {
    "uuid",
    "wamid",
    "context_wamid",
    "method",
    "key",
    "result",
    "template_name",
    "lang_code",
    "res_model",
    "document_name",
    "error_code",
    "inbound_type",
    "pricing",
}

# Last digits that all spellings of one number have in common.
TAIL = 7

# Characters of a message that notes on cases and documents quote at most.
LONGEST_QUOTE = 500


def _flatten(text):
    """Return a text's lines without the space around and between them."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _read_key(digits, country):
    """Return the key of a number as people of a country write it, "" for none."""
    try:
        return numbers.person_key(numbers.normalise(digits, country))
    except numbers.InvalidNumber:
        return ""


BATCH = 5000

# States in which a message is erased; in all others it still waits for something.
FINAL_STATES = ("sent", "delivered", "read", "failed", "canceled", "received")


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    # === BUSINESS METHODS - DATA PROTECTION === #

    @api.model
    def _check_data_protection(self):
        """Only who configures may export or erase what is kept about people."""
        if not self.env.user.has_group("whatsapp_billing.group_manager"):
            raise AccessError(
                self.env._("Only a manager may export or erase a person's data.")
            )

    @api.model
    def _find_person_keys(self, partners, companies):
        """Return the keys of these contacts, and of whom they were written to as."""
        # sudo: whatsapp.billing.message - all that own companies keep about somebody
        mine = self.sudo().search(
            [("company_id", "in", companies.ids), ("partner_id", "in", partners.ids)]
        )
        found = set(partners.mapped("wab_person_key")) | set(mine.mapped("person_key"))
        found |= {numbers.person_key(uid or "") for uid in mine.mapped("recipient_uid")}
        return found - {False, "", None}

    @api.model
    def _find_person_messages(self, partners, companies, keys):
        """Return own companies' messages with these contacts, or with their numbers.

        A number's messages with another contact are that contact's.
        """
        # sudo: whatsapp.billing.message - all that own companies keep about somebody
        return self.sudo().search(
            [
                ("company_id", "in", companies.ids),
                "|",
                ("partner_id", "in", partners.ids),
                "&",
                ("partner_id", "=", False),
                "|",
                ("person_key", "in", list(keys)),
                ("recipient_uid", "in", list(keys)),
            ],
            order="id",
        )

    @api.model
    def _export_person(self, partners, companies=None):
        """Return everything kept about people, JSON-able, for a request of theirs.

        :param companies: own companies; those the user works in by default
        """
        companies = companies or self.env.companies
        partners.check_access("read")
        keys = self._find_person_keys(partners, companies)
        messages = self._find_person_messages(partners, companies, keys)
        # sudo: whatsapp.billing.consent - all that own companies keep about somebody
        consents = (
            self.env["whatsapp.billing.consent"]
            .sudo()
            .search(
                [
                    ("company_id", "in", companies.ids),
                    "|",
                    ("partner_id", "in", partners.ids),
                    "&",
                    ("partner_id", "=", False),
                    ("person_key", "in", list(keys)),
                ],
                order="id",
            )
        )
        return {
            "messages": messages.read(
                [
                    "company_id",
                    "direction",
                    "state",
                    "recipient",
                    "recipient_uid",
                    "profile_name",
                    "body",
                    "edited_body",
                    "payload",
                    "filename",
                    "document_name",
                    "queued_at",
                    "sent_at",
                    "delivered_at",
                    "read_at",
                ],
                load=None,
            ),
            "consents": consents.read(
                [
                    "company_id",
                    "recipient",
                    "purpose",
                    "granted",
                    "said_at",
                    "source",
                    "evidence",
                    "create_date",
                ],
                load=None,
            ),
        }

    @api.model
    def _erase_person(self, partners, companies=None):
        """Erase people's texts and numbers wherever own companies keep them.

        What still waits is withdrawn first. What stays: states and times, that somebody
        agreed or withdrew and when, and a withdrawn number as a salted hash, so that a
        STOP is obeyed when the number comes back.

        :param companies: own companies; those the user works in by default
        """
        companies = companies or self.env.companies
        self.env.flush_all()
        keys = self._find_person_keys(partners, companies)
        messages = self._find_person_messages(partners, companies, keys)
        messages.filtered(lambda m: m.state in ("queued", "held", "unknown")).write(
            {"state": "canceled", "reason": "superseded"}
        )
        words = {
            _flatten(quoted)
            for text in (*messages.mapped("body"), *messages.mapped("edited_body"))
            if text
            for quoted in (text, text[:LONGEST_QUOTE])
        } - {""}
        self._erase_around(messages, partners, companies, keys, words)
        messages._erase_rows()
        self._erase_consents(partners, companies, keys)
        self._erase_events(companies, keys)
        self.env.invalidate_all()

    def _erase_rows(self):
        """Empty the texts of these messages, but for `KEPT_TEXTS`."""
        self._erase_files()
        self._erase_chatter(self.mail_message_id.ids)
        self.env.flush_all()
        names = [
            name
            for name, field in self._fields.items()
            if field.type in ("char", "text", "html", "json")
            and field.store
            and field.column_type
            and name not in KEPT_TEXTS
        ]
        self.env.cr.execute(
            SQL(
                "UPDATE whatsapp_billing_message SET %s WHERE id = ANY(%s)",
                SQL(", ").join(SQL("%s = NULL", SQL.identifier(n)) for n in names),
                list(self.ids),
            )
        )
        self._erase_details()

    @api.model
    def _erase_consents(self, partners, companies, keys):
        """Keep that they agreed or withdrew; numbers stay as a hash in the block list."""
        consents = self.env["whatsapp.billing.consent"]
        erased = self.env._("Erased at the person's request.")
        self.env.cr.execute(
            SQL(
                """
                UPDATE whatsapp_billing_consent
                   SET recipient = NULL, evidence = %(erased)s,
                       person_key = CASE WHEN partner_id IS NULL THEN %(hash)s END
                 WHERE company_id = ANY(%(companies)s)
                   AND (partner_id = ANY(%(partners)s)
                        OR (partner_id IS NULL AND person_key = ANY(%(keys)s)))
                """,
                erased=erased,
                hash=consents._hash_sql(SQL("person_key")),
                companies=list(companies.ids),
                partners=list(partners.ids),
                keys=list(keys),
            )
        )

    @api.model
    def _erase_around(self, messages, partners, companies, keys, words):
        """Erase what quotes them on documents, in activities, cases and dialogs."""
        documents = self._find_documents(messages, partners, companies)
        self._erase_notes(documents, partners, companies, keys, words)
        debtors = partners | partners.commercial_partner_id
        # sudo: whatsapp.billing.collection.case - what quotes them, in own companies only
        cases = (
            self.env["whatsapp.billing.collection.case"]
            .sudo()
            .search(
                [
                    ("company_id", "in", companies.ids),
                    ("debtor_id", "in", debtors.ids),
                    ("dispute_reason", "!=", False),
                ]
            )
        )
        for case in cases:
            if self._is_told(case.dispute_reason, words) or self._names_number(
                html2plaintext(case.dispute_reason), keys
            ):
                case.dispute_reason = False
        # sudo: dialogs of others that name them, in own companies only
        self.env["whatsapp.billing.collection.forecast"].sudo().search(
            [
                ("plan_id.company_id", "in", companies.ids),
                "|",
                ("partner_id", "in", partners.ids),
                ("debtor_id", "in", partners.ids),
            ]
        ).unlink()
        self.env["whatsapp.billing.consent.record"].sudo().search(
            [
                ("partner_ids", "in", partners.ids),
                ("create_uid.company_ids", "in", companies.ids),
            ]
        ).unlink()
        self.env.flush_all()

    @api.model
    def _find_documents(self, messages, partners, companies):
        """Return {model: ids} of what these messages were about or were noted on."""
        documents = {
            partners._name: set((partners | partners.commercial_partner_id).ids)
        }
        for message in messages:
            if message.res_model and message.res_id:
                documents.setdefault(message.res_model, set()).add(message.res_id)
        moves = messages.collection_item_ids.move_line_id.move_id
        # sudo: whatsapp.billing.collection.case - on which documents they may be quoted
        moves |= (
            self.env["whatsapp.billing.collection.case"]
            .sudo()
            .search(
                [
                    ("company_id", "in", companies.ids),
                    ("debtor_id", "in", partners.commercial_partner_id.ids),
                ]
            )
            .move_line_id.move_id
        )
        documents.setdefault(moves._name, set()).update(moves.ids)
        return documents

    @api.model
    def _erase_notes(self, documents, partners, companies, keys, words):
        """Empty own companies' activities, lines and tracked values about them.

        Those that our messages made, where they quote them, and whatever names the whole
        number. What a colleague wrote stays, though a word of theirs is in it, and so
        does all that another company wrote about a contact of both.
        """
        for model, ids in documents.items():
            owners = self._find_owners(model, ids)
            self._erase_activities(model, owners, partners, companies, keys, words)
            self._erase_lines(model, owners, companies, keys, words)
        self._erase_tracked(documents[partners._name], keys)

    @api.model
    def _find_owners(self, model, ids):
        """Return {id: its company's id, False where companies share the record}."""
        # sudo: any document model - of which company a record is, nothing more
        records = self.env[model].sudo().browse(ids).exists()
        if "company_id" not in records._fields:
            return dict.fromkeys(records.ids, False)
        return {record.id: record.company_id.id for record in records}

    @api.model
    def _erase_activities(self, model, owners, partners, companies, keys, words):
        # sudo: mail.activity - whoever is asked, the quotation goes
        activities = (
            self.env["mail.activity"]
            .sudo()
            .with_context(active_test=False)
            .search([("res_model", "=", model), ("res_id", "in", list(owners))])
        )
        for activity in activities:
            ours = activity.wab_company_id or activity.wab_reason
            owner = (
                activity.wab_company_id.id
                or owners[activity.res_id]
                or activity.create_uid.company_id.id
            )
            if owner not in companies.ids:
                continue
            # The quoted message may be erased already: the request is found by what it
            # is about.
            is_theirs = (
                activity.wab_company_id
                and model == partners._name
                and activity.res_id in partners.ids
            )
            texts = [text for text in (activity.note, activity.summary) if text]
            if is_theirs or any(
                (ours and self._is_told(text, words))
                or self._names_number(html2plaintext(text), keys)
                for text in texts
            ):
                # The summary may quote the beginning of the note: both are emptied.
                activity.write({"note": False, "summary": False})

    @api.model
    def _erase_lines(self, model, owners, companies, keys, words):
        rows = self.env.execute_query(
            SQL(
                """
                SELECT l.id, l.res_id, l.body, l.wab_company_id,
                       COALESCE(l.record_company_id, u.company_id),
                       l.mail_activity_type_id IS NOT NULL
                  FROM mail_message l
             LEFT JOIN res_users u ON u.id = l.create_uid
                 WHERE l.model = %s AND l.res_id = ANY(%s) AND l.body IS NOT NULL
                   AND l.message_type NOT IN ('email', 'email_outgoing')
                   AND NOT EXISTS (
                       SELECT 1 FROM whatsapp_billing_message m
                        WHERE m.mail_message_id = l.id
                          AND NOT m.company_id = ANY(%s))
                """,
                model,
                list(owners),
                list(companies.ids),
            )
        )
        lines = [
            line_id
            for line_id, res_id, body, ours, writer, is_request in rows
            if (ours or owners[res_id] or writer) in companies.ids
            # Or a line that a done request has left, with its note.
            and (
                ((ours or is_request) and self._is_told(body, words))
                or self._names_number(html2plaintext(body), keys)
            )
        ]
        self._erase_chatter(lines)

    @api.model
    def _erase_tracked(self, partner_ids, keys):
        """Empty the values of our number that the contact's history names."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT t.id, t.old_value_char, t.new_value_char
                  FROM mail_tracking_value t
                  JOIN mail_message l ON l.id = t.mail_message_id
                  JOIN ir_model_fields f ON f.id = t.field_id
                 WHERE l.model = 'res.partner' AND l.res_id = ANY(%s)
                   AND f.name IN ('wab_number', 'wab_recipient', 'phone')
                """,
                list(partner_ids),
            )
        )
        ids = [
            row[0]
            for row in rows
            if any(self._names_number(value, keys) for value in row[1:] if value)
        ]
        self.env.cr.execute(
            "UPDATE mail_tracking_value SET old_value_char = NULL, "
            "new_value_char = NULL WHERE id = ANY(%s)",
            [ids],
        )

    @api.model
    def _is_told(self, text, words):
        """Tell whether a text has whole messages as paragraphs, or after a colon.

        A word that a message shares with a sentence is not that message.
        """
        plain = _flatten(html2plaintext(text or ""))
        return any(
            re.search(rf"(?:^|\n|: ){re.escape(word)}(?:\n|$)", plain) for word in words
        )

    @api.model
    def _names_number(self, plain, keys, is_typed=True):
        """Tell whether a text has one of these numbers, whole and in any spelling.

        :param is_typed: whether people wrote it, who leave out the code of their country
            or write 00; what comes from the provider has many other long numbers
        """
        joined = re.sub(r"(?<=[0-9])[ .()/-]+(?=[0-9])", "", plain)
        countries = {numbers.country_of(key) for key in keys} if is_typed else ()
        for text in (plain, joined):
            for token in re.findall(r"(?<![0-9A-Za-z])\+?([0-9]{7,17})(?![0-9])", text):
                if numbers.person_key(f"+{token}") in keys:
                    return True
                if any(_read_key(token, country) in keys for country in countries):
                    return True
        return any(
            numbers.is_bsuid(key)
            and re.search(rf"(?<![A-Za-z0-9]){re.escape(key)}(?![A-Za-z0-9])", plain)
            for key in keys
        )

    @api.model
    def _without_people(self, body, keys):
        """Return a call without what it tells of these people; None if nothing is left.

        The smallest entries of its lists that name them go: a receipt, a message.
        """
        try:
            tree = json.loads(body)
        except (ValueError, RecursionError):
            # Nobody could take anything out of what cannot be read.
            return None

        def is_about(part):
            return self._names_number(json.dumps(part), keys, is_typed=False)

        def strip(part):
            if isinstance(part, dict):
                return {name: strip(value) for name, value in part.items()}
            if isinstance(part, list):
                return [one for one in map(strip, part) if not is_about(one)]
            return part

        rest = strip(tree)
        return None if is_about(rest) else json.dumps(rest).encode()

    @api.model
    def _erase_events(self, companies, keys):
        """Delete own companies' processed calls whose bytes name these numbers.

        One that still waits to be read tells of others as well: it loses these people.
        """
        tails = [key if numbers.is_bsuid(key) else key[-TAIL:] for key in keys if key]
        if not tails:
            return
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT e.id, e.state, e.body FROM whatsapp_billing_webhook_event e
             LEFT JOIN whatsapp_billing_account a ON a.id = e.account_id
                 WHERE e.state != 'new'
                   AND (COALESCE(a.company_id, e.company_id) = ANY(%s)
                        -- One POST about several companies that share an app.
                        OR (COALESCE(a.company_id, e.company_id) IS NULL
                            AND EXISTS (
                                SELECT 1 FROM whatsapp_billing_account s
                                 WHERE s.company_id = ANY(%s)
                                   AND e.signer_ids @> to_jsonb(s.id))))
                   AND EXISTS (
                       SELECT 1 FROM unnest(%s::text[]) tail
                        WHERE position(convert_to(tail, 'UTF8') IN
                              decode(convert_from(e.body, 'LATIN1'), 'base64')) > 0)
                """,
                list(companies.ids),
                list(companies.ids),
                tails,
            )
        )
        ids = []
        for event_id, state, stored in rows:
            body = base64.b64decode(bytes(stored))
            if not self._names_number(
                body.decode("utf-8", "replace"), keys, is_typed=False
            ):
                continue
            rest = self._without_people(body, keys) if state == "error" else None
            if rest is None:
                ids.append(event_id)
                continue
            self.env.cr.execute(
                "UPDATE whatsapp_billing_webhook_event SET body = %s WHERE id = %s",
                [base64.b64encode(rest), event_id],
            )
        self.env.cr.execute(
            "DELETE FROM whatsapp_billing_webhook_event WHERE id = ANY(%s)", [ids]
        )
        self.env["whatsapp.billing.webhook.event"].invalidate_model(flush=False)

    # === CRON METHODS === #

    @api.model
    def _cron_retention(self):
        """Erase texts and numbers older than each company keeps; figures stay."""
        now = fields.Datetime.now()
        budget = Budget.of_run()
        for company in self.env["res.company"].search([]):
            if company.wab_retention_days:
                limit = now - timedelta(days=company.wab_retention_days)
                self._skip_faults(
                    lambda c=company, day=limit: self._erase_older(c, day, budget),
                    f"retention of company {company.id}",
                )
        if budget.is_over():
            # Erased rows are not found again, so the next run goes on with the rest.
            # sudo: ir.cron - the worker asks for its next run
            self.env.ref("whatsapp_billing.ir_cron_retention").sudo()._trigger()

    @api.model
    def _erase_older(self, company, limit, budget):
        with self._own_transaction() as env:
            messages = env[self._name]
            events = env["whatsapp.billing.webhook.event"]
            erase = partial(messages._erase_batch, company.id, limit)
            while not budget.is_over() and self._durably(env, erase):
                continue
            if not budget.is_over():
                self._durably(env, partial(events._erase_older, company.id, limit))

    @api.model
    def _erase_batch(self, company_id, limit):
        rows = self.env.execute_query(
            SQL(
                """
                WITH old AS (
                    SELECT id FROM whatsapp_billing_message
                     WHERE company_id = %s AND create_date < %s AND state IN %s
                       AND (recipient IS NOT NULL OR body IS NOT NULL)
                     LIMIT %s FOR UPDATE SKIP LOCKED)
                UPDATE whatsapp_billing_message m
                   SET recipient = NULL, recipient_uid = NULL, person_key = NULL,
                       body = NULL, edited_body = NULL, profile_name = NULL,
                       content = NULL, payload = NULL, error_detail = NULL,
                       filename = NULL, trace_data = NULL
                  FROM old WHERE m.id = old.id
             RETURNING m.id, m.mail_message_id
                """,
                company_id,
                limit,
                FINAL_STATES,
                BATCH,
            )
        )
        ids = [row[0] for row in rows]
        if ids:
            self._erase_chatter([row[1] for row in rows if row[1]])
            self.browse(ids)._erase_files()
            self.browse(ids)._erase_details()
        return len(ids)

    def _erase_details(self):
        """Empty the sentences kept beside these messages: they name people and numbers.

        Those of attempts, of the answer kept for a key, which else stays, and the name
        of a contact that a message was about.
        """
        contacts = [
            name
            for name in self.env["whatsapp.billing.document.mixin"]._wab_model_names()
            if self.env[name]._wab_is_contact()
        ]
        self.env.cr.execute(
            "UPDATE whatsapp_billing_message SET document_name = NULL "
            "WHERE id = ANY(%s) AND res_model = ANY(%s)",
            [list(self.ids), contacts],
        )
        self.env.cr.execute(
            "UPDATE whatsapp_billing_message_attempt SET error_detail = NULL, "
            "raw = NULL WHERE message_id = ANY(%s)",
            [list(self.ids)],
        )
        self.env.cr.execute(
            "UPDATE whatsapp_billing_message SET result = "
            "jsonb_set(result, '{detail}', 'false') "
            "WHERE id = ANY(%s) AND jsonb_typeof(result) = 'object'",
            [list(self.ids)],
        )

    @api.model
    def _erase_chatter(self, line_ids):
        """Empty the chatter lines that quote erased messages, in one statement."""
        self.env.cr.execute(
            """
            UPDATE mail_message
               SET body = %s,
                   email_from = CASE WHEN email_from ~ '[0-9]{7}' AND
                                          position('@' IN email_from) = 0
                                     THEN NULL ELSE email_from END
             WHERE id = ANY(%s)
            """,
            [self.env._("WhatsApp message (erased)"), line_ids],
        )
        self.env["mail.message"].invalidate_model(["body", "email_from"])
