# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from odoo import fields, models

from .budget import Budget

# What becomes due within this time gets a job of its own; the cron finds the rest.
JOB_HORIZON = timedelta(minutes=10)
# Further rounds in the same run end after so long: other lanes wait.
AGAIN_SECONDS = 5


class WhatsappBillingLane(models.AbstractModel):
    """What has one pace, one pool of threads and one worker at a time.

    A sender number, a connection to an ERP. Lanes never wait for each other. Its rows
    are in the outbox `_lane_outbox`; `_job_drain` needs a `queue.job.function` with
    `allow_commit`.
    """

    _name = "whatsapp.billing.lane"
    _description = "WhatsApp Billing Lane"
    _inherit = ["whatsapp.billing.worker.mixin"]
    _lane_outbox = None

    # === HOOKS === #

    def _open_lane(self, drain):
        """Return what makes the calls of a drain (`Drain.run`).

        None where nothing can be called now; then what is due is held here, in
        transactions of its own (`_durably`).
        """
        raise NotImplementedError

    def _lane_pace(self):
        """Return how many calls may begin in a second."""
        return 1.0

    def _lane_threads(self):
        """Return how many calls may be under way at a time."""
        return 1

    # === BUSINESS METHODS === #

    def _trigger_drain(self, eta=None):
        """Ask queue_job for a job that drains this lane; several at once become one.

        :param eta: not before; such a job never stands in for one that is due now
        """
        self.ensure_one()
        later = ".later" if eta else ""
        # sudo: queue.job - the system sends, whoever caused it
        self.sudo().with_delay(
            eta=eta, identity_key=f"{self._name}.drain.{self.id}{later}"
        )._job_drain()

    def _let_go(self):
        """Ask queue_job for jobs of these at once, from a worker that goes on itself."""
        for lane in self:
            self._durably_alone(self.env, lane._trigger_drain, f"lane {lane}")

    def _job_drain(self):
        """Send what is due in this lane and see to it that the rest follows."""
        self.ensure_one()
        sent = self._drain()
        self._continue()
        return sent

    def _drain(self, budget=None):
        """Send what is due, unless another worker is at it; return how many went.

        Whoever finds the lock taken leaves: the holder looks again after giving it
        up, so what was queued meanwhile is seen by one of the two.

        :param budget: the run's; what is left then is for the next run
        """
        self.ensure_one()
        budget = budget or Budget.of_run()
        part, total = budget, 0
        while True:
            with self._own_transaction() as env:
                lane = env[self._name].browse(self.id)
                with self._exclusive(env, self._table, self.id) as held:
                    sent = lane._drain_locked(part) if held else 0
                total += sent
                if not sent or budget.is_over() or not lane._has_due():
                    return total
            part = budget.part(AGAIN_SECONDS)

    def _drain_locked(self, budget):
        outbox = self.env[self._lane_outbox]
        self._durably(self.env, lambda: outbox._expire_leases_now(self))
        drain = outbox._make_drain(self, budget)
        caller = self._open_lane(drain)
        return drain.run(caller) if caller else 0

    def _has_due(self):
        due = self.env[self._lane_outbox]._next_due_at(self)
        return bool(due) and due <= fields.Datetime.now()

    def _continue(self):
        """Ask queue_job for a job that does what is due soon or was left by time."""
        now = fields.Datetime.now()
        due = self.env[self._lane_outbox]._next_due_at(self)
        if due and due <= now + JOB_HORIZON:
            self._trigger_drain(eta=max(due, now) + timedelta(seconds=1))
