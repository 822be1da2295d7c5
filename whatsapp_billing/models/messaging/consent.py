# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ... import const
from ...rules import consent as consent_rules
from ...rules import numbers


class WhatsappBillingConsent(models.Model):
    """One grant or withdrawal of consent, with its evidence; never edited.

    The state for a purpose is the latest row of the partner, or a later row of
    the number itself (a STOP from a number binds whoever gets that number next).
    Source: WhatsApp Business Messaging Policy, opt-in page (fact sheet 11).
    """

    _name = "whatsapp.billing.consent"
    _inherit = ["whatsapp.billing.rights.mixin"]
    _description = "WhatsApp Consent"
    _order = "id desc"
    _rec_name = "purpose"

    partner_id = fields.Many2one(
        "res.partner", string="Contact", index="btree_not_null", ondelete="restrict"
    )
    company_id = fields.Many2one("res.company", index="btree_not_null")
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
    source = fields.Selection(
        [
            ("user", "Person in Odoo"),
            ("rpc", "Other system"),
            ("contract", "Company setting"),
            ("keyword", "Customer's message"),
            ("provider", "WhatsApp"),
            ("portal", "Customer portal"),
        ],
        required=True,
    )
    evidence = fields.Text(required=True)
    user_id = fields.Many2one("res.users", ondelete="restrict", string="Recorded By")
    message_id = fields.Many2one(
        "whatsapp.billing.message", index="btree_not_null", ondelete="set null"
    )
    key = fields.Char(copy=False)

    _latest_index = models.Index("(partner_id, purpose, id DESC)")
    _recipient_index = models.Index("(person_key, purpose, id DESC)")
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

    # === BUSINESS METHODS === #

    @api.model
    def _states(self, partners, purposes=None, company=None):
        """Return the consent of many partners, in one query.

        :param partners: res.partner records; their numbers count as well
        :param purposes: purposes to answer for; all by default
        :return: {(partner id, purpose): (state, consent id or False)} with state
            `granted`, `withdrawn` or `none`
        """
        purposes = list(purposes or consent_rules.PURPOSES)
        rows = self._latest_rows(partners)
        result = {}
        for partner in partners:
            mine = rows.get(partner.id, {})
            for purpose in purposes:
                result[partner.id, purpose] = self._state_of(mine, purpose)
        return result

    @api.model
    def _state_of(self, mine, purpose):
        """Decide one purpose from the latest row of each purpose.

        An opt-in to billing covers collections until withdrawn (design 4.1), and
        the later word of the two counts (`rules.consent.state`).
        """
        covering = [purpose, "billing"] if purpose == "collections" else [purpose]
        rows = [mine[name] for name in covering if name in mine]
        if not rows:
            return ("none", False)
        consent_id, granted = max(rows)
        return ("granted" if granted else "withdrawn", consent_id)

    @api.model
    def _latest_rows(self, partners):
        """Return {partner id: {purpose: (consent id, granted)}}."""
        result = defaultdict(dict)
        if not partners.ids:
            return result
        query = SQL(
            """
            SELECT p.id, c.purpose, c.id, c.granted
              FROM res_partner p
              JOIN LATERAL (
                   SELECT DISTINCT ON (purpose) id, purpose, granted
                     FROM whatsapp_billing_consent
                    WHERE partner_id = p.id
                       OR (partner_id IS NULL AND person_key = p.wab_person_key)
                 ORDER BY purpose, id DESC
              ) c ON TRUE
             WHERE p.id = ANY(%s)
            """,
            list(partners.ids),
        )
        partners.flush_recordset(["wab_e164", "wab_person_key"])
        self.flush_model()
        for partner_id, purpose, consent_id, granted in self.env.execute_query(query):
            result[partner_id][purpose] = (consent_id, granted)
        return result

    @api.model
    def _record(self, partners, purposes, granted, source, evidence, **values):
        """Write rows where they change something; return all rows that hold now.

        :param evidence: the words, form or setting that prove it
        """
        states = self._states(partners, purposes)
        wanted = "granted" if granted else "withdrawn"
        vals_list = [
            {
                "partner_id": partner.id,
                "recipient": partner.wab_e164,
                "purpose": purpose,
                "granted": granted,
                "source": source,
                "evidence": evidence,
                "user_id": self.env.uid,
                **values,
            }
            for partner in partners
            for purpose in purposes
            if states[partner.id, purpose][0] != wanted or values.get("key")
        ]
        # sudo: whatsapp.billing.consent - append-only ledger, written here only
        rows = self.sudo().create(vals_list)
        partners.invalidate_recordset(["wab_opt_in_state", "wab_opted_out"])
        return rows

    @api.model
    def _withdraw_number(self, recipient, source, evidence, message=None, purposes=()):
        """Withdraw for a number: every partner that has it, and the number itself.

        :param recipient: '+' and digits, or a user id of the provider
        :return: the rows written
        """
        return self._set_number(recipient, False, source, evidence, message, purposes)

    @api.model
    def _set_number(self, recipient, granted, source, evidence, message, purposes=()):
        # sudo: res.partner - a number's owners are found in every company
        partners = self.env["res.partner"].sudo()._wab_find_by_number(recipient)
        purposes = list(purposes or consent_rules.PURPOSES)
        common = {
            "granted": granted,
            "source": source,
            "evidence": evidence,
            "user_id": self.env.uid,
            "message_id": message.id if message else False,
        }
        vals_list = [
            {**common, "partner_id": partner.id, "recipient": recipient, "purpose": p}
            for partner in partners
            for p in purposes
        ] + [{**common, "recipient": recipient, "purpose": p} for p in purposes]
        # sudo: whatsapp.billing.consent - append-only ledger, written here only
        rows = self.sudo().create(vals_list)
        partners.invalidate_recordset(["wab_opt_in_state", "wab_opted_out"])
        return rows
