# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A plan's condition asks what its writer may read, and no secrets."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .rights_common import RightsCommon


@tagged("post_install", "-at_install")
class TestConditions(RightsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan = (
            cls.env["whatsapp.billing.collection.plan"]
            .sudo()
            .create({"name": "Plan", "company_id": cls.company.id, "domain": "[]"})
        )

    def _write(self, condition, name="manager"):
        self._as(self.plan, name).domain = str(condition)

    def _fits(self):
        """Return which of the two invoices the condition takes in, as a run does."""
        plan = self.plan.sudo()
        self.env.flush_all()
        self.env.cr.execute(plan._find_fitting())
        return {row[0] for row in self.env.cr.fetchall()}

    def test_secrets_are_not_asked_for(self):
        for condition in (
            [("invoice_user_id.totp_secret", "like", "A%")],
            [("invoice_user_id.login", "like", "adm%")],
            [("invoice_user_id", "any", [("password", "!=", False)])],
            [("access_token", "=like", "a%")],
            [("partner_id.user_ids.login", "=like", "a%")],
            [("partner_id.signup_token", "!=", False)],
            [("company_id.wab_account_id.access_token_cipher", "like", "g%")],
            [("company_id.name", "like", "A%")],
            [("wab_message_ids.content", "!=", False)],
            [("line_ids", "any", [("create_uid.login", "=like", "a%")])],
            ["!", ("partner_id", "any", [("user_ids.login", "=like", "a%")])],
        ):
            with self.subTest(condition=condition), self.assertRaises(UserError):
                self._write(condition)
        self.assertEqual(self.plan.domain, "[]")

    def test_what_does_not_exist_or_passes_by_is_refused(self):
        for condition in (
            "[('nonsense', '=', 1)]",
            "[('partner_id.nonsense', '=', 1)]",
            "[('partner_id', 'any!', [('name', '!=', False)])]",
            "__import__('os').getcwd()",
            "[(",
        ):
            with self.subTest(condition=condition), self.assertRaises(UserError):
                self._as(self.plan, "manager").domain = condition

    def test_useful_conditions_are_taken(self):
        for condition in (
            [("amount_total", ">", 50)],
            [("partner_id.category_id.name", "=", "Retail")],
            [("partner_id.country_id.code", "=", "ES")],
            [("partner_id", "any", [("country_id.code", "=", "ES")])],
            [("line_ids", "not any", [("account_id.code", "=like", "4%")])],
            [("invoice_user_id", "=", self.users["clerk"].id)],
            [("line_ids.account_id.code", "=like", "4%")],
            [("invoice_date.month_number", "=", 11)],
        ):
            with self.subTest(condition=condition):
                self._write(condition)
        self._write([("amount_total", ">", 50)])
        self.assertIn(self.invoice.id, self._fits())

    def test_another_company_s_figures_answer_nothing(self):
        """Both companies share the contact: theirs is an invoice of 250."""
        self._write([("partner_id.invoice_ids.amount_total", ">", 200)])
        self.assertFalse(self._fits())
        self._write([("partner_id.invoice_ids.amount_total", ">", 50)])
        self.assertIn(self.invoice.id, self._fits())

    def test_who_works_in_both_companies_asks_in_the_plan_s_only(self):
        """A sibling: who reads theirs may not let our plan tell it to colleagues."""
        self._write([("partner_id.invoice_ids.amount_total", ">", 200)], "administrator")
        self.assertFalse(self._fits())
        self._write([("partner_id.invoice_ids.amount_total", ">", 50)], "administrator")
        self.assertIn(self.invoice.id, self._fits())

    def test_rules_of_the_writer_hold_in_every_run(self):
        self._write([("amount_total", ">", 50)])
        self.env["ir.rule"].sudo().create(
            {
                "name": "Own invoices only",
                "model_id": self.env["ir.model"]._get("account.move").id,
                "domain_force": "[('invoice_user_id', '=', user.id)]",
            }
        )
        self.assertNotIn(self.invoice.id, self._fits())

    def test_old_and_imported_conditions_are_asked_as_strictly(self):
        """Written before, by SQL, or by somebody who has left."""
        self.env.cr.execute(
            "UPDATE whatsapp_billing_collection_plan SET domain = %s,"
            " domain_user_id = %s WHERE id = %s",
            [
                str([("invoice_user_id.totp_secret", "!=", False)]),
                self.users["manager"].id,
                self.plan.id,
            ],
        )
        self.plan.invalidate_recordset()
        with self.assertRaises(AccessError):
            self._fits()
        self.assertFalse(self.plan.sudo()._is_condition_allowed())
        self.assertIn("condition", self.plan.sudo().problem)

    def test_a_writer_without_rights_any_more_stops_the_condition_alone(self):
        self._write([("amount_total", ">", 50)])
        manager = self.users["manager"].sudo()
        plan = self.plan.sudo()
        plan.stage = "dry_run"
        manager.active = False
        self.assertFalse(plan._is_condition_allowed())
        # The night goes on, takes nothing in by it and gives nothing up.
        self.env["whatsapp.billing.collection.case"].sudo()._enrol(self.company)
        self.assertFalse(plan.case_ids)
        self._write([("amount_total", ">", 50)], "administrator")
        self.assertTrue(plan._is_condition_allowed())
        self.assertEqual(plan.domain_user_id, self.administrator)

    def test_nobody_signs_for_another(self):
        with self.assertRaises(AccessError):
            self._as(self.plan, "manager").domain_user_id = self.administrator
