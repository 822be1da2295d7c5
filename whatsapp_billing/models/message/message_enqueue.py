# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Documents become messages, or reasons why not: `_enqueue`, `_decide`, `_row_values`.

For each document and recipient: template and number, texts, consent, then the decision
of `rules.eligibility`. The rows, their lines in the chatter and the credits that they
reserve are written below (`_create_rows`), for reminders and answers too: few by the
ORM, many by COPY (`common/sql_bulk.py`).
"""

import uuid
from collections import defaultdict
from contextlib import nullcontext

from markupsafe import Markup
from psycopg2 import errors

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL
from odoo.tools.mail import generate_tracking_message_id
from odoo.tools.misc import clean_context

from ... import const
from ...rules import eligibility, languages, markup, parameters, traces
from ...rules.consent import NO_STANDING, Standing
from ..common import call_arguments, sql_bulk
from ..common.send_request import PlannedMessage
from ..worker.transactions import RepeatTransaction

PRIORITIES = {"utility": 10, "authentication": 10, "marketing": 20}

# Company-dependent fields of a contact that deciding and naming the file read. Fetched
# together: reading one would prefetch all company-dependent fields.
PAGE_FIELDS = ("invoice_template_pdf_report_id", "wab_enabled", "wab_new_number")

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


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    # === BUSINESS METHODS - QUEUEING === #

    @api.model
    def _enqueue(self, records, recipients, document_types, send_request):
        """Make the messages of many documents at once, whatever becomes of each.

        Set-based: the number of queries does not depend on the number of documents.
        Nothing here talks to a provider or renders a PDF.

        :param records: documents of one model, readable by the user
        :param recipients: {record id: res.partner records}
        :param document_types: {record id: document type or False}
        :param send_request: a `SendRequest`
        :return: one dictionary per document and recipient, as `doc/api.md` says;
            several may name the same message
        :raise AccessError: when the user may not send
        """
        self._check_may_send(records)
        self._check_key(send_request.key)
        records = records.union()  # each once, however often a caller names it
        known, left = self._known_results(records, recipients, send_request)
        recipients = {**recipients, **left}
        fresh = records.filtered(lambda r: r.id not in known or left.get(r.id))
        all_planned = self._decide(fresh, recipients, document_types, send_request)
        messages = self._create_rows(all_planned, send_request)
        # Only these two of sixty columns are in the answer.
        messages.fetch(["state", "reason"])
        results = [
            self._result(one, message)
            for planned, message in zip(all_planned, messages, strict=True)
            for one in (planned, *planned.also_about)
        ]
        self._keep_results(messages, results, send_request)
        return [r for record in records for r in known.get(record.id, [])] + results

    @api.model
    def _decide(self, records, recipients, document_types, send_request, render=True):
        """Return planned messages with template, texts and decision; writes nothing.

        :param render: False to count without filling in texts; then nobody notices
            a text that does not fit its template
        """
        all_planned = self._targets(
            records.union(), recipients, document_types, send_request
        )
        self._choose_templates(all_planned, send_request)
        if render:
            self._render(all_planned)
        self._read_consents(all_planned, send_request)
        for planned in all_planned:
            planned.decision = eligibility.decide(self._facts(planned, send_request))
        return self._combine_by_customer(
            self._once_per_phone(all_planned), send_request, render
        )

    @api.model
    def _combine_by_customer(self, all_planned, send_request, render):
        """Return the planned messages, joined where one can speak for several.

        Overridden by reminders.
        """
        return all_planned

    @api.model
    def _preview(self, records, recipients, document_types, send_request):
        """Return what `_enqueue` would do, for dialogs; writes nothing.

        :return: one dictionary per document and recipient: `id`, `partner_id`,
            `partner_name`, `recipient`, `lang_code`, `template_id`, `account_id`,
            `phone_id`, `category`, `reason`, `detail`, `body`, `content`, `filename`
        """
        self._check_may_send(records)
        return [
            {
                "id": planned.record.id,
                "partner_id": planned.partner.id or False,
                "partner_name": planned.partner.display_name or "",
                "recipient": planned.partner.wab_recipient
                or planned.partner._wab_raw_number(),
                "lang_code": planned.template.lang_code or "",
                "template_id": planned.template.id or False,
                "account_id": planned.account.id if planned.account else False,
                "phone_id": planned.phone.id if planned.phone else False,
                "category": planned.template.category or False,
                "reason": planned.decision.reason or False,
                "detail": self._detail(planned, planned.decision.reason),
                "body": planned.rendered.get("text") or "",
                "content": self._content(planned),
                "filename": planned.record._wab_filename(),
            }
            for planned in self._decide(
                records, recipients, document_types, send_request
            )
        ]

    @api.model
    def _check_may_send(self, records):
        if not (self.env.su or self.env.user.has_group("whatsapp_billing.group_user")):
            raise AccessError(self.env._("You may not send WhatsApp messages."))
        records.check_access("read")

    @api.model
    def _check_key(self, key):
        return call_arguments.check_key(self.env, key)

    @api.model
    def _known_results(self, records, recipients, send_request):
        """Return what this key was used for, and who is new to it.

        Whoever the key was used for is its recipient still, whatever a repeat passes.
        Not where the document is another customer's by now: the key of what goes to
        them is another one.

        :return: {record id: results}, {record id: recipients who have none yet} of
            what has become another customer's
        """
        known, left = {}, {}
        if not send_request.key:
            return known, left
        # sudo: whatsapp.billing.message - the caller may read the documents
        used_sudo = self.sudo().search(
            [
                ("key", "=", send_request.key),
                ("method", "=", send_request.method),
                ("res_model", "=", records._name),
                ("res_id", "in", records.ids),
            ],
            order="id",
        )
        by_record = used_sudo.grouped("res_id")
        for record in records:
            company = self._company(record)
            mine = by_record.get(record.id, used_sudo.browse()).filtered(
                lambda message, c=company: message.company_id == c
            )
            theirs = mine.filtered(
                lambda message, r=record: message._is_for_customer_of(r)
            )
            if mine and not theirs:
                wanted = recipients.get(record.id) or record.env["res.partner"]
                theirs = mine.filtered(lambda m, w=wanted: m.partner_id in w)
                left[record.id] = wanted - theirs.partner_id.with_env(wanted.env)
            if theirs:
                known[record.id] = theirs.mapped("result")
        return known, left

    @api.model
    def _targets(self, records, recipients, document_types, send_request):
        """Plan a message per document and recipient; one without where nobody is left.

        A contact of another company is left out, also where a rule, a caller or the
        document names it: it may have become the other company's since.
        """
        empty = self.env["res.partner"]
        pairs = [(record, self._company(record)) for record in records]
        wanted = defaultdict(list)
        for record, company in pairs:
            wanted[company].append(recipients.get(record.id) or empty)
        allowed = {}
        for company, partners in wanted.items():
            named = empty.union(*partners)
            if not send_request.is_test:  # which goes to the user who tries it out
                named = named._wab_of_company(company)
            allowed[company.id] = set(named.ids)
        all_planned = []
        for record, company in pairs:
            partners = [
                partner
                for partner in recipients.get(record.id) or ()
                if partner.id in allowed[company.id]
            ]
            all_planned += [
                PlannedMessage(record, partner, company, document_types[record.id])
                for partner in partners or [empty]
            ]
        return all_planned

    @api.model
    def _once_per_phone(self, all_planned):
        """Return the planned messages, one that goes per document and phone.

        Two contacts may have one number. It goes by the first who may get it; those
        who may not keep their own reason.
        """
        seen, kept = set(), []
        for planned in all_planned:
            key = planned.will_be_queued and planned.partner.wab_person_key
            if key and (planned.record.id, key) in seen:
                continue
            seen.add((planned.record.id, key))
            kept.append(planned)
        return kept

    @api.model
    def _company(self, record):
        """Return the company that a message about a record is from.

        The record's own; for what companies share the one that is worked in.
        """
        if hasattr(record, "_wab_companies"):
            return record._wab_companies()
        company = record.company_id if "company_id" in record._fields else False
        return company or self.env.company

    # --- template and number ------------------------------------------------

    @api.model
    def _choose_templates(self, all_planned, send_request):
        """Give each planned message its template, account and sender number."""
        cache = {}
        # sudo: whatsapp.billing.account - which one sends is not the clerk's
        accounts = {
            c: c.sudo().wab_account_id for c in {t.company for t in all_planned}
        }
        for planned in all_planned:
            company, lang = planned.company, planned.partner.lang or ""
            wanted = (
                "payment_reminder"
                if send_request.is_reminder
                else planned.document_type
            )
            is_vendor = bool(
                send_request.is_note
                and planned.partner
                and planned.partner._wab_is_only_vendor()
            )
            name = (company.id, wanted, lang, is_vendor)
            if name not in cache:
                langs = languages.candidates(lang, company.partner_id.lang or "")
                chosen = self._choose_template(
                    accounts[company], company, wanted, langs, is_vendor, send_request
                )
                _template, account, phone, _audience = chosen
                cache[name] = (*chosen, self._account_state(account, phone))
            (
                planned.template,
                planned.account,
                planned.phone,
                planned.audience,
                planned.account_state,
            ) = cache[name]

    @api.model
    def _choose_template(
        self, account, company, document_type, langs, is_vendor, send_request
    ):
        # sudo: whatsapp.billing.template - a clerk sends what a manager wrote
        templates_sudo = self.env["whatsapp.billing.template"].sudo()
        phones_sudo = self.env["whatsapp.billing.phone"].sudo()
        if send_request.template:
            template = templates_sudo._resolve(send_request.template, company)
        else:
            template = templates_sudo._find_default(account, document_type, list(langs))
        account = template.account_id or account
        phone = phones_sudo
        types = {document_type, template.document_type}
        audience = "vendor" if is_vendor or types & const.VENDOR_TYPES else "customer"
        if account:
            phone = phones_sudo._get_route(
                company, audience, template.category or "utility"
            )
            if phone.account_id != account:
                phone = account.phone_ids.filtered("is_usable")[:1]
        return template, account, phone, audience

    @api.model
    def _render(self, all_planned):
        """Fill in the texts of all planned messages, template by template."""
        by_template = defaultdict(list)
        for planned in all_planned:
            if planned.template and planned.partner:
                by_template[planned.template].append(planned)
        for template, group in by_template.items():
            recipients = defaultdict(lambda: self.env["res.partner"])
            for planned in group:
                recipients[planned.record.id] |= planned.partner
            records = group[0].record.browse(list(recipients))
            rendered = template._render_values(records, recipients)
            for planned in group:
                planned.rendered = rendered[planned.record.id, planned.partner.id]

    # --- may it go -----------------------------------------------------------

    @api.model
    def _read_consents(self, all_planned, send_request):
        """Read what each contact said to the company, and what stands on its page."""
        # sudo: whatsapp.billing.consent - read for whoever may send
        consents_sudo = self.env["whatsapp.billing.consent"].sudo()
        by_company = defaultdict(list)
        for planned in all_planned:
            by_company[planned.company].append(planned)
        for company, mine in by_company.items():
            partners = self.env["res.partner"].union(*(t.partner for t in mine))
            purposes = {planned.get_purpose(send_request) for planned in mine}
            states = consents_sudo._states(partners, sorted(purposes), company)
            # sudo: res.partner - the switch, and whether the number is still theirs
            partners_sudo = partners.sudo().with_company(company)
            partners_sudo.fetch(PAGE_FIELDS)
            pages_sudo = {p.id: p for p in partners_sudo}
            for planned in mine:
                partner_id = planned.partner.id
                name = (partner_id, planned.get_purpose(send_request))
                planned.consent = states.get(name, NO_STANDING)
                if partner_id in pages_sudo:
                    page_sudo = pages_sudo[partner_id]
                    planned.is_contact_on = page_sudo.wab_enabled
                    planned.is_number_changed = bool(page_sudo.wab_new_number)

    @api.model
    def _facts(self, planned, send_request):
        partner, template = planned.partner, planned.template
        number = planned.number
        document_type = self._document_type(planned, send_request)
        by_contract = planned.company.wab_consent_by_contract and bool(number)
        consent = planned.consent.state
        if consent == "withdrawn" and planned.consent.kind == "switch":
            # The withdrawal is a user's switch, not the customer's word: it is no
            # opt-out.
            consent = "none"
        if consent == "none" and (
            by_contract or send_request.is_test or send_request.is_answer
        ):
            consent = "by_contract"
        return eligibility.Facts(
            purpose=planned.get_purpose(send_request),
            document_type=planned.document_type,
            expected_document_type=None
            if send_request.is_note
            else template.document_type or None,
            is_reminder=send_request.is_reminder,
            kind_off=not send_request.is_test
            and not send_request.is_note
            and planned.company._wab_is_kind_off(document_type),
            explicit=send_request.explicit,
            enabled=send_request.is_test
            or self._is_enabled(planned, send_request, by_contract),
            consent=consent,
            number=number,
            number_problem=None
            if number
            else ("invalid_number" if partner._wab_raw_number() else "no_number"),
            number_changed=planned.is_number_changed,
            template_found=bool(template) or send_request.is_answer,
            template_status="approved"
            if send_request.is_answer
            else template.status or "",
            template_obstacle=template._get_obstacle(planned.record, document_type)
            if template
            else None,
            parameter_problem=planned.rendered.get("problem") or None,
            file_size=planned.record._wab_file_size()
            if self._has_document(template)
            else None,
            account_state=planned.account_state,
            recipient_active=bool(not partner or partner.active),
            **self._document_facts(planned.record, send_request),
        )

    @api.model
    def _document_facts(self, record, send_request):
        """Return what the rules should know of the document itself."""
        if send_request.is_note:
            return {}
        facts = record._wab_document_facts()
        if send_request.is_reminder and not send_request.by_plan:
            facts |= record._wab_hold_facts()
        return facts

    @api.model
    def _is_enabled(self, planned, send_request, by_contract):
        """Tell whether the channel is on; a contract never overrides an off.

        The document's own switch goes first, but a document that is on does not
        switch a contact on that somebody switched off. Who writes gets an answer,
        whatever is set on the document, until somebody switches the contact off.
        """
        flag = send_request.is_answer or planned.record._wab_send_override_flag()
        standing = planned.consent
        if flag is False or (
            standing.state == "withdrawn" and standing.kind == "switch"
        ):
            return False
        return bool(flag or by_contract or planned.is_contact_on)

    @api.model
    def _account_state(self, account, phone):
        """Return what `eligibility.Facts.account_state` says of account and number."""
        if not account or not phone:
            return "inactive"
        return account.state if account._is_bound() else "inactive"

    # --- what it says ----------------------------------------------------------

    @api.model
    def _consent_by_contract(self, all_planned, send_request):
        """Write the consent row that quotes the setting, at the first message."""
        todo = [
            planned
            for planned in all_planned
            if planned.consent.state == "none"
            and not send_request.is_test
            and planned.company.wab_consent_by_contract
            and not (planned.decision.reason and planned.decision.reason != "no_credit")
        ]
        for company in {planned.company for planned in todo}:
            mine = [planned for planned in todo if planned.company == company]
            partners = self.env["res.partner"].union(*(t.partner for t in mine))
            rows = self.env["whatsapp.billing.consent"]._record(
                partners,
                [send_request.purpose],
                True,
                "contract",
                company.wab_consent_text or self.env._("Consent in our contracts"),
                company_id=company.id,
            )
            by_partner = {row.partner_id: row.id for row in rows}
            for planned in mine:
                planned.consent = Standing(
                    "granted", by_partner.get(planned.partner, 0), "contract"
                )

    @api.model
    def _row_values(self, planned, send_request):
        """Return the columns of a message's row: the same for whoever writes it.

        Every one that does not stay empty, also what the ORM would fill in by itself;
        None for NULL. Those of messages that are created together are the same.
        """
        record, template = planned.record, planned.template
        reason = planned.decision.reason
        state = "queued" if not reason else "canceled"
        if reason and planned.will_be_queued:
            state = "held"
        file = record._wab_attachment() if self._has_document(template) else False
        content = self._content(planned)
        if content:
            content["follows_document"] = send_request.follows_document
        values = {
            "direction": "out",
            "uuid": str(uuid.uuid4()),
            "state": state,
            "reason": reason,
            "trace_data": traces.pack(planned.decision.trace),
            "company_id": planned.company.id,
            "account_id": planned.account.id if planned.account else None,
            "phone_id": planned.phone.id if planned.phone else None,
            "partner_id": planned.partner.id,
            "recipient": planned.number or planned.partner._wab_raw_number(),
            "purpose": planned.get_purpose(send_request),
            "audience": planned.audience,
            "method": send_request.method,
            "key": send_request.key or False,
            "user_id": self.env.uid,
            "template_id": template.id if template else False,
            "template_name": template.template_name,
            "lang_code": template.lang_code,
            "category": template.category,
            "document_type": self._document_type(planned, send_request),
            "body": planned.rendered.get("text"),
            "content": content,
            "document_state": self._document_state(template, file),
            "attachment_id": file.id if file else False,
            "filename": record._wab_filename()
            if self._has_document(template)
            else False,
            "res_model": record._name,
            "res_id": record.id,
            "document_name": record._wab_document_name(),
            "document_partner_id": record._wab_document_partner().id,
            "priority": 0
            if send_request.is_test
            else PRIORITIES.get(template.category, 10),
            "consent_id": planned.consent.consent_id or False,
            "queued_at": fields.Datetime.now(),
            "attempts": 0,
            "next_attempt_at": None,
            "mail_message_id": None,
            **planned.more,
        }
        if values["next_attempt_at"] and state == "queued":
            values |= {"state": "held", "reason": "quiet_hours"}
        values["person_key"] = self._person_key_of(planned, values["recipient"])
        return {name: None if v is False else v for name, v in values.items()}

    @api.model
    def _person_key_of(self, planned, recipient):
        """Return the key of a recipient; a contact has that of its number already."""
        if recipient == planned.partner.wab_recipient:
            return planned.partner.wab_person_key
        return self._get_person_key(recipient)

    @api.model
    def _document_type(self, planned, send_request):
        """Return what kind of document a message is stored as."""
        if send_request.is_reminder:
            return "payment_reminder"
        template = planned.template
        return planned.document_type or (template and template.document_type)

    @api.model
    def _has_document(self, template):
        return bool(template) and template.header_type == "document"

    @api.model
    def _document_state(self, template, file):
        if not self._has_document(template):
            return "none"
        return "ready" if file else "pending"

    @api.model
    def _content(self, planned):
        template, rendered = planned.template, planned.rendered
        if not template:
            return False
        header = {"kind": template.header_type or "none"}
        if template.header_type == "text":
            value = rendered.get("header")
            text = template.header_text or ""
            filled = parameters.fill(text, [value]) if value else text
            header["text"] = parameters.without_keys(filled)
            header["param"] = value or ""
        # False instead of None: XML-RPC cannot carry a null.
        return {
            "header": header if header["kind"] != "none" else False,
            "body": rendered.get("body") or [],
            "buttons": rendered.get("buttons") or [],
            "button_labels": template.button_ids.mapped("text"),
            "footer": template.footer or "",
            "snapshot": planned.snapshot or False,
            "says_more": planned.says_more,
            "text_digest": template.text_digest or False,
        }

    def _is_for_customer_of(self, document):
        """Tell whether a message was about this document of the customer it has now."""
        self.ensure_one()
        # sudo: res.partner - only who belongs to whom
        now = document._wab_document_partner().sudo().commercial_partner_id
        then = self.document_partner_id
        return not now or now in then | then.commercial_partner_id

    # --- answers ----------------------------------------------------------------

    @api.model
    def _result(self, planned, message):
        return {
            "id": planned.record.id,
            "partner_id": planned.partner.id or False,
            "message_id": message.id,
            "state": message.state,
            "reason": message.reason or False,
            "detail": self._detail(planned, message.reason),
        }

    @api.model
    def _detail(self, planned, reason):
        """Return why not in the caller's language, or False."""
        if not reason:
            return False
        if reason == "bad_parameter" and planned.rendered.get("problem"):
            return planned.rendered["problem"]
        if reason == "not_enabled":
            return self._not_enabled_detail(planned)
        if reason == "template_unsupported":
            return planned.decision.trace[-1]["value"]
        return self._sentence(eligibility.describe(reason))

    @api.model
    def _not_enabled_detail(self, planned):
        """Name whose switch is off: not always the contact on the document."""
        if planned.record._wab_send_override_flag() is False:
            return self.env._(
                "WhatsApp is switched off for this document. Switch it on, on its page"
                " WhatsApp, if the customer agreed to be written to."
            )
        return self.env._(
            "WhatsApp is switched off for %(name)s. Switch it on there if they agreed"
            " to be written to.",
            name=planned.partner.display_name or "",
        )

    @api.model
    def _keep_results(self, messages, results, send_request):
        if send_request.key:
            for message, result in zip(messages, results, strict=True):
                message.result = result

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
