# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import uuid
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ... import const
from ...rules import eligibility, languages, parameters, traces
from ...rules.consent import NO_STANDING, Standing
from ..common import call_arguments
from ..common.send_request import Target

PRIORITIES = {"utility": 10, "authentication": 10, "marketing": 20}

# What is asked of each contact in a company, by now or for the name of an invoice's
# file. Read together: one by itself would bring all that differ between companies.
PAGE_FIELDS = ("invoice_template_pdf_report_id", "wab_enabled", "wab_new_number")


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    # === BUSINESS METHODS - QUEUEING === #

    @api.model
    def _enqueue(self, records, recipients, document_types, order):
        """Make the messages of many documents at once, whatever becomes of each.

        Set-based: the number of queries does not depend on the number of documents.
        Nothing here talks to a provider or renders a PDF.

        :param records: documents of one model, readable by the user
        :param recipients: {record id: res.partner records}
        :param document_types: {record id: document type or False}
        :param order: an `Order`
        :return: one dictionary per document and recipient, as `doc/api.md` says;
            several may name the same message
        :raise AccessError: when the user may not send
        """
        self._check_may_send(records)
        self._check_key(order.key)
        records = records.union()  # each once, however often a caller names it
        known, left = self._known_results(records, recipients, order)
        recipients = {**recipients, **left}
        fresh = records.filtered(lambda r: r.id not in known or left.get(r.id))
        targets = self._decide(fresh, recipients, document_types, order)
        messages = self._create_rows(targets, order)
        # A message has sixty columns; these are all that the answer names.
        messages.fetch(["state", "reason"])
        results = [
            self._result(one, message)
            for target, message in zip(targets, messages, strict=True)
            for one in (target, *target.covered)
        ]
        self._keep_results(messages, results, order)
        return [r for record in records for r in known.get(record.id, [])] + results

    @api.model
    def _decide(self, records, recipients, document_types, order, render=True):
        """Return the targets with template, parameters and decision; writes nothing.

        :param render: False to count without filling in texts; then nobody notices
            a text that does not fit its template
        """
        targets = self._targets(records.union(), recipients, document_types, order)
        self._choose_templates(targets, order)
        if render:
            self._render(targets)
        self._read_consents(targets, order)
        for target in targets:
            target.decision = eligibility.decide(self._facts(target, order))
        return self._merge(self._once_per_phone(targets), order, render)

    @api.model
    def _merge(self, targets, order, render):
        """Return the targets, with those together that one message can speak for.

        Overridden by reminders.
        """
        return targets

    @api.model
    def _preview(self, records, recipients, document_types, order):
        """Return what `_enqueue` would do, for dialogs; writes nothing.

        :return: one dictionary per document and recipient: `id`, `partner_id`,
            `partner_name`, `recipient`, `lang_code`, `template_id`, `account_id`,
            `phone_id`, `category`, `reason`, `detail`, `body`, `content`, `filename`
        """
        self._check_may_send(records)
        return [
            {
                "id": target.record.id,
                "partner_id": target.partner.id or False,
                "partner_name": target.partner.display_name or "",
                "recipient": target.partner.wab_e164
                or target.partner._wab_raw_number(),
                "lang_code": target.template.lang_code or "",
                "template_id": target.template.id or False,
                "account_id": target.account.id if target.account else False,
                "phone_id": target.phone.id if target.phone else False,
                "category": target.template.category or False,
                "reason": target.decision.reason or False,
                "detail": self._detail(target, target.decision.reason),
                "body": target.rendered.get("text") or "",
                "content": self._content(target),
                "filename": target.record._wab_filename(),
            }
            for target in self._decide(records, recipients, document_types, order)
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
    def _known_results(self, records, recipients, order):
        """Return what this key was used for, and who is new to it.

        Whoever the key was used for is its recipient still, whatever a repeat passes.
        Not where the document is another customer's by now: the key of what goes to
        them is another one.

        :return: {record id: results}, {record id: recipients who have none yet} of
            what has become another customer's
        """
        known, left = {}, {}
        if not order.key:
            return known, left
        # sudo: whatsapp.billing.message - the caller may read the documents
        used_sudo = self.sudo().search(
            [
                ("key", "=", order.key),
                ("method", "=", order.method),
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
    def _targets(self, records, recipients, document_types, order):
        """Return a target per document and recipient, without another company's.

        Whoever named them: a rule, a caller, or somebody before the contact became
        the other company's.
        """
        empty = self.env["res.partner"]
        pairs = [(record, self._company(record)) for record in records]
        wanted = defaultdict(list)
        for record, company in pairs:
            wanted[company].append(recipients.get(record.id) or empty)
        allowed = {}
        for company, partners in wanted.items():
            named = empty.union(*partners)
            if not order.is_test:  # which goes to the user who tries it out
                named = named._wab_of_company(company)
            allowed[company.id] = set(named.ids)
        targets = []
        for record, company in pairs:
            partners = [
                partner
                for partner in recipients.get(record.id) or ()
                if partner.id in allowed[company.id]
            ]
            targets += [
                Target(record, partner, company, document_types[record.id])
                for partner in partners or [empty]
            ]
        return targets

    @api.model
    def _once_per_phone(self, targets):
        """Return the targets, with one that goes per document and phone.

        Two contacts may have one number. It goes by the first who may get it; those
        who may not keep their own reason.
        """
        seen, kept = set(), []
        for target in targets:
            key = target.may_go and target.partner.wab_person_key
            if key and (target.record.id, key) in seen:
                continue
            seen.add((target.record.id, key))
            kept.append(target)
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
    def _choose_templates(self, targets, order):
        """Give each target its template, account and sender number."""
        cache = {}
        # sudo: whatsapp.billing.account - which one sends is not the clerk's
        accounts = {c: c.sudo().wab_account_id for c in {t.company for t in targets}}
        for target in targets:
            company, lang = target.company, target.partner.lang or ""
            wanted = "payment_reminder" if order.is_reminder else target.document_type
            is_vendor = bool(
                order.is_note
                and target.partner
                and target.partner._wab_is_only_vendor()
            )
            name = (company.id, wanted, lang, is_vendor)
            if name not in cache:
                langs = languages.candidates(lang, company.partner_id.lang or "")
                chosen = self._choose_template(
                    accounts[company], company, wanted, langs, is_vendor, order
                )
                _template, account, phone, _audience = chosen
                cache[name] = (*chosen, self._account_state(account, phone))
            (
                target.template,
                target.account,
                target.phone,
                target.audience,
                target.account_state,
            ) = cache[name]

    @api.model
    def _choose_template(
        self, account, company, document_type, langs, is_vendor, order
    ):
        # sudo: whatsapp.billing.template - a clerk sends what a manager wrote
        templates_sudo = self.env["whatsapp.billing.template"].sudo()
        phones_sudo = self.env["whatsapp.billing.phone"].sudo()
        if order.template:
            template = templates_sudo._resolve(order.template, company)
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
    def _render(self, targets):
        """Fill in every target's parameters, template by template."""
        by_template = defaultdict(list)
        for target in targets:
            if target.template and target.partner:
                by_template[target.template].append(target)
        for template, group in by_template.items():
            recipients = defaultdict(lambda: self.env["res.partner"])
            for target in group:
                recipients[target.record.id] |= target.partner
            records = group[0].record.browse(list(recipients))
            rendered = template._render_values(records, recipients)
            for target in group:
                target.rendered = rendered[target.record.id, target.partner.id]

    # --- may it go -----------------------------------------------------------

    @api.model
    def _read_consents(self, targets, order):
        """Read what each contact said to the company, and what stands on its page."""
        # sudo: whatsapp.billing.consent - read for whoever may send
        consents_sudo = self.env["whatsapp.billing.consent"].sudo()
        by_company = defaultdict(list)
        for target in targets:
            by_company[target.company].append(target)
        for company, mine in by_company.items():
            partners = self.env["res.partner"].union(*(t.partner for t in mine))
            purposes = {target.get_purpose(order) for target in mine}
            states = consents_sudo._states(partners, sorted(purposes), company)
            # sudo: res.partner - the switch, and whether the number is still theirs
            partners_sudo = partners.sudo().with_company(company)
            partners_sudo.fetch(PAGE_FIELDS)
            pages_sudo = {p.id: p for p in partners_sudo}
            for target in mine:
                partner_id = target.partner.id
                name = (partner_id, target.get_purpose(order))
                target.consent = states.get(name, NO_STANDING)
                if partner_id in pages_sudo:
                    page_sudo = pages_sudo[partner_id]
                    target.is_contact_on = page_sudo.wab_enabled
                    target.is_number_changed = bool(page_sudo.wab_new_number)

    @api.model
    def _facts(self, target, order):
        partner, template = target.partner, target.template
        number = target.number
        document_type = self._document_type(target, order)
        by_contract = target.company.wab_consent_by_contract and bool(number)
        consent = target.consent.state
        if consent == "withdrawn" and target.consent.kind == "switch":
            # Nobody asked us to stop: somebody here switched it off.
            consent = "none"
        if consent == "none" and (by_contract or order.is_test or order.is_answer):
            consent = "by_contract"
        return eligibility.Facts(
            purpose=target.get_purpose(order),
            document_type=target.document_type,
            expected_document_type=None
            if order.is_note
            else template.document_type or None,
            is_reminder=order.is_reminder,
            kind_off=not order.is_test
            and not order.is_note
            and target.company._wab_is_kind_off(document_type),
            explicit=order.explicit,
            enabled=order.is_test or self._is_enabled(target, order, by_contract),
            consent=consent,
            number=number,
            number_problem=None
            if number
            else ("invalid_number" if partner._wab_raw_number() else "no_number"),
            number_changed=target.is_number_changed,
            template_found=bool(template) or order.is_answer,
            template_status="approved" if order.is_answer else template.status or "",
            template_obstacle=template._get_obstacle(target.record, document_type)
            if template
            else None,
            parameter_problem=target.rendered.get("problem") or None,
            file_size=target.record._wab_file_size()
            if self._has_document(template)
            else None,
            account_state=target.account_state,
            recipient_active=bool(not partner or partner.active),
            **self._document_facts(target.record, order),
        )

    @api.model
    def _document_facts(self, record, order):
        """Return what the rules should know of the document itself."""
        if order.is_note:
            return {}
        facts = record._wab_document_facts()
        if order.is_reminder and not order.by_plan:
            facts |= record._wab_hold_facts()
        return facts

    @api.model
    def _is_enabled(self, target, order, by_contract):
        """Tell whether the channel is on; a contract never overrides an off.

        The document's own switch goes first, but a document that is on does not
        switch a contact on that somebody switched off. Who writes gets an answer,
        whatever is set on the document, until somebody switches the contact off.
        """
        flag = order.is_answer or target.record._wab_channel_flag()
        standing = target.consent
        if flag is False or (
            standing.state == "withdrawn" and standing.kind == "switch"
        ):
            return False
        return bool(flag or by_contract or target.is_contact_on)

    @api.model
    def _account_state(self, account, phone):
        """Return what `eligibility.Facts.account_state` says of account and number."""
        if not account or not phone:
            return "inactive"
        state = "connected" if account.state == "pending" else account.state
        return state if account._is_bound() else "inactive"

    # --- what it says ----------------------------------------------------------

    @api.model
    def _consent_by_contract(self, targets, order):
        """Write the consent row that quotes the setting, at the first message."""
        todo = [
            target
            for target in targets
            if target.consent.state == "none"
            and not order.is_test
            and target.company.wab_consent_by_contract
            and not (target.decision.reason and target.decision.reason != "no_credit")
        ]
        for company in {target.company for target in todo}:
            mine = [target for target in todo if target.company == company]
            partners = self.env["res.partner"].union(*(t.partner for t in mine))
            rows = self.env["whatsapp.billing.consent"]._record(
                partners,
                [order.purpose],
                True,
                "contract",
                company.wab_consent_text or self.env._("Consent in our contracts"),
                company_id=company.id,
            )
            by_partner = {row.partner_id: row.id for row in rows}
            for target in mine:
                target.consent = Standing(
                    "granted", by_partner.get(target.partner, 0), "contract"
                )

    @api.model
    def _row_values(self, target, order):
        """Return the columns of a message's row: the same for whoever writes it.

        Every one that does not stay empty, also what the ORM would fill in by itself;
        None for NULL. Those of messages that are created together are the same.
        """
        record, template = target.record, target.template
        reason = target.decision.reason
        state = "queued" if not reason else "canceled"
        if reason and target.may_go:
            state = "held"
        file = record._wab_attachment() if self._has_document(template) else False
        content = self._content(target)
        if content:
            content["follows_document"] = order.follows_document
        values = {
            "direction": "out",
            "uuid": str(uuid.uuid4()),
            "state": state,
            "reason": reason,
            "trace_data": traces.pack(target.decision.trace),
            "company_id": target.company.id,
            "account_id": target.account.id if target.account else None,
            "phone_id": target.phone.id if target.phone else None,
            "partner_id": target.partner.id,
            "recipient": target.number or target.partner._wab_raw_number(),
            "purpose": target.get_purpose(order),
            "audience": target.audience,
            "method": order.method,
            "key": order.key or False,
            "user_id": self.env.uid,
            "template_id": template.id if template else False,
            "template_name": template.template_name,
            "lang_code": template.lang_code,
            "category": template.category,
            "document_type": self._document_type(target, order),
            "body": target.rendered.get("text"),
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
            "priority": 0 if order.is_test else PRIORITIES.get(template.category, 10),
            "consent_id": target.consent.consent_id or False,
            "queued_at": fields.Datetime.now(),
            "attempts": 0,
            "next_attempt_at": None,
            "mail_message_id": None,
            **target.more,
        }
        if values["next_attempt_at"] and state == "queued":
            values |= {"state": "held", "reason": "quiet_hours"}
        values["person_key"] = self._person_key_of(target, values["recipient"])
        return {name: None if v is False else v for name, v in values.items()}

    @api.model
    def _person_key_of(self, target, recipient):
        """Return the key of a recipient; a contact has that of its number already."""
        if recipient == target.partner.wab_e164:
            return target.partner.wab_person_key
        return self._get_person_key(recipient)

    @api.model
    def _document_type(self, target, order):
        """Return what kind of document a message is stored as."""
        if order.is_reminder:
            return "payment_reminder"
        template = target.template
        return target.document_type or (template and template.document_type)

    @api.model
    def _has_document(self, template):
        return bool(template) and template.header_type == "document"

    @api.model
    def _document_state(self, template, file):
        if not self._has_document(template):
            return "none"
        return "ready" if file else "pending"

    @api.model
    def _content(self, target):
        template, rendered = target.template, target.rendered
        if not template:
            return False
        header = {"kind": template.header_type or "none"}
        if template.header_type == "text":
            value = rendered.get("header")
            text = template.header_text or ""
            filled = parameters.fill(text, [value]) if value else text
            header["text"] = parameters.without_keys(filled)
            header["param"] = value or ""
        # False and no null, which XML-RPC cannot carry.
        return {
            "header": header if header["kind"] != "none" else False,
            "body": rendered.get("body") or [],
            "buttons": rendered.get("buttons") or [],
            "button_labels": template.button_ids.mapped("text"),
            "footer": template.footer or "",
            "snapshot": target.snapshot or False,
            "says_more": target.says_more,
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
    def _result(self, target, message):
        return {
            "id": target.record.id,
            "partner_id": target.partner.id or False,
            "message_id": message.id,
            "state": message.state,
            "reason": message.reason or False,
            "detail": self._detail(target, message.reason),
        }

    @api.model
    def _detail(self, target, reason):
        """Return why not in the caller's language, or False."""
        if not reason:
            return False
        if reason == "bad_parameter" and target.rendered.get("problem"):
            return target.rendered["problem"]
        if reason == "not_enabled":
            return self._not_enabled_detail(target)
        if reason == "template_unsupported":
            return target.decision.trace[-1]["value"]
        return self._sentence(eligibility.describe(reason))

    @api.model
    def _not_enabled_detail(self, target):
        """Name whose switch is off: not always the contact on the document."""
        if target.record._wab_channel_flag() is False:
            return self.env._(
                "WhatsApp is switched off for this document. Switch it on, on its page"
                " WhatsApp, if the customer agreed to be written to."
            )
        return self.env._(
            "WhatsApp is switched off for %(name)s. Switch it on there if they agreed"
            " to be written to.",
            name=target.partner.display_name or "",
        )

    @api.model
    def _keep_results(self, messages, results, order):
        if order.key:
            for message, result in zip(messages, results, strict=True):
                message.result = result
