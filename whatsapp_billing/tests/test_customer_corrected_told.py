# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What screens, answers and people say of a document that has another customer now."""

from odoo.tests import tagged

from .rights_common import RightsCommon
from .test_collection_inbound import AnswerCommon
from .test_customer_corrected import hand_over


class CorrectedCommon(AnswerCommon):
    def setUp(self):
        super().setUp()
        self.bea = self._make_customer("Bea", "+34600000066")

    def moves(self):
        return self.env["account.move"].with_user(self.clerk)

    def told(self, document, state="read", partner=None):
        """Return a message about a document that became of it what is said."""
        (result,) = document.with_user(self.clerk).wab_send(
            partners=partner.ids if partner else False
        )
        message = self.messages.browse(result["message_id"])
        message.sudo().state = state
        message.sudo()._after_state_change()
        self.env.flush_all()
        self.env.invalidate_all()
        return message

    def state(self, document):
        """Return the state as a clerk sees it, having looked for it, too."""
        document = document.with_user(self.clerk)
        found = document.wab_state
        mine = [("id", "=", document.id)]
        self.assertTrue(document.search([*mine, ("wab_state", "=", found)]))
        for other in {"read", "queued", "failed", False} - {found}:
            self.assertFalse(document.search([*mine, ("wab_state", "=", other)]))
        return found

    def drain_all(self):
        self.drain()
        self.run_cron()
        self.drain()


@tagged("post_install", "-at_install")
class TestCountsOfAReader(CorrectedCommon, RightsCommon):
    """A count is of what its reader may read."""

    def hide(self, invoice):
        """Leave the invoice to others, as sales people see their own only."""
        self.env["ir.rule"].sudo().create(
            {
                "name": "Own documents",
                "model_id": self.env["ir.model"]._get_id("account.move"),
                "domain_force": [("id", "!=", invoice.id)],
            }
        )
        self.env.invalidate_all()

    def counted(self, record, name):
        return self._as(record, name).wab_message_count

    def test_a_reminder_that_names_what_one_may_not_read(self):
        older, newer = self.make_due(9), self.make_due(2)
        self._as(older | newer, "clerk").wab_remind()
        self.assertEqual(self.counted(newer, "clerk"), 1)
        self.hide(older)
        self.assertEqual(self.counted(newer, "clerk"), 0)

    def test_what_a_contact_wrote_is_for_those_who_talk_with_them(self):
        for direction in ("in", "out"):
            self._make_message(
                direction=direction,
                state="received" if direction == "in" else "sent",
                partner_id=self.partner.id,
                res_model="res.partner",
                res_id=self.partner.id,
            )
        for name, wanted in (("agent", 2), ("sender", 1), ("agent", 2), ("clerk", 1)):
            self.assertEqual(self.counted(self.partner, name), wanted, name)

    def test_another_company_s_are_none(self):
        self._make_message(
            company=self.other_company,
            state="sent",
            partner_id=self.partner.id,
            res_model="res.partner",
            res_id=self.partner.id,
        )
        self.assertEqual(self.counted(self.partner, "sender"), 0)
        self.assertEqual(self.counted(self.partner, "other_sender"), 1)
        both = self._as(self.partner, "administrator")
        self.assertEqual(both.wab_message_count, 1)
        ours = both.with_context(allowed_company_ids=self.company.ids)
        self.assertEqual(ours.wab_message_count, 0, "another selection of companies")

    def test_many_are_a_fixed_number_of_queries(self):
        moves = self.env["account.move"].union(*(self._make_invoice() for _n in range(9)))
        self._as(moves, "clerk").wab_send()
        counts = []
        for some in (moves[:2], moves[:2], moves):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            found = self._as(some, "clerk").mapped("wab_message_count")
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(set(found), {1})
        self.assertEqual(counts[1], counts[2])
