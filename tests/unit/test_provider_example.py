# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The provider that `doc/providers.md` adds, as it stands there."""

import hmac
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import get_type_hints

import pytest

from clients.errors import (
    AccountError,
    ContentError,
    RecipientError,
    UnknownOutcomeError,
)
from clients.testing import FakeTransport, json_response
from clients.whatsapp import AccountConfig, Profile, WhatsAppClient
from clients.whatsapp.base import Outgoing, TemplateMessage, TextMessage

DOC = Path(__file__).parents[2] / "doc" / "providers.md"
NAME = "clients.whatsapp.pigeon"
URL = "https://odoo.example/whatsapp_billing/webhook/t"
CONFIG = AccountConfig("https://api.pigeon.example", "", "k3y")
NUMBER = {"id": "300", "number": "+34910000001"}
TEXT = Outgoing("+34600111222", TextMessage("Hello"), "uuid-1")


@pytest.fixture(scope="module")
def pigeon():
    (code,) = re.findall(r"```python\n(.*?)```", DOC.read_text("utf-8"), re.DOTALL)
    module = ModuleType(NAME)
    module.__package__ = "clients.whatsapp"
    sys.modules[NAME] = module
    exec(compile(code, str(DOC), "exec"), module.__dict__)
    yield module
    del sys.modules[NAME]


def client(pigeon, answer, status=200):
    transport = FakeTransport(
        [
            ("POST", "/messages", [json_response(answer, status)]),
            ("GET", "/numbers", [json_response({"numbers": [NUMBER]})]),
        ]
    )
    return pigeon.PigeonClient(CONFIG, transport)


def test_it_sends(pigeon):
    assert client(pigeon, {"id": "P1"}).send("300", TEXT).wamid == "P1"


@pytest.mark.parametrize(
    ("code", "raised", "meaning"),
    [
        (401, AccountError, "bad_credentials"),
        (21610, RecipientError, "opted_out"),
        (777, ContentError, ""),
    ],
)
def test_its_codes_mean_the_same_as_everybodys(pigeon, code, raised, meaning):
    with pytest.raises(raised) as caught:
        client(pigeon, {"code": code}, 400).send("300", TEXT)
    assert (caught.value.meaning, caught.value.sent) == (meaning, False)
    assert caught.value.sentence


def test_what_it_cannot_do_is_refused_before_any_call(pigeon):
    one = client(pigeon, {"id": "P1"})
    template = Outgoing("+34600111222", TemplateMessage("x", "en"), "uuid-1")
    for call in (
        lambda: one.send("300", template),
        lambda: one.upload_media("300", b"", "a.pdf", "application/pdf"),
        lambda: one.register_phone("300", "123456"),
    ):
        with pytest.raises(ContentError) as caught:
            call()
        assert caught.value.code == "unsupported"


def test_what_is_asked_when_an_account_is_connected_has_an_answer(pigeon):
    one = client(pigeon, {})
    assert one.fetch_token_info() is None
    (phone,) = one.list_phones()
    assert (phone.phone_uid, phone.is_verified) == ("300", True)
    assert list(one.list_templates()) == []
    assert one.subscribe(URL, "token") is None
    assert one.fetch_business_verification() == ""


@pytest.mark.parametrize(("answer", "status"), [([], 200), ({}, 500), ({"id": 1}, 502)])
def test_what_says_neither_yes_nor_no_is_unknown(pigeon, answer, status):
    with pytest.raises(UnknownOutcomeError) as caught:
        client(pigeon, answer, status).send("300", TEXT)
    assert caught.value.sent is None


def test_its_webhooks_are_signed_with_their_address(pigeon):
    profile, body = pigeon.PigeonProfile(), b"id=P1&status=undelivered&from=300"
    signature = hmac.new(b"s3cret", URL.encode() + body, "sha256").hexdigest()
    headers = {"X-Pigeon-Signature": signature}
    assert profile.verify_webhook(body, headers, ["old", "s3cret"], URL)
    assert not profile.verify_webhook(body, headers, ["s3cret"], URL + "x")
    assert not profile.verify_webhook(body, headers, [""], URL)
    assert not profile.verify_webhook(body, {}, ["s3cret"], URL)
    (event,) = profile.parse_webhook(body, 1763625600)
    assert (event.wamid, event.status, event.phone_uid) == ("P1", "failed", "300")


def test_it_promises_nothing_that_it_did_not_say(pigeon):
    profile = pigeon.PigeonClient.profile
    assert isinstance(profile, Profile)
    assert not profile.returns_proof_token
    assert profile.verification("whatever") is None


def test_a_plain_client_has_every_call(pigeon):
    calls = {
        name
        for name, value in vars(WhatsAppClient).items()
        if callable(value) and not name.startswith("_")
    }
    assert calls
    assert calls <= set(dir(pigeon.PigeonClient))
    assert get_type_hints(pigeon.PigeonClient.send)
