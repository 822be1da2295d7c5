# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

# A template whose messages fail this often is looked at by a person; fewer messages
# than that say nothing.
FAILURE_SHARE = 0.2
FEWEST_MESSAGES = 20
# A template in one of these states waits for nobody here.
ENDED = ("approved", "pending", "deletion_pending", "deleted")


class WhatsappBillingTemplate(models.Model):
    _inherit = "whatsapp.billing.template"

    # === CRUD METHODS === #

    def write(self, vals):
        """End what was asked about a template that needs nothing any more."""
        result = super().write(vals)
        if vals.get("status") in ENDED:
            self.env["mail.activity"]._wab_end(self, "template_unusable")
        if vals.get("active") is False:
            for reason in ("template_unusable", "template_fails"):
                self.env["mail.activity"]._wab_end(self, reason)
        return result

    # === CRON METHODS === #

    @api.model
    def _warn_about_failures(self):
        """Ask a person to look at templates whose messages keep failing."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT template_id,
                       count(*) FILTER (WHERE state = 'failed') AS failed, count(*)
                  FROM whatsapp_billing_message
                 WHERE template_id IS NOT NULL AND direction = 'out'
                   AND state IN ('sent', 'delivered', 'read', 'failed')
                   AND create_date > %s
              GROUP BY template_id
                HAVING count(*) >= %s
                   AND count(*) FILTER (WHERE state = 'failed') >= %s * count(*)
                """,
                fields.Datetime.now() - timedelta(days=1),
                FEWEST_MESSAGES,
                FAILURE_SHARE,
            )
        )
        # sudo: mail.activity - what was asked about templates that work again
        asked = (
            self.env["mail.activity"]
            .sudo()
            .search(
                [("wab_reason", "=", "template_fails"), ("res_model", "=", self._name)]
            )
        )
        failing = {row[0] for row in rows}
        asked.filtered(lambda activity: activity.res_id not in failing).unlink()
        for template_id, failed, total in rows:
            template = self.browse(template_id)._for_reader()
            template.account_id._warn_once(
                template,
                template.env._("Messages of this template fail"),
                template.env._(
                    "%(failed)s of %(total)s messages failed in the last 24 hours. "
                    "Open Messages, filter Failed, to see why.",
                    failed=failed,
                    total=total,
                ),
                "template_fails",
            )
        return len(rows)
