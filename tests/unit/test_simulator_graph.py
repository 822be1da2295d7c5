# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Tokens, numbers, subscriptions, media, and the shape of errors and versions."""

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

import pytest

from simulator.testkit import (
    ANA,
    APP,
    APP_TOKEN,
    PDF,
    PHONE,
    SECRET,
    TOKEN,
    WABA,
    World,
    components,
    template,
)

FIELDS = "messages,message_template_status_update"
PDF_HEADER = [{"type": "HEADER", "format": "DOCUMENT"}, *components()]


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        yield world


def test_errors_have_metas_shape(world: World) -> None:
    answer = world.call("GET", "me", token="")
    error = answer.json["error"]
    assert (error["code"], error["type"]) == (2500, "OAuthException")
    assert error["fbtrace_id"]
    assert answer.headers["x-fb-trace-id"]
    assert answer.headers["facebook-api-version"] == "v25.0"


@pytest.mark.parametrize(
    ("path", "code", "http"),
    [
        ("/v99.0/me", 2500, 400),
        ("/v25.0/1/2/3", 2500, 400),
        ("/v25.0/nobody", 803, 404),
        ("/v25.0/999", 100, 400),
        (f"/v25.0/{PHONE}/poems", 100, 400),
        ("/v25.0/", 100, 400),
    ],
)
def test_unknown_paths(world: World, path: str, code: int, http: int) -> None:
    answer = world.call("GET", path)
    assert (answer.code, answer.status) == (code, http)


def test_expired_versions_are_served_by_the_oldest(world: World) -> None:
    answer = world.call("GET", "/v15.0/me")
    assert answer.status == 200
    assert answer.headers["facebook-api-version"] == "v22.0"


def test_tokens(world: World) -> None:
    assert world.call("GET", PHONE, token="").code == 104
    assert world.call("GET", PHONE, token="wrong").code == 190
    other = world.call("GET", PHONE, token="simulator-token-2")
    assert (other.code, other.json["error"]["error_subcode"]) == (100, 33)
    world.control("token", token=TOKEN, waba_uids=[])
    assert world.call("GET", PHONE).code == 200
    world.control("token", token=TOKEN, waba_uids=[WABA], scopes=[])
    assert world.call("GET", PHONE).code == 10
    world.control("fault", action="expire_token")
    expired = world.call("GET", PHONE)
    assert (expired.code, expired.status) == (190, 401)
    world.control("fault", clear=True)
    assert world.call("GET", PHONE).code == 10


def test_proof_of_the_app_secret(world: World) -> None:
    proof = hmac.new(SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()
    assert world.call("GET", "me", appsecret_proof=proof).status == 200
    assert world.call("GET", "me", appsecret_proof="0" * 64).code == 100


def test_debug_token(world: World) -> None:
    asked = world.call("GET", "debug_token", token=APP_TOKEN, input_token=TOKEN)
    data = asked.json["data"]
    assert (data["app_id"], data["is_valid"], data["expires_at"]) == (APP, True, 0)
    assert data["granular_scopes"][0]["target_ids"] == [WABA]
    unknown = world.call("GET", "debug_token", token=APP_TOKEN, input_token="x").json
    assert unknown["data"]["is_valid"] is False


def test_management_limit(world: World) -> None:
    world.control("settings", management_per_hour=2)
    codes = [world.call("GET", f"{WABA}/message_templates").code for _ in range(3)]
    assert codes == [0, 0, 80007]


def test_phone_numbers_and_verification(world: World) -> None:
    fields = "id,display_phone_number,code_verification_status,throughput,status"
    rows = world.call("GET", f"{WABA}/phone_numbers", fields=fields).json["data"]
    assert [row["code_verification_status"] for row in rows] == [
        "VERIFIED",
        "NOT_VERIFIED",
    ]
    assert rows[0]["throughput"] == {"level": "STANDARD"}
    uid = rows[1]["id"]
    asked = {"code_method": "SMS", "language": "en_US"}
    assert world.call("POST", f"{uid}/request_code", asked).status == 200
    phones = {row["phone_uid"]: row for row in world.ask("state")["phones"]}
    wrong = world.call("POST", f"{uid}/verify_code", {"code": "x"})
    assert (wrong.code, wrong.json["error"]["error_subcode"]) == (136025, 2388093)
    right = {"code": phones[uid]["code"]}
    pin = {"messaging_product": "whatsapp", "pin": "123456"}
    assert world.call("POST", f"{uid}/register", pin).code == 133006
    assert world.call("POST", f"{uid}/verify_code", right).status == 200
    assert world.call("POST", f"{uid}/register", pin).status == 200
    other = {**pin, "pin": "654321"}
    assert world.call("POST", f"{uid}/register", other).code == 133005


def test_health(world: World) -> None:
    world.control("account", waba_uid=WABA, health="BLOCKED")
    health = world.call("GET", WABA, fields="health_status").json["health_status"]
    assert health["can_send_message"] == "BLOCKED"
    blocked = [e for e in health["entities"] if e["can_send_message"] == "BLOCKED"]
    assert blocked[0]["errors"][0]["error_code"] == 141006


def test_profile(world: World) -> None:
    path = f"{PHONE}/whatsapp_business_profile"
    given = {"messaging_product": "whatsapp", "about": "We bill", "vertical": "RETAIL"}
    assert world.call("POST", path, given).status == 200
    shown = world.call("GET", path, fields="about").json["data"][0]
    assert shown["about"] == "We bill"


def test_only_people_who_wrote_can_be_blocked(world: World) -> None:
    path = f"{PHONE}/block_users"
    given = {"messaging_product": "whatsapp", "block_users": [{"user": ANA}]}
    assert world.call("POST", path, given).code == 139100
    world.control("reply", **{"from": ANA, "to": PHONE, "text": "hi"})
    assert world.call("POST", path, given).status == 200
    world.make_template()
    assert world.send().code == 130403
    assert world.call("DELETE", path, given).status == 200
    assert world.send().status == 200


def test_subscription_needs_the_handshake(world: World) -> None:
    given = {
        "object": "whatsapp_business_account",
        "callback_url": world.listener.url,
        "verify_token": "wrong",
        "fields": FIELDS,
    }
    path = f"{APP}/subscriptions"
    assert world.call("POST", path, given).code == 15
    assert world.call("POST", path, given, token=APP_TOKEN).code == 2200
    given["verify_token"] = world.listener.verify_token
    assert world.call("POST", path, given, token=APP_TOKEN).json == {"success": True}
    asked = world.listener.challenges[-1]
    assert asked["hub.mode"] == "subscribe"
    shown = world.call("GET", path, token=APP_TOKEN).json["data"][0]
    assert shown["callback_url"] == world.listener.url
    assert [field["name"] for field in shown["fields"]] == FIELDS.split(",")
    given["fields"] = "poems"
    assert world.call("POST", path, given, token=APP_TOKEN).code == 100


def test_nothing_arrives_without_subscribed_apps(world: World) -> None:
    world.control("subscribe", url=world.listener.url)
    path = f"{WABA}/subscribed_apps"
    assert world.call("DELETE", path).status == 200
    world.control("reply", **{"from": ANA, "text": "hi"})
    assert world.flush()["unrouted"] == 1
    assert world.call("POST", path).json == {"success": True}
    shown = world.call("GET", path).json["data"][0]
    assert shown["whatsapp_business_api_data"]["id"] == APP
    world.control("reply", **{"from": ANA, "text": "hi again"})
    world.flush()
    assert [m["text"]["body"] for m in world.listener.inbound()] == ["hi again"]


def test_overrides_take_messages_only(world: World) -> None:
    world.control("subscribe", url="http://127.0.0.1:9/app")
    world.control("settings", webhook={"retry": []})
    override = {
        "override_callback_uri": world.listener.url,
        "verify_token": world.listener.verify_token,
    }
    path = f"{WABA}/subscribed_apps"
    assert world.call("POST", path, {**override, "verify_token": "no"}).code == 2200
    assert world.call("POST", path, override).status == 200
    world.control("reply", **{"from": ANA, "text": "hi"})
    world.control(
        "template", action="quality", name="hello_world", quality="RED", waba_uid=WABA
    )
    done = world.flush()
    assert (done["delivered"], done["failed"]) == (1, 1)
    assert len(world.listener.inbound()) == 1


def media_header(uid: str, **values: Any) -> dict[str, Any]:
    document = {"id": uid, "filename": "INV-1.pdf", **values}
    return {
        "type": "header",
        "parameters": [{"type": "document", "document": document}],
    }


def send_file(world: World, uid: str) -> int:
    """Send a template with a document, and return the error code."""
    body = {"type": "body", "parameters": [{"type": "text", "text": x} for x in "ab"]}
    sent = template("file", "es_ES", media_header(uid), body)
    return world.send(type="template", template=sent).code


def test_a_document_reaches_the_phone(world: World) -> None:
    world.make_template(name="file", components=PDF_HEADER)
    uid = world.upload().json["id"]
    assert send_file(world, uid) == 0
    header = world.messages()[0]["header"]
    assert header["filename"] == "INV-1.pdf"
    assert header["size"] == len(PDF)
    assert header["sha256"] == hashlib.sha256(PDF).hexdigest()
    assert header["media_id"] == uid


def test_media_of_others_missing_or_late(world: World) -> None:
    world.listen()
    world.make_template(name="file", components=PDF_HEADER)
    assert send_file(world, "123") == 100
    path, token = "300000000000003/media", "simulator-token-2"
    assert send_file(world, world.upload(path=path, token=token).json["id"]) == 100
    uid = world.upload().json["id"]
    world.control("clock", advance=30 * 86_400 + 1)
    assert send_file(world, uid) == 0
    wrong = world.upload(b"\x89PNG\r\n\x1a\n", "application/pdf").json["id"]
    assert send_file(world, wrong) == 0
    world.flush()
    errors = [m["statuses"][-1]["error"]["code"] for m in world.messages()]
    assert errors == [131053, 131053]


def test_a_media_header_is_needed(world: World) -> None:
    world.make_template(name="file", components=PDF_HEADER)
    assert world.send(type="template", template=template("file")).code == 132012
    image = world.upload(b"\x89PNG\r\n\x1a\n", "image/png").json["id"]
    assert send_file(world, image) == 132012


@pytest.mark.parametrize(
    ("content", "mime", "code"),
    [
        (PDF, "application/zip", 100),
        (b"", "application/pdf", 100),
        (b"\xff\xd8\xff" + b"x" * (5 * 1024 * 1024), "image/jpeg", 131053),
        (b"plain", "text/plain", 0),
    ],
)
def test_uploads_are_checked(
    world: World, content: bytes, mime: str, code: int
) -> None:
    assert world.upload(content, mime).code == code


def test_download_is_two_steps_and_ends(world: World) -> None:
    uid = world.upload().json["id"]
    shown = world.call("GET", uid, phone_number_id=PHONE).json
    assert (shown["mime_type"], shown["id"]) == ("application/pdf", uid)
    path = shown["url"].removeprefix(world.url)
    agent = {"User-Agent": "curl/8"}
    assert world.call("GET", path, headers=agent).body == PDF
    assert world.call("GET", path, headers=agent, token="").status == 401
    refused = world.call("GET", path, headers={"User-Agent": "python-requests/2"})
    assert refused.status == 400
    world.control("clock", advance=301)
    assert world.call("GET", path, headers=agent).status == 404
    assert world.call("DELETE", uid).json == {"success": True}
    assert world.call("GET", uid).code == 100
