# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Whatever is sent to it, the simulator answers with an error of Meta's shape."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.testkit import (
    PHONE,
    WABA,
    World,
    components,
    parameters,
    template,
)

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=8), st.just("{{1}}")
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(max_size=6), inner, max_size=3),
    ),
    max_leaves=6,
)
MESSAGES: list[dict[str, Any]] = [
    {"type": "template", "template": template("ready", "es_ES", parameters("a", "b"))},
    {"type": "text", "text": {"body": "hi", "preview_url": False}},
    {"type": "document", "document": {"id": "1", "filename": "a.pdf"}},
    {"type": "contacts", "contacts": [{"name": {"formatted_name": "Ana"}}]},
    {"type": "location", "location": {"latitude": 1, "longitude": 2}},
    {"type": "reaction", "reaction": {"message_id": "x", "emoji": "y"}},
    {
        "type": "interactive",
        "interactive": {
            "type": "list",
            "header": {"type": "text", "text": "x"},
            "body": {"text": "x"},
            "footer": {"text": "x"},
            "action": {
                "button": "x",
                "sections": [{"title": "x", "rows": [{"id": "1", "title": "x"}]}],
            },
        },
    },
    {
        "type": "interactive",
        "interactive": {
            "type": "button",
            "body": {"text": "x"},
            "action": {
                "buttons": [{"type": "reply", "reply": {"id": "1", "title": "x"}}]
            },
        },
    },
]
TEMPLATE = {
    "name": "odd",
    "language": "es_ES",
    "category": "UTILITY",
    "message_send_ttl_seconds": 60,
    "components": components(
        header={
            "format": "TEXT",
            "text": "Hi {{1}}",
            "example": {"header_text": ["a"]},
        },
        footer={"text": "bye"},
        buttons={
            "buttons": [
                {
                    "type": "URL",
                    "text": "x",
                    "url": "https://x/{{1}}",
                    "example": ["x"],
                },
                {"type": "PHONE_NUMBER", "text": "x", "phone_number": "+34910000001"},
            ]
        },
    ),
}


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every part of a JSON value."""
    found = [path] if path else []
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        found += paths(inner, (*path, key))
    return found


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a copy of a JSON value with one part replaced."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World() as world:
        world.control("reset", pace=0, pair_limit=False, window=False)
        world.make_template()
        yield world


def check(world: World, path: str, payload: Any) -> None:
    """Call, and demand an answer that a client of Meta's could read."""
    answer = world.call("POST", path, payload)
    if answer.status != 200:
        error = answer.json["error"]
        assert isinstance(error["code"], int)
        assert error["message"]
        assert error["fbtrace_id"]


@settings(max_examples=300)
@given(data=st.data())
def test_odd_messages(world: World, data: st.DataObject) -> None:
    message = data.draw(st.sampled_from(MESSAGES))
    whole = {"messaging_product": "whatsapp", "to": "+34600111222", **message}
    whole.update(context={"message_id": "x"}, biz_opaque_callback_data="x")
    path = data.draw(st.sampled_from(paths(whole)))
    check(world, f"{PHONE}/messages", replaced(whole, path, data.draw(VALUES)))


@settings(max_examples=300)
@given(data=st.data())
def test_odd_templates(world: World, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(paths(TEMPLATE)))
    payload = replaced(TEMPLATE, path, data.draw(VALUES))
    check(world, f"{WABA}/message_templates", payload)


@pytest.mark.parametrize("body", [b"", b"not json", b"[1]", b"\xff\xfe", b"null"])
@pytest.mark.parametrize("path", [f"{PHONE}/messages", f"{PHONE}/media", PHONE])
def test_odd_bodies(world: World, path: str, body: bytes) -> None:
    for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain"):
        answer = world.call("POST", path, body=body, headers={"Content-Type": kind})
        assert answer.json["error"]["fbtrace_id"]
