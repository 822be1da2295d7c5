# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.tests import tagged

from ..models.collection.account import READY_PLANS
from .common import WhatsappBillingCommon


@tagged("post_install", "-at_install")
class TestReadyPlans(WhatsappBillingCommon):
    def test_ready_plans_come_switched_off_in_three_languages(self):
        for code in ("es_ES", "pt_BR"):
            self.env["res.lang"]._activate_lang(code)
            self.env["ir.module.module"].search(
                [("name", "=", "whatsapp_billing")]
            )._update_translations([code])
        for name in READY_PLANS:
            plan = self.env.ref(name).sudo()
            self.assertEqual(plan.stage, "off")
            self.assertGreaterEqual(len(plan.step_ids), 3)
            names = {
                plan.with_context(lang=code).name
                for code in ("en_US", "es_ES", "pt_BR")
            }
            self.assertEqual(len(names), 3, names)

    def test_connecting_a_company_copies_them_once(self):
        company = self.env["res.company"].sudo().create({"name": "Branch"})
        account = self._make_account(company, "200000000000007", "300000000000007")
        plans = self.env["whatsapp.billing.collection.plan"].sudo()
        for _n in range(2):
            account.sudo()._copy_ready_templates()
            mine = plans.search([("company_id", "=", company.id)])
            self.assertEqual(len(mine), len(READY_PLANS))
        self.assertEqual(set(mine.mapped("stage")), {"off"})
        self.assertTrue(all(plan.step_ids for plan in mine))
