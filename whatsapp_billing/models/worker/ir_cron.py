# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import threading
import time
import weakref

from odoo import models


class CronRound:
    """The jobs that a cron worker does one after the other under one time limit.

    :param cron_cr: the cursor that Odoo opens for each round
    """

    def __init__(self, cron_cr):
        self.began_at = time.time()
        self._cursor = weakref.ref(cron_cr)

    def is_of(self, cron_cr):
        """Tell whether a job that runs with this cursor belongs to the same round."""
        return self._cursor() is cron_cr


class IrCron(models.Model):
    _inherit = "ir.cron"

    def method_direct_trigger(self):
        """Override of `base`: each run by hand begins a round of its own.

        It has the cursor of its request, or of a whole class of tests, which tells
        nothing about when a cron worker began.
        """
        threading.current_thread().wab_latest_round = None
        return super().method_direct_trigger()

    @classmethod
    def _process_job(cls, cron_cr, job):
        """Override of `base` to remember when the round of this job began.

        Odoo's time limit counts from there, so a second job has less (`budget.py`).
        """
        thread = threading.current_thread()
        cron_round = getattr(thread, "wab_latest_round", None)
        if cron_round is None or not cron_round.is_of(cron_cr):
            cron_round = CronRound(cron_cr)
        thread.wab_cron_round = thread.wab_latest_round = cron_round
        try:
            return super()._process_job(cron_cr, job)
        finally:
            thread.wab_cron_round = None
