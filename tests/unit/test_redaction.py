# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import json
import logging
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.errors import KINDS, ClientError, UnknownOutcomeError
from clients.redaction import SecretFilter, redact

TOKEN = "EAAGm0PX4ZCpsBAKz9ZBq0xR7secret"
APP_SECRET = "0123456789abcdef0123456789abcdef"
PLAIN = "simulator-token"
PHONES = [
    "+34600111222",
    "34600111222",
    "600111222",
    "+34 600 11 12 22",
    "+1 (555) 010-0003",
    "(555) 010-0003",
    "600.111.222",
    "+5491123456789",
    "004915112345678",
]
SECRETS = [
    f"GET /debug_token?input_token={TOKEN}&x=1",
    f"https://graph.facebook.com/x?access_token={TOKEN}",
    f"https://graph.facebook.com/x?access_token={PLAIN}&limit=25",
    f"Authorization: Bearer {PLAIN}",
    f"Authorization: OAuth {PLAIN}",
    f"'authorization': 'Bearer {PLAIN}'",
    f'{{"Authorization": "Bearer {PLAIN}"}}',
    f'{{\\"access_token\\": \\"{PLAIN}\\"}}',
    f"Proxy-Authorization: Basic {PLAIN}",
    f"D360-API-KEY: {PLAIN}",
    f"'D360-API-KEY': '{PLAIN}'",
    f"app_secret={PLAIN}",
    f"client_secret={PLAIN}&code=1",
    f"hub.verify_token={PLAIN}",
    f"verify_token: {PLAIN}",
    f"appsecret_proof={PLAIN}",
    f"X-Hub-Signature-256: sha256={PLAIN}",
    f"upload:MTphd?sig={PLAIN}",
    f"password={PLAIN}",
    f"Malformed access token {TOKEN}",
    f"app token 100000000000001|{PLAIN}",
    f"app token 100000000000001%7C{PLAIN}",
    f"the secret is {APP_SECRET} here",
]


def shown(value):
    """Return everything that a value shows, however it is printed."""
    return f"{value!s} {value!r}"


@pytest.mark.parametrize("text", SECRETS)
def test_secret_in_text_is_masked(text):
    for given_text in (text, text.encode(), [text], {"a": {"b": (text,)}}):
        result = shown(redact(given_text))
        assert PLAIN not in result
        assert TOKEN not in result
        assert APP_SECRET not in result
        assert "***" in result


@pytest.mark.parametrize("phone", PHONES)
@pytest.mark.parametrize(
    "around",
    ["{}", "to {} now", '{{"to": "{}"}}', "whatsapp:{}", "a={}&b=1", "\\n{}", "_{}"],
)
def test_phone_in_text_is_masked(phone, around):
    text = around.format(phone)
    for given_text in (text, text.encode(), [text], {"a": (text,)}, ValueError(text)):
        assert phone not in shown(redact(given_text))
    assert phone[-2:] in redact(text)


@pytest.mark.parametrize("phone", PHONES)
def test_phone_in_a_url_is_masked(phone):
    digits = phone.lstrip("+")
    for text in (f"?to={quote(phone, safe='')}", f"?{urlencode({'to': phone})}"):
        result = redact(text)
        assert digits not in result
        assert quote(digits) not in result


@pytest.mark.parametrize(
    "key",
    ["to", "recipient", "from", "wa_id", "phone", "display_phone_number", "input"],
)
@pytest.mark.parametrize(
    "value", ["34600111222", "ES.1349210000", "600 11", 34600111222]
)
def test_person_under_a_known_key_is_masked(key, value):
    assert str(value) not in shown(redact({key: value}))
    assert str(value) not in shown(redact({"messages": [{key: value}]}))


def test_profile_is_masked():
    result = redact({"contacts": [{"profile": {"name": "Ana Gil"}, "wa_id": "346"}]})
    assert result == {"contacts": [{"profile": "***", "wa_id": "***"}]}


@pytest.mark.parametrize(
    "key",
    [
        "access_token",
        "Authorization",
        "D360-API-KEY",
        "app_secret",
        "client_secret",
        "verify_token",
        "password",
        "pin",
        "X-Hub-Signature-256",
        b"access_token",
    ],
)
def test_value_under_a_secret_key_is_masked_whatever_it_is(key):
    assert redact({key: "x1"}) == {redact(key): "***"}
    assert redact({key: {"nested": "x1"}}) == {redact(key): "***"}
    assert redact({key: ""}) == {redact(key): ""}
    assert redact({key: None}) == {redact(key): None}


@pytest.mark.parametrize(
    "text",
    [
        "wamid.HBgLMzQ2MDAxMTEyMjIVAgARGBI",
        "code 131026 status 400",
        "2026-11-20 10:30:00",
        "2026-11-20",
        "0d6c2a52-7d1c-4f0b-9d5f-1f3f6b1a2c3d",
        "/v25.0/300000000000001/messages",
        "Object with ID '106540352242922' does not exist",
        "1,234.56 EUR",
        "127.0.0.1:8069",
        "192.168.100.200",
        "tokens and secrets are masked",
        "Invalid OAuth access token - Cannot parse access token",
        "Basic settings, Bearer of news",
        "3 of 25",
    ],
)
def test_what_is_no_secret_stays_readable(text):
    assert redact(text) == text


def test_other_types_stay_or_are_looked_into():
    assert redact(None) is None
    assert redact(True) is True
    assert redact(3.5) == 3.5
    assert redact(131026) == 131026
    assert "600111222" not in shown(redact(34600111222))
    assert redact({"34600111222": 1}) == {"***22": 1}
    assert redact({"34600111222"}) == ["***22"]
    assert redact(("a", b"34600111222")) == ("a", b"***22")
    assert redact(bytearray(b"34600111222")) == b"***22"
    assert redact(b"\xff\xfe34600111222") == b"\xff\xfe***22"

    class Thing:
        def __repr__(self):
            return "<Thing 34600111222>"

    assert redact(Thing()) == "<Thing ***22>"


@given(
    st.integers(10**8, 10**14 - 1), st.text(alphabet=" ,:;{}[]\"'\n=&<>/é", max_size=5)
)
def test_digits_of_a_phone_never_pass(number, around):
    assert str(number) not in redact(f"{around}{number}{around}")
    assert str(number) not in redact(f"{around}+{number}{around}")


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.floats()
        | st.integers()
        | st.text()
        | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_anything_can_be_redacted(value):
    redact(value)


# === LOG FILTER === #


def log(message, *args, exception=None):
    exc_info = None
    if exception is not None:
        try:
            raise exception
        except type(exception):
            import sys

            exc_info = sys.exc_info()
    record = logging.LogRecord("x", 10, "f", 1, message, args, exc_info)
    assert SecretFilter().filter(record) is True
    return logging.Formatter().format(record)


def test_filter_masks_message_arguments_and_traceback():
    result = log(
        "called %s for %s",
        f"?access_token={PLAIN}",
        "+34600111222",
        exception=ValueError(f"Bearer {PLAIN} to 34600111222"),
    )
    assert PLAIN not in result
    assert "600111222" not in result
    assert "called ?access_token=***" in result
    assert "ValueError" in result


def test_filter_masks_dictionaries_in_arguments():
    result = log("headers %s", {"Authorization": f"Bearer {PLAIN}", "a": 1})
    assert PLAIN not in result


def test_filter_survives_a_message_that_does_not_fit_its_arguments():
    assert PLAIN not in log("%d of %s", f"access_token={PLAIN}")


# === ERRORS === #


@pytest.mark.parametrize("kind", [ClientError, *KINDS.values()])
def test_error_shows_no_secret_and_no_phone(kind):
    error = kind(
        f"token {TOKEN} refused for +34600111222",
        code="190",
        details=f"https://x/?access_token={PLAIN} 34600111222",
        trace_id="Az8",
    )
    for text in (str(error), repr(error), str(error.args), json.dumps(error.as_dict())):
        assert TOKEN not in text
        assert PLAIN not in text
        assert "600111222" not in text
    assert "190" in str(error)
    assert error.kind in str(error)


def test_error_keeps_what_decides():
    error = UnknownOutcomeError(code="timeout", http_status=None)
    assert error.as_dict() == {
        "kind": "unknown",
        "code": "timeout",
        "subcode": "",
        "message": "",
        "details": "",
        "sentence": "",
        "http_status": None,
        "retryable": False,
        "retry_after": None,
        "trace_id": "",
        "sent": None,
    }
    assert str(error) == "unknown timeout - UnknownOutcomeError"


def test_every_kind_says_whether_it_was_sent_and_may_be_tried_again():
    found = {kind: (error().sent, error().retryable) for kind, error in KINDS.items()}
    assert found == {
        "pace": (False, True),
        "transient": (False, True),
        "connection": (False, True),
        "content": (False, False),
        "recipient": (False, False),
        "recipient_limit": (False, True),
        "template": (False, False),
        "number": (False, False),
        "account": (False, False),
        "unknown": (None, False),
    }
    assert KINDS["pace"](retryable=False).retryable is False
