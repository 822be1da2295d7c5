# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The control API: people, faults, statuses, and sentences for mistakes."""

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from http.client import RemoteDisconnected
from typing import Any

import pytest

from simulator.testing import ControlRefused
from simulator.testkit import ANA, PHONE, TOKEN, World, components, text


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        world.listen()
        world.make_template()
        yield world


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("reset", {"color": "blue"}),
        ("reset", {"auto": {"eaten": True}}),
        ("settings", {"pace": "fast"}),
        ("settings", {"review": "never"}),
        ("settings", {"webhook": {"batch": 0}}),
        ("reply", {"from": "nobody", "text": "hi"}),
        ("reply", {"from": ANA}),
        ("reply", {"from": ANA, "button": "Pay"}),
        ("reply", {"from": ANA, "to": "999999", "text": "hi"}),
        ("status", {"status": "eaten"}),
        ("status", {"status": "read"}),
        ("status", {"status": "read", "wamid": "wamid.none"}),
        ("template", {"action": "bless", "name": "ready"}),
        ("template", {"action": "approve", "name": "unknown"}),
        ("template", {"action": "recategorise", "name": "ready", "category": "FUN"}),
        ("fault", {}),
        ("fault", {"action": "explode"}),
        ("fault", {"action": "close", "path": "("}),
        ("fault", {"webhooks": {"explode": True}}),
        ("token", {"token": "unknown"}),
        ("clock", {"advance": "soon"}),
        ("subscribe", {"url": "ftp://x"}),
        ("poems", {}),
    ],
)
def test_mistakes_are_answered_with_a_sentence(
    world: World, name: str, values: dict[str, Any]
) -> None:
    with pytest.raises(ControlRefused, match=r'^{"error":".+\."}$'):
        world.control(name, **values)


def test_a_fault_answers_for_the_next_calls(world: World) -> None:
    world.control("fault", code=131000, count=2)
    assert [world.send().code for _ in range(3)] == [131000, 131000, 0]
    assert len(world.messages()) == 1


def test_a_fault_can_skip_and_stay(world: World) -> None:
    world.control("fault", code=131042, count=None, skip=1)
    assert [world.send().code for _ in range(3)] == [0, 131042, 131042]
    assert world.control("fault", clear=True)["cleared"] == 1
    assert world.send().code == 0


def test_an_answer_is_lost_after_the_message_was_taken(world: World) -> None:
    world.control("fault", action="drop_answer")
    with pytest.raises((RemoteDisconnected, ConnectionResetError)):
        world.send(biz_opaque_callback_data="uuid-1")
    assert len(world.messages(uuid="uuid-1")) == 1
    world.flush()
    assert world.listener.statuses_of() == ["sent", "delivered"]


def test_a_call_is_lost_before_the_message_was_taken(world: World) -> None:
    world.control("fault", action="drop_request")
    with pytest.raises((RemoteDisconnected, ConnectionResetError)):
        world.send()
    assert world.messages() == []


@pytest.mark.parametrize(
    ("fault", "status", "start"),
    [
        ({"action": "502"}, 502, b"<!DOCTYPE"),
        ({"action": "html", "http_status": 200, "when": "after"}, 200, b"<!DOCTYPE"),
        ({"action": "garbage"}, 200, b'{"messaging_product"'),
        ({"action": "empty"}, 200, b"{}"),
        ({"action": "status", "http_status": 503}, 503, b""),
    ],
)
def test_spoilt_answers(
    world: World, fault: dict[str, Any], status: int, start: bytes
) -> None:
    world.control("fault", **fault)
    answer = world.send()
    assert answer.status == status
    assert answer.body.startswith(start)
    assert len(world.messages()) == (1 if fault.get("when") == "after" else 0)


def test_a_hanging_call_ends_when_faults_are_cleared(world: World) -> None:
    world.control("fault", action="hang", when="after")
    seen: list[str] = []

    def hang() -> None:
        try:
            world.send()
        except (RemoteDisconnected, ConnectionResetError):
            seen.append("ended")

    thread = threading.Thread(target=hang)
    thread.start()
    while not world.messages():
        pass
    world.control("fault", clear=True)
    thread.join()
    assert seen == ["ended"]


def test_offline_phones_get_their_messages_later(world: World) -> None:
    world.control("user", number=ANA, online=False)
    world.send()
    world.flush()
    assert world.messages()[0]["status"] == "sent"
    world.control("user", number=ANA, online=True)
    assert world.messages()[0]["status"] == "delivered"


def test_a_message_whose_time_is_over_is_never_delivered(world: World) -> None:
    world.make_template(name="soon", ttl_seconds=60)
    world.control("user", number=ANA, online=False)
    spec = {"name": "soon", "language": {"code": "es_ES"}}
    body = [{"type": "body", "parameters": [{"type": "text", "text": x} for x in "ab"]}]
    world.send(type="template", template={**spec, "components": body})
    world.control("clock", advance=61)
    world.control("user", number=ANA, online=True)
    assert world.messages()[0]["status"] == "sent"


def test_a_user_who_blocks_gets_nothing(world: World) -> None:
    world.control("user", number=ANA, blocked=True)
    world.send()
    assert world.messages()[0]["status"] == "sent"


def test_receipts_can_be_off(world: World) -> None:
    world.control("user", number=ANA, receipts=False)
    world.send()
    world.control("user", number=ANA, read=True)
    assert world.messages()[0]["status"] == "delivered"


def test_tapping_a_quick_reply(world: World) -> None:
    reply = [{"type": "QUICK_REPLY", "text": "Paid"}]
    world.make_template(name="ask", components=components(buttons={"buttons": reply}))
    body = {"type": "body", "parameters": [{"type": "text", "text": x} for x in "ab"]}
    payload = {"type": "payload", "payload": "PAID:42"}
    button = {"type": "button", "sub_type": "quick_reply", "index": 0}
    parts = [body, {**button, "parameters": [payload]}]
    spec = {"name": "ask", "language": {"code": "es_ES"}, "components": parts}
    wamid = world.send(type="template", template=spec).json["messages"][0]["id"]
    world.control("reply", **{"from": ANA, "button": {"payload": "PAID:42"}})
    world.flush()
    (message,) = world.listener.inbound()
    assert message["button"] == {"payload": "PAID:42", "text": "Paid"}
    assert message["context"] == {"from": "34910000001", "id": wamid}


@pytest.mark.parametrize("form", ["seconds", "iso"])
def test_written_earlier_delivered_now(world: World, form: str) -> None:
    """A phone without a connection, an outage: the window counts from then."""
    then = int(time.time()) - 40 * 3600
    iso = datetime.fromtimestamp(then, tz=timezone.utc).isoformat()
    at = then if form == "seconds" else iso.replace("+00:00", "Z")
    world.control("reply", **{"from": ANA, "text": "mañana", "at": at})
    world.flush()
    (message,) = world.listener.inbound()
    assert message["timestamp"] == str(then)
    (user,) = world.ask("state")["users"]
    assert user["last_inbound"][PHONE].startswith(iso[:19])
    world.control("reply", **{"from": ANA, "text": "hola"})
    world.flush()
    assert int(world.listener.inbound()[-1]["timestamp"]) > then


def test_what_stands_beside_the_content(world: World) -> None:
    raw = {"type": "text", "text": {"body": "hi all"}, "group_id": "G1"}
    world.control("reply", **{"from": ANA, "raw": raw})
    world.flush()
    (message,) = world.listener.inbound()
    assert (message["group_id"], message["text"]) == ("G1", {"body": "hi all"})
    (user,) = world.ask("state")["users"]
    assert not user["last_inbound"]


def test_a_url_button_opens_a_page_and_tells_nobody(world: World) -> None:
    url = [{"type": "URL", "text": "See", "url": "https://x.test/a"}]
    world.make_template(name="see", components=components(buttons={"buttons": url}))
    body = {"type": "body", "parameters": [{"type": "text", "text": x} for x in "ab"]}
    spec = {"name": "see", "language": {"code": "es_ES"}, "components": [body]}
    world.send(type="template", template=spec)
    answer = world.control("reply", **{"from": ANA, "button": "See"})
    assert answer == {"opens": "https://x.test/a", "wamid": None}
    assert world.listener.inbound() == []


def test_files_from_customers_can_be_downloaded(world: World) -> None:
    media = {"filename": "proof.pdf", "mime": "application/pdf", "caption": "paid"}
    world.control("reply", **{"from": ANA, "to": PHONE, "media": media})
    world.flush()
    document = world.listener.inbound()[0]["document"]
    assert (document["filename"], document["caption"]) == ("proof.pdf", "paid")
    shown = world.call("GET", document["id"]).json
    path = shown["url"].removeprefix(world.url)
    content = world.call("GET", path, headers={"User-Agent": "curl/8"}).body
    assert content.startswith(b"%PDF")
    assert document["url"].startswith(world.url)


def test_marketing_preference(world: World) -> None:
    world.control("user", number=ANA, marketing=False, phone_uid=PHONE)
    world.flush()
    (value,) = world.listener.changes("user_preferences")
    (preference,) = value["user_preferences"]
    assert (preference["value"], preference["wa_id"]) == ("stop", "34600111222")
    assert isinstance(preference["timestamp"], int)


def test_a_hidden_number_is_nowhere(world: World) -> None:
    world.control("user", number=ANA, username_only=True, username="ana")
    world.control("reply", **{"from": ANA, "text": "hi"})
    world.flush()
    (value,) = world.listener.changes("messages")
    assert "from" not in value["messages"][0]
    assert "wa_id" not in value["contacts"][0]
    assert value["contacts"][0]["profile"]["username"] == "ana"
    assert b"34600111222" not in world.listener.posts[0][1].replace(b"wamid", b"")


def test_unknown_kinds_can_be_sent(world: World) -> None:
    world.control("reply", **{"from": ANA, "raw": {"type": "unsupported"}})
    world.control("reply", **{"from": ANA, "raw": {"type": "poll", "poll": {"x": 1}}})
    world.flush()
    first, second = world.listener.inbound()
    assert first["errors"][0]["code"] == 131051
    assert second["poll"] == {"x": 1}


def test_statuses_by_hand_keep_their_rank(world: World) -> None:
    world.control("settings", auto=False)
    wamid = world.send().json["messages"][0]["id"]
    assert world.control("status", wamid=wamid, status="delivered")["count"] == 1
    assert world.control("status", wamid=wamid, status="sent")["count"] == 0
    assert world.control("status", wamid=wamid, status="failed")["count"] == 0
    forced = world.control("status", wamid=wamid, status="sent", force=True)
    assert forced["count"] == 1
    assert world.messages()[0]["status"] == "delivered"


def test_failed_by_hand(world: World) -> None:
    world.control("settings", auto={"delivered": False})
    world.send()
    world.control("status", all=True, status="failed", code=131049)
    world.flush()
    status = world.listener.changes("messages")[0]["statuses"][-1]
    assert (status["status"], status["errors"][0]["code"]) == ("failed", 131049)


def test_messages_can_be_filtered_and_counted(world: World) -> None:
    world.send(biz_opaque_callback_data="a")
    world.send(to="+34600999888", biz_opaque_callback_data="b")
    world.control("reply", **{"from": ANA, "text": "hi"})
    assert world.ask("messages", count=1) == {"count": 2, "messages": []}
    assert [m["uuid"] for m in world.messages(to="+34600999888")] == ["b"]
    assert len(world.messages(direction="all", to=ANA)) == 2
    assert len(world.messages(limit=1)) == 1
    assert len(world.messages(phone_uid="300000000000003")) == 0


def test_requests_are_logged_without_headers(world: World) -> None:
    world.send()
    log = world.ask("requests", path="/messages")
    assert log["count"] == 1
    assert TOKEN not in str(log)


def test_reset_forgets_everything_but_the_defaults(world: World) -> None:
    world.send()
    world.control("reset", pace=1000, auto={"sent": 100, "delivered": False})
    state = world.ask("state")
    assert state["counts"]["messages"] == 0
    assert state["settings"]["auto"] == {"sent": 100, "delivered": None, "read": None}
    level = world.call("GET", PHONE, fields="throughput").json["throughput"]
    assert level == {"level": "HIGH"}
    assert world.send(**text()).code == 131047
