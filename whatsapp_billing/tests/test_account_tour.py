# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.tests import tagged

from .common import WhatsappBillingCommon
from .tour_common import TourCase

SCOPES = ["whatsapp_business_messaging", "whatsapp_business_management"]


@tagged("post_install", "-at_install")
class TestAccountTour(WhatsappBillingCommon, TourCase):
    def test_connecting_and_submitting_by_hand(self):
        ok = self._answer({"success": True})
        token = {"is_valid": True, "expires_at": 0, "scopes": SCOPES}
        phone = {
            # A number belongs to one account, and the class has one already.
            "id": "300000000000009",
            "display_phone_number": "+34 910 00 00 09",
            "code_verification_status": "VERIFIED",
            "status": "CONNECTED",
        }
        answers = [
            ("GET", "/debug_token", self._answer({"data": token})),
            ("GET", "/phone_numbers", self._answer({"data": [phone]})),
            ("GET", "business_verification_status", self._answer({"id": "1"})),
            ("GET", "/message_templates", self._answer({"data": []})),
            ("POST", "/subscriptions", ok),
            ("POST", "/subscribed_apps", ok),
            ("POST", "/uploads", self._answer({"id": "upload:abc"})),
            ("POST", "upload:abc", self._answer({"h": "4::handle"})),
            (
                "POST",
                "/message_templates",
                self._answer({"id": "900", "status": "PENDING", "category": "UTILITY"}),
            ),
        ]
        for method, url, answer in answers:
            self.transport.add(method, url, answer)
        self.start_tour(
            "/odoo/action-whatsapp_billing.account_action",
            "whatsapp_billing_connect",
            login=self.manager.login,
        )
        self.transport.assert_all_called()
        accounts = self.env["whatsapp.billing.account"].sudo()
        account = accounts.search([("name", "=", "By hand")])
        self.assertEqual(account._get_secret("access_token"), "typed-token")
