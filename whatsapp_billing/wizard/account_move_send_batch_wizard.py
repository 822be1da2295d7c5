# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import logging

from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..const import METHOD
from ..models.messaging.message_enqueue import Order

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

    def _wab_cost(self):
        """Return the cost as HTML; a problem of ours never stops the dialog."""
        moves = self.move_ids._origin.filtered(
            lambda move: METHOD in self._get_default_sending_methods(move)
        )
        wallets = self.env["whatsapp.billing.credit.wallet"]
        try:
            with self.env.cr.savepoint():
                targets = self.env["whatsapp.billing.message"]._decide(
                    moves,
                    moves._wab_get_recipients(),
                    {move.id: move._wab_document_type() for move in moves},
                    Order("send_dialog", explicit=True),
                    render=False,
                )
                return wallets._render_estimates(wallets._estimate_targets(targets))
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception:
            # E-mail must go out whatever is wrong on our side (design 6).
            _logger.exception("No estimate of the WhatsApp messages' cost")
            return False
