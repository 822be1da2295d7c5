# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Contacts: their number, the switch, consent, and who gets what is theirs."""

import threading
from collections import defaultdict
from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.http import request
from odoo.tools import SQL
from odoo.tools.misc import format_date

from ...const import PURPOSES
from ...rules import eligibility, numbers
from ...rules.consent import NO_STANDING
from ..common import call_arguments
from ..common.overrides import has_methods_of
from ..document.base import Contact, Look

MAX_EVIDENCE = 2000
MAX_SAID_NAME = 80
ENABLED_PURPOSES = ["billing", "collections"]
RPC_PATHS = ("/json/2/", "/xmlrpc/", "/jsonrpc")
MERGE = "wab_is_merge"


class Merge:
    """Stands in the context of our own code while contacts are merged.

    Over the wire come plain values: nobody ticks the switch unrecorded that way.
    """


# The SQL in `document_look.py` answers like these methods; a model that overrides one
# is asked by method instead.
PLAIN_RECIPIENT_METHODS = (
    "_wab_default_recipients",
    "_wab_is_own_recipient",
    "_wab_of_company",
    "_wab_raw_number",
)


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = [
        "res.partner",
        "whatsapp.billing.document.mixin",
        "whatsapp.billing.system.fields.mixin",
    ]

    # Computed, or reported by WhatsApp. A value by hand would send bills to a number
    # that no form shows.
    _system_fields = frozenset({"wab_recipient", "wab_person_key", "wab_new_number"})

    invoice_sending_method = fields.Selection(
        selection_add=[("whatsapp_billing", "by WhatsApp")]
    )
    wab_enabled = fields.Boolean(
        string="WhatsApp",
        copy=False,
        company_dependent=True,
        help="Bills and reminders go to this contact on WhatsApp. Switching it on "
        "records the consent that you have from them.",
    )
    wab_number = fields.Char(
        string="WhatsApp Number", help="With country code. Empty: the phone number."
    )
    wab_recipient = fields.Char(
        string="WhatsApp Address",
        compute="_compute_wab_recipient",
        store=True,
        index="btree_not_null",
    )
    wab_person_key = fields.Char(
        string="WhatsApp Subscriber",
        compute="_compute_wab_recipient",
        store=True,
        index="btree_not_null",
        help="One for every spelling of the same number; for comparing only.",
    )
    wab_number_problem = fields.Char(compute="_compute_wab_number_problem")
    wab_opt_in_state = fields.Json(
        compute="_compute_wab_opt_in_state",
        string="Consent",
        groups="whatsapp_billing.group_user",
        help="Per purpose: granted, withdrawn or none.",
    )
    wab_opted_out = fields.Boolean(
        compute="_compute_wab_opt_in_state",
        search="_search_wab_opted_out",
        string="Opted Out",
        groups="whatsapp_billing.group_user",
    )
    wab_said_stop = fields.Boolean(
        compute="_compute_wab_opt_in_state",
        string="Asked for No More Messages",
        groups="whatsapp_billing.group_user",
        help="They said so themselves, or somebody wrote down that they did; not only"
        " the switch.",
    )
    wab_is_default_recipient = fields.Boolean(
        string="Receives Invoices on WhatsApp",
        help="Documents of the company go to this contact person.",
    )
    wab_consent_ids = fields.One2many(
        "whatsapp.billing.consent",
        "partner_id",
        string="Consent History",
        groups="whatsapp_billing.group_user",
    )
    wab_partner_message_ids = fields.One2many(
        "whatsapp.billing.message",
        "partner_id",
        string="Messages With This Contact",
        groups="whatsapp_billing.group_user",
    )

    # === COMPUTE METHODS === #

    @api.depends("wab_number", "phone", "country_id")
    def _compute_wab_recipient(self):
        for partner in self:
            try:
                number = numbers.normalise(
                    partner._wab_raw_number(), partner.country_id.code or None
                )
            except numbers.InvalidNumber:
                number = ""
            partner.wab_recipient = number or False
            partner.wab_person_key = numbers.person_key(number) or False

    @api.depends("wab_recipient")
    def _compute_wab_number_problem(self):
        for partner in self:
            if partner.wab_recipient or not partner._wab_raw_number():
                partner.wab_number_problem = False
            elif not partner.country_id:
                partner.wab_number_problem = self.env._(
                    "Start the number with + and the country code, or set the country."
                )
            else:
                partner.wab_number_problem = self.env._(
                    "This is not a valid number in %(country)s.",
                    country=partner.country_id.name,
                )

    @api.depends("wab_consent_ids", "wab_recipient")
    @api.depends_context("company")
    def _compute_wab_opt_in_state(self):
        # sudo: whatsapp.billing.consent - the state of a contact that the user sees
        states = self.env["whatsapp.billing.consent"].sudo()._states(self._origin)
        purposes = [purpose for purpose, _label in PURPOSES]
        for partner in self:
            standings = {
                purpose: states.get((partner._origin.id, purpose), NO_STANDING)
                for purpose in purposes
            }
            mine = {purpose: found.state for purpose, found in standings.items()}
            partner.wab_opt_in_state = mine
            partner.wab_said_stop = (
                mine["billing"] == "withdrawn" and standings["billing"].kind == "said"
            )
            partner.wab_opted_out = mine["billing"] == "withdrawn"

    def _search_wab_opted_out(self, operator, value):
        self._check_field_access(self._fields["wab_opted_out"], "read")
        if operator != "in":
            return NotImplemented
        # sudo: whatsapp.billing.consent - the state of contacts that the user searches
        consents_sudo = self.env["whatsapp.billing.consent"].sudo()
        partners = consents_sudo._find_withdrawn(self.env.company)
        states = consents_sudo._states(partners, ["billing"])
        domain = Domain(
            "id",
            "in",
            [p.id for p in partners if states[p.id, "billing"].state == "withdrawn"],
        )
        return domain if True in value else ~domain

    # === CONSTRAINT METHODS === #

    @api.constrains("wab_enabled", "wab_number", "phone", "supplier_rank")
    def _check_wab_vendor_number(self):
        """A vendor's number, and their people's, is international with `+`."""
        for partner in self.filtered("wab_enabled"):
            raw = partner._wab_raw_number()
            if partner._wab_is_only_vendor() and not raw.startswith("+"):
                raise ValidationError(
                    self.env._(
                        "The WhatsApp number of the vendor %(name)s must start with "
                        "+ and its country code.",
                        name=partner.display_name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        partners = super().create(vals_list)
        partners.filtered("wab_enabled")._wab_record_switch(True)
        return partners

    def write(self, vals):
        if self._wab_is_merged():
            # Core's merge writes every field of the merged contacts; ours that no user
            # may write are moved by `wizard/base_partner_merge.py`.
            vals = {
                n: value for n, value in vals.items() if n not in self._system_fields
            }
        if "wab_enabled" not in vals:
            numberless = self.browse()
            if not vals.keys().isdisjoint(("wab_number", "phone", "country_id")):
                numberless = self.filtered(
                    lambda p: p.wab_enabled and not p.wab_recipient
                )
            result = super().write(vals)
            # WhatsApp was switched on while there was no number: the consent is
            # recorded now.
            numberless._wab_record_switch(True)
            return result
        is_on = bool(vals["wab_enabled"])
        before = self._wab_find_enabled(self.env.company)
        result = super().write(vals)
        (self - before if is_on else before)._wab_record_switch(is_on)
        return result

    def _wab_record_switch(self, is_on):
        """Write down that somebody switched WhatsApp on or off for these contacts.

        Nobody's words: it lifts no withdrawal of the customer, and where there is no
        number there is nothing that they could have agreed to.
        """
        todo = self.filtered("wab_recipient") if is_on else self
        # A merge copies the switch without anybody ticking it: no consent is recorded,
        # which at worst keeps a message from going.
        if not todo or (is_on and self._wab_is_merged()):
            return
        source, how = self._wab_get_switch_source()
        facts = {
            "user": self.env.user.name,
            "date": format_date(self.env, fields.Date.context_today(self)),
            "how": how,
        }
        self.env["whatsapp.billing.consent"]._record(
            todo,
            ENABLED_PURPOSES,
            is_on,
            source,
            self.env._(
                "WhatsApp switched on by %(user)s on %(date)s (%(how)s).", **facts
            )
            if is_on
            else self.env._(
                "WhatsApp switched off by %(user)s on %(date)s (%(how)s).", **facts
            ),
            is_switch=True,
        )

    @api.model
    def _wab_is_merged(self):
        """Tell whether it is Odoo's merge of contacts that writes."""
        return isinstance(self.env.context.get(MERGE), Merge)

    @api.model
    def _wab_get_switch_source(self):
        """Return which way a switch was written: (source, words for it)."""
        # First: the key of an import is one that another program can send, too.
        if self._wab_get_call_path().startswith(RPC_PATHS):
            return "rpc", self.env._("other system")
        if self.env.context.get("import_file"):
            return "import", self.env._("imported file")
        return "user", self.env._("on the contact")

    @api.model
    def _wab_get_call_path(self):
        """Return the path of the call that is being answered, "" in a worker.

        Odoo hides the request from what XML-RPC calls; its thread knows the address.
        """
        if request:
            return request.httprequest.path
        return urlsplit(getattr(threading.current_thread(), "url", "")).path

    def _wab_switch_on(self):
        """Set the flag alone, for who has just recorded the consent itself."""
        return super().write({"wab_enabled": True})  # pylint: disable=super-method-mismatch

    def _wab_find_enabled(self, company):
        """Return which of these contacts count as switched on in a company.

        Those that are, and where consent is in the company's contracts all that have
        a number and that nobody switched off.
        """
        enabled = self.with_company(company).filtered("wab_enabled")
        enabled = self.browse(enabled.ids)
        # sudo: res.company - its setting, whatever company the user works in
        if company.sudo().wab_consent_by_contract:
            rest = (self - enabled).filtered("wab_recipient")
            # sudo: whatsapp.billing.consent - read for whoever may see the contacts
            consents_sudo = self.env["whatsapp.billing.consent"].sudo()
            states = consents_sudo._states(rest, ["billing"], company)
            enabled |= rest.filtered(
                lambda p: states[p.id, "billing"][0::2] != ("withdrawn", "switch")
            )
        return enabled

    # === BUSINESS METHODS - PUBLIC === #

    def wab_send(self, template, key=False):
        """Send a template to these contacts.

        :param template: id, xml id or `template_name:lang_code`
        :param str key: as `account.move.wab_send`
        :return: list of dictionaries as `account.move.wab_send`
        """
        call_arguments.check_records(self)
        template = call_arguments.check_template(self.env, template)
        # sudo: whatsapp.billing.template - only which one it is
        found = (
            self.env["whatsapp.billing.template"]
            .sudo()
            ._resolve(template, self.env.company)
        )
        return self._wab_enqueue(
            {partner.id: partner for partner in self},
            "wab_send",
            found.id or template,
            key,
            explicit=True,
        )

    def wab_opt_in(self, purpose, evidence, key=False):
        """Record that these contacts agreed; billing also enables WhatsApp for them.

        :param str purpose: billing, collections or marketing
        :param str evidence: 1 to 2,000 characters: how and when they agreed
        :return: list of dictionaries: `id`, `partner_id`, `consent_id`, `state`,
            `reason`, `detail`
        :raise UserError: for an unknown purpose or missing evidence
        :raise AccessError: when the user may not edit these contacts
        """
        return self._wab_record_consent(purpose, evidence, key, True)

    def wab_opt_out(self, purpose, evidence, key=False):
        """Record that these contacts withdrew; as `wab_opt_in`.

        :raise AccessError: when the user may not see these contacts
        """
        return self._wab_record_consent(purpose, evidence, key, False)

    # === BUSINESS METHODS === #

    def _wab_record_consent(self, purpose, evidence, key, granted, source="rpc"):
        # Reading a contact is enough to record a STOP, changing it is needed to record
        # a yes.
        call_arguments.check_records(self)
        self.check_access("write" if granted else "read")
        self._wab_check_consent(purpose, evidence, key)
        consents = self.env["whatsapp.billing.consent"]
        company = self.env.company
        known = self._wab_known_consents(purpose, key, granted, company)
        fresh = self.filtered(lambda p: p.id not in known)
        # A yes is about a number: contacts without one are skipped. A no is always
        # kept.
        able = fresh.filtered("wab_recipient") if granted else fresh
        rows = consents._record(
            able,
            [purpose],
            granted,
            source,
            evidence,
            key=key or False,
            company_id=company.id,
        )
        mine = {row.partner_id.id: row.id for row in rows}
        if granted and purpose == "billing":
            able.filtered(lambda p: not p.wab_enabled)._wab_switch_on()
        # sudo: whatsapp.billing.consent - the answer about contacts that the caller may see
        states = consents.sudo()._states(self, [purpose])
        return [
            {
                "id": partner.id,
                "partner_id": partner.id,
                "consent_id": known.get(partner.id)
                or mine.get(partner.id)
                or states[partner.id, purpose].consent_id
                or False,
                "state": states[partner.id, purpose].state,
                **self._wab_number_reason(partner, fresh - able),
            }
            for partner in self
        ]

    @api.model
    def _wab_number_reason(self, partner, unable):
        """Return why no consent was recorded, where there is no number to write to."""
        if partner not in unable:
            return {"reason": False, "detail": False}
        reason = "invalid_number" if partner._wab_raw_number() else "no_number"
        messages = self.env["whatsapp.billing.message"]
        return {
            "reason": reason,
            "detail": messages._sentence(eligibility.describe(reason)),
        }

    def _wab_check_consent(self, purpose, evidence, key):
        if not self.env.user.has_group("whatsapp_billing.group_user"):
            raise AccessError(self.env._("You may not record consent."))
        if not isinstance(purpose, str) or purpose not in dict(PURPOSES):
            raise UserError(
                self.env._(
                    "%(purpose)s is not a purpose: billing, collections or marketing.",
                    purpose=purpose,
                )
            )
        if not call_arguments.is_text(evidence, MAX_EVIDENCE):
            raise UserError(
                self.env._("Say in 1 to 2,000 characters how they agreed or withdrew.")
            )
        self.env["whatsapp.billing.message"]._check_key(key)

    def _wab_known_consents(self, purpose, key, granted, company):
        if not key:
            return {}
        # sudo: whatsapp.billing.consent - the caller may edit these contacts
        rows = (
            self.env["whatsapp.billing.consent"]
            .sudo()
            .search(
                [
                    ("key", "=", key),
                    ("company_id", "=", company.id),
                    ("purpose", "=", purpose),
                    ("granted", "=", granted),
                    ("partner_id", "in", self.ids),
                ]
            )
        )
        return {row.partner_id.id: row.id for row in rows}

    def _wab_is_only_vendor(self):
        """Tell whether this is of a vendor who is no customer; ranks are the firm's."""
        self.ensure_one()
        both = self | self.commercial_partner_id
        return any(both.mapped("supplier_rank")) and not any(
            both.mapped("customer_rank")
        )

    def _wab_is_vendor(self):
        """Tell whether this is of a vendor, be they a customer besides or not."""
        self.ensure_one()
        return any((self | self.commercial_partner_id).mapped("supplier_rank"))

    def _wab_said_name(self):
        """Return how a text calls this contact: never empty, on one line, not endless.

        Addresses of a company need no name of their own: then it is the company's.
        """
        if not self:
            return ""
        self.ensure_one()
        said = []
        # Lazily: nearly every contact has the first name, and the others cost a query.
        for name in self._wab_names():
            name = " ".join((name or "").split())
            if any(char.isalnum() for char in name):
                return _shorten(name)
            said.append(name)
        return next(filter(None, said), "") or self.env._("customer")

    def _wab_names(self):
        """Yield what this contact may be called by, its own name first."""
        yield self.name
        yield self.commercial_company_name
        yield self.commercial_partner_id.name
        yield self.parent_id.name

    def _wab_raw_number(self):
        """Return the number as somebody typed it, or an empty text."""
        return (self.wab_number or self.phone or "").strip() if self else ""

    def _wab_companies(self):
        """Override: who works in a branch writes for it, to its parent's contacts too.

        With the parent's account it would spend the parent's money, and a STOP would
        reach those who never wrote.
        """
        here = self.env.company
        # sudo: res.company - only which ones it is a branch of
        if self.company_id and self.company_id <= here.sudo().parent_ids:
            return here
        return super()._wab_companies()

    def _wab_of_company(self, company):
        """Return those who may get documents of a company: its contacts, and nobody's.

        A branch has the contacts of the company that it is a branch of.
        """
        if not self:
            return self
        # sudo: res.company - only which ones it is a branch of
        own = company.sudo().parent_ids | company.sudo()
        # sudo: res.partner - only which company a contact is of
        allowed = {p.id for p in self.sudo() if not p.company_id or p.company_id in own}
        found = self.filtered(lambda p: p.id in allowed)
        return found.with_prefetch(self._prefetch_ids)

    @api.model
    def _wab_is_plain_recipient(self):
        """Tell whether no other module says in its own way who gets a document."""
        return has_methods_of(self, ResPartner, PLAIN_RECIPIENT_METHODS)

    def _wab_default_recipients(self, company):
        """Return {partner id: who gets what is addressed to it}, in one query for all.

        A contact of a company with a tick or a number of its own: that contact. Else
        the persons of the company who are ticked as recipients; else the company,
        whose consent then counts. The system sees every company's contacts: those of
        another one than the document's are left out whoever asks.

        :param company: whose documents they are
        """
        companies = self.commercial_partner_id._origin
        ticked = defaultdict(self.browse)
        for contact in self.search_fetch(
            [
                ("commercial_partner_id", "in", companies.ids),
                ("wab_is_default_recipient", "=", True),
            ],
            ["commercial_partner_id", "company_id"],
        ):
            ticked[contact.commercial_partner_id] |= contact._wab_of_company(company)
        allowed = set(companies._wab_of_company(company).ids)
        found = {}
        for partner in self._origin:
            whole = partner.commercial_partner_id
            if partner._wab_is_own_recipient(company):
                found[partner.id] = partner
            elif ticked.get(whole):
                found[partner.id] = ticked[whole]
            else:
                found[partner.id] = whole if whole.id in allowed else partner
        return found

    def _wab_is_own_recipient(self, company):
        """Tell whether a contact of a company gets itself what is addressed to it.

        :param company: whose documents they are; each has its own switch
        """
        self.ensure_one()
        if self == self.commercial_partner_id:
            return False
        return bool(
            self.wab_is_default_recipient
            or self._wab_raw_number()
            or self.with_company(company).wab_enabled
        )

    @api.model
    def _wab_is_document(self):
        return False

    @api.model
    def _wab_is_contact(self):
        return True

    @api.model
    def _wab_partner_path(self):
        return "id"

    def _wab_addressees(self):
        return self

    def _wab_get_recipients(self, partners=False):
        """Override: what is sent to a contact goes to that contact."""
        return {partner.id: partner for partner in self}

    @api.model
    def _wab_ask_again(self, rows):
        """Override: who gets it is known without asking, and there is no file."""
        said = self.browse({row["res_id"] for row in rows})._wab_fingerprints()
        return {
            row["id"]: Look(said.get(row["res_id"]), row["partner_id"] == row["res_id"])
            for row in rows
        }

    @api.model
    def _wab_look_at(self, rows):
        """Return {message id: `Contact`} of those to a contact, in one query.

        :param list rows: dictionaries with `id`, `partner_id` and `company_id`
        """
        found = self.env.execute_query(
            SQL(
                """
                SELECT a.message_id, %s
                  FROM unnest(%s::int[], %s::int[], %s::int[])
                       a (message_id, partner_id, company_id)
                  JOIN res_partner r ON r.id = a.partner_id
             LEFT JOIN res_company c ON c.id = a.company_id
                """,
                self._wab_contact_sql(),
                [row["id"] for row in rows],
                [row["partner_id"] for row in rows],
                [row["company_id"] for row in rows],
            )
        )
        return {message_id: Contact(*answer) for message_id, *answer in found}

    @api.model
    def _wab_contact_sql(self):
        """Return SQL for the columns of `Contact`, of `r` for the company `c`."""

        def column(name):
            return SQL.identifier("r", name, to_flush=self._fields[name])

        return SQL(
            """
            %s, r.company_id IS NULL
                OR r.company_id::text = ANY(string_to_array(c.parent_path, '/')),
            %s, %s ->> c.id::text
            """,
            column("active"),
            column("wab_person_key"),
            column("wab_new_number"),
        )

    def _wab_read_recipients_now(self):
        """Override: nothing is to be read for that."""
        return self._wab_get_recipients()

    @api.model
    def _wab_find_by_number(self, number, company=None):
        """Return the partners that have a number, in any way it may be written.

        :param number: '+' and digits, or a user id of the provider
        :param company: only partners of this company or of none, as `_wab_of_company`
        """
        key = numbers.person_key(number or "")
        if not key:
            return self.browse()
        if numbers.is_bsuid(key):
            messages = self.env["whatsapp.billing.message"]
            theirs = Domain("recipient_uid", "=", key) & Domain(
                "partner_id", "!=", False
            )
            if company:
                theirs &= Domain("company_id", "=", company.id)
            found = messages.search(theirs, limit=1).partner_id
            return found._wab_of_company(company) if company else found
        domain = Domain("wab_person_key", "=", key)
        if company:
            # sudo: res.company - only which ones it is a branch of
            own = company.sudo().parent_ids | company.sudo()
            domain &= Domain("company_id", "in", [False, *own.ids])
        return self.search(domain)

    @api.model
    def _wab_document_types(self):
        return ("customer_message", "vendor_message")

    def _wab_document_type(self):
        return "vendor_message" if self._wab_is_only_vendor() else "customer_message"

    def _wab_possible_types(self):
        vendors = {"vendor_message"} if any(p._wab_is_vendor() for p in self) else set()
        return super()._wab_possible_types() | vendors

    def _wab_types(self, template):
        """Override: who is both customer and vendor gets what the template is for."""
        # sudo: whatsapp.billing.template - only what it is for is read here
        found = (
            self.env["whatsapp.billing.template"]
            .sudo()
            ._resolve(template, self.env.company)
        )
        types = super()._wab_types(template)
        if found.document_type == "vendor_message":
            vendors = self.filtered(lambda p: p._wab_is_vendor())
            types |= dict.fromkeys(vendors.ids, "vendor_message")
        return types

    @api.model
    def _wab_fingerprint_sql(self):
        name = SQL.identifier("d", "name", to_flush=self._fields["name"])
        return SQL("COALESCE(%s, '')", name)

    @api.model
    def _wab_fingerprint_paths(self):
        return ("name",)


def _shorten(name):
    """Return a name that leaves room for the rest of a text."""
    if len(name) <= MAX_SAID_NAME:
        return name
    return f"{name[: MAX_SAID_NAME - 1].rstrip()}…"
