# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What a reminder of one invoice says is open and due: its instalments that are meant.

The invoice's own due date is its last instalment's, and its open amount knows nothing
of payments that are not in the books yet.
"""

import babel.numbers

from odoo import models

AMOUNT = "amount_residual"
DUE = "invoice_date_due"


class WhatsappBillingTemplate(models.Model):
    _inherit = "whatsapp.billing.template"

    # === BUSINESS METHODS - RENDERING === #

    def _read_variable(self, record, variable, lang):
        """Fill in amount and due date of what the reminder is about."""
        path = variable.field_path
        if (
            path not in (AMOUNT, DUE)
            or record._name != "account.move"
            or self.document_type != "payment_reminder"
        ):
            return super()._read_variable(record, variable, lang)
        given = self._get_open_lines(record)
        lines = [
            line for line in given if line.name == record.name and not line.is_credit
        ]
        if path == DUE:
            due = min((line.due for line in lines if line.due), default=None)
            if due:
                return self._format_date(due, lang)
        elif lines:
            owed = self._get_amount(lines, given)
            return self._format_open(owed, variable, lang)
        return super()._read_variable(record, variable, lang)

    def _is_of_lines(self, path):
        """Override: amount and due date of a reminder are those of its lines."""
        return path in (AMOUNT, DUE) or super()._is_of_lines(path)

    def _get_amount(self, lines, given):
        """Return (amount, currency id): open, less credits and payments on their way.

        :param given: all that the message is about, credits among them
        """
        currency_id = lines[0].currency_id
        amount = sum(line.amount for line in lines)
        credits = sum(
            line.amount
            for line in given
            if line.is_credit and line.currency_id == currency_id
        )
        return (amount + credits if amount + credits > 0 else amount), currency_id

    def _format_open(self, owed, variable, lang):
        amount, currency_id = owed
        if variable.format == "money":
            return self._format_owed(amount, currency_id, lang)
        return babel.numbers.format_decimal(amount, locale=self._get_locale(lang))
