# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import pytest

from clients.deadline import DeadlineTransport
from clients.errors import NotConnectedError
from clients.testing import FakeTransport, json_response


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def make(seconds: float = 24.0) -> tuple[DeadlineTransport, FakeTransport, Clock]:
    clock = Clock()
    inner = FakeTransport([("GET", "", json_response({}))])
    return DeadlineTransport(inner, seconds, clock), inner, clock


def test_calls_share_what_is_left() -> None:
    transport, inner, clock = make()
    transport.request("GET", "https://x/1")
    clock.now += 20
    transport.request("GET", "https://x/2")
    transport.request("GET", "https://x/3", timeout=1)
    assert [call.timeout for call in inner.calls] == [24.0, 4.0, 1]


def test_no_call_is_made_after_the_deadline() -> None:
    transport, inner, clock = make()
    clock.now += 24
    with pytest.raises(NotConnectedError) as caught:
        transport.request("GET", "https://x/1")
    assert caught.value.sent is False
    assert inner.calls == []


def test_closing_closes_the_wrapped_one() -> None:
    closed = []
    transport, inner, _clock = make()
    inner.close = lambda: closed.append(True)  # type: ignore[method-assign]
    transport.close()
    assert closed == [True]


def test_one_call_takes_no_longer_than_usual_however_much_is_left() -> None:
    clock = Clock()
    inner = FakeTransport([("GET", "", json_response({}))])
    transport = DeadlineTransport(inner, 90.0, clock, longest=30.0)
    transport.request("GET", "https://x/1")
    transport.request("GET", "https://x/2", timeout=5)
    clock.now += 80
    transport.request("GET", "https://x/3")
    assert [call.timeout for call in inner.calls] == [30.0, 5, 10.0]
