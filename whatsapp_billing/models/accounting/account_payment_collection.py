# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""When the receipt of a payment is sent by itself: posted, registered, paid online."""

from collections import defaultdict

from odoo import api, fields, models

from ...const import RECEIVED_STATES

# In the context: the receipt waits. Registering a payment posts it before it is
# reconciled, and only then does it say what is still open.
LATER = "wab_receipt_later"
RECEIPT_KEY = "auto"


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def write(self, vals):
        """Follow what a payment does to the invoices that it is for."""
        result = super().write(vals)
        if "state" in vals:
            self._wab_get_invoices()._wab_sync_cases()
        return result

    def action_post(self):
        """Override of `account` to send the receipt, where the company wants that."""
        result = super().action_post()
        self._wab_get_invoices()._wab_sync_cases()
        if not self.env.context.get(LATER):
            self._wab_auto_receipts()
        return result

    # === BUSINESS METHODS === #

    @api.model
    def _wab_rule_options(self):
        # The same key for setting and automation rule: a payment has one receipt.
        return {"method": "auto_receipt", "key": RECEIPT_KEY}

    def _wab_get_invoices(self):
        """Return the customer invoices that these pay."""
        customers = self.filtered(lambda payment: payment.partner_type == "customer")
        return (customers.invoice_ids | customers.reconciled_invoice_ids).exists()

    def _wab_auto_receipts(self, is_wanted=None):
        """Queue the receipts of customers' payments, each once, in a savepoint.

        :param is_wanted: what a person has ticked; None: as the company has it
        """
        todo = self.filtered(
            lambda payment: (
                (
                    payment.company_id.wab_auto_receipt
                    if is_wanted is None
                    else is_wanted
                )
                and payment.state in RECEIVED_STATES
                and payment._wab_document_type() == "payment_receipt"
            )
        )
        if todo:
            todo._wab_get_invoices()._wab_in_savepoint_or_note(todo._wab_queue_receipts)

    def _wab_queue_receipts(self):
        # sudo: account.payment - what the company has decided, not who posts it
        payments_sudo = self.sudo()
        payments_sudo -= payments_sudo._wab_restore_receipts()
        if not payments_sudo:
            return
        payments_sudo._wab_enqueue(
            payments_sudo._wab_get_recipients(),
            "auto_receipt",
            key=RECEIPT_KEY,
        )

    def _wab_keep_recipients(self, partners):
        """Keep who was chosen for the receipt of one customer's payments.

        Payments of several customers keep each their own contact's recipients.
        """
        if not partners or len(self.partner_id) != 1:
            return
        company = self.company_id[:1]
        defaults = self.partner_id._wab_default_recipients(company)
        if partners != defaults[self.partner_id.id]:
            self.wab_recipient_ids = partners._wab_of_company(company)

    def _wab_ask_about(self, moves):
        """Ask a person about money that came in for cancelled invoices."""
        self.ensure_one()
        user = self.company_id._wab_get_responsible(moves.invoice_user_id)
        self.activity_schedule(
            "mail.mail_activity_data_warning",
            summary=self.env._("Payment for a cancelled invoice"),
            note=self.env._(
                "Money came in for %(invoices)s, which is cancelled. Give it back, or"
                " use it for another invoice, and tell the customer.",
                invoices=", ".join(moves.mapped(lambda move: move.name or "")),
            ),
            user_id=user.id,
        )

    def _wab_still_open(self):
        """Return {currency id: what is open on the invoices after this payment}."""
        self.ensure_one()
        totals = defaultdict(float)
        # Cancelled and draft invoices are not listed as open, also where they were
        # paid.
        invoices = self._wab_get_invoices().filtered(lambda m: m.state == "posted")
        for invoice in invoices:
            totals[invoice.currency_id.id] += invoice._wab_residual()
        return dict(totals) or {self.currency_id.id: 0.0}


class AccountMove(models.Model):
    _inherit = "account.move"

    def _wab_residual(self):
        """Return what is open, less payments that are not in the books yet."""
        self.ensure_one()
        # sudo: account.payment - what is paid already, for whoever may read the invoice
        waiting = self.sudo().matched_payment_ids.filtered(
            lambda payment: (
                not payment.move_id
                and payment.state in RECEIVED_STATES
                and payment.payment_type == "inbound"
            )
        )
        paid = sum(
            payment.currency_id._convert(
                payment.amount, self.currency_id, payment.company_id, payment.date
            )
            for payment in waiting
        )
        return max(self.currency_id.round(self.amount_residual - paid), 0.0)


class AccountPaymentRegister(models.TransientModel):
    _name = "account.payment.register"
    _inherit = ["account.payment.register", "whatsapp.billing.recipient.guard"]

    wab_can_receipt = fields.Boolean(compute="_compute_wab_can_receipt")
    wab_send_receipt = fields.Boolean(
        string="Send receipt by WhatsApp",
        compute="_compute_wab_send_receipt",
        store=True,
        readonly=False,
        help="Each customer gets the receipt of their payment, if WhatsApp reaches them.",
    )
    wab_recipient_ids = fields.Many2many(
        "res.partner",
        "account_payment_register_wab_recipient_rel",
        "wizard_id",
        "partner_id",
        string="Receipt To",
        compute="_compute_wab_recipient_ids",
        store=True,
        readonly=False,
    )
    wab_cost_html = fields.Html(
        string="Cost of the Receipt", compute="_compute_wab_cost_html", sanitize=False
    )

    # === COMPUTE METHODS === #

    @api.depends("company_id", "partner_type", "payment_type")
    def _compute_wab_can_receipt(self):
        may_send = self.env.user.has_group("whatsapp_billing.group_user")
        for wizard in self:
            # sudo: res.company - whether an account sends, nothing more
            company_sudo = wizard.company_id.sudo()
            wizard.wab_can_receipt = bool(
                may_send
                and company_sudo.wab_account_id
                and company_sudo.wab_sends_payment_receipts
                and wizard.partner_type == "customer"
                and wizard.payment_type == "inbound"
            )

    @api.depends("company_id")
    def _compute_wab_send_receipt(self):
        for wizard in self:
            # sudo: res.company - its setting, whoever registers the payment
            wizard.wab_send_receipt = wizard.company_id.sudo().wab_auto_receipt

    @api.depends("partner_id", "company_id", "can_edit_wizard")
    def _compute_wab_recipient_ids(self):
        for wizard in self:
            partner = wizard.partner_id._origin
            defaults = partner._wab_default_recipients(wizard.company_id)
            wizard.wab_recipient_ids = defaults.get(partner.id, partner)

    @api.depends("wab_send_receipt", "wab_can_receipt", "wab_recipient_ids")
    def _compute_wab_cost_html(self):
        """Say what the receipts cost, before they are ordered with a tick."""
        wallets = self.env["whatsapp.billing.credit.wallet"]
        for wizard in self:
            wizard.wab_cost_html = False
            if not (wizard.wab_can_receipt and wizard.wab_send_receipt):
                continue
            items = [
                (partner.wab_recipient, "utility", 0)
                for partner in wizard._wab_get_receivers()
                if partner.wab_recipient
            ]
            if items:
                estimate = wallets._estimate(wizard.company_id, items)
                wizard.wab_cost_html = wallets._render_estimates([estimate])

    def _wab_get_receivers(self):
        """Return who would get a receipt, a person once for each payment to be made."""
        self.ensure_one()
        if self.can_edit_wizard and self.wab_recipient_ids:
            return list(self.wab_recipient_ids._origin)
        partners = self.line_ids._origin.partner_id
        found = partners._wab_default_recipients(self.company_id)
        return [one for partner in partners for one in found.get(partner.id, partner)]

    def _create_payments(self):
        """Override of `account` to send receipts once the money is on the invoices."""
        wizard = self.with_context(**{LATER: True})
        payments = super(AccountPaymentRegister, wizard)._create_payments()
        payments = payments.with_env(self.env)
        payments._wab_get_invoices()._wab_sync_cases()
        payments._wab_keep_recipients(self.wab_recipient_ids._origin)
        payments._wab_auto_receipts(
            self.wab_send_receipt if self.wab_can_receipt else None
        )
        return payments


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    def _create_payment(self, **extra_create_values):
        """Override of `account_payment`, as for registered payments."""
        transaction = self.with_context(**{LATER: True})
        payment = super(PaymentTransaction, transaction)._create_payment(
            **extra_create_values
        )
        payment = payment.with_env(self.env)
        payment._wab_auto_receipts()
        withdrawn = self.invoice_ids.filtered(lambda move: move.state == "cancel")
        if withdrawn:
            payment._wab_in_savepoint(lambda: payment._wab_ask_about(withdrawn))
        return payment
