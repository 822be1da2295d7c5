# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A channel that one file adds has all that plans do: run, preview, rules, follow-ups."""

from odoo.tests import tagged

from odoo.addons.whatsapp_billing.tests.collection_common import CollectionCommon


@tagged("post_install", "-at_install")
class TestChannelOfAnotherModule(CollectionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan.step_ids[1].channel = "email"
        cls.partner.email = "ana@example.com"

    def mails(self):
        return self.env["mail.mail"].search([("email_to", "=", "ana@example.com")])

    def test_it_goes_once_and_is_written_down(self):
        invoice = self.make_due(8)
        figures = self.run_plan()
        self.assertEqual((figures["emails"], figures["messages"]), (1, 0))
        self.assertEqual(self.plan.last_run_text, "E-mail: 1")
        self.run_plan()
        self.assertIn(invoice.name, self.mails().subject)
        followup = self.followups.search([]).with_user(self.clerk)
        self.assertEqual((followup.channel, followup.day), ("email", self.today))
        self.assertEqual(followup.step_id, self.plan.step_ids[1])
        self.assertEqual(self.case(invoice).last_step_days, 8)
        self.assertTrue(self.case(invoice).with_user(self.clerk).trace)

    def test_another_channel_comes_the_next_day(self):
        self.make_due(8)
        self.make_due(1, amount=40.0)
        self.run_plan()
        self.assertFalse(self.reminders())
        self.run_plan(1)
        self.assertEqual((len(self.mails()), len(self.reminders())), (1, 1))

    def test_who_has_no_address_is_told_why(self):
        self.partner.email = False
        invoice = self.make_due(8)
        figures = self.run_plan()
        self.assertEqual(figures["left_out:no_number"], 1)
        self.assertEqual(self.case(invoice).reason, "no_number")
        self.assertFalse(self.followups.search([]))

    def test_the_preview_lists_it(self):
        self.make_due(8)
        found = self.plan.with_user(self.manager)._preview(2)
        self.assertEqual(
            [(mail["date"], mail["recipient"]) for mail in found["emails"]],
            [(self.today.isoformat(), "ana@example.com")],
        )
