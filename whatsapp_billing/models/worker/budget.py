# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""How long a run may go on: one clock that knows when Odoo would kill it.

Odoo 19 (`service/server.py`) ends a worker whose request took longer than
`limit_time_real`, a cron worker whose round of jobs took longer than
`limit_time_real_cron`, and either when it has used `limit_time_cpu`; with threads
instead of workers the whole server begins anew. Whatever was under way is lost then.
"""

import math
import threading
import time

from odoo.tools import config

try:
    import resource
except ImportError:  # Windows, where Odoo has no workers that could be killed
    resource = None

# A run gives way after this many seconds, whatever it still may: others wait as well.
LONGEST_SECONDS = 60.0
# Of the time until Odoo kills the run: work begins in the first part, and calls that
# are under way may take until the second; what remains is for writing them down.
SHARE_TO_BEGIN = 0.5
SHARE_TO_CALL = 0.8


class Budget:
    """The time that is left for beginning more work; every loop of a run asks it.

    :param seconds: that work may begin in
    :param seconds_to_call: that calls may be under way in, from now on
    :param cpu_seconds: of processor time that the process may use from now on
    """

    def __init__(
        self,
        seconds,
        seconds_to_call=math.inf,
        cpu_seconds=math.inf,
        clock=time.monotonic,
        cpu_clock=time.process_time,
    ):
        now = clock()
        self.clock = clock
        self._cpu_clock = cpu_clock
        self._until = now + seconds
        self._calls_until = now + seconds_to_call
        self._cpu_until = cpu_clock() + cpu_seconds

    @classmethod
    def of_run(cls, longest=LONGEST_SECONDS):
        """Return the budget of the request, job, cron or command that asks."""
        left = _seconds_to_live(threading.current_thread())
        return cls(
            min(longest, left * SHARE_TO_BEGIN),
            left * SHARE_TO_CALL,
            _cpu_seconds_to_live() * SHARE_TO_BEGIN,
        )

    def left(self):
        """Return the seconds in which work may still begin, 0 when it is over."""
        left = min(
            self._until - self.clock(),
            # Waiting uses no processor time, so that either of the two may end first.
            self._cpu_until - self._cpu_clock(),
        )
        return max(0.0, left)

    def is_over(self):
        """Tell whether to hand on what is left."""
        return self.left() <= 0

    def part(self, seconds):
        """Return a budget that ends after `seconds`, or with this one."""
        part = Budget.__new__(Budget)
        part.__dict__.update(self.__dict__)
        part._until = min(self._until, self.clock() + seconds)
        return part

    def share(self, among):
        """Return an equal part of what is left, for one of several."""
        return self.part(self.left() / max(among, 1))

    def seconds_to_call(self):
        """Return how long a call that begins now may take, infinity for no limit."""
        return max(0.0, self._calls_until - self.clock())


def _seconds_to_live(thread):
    """Return the seconds until Odoo ends the run in this thread, infinity for never."""
    limit = config["limit_time_real"]
    if _is_cron(thread) and config["limit_time_real_cron"] > 0:
        limit = config["limit_time_real_cron"]
    if not limit or limit <= 0:
        return math.inf
    return max(0.0, limit - (time.time() - _began_at(thread)))


def _is_cron(thread):
    """Tell whether a cron worker runs this; a cron run by hand is a request."""
    is_request = getattr(thread, "perf_t0", None) is not None
    return not is_request and getattr(thread, "wab_cron_round", None) is not None


def _began_at(thread):
    """Return when what Odoo measures began: a round of cron jobs, a request, or now."""
    if _is_cron(thread):
        return thread.wab_cron_round.began_at
    # Set by `odoo/http.py` for each request, and by the server with threads.
    return getattr(thread, "perf_t0", None) or time.time()


def _cpu_seconds_to_live():
    """Return the processor time until a worker is ended, infinity for no limit.

    Odoo sets it for each unit of work, and not for a server with threads.
    """
    if resource is None:
        return math.inf
    limit, _hard = resource.getrlimit(resource.RLIMIT_CPU)
    if limit == resource.RLIM_INFINITY:
        return math.inf
    return max(0.0, limit - time.process_time())
