# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.fields import Date
from odoo.tests import tagged

from .collection_common import CollectionCommon
from .tour_common import TourCase


@tagged("post_install", "-at_install")
class TestCollectionTours(CollectionCommon, TourCase):
    """The receivables manager and a clerk in a real Chromium."""

    def tour(self, path, name, user):
        self.env.flush_all()
        self.start_tour(path, name, login=user.login)
        self.env.invalidate_all()

    def test_create_preview_and_switch_on_a_plan(self):
        self.plan.unlink()
        invoice = self.make_due(1)
        off = self._make_customer("Otto Off", "+34600000055", wab_enabled=False)
        self.make_due(1, partner=off)
        self.tour(
            "/odoo/whatsapp-plans", "whatsapp_billing_collection_plan", self.manager
        )
        plan = self.env["whatsapp.billing.collection.plan"].search(
            [("name", "=", "Toured plan")]
        )
        self.assertEqual(plan.stage, "on")
        message = self.reminders(self.partner)
        # A new plan is quiet at night: what is queued then waits for the morning.
        self.assertIn(message.state, ("queued", "held"))
        self.assertEqual(self.case(invoice).plan_id, plan)

    def test_pause_promise_and_see_why(self):
        self.plan.step_ids.filtered(lambda s: s.days == 1).unlink()
        invoice = self.make_due(1)
        self.run_plan()
        self.tour(
            "/odoo/whatsapp-cases", "whatsapp_billing_collection_case", self.clerk
        )
        case = self.case(invoice).with_user(self.clerk)
        self.assertRecordValues(
            case, [{"state": "promised", "promise_date": Date.context_today(case)}]
        )

    def test_remind_from_the_invoice(self):
        self.plan.step_ids.filtered(lambda s: s.days == 1).unlink()
        invoice = self.make_due(1)
        self.run_plan()
        self.tour(
            f"/odoo/customer-invoices/{invoice.id}",
            "whatsapp_billing_remind",
            self.clerk,
        )
        self.assertRecordValues(
            self.reminders(),
            [{"state": "queued", "method": "wab_remind", "user_id": self.clerk.id}],
        )
        self.assertTrue(self.followups.search([("debtor_id", "=", self.partner.id)]))
