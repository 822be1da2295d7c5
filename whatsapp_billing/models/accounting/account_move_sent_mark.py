# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Say of an invoice that it was sent only when something was.

Odoo marks an invoice as sent when its PDF is made, before anything left. Where WhatsApp
is the only way it went, the mark follows what became of the messages: one that reached
nobody takes it back, another try puts it there again. What went to a former customer of
the invoice did not reach this one.
"""

from odoo import api, fields, models
from odoo.tools import SQL

from ... import const


class AccountMove(models.Model):
    _inherit = "account.move"

    wab_is_sent_alone = fields.Boolean(
        string="Sent on WhatsApp Only",
        readonly=True,
        copy=False,
        groups=fields.NO_ACCESS,
        help="The mark *Sent* follows what became of the WhatsApp messages.",
    )

    def _wab_make_file(self):
        """Override: a PDF that is made for our message is no other way of sending."""
        was_sent = self.is_move_sent
        result = super()._wab_make_file()
        if not was_sent and self.is_move_sent:
            # sudo: account.move - the system's to write, whoever has the PDF made
            self.sudo().wab_is_sent_alone = True
        return result

    def _post(self, soft=True):
        """Override of `account`: another customer than was told was sent nothing."""
        posted = super()._post(soft=soft)
        # sudo: account.move - the system's to read, whoever posts
        alone = posted.filtered(lambda move: move.sudo().wab_is_sent_alone)
        if alone:
            alone._wab_in_savepoint(alone._wab_sync_sent)
        return posted

    def _wab_sync_sent(self):
        """Mark these as sent if a message went or is to go, and take the mark back else.

        Only those that went no other way, and only what is posted.
        """
        if not self:
            return
        self.sudo().flush_recordset(["is_move_sent", "wab_is_sent_alone", "state"])
        self.env["whatsapp.billing.message"].flush_model(
            ["state", "partner_id", "document_partner_id"]
        )
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE account_move mv SET is_move_sent = v.is_alive
                  FROM (SELECT mv.id, EXISTS (
                               SELECT 1 FROM whatsapp_billing_message a
                                WHERE a.res_model = %(model)s AND a.res_id = mv.id
                                  AND a.direction = 'out'
                                  AND a.state NOT IN ('failed', 'canceled')
                                  AND a.method IS DISTINCT FROM %(test)s
                                  AND %(theirs)s) AS is_alive
                          FROM account_move mv
                         WHERE mv.id = ANY(%(ids)s) AND mv.wab_is_sent_alone
                           AND mv.state = 'posted') v
                 WHERE mv.id = v.id AND mv.is_move_sent IS DISTINCT FROM v.is_alive
             RETURNING mv.id
                """,
                model=self._name,
                test=const.TEST_METHOD,
                theirs=self._wab_theirs_sql(),
                ids=self.ids,
            )
        )
        changed = self.browse(row[0] for row in rows)
        changed.invalidate_recordset(["is_move_sent"])
        changed.modified(["is_move_sent"])

    @api.model
    def _wab_follow_messages(self, messages):
        """Override: they are marked as sent while something is on its way to them."""
        ids = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT mv.id
                  FROM whatsapp_billing_message m
                  JOIN account_move mv ON mv.id = m.res_id
                 WHERE m.id = ANY(%s) AND m.res_model = %s AND mv.wab_is_sent_alone
                   AND (m.state IN ('failed', 'canceled') OR NOT mv.is_move_sent)
                """,
                messages.ids,
                self._name,
            )
        )
        self.browse(row[0] for row in ids)._wab_sync_sent()


class AccountMoveSend(models.AbstractModel):
    _inherit = "account.move.send"

    @api.model
    def _link_invoice_documents(self, invoices_data):
        """Override of `account` to note which way the mark *Sent* stands for."""
        before = {move for move in invoices_data if move.is_move_sent}
        result = super()._link_invoice_documents(invoices_data)
        for move, data in invoices_data.items():
            if move not in before and move.is_move_sent:
                # sudo: account.move - the system's to write, whoever sends
                move.sudo().wab_is_sent_alone = set(data["sending_methods"]) == {
                    const.METHOD
                }
        return result

    def _hook_if_success(self, moves_data, from_cron=False):
        """Override of `account`: another way than WhatsApp sends it for good."""
        result = super()._hook_if_success(moves_data, from_cron=from_cron)
        # sudo: account.move - the system's to read and write, whoever sends
        ours = [move for move in moves_data if move.sudo().wab_is_sent_alone]
        others = self.env["account.move"].union(
            *(m for m in ours if set(moves_data[m]["sending_methods"]) - {const.METHOD})
        )
        others.sudo().write({"is_move_sent": True, "wab_is_sent_alone": False})
        (self.env["account.move"].union(*ours) - others)._wab_sync_sent()
        return result
