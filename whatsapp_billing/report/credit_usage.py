# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.tools import SQL

from .. import const
from ..rules import markets, pricing


class WhatsappBillingCreditUsageReport(models.Model):
    """What was charged, by message: settlements and their corrections."""

    _name = "whatsapp.billing.credit.usage.report"
    _inherit = ["whatsapp.billing.rights.mixin"]
    _description = "WhatsApp Credit Usage"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "document_name"

    date = fields.Datetime(readonly=True)
    wallet_id = fields.Many2one("whatsapp.billing.credit.wallet", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    message_id = fields.Many2one("whatsapp.billing.message", readonly=True)
    document_name = fields.Char(string="Document", readonly=True)
    document_type = fields.Selection(
        lambda self: self.env["whatsapp.billing.message"]
        ._fields["document_type"]
        ._description_selection(self.env),
        readonly=True,
    )
    template_id = fields.Many2one("whatsapp.billing.template", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Contact", readonly=True)
    audience = fields.Selection(const.AUDIENCES, readonly=True)
    user_id = fields.Many2one("res.users", string="Sent By", readonly=True)
    category = fields.Selection(list(pricing.CATEGORIES.items()), readonly=True)
    market = fields.Selection(list(markets.MARKETS.items()), readonly=True)
    in_window = fields.Boolean(string="In Service Window", readonly=True)
    is_free = fields.Boolean(string="Free", readonly=True)
    credits = fields.Float(digits=(16, 2), readonly=True)
    cost = fields.Float(
        digits=(16, 4), readonly=True, help="In the currency of the wallet."
    )
    currency_id = fields.Many2one("res.currency", readonly=True)
    messages = fields.Integer(readonly=True)

    @property
    def _table_query(self):
        """Return one row per line of the journal that charged a message."""
        return SQL(
            """
            SELECT e.id, e.date, e.wallet_id, w.company_id, w.currency_id,
                   e.message_id, m.document_name, m.document_type, m.template_id,
                   m.partner_id, m.audience, m.user_id, e.category, e.market,
                   e.in_window, e.is_free,
                   COALESCE(e.shortfall, 0) - e.amount AS credits, e.cost,
                   CASE WHEN e.kind = 'adjust' THEN 0 ELSE 1 END AS messages
              FROM whatsapp_billing_credit_entry e
              JOIN whatsapp_billing_credit_wallet w ON w.id = e.wallet_id
              JOIN whatsapp_billing_message m ON m.id = e.message_id
             WHERE e.kind IN ('settle', 'adjust')
                OR (e.kind = 'release' AND e.is_free)
            """
        )

    @api.model
    def _get_reading_sql(self, alias, query):
        """What a message cost is as readable as the message."""
        message = self._field_to_sql(alias, "message_id", query)
        return self._readable_sql("whatsapp.billing.message", message)
