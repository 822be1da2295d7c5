# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What is kept about a person, as a file for a manager."""

import json

from odoo import fields, http
from odoo.http import content_disposition, request

from ..models.common import call_arguments

EXPORT_ROUTE = "/whatsapp_billing/export_person"


class WhatsappBillingPerson(http.Controller):
    @http.route(EXPORT_ROUTE, type="http", auth="user", methods=["GET"])
    def export_person(self, partner_ids):
        """Give a manager everything kept about people, as a file nobody keeps."""
        messages = request.env["whatsapp.billing.message"]
        messages._check_data_protection()
        # ASCII digits only: `isdigit()` also takes those of other scripts.
        parts = [part for part in partner_ids.split(",") if part.isascii()]
        ids = [int(part) for part in parts if part.isdigit()]
        ids = [record_id for record_id in ids if call_arguments.is_id(record_id)]
        data = messages._export_person(
            request.env["res.partner"].browse(ids).exists(),
            request.env.user.company_ids,
        )
        name = f"whatsapp-{fields.Date.today()}.json"
        return request.make_response(
            json.dumps(data, default=str, ensure_ascii=False, indent=2),
            headers=[
                ("Content-Type", "application/json; charset=utf-8"),
                ("Content-Disposition", content_disposition(name)),
                ("Cache-Control", "no-store"),
            ],
        )
