# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The simulator refuses what Meta refuses, and takes what Meta takes."""

from collections.abc import Iterator
from typing import Any

import pytest

from simulator.testkit import (
    ANA,
    PHONE,
    World,
    components,
    parameters,
    template,
    text,
)


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        world.listen()
        world.make_template()
        yield world


URL_BUTTON = {
    "buttons": [{"type": "URL", "text": "Pay", "url": "https://x.test/{{1}}"}]
}


def button(**values: Any) -> dict[str, Any]:
    """Return the component of the first button."""
    given = {"type": "button", "sub_type": "url", "index": "0"}
    return {**given, "parameters": [{"type": "text", "text": "my/1"}], **values}


def test_accepted_template_is_what_the_customer_sees(world: World) -> None:
    answer = world.send(biz_opaque_callback_data="uuid-1").json
    (message,) = world.messages(to=ANA)
    assert message["body"] == "Hola Ana, tu factura F-1 está lista."
    assert message["uuid"] == "uuid-1"
    assert message["wamid"] == answer["messages"][0]["id"]
    assert answer["messages"][0]["message_status"] == "accepted"
    assert answer["contacts"][0]["wa_id"] == "34600111222"
    assert answer["contacts"][0]["user_id"].startswith("ES.")


def test_the_same_call_twice_is_two_messages(world: World) -> None:
    world.send(biz_opaque_callback_data="uuid-1")
    world.send(biz_opaque_callback_data="uuid-1")
    assert len(world.messages(uuid="uuid-1")) == 2


@pytest.mark.parametrize(
    ("sent", "wa_id"),
    [
        ("+55 31 98888-7777", "553188887777"),
        ("+55 11 98888-7777", "5511988887777"),
        ("+52 55 1234 5678", "5215512345678"),
        ("+54 11 1234 5678", "5491112345678"),
        ("600111222", "34600111222"),
    ],
)
def test_wa_id_can_differ_from_what_was_sent(
    world: World, sent: str, wa_id: str
) -> None:
    contact = world.send(to=sent).json["contacts"][0]
    assert (contact["input"], contact["wa_id"]) == (sent, wa_id)
    assert len(world.messages(to="+" + wa_id)) == 1


@pytest.mark.parametrize(
    ("values", "code", "http"),
    [
        ({"messaging_product": None}, 100, 400),
        ({"to": None}, 100, 400),
        ({"to": "not a number"}, 131009, 400),
        ({"to": "+34910000001"}, 131021, 400),
        ({"to": "+5350001122"}, 130497, 403),
        ({"type": "poem"}, 100, 400),
        ({"biz_opaque_callback_data": "x" * 513}, 100, 400),
        ({"category": "utility", **text()}, 100, 400),
        ({"template": None, "type": "template"}, 131008, 400),
        ({"template": template("nothing"), "type": "template"}, 132001, 404),
        ({"template": template("ready", "es"), "type": "template"}, 132001, 404),
        (text(), 131047, 400),
    ],
)
def test_envelope_errors(
    world: World, values: dict[str, Any], code: int, http: int
) -> None:
    answer = world.send(**values)
    assert (answer.code, answer.status) == (code, http)
    assert world.messages() == []


def test_opaque_data_may_have_512_characters(world: World) -> None:
    assert world.send(biz_opaque_callback_data="x" * 512).status == 200


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        (("Ana",), 132000),
        (("Ana", "F-1", "more"), 132000),
        (("Ana", ""), 132018),
        (("Ana", "two\nlines"), 132018),
        (("Ana", "a\ttab"), 132018),
        (("Ana", "five     spaces"), 132018),
        (("Ana", "four    spaces"), 0),
        (("Ana", "x" * 1100), 132005),
    ],
)
def test_body_parameters(world: World, texts: tuple[str, ...], code: int) -> None:
    sent = template("ready", "es_ES", parameters(*texts))
    assert world.send(type="template", template=sent).code == code


def test_named_parameters_go_by_name(world: World) -> None:
    body = components("Hola {{customer}}, tu factura {{invoice}} está lista.")
    world.make_template(name="named", components=body, parameter_format="NAMED")
    named = {
        "type": "body",
        "parameters": [
            {"type": "text", "parameter_name": "invoice", "text": "F-1"},
            {"type": "text", "parameter_name": "customer", "text": "Ana"},
        ],
    }
    world.send(type="template", template=template("named", "es_ES", named))
    assert world.messages()[0]["body"] == "Hola Ana, tu factura F-1 está lista."
    assert world.send(type="template", template=template("named")).code == 132012
    wrong = world.send(type="template", template=template("ready", "es_ES", named))
    assert wrong.code == 132012


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([], 131008),
        ([button()], 0),
        ([button(index=0)], 0),
        ([button(index="1")], 132018),
        ([button(sub_type="quick_reply")], 132018),
        ([button(parameters=[])], 132000),
        ([button(parameters=[{"type": "payload", "payload": "x"}])], 132012),
    ],
)
def test_url_button(world: World, parts: list[dict[str, Any]], code: int) -> None:
    world.make_template(name="pay", components=components(buttons=URL_BUTTON))
    sent = template("pay", "es_ES", parameters("Ana", "F-1"), *parts)
    assert world.send(type="template", template=sent).code == code
    if not code:
        assert world.messages()[0]["buttons"][0]["url"] == "https://x.test/my/1"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("PENDING", 132001),
        ("REJECTED", 132001),
        ("PAUSED", 132015),
        ("DISABLED", 132016),
    ],
)
def test_only_approved_templates_are_sent(world: World, status: str, code: int) -> None:
    world.make_template(name="late", status=status)
    assert world.send(type="template", template=template("late")).code == code


def test_an_unverified_number_cannot_send(world: World) -> None:
    payload = {"messaging_product": "whatsapp", "to": ANA, **text()}
    answer = world.call("POST", "300000000000002/messages", payload)
    assert answer.code == 133010


def test_the_window_opens_with_a_message_and_closes_after_a_day(world: World) -> None:
    assert world.send(**text()).code == 131047
    world.control("reply", **{"from": ANA, "text": "hello"})
    assert world.send(**text()).status == 200
    world.control("clock", advance=86_401)
    assert world.send(**text()).code == 131047


def test_re_engagement_can_come_by_webhook(world: World) -> None:
    world.control("settings", async_errors=[131047])
    wamid = world.send(**text()).json["messages"][0]["id"]
    world.flush()
    (message,) = world.messages(wamid=wamid)
    assert message["statuses"][-1]["error"]["code"] == 131047


def test_no_whatsapp_fails_by_webhook(world: World) -> None:
    world.control("user", number=ANA, on_whatsapp=False)
    assert world.send().status == 200
    world.flush()
    assert world.messages()[0]["status"] == "failed"
    error = world.listener.changes("messages")[0]["statuses"][0]["errors"][0]
    assert error["code"] == 131026


def test_marketing_is_refused_where_meta_refuses_it(world: World) -> None:
    world.make_template(name="promo", category="MARKETING")
    promo = {"type": "template", "template": template("promo")}
    world.control("user", number=ANA, marketing=False)
    assert world.send(**promo).code == 131050
    assert world.send().status == 200
    world.control("user", number=ANA, marketing=True)
    assert world.send(**promo).status == 200
    assert world.send(to="+12125550100", **promo).status == 200
    world.flush()
    (american,) = world.messages(to="+12125550100")
    assert american["statuses"][-1]["error"]["code"] == 131049


def test_pace_of_a_number(world: World) -> None:
    world.control("clock", freeze=True)
    world.control("settings", pace=5, pair_limit=False)
    codes = [world.send().code for _ in range(6)]
    assert codes == [0, 0, 0, 0, 0, 130429]
    world.control("clock", advance=1)
    assert world.send().code == 0


def test_pace_of_a_pair(world: World) -> None:
    world.control("clock", freeze=True)
    codes = [world.send().code for _ in range(46)]
    assert codes == [0] * 45 + [131056]
    assert world.send(to="+34600999888").code == 0
    world.control("clock", advance=6)
    assert world.send().code == 0


def test_test_numbers_have_a_list_of_recipients(world: World) -> None:
    world.control("phone", phone_uid=PHONE, allowed=["+34600999888"])
    assert world.send().code == 131030
    assert world.send(to="+34600999888").status == 200


def test_messaging_limit_counts_people_not_messages(world: World) -> None:
    world.control("phone", phone_uid=PHONE, tier="TIER_250")
    world.control("settings", pace=0, async_errors=[])
    for number in range(250):
        assert world.send(to=f"+34600{number:06d}").status == 200
    assert world.send(to="+34600000001").status == 200
    assert world.send(to="+34699999999").code == 131048


def test_a_bsuid_goes_into_recipient(world: World) -> None:
    user = world.control("user", number=ANA, username_only=True)["user"]
    answer = world.send(to=None, recipient=user["user_id"])
    assert answer.status == 200
    assert "wa_id" not in answer.json["contacts"][0]
    assert world.send(to=user["user_id"]).status == 200
    world.flush()
    statuses = [value["statuses"] for value in world.listener.changes("messages")]
    sent, failed = statuses[0][0], statuses[-1][-1]
    assert sent["recipient_user_id"] == user["user_id"]
    assert "recipient_id" not in sent
    assert failed["errors"][0]["code"] == 131026


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"type": "text", "text": {"body": ""}}, 131008),
        ({"type": "text", "text": {"body": "x" * 4097}}, 100),
        ({"type": "document", "document": {}}, 131008),
        ({"type": "document", "document": {"id": "1"}}, 100),
        ({"type": "location", "location": {"latitude": 1}}, 131008),
        ({"type": "contacts", "contacts": []}, 131008),
        ({"type": "reaction", "reaction": {}}, 131008),
        ({"type": "interactive", "interactive": {"type": "quiz"}}, 100),
    ],
)
def test_session_messages_are_checked(
    world: World, values: dict[str, Any], code: int
) -> None:
    world.control("reply", **{"from": ANA, "text": "hello"})
    assert world.send(**values).code == code


def interactive(*titles: str) -> dict[str, Any]:
    """Return a message with reply buttons."""
    buttons = [
        {"type": "reply", "reply": {"id": f"id-{i}", "title": title}}
        for i, title in enumerate(titles)
    ]
    action = {"buttons": buttons}
    value = {"type": "button", "body": {"text": "When?"}, "action": action}
    return {"type": "interactive", "interactive": value}


def test_reply_buttons(world: World) -> None:
    world.control("reply", **{"from": ANA, "text": "hello"})
    assert world.send(**interactive("Friday", "Monday")).status == 200
    assert world.send(**interactive("a", "b", "c", "d")).code == 100
    assert world.send(**interactive("same", "same")).code == 100
    assert world.send(**interactive("x" * 21)).code == 100
    world.control("reply", **{"from": ANA, "button": "Monday"})
    world.flush()
    reply = world.listener.inbound()[-1]["interactive"]
    assert reply["button_reply"] == {"id": "id-1", "title": "Monday"}


def test_read_receipt(world: World) -> None:
    wamid = world.control("reply", **{"from": ANA, "text": "hello"})["wamid"]
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
    path = f"{PHONE}/messages"
    assert world.call("POST", path, receipt).json == {"success": True}
    assert world.call("POST", path, {**receipt, "message_id": "x"}).code == 100


def test_held_messages_wait_for_the_template(world: World) -> None:
    uid = world.make_template(name="new")["id"]
    world.control("template", action="hold", id=uid)
    answer = world.send(type="template", template=template("new"))
    status = answer.json["messages"][0]["message_status"]
    assert status == "held_for_quality_assessment"
    world.control("template", action="pause", id=uid)
    world.flush()
    assert world.messages()[0]["statuses"][-1]["error"]["code"] == 132015


def test_reaction_marks_the_message(world: World) -> None:
    wamid = world.control("reply", **{"from": ANA, "text": "hello"})["wamid"]
    reaction = {"message_id": wamid, "emoji": "👍"}
    assert world.send(type="reaction", reaction=reaction).status == 200
    (message,) = world.messages(wamid=wamid, direction="in")
    assert message["reactions"] == {"business": "👍"}
