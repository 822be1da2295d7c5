# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Merging contacts keeps every message, every word about consent, and a STOP.

Core moves references in one statement a table and looks for unique *constraints*: what
a unique *index* of ours forbids must be out of the way before.
"""

from odoo import api, models
from odoo.tools import SQL

from ..models.accounting.res_partner import MERGE, Merge


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        """Override of `base` to make room for what two contacts have alike."""
        self.env.flush_all()
        self._wab_prepare_merge(list(src_partners.ids), dst_partner.id)
        self.env.invalidate_all()
        return super()._update_foreign_keys(src_partners, dst_partner)

    @api.model
    def _wab_prepare_merge(self, source_ids, target_id):
        facts = {"sources": source_ids, "target": target_id}
        # Of two messages with the same key the survivor's keeps it: a repeated call
        # finds it.
        self.env.cr.execute(
            SQL(
                """
                UPDATE whatsapp_billing_message m SET key = NULL
                  FROM (SELECT id, row_number() OVER (
                                   PARTITION BY company_id, method, res_model, doc, key
                                       ORDER BY is_target DESC, id) AS place
                          FROM (SELECT id, company_id, method, res_model, key,
                                       COALESCE(partner_id, 0) = %(target)s AS is_target,
                                       CASE WHEN res_model = 'res.partner'
                                             AND res_id = ANY(%(sources)s)
                                            THEN %(target)s ELSE res_id END AS doc
                                  FROM whatsapp_billing_message
                                 WHERE key IS NOT NULL
                                   AND (partner_id = ANY(%(sources)s)
                                        OR partner_id = %(target)s)) mine) ranked
                 WHERE ranked.id = m.id AND ranked.place > 1
                """,
                **facts,
            )
        )
        # Messages about the contact itself: core does not move `res_id`.
        self.env.cr.execute(
            SQL(
                """
                UPDATE whatsapp_billing_message SET res_id = %(target)s
                 WHERE res_model = 'res.partner' AND res_id = ANY(%(sources)s)
                """,
                **facts,
            )
        )
        # A key only makes a call repeatable: of consents with the same key one keeps
        # it.
        self.env.cr.execute(
            SQL(
                """
                UPDATE whatsapp_billing_consent c SET key = NULL
                  FROM (SELECT id, row_number() OVER (
                                   PARTITION BY company_id, purpose, granted, key
                                       ORDER BY partner_id = %(target)s DESC, id) AS place
                          FROM whatsapp_billing_consent
                         WHERE key IS NOT NULL
                           AND (partner_id = ANY(%(sources)s)
                                OR partner_id = %(target)s)) ranked
                 WHERE ranked.id = c.id AND ranked.place > 1
                """,
                **facts,
            )
        )
        # Core fills empty fields of the survivor; a reported change of a number goes
        # with the number.
        self.env.cr.execute(
            SQL(
                """
                UPDATE res_partner s SET wab_new_number = NULL
                  FROM res_partner t
                 WHERE s.id = ANY(%(sources)s) AND t.id = %(target)s
                   AND s.wab_new_number IS NOT NULL
                   AND t.wab_person_key != s.wab_person_key
                """,
                **facts,
            )
        )
        # Both were followed up that day by the same channel: one that says so is enough.
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM whatsapp_billing_collection_followup c
                 USING (SELECT id, row_number() OVER (
                                   PARTITION BY company_id, day, channel
                                       ORDER BY debtor_id = %(target)s DESC, id) AS place
                          FROM whatsapp_billing_collection_followup
                         WHERE debtor_id = ANY(%(sources)s)
                            OR debtor_id = %(target)s) ranked
                 WHERE ranked.id = c.id AND ranked.place > 1
                """,
                **facts,
            )
        )

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        """Override of `base` to keep what holds back the number that is left."""
        partners = self.env["res.partner"].browse(partner_ids).exists()
        partners |= dst_partner or partners.browse()
        held = self._wab_take_new_numbers(partners)
        result = super()._merge(partner_ids, dst_partner, extra_checks)
        for company, by_key in held.items():
            # sudo: res.partner - the field is the system's to write
            for partner in partners.exists().sudo().with_company(company):
                if partner.wab_person_key in by_key:
                    partner.wab_new_number = by_key[partner.wab_person_key]
        return result

    @api.model
    def _wab_take_new_numbers(self, partners):
        """Return {company: {subscriber: new number}} of what nobody decided; clear it.

        A merge writes as its user, whose to write it is not, and core hands it over
        to a contact with another number.
        """
        held = {}
        # sudo: res.company, res.partner - in companies of others, too
        for company in self.env["res.company"].sudo().search([]):
            mine = partners.sudo().with_company(company).filtered("wab_new_number")
            if mine:
                held[company] = {p.wab_person_key: p.wab_new_number for p in mine}
                mine.wab_new_number = False
        return held

    @api.model
    def _update_values(self, src_partners, dst_partner):
        """Override of `base`: a merge switches nothing on and records no consent."""
        # sudo: res.company - a contact may be switched on in companies of others
        companies = self.env["res.company"].sudo().search([])
        takes_number = not dst_partner.wab_person_key
        # sudo: res.partner - what WhatsApp said of a number goes with that number
        changed = {
            (company, partner.wab_person_key): partner.wab_new_number
            for company in companies
            for partner in src_partners.sudo().with_company(company)
        }
        merge = {MERGE: Merge()}
        result = super()._update_values(src_partners, dst_partner.with_context(**merge))
        # sudo: whatsapp.billing.consent - read for whoever may merge contacts
        consents_sudo = self.env["whatsapp.billing.consent"].sudo()
        for company in companies:
            partner_sudo = dst_partner.sudo().with_company(company)
            if takes_number:
                number = changed.get((company, partner_sudo.wab_person_key))
                partner_sudo.wab_new_number = number
            standing = consents_sudo._states(partner_sudo, ["billing"], company)[
                dst_partner.id, "billing"
            ]
            is_off = standing.state == "withdrawn" and standing.kind == "switch"
            if is_off and partner_sudo.wab_enabled:
                partner_sudo.with_context(**merge).wab_enabled = False
        return result
