# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, models
from odoo.tools import SQL

# A template whose messages fail this often is looked at by a person; fewer messages
# than that say nothing.
FAILURE_SHARE = 0.2
FEWEST = 20


class WhatsappBillingTemplate(models.Model):
    _inherit = "whatsapp.billing.template"

    # === CRON METHODS === #

    @api.model
    def _warn_about_failures(self):
        """Ask a person to look at templates whose messages keep failing (C38)."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT template_id,
                       count(*) FILTER (WHERE state = 'failed') AS failed, count(*)
                  FROM whatsapp_billing_message
                 WHERE template_id IS NOT NULL AND direction = 'out'
                   AND state IN ('sent', 'delivered', 'read', 'failed')
                   AND create_date > (now() at time zone 'utc') - interval '1 day'
              GROUP BY template_id
                HAVING count(*) >= %s
                   AND count(*) FILTER (WHERE state = 'failed') >= %s * count(*)
                """,
                FEWEST,
                FAILURE_SHARE,
            )
        )
        for template_id, failed, total in rows:
            template = self.browse(template_id)
            template.account_id._warn_once(
                template,
                self.env._("Messages of this template fail"),
                self.env._(
                    "%(failed)s of %(total)s messages failed in the last 24 hours. "
                    "Open Messages, filter Failed, to see why.",
                    failed=failed,
                    total=total,
                ),
            )
        return len(rows)
