# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Pages that are open in a browser, and the word that something changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

EVERYTHING = "all"


class Watchers:
    """Wake the pages that watch something."""

    def __init__(self) -> None:
        self._queues: dict[str, set[asyncio.Queue[str]]] = {}

    @contextmanager
    def watch(self, key: str) -> Iterator[asyncio.Queue[str]]:
        """Lend a queue that hears of every change of what `key` names."""
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._queues.setdefault(key, set()).add(queue)
        try:
            yield queue
        finally:
            watching = self._queues.get(key, set())
            watching.discard(queue)
            if not watching:
                self._queues.pop(key, None)

    def changed(self, key: str) -> None:
        """Tell those who watch this, and those who watch everything."""
        if self._queues:
            self._poke(key, "change")
            self._poke(EVERYTHING, "change")

    def poke_all(self, word: str = "change") -> None:
        """Wake everybody; `close` sends them away."""
        for key in list(self._queues):
            self._poke(key, word)

    def _poke(self, key: str, word: str) -> None:
        for queue in self._queues.get(key, ()):
            if queue.empty() or word == "close":
                queue.put_nowait(word)
