# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import secrets
from collections import defaultdict
from datetime import datetime, timezone

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL
from odoo.tools.misc import format_date

from ... import const
from ...rules import consent as consent_rules
from ...rules import numbers

SALT = "whatsapp_billing.block_list_salt"
# Fields of contacts that are computed from consents.
PARTNER_FIELDS = ["wab_opt_in_state", "wab_opted_out", "wab_said_stop"]


class WhatsappBillingConsent(models.Model):
    """One grant or withdrawal of consent, with its evidence; never edited.

    A row without a contact is about a number, whoever has it: a STOP binds whoever
    gets that number next. What all rows of a contact and its number amount to in a
    company is answered by `rules.consent.standing` alone.
    Source: WhatsApp Business Messaging Policy, opt-in,
    https://developers.facebook.com/docs/whatsapp/overview/getting-opt-in (2026-11).
    """

    _name = "whatsapp.billing.consent"
    _inherit = ["whatsapp.billing.rights.mixin", "whatsapp.billing.system.rows.mixin"]
    _description = "WhatsApp Consent"
    _order = "said_at desc, id desc"

    partner_id = fields.Many2one(
        "res.partner", string="Contact", index="btree_not_null", ondelete="restrict"
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    recipient = fields.Char()
    person_key = fields.Char(
        compute="_compute_person_key", store=True, string="WhatsApp Subscriber"
    )
    purpose = fields.Selection(const.PURPOSES, required=True)
    granted = fields.Boolean(required=True)
    decision = fields.Selection(
        [("granted", "Agreed"), ("withdrawn", "Withdrawn")],
        compute="_compute_decision",
    )
    said_at = fields.Datetime(
        string="Said On",
        required=True,
        default=lambda self: self._clock(),
        help="When the customer said it; where nobody knows, when it was recorded.",
    )
    source = fields.Selection(
        [
            ("user", "Recorded by a user"),
            ("rpc", "Other system"),
            ("import", "Imported file"),
            ("contract", "Company setting"),
            ("keyword", "Customer's message"),
            ("provider", "WhatsApp"),
            ("portal", "Customer portal"),
        ],
        required=True,
    )
    is_switch = fields.Boolean(
        string="Switch Only",
        help="The switch on the contact, without words of the customer.",
    )
    evidence = fields.Text(required=True)
    user_id = fields.Many2one("res.users", ondelete="restrict", string="Recorded By")
    message_id = fields.Many2one(
        "whatsapp.billing.message", index="btree_not_null", ondelete="set null"
    )
    key = fields.Char(copy=False)

    _partner_index = models.Index("(partner_id, company_id)")
    _person_index = models.Index("(person_key, company_id) WHERE partner_id IS NULL")
    _key_unique = models.UniqueIndex(
        "(company_id, partner_id, purpose, granted, key) WHERE key IS NOT NULL",
        "This key was used before.",
    )

    @api.model
    def _get_reading_sql(self, alias, query):
        """A word about consent is as readable as its contact.

        Where only a number said it, those who talk with customers read it.
        """
        partner = self._field_to_sql(alias, "partner_id", query)
        readable = self._readable_sql("res.partner", partner)
        if self.env.user.has_group("whatsapp_billing.group_agent"):
            return SQL("(%s IS NULL OR %s)", partner, readable)
        return readable

    # === COMPUTE METHODS === #

    @api.depends("granted")
    def _compute_decision(self):
        for consent in self:
            consent.decision = "granted" if consent.granted else "withdrawn"

    @api.depends("recipient")
    def _compute_person_key(self):
        for consent in self:
            consent.person_key = numbers.person_key(consent.recipient or "") or False

    @api.depends("purpose", "granted", "said_at", "source")
    @api.depends_context("lang", "tz")
    def _compute_display_name(self):
        purposes = dict(self._fields["purpose"]._description_selection(self.env))
        decisions = dict(self._fields["decision"]._description_selection(self.env))
        sources = dict(self._fields["source"]._description_selection(self.env))
        for consent in self:
            said_at = consent.said_at and fields.Datetime.context_timestamp(
                consent, consent.said_at
            )
            consent.display_name = self.env._(
                "%(purpose)s: %(decision)s on %(date)s (%(how)s)",
                purpose=purposes.get(consent.purpose, ""),
                decision=decisions.get(consent.decision, "").lower(),
                date=format_date(self.env, said_at.date()) if said_at else "",
                how=sources.get(consent.source, ""),
            )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            raise AccessError(
                self.env._("Consent is recorded by the opt-in and opt-out buttons.")
            )
        return super().create(vals_list)

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("Consent rows are evidence and never change."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Consent rows are evidence and are never deleted."))

    # === BUSINESS METHODS - READING === #

    @api.model
    def _clock(self):
        """Return now to the microsecond: two clicks in one second have an order."""
        return datetime.now(timezone.utc).replace(tzinfo=None)

    @api.model
    def _states(self, partners, purposes=None, company=None):
        """Return the consent of many partners in one company, in one query.

        :param partners: res.partner records; their numbers count as well
        :param purposes: purposes to answer for; all by default
        :param company: the current company by default; no other's words are read
        :return: {(partner id, purpose): `rules.consent.Standing`}
        """
        purposes = list(purposes or consent_rules.PURPOSES)
        words = self._read_words(partners, company or self.env.company)
        return {
            (partner.id, purpose): consent_rules.standing(
                words.get(partner.id, ()), purpose
            )
            for partner in partners
            for purpose in purposes
        }

    @api.model
    def _read_words(self, partners, company):
        """Return {partner id: list of `rules.consent.Word`} of a company."""
        result = defaultdict(list)
        if not partners.ids:
            return result
        partners.flush_recordset(["wab_recipient", "wab_person_key"])
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT p.id, c.id, c.purpose, c.granted, c.said_at, c.source,
                       COALESCE(c.is_switch, FALSE), c.partner_id IS NULL,
                       c.partner_id IS NULL
                       OR COALESCE(c.person_key = p.wab_person_key, FALSE)
                  FROM res_partner p
                  JOIN LATERAL (
                       SELECT * FROM whatsapp_billing_consent
                        WHERE partner_id = p.id AND company_id = %(company)s
                    UNION ALL
                       SELECT * FROM whatsapp_billing_consent
                        WHERE partner_id IS NULL AND company_id = %(company)s
                          AND person_key IN (p.wab_person_key, %(hash)s)
                  ) c ON TRUE
                 WHERE p.id = ANY(%(ids)s)
                """,
                ids=list(partners.ids),
                company=company.id,
                hash=self._hash_sql(SQL("p.wab_person_key")),
            )
        )
        for partner_id, *word in rows:
            result[partner_id].append(consent_rules.Word(*word))
        return result

    @api.model
    def _find_withdrawn(self, company):
        """Return the contacts with any withdrawal of documents in a company."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT partner_id FROM whatsapp_billing_consent
                 WHERE NOT granted AND purpose = 'billing' AND company_id = %(company)s
                   AND partner_id IS NOT NULL
                 UNION
                SELECT p.id FROM whatsapp_billing_consent c
                  JOIN res_partner p ON p.wab_person_key = c.person_key
                 WHERE NOT c.granted AND c.purpose = 'billing'
                   AND c.company_id = %(company)s AND c.partner_id IS NULL
                 UNION
                SELECT p.id FROM whatsapp_billing_consent c
                  JOIN res_partner p
                    ON p.wab_person_key IS NOT NULL AND c.person_key = %(hash)s
                 WHERE NOT c.granted AND c.purpose = 'billing'
                   AND c.company_id = %(company)s AND c.person_key LIKE 'erased:%%'
                """,
                company=company.id,
                hash=self._hash_sql(SQL("p.wab_person_key")),
            )
        )
        return self.env["res.partner"].browse(row[0] for row in rows)

    @api.model
    def _hash_sql(self, key):
        """Return SQL of what is left of an erased person's key in the block list."""
        return SQL(
            "'erased:' || encode(sha256(convert_to(%s || %s, 'UTF8')), 'hex')",
            self._salt(),
            key,
        )

    @api.model
    def _salt(self):
        # sudo: ir.config_parameter - a secret of this database, read here only
        parameters_sudo = self.env["ir.config_parameter"].sudo()
        salt = parameters_sudo.get_param(SALT)
        if not salt:
            salt = secrets.token_hex(16)
            parameters_sudo.set_param(SALT, salt)
        return salt

    # === BUSINESS METHODS - WRITING === #

    @api.model
    def _record(self, partners, purposes, granted, source, evidence, **values):
        """Write rows where they change something; return the rows written.

        The switch and a contract write nothing where the customer's own words stand
        against them; words are written also where only the switch said the same.

        :param evidence: the words, form or setting that prove it
        :param values: further values of the rows; `company_id` is the current company
            by default
        """
        company = self.env["res.company"].browse(
            values.pop("company_id", False) or self.env.company.id
        )
        wanted = "granted" if granted else "withdrawn"
        has_words = source != "contract" and not values.get("is_switch")
        states = self._states(partners, purposes, company)
        vals_list = []
        for partner in partners:
            for purpose in purposes:
                now = states[partner.id, purpose]
                is_new = now.state != wanted or (has_words and now.kind != "said")
                if now.kind == "said" and now.state == "withdrawn" and not has_words:
                    is_new = False
                if not is_new and not values.get("key"):
                    continue
                row = {
                    "partner_id": partner.id,
                    "company_id": company.id,
                    "recipient": partner.wab_recipient,
                    "purpose": purpose,
                    "granted": granted,
                    "source": source,
                    "evidence": evidence,
                    "user_id": self.env.uid,
                    "said_at": self._clock(),
                    **values,
                }
                vals_list.append(row)
                if has_words and not granted and partner.wab_recipient:
                    # A customer's own STOP is also recorded on the number: it binds the
                    # next contact with it.
                    vals_list.append(row | {"partner_id": False, "key": False})
        # sudo: whatsapp.billing.consent - append-only ledger, written here only
        rows = self.sudo().create(vals_list)
        partners.invalidate_recordset(PARTNER_FIELDS)
        return rows

    @api.model
    def _set_number(
        self,
        recipient,
        granted,
        source,
        evidence,
        message=None,
        purposes=(),
        company=None,
        said_at=None,
    ):
        """Record what the owner of a number said, and cancel what it stops.

        For the number, and for every contact that has it however it is spelled, in
        the company that was written to. A withdrawal also in every company that
        wants opt-outs of others to count: there without words and message.

        :param recipient: '+' and digits, or a user id of the provider
        :param message: the customer's message, if there is one
        :param purposes: all by default
        :param company: the message's company by default
        :param said_at: the customer's own time; the message's by default, at most now
        :return: the rows written
        """
        company = company or (message and message.company_id) or self.env.company
        if said_at is None and message and message.direction == "in":
            said_at = message.sent_at
        said_at = min(said_at or self._clock(), self._clock())
        purposes = list(purposes or consent_rules.PURPOSES)
        recipients = self._find_recipients(recipient, company)
        everywhere = self.env["res.company"]
        if not granted:
            # sudo: res.company - who wants opt-outs of others to count
            everywhere = everywhere.sudo().search(
                [("wab_opt_outs_count_everywhere", "=", True), ("id", "!=", company.id)]
            )
        vals_list = []
        for one in company | everywhere:
            is_own = one == company
            common = {
                "company_id": one.id,
                "granted": granted,
                "source": source,
                "said_at": said_at,
                "evidence": evidence if is_own else self.env._("Opted out"),
                "message_id": message.id if message and is_own else False,
            }
            owners = [(False, number) for number in recipients] + [
                (partner.id, recipient)
                for partner in self._find_owners(recipients, recipient, one)
            ]
            vals_list += [
                {**common, "partner_id": owner, "recipient": number, "purpose": purpose}
                for owner, number in owners
                for purpose in purposes
            ]
        # sudo: whatsapp.billing.consent - append-only ledger, written here only
        rows = self.sudo().create(vals_list)
        rows.partner_id.invalidate_recordset(PARTNER_FIELDS)
        if not granted:
            rows._cancel_waiting()
            self._bind_new_numbers(recipients, company, said_at)
        return rows

    @api.model
    def _bind_new_numbers(self, recipients, company, said_at):
        """Let a withdrawal bind the number that its own has changed to since.

        What was said before the change may reach us after it. What comes from the old
        number later is somebody else's.
        """
        # sudo: whatsapp.billing.message - what WhatsApp told this company of numbers
        messages_sudo = self.env["whatsapp.billing.message"].sudo()
        keys = {numbers.person_key(recipient) for recipient in recipients}
        for _key, report in messages_sudo._find_reported(keys):
            # WhatsApp reports whole seconds: compared without the fraction.
            is_later = report.sent_at >= said_at.replace(microsecond=0)
            if report.company_id == company and is_later:
                report._keep_stop(report.recipient, report.content["new_sender"])

    @api.model
    def _read_stopped(self, recipient, company):
        """Return the purposes that a number itself has withdrawn from in a company."""
        self.flush_model()
        key = numbers.person_key(recipient or "") or "-"
        rows = self.env.execute_query(
            SQL(
                """
                SELECT purpose FROM (
                    SELECT DISTINCT ON (purpose) purpose, granted
                      FROM whatsapp_billing_consent
                     WHERE partner_id IS NULL AND company_id = %s
                       AND person_key IN (%s, %s)
                  ORDER BY purpose, said_at DESC, granted, id DESC) latest
                 WHERE NOT granted
                """,
                company.id,
                key,
                self._hash_sql(SQL("%s", key)),
            )
        )
        return {row[0] for row in rows}

    @api.model
    def _adopt_opt_outs(self, company):
        """Let opt-outs that other companies were told before count in a company too."""
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO whatsapp_billing_consent
                       (company_id, recipient, person_key, purpose, granted, source,
                        evidence, said_at, create_date, write_date)
                SELECT %(company)s, recipient, person_key, purpose, FALSE, source,
                       %(evidence)s, said_at, %(now)s, %(now)s
                  FROM (SELECT DISTINCT ON (company_id, person_key, purpose) *
                          FROM whatsapp_billing_consent
                         WHERE partner_id IS NULL AND person_key IS NOT NULL
                           AND company_id != %(company)s
                      ORDER BY company_id, person_key, purpose, said_at DESC,
                               granted, id DESC) latest
                 WHERE NOT granted
                """,
                company=company.id,
                evidence=self.env._("Opted out"),
                now=fields.Datetime.now(),
            )
        )
        self.env["res.partner"].invalidate_model(PARTNER_FIELDS)

    @api.model
    def _find_recipients(self, recipient, company):
        """Return the recipient, and numbers that this company knows a user id by."""
        found = {numbers.person_key(recipient or ""): recipient}
        if numbers.is_bsuid(recipient or ""):
            # sudo: whatsapp.billing.message - the system finds who a user id is
            messages_sudo = self.env["whatsapp.billing.message"].sudo()
            for message in messages_sudo.search(
                [
                    ("company_id", "=", company.id),
                    ("recipient_uid", "=", recipient),
                    ("person_key", "not in", [False, recipient]),
                ]
            ):
                found.setdefault(message.person_key, message.recipient)
        return [number for key, number in found.items() if key]

    @api.model
    def _find_owners(self, recipients, recipient, company):
        """Return the contacts of a company, or of none, that have these numbers."""
        # sudo: res.partner - a number's owners, whoever may see them
        partners_sudo = self.env["res.partner"].sudo().with_context(active_test=False)
        found = partners_sudo.browse()
        for number in {recipient, *recipients}:
            found |= partners_sudo._wab_find_by_number(number, company)
        return found

    def _cancel_waiting(self):
        """Cancel what waits for these numbers where it may no longer go.

        Only in the companies of these rows; a withdrawal that is older than a later
        consent cancels nothing.
        """
        # sudo: whatsapp.billing.message - rows are written by the system only
        messages_sudo = self.env["whatsapp.billing.message"].sudo()
        stopped_sudo = messages_sudo
        for company, rows in self.grouped("company_id").items():
            waiting = messages_sudo.search(
                [
                    ("state", "in", ("queued", "held")),
                    ("direction", "=", "out"),
                    ("company_id", "=", company.id),
                    ("purpose", "in", rows.mapped("purpose")),
                    "|",
                    ("person_key", "in", list(filter(None, rows.mapped("person_key")))),
                    ("partner_id", "in", rows.partner_id.ids),
                ]
            )
            states = self._states(waiting.partner_id, None, company)
            stopped_sudo |= waiting.filtered(
                lambda m, states=states: (
                    states.get(
                        (m.partner_id.id, m.purpose), consent_rules.NO_STANDING
                    ).state
                    != "granted"
                )
            )
        stopped_sudo._withdraw("opted_out")
