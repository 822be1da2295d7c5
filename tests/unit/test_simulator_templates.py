# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Templates are checked, reviewed, changed and deleted by Meta's rules."""

from collections.abc import Iterator
from typing import Any

import pytest

from simulator.testkit import (
    APP,
    PDF,
    WABA,
    Answer,
    Json,
    World,
    components,
)


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        world.listen()
        yield world


def create(world: World, **values: Any) -> Answer:
    """Submit a template."""
    given = {"name": "invoice_1", "language": "es_ES", "category": "UTILITY"}
    given = {**given, "components": components(), **values}
    return world.call("POST", f"{WABA}/message_templates", given)


def subcode(answer: Answer) -> int:
    """Return the subcode of an error."""
    return int(answer.json["error"].get("error_subcode", 0))


def find(world: World, name: str = "invoice_1") -> Json:
    """Return a template by name as Graph shows it."""
    fields = "name,status,category,rejected_reason,correct_category,previous_category"
    answer = world.call("GET", f"{WABA}/message_templates", name=name, fields=fields)
    return answer.json["data"][0]


def test_created_then_approved_by_webhook(world: World) -> None:
    answer = create(world).json
    assert (answer["status"], answer["category"]) == ("PENDING", "UTILITY")
    world.flush()
    (value,) = world.listener.changes("message_template_status_update")
    assert value["event"] == "APPROVED"
    assert value["message_template_id"] == int(answer["id"])
    assert find(world)["status"] == "APPROVED"


def test_review_by_hand(world: World) -> None:
    world.control("settings", review="manual")
    create(world)
    world.flush()
    assert find(world)["status"] == "PENDING"
    world.control("template", action="reject", name="invoice_1", reason="PROMOTIONAL")
    world.flush()
    (value,) = world.listener.changes("message_template_status_update")
    assert (value["event"], value["reason"]) == ("REJECTED", "PROMOTIONAL")
    assert "rejection_info" in value


def test_review_at_once(world: World) -> None:
    world.control("settings", review="instant")
    assert create(world).json["status"] == "APPROVED"


def header(**values: Any) -> list[Json]:
    return [{"type": "HEADER", **values}, *components()]


def buttons(*given: Json) -> list[Json]:
    return components(buttons={"buttons": list(given)})


def url(address: str, **values: Any) -> Json:
    return {"type": "URL", "text": "Pay", "url": address, **values}


REPLY = {"type": "QUICK_REPLY", "text": "Paid"}
CALL = {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+34910000001"}
EXAMPLE = {"example": ["https://x.test/a"]}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (components("{{1}}, your invoice {{2}} is ready to see."), 2388299),
        (components("Your invoice {{1}} is ready for {{2}}"), 2388299),
        (components("Hello {{1}} {{2}} your invoice is ready to see."), 2388072),
        (components("Hello {{1}}, your invoice {{3}} is ready to see."), 2388072),
        (components("Hi {{1}} and {{2}} so."), 2388293),
        ([{"type": "BODY", "text": "Hello {{1}}, it is ready."}], 2388072),
        (components("x" * 1025), 2388040),
        (components(footer={"text": "x" * 61}), 2388040),
        (components(footer={"text": "Hi {{1}}"}), 2388073),
        ([{"type": "FOOTER", "text": "no body"}], 2388072),
        (header(format="TEXT", text="x" * 61), 2388040),
        (header(format="TEXT", text="Invoice {{1}}"), 2388047),
        (header(format="POEM"), 2388047),
        (header(format="DOCUMENT"), 2388273),
        (header(format="DOCUMENT", example={"header_handle": ["4::no"]}), 2388273),
        (buttons(url("https://x.test/{{1}}")), 2388072),
        (buttons(url("https://x.test/{{1}}/end", **EXAMPLE)), 2388072),
        (buttons(REPLY, CALL, REPLY), 2388047),
        (buttons({"type": "QUICK_REPLY", "text": "x" * 26}), 2388040),
        (buttons(CALL, CALL), 0),
        (buttons(*[url("https://x.test/a")] * 3), 0),
    ],
)
def test_broken_templates_are_refused_at_once(
    world: World, given: list[Json], expected: int
) -> None:
    answer = create(world, components=given)
    assert (answer.code, subcode(answer)) == (100, expected)


@pytest.mark.parametrize(
    "values",
    [
        {"name": "Not Allowed"},
        {"language": "es-ES"},
        {"category": "LETTER"},
        {"message_send_ttl_seconds": 10},
        {"parameter_format": "ODD"},
    ],
)
def test_bad_values_are_refused(world: World, values: Json) -> None:
    assert create(world, **values).code == 100


def test_a_good_template_with_everything(world: World) -> None:
    given = components(
        footer={"text": "Reply BAJA to stop"},
        buttons={"buttons": [url("https://x.test/{{1}}", **EXAMPLE), CALL, REPLY]},
    )
    example = {"header_handle": [sample(world)]}
    head = {"type": "header", "format": "document", "example": example}
    answer = create(world, components=[head, *given], message_send_ttl_seconds=3600)
    assert answer.status == 200
    shown = world.call("GET", answer.json["id"]).json["components"][0]
    assert (shown["type"], shown["format"]) == ("HEADER", "DOCUMENT")
    assert shown["example"]["header_handle"][0].startswith("https://scontent")


def sample(world: World, content: bytes = PDF) -> str:
    """Upload a sample in two pieces, as after an interruption."""
    path = f"{APP}/uploads"
    size = str(len(content))
    query = {"file_name": "s.pdf", "file_length": size, "file_type": "application/pdf"}
    uid = world.call("POST", path, **query).json["id"]
    oauth = {"Authorization": "OAuth simulator-token"}
    given = {**oauth, "file_offset": "0", "Content-Type": "application/pdf"}
    world.call("POST", uid, body=content[:100], headers=given)
    offset = world.call("GET", uid, headers=oauth).json["file_offset"]
    assert offset == 100
    given["file_offset"] = str(offset)
    return str(world.call("POST", uid, body=content[100:], headers=given).json["h"])


def test_an_upload_wants_oauth_and_the_right_offset(world: World) -> None:
    query = {"file_name": "s", "file_length": "10", "file_type": "application/pdf"}
    uid = world.call("POST", f"{APP}/uploads", **query).json["id"]
    bearer = {"file_offset": "0", "Content-Type": "application/pdf"}
    assert world.call("POST", uid, body=b"x" * 10, headers=bearer).code == 100
    late = {**bearer, "Authorization": "OAuth simulator-token", "file_offset": "5"}
    assert world.call("POST", uid, body=b"x" * 10, headers=late).code == 100


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("Hello {{1}}, we will take legal action for {{2}} soon.", "ABUSIVE_CONTENT"),
        ("Hello {{1}}, pay {{2}} at bit.ly/abc now please.", "SCAM"),
        ("Hello {{1}}, give us your card number for {{2}} now.", "SCAM"),
        ("Hello {{1}}, your verification code is {{2}} for now.", "INCORRECT_CATEGORY"),
    ],
)
def test_review_rejects_what_meta_rejects(world: World, body: str, reason: str) -> None:
    create(world, components=components(body))
    world.flush()
    assert find(world)["rejected_reason"] == reason


def test_review_rejects_a_copy(world: World) -> None:
    create(world)
    world.flush()
    create(world, name="invoice_2")
    world.flush()
    assert find(world, "invoice_2")["status"] == "REJECTED"


def test_promotion_becomes_marketing_at_once(world: World) -> None:
    body = "Hello {{1}}, invoice {{2}} comes with a special offer for you."
    assert create(world, components=components(body)).json["category"] == "MARKETING"


def test_the_same_name_and_language_only_once(world: World) -> None:
    create(world)
    assert subcode(create(world)) == 2388024
    assert create(world, language="en_US").status == 200


def test_a_deleted_name_is_blocked_for_30_days(world: World) -> None:
    create(world)
    world.flush()
    path = f"{WABA}/message_templates"
    assert world.call("DELETE", path, name="invoice_1").json == {"success": True}
    world.flush()
    events = world.listener.changes("message_template_status_update")
    assert [event["event"] for event in events][-2:] == ["PENDING_DELETION", "DELETED"]
    assert subcode(create(world)) == 2388023
    world.control("clock", advance=30 * 86_400 + 1)
    assert create(world).status == 200


def test_delete_one_language_by_id(world: World) -> None:
    uid = create(world).json["id"]
    create(world, language="en_US")
    world.flush()
    path = f"{WABA}/message_templates"
    wrong = world.call("DELETE", path, hsm_id=uid, name="other")
    assert wrong.code == 100
    assert world.call("DELETE", path, hsm_id=uid, name="invoice_1").status == 200
    world.flush()
    left = world.call("GET", path, name="invoice_1").json["data"]
    assert [entry["language"] for entry in left] == ["en_US"]


def test_approved_templates_are_edited_once_a_day(world: World) -> None:
    uid = create(world).json["id"]
    world.flush()
    world.control("settings", review="manual")
    changed = {"components": components("Hola {{1}}, tu recibo {{2}} está aquí ya.")}
    assert world.call("POST", uid, changed).json == {"success": True}
    assert world.call("GET", uid).json["status"] == "PENDING"
    assert world.call("POST", uid, changed).code == 100
    world.control("template", action="approve", id=uid)
    assert world.call("POST", uid, changed).code == 100
    world.control("clock", advance=86_401)
    assert world.call("POST", uid, {"category": "MARKETING"}).code == 100
    assert world.call("POST", uid, changed).status == 200


def test_lists_come_in_pages_of_25(world: World) -> None:
    for number in range(30):
        world.make_template(name=f"t_{number}")
    path = f"{WABA}/message_templates"
    first = world.call("GET", path).json
    after = first["paging"]["cursors"]["after"]
    second = world.call("GET", path, after=after).json
    assert (len(first["data"]), len(second["data"])) == (25, 6)
    assert "next" in first["paging"]
    assert "next" not in second["paging"]
    names = {entry["name"] for entry in first["data"] + second["data"]}
    assert len(names) == 31


def test_pause_unpauses_alone_and_the_third_disables(world: World) -> None:
    create(world)
    world.flush()
    for hours in (3, 6):
        world.control("template", action="pause", name="invoice_1")
        assert find(world)["status"] == "PAUSED"
        world.control("clock", advance=hours * 3600)
        assert find(world)["status"] == "APPROVED"
    world.control("template", action="pause", name="invoice_1")
    assert find(world)["status"] == "DISABLED"
    world.flush()
    events = world.listener.changes("message_template_status_update")
    titles = [event["other_info"]["title"] for event in events if "other_info" in event]
    assert titles == ["FIRST_PAUSE", "SECOND_PAUSE", "DISABLED"]


def test_pacing_pauses_need_unpause(world: World) -> None:
    uid = create(world).json["id"]
    world.flush()
    assert world.call("POST", f"{uid}/unpause").json["success"] is False
    world.control("template", action="pause", name="invoice_1", pacing=True)
    world.control("clock", advance=86_400)
    assert find(world)["status"] == "PAUSED"
    assert world.call("POST", f"{uid}/unpause").json["success"] is True
    assert find(world)["status"] == "APPROVED"


def test_category_changes_are_announced_a_day_ahead(world: World) -> None:
    create(world)
    world.flush()
    world.control("template", action="announce", name="invoice_1", category="MARKETING")
    assert find(world)["correct_category"] == "MARKETING"
    assert find(world)["category"] == "UTILITY"
    world.control("clock", advance=86_400)
    assert find(world)["category"] == "MARKETING"
    world.flush()
    first, second = world.listener.changes("template_category_update")
    assert first["new_category"] == "UTILITY"
    assert (second["previous_category"], second["new_category"]) == (
        "UTILITY",
        "MARKETING",
    )


def test_quality_and_dashed_languages(world: World) -> None:
    create(world)
    world.control("settings", dashed_languages=True)
    world.control("template", action="quality", name="invoice_1", quality="RED")
    world.flush()
    (value,) = world.listener.changes("message_template_quality_update")
    assert value["new_quality_score"] == "RED"
    assert value["message_template_language"] == "es-ES"


def test_limits_of_an_account(world: World) -> None:
    world.control("settings", creations_per_hour=1)
    create(world)
    assert subcode(create(world, language="en_US")) == 2388019


def test_generated_templates_cannot_be_touched(world: World) -> None:
    made = world.make_template(name="auto_generated_1", source="AUTO_GENERATED")
    answer = world.call("POST", made["id"], {"components": components()})
    assert subcode(answer) == 2388318
    path = f"{WABA}/message_templates"
    answer = world.call("DELETE", path, name="auto_generated_1")
    assert subcode(answer) == 2388330
