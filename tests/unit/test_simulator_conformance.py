# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""An SDK that others keep (pywa) understands our answers and our webhooks."""

from collections.abc import Iterator
from typing import Any

import pytest

from simulator.testkit import (
    ANA,
    PHONE,
    SECRET,
    TOKEN,
    WABA,
    World,
    components,
)

httpx = pytest.importorskip("httpx")
pywa = pytest.importorskip("pywa")
errors = pytest.importorskip("pywa.errors")
templates = pytest.importorskip("pywa.types.templates")


class Peer:
    """pywa, calling the simulator and reading its webhooks."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.session = httpx.Client(trust_env=False)
        self.client = pywa.WhatsApp(
            phone_id=PHONE,
            token=TOKEN,
            waba_id=WABA,
            app_secret=SECRET,
            session=self.session,
            server=None,
            verify_token="verify me",
            webhook_endpoint="/webhook",
        )
        self.session.base_url = f"{world.url}/v25.0"
        self.seen: list[Any] = []
        keep = lambda _client, update: self.seen.append(update)  # noqa: E731
        for name in (
            "message",
            "callback_button",
            "callback_selection",
            "message_status",
            "template_status_update",
            "template_category_update",
            "template_quality_update",
            "user_marketing_preferences",
        ):
            getattr(self.client, f"on_{name}")(keep)

    def read(self) -> list[Any]:
        """Hand everything that arrived to pywa, signature first."""
        self.world.flush()
        for headers, body in self.world.listener.posts:
            signature = headers["X-Hub-Signature-256"]
            assert self.client.webhook_update_validator(body, signature) is None
            text, status = self.client.webhook_update_handler(body)
            assert (text, status) == ("ok", 200)
        self.world.listener.posts.clear()
        return self.seen


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        world.listen(webhook={"batch": 1})
        world.make_template()
        yield world


@pytest.fixture
def peer(world: World) -> Iterator[Peer]:
    peer = Peer(world)
    yield peer
    peer.session.close()


def test_statuses(world: World, peer: Peer) -> None:
    world.control("settings", auto={"read": 0})
    world.send(biz_opaque_callback_data="uuid-1")
    kinds = [str(update.status.value) for update in peer.read()]
    assert kinds == ["sent", "delivered", "read"]
    assert {update.tracker for update in peer.seen} == {"uuid-1"}
    assert peer.seen[0].pricing.category.value == "utility"


def test_failures(world: World, peer: Peer) -> None:
    world.control("user", number=ANA, on_whatsapp=False)
    world.send()
    (update,) = peer.read()
    assert isinstance(update.error, errors.MessageUndeliverable)


def test_inbound(world: World, peer: Peer) -> None:
    button = [{"type": "QUICK_REPLY", "text": "Paid"}]
    world.make_template(name="ask", components=components(buttons={"buttons": button}))
    body = {"type": "body", "parameters": [{"type": "text", "text": x} for x in "ab"]}
    spec = {"name": "ask", "language": {"code": "es_ES"}, "components": [body]}
    world.control("settings", auto=False)
    world.send(type="template", template=spec)
    world.control("reply", **{"from": ANA, "text": "año 👍", "name": "Ana"})
    world.control("reply", **{"from": ANA, "button": "Paid"})
    world.control("reply", **{"from": ANA, "media": {"filename": "a.pdf"}})
    text, tap, file = peer.read()
    assert (text.text, text.from_user.name) == ("año 👍", "Ana")
    assert (tap.data, tap.title) == ("Paid", "Paid")
    assert file.document.filename == "a.pdf"


def test_a_user_without_a_number(world: World, peer: Peer) -> None:
    world.control("user", number=ANA, username_only=True)
    world.control("reply", **{"from": ANA, "text": "hi"})
    (message,) = peer.read()
    assert message.from_user.wa_id is None
    assert message.from_user.bsuid.startswith("ES.")


def test_template_events(world: World, peer: Peer) -> None:
    for values in (
        {"action": "pause"},
        {"action": "approve"},
        {"action": "reject", "reason": "INVALID_FORMAT"},
        {"action": "quality", "quality": "RED"},
        {"action": "recategorise", "category": "MARKETING"},
    ):
        world.control("template", id=ready(world), **values)
    names = [type(update).__name__ for update in peer.read()]
    assert names == [
        "TemplateStatusUpdate",
        "TemplateStatusUpdate",
        "TemplateStatusUpdate",
        "TemplateQualityUpdate",
        "TemplateCategoryUpdate",
    ]


def ready(world: World) -> str:
    """Return the id of the ready template."""
    rows = world.call("GET", f"{WABA}/message_templates", name="ready").json["data"]
    return str(rows[0]["id"])


def test_preferences(world: World, peer: Peer) -> None:
    world.control("user", number=ANA, marketing=False)
    (update,) = peer.read()
    assert type(update).__name__ == "UserMarketingPreferences"


def test_calls_of_the_sdk(world: World, peer: Peer) -> None:
    world.control("reply", **{"from": ANA, "text": "hi"})
    sent = peer.client.send_message(to=ANA, text="*hello*")
    assert world.messages()[0]["wamid"] == sent.id
    assert peer.client.get_business_phone_number().display_phone_number
    assert [t.name for t in peer.client.get_templates()] == ["ready", "hello_world"]
    with pytest.raises(errors.ReEngagementMessage):
        peer.client.send_message(to="+34600999888", text="cold")
