# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""How many messages wait for a person, as the menu shows it."""

from odoo import api, models

# More than these are "many": the menu counts no further.
MOST = 99
RECEIVED_MENU = "whatsapp_billing.menu_message_received"
FAILED_MENU = "whatsapp_billing.menu_message_failed"


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    @api.model
    def get_waiting_counts(self):
        """Return {menu: how many messages behind it wait for somebody, 100 at most}.

        What the screens behind these menus show when they are opened, counted with the
        rights of who asks.
        """
        self.browse().check_access("read")
        waits = [("is_handled", "=", False)]
        received = [("direction", "=", "in"), *waits]
        failed = [("state", "in", ("failed", "unknown", "held")), *waits]
        return {
            RECEIVED_MENU: self.search_count(received, limit=MOST + 1),
            FAILED_MENU: self.search_count(failed, limit=MOST + 1),
        }

    @api.model
    def _notify_waiting(self):
        """Have open screens count again; people who do not look at ours ask nothing."""
        # sudo: res.groups - only whom to tell that there is something to count
        group = self.env.ref("whatsapp_billing.group_user").sudo()
        group._bus_send("whatsapp_billing.waiting", {})
