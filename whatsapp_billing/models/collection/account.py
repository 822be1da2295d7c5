# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The ready-made plans, which a company gets with its first account."""

from odoo import models

READY_PLANS = (
    "whatsapp_billing.collection_plan_gentle",
    "whatsapp_billing.collection_plan_steady",
)


class WhatsappBillingAccount(models.Model):
    _inherit = "whatsapp.billing.account"

    def _copy_ready_templates(self):
        """Override to give a newly connected company the ready-made plans as well."""
        result = super()._copy_ready_templates()
        self._copy_ready_plans()
        return result

    def _copy_ready_plans(self):
        """Copy the ready-made plans, switched off, to companies without any plan."""
        # sudo: whatsapp.billing.collection.plan - the originals are of another company
        plans_sudo = self.env["whatsapp.billing.collection.plan"].sudo()
        ready_sudo = plans_sudo.union(
            *(
                self.env.ref(name, raise_if_not_found=False) or plans_sudo
                for name in READY_PLANS
            )
        )
        for company in self.company_id:
            if not plans_sudo.with_context(active_test=False).search_count(
                [("company_id", "=", company.id)], limit=1
            ):
                for plan in ready_sudo:
                    plan.copy({"company_id": company.id, "stage": "off"})
