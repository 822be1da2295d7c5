# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The phone pages, and the same engine behind 360dialog's paths."""

import json
from collections.abc import Iterator
from urllib.request import Request, build_opener

import pytest

from simulator.testkit import ANA, PDF, World, components, template

KEY = {"D360-API-KEY": "simulator-d360-key"}


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        world.listen()
        world.make_template()
        yield world


def test_pages_need_nothing_from_elsewhere(world: World) -> None:
    for path in ("/", "/phone/34600111222", "/static/style.css", "/static/phone.js"):
        answer = world.call("GET", path, token="")
        assert answer.status == 200
        assert b"//cdn" not in answer.body
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert world.call("GET", "/static/..%2fseed.py", token="").status == 404
    assert world.call("GET", "/static/nothing.js", token="").status == 404
    assert world.call("GET", "/phone/nobody", token="").status == 404


def test_page_data_shows_the_message_and_what_was_told(world: World) -> None:
    world.send()
    world.flush()
    data = world.call("GET", "/phone/34600111222/data", token="").json
    (message,) = data["messages"]
    assert message["body"].startswith("Hola Ana")
    assert [entry["words"] for entry in data["told"]] == ["delivered", "sent"]
    assert data["told"][0]["http_status"] == 200
    index = world.call("GET", "/phone/all/data", token="").json
    assert index["users"][0]["unread"] == 1
    assert index["businesses"][0]["is_listening"] is True


def test_a_message_that_waits_at_meta_is_not_on_the_phone(world: World) -> None:
    world.control("user", number=ANA, online=False)
    world.send()
    data = world.call("GET", "/phone/34600111222/data", token="").json
    assert data["messages"] == []


def test_opening_the_page_reads(world: World) -> None:
    world.send()
    path = "/phone/34600111222/read"
    assert world.call("POST", path, {}, token="").json == {"read": 1}
    assert world.messages()[0]["status"] == "read"


def test_the_page_serves_the_document(world: World) -> None:
    parts = [{"type": "HEADER", "format": "DOCUMENT"}, *components()]
    world.make_template(name="file", components=parts)
    document = {"id": world.upload().json["id"], "filename": "factura ñ.pdf"}
    header = {"type": "document", "document": document}
    body = {"type": "body", "parameters": [{"type": "text", "text": x} for x in "ab"]}
    sent = template("file", "es_ES", {"type": "header", "parameters": [header]}, body)
    wamid = world.send(type="template", template=sent).json["messages"][0]["id"]
    answer = world.call("GET", f"/phone/34600111222/file/{wamid}", token="")
    assert answer.body == PDF
    assert "factura%20%C3%B1.pdf" in answer.headers["Content-Disposition"]
    other = world.call("GET", f"/phone/34600999888/file/{wamid}", token="")
    assert other.status == 404


def test_the_page_is_told_of_changes(world: World) -> None:
    request = Request(f"{world.url}/phone/34600111222/events")
    with build_opener().open(request) as stream:
        assert stream.readline() == b"retry: 1000\n"
        assert stream.readline() == b"data: hello\n"
        stream.readline()
        world.send()
        assert stream.readline() == b"data: change\n"


def d360_send(world: World, **headers: str) -> tuple[int, dict[str, object]]:
    payload = {"messaging_product": "whatsapp", "to": ANA, "type": "template"}
    hello = {"name": "hello_world", "language": {"code": "en_US"}}
    given = {**payload, "template": hello}
    answer = world.call("POST", "/d360/messages", given, token="", headers=headers)
    return answer.status, answer.json


def test_d360_sends_with_its_key(world: World) -> None:
    status, answer = d360_send(world)
    assert (status, answer) == (401, {"error": "Invalid api_key"})
    status, answer = d360_send(world, **KEY)
    assert status == 200
    (message,) = world.messages()
    assert message["phone_uid"] == "300000000000004"


def test_d360_webhooks_carry_the_secret_header_and_no_signature(world: World) -> None:
    given = {"url": world.listener.url, "headers": {"Authorization": "Bearer ours"}}
    path = "/d360/v1/configs/webhook"
    world.call("POST", path, given, token="", headers=KEY)
    d360_send(world, **KEY)
    world.flush()
    headers, body = world.listener.posts[-1]
    assert headers["Authorization"] == "Bearer ours"
    assert "X-Hub-Signature-256" not in headers
    assert json.loads(body)["entry"][0]["id"] == "200000000000003"
    assert world.call("GET", path, token="", headers=KEY).json == given


def test_d360_templates(world: World) -> None:
    path = "/d360/v1/configs/templates"
    given = {"name": "due", "language": "es_ES", "category": "UTILITY"}
    given["components"] = components()  # type: ignore[assignment]
    made = world.call("POST", path, given, token="", headers=KEY).json
    assert made["status"] == "pending"
    world.flush()
    listed = world.call("GET", path, token="", headers=KEY).json
    assert [entry["name"] for entry in listed["waba_templates"]] == [
        "hello_world",
        "due",
    ]
    assert listed["waba_templates"][1]["status"] == "approved"
    gone = world.call("DELETE", f"{path}/due", token="", headers=KEY)
    assert gone.status == 200
    wrong = world.call("POST", path, {**given, "name": "No"}, token="", headers=KEY)
    assert wrong.code == 100


def test_d360_tells_which_number_the_key_is_for(world: World) -> None:
    health = world.call("GET", "/d360/health_status", token="", headers=KEY).json
    assert health["health_status"]["can_send_message"] == "AVAILABLE"
    path = "/d360/v1/configs/phone_number"
    number = world.call("GET", path, token="", headers=KEY).json
    assert number["display_phone_number"] == "+34 910 00 00 04"


def test_d360_media(world: World) -> None:
    made = world.upload(path="/d360/media", token="", headers=KEY).json
    shown = world.call("GET", f"/d360/{made['id']}", token="", headers=KEY).json
    host = "https://lookaside.fbsbx.com"
    assert shown["url"].startswith(host)
    path = shown["url"].replace(host, "/d360")
    agent = {**KEY, "User-Agent": "curl/8"}
    assert world.call("GET", path, token="", headers=agent).body == PDF
    gone = world.call("DELETE", f"/d360/{made['id']}", token="", headers=KEY)
    assert gone.json == {"success": True}
    missing = world.call("GET", f"/d360/{made['id']}", token="", headers=KEY)
    assert missing.code == 100
