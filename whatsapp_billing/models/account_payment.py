# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.tools import SQL

from .. import const
from . import call_arguments

RECEIPT_REPORT = "account.action_report_payment_receipt"
# What a fingerprint of a payment covers, as templates name it.
FINGERPRINT_FIELDS = ("name", "partner_id", "currency_id", "amount", "date", "memo")


class AccountPayment(models.Model):
    _name = "account.payment"
    _inherit = ["account.payment", "whatsapp.billing.document.mixin"]

    wab_receipt_id = fields.Many2one(
        "ir.attachment",
        compute="_compute_wab_receipt_id",
        compute_sudo=True,
        string="Receipt Sent on WhatsApp",
        help="The receipt as it was made, while the payment stays as it is.",
    )
    wab_recipient_ids = fields.Many2many(
        "res.partner",
        "account_payment_wab_recipient_rel",
        "payment_id",
        "partner_id",
        string="WhatsApp Recipients",
        copy=False,
        help="Empty: the contact's default recipients.",
    )

    # === COMPUTE METHODS === #

    @api.depends("write_date")
    def _compute_wab_receipt_id(self):
        found = {
            attachment.res_id: attachment
            for attachment in self.env["ir.attachment"].search(
                [
                    ("res_model", "=", self._name),
                    ("res_id", "in", self.ids),
                    ("description", "=", const.METHOD),
                ],
                order="id",
            )
        }
        for payment in self:
            receipt = found.get(payment._origin.id)
            fresh = receipt and receipt.write_date >= payment.write_date
            payment.wab_receipt_id = receipt if fresh else False

    # === ACTION METHODS === #

    def action_wab_compose(self):
        """Open our composer for the selected payments."""
        return self.env["whatsapp.billing.compose"]._open(self)

    # === BUSINESS METHODS === #

    def wab_send_receipt(self, template=False, partners=False, key=False):
        """Send the receipts of customer payments on WhatsApp.

        Parameters, answer and errors as `account.move.wab_send`.
        """
        call_arguments.check_records(self)
        recipients = self._wab_get_recipients(partners)
        return self._wab_enqueue(
            recipients, "wab_send_receipt", template, key, explicit=True
        )

    def _wab_document_type(self):
        self.ensure_one()
        if self.partner_type == "customer" and self.payment_type == "inbound":
            return "payment_receipt"
        return False

    def _wab_document_facts(self):
        self.ensure_one()
        states = {"draft": "draft", "canceled": "cancel", "rejected": "cancel"}
        return {"document_state": states.get(self.state, "posted")}

    @api.model
    def _wab_document_types(self):
        return ("payment_receipt",)

    @api.model
    def _wab_has_file(self, document_type):
        return document_type == "payment_receipt"

    def _wab_make_file(self):
        """Render the receipt once and keep it while the payment stays as it is."""
        self.ensure_one()
        found = self._wab_attachment()
        if found:
            return found
        content, _kind = (
            self.env["ir.actions.report"]
            .with_company(self.company_id)
            ._render_qweb_pdf(RECEIPT_REPORT, self.ids)
        )
        attachment = self.env["ir.attachment"].create(
            {
                "name": self._wab_filename(),
                "raw": content,
                "mimetype": const.PDF,
                "res_model": self._name,
                "res_id": self.id,
                "description": const.METHOD,
            }
        )
        self.invalidate_recordset(["wab_receipt_id"])
        return attachment

    def _wab_attachment(self):
        self.ensure_one()
        # sudo: ir.attachment - the receipt of a payment that the user may read
        return self.sudo().wab_receipt_id

    def _wab_document_name(self):
        self.ensure_one()
        return self.name or self.display_name or ""

    def _wab_fingerprints(self):
        if not self:
            return {}
        self.flush_recordset(FINGERPRINT_FIELDS)
        self.env["res.company"].flush_model(["name"])
        columns = SQL(", ").join(SQL.identifier("p", name) for name in FINGERPRINT_FIELDS)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT p.id, jsonb_build_array(%s, c.name)::text
                  FROM account_payment p JOIN res_company c ON c.id = p.company_id
                 WHERE p.id = ANY(%s)
                """,
                columns,
                self.ids,
            )
        )
        return dict(rows)

    @api.model
    def _wab_fingerprint_paths(self):
        plain = [f for f in FINGERPRINT_FIELDS if not self._fields[f].relational]
        return (*plain, "company_id.name")
