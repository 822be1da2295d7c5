# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import logging

from odoo import api, fields, models

from ..const import METHOD
from ..models.common.savepoint import savepoint_or_log
from ..models.common.send_request import SendRequest
from .compose_summary import count_targets

_logger = logging.getLogger(__name__)

GROUP = "whatsapp_billing.group_user"


class AccountMoveSendBatchWizard(models.TransientModel):
    """Odoo's dialog for many documents, with what their WhatsApp messages cost."""

    _inherit = "account.move.send.batch.wizard"

    # Decided once; all that the dialog shows is computed from it.
    wab_found = fields.Json(compute="_compute_wab_found", compute_sudo=False)
    wab_cost_html = fields.Html(
        compute="_compute_wab_cost_html", compute_sudo=False, sanitize=False
    )

    # === COMPUTE METHODS === #

    @api.depends("move_ids")
    def _compute_wab_found(self):
        is_shown = self.env.user.has_group(GROUP)
        for wizard in self:
            wizard.wab_found = (
                wizard._wab_in_savepoint(wizard._wab_preview_results)
                if is_shown
                else None
            )

    @api.depends("summary_data", "wab_found")
    def _compute_wab_cost_html(self):
        wallets = self.env["whatsapp.billing.credit.wallet"]
        for wizard in self:
            costs = (wizard.wab_found or {}).get("costs")
            shown = costs and METHOD in (wizard.summary_data or {})
            wizard.wab_cost_html = (
                shown
                and wizard._wab_in_savepoint(
                    lambda c=costs: wallets._render_estimates(c)
                )
            ) or False

    @api.depends("move_ids", "wab_found")
    def _compute_summary_data(self):
        """Override of `account`: WhatsApp counts the documents that do go by it.

        Odoo counts each document whose customer has a number. Of two numbers in one
        dialog that differ, a clerk believes neither. Its words for our method are the
        English ones of the field, whoever looks: the reader's own replace them.
        """
        super()._compute_summary_data()
        method = self.env["res.partner"]._fields["invoice_sending_method"]
        label = dict(method._description_selection(self.env)).get(METHOD)
        for wizard in self:
            summary, found = dict(wizard.summary_data or {}), wizard.wab_found
            if METHOD in summary:
                ours = {**summary[METHOD], "label": label}
                if found:
                    ours["count"] = found["count"]
                wizard.summary_data = summary | {METHOD: ours}

    @api.depends("summary_data", "wab_found")
    def _compute_alerts(self):
        """Override of `account` to say how many get no WhatsApp message, and why."""
        super()._compute_alerts()
        for wizard in self:
            left_out = wizard._wab_left_out()
            if left_out:
                alerts = dict(wizard.alerts or {})
                wizard.alerts = alerts | {"whatsapp_billing_left_out": left_out}

    def _wab_moves(self):
        """Return the documents of companies that are connected to WhatsApp.

        Whoever is not is told nothing of it: Odoo's dialog is as without the module.
        """
        return self.move_ids._origin.filtered(
            lambda move: self._is_applicable_to_company(METHOD, move.company_id)
        )

    def _wab_left_out(self):
        """Return Odoo's alert: how many go, and the reasons of the others, grouped."""
        moves = self._wab_moves()
        found = self.wab_found
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
                going=found["count"],
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

    def _wab_preview_results(self):
        """Return how many documents go by WhatsApp, why others do not, and the costs.

        A document goes once, to however many people, and only where WhatsApp is one
        of its methods: e-mail alone is a choice of the customer.
        """
        moves = self._wab_moves()
        if not moves:
            return None
        all_planned = self.env["whatsapp.billing.message"]._decide(
            moves,
            moves._wab_get_recipients(),
            {move.id: move._wab_document_type() for move in moves},
            SendRequest("send_dialog", explicit=True),
            render=False,
        )
        chosen = {
            move.id
            for move in moves
            if METHOD in self._get_default_sending_methods(move)
        }
        mine = [planned for planned in all_planned if planned.record.id in chosen]
        wallets = self.env["whatsapp.billing.credit.wallet"]
        return {
            "reasons": count_targets(all_planned)["reasons"],
            "count": len({t.record.id for t in mine if not t.decision.reason}),
            # In a savepoint: without prices the dialog shows the rest.
            "costs": self._wab_in_savepoint(lambda: wallets._estimate_targets(mine)),
        }

    def _wab_in_savepoint(self, look):
        """Return what this looks up; a problem of ours never stops the dialog."""
        text = "No look at the WhatsApp messages of a batch"
        with savepoint_or_log(self.env, _logger, text):
            return look()
        # A fault of ours shows nothing: e-mail is sent as usual.
        return None
