# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)

from odoo import fields, models

from ... import const


class WhatsappBillingTemplate(models.Model):
    _name = "whatsapp.billing.template"
    _description = "WhatsApp Template"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "document_type, template_name, lang_code, id"

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    account_id = fields.Many2one(
        "whatsapp.billing.account", index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        "res.company",
        index=True,
        help="Leave empty to share the template between companies.",
    )
    template_name = fields.Char(string="Name at WhatsApp", required=True, index=True)
    lang_code = fields.Char(string="Language Code", required=True, default="en")
    category = fields.Selection(
        const.CATEGORIES, required=True, default="utility", tracking=True
    )
    raw_category = fields.Char(copy=False, readonly=True)
    category_changed = fields.Boolean(copy=False)
    document_type = fields.Selection(const.DOCUMENT_TYPES, index=True)
    header_type = fields.Selection(
        [
            ("none", "None"),
            ("text", "Text"),
            ("document", "Document (PDF)"),
            ("image", "Image"),
        ],
        required=True,
        default="none",
    )
    header_text = fields.Char()
    body = fields.Text(required=True)
    footer = fields.Char()
    variable_ids = fields.One2many(
        "whatsapp.billing.template.variable", "template_id", copy=True
    )
    button_ids = fields.One2many(
        "whatsapp.billing.template.button", "template_id", copy=True
    )
    status = fields.Selection(
        const.TEMPLATE_STATUSES,
        required=True,
        default="draft",
        copy=False,
        readonly=True,
        index=True,
        tracking=True,
    )
    raw_status = fields.Char(copy=False, readonly=True)
    rejected_reason = fields.Char(copy=False, readonly=True)
    quality = fields.Char(copy=False, readonly=True, tracking=True)
    is_default = fields.Boolean(copy=False)
    template_uid = fields.Char(copy=False, readonly=True, index="btree_not_null")
    remote_components = fields.Json(copy=False, readonly=True)
    last_checked_at = fields.Datetime(copy=False, readonly=True)
    submitted_at = fields.Datetime(copy=False, readonly=True)
