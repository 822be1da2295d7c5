# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.tests import tagged

from .collection_common import CollectionCommon


@tagged("post_install", "-at_install")
class TestCollectionBadInput(CollectionCommon):
    """What nobody meant has a stated outcome; a run never stops at it."""

    def answers(self, invoice):
        """Return {rule: (value, whether it passed)} of the last decision."""
        return {
            rule["rule"]: (rule["value"], rule["passed"])
            for rule in self.case(invoice).trace
        }

    def test_without_a_due_date_nothing_is_said(self):
        invoice, other = self.make_due(1), self.make_due(1)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_move_line SET date_maturity = NULL WHERE id = %s",
            [self.case(invoice).move_line_id.id],
        )
        self.env.invalidate_all()
        self.run_plan()
        self.assertEqual(self.case(invoice).reason, "no_due_date")
        self.assertIn("due date", self.case(invoice).explanation)
        self.assertEqual(
            self.reminders().collection_item_ids.move_line_id.move_id, other
        )
        left_out = self.plan._preview()["left_out"]
        self.assertEqual(
            {row["move_id"]: row["reason"] for row in left_out},
            {invoice.id: "no_due_date"},
        )
        # A person may act on it all the same.
        self.case(invoice).with_user(self.clerk).action_hand_over()
        self.assertTrue(invoice.activity_ids)

    def test_without_a_rate_amounts_are_not_compared(self):
        zorkmid = self.env["res.currency"].create(
            {"name": "ZRK", "symbol": "Z", "rounding": 0.01}
        )
        self.plan.tolerance = 5
        foreign = self.make_due(1, currency=zorkmid)
        own = self.make_due(1)
        self.run_plan()
        self.assertEqual(self.case(foreign).reason, "no_rate")
        self.assertEqual(self.reminders().collection_item_ids.move_line_id.move_id, own)
        self.plan.tolerance = 0
        self.run_plan(1)
        self.assertFalse(self.case(foreign).reason)

    def test_without_a_time_zone_it_is_utc_and_told(self):
        self.plan.write({"quiet_start": 20, "quiet_end": 8})
        self.company.partner_id.write({"tz": False, "country_id": False, "phone": False})
        for tz in ("Mars/Olympus", None):
            self.patch(
                type(self.plan),
                "_read_places",
                lambda _plan, ids, _company, tz=tz: [
                    (i, True, None, None, tz, None) for i in ids
                ],
            )
            nowhere = self._make_customer(f"In {tz}", "+34600000066")
            # A day more than due: late in the evening Greenwich is a day behind.
            invoice = self.make_due(2, nowhere)
            self.run_plan()
            known = self.answers(invoice)["time_zone_known"]
            self.assertFalse(known[1])
            self.assertTrue(self.reminders(nowhere))

    def test_without_a_calendar_every_day_is_a_working_day_and_told(self):
        self.plan.working_days = True
        self.company.country_id = False
        nobody = self._make_customer("Nobody", "+34600000066", country_id=False)
        invoice = self.make_due(1, nobody)
        self.company.resource_calendar_id = False
        self.run_plan()
        self.assertEqual(self.answers(invoice)["working_calendar_known"], ([], False))
        self.assertTrue(self.reminders(nobody))
