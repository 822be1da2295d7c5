# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Webhooks: signed bytes, batches, retries, and every fault a test can ask for."""

import hashlib
import hmac
import json
from collections.abc import Iterator

import pytest

from simulator.meta.packing import encode, sign
from simulator.testkit import ANA, PHONE, SECRET, World, text


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        world.listen()
        world.make_template()
        yield world


def test_bytes_are_escaped_as_meta_escapes_them() -> None:
    # Meta escapes all that is not ASCII, and slashes, before it signs.
    value = {"x": "café / 1"}
    change = {"field": "messages", "value": value}
    body = encode(
        {
            "object": "whatsapp_business_account",
            "entry": [{"id": "1", "changes": [change]}],
        }
    )
    assert b"caf\\u00e9 \\/ 1" in body
    wanted = "8712f9704857f65bc919a6fbf087a36fa7443c2a5265541b1baaae0a7900c9fa"
    assert sign("app-secret-for-tests", body) == f"sha256={wanted}"


def test_posts_are_signed_with_the_app_secret(world: World) -> None:
    world.control("reply", **{"from": ANA, "text": "año / ok 👍"})
    world.flush()
    ((headers, body),) = world.listener.posts
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Hub-Signature-256"] == f"sha256={digest}"
    assert body.isascii()
    assert b"a\\u00f1o \\/ ok" in body


def test_another_secret_signs_after_a_change(world: World) -> None:
    world.control("account", app_secret="new secret")
    world.control("reply", **{"from": ANA, "text": "hi"})
    world.flush()
    ((headers, body),) = world.listener.posts
    digest = hmac.new(b"new secret", body, hashlib.sha256).hexdigest()
    assert headers["X-Hub-Signature-256"] == f"sha256={digest}"


def test_statuses_carry_uuid_and_price(world: World) -> None:
    world.send(biz_opaque_callback_data="uuid-1")
    world.flush()
    (value,) = world.listener.changes("messages")
    sent, delivered = value["statuses"]
    assert (sent["status"], delivered["status"]) == ("sent", "delivered")
    assert sent["biz_opaque_callback_data"] == "uuid-1"
    assert sent["recipient_id"] == "34600111222"
    assert isinstance(sent["timestamp"], str)
    assert delivered["pricing"] == {
        "billable": True,
        "pricing_model": "PMP",
        "category": "utility",
        "type": "regular",
    }
    assert value["metadata"]["phone_number_id"] == PHONE


def test_utility_in_the_window_is_charged_only_since_october(world: World) -> None:
    world.control("reply", **{"from": ANA, "text": "hi"})
    world.send()
    world.control("settings", pricing="2026-09-30")
    world.send()
    world.flush()
    statuses = [
        status
        for value in world.listener.changes("messages")
        for status in value.get("statuses", [])
        if status["status"] == "delivered"
    ]
    kinds = [status["pricing"]["type"] for status in statuses]
    assert kinds == ["regular", "free_customer_service"]


def test_service_is_free_for_the_first_thousand(world: World) -> None:
    world.control("settings", free_service=1)
    world.control("reply", **{"from": ANA, "text": "hi"})
    world.send(**text())
    world.send(**text())
    world.flush()
    prices = [
        status["pricing"]
        for value in world.listener.changes("messages")
        for status in value.get("statuses", [])
        if status["status"] == "sent"
    ]
    assert [price["category"] for price in prices] == ["service", "service"]
    assert [price["type"] for price in prices] == ["free_customer_service", "regular"]


def test_many_statuses_travel_in_one_post(world: World) -> None:
    world.control("settings", pace=0, webhook={"linger_ms": 60_000})
    for number in range(40):
        world.send(to=f"+34600{number:06d}")
    assert world.flush()["posts"] == 1
    assert len(world.listener.statuses_of()) == 80


def test_batches_have_a_size(world: World) -> None:
    world.control("settings", webhook={"linger_ms": 60_000, "batch": 25})
    for number in range(20):
        world.send(to=f"+34600{number:06d}")
    assert world.flush()["posts"] == 2


def test_failed_posts_are_repeated_with_the_same_bytes(world: World) -> None:
    world.control("settings", webhook={"retry": [0, 600]})
    world.listener.statuses = [500, 403]
    world.control("reply", **{"from": ANA, "text": "hi"})
    first = world.flush()
    assert (first["delivered"], first["retrying"]) == (0, 1)
    second = world.flush()
    assert (second["delivered"], second["retrying"]) == (1, 0)
    bodies = {body for _headers, body in world.listener.posts}
    assert (len(world.listener.posts), len(bodies)) == (3, 1)


def test_without_retries_a_post_fails_for_good(world: World) -> None:
    world.control("settings", webhook={"retry": []})
    world.listener.statuses = [500]
    world.control("reply", **{"from": ANA, "text": "hi"})
    assert world.flush()["failed"] == 1
    (post,) = world.ask("webhooks", body=1)["posts"]
    assert (post["state"], post["http_status"]) == ("failed", 500)
    assert json.loads(post["body"])["object"] == "whatsapp_business_account"


def test_repeated_posts(world: World) -> None:
    world.control("fault", webhooks={"repeat": 2, "posts": 1})
    world.control("reply", **{"from": ANA, "text": "hi"})
    world.flush()
    assert len(world.listener.posts) == 3
    world.control("reply", **{"from": ANA, "text": "again"})
    world.flush()
    assert len(world.listener.posts) == 4


def test_reversed_order(world: World) -> None:
    world.control("settings", webhook={"linger_ms": 60_000}, auto={"read": 0})
    world.control("fault", webhooks={"reorder": True})
    world.send()
    world.flush()
    assert world.listener.statuses_of() == ["read", "delivered", "sent"]


def test_held_webhooks_wait_for_their_release(world: World) -> None:
    world.control("fault", webhooks={"hold": True})
    world.send()
    assert world.flush()["waiting"] == 2
    assert world.listener.posts == []
    world.control("fault", webhooks={"release": True})
    world.flush()
    assert world.listener.statuses_of() == ["sent", "delivered"]


def test_lost_webhooks(world: World) -> None:
    world.control("fault", webhooks={"drop": 1, "only": ["delivered"]})
    world.send()
    world.send()
    assert world.flush()["dropped"] == 1
    assert sorted(world.listener.statuses_of()) == ["delivered", "sent", "sent"]


def test_delays_can_be_drained(world: World) -> None:
    auto = {"sent": 3_600_000, "delivered": 3_600_000, "read": 3_600_000}
    world.control("settings", auto=auto)
    world.send()
    assert world.messages()[0]["status"] == "accepted"
    world.flush()
    assert world.messages()[0]["status"] == "read"


def test_read_without_delivered_is_priced(world: World) -> None:
    world.control("settings", auto={"delivered": False})
    world.send()
    world.control("status", to=ANA, status="read")
    world.flush()
    statuses = world.listener.changes("messages")[0]["statuses"]
    assert [s["status"] for s in statuses] == ["sent", "read"]
    assert "pricing" in statuses[1]


def test_any_field_can_be_sent(world: World) -> None:
    world.control("webhooks/send", field="account_update", value={"event": "DISABLED"})
    world.control(
        "account", event={"decision": "REJECTED"}, field="account_review_update"
    )
    world.control("phone", event={"event": "ONBOARDING"})
    world.flush()
    assert world.listener.changes("account_update") == [{"event": "DISABLED"}]
    assert world.listener.changes("account_review_update") == [{"decision": "REJECTED"}]
    (value,) = world.listener.changes("phone_number_quality_update")
    assert value["display_phone_number"] == "+34 910 00 00 01"
    entry = json.loads(world.listener.posts[0][1])["entry"][0]
    assert isinstance(entry["time"], int)
