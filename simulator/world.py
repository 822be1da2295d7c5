# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What every side shares, in no side's words: time, chance, faults, and what was asked.

A side is somebody whom programs or people talk to: a provider's API, a person's phone.
"""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp
from aiohttp import web

from .faults import Fault, Faults
from .settings import Adjustable, Settings
from .timing import Alarms, Clock, Scheduler
from .watching import Watchers

Json = dict[str, Any]
# What a control call does: values in, an answer out.
Handler = Callable[[Json], Json | Awaitable[Json]]
Controls = Mapping[tuple[str, str], Handler]


@dataclass(slots=True)
class Logged:
    """One raw call, for people who look for what went wrong."""

    at: float
    method: str
    path: str
    query: str
    status: int
    body: bytes
    fault: str = ""


@dataclass(slots=True)
class RequestLog:
    """The recent raw calls and how many there were."""

    recent: deque[Logged] = field(default_factory=lambda: deque(maxlen=500))
    total: int = 0
    by_path: Counter[str] = field(default_factory=Counter)

    def add(self, entry: Logged) -> None:
        """Remember a call."""
        self.total += 1
        self.by_path[f"{entry.method} {entry.path}"] += 1
        self.recent.append(entry)


@dataclass(slots=True)
class World:
    """What there is one of, whoever answers; each side keeps its own things itself."""

    clock: Clock = field(default_factory=Clock)
    faults: Faults = field(default_factory=Faults)
    settings: Settings = field(default_factory=Settings)
    random: Random = field(default_factory=lambda: Random(Settings().seed))
    scheduler: Scheduler = field(default_factory=Scheduler)
    alarms: Alarms = field(default_factory=Alarms)
    watchers: Watchers = field(default_factory=Watchers)
    log: RequestLog = field(default_factory=RequestLog)
    # Goes on through every reset: an id is never given twice.
    serial: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    base_url: str = ""
    session: aiohttp.ClientSession | None = None

    @property
    def http(self) -> aiohttp.ClientSession:
        """Return the session by which calls leave."""
        if self.session is None:
            raise RuntimeError("the simulator has not been started")
        return self.session

    def ring(self) -> None:
        """Do what was set for a time that has come."""
        self.alarms.ring(self.clock.now())

    def reset(self) -> None:
        """Return to the real time, without faults and with the settings of a start."""
        self.faults.clear()
        self.scheduler.clear()
        self.alarms.clear()
        self.clock.reset()
        self.settings = Settings()
        self.random = Random(self.settings.seed)
        self.log = RequestLog()


class Side:
    """Somebody to talk to, and how tests steer them; most need little of this."""

    # Names that `POST /_control/reset` takes and hands to `begin`.
    begins_with: tuple[str, ...] = ()

    @property
    def settings(self) -> tuple[Adjustable, ...]:
        """Return what of this side can be set."""
        return ()

    @property
    def controls(self) -> Controls:
        """Return the control calls about this side: (method, name) -> what it does."""
        return {}

    def takes(self, path: str) -> bool:
        """Tell whether a path is this side's; the first that says so answers."""
        raise NotImplementedError

    def begin(self, values: Json) -> None:
        """Start as a reset asks, when its settings are in force."""

    def fault(self, values: Json) -> Json | None:
        """Take a fault that is this side's own affair; None: it is not."""
        return None

    def heal(self) -> None:
        """End faults of this side's own."""

    def shown(self) -> Json:
        """Return what `GET /_control/state` tells of this side."""
        return {}

    def counts(self) -> Json:
        """Return how many there are of what this side keeps."""
        return {}

    def close(self) -> None:
        """Let go of all that waits: the world ends or starts anew."""


class Pages(Side):
    """A side that people look at: it answers at once and is never out of order."""

    async def show(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a browser."""
        raise NotImplementedError


class Api(Side):
    """A side that programs call: slow, wrong or gone when a test asks for it."""

    # The beginning of an answer, for the fault that cuts it off.
    torn: bytes = b'{"'

    async def answer(
        self, request: web.BaseRequest, path: str, body: bytes
    ) -> web.Response:
        """Answer a call."""
        raise NotImplementedError

    def refuse(self, fault: Fault) -> web.Response:
        """Answer with the error that a fault asks for, in this side's shape."""
        raise NotImplementedError
