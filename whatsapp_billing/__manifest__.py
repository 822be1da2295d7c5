# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
{
    "name": "WhatsApp Billing",
    "summary": "Invoices, reminders and receipts on WhatsApp, sent once and accounted for",
    "version": "19.0.1.0.0",
    "category": "Accounting/Accounting",
    "license": "LGPL-3",
    "author": "The whatsapp_billing authors",
    "application": True,
    "depends": [
        "account",
        "account_payment",
        "base_automation",
        "phone_validation",
        "queue_job",
    ],
    "external_dependencies": {
        "python": ["babel", "cryptography", "phonenumbers", "reportlab", "requests"],
    },
    "data": [
        "security/whatsapp_billing_groups.xml",
        "security/ir.model.access.csv",
        "security/whatsapp_billing_security.xml",
        "data/ir_cron.xml",
        "data/queue_job.xml",
        "views/phone_preview.xml",
        "views/phone_views.xml",
        "views/template_views.xml",
        "views/account_views.xml",
        "views/message_trace.xml",
        "views/message_views.xml",
        "views/webhook_event_views.xml",
        "views/consent_views.xml",
        "views/res_config_settings_views.xml",
        "wizard/person_erase_views.xml",
        "views/res_partner_views.xml",
        "views/account_move_views.xml",
        "views/account_payment_views.xml",
        "wizard/account_move_send_wizard_views.xml",
        "wizard/compose_views.xml",
        "wizard/consent_record_views.xml",
        "views/menus.xml",
    ],
    "assets": {
        "web.assets_backend": [
            "whatsapp_billing/static/src/scss/phone_preview.scss",
            "whatsapp_billing/static/src/components/**/*",
            "whatsapp_billing/static/src/core/**/*",
        ],
        "web.assets_tests": [
            "whatsapp_billing/static/tests/tours/**/*",
        ],
        "web.assets_web_dark": [
            "whatsapp_billing/static/src/scss/phone_preview.dark.scss",
        ],
    },
    "uninstall_hook": "uninstall_hook",
}
