# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import models


class MailMessage(models.Model):
    _inherit = "mail.message"

    def _wab_ticks(self):
        """Return what the chatter shows beside lines that went out on WhatsApp.

        :return: list of {id, wab_message_id, wab_state, wab_text}
        """
        # sudo: whatsapp.billing.message - shown to whoever reads the chatter line
        messages = (
            self.env["whatsapp.billing.message"]
            .sudo()
            .search([("mail_message_id", "in", self.ids)])
        )
        return [
            {
                "id": message.mail_message_id.id,
                "wab_message_id": message.id,
                "wab_state": message.state,
                "wab_text": message._tick_text(),
            }
            for message in messages
        ]
