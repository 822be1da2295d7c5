# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
{
    "name": "WhatsApp Billing: Tests",
    "summary": "A document type and a channel of their own, for the tests of WhatsApp Billing only",
    "version": "19.0.1.0.0",
    "category": "Hidden/Tests",
    "author": "The whatsapp_billing authors",
    "license": "LGPL-3",
    "depends": ["whatsapp_billing"],
    "data": ["security/ir.model.access.csv"],
}
