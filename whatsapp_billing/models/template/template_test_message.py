# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import models
from odoo.exceptions import UserError

from ... import const
from ..common import client_action
from ..common.send_request import SendRequest


class WhatsappBillingTemplate(models.Model):
    _inherit = "whatsapp.billing.template"

    # === ACTION METHODS === #

    def action_send_test(self):
        """Send this template, filled in with an example, to the user's own number."""
        self.ensure_one()
        record = self._get_preview_record() or self._find_example()
        if not record or record == self:
            raise UserError(
                self.env._(
                    "There is no document yet to fill the template in with. Choose "
                    "what it is for, and make one such document."
                )
            )
        return self._send_test(record)

    # === BUSINESS METHODS === #

    def _send_test(self, record):
        """Queue one message about a document to the user; the way every message goes.

        :return: a notification that says what became of it
        :raise UserError: when the user has no number of their own
        """
        self.ensure_one()
        partner = self.env.user.partner_id
        if not partner.wab_recipient:
            raise UserError(
                self.env._(
                    "You have no WhatsApp number yourself. Add it, with country code, "
                    "to your own contact %(name)s.",
                    name=partner.display_name,
                )
            )
        send_request = SendRequest(
            const.TEST_METHOD, template=self.id, explicit=True, is_test=True
        )
        [result] = self.env["whatsapp.billing.message"]._enqueue(
            record,
            {record.id: partner},
            {record.id: self.document_type or record._wab_document_type()},
            send_request,
        )
        queued = result["state"] == "queued"
        on_its_way = self.env._(
            "On its way to %(number)s.", number=partner.wab_recipient
        )
        return client_action.notification(
            "success" if queued else "warning",
            on_its_way if queued else result["detail"],
            title=self.env._("Test message"),
        )
