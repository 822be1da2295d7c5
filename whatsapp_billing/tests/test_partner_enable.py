# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tests.common import new_test_user

from .common import WhatsappBillingCommon

EVIDENCE = "Section 7 of our terms, signed in January"


@tagged("post_install", "-at_install")
class TestPartnerEnable(WhatsappBillingCommon):
    """A clerk who may edit contacts switches WhatsApp on for many of them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.editor = cls._make_user(
            "wab_editor", "account.group_account_invoice,base.group_partner_manager"
        )
        rank = {"customer_rank": 1}
        cls.good = cls._customer("Good", "600 000 011", **rank)
        cls.person = cls._customer("Person", "+34600000012", parent_id=cls.good.id)
        cls.silent = cls._customer("Silent", False, **rank)
        cls.wrong = cls._customer("Wrong", "12", **rank)
        cls.gone = cls._customer("Gone", "+34600000013", wab_enabled=True, **rank)
        cls.gone.wab_enabled = False
        cls.gone.with_user(cls.clerk).wab_opt_out("billing", "Said so")
        cls.vendor = cls._customer("Vendor", "+34600000014", supplier_rank=1)
        cls.plain = cls._customer("Plain vendor", "600000015", supplier_rank=1)

    @classmethod
    def _customer(cls, name, number, wab_enabled=False, **values):
        return cls._make_customer(name, number, wab_enabled=wab_enabled, **values)

    def open(self, partners=None, user=None, **values):
        wizards = self.env["whatsapp.billing.partner.enable"].with_user(
            user or self.editor
        )
        action = wizards._open(partners and partners.with_user(user or self.editor))
        wizard = wizards.browse(action["res_id"])
        wizard.write({"evidence": EVIDENCE, **values})
        return wizard

    def results(self, wizard):
        action = wizard.action_enable()
        lines = self.env[action["res_model"]].sudo().search(action["domain"])
        return {line.partner_id: line.result for line in lines}

    def test_all_customers_main_contacts_only(self):
        found = self.results(self.open())
        self.assertTrue(self.good.wab_enabled)
        self.assertFalse(self.person.wab_enabled)
        expected = {
            self.good: "enabled",
            self.silent: "no_number",
            self.wrong: "invalid_number",
            self.gone: "opted_out",
        }
        self.assertEqual({p: found[p] for p in expected}, expected)
        self.assertNotIn(self.vendor, found)
        rows = self.env["whatsapp.billing.consent"].search(
            [("partner_id", "=", self.good.id)]
        )
        self.assertEqual(set(rows.mapped("purpose")), {"billing", "collections"})
        self.assertEqual(set(rows.mapped("evidence")), {EVIDENCE})
        self.assertEqual(rows.user_id, self.editor)

    def test_contact_persons_too_as_default_recipients(self):
        found = self.results(self.open(scope="persons", make_default=True))
        self.assertEqual(found[self.person], "enabled")
        self.assertTrue(self.person.wab_is_default_recipient)
        self.assertFalse(self.good.wab_is_default_recipient)

    def test_selection_only(self):
        wizard = self.open(self.good | self.silent)
        self.assertEqual(wizard.headline, "1 contact will be switched on.")
        self.assertIn("No number: 1", wizard.left_out)
        self.assertEqual(
            self.results(wizard), {self.good: "enabled", self.silent: "no_number"}
        )

    def test_vendors_need_a_plus(self):
        found = self.results(self.open(audience="vendor"))
        self.assertEqual(found[self.vendor], "enabled")
        self.assertEqual(found[self.plain], "no_plus")
        self.assertFalse(self.plain.wab_enabled)
        self.assertNotIn(self.good, found)

    def test_people_of_vendors_need_a_plus_too(self):
        spain = self.env.ref("base.es").id
        person = self._customer(
            "Vera", "600000016", parent_id=self.vendor.id, country_id=spain
        )
        self.assertTrue(person.wab_recipient)
        found = self.results(self.open(self.vendor, scope="persons"))
        self.assertEqual(found[person], "no_plus")
        self.assertEqual(self.results(self.open(person)), {person: "no_plus"})
        with self.assertRaises(ValidationError), self.cr.savepoint():
            person.wab_enabled = True
        person.phone = "+34600000016"
        person.wab_enabled = True
        with self.assertRaises(ValidationError):
            person.phone = "600000016"

    def test_selected_vendors_are_recognised(self):
        wizard = self.open(self.plain)
        self.assertEqual(wizard.audience, "vendor")

    def test_again_changes_nothing(self):
        self.results(self.open(self.good))
        before = self.env["whatsapp.billing.consent"].search_count([])
        wizard = self.open(self.good)
        self.assertEqual(self.results(wizard), {self.good: "already"})
        wizard.action_enable()
        self.assertEqual(self.env["whatsapp.billing.consent"].search_count([]), before)

    def test_without_evidence_is_refused(self):
        with self.assertRaises(UserError):
            self.open(evidence="  ").action_enable()
        self.assertFalse(self.good.wab_enabled)

    def test_who_may_not_edit_contacts_is_refused(self):
        reader = new_test_user(
            self.env, "wab_reader", "base.group_user,whatsapp_billing.group_user"
        )
        with self.assertRaises(AccessError):
            self.open(self.good, user=reader).action_enable()
        self.assertFalse(self.good.wab_enabled)

    def test_left_out_opens_the_contact_and_says_what_to_do(self):
        action = self.open(self.wrong).action_enable()
        self.assertTrue(action["context"]["search_default_left_out"])
        line = self.env[action["res_model"]].sudo().search(action["domain"])
        self.assertIn("not a valid number", line.detail)
        self.assertEqual(line.action_open_contact()["res_id"], self.wrong.id)

    def test_as_many_queries_for_many(self):
        few = self.good
        many = self.env["res.partner"].create(
            [
                {"name": f"Many {n}", "phone": f"+3461000{n:04}", "customer_rank": 1}
                for n in range(300)
            ]
        )
        counts = []
        for partners in (few, many):
            wizard = self.open(partners)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            wizard.action_enable()
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLess(counts[1], counts[0] + 40)
