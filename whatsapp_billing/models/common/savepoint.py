# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Where our part must not stop what somebody else does: accounting, e-mail, a worker."""

from contextlib import contextmanager

from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY


class Outcome:
    """What became of the block; `error` is the exception that undid it, if any."""

    error = None


@contextmanager
def savepoint_or_log(env, logger, message, *args):
    """Run the block in a savepoint; where it raises, undo it, log it and go on.

    What PostgreSQL wants repeated is raised: whoever began the transaction repeats it.

    :param logger: the caller's own, which names the file
    :param str message: what could not be done, with `args` as `logging` has them
    :return: yields the `Outcome`, to be read behind the block
    """
    outcome = Outcome()
    try:
        with env.cr.savepoint():
            yield outcome
    except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
        raise
    except Exception as error:
        # Other modules' code and people's templates run in the block: what they raise
        # is logged, and the caller's transaction goes on.
        logger.exception(message, *args)
        outcome.error = error
