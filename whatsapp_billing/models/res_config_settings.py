# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The settings of sending."""

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .. import const


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    wab_account_id = fields.Many2one(
        related="company_id.wab_account_id",
        readonly=False,
        groups="whatsapp_billing.group_manager",
    )
    wab_account_state = fields.Selection(
        related="company_id.wab_account_id.state",
        string="WhatsApp Connection",
        groups="whatsapp_billing.group_manager",
    )
    wab_account_state_detail = fields.Text(
        related="company_id.wab_account_id.state_detail",
        string="WhatsApp Connection Problem",
        groups="whatsapp_billing.group_manager",
    )
    wab_with_email = fields.Boolean(related="company_id.wab_with_email", readonly=False)
    wab_opt_outs_count_everywhere = fields.Boolean(
        related="company_id.wab_opt_outs_count_everywhere", readonly=False
    )
    wab_sends_invoices = fields.Boolean(
        related="company_id.wab_sends_invoices", readonly=False
    )
    wab_sends_credit_notes = fields.Boolean(
        related="company_id.wab_sends_credit_notes", readonly=False
    )
    wab_sends_sales_receipts = fields.Boolean(
        related="company_id.wab_sends_sales_receipts", readonly=False
    )
    wab_sends_payment_receipts = fields.Boolean(
        related="company_id.wab_sends_payment_receipts", readonly=False
    )
    wab_sends_reminders = fields.Boolean(
        related="company_id.wab_sends_reminders", readonly=False
    )
    wab_consent_by_contract = fields.Boolean(
        related="company_id.wab_consent_by_contract", readonly=False
    )
    wab_consent_text = fields.Text(
        related="company_id.wab_consent_text", readonly=False
    )
    wab_retention_days = fields.Integer(
        related="company_id.wab_retention_days", readonly=False
    )
    wab_template_ids = fields.Many2many(
        "whatsapp.billing.template",
        string="Default WhatsApp Templates",
        compute="_compute_wab_templates",
        groups="whatsapp_billing.group_manager",
    )
    wab_missing_templates = fields.Char(
        compute="_compute_wab_templates",
        groups="whatsapp_billing.group_manager",
    )
    wab_engine = fields.Selection(
        [("runner", "Job runner"), ("cron", "Once a minute")],
        string="WhatsApp Sending Engine",
        compute="_compute_wab_engine",
        groups="whatsapp_billing.group_manager",
    )
    wab_evidence_minutes = fields.Integer(
        string="Minutes Until a Lost Message Is Sent Again",
        config_parameter="whatsapp_billing.evidence_minutes",
        default=const.EVIDENCE_MINUTES,
    )

    # === COMPUTE METHODS === #

    @api.depends("wab_account_id")
    def _compute_wab_templates(self):
        templates = self.env["whatsapp.billing.template"]
        words = dict(
            templates._fields["document_type"]._description_selection(self.env)
        )
        usual = self.env["whatsapp.billing.document.mixin"]._wab_all_usual_types()
        for settings in self:
            found = templates.search(
                [
                    ("account_id", "=", settings.wab_account_id.id),
                    ("is_default", "=", True),
                ],
                order="document_type, lang_code",
            )
            ready = set(
                found.filtered(lambda t: t.status == "approved").mapped("document_type")
            )
            settings.wab_template_ids = found
            settings.wab_missing_templates = ", ".join(
                word for kind, word in words.items() if kind in usual - ready
            )

    def _compute_wab_engine(self):
        alive = self.env["whatsapp.billing.message"]._is_job_runner_alive()
        self.wab_engine = "runner" if alive else "cron"

    # === CONSTRAINT METHODS === #

    @api.constrains("wab_evidence_minutes")
    def _check_wab_evidence_minutes(self):
        if any(settings.wab_evidence_minutes < 1 for settings in self):
            raise ValidationError(
                self.env._("Wait at least one minute before sending a message again.")
            )

    # === ACTION METHODS === #

    def action_wab_connect(self):
        """Open the company's account, one that is not connected yet, or a new one."""
        self.ensure_one()
        account = self.wab_account_id or self.env["whatsapp.billing.account"].search(
            [("company_id", "=", self.company_id.id)], limit=1
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("WhatsApp Account"),
            "res_model": "whatsapp.billing.account",
            "res_id": account.id,
            "views": [(False, "form")],
            "context": {"default_company_id": self.company_id.id},
        }
