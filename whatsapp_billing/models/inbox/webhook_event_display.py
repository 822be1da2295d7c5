# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A webhook's body as people read it."""

import base64
import json

from odoo import api, fields, models


class WhatsappBillingWebhookEvent(models.Model):
    _inherit = "whatsapp.billing.webhook.event"

    body_text = fields.Text(compute="_compute_body_text", string="Contents")

    @api.depends("body")
    def _compute_body_text(self):
        """Show the bytes as indented JSON, or as they are where they are none."""
        for event in self.with_context(bin_size=False):
            text = base64.b64decode(event.body or b"").decode(errors="replace")
            try:
                text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
            except (ValueError, RecursionError):
                # A body that is no JSON is shown as it came: that is the fault to look
                # for.
                event.body_text = text
            else:
                event.body_text = text
