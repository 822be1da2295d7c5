# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import logging

from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..const import METHOD
from ..models.messaging.message_enqueue import Order
from .compose_summary import count_targets

_logger = logging.getLogger(__name__)

GROUP = "whatsapp_billing.group_user"


class AccountMoveSendBatchWizard(models.TransientModel):
    """Odoo's dialog for many documents, with what their WhatsApp messages cost."""

    _inherit = "account.move.send.batch.wizard"

    wab_cost_html = fields.Html(
        compute="_compute_wab_cost_html", compute_sudo=False, sanitize=False
    )

    # === COMPUTE METHODS === #

    @api.depends("summary_data")
    def _compute_wab_cost_html(self):
        for wizard in self:
            shown = METHOD in (wizard.summary_data or {})
            wizard.wab_cost_html = (
                wizard._wab_cost()
                if shown and self.env.user.has_group(GROUP)
                else False
            )

    @api.depends("move_ids")
    def _compute_summary_data(self):
        """Override of `account`: WhatsApp counts the documents that do go by it.

        Odoo counts each document whose customer has a number. Of two numbers in one
        dialog that differ, a clerk believes neither.
        """
        super()._compute_summary_data()
        if not self.env.user.has_group(GROUP):
            return
        for wizard in self:
            summary = dict(wizard.summary_data or {})
            found = METHOD in summary and wizard._wab_found()
            if found:
                summary[METHOD] = {**summary[METHOD], "count": len(found["going"])}
                wizard.summary_data = summary

    @api.depends("summary_data")
    def _compute_alerts(self):
        """Override of `account` to say how many get no WhatsApp message, and why."""
        super()._compute_alerts()
        if not self.env.user.has_group(GROUP):
            return
        for wizard in self:
            alerts = dict(wizard.alerts or {})
            left_out = wizard._wab_left_out()
            if left_out:
                alerts["whatsapp_billing_left_out"] = left_out
            wizard.alerts = alerts

    def _wab_left_out(self):
        """Return Odoo's alert: how many go, and the reasons of the others, grouped."""
        moves = self.move_ids._origin
        found = self._wab_found()
        if not found or not found["reasons"]:
            return None
        words = dict(
            self.env["whatsapp.billing.message"]
            ._fields["reason"]
            ._description_selection(self.env)
        )
        ids = [one for entry in found["reasons"] for one in entry["ids"]]
        return {
            "level": "info",
            "message": self.env._(
                "By WhatsApp %(going)s of %(total)s. %(reasons)s.",
                going=len(found["going"]),
                total=len(moves),
                reasons=". ".join(
                    f"{words.get(entry['reason'], entry['reason'])} ({entry['count']})"
                    for entry in found["reasons"]
                ),
            ),
            "action_text": self.env._("Show"),
            "action": moves.browse(dict.fromkeys(ids))._get_records_action(
                name=self.env._("Not Sent on WhatsApp")
            ),
        }

    def _wab_found(self):
        """Return the documents that go by WhatsApp and the reasons of the others.

        A document goes once, to however many people, and only where WhatsApp is one
        of its methods: e-mail alone is a choice of the customer.
        """
        moves = self.move_ids._origin

        def look():
            targets = self._wab_targets(moves)
            going = moves.browse(
                dict.fromkeys(
                    target.record.id
                    for target in targets
                    if not target.decision.reason
                )
            )
            return {
                **count_targets(targets),
                "going": going.filtered(
                    lambda move: METHOD in self._get_default_sending_methods(move)
                ),
            }

        return self._wab_safely(look)

    def _wab_targets(self, moves):
        return self.env["whatsapp.billing.message"]._decide(
            moves,
            moves._wab_get_recipients(),
            {move.id: move._wab_document_type() for move in moves},
            Order("send_dialog", explicit=True),
            render=False,
        )

    def _wab_safely(self, look):
        """Return what this looks up; a problem of ours never stops the dialog."""
        try:
            with self.env.cr.savepoint():
                return look()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception:
            # E-mail must go out whatever is wrong on our side.
            _logger.exception("No look at the WhatsApp messages of a batch")
            return None

    def _wab_cost(self):
        """Return the cost as HTML; a problem of ours never stops the dialog."""
        moves = self.move_ids._origin.filtered(
            lambda move: METHOD in self._get_default_sending_methods(move)
        )
        wallets = self.env["whatsapp.billing.credit.wallet"]
        return (
            self._wab_safely(
                lambda: wallets._render_estimates(
                    wallets._estimate_targets(self._wab_targets(moves))
                )
            )
            or False
        )
