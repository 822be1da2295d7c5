# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Make the call for one message of a number; its file is uploaded first, once.

What `clients/pool.py` calls in its threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from ..errors import (
    ClientError,
    FileMissingError,
    NotConnectedError,
    TransientError,
    UnknownOutcomeError,
)
from .base import Outgoing, SendResult, TemplateMessage, WhatsAppClient


@dataclass(frozen=True, slots=True)
class Document:
    """A file that goes with a message.

    `load` returns the bytes, none where the file is gone, and is called in a thread,
    only when `media_uid` (what the provider calls a file that it has already) is empty.
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


class Sender:
    """Calls of one sender number, by many threads at once."""

    def __init__(self, client: WhatsAppClient, phone_uid: str) -> None:
        self._client = client
        self._phone_uid = phone_uid
        self._uploads: dict[str, str] = {}
        self._upload_locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def __call__(self, work: Work) -> Outcome:
        """Send one message, with its file; what the provider refuses is an outcome."""
        uploaded: dict[str, str] = {}
        try:
            outgoing = work.outgoing
            if work.document is not None:
                outgoing = self._attach(outgoing, work.document, uploaded)
            result = self._client.send(self._phone_uid, outgoing)
        except ClientError as error:
            return Outcome(work.key, error=error, uploaded=uploaded)
        return Outcome(work.key, result=result, uploaded=uploaded)

    @staticmethod
    def on_fault(work: Work, error: Exception) -> Outcome:
        """Return the outcome of a call that ended in a bug of ours: it may have left."""
        text = f"{type(error).__name__}: {error}"
        return Outcome(work.key, error=UnknownOutcomeError(message=text))

    def forget(self, checksums: Iterable[str]) -> None:
        """Upload these files again: the provider no longer has them."""
        with self._guard:
            for checksum in checksums:
                self._uploads.pop(checksum, None)

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
        content = _read(document)
        try:
            return self._client.upload_media(
                self._phone_uid, content, document.filename, document.mime
            )
        except UnknownOutcomeError as error:
            raise NotConnectedError(
                message=error.message, http_status=error.http_status
            ) from error


def _read(document: Document) -> bytes:
    """Return a document's bytes.

    :raise FileMissingError: it is not where it is kept
    :raise TransientError: where it is kept cannot be reached, whatever that is: the
        provider's own network says nothing about it, so it is not tried without end
    """
    try:
        content = document.load()
    except Exception as error:
        text = f"File not readable: {type(error).__name__}: {error}"
        raise TransientError(message=text) from error
    if not content:
        raise FileMissingError(message=f"File not found: {document.filename}")
    return content
