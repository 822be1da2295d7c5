# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
{
    "name": "Benchmark baselines",
    "summary": "The bare controller that webhook intake is measured against",
    "version": "19.0.1.0.0",
    "author": "The whatsapp_billing authors",
    "license": "LGPL-3",
    "depends": ["web"],
    "installable": True,
}
