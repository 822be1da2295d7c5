# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Invoices as documents: who gets one, its PDF, what must not change until it goes."""

from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.account.models import account_move

from ... import const
from ...rules import parameters

# Fields in an invoice's fingerprint: when one changes, a waiting message is replaced.
FINGERPRINT_FIELDS = (
    "move_type",
    "name",
    "partner_id",
    "currency_id",
    "amount_untaxed",
    "amount_tax",
    "amount_total",
    "invoice_date",
    "invoice_date_due",
    "ref",
    "payment_reference",
    "invoice_origin",
)

DOCUMENT_TYPES = {
    "out_invoice": "invoice",
    "out_refund": "credit_note",
    "out_receipt": "sales_receipt",
}

# The expression by which Odoo's own invoice reports name their files.
CORE_PRINT_NAME = "(object._get_report_base_filename())"


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = [
        "account.move",
        "whatsapp.billing.document.mixin",
        "whatsapp.billing.recipient.guard",
    ]

    wab_send_override = fields.Selection(
        [("on", "On"), ("off", "Off")],
        string="WhatsApp for This Document",
        copy=False,
        help="Empty: as set on the contact.",
    )
    wab_enabled = fields.Boolean(
        compute="_compute_wab_enabled",
        inverse="_inverse_wab_enabled",
        string="Send on WhatsApp",
    )
    wab_recipient_ids = fields.Many2many(
        "res.partner",
        "account_move_wab_recipient_rel",
        "move_id",
        "partner_id",
        string="WhatsApp Recipients",
        copy=False,
        help="Empty: the contact's default recipients.",
    )

    wab_problem = fields.Char(
        string="WhatsApp Problem",
        compute="_compute_wab_problem",
        search="_search_wab_problem",
        groups="whatsapp_billing.group_user",
        help="Why somebody was not reached, until a person has seen to it.",
    )

    # === COMPUTE METHODS === #

    @api.depends(
        "wab_message_ids.state",
        "wab_message_ids.is_handled",
        "partner_id",
        "wab_recipient_ids",
    )
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_wab_problem(self):
        failed = self._wab_find_failed()
        messages = self.env["whatsapp.billing.message"].union(*failed.values())
        explanations = {message.id: message.explanation for message in messages}
        for move in self:
            newest_id = failed.get(move._origin.id, messages.browse())[:1].id
            move.wab_problem = newest_id and (
                explanations[newest_id] or self.env._("WhatsApp did not say why.")
            )

    def _search_wab_problem(self, operator, value):
        self._check_field_access(self._fields["wab_problem"], "read")
        if operator != "in" or set(value) != {False}:
            return NotImplemented
        failed = SQL("SELECT res_id FROM (%s) f", self._wab_failed_sql(SQL("TRUE")))
        return [("id", "not in", failed)]

    @api.depends(
        "wab_send_override",
        "wab_recipient_ids.wab_enabled",
        "partner_id.wab_enabled",
        "commercial_partner_id.wab_enabled",
    )
    def _compute_wab_enabled(self):
        reached = self._wab_reached()
        for move in self:
            if move.wab_send_override:
                move.wab_enabled = move.wab_send_override == "on"
            else:
                move.wab_enabled = reached[move.id]

    def _inverse_wab_enabled(self):
        reached = self._wab_reached()
        for move in self:
            same = move.wab_enabled == reached[move.id]
            move.wab_send_override = (
                False if same else "on" if move.wab_enabled else "off"
            )

    def _wab_reached(self):
        """Return {move id: whether WhatsApp is on for anybody who would get it}."""
        recipients = self._wab_get_recipients()
        result = {}
        for company, moves in self.grouped("company_id").items():
            people = self.env["res.partner"].union(*(recipients[m.id] for m in moves))
            enabled = people._origin._wab_find_enabled(company)
            for move in moves:
                result[move.id] = bool(recipients[move.id]._origin & enabled)
        return result

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override: however it came there, what waits to be sent is its writer's."""
        moves = super().create(vals_list)
        if not self.env.su:
            for move in moves.filtered("sending_data"):
                move.sending_data = move.sending_data
        return moves

    def write(self, vals):
        """Override: what Odoo's cron sends later goes with the rights of who asked.

        It takes them from this field, which whoever changes an invoice may fill in.
        """
        data = vals.get("sending_data")
        if isinstance(data, dict) and not self.env.su:
            vals = vals | {"sending_data": data | {"author_user_id": self.env.uid}}
        return super().write(vals)

    # === BUSINESS METHODS - ANOTHER CUSTOMER === #

    def _wab_leave_customer(self, is_choice):
        """Override: the link that a former customer was sent opens it no more.

        Without a login it would show them whose it is by now, and the PDF.
        """
        result = super()._wab_leave_customer(is_choice)
        # sudo: account.move - the portal's token, whoever corrects the customer
        linked_sudo = self.sudo().filtered("access_token")
        if linked_sudo:
            linked_sudo.access_token = False
        return result

    # === BUSINESS METHODS - WHOM IT DID NOT REACH === #

    def _wab_find_failed(self):
        """Return {move id: messages that failed and wait for somebody}, newest first.

        Only what the user may read.
        """
        messages = self.env["whatsapp.billing.message"]
        if not self._origin.ids:
            return {}
        rows = self.env.execute_query(
            self._wab_failed_sql(SQL("a.res_id = ANY(%s)", self._origin.ids))
        )
        readable = messages.search([("id", "in", [row[1] for row in rows])])
        about = defaultdict(set)
        for move_id, message_id in rows:
            about[move_id].add(message_id)
        return {
            move_id: readable.filtered(lambda m, ids=ids: m.id in ids)
            for move_id, ids in about.items()
        }

    def _wab_failed_messages(self):
        """Return the failures about these documents that a person has to see to."""
        messages = self.env["whatsapp.billing.message"]
        return messages.union(*self._wab_find_failed().values())

    # === ACTION METHODS === #

    def action_wab_retry(self):
        """Send again what failed."""
        self.check_access("read")
        return self._wab_failed_messages().action_retry()

    def action_wab_handled(self):
        """Note that a person has seen to what failed."""
        self.check_access("read")
        return self._wab_failed_messages().action_mark_handled()

    def action_wab_number(self):
        """Open whom WhatsApp did not reach, to correct the number."""
        self.check_access("read")
        partner = self._wab_failed_messages()[:1].partner_id or self.partner_id
        return partner._wab_open_number()

    # === BUSINESS METHODS === #

    def _post(self, soft=True):
        """Override of `account`: an entry that reverses a payment's takes it back."""
        posted = super()._post(soft=soft)
        payments = posted.reversed_entry_id.origin_payment_id
        if payments:
            payments._wab_in_savepoint(payments._wab_revoke_receipts)
        return posted

    def wab_send(self, template=False, partners=False, key=False):
        """Send these documents on WhatsApp.

        :param template: id, xml id or `template_name:lang_code`; left out, the
            default of the document type in each partner's language
        :param list partners: ids of res.partner to write to instead of the
            document's own recipients
        :param str key: at most 64 characters; a repeat with the same key returns
            the first result and does nothing
        :return: list of dictionaries, one per document and recipient: `id`,
            `partner_id`, `message_id`, `state`, `reason`, `detail`; absent values
            are False
        :raise AccessError: when the user may not read the documents or not send
        """
        return self._wab_send("wab_send", template, partners, key)

    def _wab_document_type(self):
        self.ensure_one()
        return DOCUMENT_TYPES.get(self.move_type, False)

    def _wab_document_facts(self):
        self.ensure_one()
        return {
            "document_state": self.state,
            "payment_state": self.payment_state,
        }

    def _wab_send_override_flag(self):
        self.ensure_one()
        return self.wab_send_override == "on" if self.wab_send_override else None

    @api.model
    def _wab_fact_words(self, name):
        field = {"document_state": "state"}.get(name, name)
        return dict(self._fields[field]._description_selection(self.env))

    def _wab_owners(self):
        # sudo: account.move - only whose invoice it is
        return {move.id: move.invoice_user_id for move in self.sudo().exists()}

    @api.model
    def _wab_example_domain(self, document_type):
        types = {kind: name for name, kind in DOCUMENT_TYPES.items()}
        move_type = types.get(document_type, "out_invoice")
        return [("move_type", "=", move_type), ("state", "=", "posted")]

    @api.model
    def _wab_usual_types(self):
        return {"invoice", "credit_note", "payment_reminder"}

    @api.model
    def _wab_kind_switches(self):
        return {
            "invoice": "wab_sends_invoices",
            "retainer_invoice": "wab_sends_invoices",
            "credit_note": "wab_sends_credit_notes",
            "sales_receipt": "wab_sends_sales_receipts",
            "payment_reminder": "wab_sends_reminders",
        }

    @api.model
    def _wab_facts_sql(self):
        def column(name):
            return SQL.identifier("d", name, to_flush=self._fields[name])

        return {
            "document_state": column("state"),
            "payment_state": column("payment_state"),
            "is_off": SQL("%s = 'off'", column("wab_send_override")),
        }

    @api.model
    def _wab_file_sql(self):
        """Override: the legal PDF, by whichever message it was made."""
        return SQL(
            "f.res_model = 'account.move' AND f.res_id = d.id"
            " AND f.res_field = 'invoice_pdf_report_file'"
        )

    @api.model
    def _wab_is_file_kept(self):
        # Odoo makes the legal PDF of an invoice once, and again only after a reset to
        # draft.
        return True

    @api.model
    def _wab_document_types(self):
        return (*DOCUMENT_TYPES.values(), "payment_reminder")

    @api.model
    def _wab_has_file(self, document_type):
        # A message to the invoice's contact (`customer_message`) goes without the PDF.
        return document_type in self._wab_document_types()

    def _wab_make_file(self):
        """Have Odoo's own generation make the legal PDF where it is missing or lost."""
        self.ensure_one()
        attachment = self.invoice_pdf_report_id
        if not attachment or not attachment._wab_is_there():
            sender = self.env["account.move.send"].with_company(self.company_id)
            sender = sender.with_context(**{const.DOCUMENTS_ONLY: True})
            sender._wab_make_legal_pdf(self.with_company(self.company_id))
        return self._wab_read_pdf()

    def _wab_read_pdf(self):
        """Return the legal PDF as it stands in the database now."""
        self.invalidate_recordset(["invoice_pdf_report_file", "invoice_pdf_report_id"])
        return self.invoice_pdf_report_id

    def _wab_attachment(self):
        self.ensure_one()
        # sudo: ir.attachment - the PDF of a document that the user may read
        return self.sudo().invoice_pdf_report_id

    def _wab_document_name(self):
        self.ensure_one()
        return self.name or self.display_name or ""

    def _wab_filename(self):
        """Return the name that Odoo's e-mail attaches, as it may go out."""
        self.ensure_one()
        name = self._wab_attachment().name or self._wab_report_filename()
        return parameters.attachment_filename(name)

    def _wab_report_filename(self):
        """Return the name that Odoo will give the PDF, from its report."""
        # Core searches the reports for each invoice; here once for all with the same
        # settings.
        customer = self.commercial_partner_id
        if self.company_id != self.env.company:
            customer = customer.with_company(self.company_id)
        choices = (
            customer.invoice_template_pdf_report_id.id,
            self.journal_id.id,
            self.move_type,
        )
        known = self.env.cr.cache.setdefault("whatsapp_billing.reports", {})
        try:
            if choices not in known:
                sender = self.env["account.move.send"]
                known[choices] = sender._get_default_pdf_report_id(self).id
            report = self.env["ir.actions.report"].browse(known[choices])
            if self._wab_is_named_by_core(report):
                return f"{self._get_report_base_filename().replace('/', '_')}.pdf"
            return self._get_invoice_report_filename(report=report)
        except (UserError, ValueError):
            # No report for this entry, or its print name raises: the preview shows the
            # document's own name.
            return self._wab_document_name()

    @api.model
    def _wab_is_named_by_core(self, report):
        """Tell whether a report names its file as Odoo's own does.

        Then there is nothing to evaluate: compiling and checking the same expression
        for each of a thousand invoices takes longer than all else about their names.
        """
        return report.print_report_name == CORE_PRINT_NAME and all(
            getattr(type(self), name) is getattr(account_move.AccountMove, name)
            for name in ("_get_invoice_report_filename", "_get_report_base_filename")
        )

    @api.model
    def _wab_fingerprint_sql(self):
        return self._wab_columns_sql([*FINGERPRINT_FIELDS, "access_token"])

    @api.model
    def _wab_fingerprint_paths(self):
        # A relation is in the fingerprint by id, but its name may change: not covered.
        plain = [f for f in FINGERPRINT_FIELDS if not self._fields[f].relational]
        return (*plain, "company_id.name", "wab_company_name")
