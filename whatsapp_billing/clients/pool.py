# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Make calls in parallel, at a pace, and give back what became of each.

Knows no database and no provider: it takes jobs and a function that makes one call
into one outcome. The caller decides what is called, when, and what an outcome means.
"""

import math
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Work = TypeVar("Work")
Outcome = TypeVar("Outcome")


class TokenBucket:
    """Let at most `rate` calls a second through, a tenth of it at once."""

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self._burst = max(1.0, rate / 10)
        self._tokens = self._burst
        self._at = now

    def take(self, wanted: int, now: float) -> int:
        """Return how many of `wanted` may go now, and count them as gone."""
        self._tokens = min(
            self._burst, self._tokens + max(0.0, now - self._at) * self.rate
        )
        self._at = now
        granted = min(wanted, int(self._tokens))
        self._tokens -= granted
        return granted

    def wait(self) -> float:
        """Return the seconds until one more may go."""
        return max(0.0, (1 - self._tokens) / self.rate)

    def slow_down(self) -> None:
        """Halve the pace after the other side said that it is too high."""
        self.rate = max(1.0, self.rate / 2)
        self._tokens = 0.0


class CallPool(Generic[Work, Outcome]):
    """Threads that each take the next piece of work and make the call for it.

    :param call: makes one call; runs in a thread, without a database
    :param on_fault: makes an outcome of what `call` raised: a bug there must not end
        the thread with its work unaccounted for
    :param threads: calls that may be under way at a time
    :param name: how the threads are called in a dump
    """

    def __init__(
        self,
        call: Callable[[Work], Outcome],
        on_fault: Callable[[Work, Exception], Outcome],
        threads: int,
        name: str = "wab-call",
    ) -> None:
        self.threads = threads
        self._call = call
        self._on_fault = on_fault
        self._name = name
        # None in the queue ends one thread.
        self._todo: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._pool: list[threading.Thread] = []

    def put(self, *works: Work) -> None:
        """Hand over pieces of work; each is called as soon as a thread is free.

        Threads are started with the first of it: starting a hundred of them on a busy
        machine takes as long as a call. All that are missing before any of this work:
        a start waits for the new thread, which waits for those that are calling.
        """
        for _work in works[: self.threads - len(self._pool)]:
            name = f"{self._name}-{len(self._pool)}"
            thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._pool.append(thread)
            thread.start()
        for work in works:
            self._todo.put(work)

    def outcomes(
        self, wait: float, linger: float = 0.0, enough: int = 0
    ) -> list[Outcome]:
        """Return what has come back, waiting for the first at most `wait` seconds.

        :param linger: seconds to go on collecting after the first, so that the
            caller records larger slices
        :param enough: a slice that is large enough to go on with it at once, 0 for none
        """
        found: list[Outcome] = []
        try:
            found.append(
                self._done.get(timeout=wait) if wait else self._done.get(False)
            )
        except queue.Empty:
            return found
        found.extend(self._drain())
        if linger and not 0 < enough <= len(found):
            time.sleep(linger)
            found.extend(self._drain())
        return found

    def _drain(self) -> Iterator[Outcome]:
        while True:
            try:
                yield self._done.get(block=False)
            except queue.Empty:
                return

    def close(self, seconds: float = math.inf) -> bool:
        """Let the threads end after what they are doing.

        :param seconds: to wait for them in all. A call that hangs for longer is left
            alone: its outcome reaches nobody.
        :return: whether all have ended
        """
        until = time.monotonic() + seconds
        for _thread in self._pool:
            self._todo.put(None)
        for thread in self._pool:
            left = max(0.0, until - time.monotonic())
            thread.join(None if left == math.inf else left)
        return not any(thread.is_alive() for thread in self._pool)

    def _run(self) -> None:
        while (work := self._todo.get()) is not None:
            self._done.put(self._perform(work))

    def _perform(self, work: Work) -> Outcome:
        try:
            return self._call(work)
        except Exception as error:  # noqa: BLE001
            return self._on_fault(work, error)
