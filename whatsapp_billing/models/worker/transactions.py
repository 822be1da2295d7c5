# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import logging
from contextlib import contextmanager

from psycopg2 import errorcodes, errors, extensions

from odoo import SUPERUSER_ID, api, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

_logger = logging.getLogger(__name__)


class RepeatTransaction(errors.SerializationFailure):
    """Another transaction was faster in a way that only we see: begin this one again.

    Odoo and our workers repeat what fails so (`odoo/service/model.py`, `retrying`). It
    looks at the code, which psycopg2 sets on the server's own errors only.
    """

    pgcode = errorcodes.SERIALIZATION_FAILURE


class WhatsappBillingWorkerMixin(models.AbstractModel):
    """What every worker of ours shares: its own short transactions and its locks.

    A row is the truth and a job only says "there is work", so a worker may be
    killed anywhere, run twice or never. This is the only place that commits.
    """

    _name = "whatsapp.billing.worker.mixin"
    _description = "WhatsApp Billing Worker"

    @contextmanager
    def _own_transaction(self):
        """Yield a superuser environment on a cursor of its own, at READ COMMITTED.

        Set-based updates of a worker and of the webhook inbox meet on the same
        rows; at Odoo's REPEATABLE READ the later one would fail and lose what
        it knows, at READ COMMITTED it waits and sees the newer row.
        """
        with self.env.registry.cursor() as cr:
            connection = getattr(cr, "connection", None)
            if connection is not None and type(cr).__name__ == "Cursor":
                connection.set_isolation_level(
                    extensions.ISOLATION_LEVEL_READ_COMMITTED
                )
            yield api.Environment(cr, SUPERUSER_ID, {})

    @api.model
    def _commit(self, cr):
        """Make what a worker has decided or learned durable."""
        cr.commit()  # pylint: disable=invalid-commit

    @api.model
    def _durably(self, env, step, attempts=5):
        """Run `step()` and commit, again when PostgreSQL asks for it.

        A worker's results exist nowhere else, so a deadlock or serialization
        error must not lose them.

        :param step: a callable without side effects outside the database
        :return: what `step` returned
        """
        for attempt in range(attempts):
            try:
                result = step()
                env.flush_all()
                self._commit(env.cr)
                return result
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                env.cr.rollback()
                env.invalidate_all()
                if attempt == attempts - 1:
                    raise
        return None

    @api.model
    def _durably_alone(self, env, step, about):
        """As `_durably`, for one of many: what it raises is logged and stops no other.

        :param str about: whose work it is, for the log
        :return: what `step` returned, None where it failed
        """
        try:
            return self._durably(env, step)
        except Exception:
            env.cr.rollback()
            env.clear()
            _logger.exception("Skipped, the others go on: %s", about)
            return None

    @api.model
    def _skip_faults(self, step, about):
        """Run one step of a worker; what it raises is logged and stops no later one.

        For steps in transactions of their own only.
        """
        try:
            return step()
        except Exception:
            _logger.exception("Skipped, the others go on: %s", about)
            return None

    @api.model
    def _separately(self, env, step, items, on_fault, is_again=False):
        """Do `step(items)` at once; where that fails, half by half down to one item.

        Within the transaction of `env`: what a failing item has written is undone.

        What an item names may be deleted or merged by somebody else at that moment:
        its second try sees what is left.

        :param step: a callable that takes a list of items
        :param on_fault: called with the item and the exception that is its fault
        :return: what `step` returned, one entry a call that worked
        """
        if not items:
            return []
        env.flush_all()
        try:
            with env.cr.savepoint(flush=False):
                result = step(items)
                env.flush_all()
                return [result]
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:  # noqa: BLE001
            # What our code or another module raises for one row is blamed on that row.
            env.clear()
            if len(items) == 1:
                if isinstance(error, errors.ForeignKeyViolation) and not is_again:
                    return self._separately(env, step, items, on_fault, is_again=True)
                on_fault(items[0], error)
                return []
        middle = len(items) // 2
        return self._separately(env, step, items[:middle], on_fault) + self._separately(
            env, step, items[middle:], on_fault
        )

    @contextmanager
    def _exclusive(self, env, space, number):
        """Hold a session-level advisory lock; yields whether it was free.

        :param str space: what is locked, e.g. the model's table
        :param int number: which one of them
        """
        env.cr.execute("SELECT pg_try_advisory_lock(hashtext(%s), %s)", [space, number])
        held = env.cr.fetchone()[0]
        try:
            yield held
        finally:
            if held:
                env.cr.rollback()
                env.cr.execute(
                    "SELECT pg_advisory_unlock(hashtext(%s), %s)", [space, number]
                )
                self._commit(env.cr)
