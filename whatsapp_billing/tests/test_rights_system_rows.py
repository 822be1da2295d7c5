# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What the system makes for a user, as superuser, holds nothing of the user's."""

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .lifecycle_common import LifecycleCommon
from .rights_common import RightsCommon

STRANGER = "+34600009999"
OURS = "whatsapp.billing."
# What messages are made of, and no caller's to say.
GIVEN = {
    "recipient_uid": STRANGER,
    "wamid": "wamid.forged",
    "uuid": "00000000-0000-4000-8000-000000000001",
    "direction": "in",
    "sent_at": "2026-01-01 00:00:00",
    "next_attempt_at": "2099-01-01 00:00:00",
    "error_detail": "forged",
    "profile_name": "forged",
}


@tagged("post_install", "-at_install")
class TestSystemRows(LifecycleCommon, RightsCommon):
    def setUp(self):
        super().setUp()
        self.accept_everything()

    def _keep(self, model, values, user=None):
        """Have the clerk keep defaults of their own, as everybody may."""
        kept = self.env["ir.default"].with_user(user or self.clerk)
        for name, value in values.items():
            kept.set(model, name, value, user_id=True)

    def test_no_default_of_a_user_says_where_a_message_goes(self):
        """Superuser rights keep the user, and so what the user keeps."""
        self._keep(f"{OURS}message", GIVEN)
        message = self.send(self.make_invoice_with_pdf())
        for name, value in GIVEN.items():
            with self.subTest(field=name):
                self.assertNotEqual(str(message[name] or ""), value)
        self.drain()
        self.assertEqual(message.state, "sent")
        (call,) = self.sent_calls()
        self.assertNotIn("600009999", str(call.json))
        self.assertIn("600000001", str(call.json))

    def test_no_default_of_a_user_makes_a_switch_of_a_stop(self):
        """A sibling: what is only a switch is undone by one."""
        self._keep(f"{OURS}consent", {"is_switch": True})
        self._as(self.partner, "clerk").with_user(self.clerk).wab_opt_out(
            "billing", "Said so on the phone"
        )
        rows = self.env[f"{OURS}consent"].sudo()
        rows = rows.search([("evidence", "=", "Said so on the phone")])
        self.assertTrue(rows)
        self.assertFalse(any(rows.mapped("is_switch")))

    def test_what_is_made_for_a_manager_stays_their_company_s(self):
        """A sibling: templates of no company are every company's, and administrators'."""
        manager = self.users["other_manager"]
        self._keep(f"{OURS}template", {"company_id": False, "footer": "kept"}, manager)
        templates = self._as(self.env[f"{OURS}template"], "other_manager")
        before = templates.search([])
        templates.action_add_ready()
        made = (templates.search([]) - before).sudo()
        self.assertTrue(made)
        self.assertEqual(made.company_id, self.other_company)
        self.assertNotIn("kept", made.mapped("footer"))
        # What they make by hand takes what they keep, and is refused as ever.
        with self.assertRaises(AccessError):
            templates.create({"name": "By hand", "body": "Hello"})

    def test_no_call_sends_what_somebody_archived(self):
        """Out of use, whether a caller names it or has the search find it."""
        template = self.templates["invoice"]
        template.active = False
        names = (False, template.id, f"{template.template_name}:{template.lang_code}")
        for context in ({}, {"active_test": False}):
            for name in names:
                with self.subTest(context=context, name=name):
                    invoice = self.make_invoice_with_pdf().with_context(**context)
                    message = self.send(invoice, template=name)
                    self.assertEqual(message.state, "canceled")
                    self.assertEqual(message.reason, "no_template")
                    self.assertFalse(message.template_id)

    def test_rows_that_nobody_may_create_take_nothing_from_a_user(self):
        """A model without a line for creating is one whose rows the system makes."""
        rows = self.env["ir.model.access"].sudo().search([("perm_create", "=", True)])
        creatable = set(rows.mapped("model_id.model"))
        mixin = self.env.registry[f"{OURS}system.rows.mixin"]
        checked = set()
        for name, cls in self.env.registry.items():
            if not name.startswith(OURS) or cls._abstract or not cls._auto:
                continue
            with self.subTest(model=name):
                self.assertEqual(issubclass(cls, mixin), name not in creatable)
            checked.add(name)
        self.assertGreater(len(checked), 20)
