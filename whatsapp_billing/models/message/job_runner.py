# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Whether `queue_job` runs jobs for this database; without it the cron sends."""

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.queue_job.jobrunner.runner import PG_ADVISORY_LOCK_ID


class WhatsappBillingMessage(models.Model):
    _inherit = "whatsapp.billing.message"

    @api.model
    def _is_job_runner_alive(self):
        """Tell whether a job runner serves this database at this moment.

        The runner holds a session lock for as long as it lives (`queue_job`
        19.0, `jobrunner/runner.py`, `_acquire_master_lock`), so this also tells
        about one on another server and never believes one that has died.
        """
        found = self.env.execute_query(
            SQL(
                """
                SELECT 1 FROM pg_locks
                 WHERE locktype = 'advisory' AND objsubid = 1 AND granted
                   AND (classid::bigint << 32) | objid::bigint = %s
                   AND database = (
                       SELECT oid FROM pg_database WHERE datname = current_database())
                 LIMIT 1
                """,
                PG_ADVISORY_LOCK_ID,
            )
        )
        return bool(found)
