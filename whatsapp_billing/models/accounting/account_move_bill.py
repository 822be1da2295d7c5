# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import logging

from odoo import models

from ..common.savepoint import savepoint_or_log

_logger = logging.getLogger(__name__)


class AccountMove(models.Model):
    """Bills that buy WhatsApp credits: what becomes of them is booked in the wallet."""

    _inherit = "account.move"

    # === BUSINESS METHODS === #

    def _post(self, soft=True):
        """Override of `account` to add credits at posting, or take them back."""
        posted = super()._post(soft=soft)
        posted._wab_sync_purchases()
        return posted

    def _invoice_paid_hook(self):
        """Override of `account` to add the credits of a bill that is paid."""
        result = super()._invoice_paid_hook()
        self._wab_sync_purchases()
        return result

    def button_draft(self):
        """Override of `account` to take back the credits of a bill that is reset."""
        result = super().button_draft()
        self._wab_sync_purchases()
        return result

    def button_cancel(self):
        """Override of `account` to take back the credits of a cancelled bill."""
        result = super().button_cancel()
        self._wab_sync_purchases()
        return result

    def _wab_sync_purchases(self):
        """Book what these bills and refunds mean; never stops accounting."""
        bills = self.filtered(
            lambda move: move.move_type in ("in_invoice", "in_refund")
        )
        if not bills:
            return
        # sudo: whatsapp.billing.credit.purchase - whoever pays the bill
        purchases_sudo = (
            self.env["whatsapp.billing.credit.purchase"]
            .sudo()
            .search([("bill_id", "in", (bills | bills.reversed_entry_id).ids)])
        )
        if not purchases_sudo:
            return
        text = "Credits of purchases %s were not booked"
        with savepoint_or_log(self.env, _logger, text, purchases_sudo) as booking:
            purchases_sudo._sync_bill()
        if booking.error:
            for purchase in purchases_sudo:
                purchase.message_post(
                    body=self.env._(
                        "The credits of this bill could not be booked. Open the "
                        "purchase and press Check Bill."
                    )
                )
