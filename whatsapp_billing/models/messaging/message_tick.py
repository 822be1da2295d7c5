# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import defaultdict

from odoo import models
from odoo.tools import SQL

# Nobody watches more than a few chatters at once; whoever sends thousands sees the
# ticks when opening a document.
MAX_LIVE = 50


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    def _notify_ticks(self):
        """Push new ticks to the open screens of the people who sent the messages.

        Whoever has left, or works for other companies by now, is told nothing more, and
        a customer at the portal, whose click a rule answered, is told nothing at all.
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT m.mail_message_id, u.partner_id
                  FROM whatsapp_billing_message m
                  JOIN res_users u ON u.id = m.user_id AND u.active AND NOT u.share
                  JOIN res_company_users_rel c
                    ON c.user_id = u.id AND c.cid = m.company_id
                 WHERE m.id = ANY(%s) AND m.mail_message_id IS NOT NULL
                """,
                self.ids,
            )
        )
        by_person = defaultdict(list)
        for line_id, partner_id in rows:
            by_person[partner_id].append(line_id)
        for partner_id, line_ids in by_person.items():
            if len(line_ids) <= MAX_LIVE:
                partner = self.env["res.partner"].browse(partner_id)
                # Whoever may not read the document any more is told no news of it.
                mine = self.with_user(partner.main_user_id)._filtered_access("read")
                lines = mine.sudo().mail_message_id.filtered(
                    lambda line, ids=line_ids: line.id in ids
                )
                lines = lines.with_env(self.env(context={"lang": partner.lang}))
                documents = {
                    line.id: [line.model, line.res_id] for line in lines.sudo()
                }
                if not lines:
                    continue
                partner._bus_send(
                    "whatsapp_billing.ticks",
                    [
                        {**ticks, "document": documents[ticks["id"]]}
                        for ticks in lines._wab_ticks()
                    ],
                )

    def _tick_text(self):
        """Return the news of this message in a few words, for a tooltip."""
        self.ensure_one()
        states = dict(self._fields["state"]._description_selection(self.env))
        parts = [states.get(self.state, self.state)]
        if self.state in ("failed", "unknown"):
            parts.append(self.error_sentence or self.error_detail or "")
        elif self.state in ("canceled", "held"):
            parts.append(self.reason_detail or "")
        return ": ".join(part for part in parts if part)
