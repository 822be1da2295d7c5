# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Merging contacts (GH odoo/odoo#263157, #179130, #167061): nothing is lost."""

from odoo import fields
from odoo.tests import tagged

from .lifecycle_common import LifecycleCommon


@tagged("post_install", "-at_install")
class TestPartnerMerge(LifecycleCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.merger = cls._make_user(
            "merger", "base.group_user,base.group_partner_manager"
        )
        cls.clerk.group_ids |= cls.env.ref("base.group_partner_manager")
        cls.consents = cls.env["whatsapp.billing.consent"].sudo()
        cls.twin = cls._make_customer("Ana P.", "+34600000002")
        cls.third = cls._make_customer("A. Perez", "+34600000003")

    def merge(self, partners, target):
        """Merge as somebody who may merge contacts and has no group of ours."""
        self.assertFalse(self.merger.has_group("whatsapp_billing.group_user"))
        wizard = self.env["base.partner.merge.automatic.wizard"].with_user(self.merger)
        wizard._merge(partners.ids, target.with_user(self.merger))
        self.env.invalidate_all()
        self.assertEqual((partners - target).exists(), self.env["res.partner"])

    def test_the_same_key_for_two_contacts_of_one_document(self):
        people = self.partner | self.twin | self.third
        messages = self.send(self._make_invoice(), partners=people.ids, key="receipt-1")
        self.assertEqual(messages.partner_id, people)
        self.merge(people, self.twin)
        self.assertEqual(messages.exists(), messages)
        self.assertEqual(messages.partner_id, self.twin)
        self.assertEqual(messages.filtered("key").mapped("recipient"), ["+34600000002"])

    def test_message_about_a_contact_follows_to_the_survivor(self):
        message = self.messages.create(
            {
                "company_id": self.company.id,
                "partner_id": self.partner.id,
                "res_model": "res.partner",
                "res_id": self.partner.id,
                "key": "k",
                "method": "wab_send",
            }
        )
        other = message.copy(
            {"partner_id": self.twin.id, "res_id": self.twin.id, "key": "k"}
        )
        other.write({"key": "k"})
        self.merge(self.partner | self.twin, self.twin)
        self.assertEqual((message | other).mapped("res_id"), [self.twin.id] * 2)

    def test_every_consent_is_kept_and_a_stop_holds(self):
        people = self.partner | self.twin
        people.with_user(self.clerk).wab_opt_in(
            "marketing", "Fair of March", key="fair"
        )
        self.receive_text("STOP")
        before = self.consents.search_count([])
        self.merge(people, self.twin)
        self.assertEqual(self.consents.search_count([]), before)
        self.assertFalse(self.consents.search([("partner_id", "=", self.partner.id)]))
        # The survivor has the other number, and is the same person.
        self.assertEqual(self.send(self._make_invoice(self.twin)).reason, "opted_out")

    def test_a_merge_is_nobodys_tick(self):
        self.twin.with_user(self.clerk).wab_enabled = False
        before = self.consents.search_count([])
        self.merge(self.partner | self.twin, self.twin)
        self.assertEqual(self.consents.search_count([]), before)
        self.assertFalse(self.twin.wab_enabled)
        self.assertEqual(self.send(self._make_invoice(self.twin)).reason, "not_enabled")

    def test_both_were_reminded_on_one_day(self):
        followups = self.env["whatsapp.billing.collection.followup"].sudo()
        today = fields.Date.today()
        for partner in self.partner | self.twin | self.third:
            followups.create(
                {
                    "company_id": self.company.id,
                    "debtor_id": partner.id,
                    "day": today,
                }
            )
        self.merge(self.partner | self.twin | self.third, self.third)
        mine = followups.search(
            [("day", "=", today), ("company_id", "=", self.company.id)]
        )
        self.assertEqual(mine.debtor_id, self.third)
        self.assertEqual(len(mine), 1)

    def test_a_changed_number_goes_with_the_number_and_stops_no_merge(self):
        """Who sees that field handed it on with all others, and was refused."""
        wizard = self.env["base.partner.merge.automatic.wizard"].with_user(self.clerk)
        self.assertTrue(self.clerk.has_group("whatsapp_billing.group_user"))
        self.partner.sudo().wab_new_number = "+34600000099"
        numberless = self._make_customer("Ana", False)
        wizard._merge((self.partner | numberless).ids, numberless.with_user(self.clerk))
        self.env.invalidate_all()
        self.assertEqual(numberless.wab_recipient, "+34600000001")
        self.assertEqual(numberless.sudo().wab_new_number, "+34600000099")
        self.assertEqual(
            self.send(self._make_invoice(numberless)).reason, "number_changed"
        )
        # A sibling: another number is not the one that has changed.
        wizard._merge((numberless | self.twin).ids, self.twin.with_user(self.clerk))
        self.env.invalidate_all()
        self.assertEqual(self.twin.wab_recipient, "+34600000002")
        self.assertFalse(self.twin.sudo().wab_new_number)
