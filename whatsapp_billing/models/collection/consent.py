# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What customers allow or forbid pauses their cases, and lets them go on."""

from odoo import api, fields, models


class WhatsappBillingConsent(models.Model):
    _inherit = "whatsapp.billing.consent"

    @api.model_create_multi
    def create(self, vals_list):
        """Stop the reminders of who opts out, at once; go on for who is back."""
        rows = super().create(vals_list)
        about = rows.filtered(lambda row: row.purpose in ("billing", "collections"))
        if about:
            about._follow_in_cases()
        return rows

    def _follow_in_cases(self):
        # sudo: whatsapp.billing.collection.case - kept by the system
        cases_sudo = self.env["whatsapp.billing.collection.case"].sudo()
        for company, rows in self.grouped("company_id").items():
            rows._follow_in_cases_of(company, cases_sudo)

    def _follow_in_cases_of(self, company, cases_sudo):
        """Pause or resume a company's cases as its customers' words stand by now."""
        states = self._states(self.partner_id, ["collections"], company)
        standing = {
            partner_id: state.state for (partner_id, _p), state in states.items()
        }
        out = self.partner_id.filtered(lambda p: standing[p.id] == "withdrawn")
        switched = out.filtered(lambda p: states[p.id, "collections"].kind == "switch")
        back = self.filtered("granted").partner_id.filtered(
            lambda p: standing[p.id] == "granted"
        )
        if out:
            debtors = out.commercial_partner_id
            cases = cases_sudo.search(
                [
                    ("company_id", "=", company.id),
                    ("debtor_id", "in", debtors.ids),
                    ("state", "in", ("active", "promised", "paused")),
                ]
            )
            cases.filtered(
                lambda case: (
                    # A case paused without an end, or by a person, keeps that pause:
                    # one for an opt-out is ended by START.
                    not (
                        case.state == "paused"
                        and (not case.resume_on or case.pause_reason == "manual")
                    )
                    and not self._has_other_recipient(case.debtor_id, out, company)
                )
            )._pause(
                "opted_out",
                withdrawn_as="not_enabled" if out <= switched else "opted_out",
            )
        if back:
            cases_sudo.search(
                [
                    ("company_id", "=", company.id),
                    ("debtor_id", "in", back.commercial_partner_id.ids),
                    ("state", "=", "paused"),
                    ("pause_reason", "=", "opted_out"),
                ]
            )._come_back()

    @api.model
    def _has_other_recipient(self, debtor, out, company):
        """Tell whether somebody else there still wants the reminders."""
        others = debtor._wab_default_recipients(company)[debtor.id] - out
        # sudo: whatsapp.billing.consent - the state of the debtor's other people
        states = self.sudo()._states(others, ["collections"], company)
        return any(standing.state != "withdrawn" for standing in states.values())


class WhatsappBillingCollectionCase(models.Model):
    _inherit = "whatsapp.billing.collection.case"

    def _come_back(self):
        """Go on after an opt-out, with the promise that was running. With sudo."""
        today = fields.Date.context_today(self)
        promised = self.filtered(lambda c: c.promise_date and c.promise_date >= today)
        for day, cases in promised.grouped("promise_date").items():
            cases._promise(day, named=None)
        (self - promised)._resume()
