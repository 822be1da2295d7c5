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
                SELECT m.id, u.id
                  FROM whatsapp_billing_message m
                  JOIN res_users u ON u.id = m.user_id AND u.active AND NOT u.share
                  JOIN res_company_users_rel c
                    ON c.user_id = u.id AND c.cid = m.company_id
                 WHERE m.id = ANY(%s) AND m.mail_message_id IS NOT NULL
                """,
                self.ids,
            )
        )
        by_user = defaultdict(list)
        for message_id, user_id in rows:
            by_user[user_id].append(message_id)
        for user_id, ids in by_user.items():
            if len(ids) <= MAX_LIVE:
                # sudo: res.users - only in which language they read
                user_sudo = self.env["res.users"].sudo().browse(user_id)
                # Whoever may not read the document any more is told no news of it.
                mine = self.browse(ids).with_user(user_id)._filtered_access("read")
                # sudo: mail.message - lines of messages that they may read
                lines = mine.sudo().mail_message_id.with_context(lang=user_sudo.lang)
                documents = {line.id: [line.model, line.res_id] for line in lines}
                if lines:
                    user_sudo.partner_id._bus_send(
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
            parts.append(self._explain_unsent() or "")
        return ": ".join(part for part in parts if part)
