# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The same behaviours run against every WhatsApp client."""

import threading

import pytest

from clients.errors import (
    AccountError,
    ClientError,
    ContentError,
    NotConnectedError,
    PaceError,
    RecipientError,
    RecipientLimitError,
    TemplateError,
    TransientError,
    UnknownOutcomeError,
)
from clients.signatures import sign_meta
from clients.testing import FakeTransport, json_response
from clients.transport import Response
from clients.whatsapp import CLIENTS, get_client
from clients.whatsapp.base import (
    AccountConfig,
    ButtonParam,
    HeaderParam,
    InboundMessage,
    Outgoing,
    StatusUpdate,
    TemplateDraft,
    TemplateMessage,
    TextMessage,
)
from clients.whatsapp.dialog360 import ERRORS

PHONE = "300000000000001"
CONFIG = AccountConfig(
    api_url="https://api.example/",
    api_version="v25.0",
    access_token="simulator-token",
    app_secret="simulator-app-secret",
    app_uid="100000000000001",
    waba_uid="200000000000001",
)
TEXT = Outgoing("+34600111222", TextMessage("Hola"), uuid="uuid-1")


@pytest.fixture(params=sorted(CLIENTS))
def make(request):
    """Return a maker of clients over given routes."""

    def client(*routes, config=CONFIG):
        transport = FakeTransport(routes)
        made = get_client(request.param, config, transport)
        made.calls = transport.calls
        return made

    client.provider = request.param
    return client


def sending(*answers):
    return ("POST", r"/messages(\?|$)", list(answers))


def graph_error(code, status=400, **more):
    error = {"message": f"(#{code}) no", "type": "OAuthException", "code": code, **more}
    return json_response({"error": error}, status)


def test_registry_knows_its_clients(make):
    client = make()
    assert client.profile.name == make.provider
    assert type(client) is CLIENTS[make.provider]


def test_unknown_provider_is_a_key_error():
    with pytest.raises(KeyError):
        get_client("carrier_pigeon", CONFIG, FakeTransport())


# === SENDING === #


def test_sent_message_returns_its_ids(make, load):
    answer = load("meta/send_ok")
    result = make(sending(json_response(answer))).send(PHONE, TEXT)
    assert result.wamid == "wamid.HBgLMzQ2MDAxMTEyMjIVAgARGBI"
    assert result.message_status == "accepted"
    assert (result.wa_id, result.user_uid) == ("34600111222", "ES.1349210000")
    assert result.raw == answer


def test_answer_without_contacts_and_status_is_enough(make):
    answer = {"messages": [{"id": "wamid.1"}], "contacts": None}
    result = make(sending(json_response(answer))).send(PHONE, TEXT)
    assert (result.wamid, result.message_status) == ("wamid.1", "")
    assert (result.wa_id, result.user_uid) == ("", "")


def test_template_is_sent_as_documented(make, load):
    client = make(sending(json_response(load("meta/send_ok"))))
    content = TemplateMessage(
        "invoice_due_v1",
        "es-ES",
        HeaderParam(
            "document", media_uid="1037543291543636", filename="INV-2026-0042.pdf"
        ),
        ("Ana", "120,00 €"),
        (
            ButtonParam(0, "url", "my/invoices/42?access_token=abc"),
            ButtonParam(1, "quick_reply", "PAID:42"),
        ),
    )
    uuid = "0d6c2a52-7d1c-4f0b-9d5f-1f3f6b1a2c3d"
    client.send(PHONE, Outgoing("+34600111222", content, uuid))
    assert client.calls[0].json == load("meta/send_template_request")


@pytest.mark.parametrize(
    "answer",
    [
        json_response({"messages": []}),
        json_response({"messages": None}),
        json_response({"messages": [{"id": ""}]}),
        json_response({"messages": [{"id": None}]}),
        json_response({"messages": ["wamid"]}),
        json_response({"success": True}),
        json_response({"success": False}),
        json_response({}),
        json_response([]),
        json_response(None),
        json_response("wamid"),
        json_response({"error": "nope"}),
        json_response({"error": {"message": "nope"}}),
        json_response({"error": {"code": None}}, 500),
        json_response({"error": {"code": "Bad Gateway"}}, 500),
        json_response({"error": [{"code": 1}]}, 500),
        json_response({"messages": [{"id": "wamid.1"}]}, 302),
        json_response({}, 503),
        graph_error(131000, 502),
        graph_error(130429, 504),
        Response(200, {}, b""),
        Response(204, {}, b""),
        Response(200, {}, b"<html>ok</html>"),
        Response(401, {}, b"<html>no</html>"),
        Response(500, {}, b"Internal Server Error"),
        Response(502, {}, b"<html>Bad Gateway</html>"),
        Response(503, {}, b""),
        Response(504, {}, b""),
        Response(200, {}, b'{"messages":[{"id":"wamid.1"'),
        Response(200, {}, b"[" * 100_000),
        Response(200, {}, b"\xff\xfe\xfd"),
    ],
)
def test_answer_that_proves_nothing_is_unknown(make, answer):
    client = make(sending(answer))
    with pytest.raises(UnknownOutcomeError) as caught:
        client.send(PHONE, TEXT)
    assert caught.value.sent is None
    assert caught.value.retryable is False
    assert caught.value.sentence
    assert len(client.calls) == 1


@pytest.mark.parametrize(
    "raised",
    [
        NotConnectedError(code="not_connected"),
        UnknownOutcomeError(code="timeout"),
        UnknownOutcomeError(code="connection_lost"),
    ],
)
def test_trouble_of_the_connection_is_passed_on_with_a_sentence(make, raised):
    client = make(sending(raised))
    with pytest.raises(type(raised)) as caught:
        client.send(PHONE, TEXT)
    assert caught.value is raised
    assert caught.value.sentence == ERRORS[raised.code].sentence
    assert len(client.calls) == 1


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        (130429, 429, PaceError),
        (131056, 400, PaceError),
        (80007, 400, PaceError),
        (131000, 500, TransientError),
        (131016, 503, TransientError),
        (2, 503, TransientError),
        (132018, 400, ContentError),
        (131026, 400, RecipientError),
        (131026, 500, RecipientError),
        (131049, 400, RecipientLimitError),
        (132001, 404, TemplateError),
        (132015, 400, TemplateError),
        (190, 401, AccountError),
        (131042, 400, AccountError),
        (0, 401, AccountError),
        (131026, 200, RecipientError),
        ("131026", 400, RecipientError),
        (999999, 400, ContentError),
        (999999, 503, TransientError),
        (-1, 500, TransientError),
    ],
)
def test_graph_error_is_evidence_of_its_class(make, code, status, expected):
    client = make(sending(graph_error(code, status, fbtrace_id="Az8")))
    with pytest.raises(ClientError) as caught:
        client.send(PHONE, TEXT)
    error = caught.value
    assert type(error) is expected
    assert (error.sent, error.code) == (False, str(code))
    assert (error.http_status, error.trace_id) == (status, "Az8")
    assert error.sentence
    assert len(client.calls) == 1


def test_unknown_code_that_calls_itself_transient_is(make):
    client = make(sending(graph_error(999999, is_transient=True)))
    with pytest.raises(TransientError):
        client.send(PHONE, TEXT)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"details": "the detail"}, "the detail"),
        ("the detail", "the detail"),
        ({"details": None}, "for the user"),
        (None, "for the user"),
        ([1], "for the user"),
        ({}, "for the user"),
    ],
)
def test_details_of_an_error_are_found_in_every_shape(make, data, expected):
    more = {"error_data": data, "error_user_msg": "for the user"}
    client = make(sending(graph_error(131009, **more)))
    with pytest.raises(ContentError) as caught:
        client.send(PHONE, TEXT)
    assert caught.value.details == expected


def test_error_of_an_unknown_object_speaks_about_the_account(make, load):
    client = make(sending(json_response(load("meta/error_object"), 400)))
    with pytest.raises(AccountError) as caught:
        client.send(PHONE, TEXT)
    assert (caught.value.code, caught.value.subcode) == ("100", "33")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "17"}, 17.0),
        ({"Retry-After": "Fri, 20 Nov 2026 10:00:00 GMT"}, None),
        ({"Retry-After": "9" * 400}, None),
        ({"Retry-After": "²"}, None),
        (
            {
                "x-business-use-case-usage": '{"200000000000001":[{"type":"messaging",'
                '"estimated_time_to_regain_access":19},{}]}'
            },
            1140.0,
        ),
        ({"x-business-use-case-usage": "not json"}, None),
        ({"x-business-use-case-usage": "[1]"}, None),
        ({"x-business-use-case-usage": '{"1":{"a":1}}'}, None),
        ({"x-business-use-case-usage": "[" * 100000}, None),
    ],
)
def test_wait_that_the_provider_names_is_read(make, headers, expected):
    answer = json_response({"error": {"code": 130429, "message": "m"}}, 429, headers)
    with pytest.raises(PaceError) as caught:
        make(sending(answer)).send(PHONE, TEXT)
    assert caught.value.retry_after == expected


def test_wait_of_the_table_is_the_least(make):
    client = make(sending(graph_error(131057), graph_error(131057)))
    with pytest.raises(TransientError) as caught:
        client.send(PHONE, TEXT)
    assert caught.value.retry_after == 60.0


@pytest.mark.parametrize("token", ["", " ", "a b", "línea", "a\nb", "a\x00b"])
def test_token_that_cannot_be_one_is_never_sent(make, token):
    config = AccountConfig("https://api.example", "v25.0", token, "s" * 8, "1", "2")
    client = make(sending(json_response({})), config=config)
    with pytest.raises(AccountError) as caught:
        client.send(PHONE, TEXT)
    assert caught.value.code == "bad_token"
    assert client.calls == []


def test_spaces_around_a_token_are_left_out(make, load):
    config = AccountConfig("https://api.example", "v25.0", " simulator-token\n")
    client = make(sending(json_response(load("meta/send_ok"))), config=config)
    client.send(PHONE, TEXT)
    sent = "".join(client.calls[0].headers.values())
    assert sent.endswith("simulator-token")


def test_own_secrets_in_the_words_of_an_error_are_masked(make):
    words = "Malformed 'simulator-token' for simulator-app-secret"
    answer = json_response(
        {"error": {"code": 190, "message": words, "error_data": words}}
    )
    with pytest.raises(AccountError) as caught:
        make(sending(answer)).send(PHONE, TEXT)
    shown = f"{caught.value} {caught.value.as_dict()} {vars(caught.value)}"
    assert "simulator-token" not in shown
    assert "simulator-app-secret" not in shown


def test_config_does_not_show_its_secrets():
    assert "simulator-token" not in repr(CONFIG)
    assert "simulator-app-secret" not in repr(CONFIG)


def test_many_threads_share_a_client(make):
    def answer(call):
        uuid = call.json["biz_opaque_callback_data"]
        return json_response({"messages": [{"id": f"wamid.{uuid}"}]})

    client = make(("POST", "/messages", answer))
    found = {}

    def send(number):
        outgoing = Outgoing(f"+3460011{number:04}", TextMessage("x"), f"u{number}")
        found[number] = client.send(PHONE, outgoing).wamid

    threads = [threading.Thread(target=send, args=[number]) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: f"wamid.u{number}" for number in range(50)}


def test_uploaded_file_returns_its_id(make):
    client = make(("POST", r"/media(\?|$)", json_response({"id": 1037543291543636})))
    uid = client.upload_media(PHONE, b"%PDF", "INV-1.pdf", "application/pdf")
    assert uid == "1037543291543636"
    call = client.calls[0]
    assert call.data == {"messaging_product": "whatsapp", "type": "application/pdf"}
    assert call.files == {"file": ("INV-1.pdf", b"%PDF", "application/pdf")}


def test_upload_without_an_id_is_unknown(make):
    client = make(("POST", "/media", json_response({"id": None})))
    with pytest.raises(UnknownOutcomeError):
        client.upload_media(PHONE, b"%PDF", "INV-1.pdf", "application/pdf")


# === TEMPLATES === #


def test_submitted_template_takes_the_category_of_the_answer(make):
    answer = {"id": 5909, "status": "APPROVED", "category": "MARKETING"}
    client = make(("POST", "/(message_)?templates", json_response(answer)))
    body = {"type": "BODY", "text": "Hola"}
    draft = TemplateDraft("hola_v1", "es-ES", "utility", [body], 43200)
    result = client.submit_template(draft)
    assert result.template_uid == "5909"
    assert (result.status, result.category) == ("approved", "marketing")
    assert client.calls[0].json == {
        "name": "hola_v1",
        "language": "es_ES",
        "category": "UTILITY",
        "components": [body],
        "message_send_ttl_seconds": 43200,
    }


@pytest.mark.parametrize("answer", [{"data": None}, {}, {"waba_templates": {}}])
def test_list_without_rows_is_unknown_and_not_empty(make, answer):
    # An empty list would mean that every template was deleted.
    client = make(("GET", "templates", json_response(answer)))
    with pytest.raises(UnknownOutcomeError):
        list(client.list_templates())


# === WEBHOOKS === #


def signed(provider, body, secret):
    if provider == "meta":
        return {"X-Hub-Signature-256": sign_meta(secret, body)}
    return {"Authorization": f"Bearer {secret}"}


def test_genuine_webhook_is_accepted_whatever_the_case_of_its_header(make):
    client, body = make(), b'{"entry":[]}'
    headers = signed(make.provider, body, "s3cret")
    for given in (headers, {key.lower(): value for key, value in headers.items()}):
        assert client.profile.verify_webhook(body, given, ["old", "s3cret"])


def test_forged_webhook_is_refused(make):
    client, body = make(), b"{}"
    headers = signed(make.provider, body, "s3cret")
    for given, secrets in (
        (headers, []),
        (headers, [""]),
        (headers, ["other"]),
        ({}, ["s3cret"]),
        (dict.fromkeys(headers, ""), ["s3cret"]),
    ):
        assert not client.profile.verify_webhook(body, given, secrets)


def test_webhook_is_parsed(make, load_bytes):
    client = make()
    events = client.profile.parse_webhook(load_bytes("meta/status_sent"))
    assert [type(event) for event in events] == [StatusUpdate]
    events = client.profile.parse_webhook(load_bytes("meta/message_text"))
    assert [type(event) for event in events] == [InboundMessage]


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"1", b'"x"', b"{", b"\xff"])
def test_body_that_is_no_object_is_a_value_error(make, body):
    with pytest.raises(ValueError, match=r".*"):
        make().profile.parse_webhook(body)


MEDIA_URL = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=900"


def media_answer(**more):
    return json_response(
        {"url": MEDIA_URL, "mime_type": "image/png", "file_size": "4", **more}
    )


def file_answer(content=b"\x89PNG", status=200):
    return Response(status, {"Content-Type": "image/png"}, content)


def media_route(answer):
    return ("GET", r"/900(\?|$)", answer)


def file_route(answer):
    return ("GET", r"mid=900", answer)


def test_a_customers_file_is_fetched_with_our_credentials(make):
    client = make(media_route(media_answer()), file_route(file_answer()))
    found = client.download_media(PHONE, "900", 100)
    assert (found.content, found.mime) == (b"\x89PNG", "image/png")
    assert client.calls[-1].headers["User-Agent"].startswith("curl")


@pytest.mark.parametrize(
    ("described", "file", "error"),
    [
        (media_answer(file_size=101), file_answer(), ContentError),
        (media_answer(), file_answer(b"x" * 101), ContentError),
        (media_answer(), file_answer(status=404), TransientError),
        (media_answer(), file_answer(status=500), UnknownOutcomeError),
        (media_answer(sha256="00"), file_answer(), UnknownOutcomeError),
    ],
)
def test_a_file_that_is_not_as_it_should_be(make, described, file, error):
    client = make(media_route(described), file_route(file))
    with pytest.raises(error):
        client.download_media(PHONE, "900", 100)


@pytest.mark.parametrize(
    "url",
    [
        "https://fbsbx.com.evil.example/x?mid=900",
        "https://evilfbsbx.com/x?mid=900",
        "http://lookaside.fbsbx.com/x?mid=900",
        "http://169.254.169.254/latest?mid=900",
        "https://user@evil.example/x?mid=900",
        "file:///etc/passwd?mid=900",
        "",
    ],
)
def test_our_token_goes_to_no_other_host(make, url):
    client = make(media_route(media_answer(url=url)), file_route(file_answer()))
    try:
        client.download_media(PHONE, "900", 100)
    except UnknownOutcomeError:
        assert len(client.calls) == 1
    else:
        # 360dialog: whatever is named, its own host is asked.
        assert client.calls[-1].url.startswith("https://api.example/")
