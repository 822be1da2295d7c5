# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A company's account, its switches for kinds of documents, and its people."""

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResCompany(models.Model):
    _inherit = "res.company"

    wab_account_id = fields.Many2one(
        "whatsapp.billing.account",
        string="WhatsApp Account",
        domain="[('company_id', '=', id)]",
    )
    wab_with_email = fields.Boolean(
        string="WhatsApp with E-mail",
        default=True,
        help="The Send dialog proposes both for contacts with WhatsApp.",
    )
    wab_consent_by_contract = fields.Boolean(
        string="Our Contracts Include Consent",
        help="WhatsApp is switched on for contacts with a valid number.",
    )
    wab_consent_text = fields.Text(
        string="Words of the Consent",
        help="Quoted as evidence with the first message to each contact.",
    )
    wab_opt_outs_count_everywhere = fields.Boolean(
        string="Opt-outs Count for All Companies",
        help="Who asks any company of this database to stop gets no messages of this "
        "one either. What they wrote stays with the company they wrote to.",
    )
    wab_retention_days = fields.Integer(
        string="Keep Message Texts (Days)",
        default=730,
        help="Texts and numbers of older messages are erased; figures stay.",
    )

    wab_sends_invoices = fields.Boolean(string="Invoices on WhatsApp", default=True)
    wab_sends_credit_notes = fields.Boolean(
        string="Credit Notes on WhatsApp", default=True
    )
    wab_sends_sales_receipts = fields.Boolean(
        string="Sales Receipts on WhatsApp", default=True
    )
    wab_sends_payment_receipts = fields.Boolean(
        string="Payment Receipts on WhatsApp", default=True
    )
    wab_sends_reminders = fields.Boolean(
        string="Payment Reminders on WhatsApp", default=True
    )

    _wab_retention_positive = models.Constraint(
        "CHECK(wab_retention_days >= 0)", "Days cannot be negative."
    )

    # === CONSTRAINT METHODS === #

    @api.constrains("wab_account_id")
    def _check_wab_account(self):
        """Answers, and a STOP, reach the company of the number only."""
        for company in self:
            # sudo: whatsapp.billing.account - only whose it is
            account_sudo = company.sudo().wab_account_id
            if account_sudo.company_id not in (
                account_sudo.company_id.browse(),
                company,
            ):
                raise ValidationError(
                    self.env._(
                        "%(account)s is the WhatsApp account of another company. Make"
                        " one for %(company)s.",
                        account=account_sudo.name,
                        company=company.name,
                    )
                )

    # === CRUD METHODS === #

    def write(self, vals):
        before = self.filtered("wab_opt_outs_count_everywhere")
        result = super().write(vals)
        if vals.get("wab_opt_outs_count_everywhere"):
            for company in self - before:
                self.env["whatsapp.billing.consent"]._adopt_opt_outs(company)
        return result

    # === BUSINESS METHODS === #

    def _wab_find_able(self, users):
        """Return the first active internal user of these who works in this company.

        Whoever left, is the system or a customer at the portal, or works for other
        companies only, would never see that they are asked, or read what is not theirs:
        who is asked may read the request, and follows the document.
        """
        self.ensure_one()
        # sudo: res.users - only whether they are there, and for which companies
        able = users.sudo().filtered(
            lambda user: (
                user.active
                and not user.share
                and not user._is_superuser()
                and self in user.company_ids
            )
        )
        return able[:1].with_env(users.env)

    def _wab_get_managers(self):
        """Return the people who look after WhatsApp in this company."""
        # Not `env.ref`, which reads the record each time: called for each of many
        # messages.
        group_id = self.env["ir.model.data"]._xmlid_to_res_id(
            "whatsapp_billing.group_manager", raise_if_not_found=True
        )
        group = self.env["res.groups"].browse(group_id)
        # sudo: res.users - to find somebody who can do something about it
        return group.sudo().all_user_ids.filtered(
            lambda user: (
                user.active and not user._is_superuser() and self in user.company_ids
            )
        )

    def _wab_get_responsible(self, users):
        """Return the first of these who can see to it, else who looks after WhatsApp."""
        # sudo: whatsapp.billing.account - only who looks after it
        account_sudo = self.sudo().wab_account_id
        return self._wab_find_able(users) or account_sudo._get_responsible()

    def _wab_is_kind_off(self, document_type):
        """Tell whether a company has switched this kind of document off."""
        self.ensure_one()
        documents = self.env["whatsapp.billing.document.mixin"]
        switch = documents._wab_all_kind_switches().get(document_type)
        return bool(switch) and not self[switch]
