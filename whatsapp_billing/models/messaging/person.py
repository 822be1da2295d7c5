# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A person's data outside the message rows: chatter, attempts, received calls."""

from odoo import api, models
from odoo.exceptions import AccessError
from odoo.tools import SQL


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    # === BUSINESS METHODS - DATA PROTECTION === #

    @api.model
    def _check_data_protection(self):
        """Only who configures may export or erase what is kept about people."""
        if not self.env.user.has_group("whatsapp_billing.group_manager"):
            raise AccessError(
                self.env._("Only a manager may export or erase a person's data.")
            )

    @api.model
    def _erase_person(self, partners):
        """Erase people's texts and numbers wherever they are kept.

        The base method empties the message rows; this one also the lines in
        chatters, the details of attempts, and the calls of the provider that name
        their numbers.
        """
        messages = self.search([("partner_id", "in", partners.ids)])
        numbers = set(messages.mapped("recipient")) | set(partners.mapped("wab_e164"))
        numbers |= set(messages.mapped("recipient_uid"))
        result = super()._erase_person(partners)
        messages.attempt_ids.sudo().write({"error_detail": False, "raw": False})
        messages._erase_chatter(messages.mail_message_id.ids)
        messages._erase_files()
        partners._wab_erase_requests()
        self._erase_events({number.lstrip("+") for number in numbers if number})
        return result

    @api.model
    def _erase_events(self, numbers):
        """Delete processed calls of the provider whose bytes name these numbers."""
        for number in filter(None, numbers):
            self.env.cr.execute(
                SQL(
                    """
                    DELETE FROM whatsapp_billing_webhook_event
                     WHERE state != 'new'
                       AND position(%s::bytea IN
                                    decode(convert_from(body, 'LATIN1'), 'base64')) > 0
                    """,
                    number.encode(),
                )
            )
