# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A STOP holds, whose words are whose, and what a switch may and may not do."""

from datetime import datetime, timedelta, timezone

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import CUSTOMER_NUMBER
from .lifecycle_common import LifecycleCommon

STOPPED_AT = 1763600100


@tagged("post_install", "-at_install")
class TestConsent(LifecycleCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk.group_ids |= cls.env.ref("base.group_partner_manager")
        cls.consents = cls.env["whatsapp.billing.consent"].sudo()

    def stop(self, sender="34600000001", wamid="wamid.stop", **extra):
        extra.setdefault("timestamp", str(STOPPED_AT))
        self.receive_text("STOP", sender=sender, wamid=wamid, **extra)

    def reason(self, partner=None):
        return self.send(self._make_invoice(partner)).reason

    # === A STOP HOLDS === #

    def test_stop_withdraws_all_purposes_of_every_contact_of_the_number(self):
        twin = self._make_customer("Twin", "0034 600 000 001")
        self.stop()
        for partner in self.partner | twin:
            self.assertEqual(set(partner.wab_opt_in_state.values()), {"withdrawn"})
            self.assertTrue(partner.wab_opted_out)
        rows = self.consents.search([("source", "=", "keyword")])
        self.assertEqual(rows.company_id, self.company)
        moment = datetime.fromtimestamp(STOPPED_AT, timezone.utc).replace(tzinfo=None)
        self.assertEqual(set(rows.mapped("said_at")), {moment})
        found = self.env["res.partner"].search([("wab_opted_out", "=", True)])
        self.assertEqual(found, self.partner | twin)

    def test_after_a_stop_nothing_but_new_evidence_grants(self):
        self.stop()
        partner = self.partner.with_user(self.clerk)
        with self.subTest("a tick"):
            partner.wab_enabled = False
            partner.wab_enabled = True
            self.assertEqual(self.reason(), "opted_out")
        with self.subTest("a context key"):
            partner.with_context(wab_consent_recorded=True).wab_enabled = True
            self.assertEqual(self.reason(), "opted_out")
        with self.subTest("an import"):
            partner.wab_enabled = False
            self.env["res.partner"].with_user(self.clerk).with_context(
                import_file=True
            ).load(["id", "wab_enabled"], [[self._xml_id(partner), "True"]])
            self.assertTrue(partner.wab_enabled)
            self.assertEqual(self.reason(), "opted_out")
        with self.subTest("a new contact, and one whose number becomes this"):
            self.assertEqual(
                self.reason(self._make_customer("New", CUSTOMER_NUMBER)), "opted_out"
            )
            other = self._make_customer("Other", "+34600000009")
            other.phone = "600 00 00 01"
            self.assertEqual(self.reason(other), "opted_out")
        with self.subTest("another number for the contact"):
            partner.phone = "+34600000008"
            self.assertEqual(self.reason(), "opted_out")
            partner.phone = CUSTOMER_NUMBER
        with self.subTest("consent in contracts"):
            self.company.wab_consent_by_contract = True
            self.assertEqual(self.reason(), "opted_out")
        with self.subTest("evidence"):
            result = partner.wab_opt_in("billing", "Signed form of 30 November")
            self.assertEqual(result[0]["state"], "granted")
            self.assertFalse(self.reason())

    def _xml_id(self, record):
        self.env["ir.model.data"].create(
            {
                "module": "base",
                "name": "wab_test_contact",
                "model": record._name,
                "res_id": record.id,
            }
        )
        return "base.wab_test_contact"

    def test_older_start_delivered_later_does_not_lift_a_stop(self):
        self.stop()
        self.receive_text("alta", wamid="wamid.old", timestamp=str(STOPPED_AT - 60))
        self.assertEqual(self.reason(), "opted_out")
        self.receive_text("alta", wamid="wamid.same", timestamp=str(STOPPED_AT))
        self.assertEqual(self.reason(), "opted_out")
        self.receive_text("alta", wamid="wamid.new", timestamp=str(STOPPED_AT + 60))
        self.assertFalse(self.reason())

    def test_processing_again_grants_and_withdraws_nothing(self):
        self.receive_text("alta", wamid="wamid.a", timestamp=str(STOPPED_AT - 60))
        self.stop()
        count = self.consents.search_count([])
        self.env.flush_all()
        self.env.cr.execute("UPDATE whatsapp_billing_webhook_event SET state = 'new'")
        self.env.invalidate_all()
        self.process_inbox()
        self.assertEqual(self.consents.search_count([]), count)
        self.assertEqual(self.reason(), "opted_out")

    def test_customers_clock_ahead_of_ours_counts_as_now(self):
        """Else nothing that they agree to before the year 2100 would lift it."""
        self.stop(timestamp="4102444800")
        # A sibling: whoever else names a time, say another system.
        self.consents._set_number(
            CUSTOMER_NUMBER,
            False,
            "provider",
            "Stop",
            company=self.company,
            said_at=datetime(2100, 1, 1),
        )
        rows = self.consents.search([("source", "in", ("keyword", "provider"))])
        self.assertEqual(set(rows.mapped("source")), {"keyword", "provider"})
        now = self.consents._clock()
        self.assertLessEqual(max(rows.mapped("said_at")), now)
        self.patch(
            type(self.consents), "_clock", lambda _consents: now + timedelta(seconds=2)
        )
        self.partner.with_user(self.clerk).wab_opt_in("billing", "Signed form")
        self.assertFalse(self.reason())

    def test_withdrawal_by_telephone_binds_the_number(self):
        """Words that somebody recorded with evidence are the customer's."""
        self.partner.with_user(self.clerk).wab_opt_out("billing", "Called today")
        twin = self._make_customer("Twin", CUSTOMER_NUMBER)
        self.assertEqual(self.reason(twin), "opted_out")

    # === SWITCHES === #

    def test_switching_off_is_a_withdrawal_that_the_switch_takes_back(self):
        partner = self.partner.with_user(self.clerk)
        waiting = self.send(self.make_invoice_with_pdf())
        partner.wab_enabled = False
        row = partner.wab_consent_ids[0]
        self.assertRecordValues(
            row, [{"granted": False, "source": "user", "is_switch": True}]
        )
        self.assertEqual(row.user_id, self.clerk)
        self.assertEqual(self.reason(), "not_enabled")
        self.drain()
        self.assertEqual((waiting.state, waiting.reason), ("canceled", "not_enabled"))
        partner.wab_enabled = True
        self.assertFalse(self.reason())

    def test_contract_never_overrides_a_contact_that_is_off(self):
        self.company.wab_consent_by_contract = True
        partner = self._make_customer("Luis", "+34600000002", wab_enabled=False)
        self.assertFalse(self.reason(partner))
        # It was never on: the contract alone let the first one go.
        partner.with_user(self.clerk).write({"wab_enabled": False})
        self.assertEqual(self.reason(partner), "not_enabled")
        move = self._make_invoice(partner)
        methods = self.env["account.move.send"]._get_default_sending_methods(move)
        self.assertNotIn("whatsapp_billing", methods)
        self.assertEqual(
            move.with_user(self.clerk).wab_remind()[0]["reason"], "not_enabled"
        )

    def test_contract_never_overrides_a_document_that_is_off(self):
        self.company.wab_consent_by_contract = True
        partner = self._make_customer("Luis", "+34600000002", wab_enabled=False)
        move = self._make_invoice(partner)
        sending = self.env["account.move.send"]
        self.assertTrue(move.wab_enabled)
        self.assertIn("whatsapp_billing", sending._get_default_sending_methods(move))
        move.with_user(self.clerk).wab_enabled = False
        self.assertEqual(move.wab_send_override, "off")
        self.assertNotIn("whatsapp_billing", sending._get_default_sending_methods(move))
        self.assertEqual(self.send(move).reason, "not_enabled")
        self.assertEqual(
            move.with_user(self.clerk).wab_remind()[0]["reason"], "not_enabled"
        )

    def test_document_that_is_on_does_not_switch_a_contact_on(self):
        self.partner.with_user(self.clerk).wab_enabled = False
        move = self._make_invoice()
        move.with_user(self.clerk).wab_enabled = True
        self.assertEqual(self.send(move).reason, "not_enabled")

    def test_switch_is_written_down_as_what_it_was(self):
        values = {"name": "Luis", "phone": "+34600000002", "wab_enabled": True}
        users = self.env["res.partner"].with_user(self.clerk)
        typed = users.create(values)
        imported = users.with_context(import_file=True).create(values)
        for partner, source in ((typed, "user"), (imported, "import")):
            rows = partner.sudo().wab_consent_ids
            self.assertEqual(set(rows.mapped("source")), {source})
            self.assertEqual(rows.user_id, self.clerk)
            self.assertEqual(rows.mapped("is_switch"), [True, True])

    def test_no_consent_without_a_number(self):
        partner = self._make_customer("Luis", False)
        self.assertFalse(partner.wab_consent_ids)
        self.assertEqual(self.reason(partner), "no_number")
        result = partner.with_user(self.clerk).wab_opt_in("billing", "Signed form")
        self.assertEqual(
            (result[0]["state"], result[0]["reason"]), ("none", "no_number")
        )
        self.assertFalse(result[0]["consent_id"])
        # The switch was on already when the number came.
        partner.phone = "+34600000002"
        self.assertEqual(partner.wab_opt_in_state["billing"], "granted")

    # === COMPANIES === #

    def second_company(self):
        """Return another company with its own account, and a clerk of it."""
        other = self.env["res.company"].create(
            {"name": "B", "country_id": self.env.ref("base.es").id}
        )
        clerk = self._make_user("clerk_b", "account.group_account_invoice", other)
        clerk.group_ids |= self.env.ref("base.group_partner_manager")
        return other, clerk

    def test_stop_counts_in_the_company_that_was_written_to(self):
        """GH odoo/odoo#34111: one opt-out silenced every sender of the database."""
        other, clerk = self.second_company()
        self.partner.with_company(other).wab_enabled = True
        waiting = self.messages.create(
            [
                {"company_id": company.id, "recipient": CUSTOMER_NUMBER}
                for company in (self.company, other)
            ]
        )
        self.stop()
        self.assertEqual(waiting.mapped("state"), ["canceled", "queued"])
        partner = self.partner.with_user(clerk).with_company(other)
        self.assertEqual(partner.wab_opt_in_state["billing"], "granted")
        self.assertFalse(partner.wab_opted_out)
        self.assertEqual(partner.wab_consent_ids.company_id, other)
        mine = self.env["whatsapp.billing.consent"].with_user(clerk)
        self.assertFalse(mine.search([("evidence", "ilike", "stop")]))
        self.assertFalse(
            self.env["whatsapp.billing.message"]
            .with_user(clerk)
            .search([("body", "ilike", "stop")])
        )
        theirs = self.consents.search([("source", "=", "keyword")], limit=1)
        with self.assertRaises(AccessError):
            theirs.with_user(clerk).read(["evidence"])

    def test_opt_outs_count_everywhere_where_a_company_wants_that(self):
        other, clerk = self.second_company()
        other.wab_opt_outs_count_everywhere = True
        self.partner.with_company(other).wab_enabled = True
        waiting = self.messages.create(
            {"company_id": other.id, "recipient": CUSTOMER_NUMBER}
        )
        self.stop()
        self.assertEqual((waiting.state, waiting.reason), ("canceled", "opted_out"))
        partner = self.partner.with_user(clerk).with_company(other)
        self.assertTrue(partner.wab_opted_out)
        row = partner.wab_consent_ids.filtered(lambda r: not r.granted)[0]
        self.assertEqual(row.evidence, "Opted out")
        self.assertFalse(row.message_id)
        # And not the other way round.
        self.receive_text("alta", wamid="wamid.x", timestamp=str(STOPPED_AT + 60))
        partner.invalidate_recordset()
        self.assertTrue(partner.wab_opted_out)

    def test_earlier_opt_outs_count_from_the_moment_a_company_wants_that(self):
        other, clerk = self.second_company()
        self.stop()
        partner = self.partner.with_user(clerk).with_company(other)
        self.assertFalse(partner.wab_opted_out)
        other.wab_opt_outs_count_everywhere = True
        self.assertTrue(partner.wab_opted_out)
        rows = self.consents.search([("company_id", "=", other.id)])
        self.assertEqual(set(rows.mapped("evidence")), {"Opted out"})

    def test_switch_and_key_are_a_companys_own(self):
        other, clerk = self.second_company()
        partner = self.partner.with_user(clerk).with_company(other)
        self.assertFalse(partner.wab_enabled)
        first = self.partner.with_user(self.clerk).wab_opt_in("marketing", "x", key="k")
        second = partner.wab_opt_in("marketing", "y", key="k")
        self.assertNotEqual(first[0]["consent_id"], second[0]["consent_id"])
        self.assertEqual(
            self.partner.with_user(self.clerk).wab_opt_in("marketing", "z", key="k"),
            first,
        )
        found = self.env["res.partner"].with_company(other)
        self.assertNotIn(self.partner, found.search([("wab_enabled", "=", True)]))

    def test_earlier_result_of_a_key_is_looked_up_in_the_company(self):
        """A contact is shared: company B's call does not get A's answer."""
        other, clerk = self.second_company()
        template = self._make_template(
            self.account,
            "customer_message",
            header_type="none",
            variable_ids=[],
            button_ids=[],
            body="Hello",
        )
        mine = self.partner.with_user(self.clerk).wab_send(template.id, key="k")
        again = self.partner.with_user(self.clerk).wab_send(template.id, key="k")
        self.assertEqual(mine, again)
        theirs = (
            self.partner.with_user(clerk)
            .with_company(other)
            .wab_send("nothing:en", key="k")
        )
        self.assertNotEqual(theirs[0]["message_id"], mine[0]["message_id"])

    # === SCREENS === #

    def test_allowed_by_says_what_was_said_in_words(self):
        row = self.partner.wab_consent_ids[0].with_context(lang="en_US")
        self.assertNotIn(row.purpose + " ", row.display_name)
        self.assertIn("agreed on", row.display_name)
        self.assertTrue(self.ago(days=1) < row.said_at + timedelta(days=1))
