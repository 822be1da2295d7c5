# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""One call for one message, and its file once for all who get it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from clients.errors import (
    ContentError,
    FileMissingError,
    NotConnectedError,
    TransientError,
    UnknownOutcomeError,
)
from clients.pool import CallPool
from clients.whatsapp.base import (
    HeaderParam,
    Outgoing,
    SendResult,
    TemplateMessage,
    TextMessage,
    WhatsAppClient,
)
from clients.whatsapp.sender import Document, Outcome, Sender, Work
from rules.backoff import POLICIES


class Client:
    """Answers as a provider does, and keeps what it was asked."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self.uploads = 0
        self.upload_error: Exception | None = None
        self.send_error: Exception | None = None
        self._lock = threading.Lock()

    def send(self, _phone_uid: str, outgoing: Outgoing) -> SendResult:
        if self.send_error:
            raise self.send_error
        with self._lock:
            self.sent.append(outgoing)
            return SendResult(f"wamid.{len(self.sent)}")

    def upload_media(self, *_args: Any) -> str:
        if self.upload_error:
            raise self.upload_error
        with self._lock:
            self.uploads += 1
            return f"media{self.uploads}"


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def sender(client: Client) -> Sender:
    return Sender(cast(WhatsAppClient, client), "1")


def work(key: int = 1, media_uid: str = "", load: Any = lambda: b"%PDF") -> Work:
    content = TemplateMessage("invoice", "en", HeaderParam(kind="document"), ())
    document = Document("sum", "a.pdf", "application/pdf", load, media_uid)
    return Work(key, Outgoing("+34600000001", content, f"uuid{key}"), document)


def media_of(outgoing: Outgoing) -> str:
    assert isinstance(outgoing.content, TemplateMessage)
    assert outgoing.content.header is not None
    return outgoing.content.header.media_uid


def test_file_of_many_is_uploaded_once(sender: Sender, client: Client) -> None:
    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(sender, [work(key) for key in range(20)]))
    assert client.uploads == 1
    assert {media_of(outgoing) for outgoing in client.sent} == {"media1"}
    assert all(outcome.uploaded == {"sum": "media1"} for outcome in outcomes)


def test_file_that_the_provider_lost_is_uploaded_again(
    sender: Sender, client: Client
) -> None:
    sender(work(1))
    sender.forget(["sum", "another"])
    assert sender(work(2)).uploaded == {"sum": "media2"}


def test_file_that_the_provider_has_is_not_read(sender: Sender, client: Client) -> None:
    def load() -> bytes:
        raise AssertionError

    outcome = sender(work(media_uid="known", load=load))
    assert outcome.error is None
    assert (client.uploads, media_of(client.sent[0])) == (0, "known")


def test_refused_message_keeps_the_file_that_went_up(
    sender: Sender, client: Client
) -> None:
    client.send_error = refusal = ContentError("no")
    assert sender(work(7)) == Outcome(7, error=refusal, uploaded={"sum": "media1"})


def test_upload_without_answer_means_that_nothing_was_sent(
    sender: Sender, client: Client
) -> None:
    client.upload_error = UnknownOutcomeError("reset")
    outcome = sender(work())
    assert isinstance(outcome.error, NotConnectedError)
    assert outcome.error.sent is False
    assert client.sent == []


@pytest.mark.parametrize("fault", [OSError("disk"), RuntimeError("bucket: denied")])
def test_file_that_cannot_be_read_is_tried_again_and_not_without_end(
    sender: Sender, client: Client, fault: Exception
) -> None:
    def unreadable() -> bytes:
        raise fault

    error = sender(work(load=unreadable)).error
    assert type(error) is TransientError
    assert (error.sent, error.kind in POLICIES) == (False, True)
    assert POLICIES[error.kind].attempts is not None
    assert str(fault) in error.message
    assert client.sent == []


def test_file_that_is_gone_is_no_matter_of_the_provider(
    sender: Sender, client: Client
) -> None:
    error = sender(work(load=lambda: b"")).error
    assert type(error) is FileMissingError
    assert (error.sent, error.retryable) == (False, False)
    assert (client.sent, client.uploads) == ([], 0)


def test_bug_in_a_call_is_an_unknown_outcome(sender: Sender, client: Client) -> None:
    client.send_error = KeyError("field")
    pool = CallPool(sender, Sender.on_fault, 1)
    pool.put(Work(3, Outgoing("+34600000001", TextMessage("Hi"), "uuid3")))
    (outcome,) = pool.outcomes(5)
    assert pool.close(5)
    assert (outcome.key, outcome.result) == (3, None)
    assert outcome.error is not None
    assert outcome.error.sent is None
