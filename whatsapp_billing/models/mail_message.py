# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import models

TICK_FIELDS = {"wab_message_id", "wab_state", "wab_text"}


class MailMessage(models.Model):
    _inherit = "mail.message"

    def _to_store_defaults(self, target):
        """Override of `mail` to show our ticks to people of the company."""
        defaults = super()._to_store_defaults(target)
        return (
            defaults + sorted(TICK_FIELDS) if target.is_internal(self.env) else defaults
        )

    def _to_store(self, store, fields, **kwargs):
        """Override of `mail`: our names are no fields of this model."""
        super()._to_store(
            store,
            [f for f in fields if not (isinstance(f, str) and f in TICK_FIELDS)],
            **kwargs,
        )
        if TICK_FIELDS.intersection(f for f in fields if isinstance(f, str)):
            lines = {line.id: line for line in self}
            for ticks in self._wab_ours()._wab_ticks():
                values = dict(ticks)
                store.add(lines[values.pop("id")], values)

    def _wab_ours(self):
        """Return the lines on documents that messages can be about.

        All others, and every chat, cost no query.
        """
        mixin = self.pool["whatsapp.billing.document.mixin"]
        return self.filtered(
            lambda line: (
                line.model in self.pool and issubclass(self.pool[line.model], mixin)
            )
        )

    def _wab_ticks(self):
        """Return what the chatter shows beside lines that went out on WhatsApp.

        :return: list of {id, wab_message_id, wab_state, wab_text}
        """
        if not self:
            return []
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
