# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

from odoo import fields, models


class WhatsappBillingAccount(models.Model):
    _name = "whatsapp.billing.account"
    _description = "WhatsApp Business Account"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
    )
    provider = fields.Selection(
        [("meta", "Meta (WhatsApp Cloud API)"), ("dialog360", "360dialog")],
        required=True,
        default="meta",
        tracking=True,
    )
    api_url = fields.Char(
        string="API Address",
        default="https://graph.facebook.com",
    )
    api_version = fields.Char(string="API Version", required=True, default="v25.0")
    waba_uid = fields.Char(string="WhatsApp Business Account ID", index=True)
    app_uid = fields.Char(string="App ID", index="btree_not_null")

    access_token = fields.Char(
        compute="_compute_secrets",
        help="Kept encrypted and never shown again. Leave empty to keep it.",
    )
    app_secret = fields.Char(
        compute="_compute_secrets",
        help="Kept encrypted and never shown again. Leave empty to keep it.",
    )
    access_token_cipher = fields.Char(groups=fields.NO_ACCESS, copy=False)
    app_secret_cipher = fields.Char(groups=fields.NO_ACCESS, copy=False)
    app_secret_previous_cipher = fields.Char(groups=fields.NO_ACCESS, copy=False)
    app_secret_changed_at = fields.Datetime(groups=fields.NO_ACCESS, copy=False)
    has_access_token = fields.Boolean()
    has_app_secret = fields.Boolean()

    webhook_token = fields.Char(
        copy=False, groups=fields.NO_ACCESS, index="btree_not_null"
    )
    webhook_url = fields.Char(
        string="Webhook Address",
        groups="whatsapp_billing.group_manager",
    )
    webhook_verify_token = fields.Char(
        copy=False, groups="whatsapp_billing.group_manager"
    )
    last_webhook_at = fields.Datetime(string="Last Webhook", copy=False, readonly=True)

    state = fields.Selection(
        [
            ("draft", "Not connected"),
            ("connected", "Connected"),
            ("pending", "Waiting for WhatsApp"),
            ("inactive", "Switched off"),
            ("error", "Error"),
        ],
        required=True,
        default="draft",
        copy=False,
        readonly=True,
        tracking=True,
        index=True,
    )
    state_detail = fields.Text(copy=False, readonly=True)
    binding = fields.Char(groups=fields.NO_ACCESS, copy=False)
    is_bound = fields.Boolean()
    last_sync_at = fields.Datetime(
        string="Templates Checked", copy=False, readonly=True
    )
    remote_facts = fields.Json(copy=False, readonly=True)
    checklist = fields.Json()

    phone_ids = fields.One2many("whatsapp.billing.phone", "account_id")
    template_ids = fields.One2many("whatsapp.billing.template", "account_id")

    def _compute_secrets(self):
        """Read back nothing, whoever asks."""
        self.access_token = False
        self.app_secret = False
