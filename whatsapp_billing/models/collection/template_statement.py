# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Values of all that a customer owes, where a template speaks of several invoices."""

from collections import defaultdict

import babel.numbers

from odoo import api, fields, models

from ...rules import statement
from ..template.template_variable import (
    LEFT_TO_PAY,
    OLDEST_DUE,
    OPEN_COUNT,
    OPEN_LINES,
    OPEN_TOTAL,
    PAID_FOR,
    STILL_OPEN,
)

GROUP_PATHS = {OPEN_LINES, OPEN_TOTAL, OPEN_COUNT, OLDEST_DUE}
# In the context of rendering: {move id: [OpenLine]} that a text lists.
CONTEXT = "wab_open_line_groups"
# Most invoices that a receipt names; more do not fit into its text.
MAX_INVOICES = 8
AMOUNT, DUE = "amount_residual", "invoice_date_due"
DUE_PATHS = {AMOUNT, DUE}


class WhatsappBillingTemplate(models.Model):
    _inherit = "whatsapp.billing.template"

    reminder_tone = fields.Selection(
        [("overdue", "Overdue"), ("last", "Last reminder")],
        string="For Steps",
        help="Steps of a plan that name no template take this one after the due date,"
        " or as the last of the plan. Empty: any step, also before the due date.",
    )

    # === BUSINESS METHODS - RENDERING === #

    def _is_for_many(self):
        """Tell whether the text can speak of several invoices."""
        return bool(
            {OPEN_LINES, OPEN_TOTAL} & set(self.variable_ids.mapped("field_path"))
        )

    def _read_variable(self, record, variable, lang):
        """Fill in what is no field of the document but all that is owed."""
        path = variable.field_path
        if path in GROUP_PATHS:
            return self._get_group_text(self._get_open_lines(record), path, lang)
        if path == STILL_OPEN:
            return self._get_total_text(record._wab_still_open(), lang)
        if path == PAID_FOR:
            return self._get_paid_for(record)
        if path == LEFT_TO_PAY:
            return self._get_left_to_pay(record, lang)
        text = None
        if path in DUE_PATHS and self.document_type == "payment_reminder":
            text = self._get_due_text(record, variable, lang)
        if text is None:
            return super()._read_variable(record, variable, lang)
        return text

    def _is_of_lines(self, path):
        """Override: what is owed, and by when, is asked line by line."""
        return path in GROUP_PATHS | DUE_PATHS or super()._is_of_lines(path)

    def _get_open_lines(self, record):
        """Return the lines that the message is about: given, or the document's own."""
        given = self.env.context.get(CONTEXT) or record.env.context.get(CONTEXT)
        if given and record.id in given:
            return given[record.id]
        if record._name != "account.move":
            return []
        return record._wab_reminded_lines()[record.id]

    def _get_group_text(self, lines, path, lang):
        owed = [line for line in lines if not line.is_credit]
        if path == OPEN_COUNT:
            return str(len(owed))
        if path == OLDEST_DUE:
            oldest = min((line.due for line in owed if line.due), default=None)
            return self._format_date(oldest, lang) if oldest else ""
        if path == OPEN_TOTAL:
            totals = defaultdict(float)
            for line in lines:
                totals[line.currency_id] += line.amount
            return self._get_total_text(totals, lang)
        return statement.join(
            [
                (
                    line.name,
                    self._format_owed(line.amount, line.currency_id, lang),
                    self._format_date(line.due, lang) if line.due else "",
                )
                for line in owed
            ]
        )

    def _get_paid_for(self, payment):
        """Return what a payment was for, in the language that it is read in."""
        names = [name for name in payment._wab_get_invoices().mapped("name") if name]
        if not names:
            return payment.env._("your account")
        shown = ", ".join(names[:MAX_INVOICES])
        if len(names) > MAX_INVOICES:
            shown = f"{shown}, …"
        if len(names) == 1:
            return payment.env._("invoice %(name)s", name=shown)
        return payment.env._("invoices %(names)s", names=shown)

    def _get_left_to_pay(self, payment, lang):
        open_amounts = {
            c: amount for c, amount in payment._wab_still_open().items() if amount
        }
        if not open_amounts:
            return payment.env._("Nothing is left to pay.")
        return payment.env._(
            "Left to pay: %(amount)s.", amount=self._get_total_text(open_amounts, lang)
        )

    def _get_total_text(self, totals, lang):
        """Return amounts of several currencies, one after the other."""
        return " + ".join(
            self._format_owed(amount, currency_id, lang)
            for currency_id, amount in sorted(totals.items())
        )

    def _format_owed(self, amount, currency_id, lang):
        currency = self.env["res.currency"].browse(currency_id)
        return self._format_money(amount, currency, lang)

    def _fill(self, parts, texts):
        """Give quick replies our word for them, so that a tap needs no reading."""
        rendered = super()._fill(parts, texts)
        rendered["buttons"] = [*rendered["buttons"], *self._get_quick_replies()]
        return rendered

    def _get_quick_replies(self):
        """Return [index, kind, word] of the buttons that answer a reminder."""
        return [
            [index, "quick_reply", button.value]
            for index, button in enumerate(self.button_ids.sorted("sequence"))
            if button.kind == "quick_reply" and button.value
        ]

    # === BUSINESS METHODS - CHOOSING === #

    def _become_default(self):
        """Override to leave out texts about several invoices, whichever comes first.

        They are found where there are several; of one they would say "1 invoices".
        """
        return super()._become_default() if self._is_for_any_document() else None

    def _is_for_any_document(self):
        """Override: a text for several invoices, or for late ones, fits not every one."""
        is_special = self._is_for_many() or self.reminder_tone
        return super()._is_for_any_document() and not is_special

    @api.model
    def _reminder_template(self, step, account, langs, many):
        """Return the template that a step's reminder goes out with.

        The step's own, or its namesake in the customer's language; else the default
        for reminders; for several invoices one that can name them all. Never one that
        WhatsApp has moved to offers: it costs more and needs a consent to offers.

        :param langs: codes as WhatsApp writes them, the best first
        :return: a template, none where only one invoice could be named
        """
        # sudo: whatsapp.billing.template - a clerk sends what a manager wrote
        step_sudo = step.sudo()
        company = step_sudo.plan_id.company_id
        own_sudo = step_sudo.template_id._of_company(company)
        if many:
            chosen_sudo = step_sudo.many_template_id._of_company(company)
            chosen_sudo = chosen_sudo or own_sudo.filtered(
                lambda template: template._is_for_many()
            )
            found = chosen_sudo._in_language(langs)
            found = found or self._find_for_many(account, langs)
        else:
            found = own_sudo._in_language(langs)
            found = found or self._find_for_step(step, account, langs)
        return found.filtered(lambda t: t.category == "utility" and not t.obstacle)

    @api.model
    def _find_for_step(self, step, account, langs):
        """Return the text for when a step is: before, overdue, the last; or the default.

        In the language that is nearest first: a tone is no reason to change it.
        """
        default = self._find_default(account, "payment_reminder", langs)
        tone = step._get_tone()
        if not tone:
            return default
        # sudo: whatsapp.billing.template - as `_find_default`
        found = self.sudo().search(
            [
                ("account_id", "=", account.id),
                ("active", "=", True),
                ("document_type", "=", "payment_reminder"),
                ("reminder_tone", "=", tone),
                ("lang_code", "in", list(langs)),
                ("status", "=", "approved"),
                ("category", "=", "utility"),
                ("obstacle", "=", False),
            ]
        )
        send_request = {lang: index for index, lang in enumerate(langs)}
        best = found.sorted(key=lambda t: (send_request[t.lang_code], t.id))[:1]
        if not best:
            return default
        if default.status == "approved" and not default.obstacle:
            nearest = min(send_request[best.lang_code], send_request[default.lang_code])
            if send_request[best.lang_code] > nearest:
                return default
        return best.with_env(default.env)

    def _in_language(self, langs):
        """Return this template, or its namesake in the first of these languages."""
        if not self or not langs or self.lang_code == langs[0]:
            return self
        siblings = self.search(
            [
                ("account_id", "=", self.account_id.id),
                ("active", "=", True),
                ("template_name", "=", self.template_name),
                ("lang_code", "in", langs),
                ("status", "=", "approved"),
                ("obstacle", "=", False),
            ]
        )
        send_request = {lang: index for index, lang in enumerate(langs)}
        best = siblings.sorted(key=lambda template: send_request[template.lang_code])[
            :1
        ]
        return best or self

    @api.model
    def _find_for_many(self, account, langs):
        # sudo: whatsapp.billing.template - as `_find_default`
        found = self.sudo().search(
            [
                ("account_id", "=", account.id),
                ("active", "=", True),
                ("document_type", "=", "payment_reminder"),
                ("lang_code", "in", list(langs)),
                ("status", "=", "approved"),
                ("obstacle", "=", False),
                ("variable_ids.field_path", "in", (OPEN_LINES, OPEN_TOTAL)),
            ]
        )
        send_request = {lang: index for index, lang in enumerate(langs)}
        return found.sorted(
            key=lambda t: (send_request[t.lang_code], not t.is_default, t.id)
        )[:1]

    # === BUSINESS METHODS - THE INSTALMENTS THAT ARE MEANT === #

    def _get_due_text(self, record, variable, lang):
        """Return what is open or due of one invoice: its instalments that are meant.

        The invoice's own due date is its last instalment's, and its open amount knows
        nothing of payments that are not in the books yet.

        :return: None where the record is no invoice, or no line of it is meant
        """
        if record._name != "account.move":
            return None
        given = self._get_open_lines(record)
        lines = [
            line for line in given if line.name == record.name and not line.is_credit
        ]
        if variable.field_path == DUE:
            due = min((line.due for line in lines if line.due), default=None)
            return self._format_date(due, lang) if due else None
        if not lines:
            return None
        return self._format_open(self._get_amount(lines, given), variable, lang)

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
