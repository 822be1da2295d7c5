# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Time, deferred work and token buckets, all of which tests can steer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timezone
from itertools import count


class Clock:
    """Tell the time of the simulated world: the real one plus an offset."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._frozen: float | None = None
        self.offset = 0.0

    def now(self) -> float:
        """Return unix seconds."""
        at = self._source() if self._frozen is None else self._frozen
        return at + self.offset

    def freeze(self, frozen: bool) -> None:
        """Stop the clock where it stands, or let it run with the real one again."""
        self._frozen = self._source() if frozen else None

    def reset(self) -> None:
        """Return to the real time."""
        self.offset = 0.0
        self._frozen = None

    def advance(self, seconds: float) -> None:
        """Move the simulated world forward (or back)."""
        self.offset += seconds


def iso(moment: float | None) -> str | None:
    """Write unix seconds as ISO 8601 in UTC with milliseconds."""
    if moment is None:
        return None
    when = datetime.fromtimestamp(moment, tz=timezone.utc)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Scheduler:
    """Run work after a delay, or right now when a test drains it."""

    def __init__(self) -> None:
        self._serial = count()
        self._waiting: dict[int, tuple[float, asyncio.TimerHandle]] = {}
        self._work: dict[int, Callable[[], object]] = {}

    def after(self, milliseconds: float, work: Callable[[], object]) -> None:
        """Run `work` at once when there is no delay, else later on the loop."""
        if milliseconds <= 0:
            work()
            return
        loop = asyncio.get_running_loop()
        key = next(self._serial)
        handle = loop.call_later(milliseconds / 1000, self._run, key)
        # uvloop runs a very short delay at once and gives no time for it.
        self._waiting[key] = (loop.time() + milliseconds / 1000, handle)
        self._work[key] = work

    def soon(self, milliseconds: float, work: Callable[[], object]) -> None:
        """Run `work` after the delay, but never before the present call returns."""
        self.after(max(milliseconds, 0.001), work)

    def _run(self, key: int) -> None:
        self._waiting.pop(key, None)
        work = self._work.pop(key, None)
        if work is not None:
            work()

    def run_all(self) -> int:
        """Run everything that waits, soonest first, and say how many there were."""
        due = sorted(self._waiting.items(), key=lambda item: (item[1][0], item[0]))
        for key, (_when, handle) in due:
            handle.cancel()
            self._run(key)
        return len(due)

    def clear(self) -> None:
        """Forget everything that waits."""
        for _when, handle in self._waiting.values():
            handle.cancel()
        self._waiting.clear()
        self._work.clear()

    def __len__(self) -> int:
        return len(self._waiting)


class Alarms:
    """Work set for a time of the simulated clock, however that is reached."""

    def __init__(self) -> None:
        self._set: list[tuple[float, Callable[[], None]]] = []

    def at(self, moment: float, work: Callable[[], None]) -> None:
        """Do `work` once the clock shows this moment."""
        self._set.append((moment, work))

    def ring(self, now: float) -> None:
        """Do what was set for a time that has come."""
        due = [alarm for alarm in self._set if alarm[0] <= now]
        self._set = [alarm for alarm in self._set if alarm[0] > now]
        for _moment, work in due:
            work()

    def clear(self) -> None:
        """Forget everything that was set."""
        self._set.clear()


class Bucket:
    """Count allowed calls: `rate` per second, `capacity` at once."""

    __slots__ = ("at", "capacity", "rate", "tokens")

    def __init__(self, rate: float, capacity: float, now: float) -> None:
        self.rate = rate
        self.capacity = capacity
        self.tokens = capacity
        self.at = now

    def take(self, now: float) -> bool:
        """Take one token if there is one."""
        if now > self.at:
            self.tokens = min(self.capacity, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True
