# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Odoo's sending of invoices, with WhatsApp as one of its methods.

`_hook_if_success` queues the messages; `_wab_make_legal_pdf` has Odoo make an invoice's
PDF and sends nothing.
"""

import logging

from odoo import api, models
from odoo.exceptions import UserError

from ... import const
from ...const import METHOD
from ..common.savepoint import savepoint_or_log

_logger = logging.getLogger(__name__)


class AccountMoveSend(models.AbstractModel):
    _inherit = "account.move.send"

    # === BUSINESS METHODS - SENDING METHOD === #

    @api.model
    def _get_default_sending_methods(self, move):
        """Override of `account` to propose WhatsApp beside e-mail, as Peppol does."""
        methods = super()._get_default_sending_methods(move)
        if METHOD in methods:
            return methods
        if move.company_id.wab_with_email and self._wab_is_enabled(move):
            methods = {*methods, METHOD} - {"manual"}
            if self._wab_is_only_way(move):
                methods.discard("email")
        return methods

    @api.model
    def _wab_is_only_way(self, move):
        """Tell whether WhatsApp reaches somebody and no e-mail address is known."""
        customer = move.partner_id | move.commercial_partner_id
        if any(customer.mapped("email")):
            return False
        recipients = move._wab_get_recipients()[move.id]
        return any(recipients.mapped("wab_recipient"))

    @api.model
    def _wab_is_enabled(self, move):
        company_sudo = move.company_id.sudo()
        if not company_sudo.wab_account_id:
            return False
        if company_sudo._wab_is_kind_off(move._wab_document_type()):
            return False
        return move.wab_enabled

    @api.model
    def _is_applicable_to_company(self, method, company):
        """Override of `account` to show WhatsApp where an account is connected."""
        if method == METHOD:
            # sudo: whatsapp.billing.account - whether there is one, nothing more
            return bool(company.sudo().wab_account_id)
        return super()._is_applicable_to_company(method, company)

    @api.model
    def _is_applicable_to_move(self, method, move, **move_data):
        """Override of `account`: WhatsApp needs a number to go to."""
        if method != METHOD:
            return super()._is_applicable_to_move(method, move, **move_data)
        recipients = self._wab_recipients(move, move_data)
        return bool(recipients and any(recipients.mapped("wab_recipient")))

    @api.model
    def _wab_recipients(self, move, move_data):
        """Return the partners of the dialog, or the document's own."""
        ids = move_data.get("wab_partner_ids")
        if ids:
            return self.env["res.partner"].browse(ids)
        return move._wab_get_recipients()[move.id]

    @api.model
    def _get_default_sending_settings(self, move, from_cron=False, **custom_settings):
        """Override of `account` to keep what the Send dialog chose for WhatsApp."""
        settings = super()._get_default_sending_settings(
            move, from_cron=from_cron, **custom_settings
        )
        for name in ("wab_template_id", "wab_partner_ids"):
            if name in custom_settings:
                settings[name] = custom_settings[name]
        return settings

    # === BUSINESS METHODS - ALERTS === #

    def _get_alerts(self, moves, moves_data):
        """Override of `account` to say who gets no WhatsApp message."""
        alerts = super()._get_alerts(moves, moves_data)
        without = moves.filtered(
            lambda m: (
                METHOD in moves_data[m]["sending_methods"]
                and not self._is_applicable_to_move(METHOD, m, **moves_data[m])
            )
        )
        # E-mail without an address reaches nobody: such an invoice is warned about as
        # well.
        alone = without.filtered(
            lambda m: (
                not any(
                    self._is_applicable_to_move(method, m, **moves_data[m])
                    for method in moves_data[m]["sending_methods"]
                )
            )
        )
        if without - alone:
            alerts["whatsapp_billing_no_number"] = self._wab_number_alert(
                without - alone,
                self.env._("These documents go out by the other methods only."),
            )
        if alone:
            alerts["whatsapp_billing_not_sent"] = self._wab_number_alert(
                alone,
                self.env._(
                    "These documents are not sent: no other method reaches them."
                ),
            )
        return alerts

    @api.model
    def _wab_number_alert(self, moves, consequence):
        partners = self.env["res.partner"].union(*moves._wab_get_recipients().values())
        return {
            "level": "warning",
            "message": self.env._(
                "No valid WhatsApp number: %(names)s. %(consequence)s",
                names=", ".join(partners.mapped("display_name")[:10]),
                consequence=consequence,
            ),
            "action_text": self.env._("View Partner(s)"),
            "action": partners._get_records_action(
                name=self.env._("Check WhatsApp Numbers")
            ),
        }

    # === BUSINESS METHODS - DOCUMENTS === #

    @api.model
    def _wab_make_legal_pdf(self, move):
        """Make the legal PDF of an invoice as Odoo does when it sends, and send nothing.

        The steps of `_generate_invoice_documents` that make documents, each with what
        other modules add to the file; not the web services between them, which tell
        authorities and networks and commit, and not what sending does afterwards, which
        forgets the e-mail that waits for Odoo's cron (`sending_data`).

        :param move: one posted invoice
        :raise UserError: it cannot be made, in words
        :raise LockError: somebody else is at the invoice right now
        """
        self._check_sending_data(move)
        move = move.sudo()
        settings = self._get_default_sending_settings(
            move, sending_methods=[], extra_edis=[]
        )
        self._wab_check_transmitted(move)
        lost = move.invoice_pdf_report_id
        if lost:
            # The attachment whose file is lost stays, as messages and the chatter point
            # to it, but no longer as the invoice's PDF.
            lost.res_field = False
            move.invalidate_recordset(["invoice_pdf_report_id"])
        data = {move: settings}
        self._hook_invoice_document_before_pdf_report_render(move, settings)
        self._wab_raise_error(settings)
        self._prepare_invoice_pdf_report(data)
        self._hook_invoice_document_after_pdf_report_render(move, settings)
        self._wab_raise_error(settings)
        # Locked only now, after rendering: nobody who works with the invoice waits for
        # that.
        move.lock_for_update(allow_referencing=True)
        if lost:
            values = settings.pop("pdf_attachment_values")
            lost.write({"raw": values["raw"], "res_field": values["res_field"]})
        elif move._wab_read_pdf():
            # Odoo's cron has made and committed the PDF meanwhile: ours is dropped.
            return
        self._link_invoice_documents(data)

    @api.model
    def _can_commit(self):
        """Override of `account`: documents of ours are committed by our worker alone."""
        return not self.env.context.get(const.DOCUMENTS_ONLY) and super()._can_commit()

    @api.model
    def _wab_raise_error(self, settings):
        if settings.get("error"):
            raise UserError(self._format_error_text(settings["error"]))

    @api.model
    def _wab_check_transmitted(self, move):
        """Refuse where an authority is told before the PDF is made, and was not yet.

        What it answers (a QR code, a number) belongs on the PDF, and Odoo makes a legal
        PDF once: one without it would be what everybody gets from then on.
        """
        hook = "_call_web_service_before_invoice_pdf_render"
        # Only core defines the hook, and does nothing: no module generates documents
        # here.
        if sum(hook in vars(parent) for parent in type(self).__mro__) < 2:
            return
        names = self._get_default_extra_edis(move)
        if names:
            labels = self._get_all_extra_edis()
            raise UserError(
                self.env._(
                    "%(document)s is still to be transmitted (%(services)s), and its PDF"
                    " comes after that. Send it from the document, by any method; "
                    "messages then take the PDF that this makes.",
                    document=move.name,
                    services=", ".join(sorted(str(labels[n]["label"]) for n in names)),
                )
            )

    # === BUSINESS METHODS - SENDING === #

    def _hook_if_success(self, moves_data, from_cron=False):
        """Override of `account` to queue the messages; never stops Odoo's sending."""
        self._wab_send_documents(moves_data)
        self._wab_settle_failed(moves_data)
        return super()._hook_if_success(moves_data, from_cron=from_cron)

    @api.model
    def _wab_send_documents(self, moves_data):
        todo = {
            move: data
            for move, data in moves_data.items()
            if METHOD in data["sending_methods"]
        }
        if not todo:
            return
        text = "WhatsApp messages could not be queued"
        with savepoint_or_log(self.env, _logger, text) as queueing:
            self._wab_enqueue(todo)
        if queueing.error:
            # A fault of ours is noted on the documents; Odoo's sending and e-mail go
            # on.
            for move in todo:
                move._message_log(
                    body=self.env._(
                        "The WhatsApp message could not be queued. Send it again "
                        "from the document."
                    )
                )

    @api.model
    def _wab_settle_failed(self, moves_data):
        """Note that failed messages need nobody where the document went another way."""
        moves = self.env["account.move"].union(
            *(
                move
                for move, data in moves_data.items()
                if set(data["sending_methods"]) - {METHOD, "manual"}
            )
        )
        if not moves:
            return
        # sudo: whatsapp.billing.message - rows are written by the system only
        self.env["whatsapp.billing.message"].sudo().search(
            [
                ("res_model", "=", "account.move"),
                ("res_id", "in", moves.ids),
                ("state", "=", "failed"),
                ("is_handled", "=", False),
            ]
        ).is_handled = True

    @api.model
    def _wab_enqueue(self, todo):
        """Queue the messages of a dialog or of a batch, with the author's rights."""
        by_settings = {}
        for move, data in todo.items():
            template = data.get("wab_template_id") or False
            author = data.get("author_user_id") or self.env.uid
            settings = (template, author, bool(data.get("wab_partner_ids")))
            by_settings.setdefault(settings, []).append((move, data))
        for (template, author, is_named), pairs in by_settings.items():
            moves = self.env["account.move"].union(*(move for move, _data in pairs))
            recipients = {
                move.id: self._wab_recipients(move, data) for move, data in pairs
            }
            moves.with_user(author)._wab_enqueue(
                recipients, "send_dialog", template, explicit=True, is_named=is_named
            )
