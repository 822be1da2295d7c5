# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A transport that gives up in time for the person who waits for the answer."""

import time
from collections.abc import Callable
from typing import Any

from .errors import NotConnectedError
from .transport import Response, Transport


class DeadlineTransport(Transport):
    """Share one budget of seconds between all the calls of one action.

    A person who pressed a button waits at most that long, however many pages the
    provider has. A call that would begin later is not made.
    """

    def __init__(
        self,
        transport: Transport,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        longest: float | None = None,
    ) -> None:
        """Wrap a transport; the budget begins now.

        :param longest: seconds for one call that names none itself, however much is
            left for all
        """
        self._transport = transport
        self._longest = longest
        self._clock = clock
        self._until = clock() + seconds

    def request(self, method: str, url: str, **options: Any) -> Response:
        """Send through the wrapped transport with what is left of the budget.

        :raise NotConnectedError: if nothing is left; the call was not made
        """
        left = self._until - self._clock()
        if left <= 0:
            raise NotConnectedError(code="deadline", details="no time left")
        timeout = min(options.pop("timeout", None) or self._longest or left, left)
        return self._transport.request(method, url, timeout=timeout, **options)

    def close(self) -> None:
        """Close the wrapped transport."""
        self._transport.close()
