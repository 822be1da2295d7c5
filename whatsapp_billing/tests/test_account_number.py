# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A number sends once it is registered, and its trouble is its own."""

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from .lifecycle_common import LifecycleCommon

SECOND_UID = "300000000000022"


@tagged("post_install", "-at_install")
class TestRegistration(LifecycleCommon):
    """Verified is not yet registered."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second = (
            cls.env["whatsapp.billing.phone"]
            .sudo()
            .create(
                {
                    "account_id": cls.account.id,
                    "phone_uid": SECOND_UID,
                    "number": "+15550100003",
                    "is_verified": True,
                    "is_registered": False,
                    "status": "PENDING",
                }
            )
        )

    def _registered_with(self):
        calls = [call for call in self.transport.calls if "/register" in call.url]
        return [call.json["pin"] for call in calls]

    def test_the_code_is_followed_by_the_registration_with_a_pin(self):
        self.second.is_verified = False
        phone = self.second.with_user(self.manager)
        self.transport.add("POST", "", self._answer({"success": True}))
        phone.action_request_code()
        self.assertTrue(phone.has_pin)
        phone.verification_code = "123456"
        shown = phone.action_verify_code()["params"]
        (pin,) = self._registered_with()
        self.assertRegex(pin, r"^\d{6}$")
        self.assertIn(pin, shown["title"])
        self.assertTrue(shown["sticky"])
        self.assertRecordValues(
            phone, [{"is_verified": True, "is_registered": True, "is_usable": True}]
        )

    def test_the_pin_is_shown_once_and_kept_like_a_token(self):
        phone = self.second.with_user(self.manager)
        self.transport.add("POST", "/register", self._answer({"success": True}))
        phone.action_register()
        again = phone.action_register()["params"]
        first, second = self._registered_with()
        self.assertEqual(first, second)
        self.assertNotIn(first, again["title"] + again["message"])
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT * FROM whatsapp_billing_phone WHERE id = %s", [phone.id]
        )
        self.assertNotIn(first, str(self.env.cr.fetchall()))
        self.assertNotIn(first, str(phone.read()))
        self.assertNotIn(first, str(phone.message_ids.mapped("body")))
        with self.assertRaises(AccessError):
            phone.read(["pin_cipher"])
        with self.assertRaises(AccessError):
            self.second.with_user(self.clerk).read(["pin"])

    def test_a_pin_may_be_typed(self):
        phone = self.second.with_user(self.manager)
        self.transport.add("POST", "/register", self._answer({"success": True}))
        for wrong in ("12345", "1234567", "12345a", "١٢٣٤٥٦"):
            with self.assertRaises(ValidationError):
                phone.pin = wrong
        phone.pin = " 654321 "
        self.assertNotIn("654321", phone.action_register()["params"]["message"])
        self.assertEqual(self._registered_with(), ["654321"])

    def test_a_wrong_pin_is_told_and_stops_nothing_else(self):
        phone = self.second.with_user(self.manager)
        self.transport.add("POST", "/register", self._refusal(133005))
        # The form says it; a toast would still be there after the right PIN.
        self.assertEqual(phone.action_register()["tag"], "soft_reload")
        self.assertIn("PIN", phone.code_detail)
        self.assertFalse(phone.is_usable)
        self.assertEqual(self.account.state, "connected")

    def test_a_code_that_is_right_is_kept_when_the_registration_is_refused(self):
        self.second.is_verified = False
        phone = self.second.with_user(self.manager)
        self.transport.add("POST", "/verify_code", self._answer({"success": True}))
        self.transport.add("POST", "/register", self._refusal(133016))
        phone.verification_code = "123456"
        phone.action_verify_code()
        self.assertRecordValues(phone, [{"is_verified": True, "is_registered": False}])

    def test_an_unregistered_number_is_neither_offered_nor_routed(self):
        routes = self.env["whatsapp.billing.phone.route"].with_user(self.manager)
        route = routes.search([], limit=1)
        with self.assertRaises(ValidationError) as refused:
            route.phone_id = self.second
        self.assertIn("Register", str(refused.exception))
        offered = self.env["whatsapp.billing.phone"].search([("is_usable", "=", True)])
        self.assertNotIn(self.second, offered)
        self.phone.sudo().is_verified = False
        routes.sudo()._make_defaults(self.account)
        self.assertNotIn(self.second, routes.search([]).phone_id)

    def test_what_the_provider_lists_decides(self):
        infos = [
            ("CLOUD_API", "CONNECTED", True),
            ("NOT_APPLICABLE", "PENDING", False),
            ("ON_PREMISE", "CONNECTED", False),
            ("CLOUD_API", "DISCONNECTED", False),
            (None, "PENDING", False),
            (None, "CONNECTED", True),
            ("CLOUD_API", "A NEW WORD", True),
        ]
        for platform, status, expected in infos:
            with self.subTest(platform=platform, status=status):
                row = {
                    "id": SECOND_UID,
                    "display_phone_number": "+1 555 010 0003",
                    "code_verification_status": "VERIFIED",
                    "platform_type": platform,
                    "status": status,
                }
                scopes = [
                    "whatsapp_business_messaging",
                    "whatsapp_business_management",
                ]
                data = {"is_valid": True, "scopes": scopes}
                self.transport = type(self.transport)()
                self.transport.add("GET", "/debug_token", self._answer({"data": data}))
                self.transport.add("GET", "", self._answer({"data": [row]}))
                self.account.with_user(self.manager).action_test_connection()
                self.assertEqual(self.second.is_registered, expected)


@tagged("post_install", "-at_install")
class TestTroubleOfANumber(LifecycleCommon):
    """133010 and its siblings stop the number, not the account."""

    def _add_second(self):
        return self.phone.sudo().copy(
            {"phone_uid": SECOND_UID, "number": "+34910000022", "is_verified": True}
        )

    def test_an_unregistered_number_is_held_and_the_account_goes_on(self):
        for code in (133010, 131045, 131037):
            with self.subTest(code=code):
                self.phone.sudo().write({"problem": False, "is_registered": True})
                self.transport = type(self.transport)()
                self.transport.add("POST", "/messages", self._refusal(code))
                self.transport.add("POST", "/media", self._answer({"id": "7"}))
                message = self.send(self.make_invoice_with_pdf(), key=str(code))
                self.drain()
                self.assertRecordValues(
                    message, [{"state": "held", "reason": "account_inactive"}]
                )
                self.assertEqual(self.account.state, "connected")
                self.assertFalse(self.phone.is_usable)
                self.assertTrue(self.phone.problem)
                check = next(c for c in self.account.checklist if c["key"] == "number")
                self.assertEqual(check["state"], "todo")
                self.assertIn(self.phone.problem, check["detail"])

    def test_other_numbers_of_the_account_go_on(self):
        second = self._add_second()
        self.transport.add("POST", f"{SECOND_UID}/messages", self._refusal(133010))
        self.accept_everything()
        held = self.send(self.make_invoice_with_pdf())
        held.phone_id = second
        sent = self.send(self.make_invoice_with_pdf(), key="2")
        self.env.flush_all()
        second._drain()
        self.drain()
        self.assertEqual((held.state, sent.state), ("held", "sent"))
        self.assertFalse(second.is_usable)
        self.assertTrue(self.phone.is_usable)

    def test_what_waits_goes_out_by_itself_after_registering(self):
        self.transport.add("POST", "/register", self._answer({"success": True}))
        self.accept_everything()
        self.phone._apply_number_error("133010")
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        self.assertEqual(message.state, "held")
        self.run_cron()
        self.assertEqual(message.state, "held")
        self.phone.with_user(self.manager).action_register()
        self.run_cron()
        self.assertEqual(message.state, "sent")

    def test_a_person_is_asked_once(self):
        for _turn in range(2):
            self.phone._apply_number_error("133010")
        self.assertEqual(len(self.account.activity_ids), 1)

    def test_a_refusal_that_comes_by_webhook_stops_the_number_too(self):
        self.accept_everything()
        message = self.send(self.make_invoice_with_pdf())
        self.drain()
        errors = [{"code": 133010, "title": "Not registered"}]
        self.receive_statuses(self.status(message, "failed", errors=errors))
        self.assertEqual(self.account.state, "connected")
        self.assertFalse(self.phone.is_registered)
