# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What a waiting message says and who gets it, asked again before it goes.

When a message is queued, a fingerprint of what its text and file say is kept with it
(`content["snapshot"]`). The claim compares it with one query for each kind of document.
Only where it differs, or where the template names more than the fingerprint covers, is
the text filled in again and compared itself.

Meanwhile somebody may untick a contact, move it to another customer, correct its number,
or put another recipient on the document. What says something else, or is for somebody who
would not get it any more, is not sent: a new message to whoever gets it by now takes its
place, once; where that cannot be, a person is asked. Whoever a person named for one
sending stays, as long as they may get the company's documents.
"""

import hashlib
import json
import logging
from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

from ... import const
from ...rules import numbers, parameters
from ..common.savepoint import savepoint_or_log
from ..common.send_request import PlannedMessage, SendRequest
from ..document.base import GONE, UNSEEN
from ..template.template_variable import PAY_LINK, RECIPIENT_NAME
from .drain_reminders import REMINDER

_logger = logging.getLogger(__name__)


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    replaces_id = fields.Many2one(
        "whatsapp.billing.message",
        index="btree_not_null",
        ondelete="set null",
        copy=False,
        help="The message that was not sent because its document had changed.",
    )

    is_no_longer_true = fields.Boolean(
        string="No Longer True",
        copy=False,
        help="What was told has been taken back since: the payment was rejected,"
        " cancelled or reset.",
    )

    # === BUSINESS METHODS - AT QUEUEING === #

    @api.model
    def _read_fingerprints(self, all_planned):
        """Note on each planned message what its document says, in one query a model."""
        says_more = {}
        for model, records in self._group_records(all_planned).items():
            found = self.env[model].browse(records)._wab_fingerprints()
            for planned in all_planned:
                if planned.record._name == model and planned.record.id in found:
                    name = (model, planned.template.id)
                    if name not in says_more:
                        says_more[name] = self._says_more(planned)
                    planned.snapshot = _digest(found[planned.record.id])
                    planned.says_more = says_more[name]

    @api.model
    def _group_records(self, all_planned):
        records = defaultdict(set)
        for planned in all_planned:
            records[planned.record._name].add(planned.record.id)
        return records

    @api.model
    def _says_more(self, planned):
        """Tell whether the text names what the fingerprint does not cover."""
        also_about = {
            "",
            RECIPIENT_NAME,
            PAY_LINK,
            *planned.record._wab_fingerprint_paths(),
        }
        paths = planned.template.variable_ids.mapped("field_path")
        return any((path or "") not in also_about for path in paths)

    # === BUSINESS METHODS - AT THE CLAIM === #

    @api.model
    def _mark_changed(self, rows):
        """Set on claimed rows what has become of their document.

        `changed`: the text is not what it would say today. `file_changed`: it is, and
        only the file may be another. `gone`: the document was deleted or taken back. A
        fixed number of queries for all rows whose fingerprint is the same.

        :param list rows: dictionaries as `drain_claim` reads them
        """
        self._look_again(rows)
        for row in rows:
            row["changed"] = row["file_changed"] = row["gone"] = False
        kept = [row for row in rows if row["snapshot"]]
        differing, reminders = [], []
        for row in kept:
            fingerprint = row["look"].fingerprint
            row["gone"] = fingerprint is None
            row["snapshot_now"] = _digest(fingerprint)
            row["is_same"] = row["snapshot"] == row["snapshot_now"]
            if row["gone"]:
                continue
            # A reminder's lines are compared in `collection/case_recheck.py`, not here.
            is_reminder = row["document_type"] == REMINDER
            if _is_reworded(row) or (is_reminder and not row["is_same"]):
                row["changed"] = True
            elif not row["is_same"] or (row["content"] or {}).get("says_more"):
                (reminders if is_reminder else differing).append(row)
        self._compare_texts(differing)
        self._compare_reminders(reminders)
        self._mark_old_files([row for row in kept if row["look"].file])

    @api.model
    def _look_again(self, rows):
        """Set `look` on claimed rows: what each document's model says of it by now.

        One call a model (`_wab_ask_again`), whatever the number of rows; none for those
        that the claim looked at itself (`drain_look`).
        """
        by_model = defaultdict(list)
        for row in rows:
            if "look" in row:
                continue
            if row["res_model"] and row["res_id"]:
                by_model[row["res_model"]].append(row)
            else:
                row["look"] = UNSEEN
        for model, group in by_model.items():
            # The model's module may be uninstalled; messages about its records remain.
            records = self.env.get(model)
            found = {} if records is None else records._wab_ask_again(group)
            for row in group:
                row["look"] = found.get(row["id"], GONE)

    @api.model
    def _mark_old_files(self, rows):
        """Set `file_changed` where a file tells what is not so any more of others."""
        by_model = defaultdict(list)
        for row in rows:
            if not (row["gone"] or row["changed"]):
                by_model[row["res_model"]].append(row)
        for model, group in by_model.items():
            records = self.env[model].browse({row["res_id"] for row in group})
            marks = records._wab_file_marks()
            for row in group:
                mark = row["look"].file.mark
                if mark != marks.get(row["res_id"], mark):
                    row["file_changed"] = True

    @api.model
    def _by_template(self, rows):
        """Yield (template, model, rows) of claimed rows, template by template."""
        by_template = defaultdict(list)
        for row in rows:
            by_template[row["template_id"], row["res_model"]].append(row)
        for (template_id, model), group in by_template.items():
            template = self.env["whatsapp.billing.template"].browse(template_id)
            yield template.exists(), model, group

    @api.model
    def _compare_reminders(self, rows):
        """Set `changed` where a reminder says of its invoice what is not so any more.

        The bank account to pay to, who to ask: all but what it says of its lines.
        """
        for template, model, group in self._by_template(rows):
            pairs = [
                (row, self.env[model].browse(row["res_id"]), row["partner_id"])
                for row in group
                if row["partner_id"]
            ]
            for row, is_true in template._still_says(pairs):
                row["changed"] = not is_true

    @api.model
    def _compare_texts(self, rows):
        """Fill the templates in again and compare, template by template."""
        for template, model, group in self._by_template(rows):
            texts = self._texts_now(template, model, group)
            for row in group:
                now = texts.get(row["id"])
                row["changed"] = not now or (
                    template._facts_of(now) != template._facts_of(row["content"])
                )
                row["file_changed"] = not row["changed"] and not row["is_same"]
        self._keep_snapshots([row for row in rows if row["file_changed"]])

    @api.model
    def _texts_now(self, template, model, rows):
        """Return {message id: content} as it would be queued now."""
        records = self.env[model].browse({row["res_id"] for row in rows}).exists()
        if not template or not records:
            return {}
        all_planned = {
            row["id"]: PlannedMessage(
                records.browse(row["res_id"]),
                self.env["res.partner"].browse(row["partner_id"]),
                self.env["res.company"],
                row["document_type"],
                template=template,
            )
            for row in rows
            if row["res_id"] in records._ids and row["partner_id"]
        }
        self._render(list(all_planned.values()))
        return {
            message_id: self._content(planned)
            for message_id, planned in all_planned.items()
            if not planned.rendered.get("problem")
        }

    @api.model
    def _keep_snapshots(self, rows):
        """Remember the new fingerprint of messages whose text is still true."""
        if not rows:
            return
        values = SQL(", ").join(
            SQL("(%s, %s)", row["id"], row["snapshot_now"]) for row in rows
        )
        self.env.cr.execute(
            SQL(
                """
                UPDATE whatsapp_billing_message m
                   SET content = jsonb_set(m.content, '{snapshot}', to_jsonb(v.snapshot))
                  FROM (VALUES %s) AS v (id, snapshot) WHERE m.id = v.id
                """,
                values,
            )
        )

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

    # === BUSINESS METHODS - WHAT IS TAKEN BACK === #

    def _withdraw(self, reason):
        """Cancel those that have not left yet, against a drain that claims meanwhile.

        Called with sudo.

        :return: the cancelled messages
        """
        if not self:
            return self
        self.flush_recordset()
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE whatsapp_billing_message SET state = 'canceled', reason = %s
                 WHERE id = ANY(%s) AND state IN ('queued', 'held') RETURNING id
                """,
                reason,
                self.ids,
            )
        )
        withdrawn = self.browse(row[0] for row in rows)
        self.invalidate_recordset(["state", "reason"], flush=False)
        withdrawn._after_state_change()
        return withdrawn

    def _with_true_snapshot(self):
        """Return those whose document says the same as when they were queued."""
        same = self.browse()
        for model, messages in self.grouped("res_model").items():
            records = self.env[model].browse(messages.mapped("res_id"))
            found = records._wab_fingerprints()
            same |= messages.filtered(
                lambda m, found=found: (
                    found.get(m.res_id)
                    and (m.content or {}).get("snapshot") == _digest(found[m.res_id])
                )
            )
        return same

    # === BUSINESS METHODS - WHAT TAKES ITS PLACE === #

    def _replace_changed(self):
        """Queue what these cancelled messages should say now; else ask a person.

        Never stops the drain that found them: whatever goes wrong is asked of a person
        too. Called with sudo.
        """
        self -= self._told_meanwhile()
        heirs = self._find_heirs()
        # The others need no person: everybody who gets the document has a newer
        # message.
        lost = self.filtered(lambda message: message.id in heirs)
        ready = lost.filtered(
            lambda message: heirs[message.id] and message._is_replaceable()
        )
        done = self.browse()
        why = {}
        for messages in ready.grouped(lambda m: m._order_values()).values():
            # What one template or document raises is logged; the other messages of the
            # claim go on.
            text = "Messages %s were not replaced"
            with savepoint_or_log(self.env, _logger, text, messages.ids):
                done |= messages._queue_replacements(heirs, why)
        lost -= done
        refused = lost.filtered(lambda m: m.id in why)
        refused._ask_about_refused(why)
        lost -= refused
        moved = lost.filtered(lambda m: m._is_misdirected(heirs[m.id]))
        moved._ask_about_recipients()
        (lost - moved)._ask_about_changed()

    def _told_meanwhile(self):
        """Return those whose recipient is told by a later message already."""
        if not self:
            return self
        self.flush_model(
            ["state", "res_model", "res_id", "document_type", "partner_id"]
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT o.id FROM whatsapp_billing_message o
                 WHERE o.id = ANY(%s) AND EXISTS (
                       SELECT 1 FROM whatsapp_billing_message n
                        WHERE n.id > o.id AND n.res_model = o.res_model
                          AND n.res_id = o.res_id
                          AND n.document_type IS NOT DISTINCT FROM o.document_type
                          AND n.template_name IS NOT DISTINCT FROM o.template_name
                          AND n.direction = 'out'
                          AND n.method IS DISTINCT FROM %s
                          AND n.partner_id IS NOT DISTINCT FROM o.partner_id
                          AND n.state NOT IN ('canceled', 'failed'))
                """,
                self.ids,
                const.TEST_METHOD,
            )
        )
        return self.browse(row[0] for row in rows)

    def _is_replaceable(self):
        """Tell whether the system may say by itself what is true now.

        Once: text that differs each time it is filled in must not go round for ever.
        A document that is another customer's or company's by now is a person's to send.
        """
        self.ensure_one()
        here = self.with_company(self.company_id)
        record = here.env[self.res_model].browse(self.res_id).exists()
        return bool(
            record
            and here._company(record) == self.company_id
            and not self.replaces_id
            and self.document_type != REMINDER
            and self.template_id
            and self.document_partner_id == record._wab_document_partner()
        )

    def _order_values(self):
        """Return what the call was told that queued this, as a hashable."""
        self.ensure_one()
        return (
            self.res_model,
            self.company_id,
            self.user_id,
            self.template_id,
            self.method,
            self.purpose,
            self.document_type,
            any(rule["rule"] == "sent_by_person" for rule in self.trace or []),
            not self._follows_document(),
        )

    def _queue_replacements(self, heirs, why):
        """Queue these anew, all made by one call; return those that wait or go.

        :param heirs: {message id: who is told instead of its recipient}
        :param dict why: filled with {message id: why there is no number for the new one}
        """
        first = self[:1]
        model, company, user, template, method, purpose, kind, explicit, is_named = (
            first._order_values()
        )
        author = user or self.env.user
        # sudo: any document model - queued for the author once already, whose rights
        # were asked then
        records = (
            self.env[model]
            .with_user(author)
            .with_company(company)
            .with_context(lang=author.lang)
            .sudo()
            .browse(self.mapped("res_id"))
        )
        recipients = defaultdict(self.env["res.partner"].browse)
        old = defaultdict(self.browse)
        for message in self:
            recipients[message.res_id] |= heirs[message.id]
            for partner in heirs[message.id]:
                old[message.res_id, partner.id] |= message
        types = {record.id: record._wab_document_type() for record in records}
        is_note = any(kind != types[record.id] for record in records)
        send_request = SendRequest(
            method,
            template=template.id,
            purpose=purpose,
            explicit=explicit,
            is_note=is_note,
            is_named=is_named,
        )
        results = (
            self.env[self._name]
            .with_env(records.env)
            ._enqueue(
                records, recipients, dict.fromkeys(records.ids, kind), send_request
            )
        )
        done = self.browse()
        for result in results:
            messages = old[result["id"], result["partner_id"]]
            self.browse(result["message_id"]).replaces_id = messages[:1]
            if result["state"] in ("queued", "held"):
                done |= messages
            elif result["reason"] in ("no_number", "invalid_number"):
                why |= dict.fromkeys(messages.ids, result["detail"])
        return done

    def _ask_about_refused(self, why):
        """Ask the senders of these messages: the ones that replaced them cannot go.

        :param dict why: {message id: a sentence}
        """
        for sentence, messages in self.grouped(lambda m: why[m.id]).items():
            messages._ask_on_documents(
                self.env._("WhatsApp message not sent"),
                lambda document, names, sentence=sentence: self.env._(
                    "The WhatsApp message about %(document)s did not go to %(names)s."
                    " %(why)s",
                    document=document,
                    names=names or self.env._("a contact that is gone"),
                    why=sentence,
                ),
            )

    def _ask_about_changed(self):
        """Ask the senders of these messages: their documents have changed since."""
        self._ask_on_documents(
            self.env._("WhatsApp message not sent: the document changed"),
            lambda document, _names: self.env._(
                "%(document)s changed after a WhatsApp message about it was"
                " queued, so that message was not sent. Send it again if the"
                " customer is still to be told.",
                document=document,
            ),
        )

    def _ask_on_documents(self, title, make_text, document_ids=None):
        """Put an activity on the documents of messages that nobody can replace.

        :param make_text: called with the document's name and whom it was for
        :param document_ids: {message id: ids of documents}; left out, each its own
        """
        about = document_ids or {message.id: [message.res_id] for message in self}
        for (model, company), messages in self.grouped(
            lambda message: (message.res_model, message.company_id)
        ).items():
            ids = {record_id for m in messages for record_id in about[m.id]}
            records = self.env[model].browse(sorted(ids)).exists()
            if not hasattr(records, "activity_schedule"):
                continue
            for record in records.with_company(company):
                mine = messages.filtered(lambda m, r=record: r.id in about[m.id])
                names = mine.partner_id.mapped("display_name")
                text = make_text(record._wab_document_name(), ", ".join(names))
                mine[:1]._ask_person(record, title, text)

    def _ask_person(self, record, title, text):
        """Ask whoever sent this message, else who looks after its account, once."""
        self.ensure_one()
        # On a contact, which companies share, only a request of this company says that
        # somebody was asked already.
        is_shared = record._wab_is_contact()
        company = self.company_id if is_shared else self.company_id.browse()
        # sudo: mail.activity - whether somebody was asked already, whoever that is
        if any(
            activity.summary == title and activity.wab_company_id == company
            for activity in record.sudo().activity_ids
        ):
            return
        user = self._find_able(self.user_id)
        if not user:
            user = self.account_id._get_responsible() or self.user_id
        requests = record.activity_schedule(
            "mail.mail_activity_data_warning",
            summary=title,
            note=text,
            user_id=user.id,
        )
        if company:
            # sudo: mail.activity - whose request it is, is the system's to write
            requests.sudo().wab_company_id = company

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


class WhatsappBillingTemplate(models.Model):
    _inherit = "whatsapp.billing.template"

    def _still_says(self, pairs):
        """Tell of messages whether what they say of their document itself is so yet.

        Called with sudo, of messages with this template whose documents exist.

        :param pairs: list of (claimed row, document, recipient's id)
        :return: list of (claimed row, whether it is)
        """
        own = self.variable_ids.filtered(
            lambda v: (
                v.field_path
                and v.field_path != RECIPIENT_NAME
                and not self._is_of_lines(v.field_path)
            )
        )
        if not own or not pairs:
            return [(row, True) for row, _record, _partner_id in pairs]
        records = pairs[0][1].union(*(record for _row, record, _id in pairs))
        partners = self.env["res.partner"]
        recipients = defaultdict(partners.browse)
        for _row, record, partner_id in pairs:
            recipients[record.id] |= partners.browse(partner_id)
        now = {}
        for lang, found in self._group_by_lang(records, recipients).items():
            ids = {record_id for record_id, _partner in found}
            values = self._read_documents(records.browse(ids), lang, own)
            for record_id, partner in found:
                now[record_id, partner.id] = values[record_id]
        return [
            (row, self._says(row["content"], now[record.id, partner_id]))
            for row, record, partner_id in pairs
        ]

    def _says(self, content, values):
        """Tell whether a message's content has these values, {variable: text}."""
        given = {("header", 1): (content.get("header") or {}).get("param") or ""}
        for position, text in enumerate(content.get("body") or (), start=1):
            given["body", position] = text
        links = {
            index + 1: end
            for index, kind, end in content.get("buttons") or ()
            if kind == "url"
        }
        for place, variable in self._get_button_variables().items():
            if place in links:
                given[variable.component, variable.position] = links[place]
        return all(
            given[variable.component, variable.position] == parameters.clean(text or "")
            for variable, text in values.items()
            if (variable.component, variable.position) in given
        )

    def _facts_of(self, content):
        """Return what a message's content says of its document.

        Not how it calls its recipient: a contact that was renamed or merged is still
        told the truth.
        """
        self.ensure_one()
        header = (content.get("header") or {}).get("param") or ""
        body = list(content.get("body") or [])
        for variable in self.variable_ids:
            if variable.field_path != RECIPIENT_NAME:
                continue
            if variable.component == "header":
                header = ""
            elif variable.component == "body" and variable.position <= len(body):
                body[variable.position - 1] = ""
        # As JSON reads them from the database: lists instead of tuples.
        return json.loads(json.dumps([header, body, content.get("buttons") or []]))


def _digest(fingerprint):
    return fingerprint and hashlib.sha256(fingerprint.encode()).hexdigest()[:32]


def _is_reworded(row):
    """Tell whether the template says something else since it was filled in.

    Once that is approved and can be sent; until then the message waits for it.
    """
    filled_in = (row["content"] or {}).get("text_digest")
    return (
        bool(filled_in)
        and row["template_status"] == "approved"
        and not row["template_obstacle"]
        and filled_in != row["template_digest"]
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
