# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import pytest

from clients.errors import AccountError, ClientError, ContentError, UnknownOutcomeError
from clients.testing import FakeTransport, json_response
from clients.transport import Response
from clients.whatsapp.base import AccountConfig, Outgoing, TemplateDraft, TextMessage
from clients.whatsapp.dialog360 import ERRORS, Dialog360Client

BASE = "https://waba-v2.360dialog.io"
TEXT = Outgoing("+34600111222", TextMessage("Hola"), "u1")


def make(*routes):
    config = AccountConfig(
        f"{BASE}/", "v25.0", "simulator-d360-key", "never-used-secret", "1", "2"
    )
    transport = FakeTransport(routes)
    return Dialog360Client(config, transport), transport


def test_path_has_neither_number_nor_version_nor_proof(load):
    answer = json_response(load("meta/send_ok"))
    client, transport = make(("POST", "/messages$", answer))
    client.send("300000000000004", TEXT)
    call = transport.calls[0]
    assert call.full_url == f"{BASE}/messages"
    assert call.headers["D360-API-KEY"] == "simulator-d360-key"
    assert "Authorization" not in call.headers
    assert call.json["messaging_product"] == "whatsapp"


def test_file_is_uploaded_beside_the_messages():
    client, transport = make(("POST", "/media$", json_response({"id": "9"})))
    assert client.upload_media("3", b"x", "a.pdf", "application/pdf") == "9"
    assert transport.calls[0].full_url == f"{BASE}/media"


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, {"meta": {"developer_message": "Invalid api_key"}}, "d360_api_key"),
        (401, {"detail": "no"}, "d360_api_key"),
        (403, {"error": "endpoint blocked"}, "d360_forbidden"),
        (400, {"message": "This number is disabled"}, "d360_disabled"),
        (400, {"error": "exceeded the endpoint rate limit"}, "d360_rate"),
        (400, {"detail": "lack of payment"}, "d360_payment"),
        (400, {"error": {"message": "lack of payment"}}, "d360_payment"),
        (400, {"errors": [{"details": "lack of payment"}]}, "d360_payment"),
        (402, {}, "d360_payment"),
        (429, {}, "d360_rate"),
        (400, {"errors": [{"title": "strange"}]}, "d360_refused"),
        (404, {}, "d360_refused"),
    ],
)
def test_own_refusal_is_evidence_of_its_class(status, body, code):
    client, _transport = make(("POST", "/messages", json_response(body, status)))
    with pytest.raises(ClientError) as caught:
        client.send("3", TEXT)
    error = caught.value
    assert (error.code, error.kind, error.sent) == (code, ERRORS[code].kind, False)
    assert error.http_status == status
    assert error.sentence == ERRORS[code].sentence


@pytest.mark.parametrize(
    "answer",
    [
        Response(401, {}, b"Invalid api_key"),
        Response(400, {}, b"<html>disabled</html>"),
        json_response({"error": "oops"}, 500),
        json_response({"error": "oops"}, 502),
    ],
)
def test_refusal_that_may_be_somebody_elses_is_unknown(answer):
    client, _transport = make(("POST", "/messages", answer))
    with pytest.raises(UnknownOutcomeError):
        client.send("3", TEXT)


def test_trace_of_a_refusal_is_kept():
    body = {"meta": {"developer_message": "no", "360dialog_trace_id": "t-1"}}
    client, _transport = make(("POST", "/messages", json_response(body, 400)))
    with pytest.raises(ContentError) as caught:
        client.send("3", TEXT)
    assert caught.value.trace_id == "t-1"
    assert caught.value.message == "no"


def test_number_of_the_key_is_found(load):
    number = {"id": "9", "display_phone_number": "+34 910 00 00 04"}
    client, _transport = make(
        ("GET", "/health_status", json_response(load("meta/health"))),
        ("GET", "/v1/configs/phone_number", json_response(number)),
    )
    (phone,) = client.list_phones()
    assert (phone.phone_uid, phone.number) == ("300000000000004", "+34910000004")
    assert (phone.is_verified, phone.pace, phone.status) == (True, 80, "CONNECTED")


def test_number_of_the_key_is_found_without_health():
    number = {"id": 9, "phone_number": "34910000004"}
    client, _transport = make(
        ("GET", "/health_status", json_response({})),
        ("GET", "/v1/configs/phone_number", json_response(number)),
    )
    (phone,) = client.list_phones()
    assert (phone.phone_uid, phone.number) == ("9", "+34910000004")


def test_number_that_is_not_told_is_empty(load):
    refused = json_response({"error": {"code": 100, "message": "m"}}, 404)
    client, _transport = make(
        ("GET", "/health_status", json_response(load("meta/health"))),
        ("GET", "/v1/configs/phone_number", refused),
    )
    (phone,) = client.list_phones()
    assert (phone.phone_uid, phone.number) == ("300000000000004", "")


def test_key_without_a_number_is_unknown():
    client, _transport = make(
        ("GET", "/health_status", json_response({})),
        ("GET", "/v1/configs/phone_number", json_response({})),
    )
    with pytest.raises(UnknownOutcomeError):
        list(client.list_phones())


def test_blocked_number_is_not_for_sending():
    health = {"health_status": {"can_send_message": "BLOCKED"}}
    client, _transport = make(
        ("GET", "/health_status", json_response(health)),
        ("GET", "/v1/configs/phone_number", json_response({"id": "9"})),
    )
    (phone,) = client.list_phones()
    assert (phone.is_verified, phone.status) == (False, "BLOCKED")


def test_webhook_is_registered_with_a_secret_header():
    client, transport = make(("POST", "/v1/configs/webhook", json_response({})))
    client.subscribe("https://erp.example.com/x", "verify-me")
    assert transport.calls[0].json == {
        "url": "https://erp.example.com/x",
        "headers": {"Authorization": "Bearer verify-me"},
    }
    registered = transport.calls[0].json["headers"]
    assert client.profile.verify_webhook(b"{}", registered, ["verify-me"])


def page(first, count, total=None, **more):
    listed = [
        {
            "id": f"d360-{n}",
            "external_id": str(n),
            "name": f"t{n}",
            "language": "es",
            "status": "approved",
            "category": "UTILITY",
        }
        for n in range(first, first + count)
    ]
    answer = {"waba_templates": listed, **more}
    return json_response(answer if total is None else {**answer, "total": total})


def test_templates_are_read_by_offset():
    pages = [page(0, 100, 150), page(100, 50, 150)]
    client, transport = make(("GET", "/v1/configs/templates", pages))
    found = list(client.list_templates())
    assert [info.template_uid for info in found] == [str(n) for n in range(150)]
    assert [call.params["offset"] for call in transport.calls] == [0, 100]
    assert (found[0].status, found[0].category) == ("approved", "utility")


def test_templates_without_a_total_end_with_a_short_page():
    pages = [page(0, 100), page(100, 100), page(200, 0)]
    client, transport = make(("GET", "/v1/configs/templates", pages))
    assert len(list(client.list_templates())) == 200
    assert len(transport.calls) == 3


def test_template_without_metas_id_keeps_its_own():
    row = {"id": "d360-1", "name": "x", "language": "es-ES", "source": "BUSINESS"}
    auto = {"id": "d360-2", "name": "auto_generated_1", "source": "AUTO_GENERATED"}
    answer = json_response({"waba_templates": [row, auto, None], "total": 3})
    client, _transport = make(("GET", "templates", answer))
    (info,) = client.list_templates()
    assert (info.template_uid, info.lang_code) == ("d360-1", "es_ES")


def test_template_is_deleted_by_its_name():
    client, transport = make(("DELETE", "/templates/", json_response({})))
    client.delete_template("1", "a/b")
    assert transport.calls[0].full_url == f"{BASE}/v1/configs/templates/a%2Fb"


@pytest.mark.parametrize(
    "act",
    [
        lambda client: client.edit_template("1", TemplateDraft("x", "es", "")),
        lambda client: client.upload_sample(b"x", "x.pdf", "application/pdf"),
        lambda client: client.request_code("1", "SMS", "es"),
        lambda client: client.verify_code("1", "123456"),
    ],
)
def test_what_it_cannot_do_is_refused_without_a_call(act):
    client, transport = make()
    with pytest.raises(ContentError) as caught:
        act(client)
    assert caught.value.code == "d360_unsupported"
    assert transport.calls == []


def test_key_has_no_description():
    client, transport = make()
    assert client.fetch_token_info() is None
    assert transport.calls == []


def test_metas_errors_pass_through():
    error = {"error": {"code": 190, "message": "m"}}
    client, _transport = make(("POST", "/messages", json_response(error, 401)))
    with pytest.raises(AccountError) as caught:
        client.send("3", TEXT)
    assert caught.value.code == "190"
