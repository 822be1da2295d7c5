# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Send many messages of one number in parallel over one keep-alive session.

Knows no database: it takes finished messages and gives back what became of them.
The caller decides what is sent, when, and what an outcome means.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from ..errors import ClientError, NotConnectedError, UnknownOutcomeError
from .base import Outgoing, SendResult, TemplateMessage, WhatsAppClient


@dataclass(frozen=True, slots=True)
class Document:
    """A file that goes with a message.

    `load` returns the bytes and is called in a thread, only when `media_uid` (what
    the provider calls a file that it has already) is empty.
    """

    checksum: str
    filename: str
    mime: str
    load: Callable[[], bytes]
    media_uid: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """One message to send; `key` is the caller's name for it."""

    key: int
    outgoing: Outgoing
    document: Document | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one piece of work: exactly one of `result` and `error`.

    `uploaded` holds the media id that a successful upload gave, by checksum, also
    when the message itself was then refused.
    """

    key: int
    result: SendResult | None = None
    error: ClientError | None = None
    uploaded: dict[str, str] = field(default_factory=dict)


class TokenBucket:
    """Let at most `rate` messages a second through, a tenth of it at once."""

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
        """Halve the pace after the provider said that it is too high."""
        self.rate = max(1.0, self.rate / 2)
        self._tokens = 0.0


class Sender:
    """A pool of threads that call `client.send` for one sender number."""

    def __init__(self, client: WhatsAppClient, phone_uid: str, threads: int) -> None:
        self.threads = threads
        self._client = client
        self._phone_uid = phone_uid
        self._todo: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._uploads: dict[str, str] = {}
        self._upload_locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        self._pool: list[threading.Thread] = []

    def put(self, work: Work) -> None:
        """Hand over a message; it is called as soon as a thread is free.

        Threads are started with the first messages: starting a hundred of them on a
        busy machine takes as long as a call.
        """
        self._todo.put(work)
        if len(self._pool) < self.threads:
            name = f"wab-send-{len(self._pool)}"
            thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._pool.append(thread)
            thread.start()

    def outcomes(self, wait: float, linger: float = 0.0) -> list[Outcome]:
        """Return what has come back, waiting for the first at most `wait` seconds.

        :param linger: seconds to go on collecting after the first, so that the
            caller records larger slices
        """
        found: list[Outcome] = []
        try:
            found.append(
                self._done.get(timeout=wait) if wait else self._done.get(False)
            )
        except queue.Empty:
            return found
        if linger:
            time.sleep(linger)
        found.extend(self._drain())
        return found

    def _drain(self) -> Iterator[Outcome]:
        while True:
            try:
                yield self._done.get(block=False)
            except queue.Empty:
                return

    def forget(self, checksums: Iterable[str]) -> None:
        """Upload these files again: the provider no longer has them."""
        with self._guard:
            for checksum in checksums:
                self._uploads.pop(checksum, None)

    def close(self) -> None:
        """Let the threads end after what they are doing."""
        for _thread in self._pool:
            self._todo.put(None)
        for thread in self._pool:
            thread.join()

    def _run(self) -> None:
        while (work := self._todo.get()) is not None:
            self._done.put(self._perform(work))

    def _perform(self, work: Work) -> Outcome:
        uploaded: dict[str, str] = {}
        try:
            outgoing = work.outgoing
            if work.document is not None:
                outgoing = self._attach(outgoing, work.document, uploaded)
            result = self._client.send(self._phone_uid, outgoing)
        except ClientError as error:
            return Outcome(work.key, error=error, uploaded=uploaded)
        except Exception as error:  # noqa: BLE001
            # A bug in building the request must not end the thread with the
            # message unaccounted for; whether it left is not known here.
            return Outcome(
                work.key,
                error=UnknownOutcomeError(message=f"{type(error).__name__}: {error}"),
                uploaded=uploaded,
            )
        return Outcome(work.key, result=result, uploaded=uploaded)

    def _attach(
        self, outgoing: Outgoing, document: Document, uploaded: dict[str, str]
    ) -> Outgoing:
        media_uid = document.media_uid or self._upload_once(document, uploaded)
        content = outgoing.content
        if not isinstance(content, TemplateMessage) or content.header is None:
            return outgoing
        header = replace(
            content.header, media_uid=media_uid, filename=document.filename
        )
        return replace(outgoing, content=replace(content, header=header))

    def _upload_once(self, document: Document, uploaded: dict[str, str]) -> str:
        """Upload a file that several recipients get, once.

        :raise ClientError: never an unknown outcome: a file that may or may not
            have arrived harms nobody and is uploaded again
        """
        with self._guard:
            lock = self._upload_locks.setdefault(document.checksum, threading.Lock())
        with lock:
            if document.checksum not in self._uploads:
                self._uploads[document.checksum] = self._upload(document)
        uploaded[document.checksum] = self._uploads[document.checksum]
        return uploaded[document.checksum]

    def _upload(self, document: Document) -> str:
        try:
            content = document.load()
        except OSError as error:
            raise NotConnectedError(message=f"File not readable: {error}") from error
        try:
            return self._client.upload_media(
                self._phone_uid, content, document.filename, document.mime
            )
        except UnknownOutcomeError as error:
            raise NotConnectedError(
                message=error.message, http_status=error.http_status
            ) from error
