# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import pytest

from clients.errors import (
    AccountError,
    ContentError,
    NotConnectedError,
    TemplateError,
    TransientError,
    UnknownOutcomeError,
)
from clients.testing import FakeTransport, json_response
from clients.whatsapp.base import (
    AccountConfig,
    ButtonParam,
    HeaderParam,
    ListMessage,
    Outgoing,
    TemplateDraft,
    TemplateMessage,
    TextMessage,
)
from clients.whatsapp.meta.client import MetaCloudClient
from clients.whatsapp.meta.events import SUBSCRIBED_FIELDS

BASE = "https://graph.facebook.com"
WABA = "200000000000001"
APP = "100000000000001"
PHONE = "300000000000001"
PROOF = "ee810190e5b2510ccbbf190438211adb870ab169422ae09c597629e68dd7f967"
OK = json_response({"success": True})


def make(*routes, **changes):
    values = {
        "api_url": BASE,
        "api_version": "v25.0",
        "access_token": "simulator-token",
        "app_secret": "simulator-app-secret",
        "app_uid": APP,
        "waba_uid": WABA,
    }
    transport = FakeTransport(routes)
    return MetaCloudClient(AccountConfig(**values | changes), transport), transport


def sent(outgoing):
    answer = json_response({"messages": [{"id": "wamid.1"}]})
    client, transport = make(("POST", "/messages", answer))
    client.send(PHONE, outgoing)
    return transport.calls[0]


# === SENDING === #


def test_message_goes_to_the_number_with_token_and_proof():
    call = sent(Outgoing("+34600111222", TextMessage("Hola"), "u1"))
    assert call.full_url == f"{BASE}/v25.0/{PHONE}/messages?appsecret_proof={PROOF}"
    assert call.headers["Authorization"] == "Bearer simulator-token"
    assert "simulator-token" not in call.full_url


def test_without_app_secret_there_is_no_proof():
    answer = json_response({"messages": [{"id": "wamid.1"}]})
    client, transport = make(("POST", "/messages$", answer), app_secret="")
    client.send(PHONE, Outgoing("+34600111222", TextMessage("Hola"), "u1"))
    assert transport.calls[0].full_url == f"{BASE}/v25.0/{PHONE}/messages"


@pytest.mark.parametrize(
    ("api_url", "version", "expected"),
    [
        ("http://127.0.0.1:8069/", "v26.0", "http://127.0.0.1:8069/v26.0/"),
        (
            "http://127.0.0.1:8069/graph/",
            "/v26.0/",
            "http://127.0.0.1:8069/graph/v26.0/",
        ),
        ("http://127.0.0.1:8069", "", "http://127.0.0.1:8069/"),
    ],
)
def test_address_and_version_are_configuration(api_url, version, expected):
    answer = json_response({"messages": [{"id": "wamid.1"}]})
    routes = ("POST", "/messages", answer)
    client, transport = make(routes, api_url=api_url, api_version=version)
    client.send(PHONE, Outgoing("+34600111222", TextMessage("Hola"), "u1"))
    assert transport.calls[0].url.startswith(f"{expected}{PHONE}/messages")


def test_text_quotes_the_message_that_it_answers():
    outgoing = Outgoing("+34600111222", TextMessage("Hola", True), "u1", "wamid.IN")
    assert sent(outgoing).json == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+34600111222",
        "type": "text",
        "text": {"body": "Hola", "preview_url": True},
        "biz_opaque_callback_data": "u1",
        "context": {"message_id": "wamid.IN"},
    }


@pytest.mark.parametrize(
    "user_uid", ["ES.1349210000", "US.ENT.118112", "US.a" + "b" * 120]
)
def test_user_id_goes_into_recipient(user_uid):
    payload = sent(Outgoing(user_uid, TextMessage("Hola"), "u1")).json
    assert payload["recipient"] == user_uid
    assert "to" not in payload


def test_number_always_has_its_plus():
    assert sent(Outgoing("34600111222", TextMessage("x"), "u")).json["to"] == (
        "+34600111222"
    )


def test_template_without_variables_has_no_components():
    content = TemplateMessage("hello_world", "en_US")
    assert sent(Outgoing("+1", content, "u")).json["template"] == {
        "name": "hello_world",
        "language": {"code": "en_US"},
    }


def test_text_and_image_headers():
    def header(parameter):
        content = TemplateMessage("t", "en", parameter)
        payload = sent(Outgoing("+1", content, "u")).json
        return payload["template"]["components"]

    assert header(HeaderParam("text", text="F-42")) == [
        {"type": "header", "parameters": [{"type": "text", "text": "F-42"}]}
    ]
    image = {"type": "image", "image": {"id": "9"}}
    assert header(HeaderParam("image", media_uid="9", filename="x.png")) == [
        {"type": "header", "parameters": [image]}
    ]
    document = {"type": "document", "document": {"id": "9"}}
    assert header(HeaderParam("document", media_uid="9")) == [
        {"type": "header", "parameters": [document]}
    ]


def test_button_says_its_place_and_kind():
    content = TemplateMessage("t", "en", buttons=(ButtonParam(2, "url", "x"),))
    payload = sent(Outgoing("+1", content, "u")).json
    assert payload["template"]["components"] == [
        {
            "type": "button",
            "sub_type": "url",
            "index": "2",
            "parameters": [{"type": "text", "text": "x"}],
        }
    ]


def test_strange_ids_stay_one_part_of_the_path():
    answer = json_response({"messages": [{"id": "wamid.1"}]})
    client, transport = make(("POST", "/messages", answer))
    client.send("1/../2?x=1", Outgoing("+1", TextMessage("x"), "u"))
    assert "/v25.0/1%2F..%2F2%3Fx%3D1/messages" in transport.calls[0].url


# === ACCOUNT === #


def test_phones_are_read(load):
    answer = json_response(load("meta/phones"))
    client, transport = make(("GET", f"/{WABA}/phone_numbers", answer))
    first, big, app = client.list_phones()
    assert (first.phone_uid, first.number) == (PHONE, "+34910000001")
    assert (first.verified_name, first.is_verified) == ("Acme", True)
    assert (first.quality, first.tier, first.status) == (
        "GREEN",
        "TIER_2K",
        "CONNECTED",
    )
    assert (first.pace, big.pace, app.pace) == (80, 1000, 20)
    # Its verification ran out while the number stayed connected: still usable.
    assert (big.is_verified, app.is_verified) == (True, False)
    assert big.tier == "TIER_UNLIMITED"
    assert app.phone_uid == "300000000000002"
    assert first.raw["platform_type"] == "CLOUD_API"
    assert "code_verification_status" in transport.calls[0].full_url


@pytest.mark.parametrize(
    "row", [{}, {"id": None}, {"id": "1", "throughput": [], "display_phone_number": 5}]
)
def test_phone_with_odd_values_is_read(row):
    client, _transport = make(
        ("GET", "phone_numbers", json_response({"data": [row, 1]}))
    )
    phones = list(client.list_phones())
    assert [phone.phone_uid for phone in phones] == (["1"] if row.get("id") else [])


def test_number_used_in_the_phone_app_is_slow():
    row = {"id": "1", "throughput": {"level": "STANDARD"}, "is_on_biz_app": True}
    client, _transport = make(("GET", "phone_numbers", json_response({"data": [row]})))
    assert [phone.pace for phone in client.list_phones()] == [20]


def test_token_is_asked_about_with_the_token_of_the_app(load):
    answer = json_response(load("meta/debug_token"))
    client, transport = make(("GET", "/debug_token", answer))
    info = client.fetch_token_info()
    assert (info.is_valid, info.app_uid, info.expires_at) == (True, APP, 0)
    assert info.scopes == (
        "whatsapp_business_management",
        "whatsapp_business_messaging",
    )
    assert info.targets == {
        "whatsapp_business_management": (WABA,),
        "whatsapp_business_messaging": (),
    }
    call = transport.calls[0]
    assert call.headers["Authorization"] == f"Bearer {APP}|simulator-app-secret"
    assert call.params == {"input_token": "simulator-token"}
    assert "appsecret_proof" not in call.full_url


def test_token_is_asked_about_by_itself_without_an_app():
    answer = json_response({"data": {"is_valid": False, "expires_at": "x"}})
    client, transport = make(("GET", "/debug_token", answer), app_uid="", app_secret="")
    info = client.fetch_token_info()
    assert (info.is_valid, info.expires_at, info.scopes) == (False, 0, ())
    assert transport.calls[0].headers["Authorization"] == "Bearer simulator-token"


def test_subscribing_registers_the_callback_and_the_app():
    client, transport = make(
        ("POST", f"/{APP}/subscriptions", OK), ("POST", f"/{WABA}/subscribed_apps", OK)
    )
    client.subscribe("https://erp.example.com/whatsapp_billing/webhook/t", "verify-me")
    first, second = transport.calls
    assert first.data == {
        "object": "whatsapp_business_account",
        "callback_url": "https://erp.example.com/whatsapp_billing/webhook/t",
        "verify_token": "verify-me",
        "fields": ",".join(SUBSCRIBED_FIELDS),
    }
    assert first.headers["Authorization"] == f"Bearer {APP}|simulator-app-secret"
    assert second.headers["Authorization"] == "Bearer simulator-token"
    assert len(SUBSCRIBED_FIELDS) == 13


@pytest.mark.parametrize("missing", ["app_uid", "app_secret"])
def test_subscribing_without_the_app_says_what_is_missing(missing):
    client, transport = make(**{missing: ""})
    with pytest.raises(AccountError) as caught:
        client.subscribe("https://x", "v")
    assert caught.value.code == "no_app"
    assert transport.calls == []


def test_subscribing_that_is_not_confirmed_is_no_success():
    client, _transport = make(
        ("POST", "subscriptions", json_response({"success": False}))
    )
    with pytest.raises(UnknownOutcomeError):
        client.subscribe("https://x", "v")


def test_verification_of_a_number():
    client, transport = make(
        ("POST", "/request_code", OK), ("POST", "/verify_code", OK)
    )
    client.request_code(PHONE, "sms", "es_ES")
    client.verify_code(PHONE, "123-456")
    assert transport.calls[0].data == {"code_method": "SMS", "language": "es_ES"}
    assert transport.calls[1].data == {"code": "123456"}


def test_wrong_code_is_a_content_error():
    error = {"error": {"code": 136025, "error_subcode": 2388093, "message": "m"}}
    client, _transport = make(("POST", "/verify_code", json_response(error, 400)))
    with pytest.raises(ContentError):
        client.verify_code(PHONE, "000000")


def test_health_is_returned(load):
    client, transport = make(("GET", f"/{WABA}", json_response(load("meta/health"))))
    assert client.health()["can_send_message"] == "LIMITED"
    assert transport.calls[0].params == {"fields": "health_status"}


def test_missing_health_is_empty():
    client, _transport = make(("GET", f"/{WABA}", json_response({"id": WABA})))
    assert client.health() == {}


# === TEMPLATES === #


def test_templates_are_read_page_by_page_from_the_cursor(load):
    pages = [json_response(load(f"meta/templates_page_{page}")) for page in (1, 2)]
    client, transport = make(("GET", f"/{WABA}/message_templates", pages))
    first, second = client.list_templates()
    assert [call.params.get("after") for call in transport.calls] == [None, "MjQZD"]
    # `next` holds a token: it is never followed.
    assert all(call.url == transport.calls[0].url for call in transport.calls)
    assert not any("EAAG" in call.full_url for call in transport.calls)
    assert (first.template_uid, first.name) == ("590910000000001", "invoice_ready_v1")
    assert (first.lang_code, first.category, first.status) == (
        "es_ES",
        "utility",
        "approved",
    )
    assert (first.quality, first.rejected_reason) == ("GREEN", "")
    assert first.parameter_format == "POSITIONAL"
    assert [component["type"] for component in first.components] == ["HEADER", "BODY"]
    assert (second.template_uid, second.lang_code) == ("590910000000003", "en_US")
    assert (second.status, second.raw_status) == ("unknown", "SOMETHING_NEW")
    assert second.rejected_reason == "PROMOTIONAL"
    assert (second.previous_category, second.correct_category) == (
        "utility",
        "marketing",
    )


def test_list_that_repeats_a_cursor_is_an_error_and_not_an_end(load):
    page = json_response(load("meta/templates_page_1"))
    client, transport = make(("GET", "message_templates", page))
    with pytest.raises(TransientError):
        list(client.list_templates())
    assert len(transport.calls) == 2


def test_next_page_without_a_cursor_is_an_error():
    page = json_response({"data": [], "paging": {"next": "https://x"}})
    client, _transport = make(("GET", "message_templates", page))
    with pytest.raises(TransientError):
        list(client.list_templates())


def test_error_on_a_later_page_is_raised(load):
    pages = [json_response(load("meta/templates_page_1")), NotConnectedError()]
    client, _transport = make(("GET", "message_templates", pages))
    with pytest.raises(NotConnectedError):
        list(client.list_templates())


@pytest.mark.parametrize(
    "row",
    [
        {"name": "x"},
        {"name": "x", "quality_score": "GREEN", "components": {"a": 1}, "id": None},
        {"name": "x", "language": 5, "category": [], "components": [1, None]},
    ],
)
def test_template_with_odd_values_is_read(row):
    client, _transport = make(
        ("GET", "message_templates", json_response({"data": [row, None, {"id": "1"}]}))
    )
    assert [info.name for info in client.list_templates()] == ["x"]


def test_edited_template_goes_back_to_review():
    client, transport = make(("POST", "/590910000000001", OK))
    draft = TemplateDraft("x", "es", "", [{"type": "BODY", "text": "a"}])
    result = client.edit_template("590910000000001", draft)
    assert (result.template_uid, result.status) == ("590910000000001", "pending")
    assert transport.calls[0].json == {"components": [{"type": "BODY", "text": "a"}]}


def test_deleted_template_is_named_by_id_and_name():
    client, transport = make(("DELETE", f"/{WABA}/message_templates", OK))
    client.delete_template("590910000000001", "hola_v1")
    assert transport.calls[0].params == {"hsm_id": "590910000000001", "name": "hola_v1"}


def test_duplicate_template_is_a_template_error_in_plain_words(load):
    answer = json_response(load("meta/error_duplicate_template"), 400)
    client, _transport = make(("POST", "message_templates", answer))
    with pytest.raises(TemplateError) as caught:
        client.submit_template(TemplateDraft("x", "es", "utility"))
    assert (caught.value.code, caught.value.subcode) == ("100", "2388024")
    assert "already exists" in caught.value.sentence
    assert "Spanish content" in caught.value.details


SPANISH = {
    "message": "Invalid parameter",
    "code": 100,
    "error_subcode": 2388023,
    "error_user_title": "No se puede agregar",
    "error_user_msg": "No puedes crear esta plantilla mediante la API mientras se"
    " elimina la anterior.",
}


@pytest.mark.parametrize(
    "words",
    [
        SPANISH["error_user_msg"],
        "You can't create this template through the API while it is being deleted.",
        "Ce modèle ne peut être créé par un autre media.",
    ],
)
def test_the_providers_words_decide_nothing(words):
    error = SPANISH | {"error_user_msg": words}
    client, _transport = make(
        ("POST", "message_templates", json_response({"error": error}, 400))
    )
    with pytest.raises(TemplateError) as caught:
        client.submit_template(TemplateDraft("x", "es", "utility"))
    assert caught.value.sentence.startswith("Meta keeps the name of a deleted")
    assert caught.value.details == words


def test_template_that_is_gone_does_not_stop_the_account(load):
    answer = json_response(load("meta/error_object"), 400)
    client, _transport = make(("POST", "/590910000000001", answer))
    with pytest.raises(ContentError):
        client.edit_template("590910000000001", TemplateDraft("x", "es", ""))


# === SAMPLE UPLOAD === #

SESSION = "upload:MTphd?sig=ARZ_x-y"


def uploading(*answers, offsets=()):
    return make(
        ("POST", f"/{APP}/uploads", json_response({"id": SESSION})),
        ("POST", "/upload:MTphd", list(answers)),
        ("GET", "/upload:MTphd", [json_response({"file_offset": n}) for n in offsets]),
    )


def test_sample_is_uploaded_with_oauth():
    client, transport = uploading(json_response({"h": "4::aW"}))
    assert client.upload_sample(b"%PDF", "sample.pdf", "application/pdf") == "4::aW"
    start, upload = transport.calls
    assert start.params == {
        "file_name": "sample.pdf",
        "file_length": 4,
        "file_type": "application/pdf",
    }
    assert upload.url == f"{BASE}/v25.0/{SESSION}&appsecret_proof={PROOF}"
    assert upload.headers["Authorization"] == "OAuth simulator-token"
    assert (upload.headers["file_offset"], upload.data) == ("0", b"%PDF")


def test_interrupted_sample_goes_on_where_it_stopped():
    client, transport = uploading(
        UnknownOutcomeError(code="connection_lost"),
        json_response({"h": "4::aW"}),
        offsets=[3],
    )
    assert client.upload_sample(b"%PDF-1.7", "s.pdf", "application/pdf") == "4::aW"
    last = transport.calls[-1]
    assert (last.headers["file_offset"], last.data) == ("3", b"F-1.7")
    transport.assert_all_called()


def test_sample_that_never_arrives_gives_up():
    broken = UnknownOutcomeError(code="connection_lost")
    client, _transport = uploading(*[broken] * 4, offsets=[0, 0, 0])
    with pytest.raises(UnknownOutcomeError):
        client.upload_sample(b"%PDF", "s.pdf", "application/pdf")


def test_sample_needs_the_app():
    client, _transport = make(app_uid="")
    with pytest.raises(AccountError):
        client.upload_sample(b"%PDF", "s.pdf", "application/pdf")


def test_a_list_to_choose_from_goes_as_an_interactive_message():
    content = ListMessage(
        "Which day?", "Choose", (("wab:1", "Mon 23"), ("wab:2", "Tue"))
    )
    call = sent(Outgoing("+34600111222", content, "u1"))
    assert call.json["type"] == "interactive"
    interactive = call.json["interactive"]
    assert interactive["body"] == {"text": "Which day?"}
    assert interactive["action"] == {
        "button": "Choose",
        "sections": [
            {
                "rows": [
                    {"id": "wab:1", "title": "Mon 23"},
                    {"id": "wab:2", "title": "Tue"},
                ]
            }
        ],
    }
