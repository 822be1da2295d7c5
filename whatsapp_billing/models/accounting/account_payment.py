# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Payments as documents: their receipt, and what becomes of it when money goes back."""

import hashlib

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.safe_eval import safe_eval, time

from ... import const
from ...rules import parameters

# States of a payment whose money went back.
TAKEN_BACK = ("draft", "canceled", "rejected")
RECEIPT_REPORT = "account.action_report_payment_receipt"
# Fields in a payment's fingerprint: when one changes, a waiting receipt is replaced.
FINGERPRINT_FIELDS = ("name", "partner_id", "currency_id", "amount", "date", "memo")


class AccountPayment(models.Model):
    _name = "account.payment"
    _inherit = [
        "account.payment",
        "whatsapp.billing.document.mixin",
        "whatsapp.billing.recipient.guard",
    ]

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
                    ("description", "=like", f"{const.METHOD}%"),
                ],
                order="id",
            )
        }
        marks = self.filtered(lambda p: p._origin.id in found)._wab_file_marks()
        for payment in self:
            receipt = found.get(payment._origin.id)
            fresh = (
                receipt
                and receipt.write_date >= payment.write_date
                and receipt.description == marks[payment.id]
            )
            payment.wab_receipt_id = receipt if fresh else False

    # === CRUD METHODS === #

    def write(self, vals):
        """Override of `account` to mark receipts of money that went back."""
        had = (
            self.filtered(lambda p: p.state in const.RECEIVED_STATES)
            if "state" in vals
            else self.browse()
        )
        result = super().write(vals)
        gone = had.filtered(lambda payment: payment.state in TAKEN_BACK)
        if gone:
            gone._wab_in_savepoint(gone._wab_revoke_receipts)
        return result

    # === BUSINESS METHODS === #

    def wab_send_receipt(self, template=False, partners=False, key=False):
        """Send the receipts of customer payments on WhatsApp.

        Parameters, answer and errors as `account.move.wab_send`.
        """
        return self._wab_send("wab_send_receipt", template, partners, key)

    def _wab_receipts(self, is_canceled=False):
        """Return the receipts of these payments that went out or wait to.

        :param is_canceled: those that never left instead
        """
        # sudo: whatsapp.billing.message - kept by the system, whoever books
        return (
            self.env["whatsapp.billing.message"]
            .sudo()
            .search(
                [
                    ("res_model", "=", self._name),
                    ("res_id", "in", self.ids),
                    ("direction", "=", "out"),
                    ("document_type", "=", "payment_receipt"),
                    ("method", "!=", const.TEST_METHOD),
                    ("state", "=" if is_canceled else "!=", "canceled"),
                ]
            )
        )

    def _wab_revoke_receipts(self):
        """Withdraw receipts that wait, and mark those that left as no longer true."""
        receipts_sudo = self._wab_receipts()
        receipts_sudo._withdraw("cancelled_document")
        # A receipt that never left frees its key, so that it is sent when the payment
        # comes back. One that a person cancelled (no reason) keeps it.
        never_sudo = self._wab_receipts(is_canceled=True)
        never_sudo.filtered(lambda message: message.key and message.reason).key = False
        told_sudo = receipts_sudo.filtered(lambda message: message.state != "canceled")
        if not told_sudo:
            return
        told_sudo.is_no_longer_true = True
        payments = self.filtered(lambda p: p.id in told_sudo.mapped("res_id"))
        payments._message_log_batch(
            bodies=dict.fromkeys(
                payments.ids,
                self.env._(
                    "The receipt that was sent on WhatsApp is no longer true: this"
                    " payment was rejected, cancelled or reset."
                ),
            )
        )

    def _wab_restore_receipts(self):
        """Make receipts true again whose payment is back as it was.

        A payment that came back changed has its receipt told anew.

        :return: payments that need no receipt of their own any more
        """
        revoked_sudo = self._wab_receipts().filtered("is_no_longer_true")
        same_sudo = revoked_sudo._with_true_snapshot()
        same_sudo.is_no_longer_true = False
        # The payment is another one by now: its earlier receipts free their key for a
        # new one.
        (revoked_sudo - same_sudo).key = False
        return self.browse(same_sudo.mapped("res_id"))

    def _wab_document_type(self):
        self.ensure_one()
        if self.partner_type == "customer" and self.payment_type == "inbound":
            return "payment_receipt"
        return False

    def _wab_document_facts(self):
        self.ensure_one()
        states = {"draft": "draft", "canceled": "cancel", "rejected": "cancel"}
        # sudo: account.move - whether the bank took it back, for whoever may read it
        entries = self.sudo().move_id.reversal_move_ids
        if any(entry.state == "posted" for entry in entries):
            return {"document_state": "cancel"}
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
        if found and found._wab_is_there():
            return found
        content, _kind = (
            self.env["ir.actions.report"]
            .with_company(self.company_id)
            ._render_qweb_pdf(RECEIPT_REPORT, self.ids)
        )
        if found:
            found.raw = content
            return found
        attachment = self.env["ir.attachment"].create(
            {
                "name": self._wab_filename(),
                "raw": content,
                "mimetype": const.PDF,
                "res_model": self._name,
                "res_id": self.id,
                "description": self._wab_file_marks()[self.id],
            }
        )
        self.invalidate_recordset(["wab_receipt_id"])
        return attachment

    def _wab_file_marks(self):
        """Override: a receipt lists its invoices and what is left to pay of each.

        Money that was on one invoice may be put on another without a word to the
        payment, and what others pay changes what is left.
        """
        marks = {}
        for payment in self:
            listed = [
                (
                    move.id,
                    move.name,
                    str(move.invoice_date),
                    move.ref or "",
                    move.currency_id.id,
                    move.currency_id.round(move.amount_total),
                    move.currency_id.round(move.amount_residual),
                )
                for move in payment.reconciled_invoice_ids.sorted("id")
            ]
            digest = hashlib.sha256(repr(listed).encode()).hexdigest()[:32]
            marks[payment.id] = f"{const.METHOD} {digest}"
        return marks

    def _wab_attachment(self):
        self.ensure_one()
        # sudo: ir.attachment - the receipt of a payment that the user may read
        return self.sudo().wab_receipt_id

    def _wab_document_name(self):
        self.ensure_one()
        return self.name or self.display_name or ""

    def _wab_filename(self):
        """Return the name that printing the receipt gives it, as it may go out."""
        self.ensure_one()
        name = self._wab_attachment().name or self._wab_report_filename()
        return parameters.attachment_filename(name)

    def _wab_report_filename(self):
        # sudo: ir.actions.report - the name that an administrator gave to receipts
        report_sudo = self.env.ref(RECEIPT_REPORT).sudo()
        name = self._wab_document_name()
        if report_sudo.print_report_name:
            values = {"object": self, "time": time}
            try:
                name = safe_eval(report_sudo.print_report_name, values) or name
            except ValueError:
                # The report's print name raises: the receipt goes under the payment's
                # own name.
                return name
        return str(name).replace("/", "_")

    @api.model
    def _wab_fingerprint_sql(self):
        """Override: a payment that was taken back says nothing any more.

        Where its entry was reversed, its state does not tell.
        """
        entries = self.env["account.move"]._fields
        return SQL(
            """
            CASE WHEN %s != ALL(%s) AND NOT EXISTS (
                 SELECT 1 FROM account_move b WHERE %s = %s AND %s = 'posted')
            THEN %s END
            """,
            SQL.identifier("d", "state", to_flush=self._fields["state"]),
            list(TAKEN_BACK),
            SQL.identifier(
                "b", "reversed_entry_id", to_flush=entries["reversed_entry_id"]
            ),
            SQL.identifier("d", "move_id", to_flush=self._fields["move_id"]),
            SQL.identifier("b", "state", to_flush=entries["state"]),
            self._wab_columns_sql(FINGERPRINT_FIELDS),
        )

    @api.model
    def _wab_example_domain(self, document_type):
        return [("payment_type", "=", "inbound")]

    @api.model
    def _wab_usual_types(self):
        return {"payment_receipt"}

    @api.model
    def _wab_kind_switches(self):
        return {"payment_receipt": "wab_sends_payment_receipts"}

    @api.model
    def _wab_facts_sql(self):
        """Override: what was taken back says nothing, the others are posted."""
        return {"document_state": SQL("'posted'")}

    @api.model
    def _wab_fingerprint_paths(self):
        plain = [f for f in FINGERPRINT_FIELDS if not self._fields[f].relational]
        return (*plain, "company_id.name", "wab_company_name")
