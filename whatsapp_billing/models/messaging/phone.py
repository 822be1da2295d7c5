# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

from odoo import fields, models


class WhatsappBillingPhone(models.Model):
    _name = "whatsapp.billing.phone"
    _description = "WhatsApp Number"
    _inherit = ["mail.thread"]
    _order = "is_verified desc, id"
    _rec_names_search = ["number", "verified_name"]

    account_id = fields.Many2one(
        "whatsapp.billing.account", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    active = fields.Boolean(default=True)
    phone_uid = fields.Char(string="Phone Number ID", required=True, index=True)
    number = fields.Char(help="With its country code: + and digits.")
    verified_name = fields.Char(string="Display Name")
    is_verified = fields.Boolean(string="Verified")
    pace = fields.Integer(default=80, help="Messages per second that WhatsApp allows.")
    quality = fields.Char(tracking=True)
    tier = fields.Char(string="Daily Limit", tracking=True)
    status = fields.Char(tracking=True)
    is_vanished = fields.Boolean(
        string="Gone from WhatsApp",
        help="WhatsApp no longer lists this number under the account.",
    )
    code_method = fields.Selection(
        [("SMS", "Text message"), ("VOICE", "Call")], default="SMS", required=True
    )
    verification_code = fields.Char(
        copy=False, groups="whatsapp_billing.group_manager"
    )

    _phone_uid_unique = models.UniqueIndex(
        "(account_id, phone_uid)", "This number is already in this account."
    )
