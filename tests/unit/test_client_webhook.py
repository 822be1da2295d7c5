# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.whatsapp.base import (
    AccountEvent,
    ErrorInfo,
    InboundMessage,
    PreferenceEvent,
    StatusUpdate,
    TemplateEvent,
    UnknownEvent,
)
from clients.whatsapp.meta.events import account_event, template_event
from clients.whatsapp.meta.webhook import parse_webhook

WABA = "200000000000001"
PHONE = "300000000000001"
WEBHOOKS = sorted(
    path
    for path in (Path(__file__).parent / "fixtures" / "meta").glob("*.json")
    if b'"entry"' in path.read_bytes()
)


@pytest.fixture
def parse(load_bytes):
    """Return a parser of recorded webhooks."""
    return lambda name: parse_webhook(load_bytes(f"meta/{name}"))


def change(field, value, **entry):
    """Return a webhook of one change."""
    changes = [{"field": field, "value": value}]
    envelope = {"entry": [{"id": WABA, **entry, "changes": changes}]}
    return json.dumps(envelope).encode()


def messages(**value):
    return change("messages", {"metadata": {"phone_number_id": PHONE}, **value})


# === STATUSES === #


def test_status_carries_our_uuid_and_the_price(parse):
    (event,) = parse("status_sent")
    assert dataclasses.replace(event, raw={}) == StatusUpdate(
        wamid="wamid.A",
        uuid="uuid-1",
        status="sent",
        timestamp=1763625600,
        recipient="+34600111222",
        user_uid="ES.1349210000",
        pricing={
            "billable": True,
            "pricing_model": "PMP",
            "type": "regular",
            "category": "utility",
        },
        waba_uid=WABA,
        phone_uid=PHONE,
    )
    assert event.raw["conversation"]["id"] == "c1"


def test_failed_status_carries_classified_errors_in_every_shape(parse):
    (event,) = parse("status_failed")
    assert (event.status, event.timestamp) == ("failed", 1763625605)
    full, bare, old = event.errors
    assert (full.code, full.kind) == ("131049", "recipient_limit")
    assert full.details.startswith("In order to maintain")
    assert bare == ErrorInfo("131026", "Message undeliverable", kind="recipient")
    assert (old.code, old.details, old.kind) == ("470", "as a string", "content")


def test_status_without_a_number_has_the_user_id(parse):
    read, odd = parse("status_bsuid_only")
    assert (read.recipient, read.user_uid) == ("", "ES.1349210000")
    assert read.raw["new_field"] == {"a": 1}
    assert (odd.wamid, odd.status, odd.timestamp) == ("wamid.C", "teleported", 0)
    assert (odd.recipient, odd.user_uid, odd.pricing, odd.errors) == ("", "", None, ())


def test_only_contact_of_a_status_gives_what_it_lacks():
    contacts = [{"wa_id": "34600111222", "user_id": "ES.1"}]
    (event,) = parse_webhook(messages(contacts=contacts, statuses=[{"id": "wamid.A"}]))
    assert (event.recipient, event.user_uid) == ("+34600111222", "ES.1")


def test_contact_of_somebody_else_gives_nothing():
    contacts = [{"wa_id": "34600999888", "user_id": "ES.9", "profile": {"name": "X"}}]
    status = {"id": "wamid.A", "recipient_id": "34600111222"}
    message = {"id": "wamid.B", "from": "34600111222", "type": "text"}
    body = messages(contacts=contacts, statuses=[status], messages=[message])
    update, inbound = parse_webhook(body)
    assert (update.recipient, update.user_uid) == ("+34600111222", "")
    assert (inbound.profile_name, inbound.user_uid) == ("", "")


# === INBOUND === #


def test_text_is_read(parse):
    (event,) = parse("message_text")
    assert dataclasses.replace(event, raw={}) == InboundMessage(
        wamid="wamid.IN1",
        sender="+34600111222",
        user_uid="ES.1349210000",
        profile_name="Ana \U0001f600",
        timestamp=1763625800,
        type="text",
        text="BAJA",
        context_wamid="wamid.A",
        waba_uid=WABA,
        phone_uid=PHONE,
    )


def test_button_says_what_and_of_which_message(parse):
    (event,) = parse("message_button")
    assert (event.type, event.text, event.payload) == (
        "button",
        "Ya he pagado",
        "PAID:42",
    )
    assert event.context_wamid == "wamid.A"


def test_every_documented_type_is_read(parse):
    events = {
        event.wamid.removeprefix("wamid."): event for event in parse("message_types")
    }
    assert {key: (event.text, event.payload) for key, event in events.items()} == {
        "T1": ("30/11", "promise:2026-11-30"),
        "T2": ("Viernes", "row-1"),
        "T3": ("Sent", '{"a":1}'),
        "T4": ("Justificante", ""),
        "T5": ("", ""),
        "T6": ("Oficina, Gran Vía 1", ""),
        "T7": ("Luis Gil, Eva", ""),
        "T8": ("👍", ""),
        "T9": ("User changed number", ""),
        "T10": ("Pago mañana", ""),
        "T11": ("", ""),
        "T12": ("", ""),
        "T13": ("Quiero esto", ""),
    }
    assert events["T4"].media == {
        "id": "800",
        "mime_type": "application/pdf",
        "sha256": "c2hh",
        "filename": "pago.pdf",
        "caption": "Justificante",
    }
    assert events["T5"].media["voice"] is True
    assert events["T1"].media is None
    assert events["T8"].context_wamid == "wamid.A"
    assert events["T10"].context_wamid == events["T11"].context_wamid == "wamid.T0"
    assert events["T12"].errors[0].code == "131051"
    assert {event.profile_name for event in events.values()} == {"Ana"}


def test_person_without_a_number_is_known_by_the_user_id(parse):
    known, nobody = parse("message_without_number")
    assert (known.sender, known.user_uid, known.profile_name) == (
        "",
        "ES.1349210000",
        "",
    )
    assert known.text == "hola"
    # The only contact speaks for a message that names nobody.
    assert (nobody.sender, nobody.user_uid) == ("", "ES.1349210000")


def test_interactive_answer_without_its_object_has_the_error_beside_it(parse):
    (event,) = parse("message_interactive_error")
    assert (event.type, event.text) == ("interactive", "")
    assert [(error.code, error.kind) for error in event.errors] == [
        ("131000", "transient")
    ]


def test_error_that_no_message_caused_is_an_event_of_the_account(parse):
    (event,) = parse("value_errors")
    assert isinstance(event, AccountEvent)
    assert (event.field, event.phone_uid, event.number) == (
        "errors",
        PHONE,
        "+34910000001",
    )
    assert event.raw["errors"][0]["code"] == 130429


# === TEMPLATES, ACCOUNT, PREFERENCES === #


def test_template_status_is_read_with_text_id_and_underscore(parse):
    (event,) = parse("template_status")
    assert dataclasses.replace(event, raw={}) == TemplateEvent(
        field="message_template_status_update",
        template_uid="590910000000001",
        name="invoice_ready_v1",
        lang_code="en_US",
        event="REJECTED",
        status="rejected",
        reason="INVALID_FORMAT",
        category="utility",
        waba_uid=WABA,
        time=1763625900,
    )


def test_paused_template_has_no_reason_called_none(parse):
    (event,) = parse("template_paused")
    assert (event.event, event.reason) == ("PAUSED", "")
    assert event.raw["other_info"]["title"] == "FIRST_PAUSE"


def test_quality_is_known_by_its_content(parse):
    (event,) = parse("template_quality_wrong_field")
    assert isinstance(event, TemplateEvent)
    assert (event.quality, event.event) == ("YELLOW", "")


def test_category_change_is_announced_then_done(parse):
    (event,) = parse("template_category")
    assert (event.category, event.correct_category) == ("utility", "marketing")
    (event,) = parse("template_category_done")
    assert (event.previous_category, event.category) == ("utility", "marketing")


def test_account_events_name_their_number(parse):
    (event,) = parse("account_update")
    assert (event.field, event.number) == ("account_update", "+34910000001")
    (event,) = parse("phone_quality")
    assert event.number == "+34910000001"
    (event,) = parse("account_alert")
    assert (event.phone_uid, event.number) == (PHONE, "")


def test_marketing_preference_is_read(parse):
    (event,) = parse("user_preferences")
    assert dataclasses.replace(event, raw={}) == PreferenceEvent(
        sender="+34600111222",
        user_uid="ES.1349210000",
        category="marketing_messages",
        value="stop",
        is_marketing=True,
        is_withdrawn=True,
        timestamp=1763625908,
        waba_uid=WABA,
        phone_uid=PHONE,
    )


def test_unknown_field_is_kept(parse):
    (event,) = parse("unknown_field")
    assert isinstance(event, UnknownEvent)
    assert (event.field, event.phone_uid) == ("smb_message_echoes", PHONE)
    assert event.raw["message_echoes"] == [{"id": "x"}]


# === SIZE === #


def test_a_thousand_updates_of_three_megabytes_come_out_in_order():
    padding = "x" * 2800
    statuses = [
        {"id": f"wamid.{n}", "status": "delivered", "timestamp": str(n), "p": padding}
        for n in range(990)
    ]
    inbound = [
        {
            "id": f"wamid.in{n}",
            "from": "34600111222",
            "type": "text",
            "text": {"body": "é"},
        }
        for n in range(10)
    ]
    body = messages(statuses=statuses, messages=inbound)
    assert 2_700_000 < len(body) < 3_145_728
    events = parse_webhook(body)
    assert [event.wamid for event in events] == (
        [f"wamid.{n}" for n in range(990)] + [f"wamid.in{n}" for n in range(10)]
    )
    assert events[5].timestamp == 5


def test_entries_and_changes_are_all_read():
    one = json.loads(messages(statuses=[{"id": "a"}]))["entry"][0]
    two = json.loads(messages(statuses=[{"id": "b"}]))["entry"][0]
    two["changes"] *= 2
    events = parse_webhook(json.dumps({"entry": [one, two, one]}).encode())
    assert [event.wamid for event in events] == ["a", "b", "b", "a"]


# === HOSTILE === #


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"[]",
        b"null",
        b"true",
        b"12",
        b'"x"',
        b"{",
        b"{'a': 1}",
        b"\xff\xfe",
        b"\x00",
        b'{"entry":' + b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
)
def test_body_that_cannot_be_read_as_an_object_is_a_value_error(body):
    with pytest.raises(ValueError, match=r".+"):
        parse_webhook(body)


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (b'{"entry":[]}', 0),
        (b'{"entry":[{"id":"1","changes":[]}]}', 0),
        (b"{}", 1),
        (b'{"entry":null}', 1),
        (b'{"entry":{"id":1}}', 1),
        (b'{"entry":[null,1,"x",[],{}]}', 5),
        (b'{"entry":[{"changes":null},{"changes":{}}]}', 2),
        (b'{"entry":[{"changes":[null,1,"x",[],{}]}]}', 5),
        (b'{"entry":[{"changes":[{"field":1,"value":[1]}]}]}', 1),
        (b'{"object":"page","entry":[{"messaging":[{"a":1}]}]}', 1),
    ],
)
def test_wrong_shape_is_kept_as_unknown(body, count):
    events = parse_webhook(body)
    assert [type(event) for event in events] == [UnknownEvent] * count
    assert all(isinstance(event.raw, dict) for event in events)


def test_bad_item_does_not_cost_the_others():
    good = {"id": "wamid.A", "status": "read"}
    body = messages(statuses=[None, good, 5, [good], good], messages=["x"])
    kinds = [type(event) for event in parse_webhook(body)]
    assert kinds.count(StatusUpdate) == 2
    assert kinds.count(UnknownEvent) == 4


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1763625600", 1763625600),
        (1763625600, 1763625600),
        (1763625600.9, 1763625600),
        (" 1763625600 ", 1763625600),
        (None, 0),
        ("", 0),
        ("soon", 0),
        ("-5", 0),
        ("--5", 0),
        (-5, 0),
        (True, 0),
        ([], 0),
        ({}, 0),
        ("\u0661\u0667", 0),
        ("9" * 30, 0),
        (10**30, 0),
    ],
)
def test_timestamp_in_every_shape(value, expected):
    (event,) = parse_webhook(messages(statuses=[{"id": "a", "timestamp": value}]))
    assert event.timestamp == expected


@pytest.mark.parametrize(
    "value", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 9999]
)
def test_number_that_is_none_becomes_empty(value):
    body = messages(statuses=[{"id": "a", "timestamp": "@"}])
    (event,) = parse_webhook(body.replace(b'"@"', value))
    assert (event.timestamp, event.raw["timestamp"]) == (0, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a\\u0000b", "ab"),
        (b"a\\ud83d\\ude00b", "a\U0001f600b"),
        (b"a\\ud83db", "a?b"),
        (b"a\\UD83Db", None),
        (b"a\\uD83Db", "a?b"),
        (b"a\xed\xa0\xbdb", "a?b"),
        ("한".encode(), "한"),
        (b"a\\\\u0000b", "a\\u0000b"),
    ],
)
def test_text_that_a_database_refuses_is_cleaned(text, expected):
    body = messages(messages=[{"id": "a", "type": "text", "text": {"body": "@"}}])
    body = body.replace(b"@", text)
    if expected is None:
        with pytest.raises(ValueError, match=r".+"):
            parse_webhook(body)
        return
    (event,) = parse_webhook(body)
    assert event.text == event.raw["text"]["body"] == expected


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["text", "messages", "edit", "interactive", "ES.1", "34600111222"]
    ),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=6)
            | st.sampled_from(
                ["id", "type", "text", "errors", "code", "message", "edit"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def nodes(value, path=()):
    """Yield the path to each node of a JSON value."""
    yield path
    children = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, child in children:
        yield from nodes(child, (*path, key))


def replaced(value, path, new):
    """Return a copy with the node at a path replaced."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


def assert_sound(event):
    """Check that every value has the type that its class promises."""
    for field in dataclasses.fields(event):
        value = getattr(event, field.name)
        if field.name == "raw":
            assert isinstance(value, dict)
        elif field.name == "errors":
            assert all(isinstance(error, ErrorInfo) for error in value)
            for error in value:
                assert_sound(error)
        elif field.name in ("pricing", "media"):
            assert value is None or isinstance(value, dict)
        elif field.name.startswith("is_"):
            assert type(value) is bool
        elif field.name in ("timestamp", "time", "pace"):
            assert type(value) is int
            assert 0 <= value <= 253402300799
        else:
            assert type(value) is str
            assert "\0" not in value
            value.encode()


@pytest.mark.parametrize("path", WEBHOOKS, ids=lambda path: path.stem)
@given(data=st.data())
def test_any_value_anywhere_is_survived(path, data):
    envelope = json.loads(path.read_bytes())
    place = data.draw(st.sampled_from(list(nodes(envelope))[1:]))
    broken = replaced(envelope, place, data.draw(JSON))
    for event in parse_webhook(json.dumps(broken).encode()):
        assert_sound(event)
        json.dumps(event.raw, allow_nan=False).encode()


@given(JSON)
def test_any_json_is_survived(value):
    body = json.dumps(value).encode()
    if isinstance(value, dict):
        for event in parse_webhook(body):
            assert_sound(event)
    else:
        with pytest.raises(ValueError, match=r".+"):
            parse_webhook(body)


def _with_other_bytes(body, other, at):
    return body[: at % len(body)] + other + body[at % len(body) + len(other) :]


# A POST that came, and what a bad line makes of it.
OTHER_BYTES = (
    st.sampled_from([path.read_bytes() for path in WEBHOOKS]),
    st.binary(max_size=2),
    st.integers(0, 10**4),
)


def test_any_bytes_are_read_or_refused():
    read = set()

    @given(st.binary(max_size=200) | st.builds(_with_other_bytes, *OTHER_BYTES))
    @settings(max_examples=300)
    def ask(body):
        try:
            events = parse_webhook(body)
        except ValueError:
            read.add(False)
        else:
            read.add(True)
            for event in events:
                assert_sound(event)

    ask()
    assert read == {True, False}, "all were read, or none"


def test_edits_within_edits_end():
    message = {"type": "edit", "edit": {"message": {}}}
    inner = message["edit"]
    for _level in range(50):
        inner["message"] = {"type": "edit", "edit": {}}
        inner = inner["message"]["edit"]
    (event,) = parse_webhook(messages(messages=[{"id": "a", **message}]))
    assert event.text == ""


RECEIVED = 1_796_115_600


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1796115000", 1_796_115_000),
        (str(RECEIVED + 1), RECEIVED),
        ("253402300799", RECEIVED),
        ("99999999999999999999", RECEIVED),
        ("0", RECEIVED),
        (-1, RECEIVED),
        ("yesterday", RECEIVED),
        (None, RECEIVED),
        (1e300, RECEIVED),
        ([1], RECEIVED),
    ],
)
def test_nothing_is_younger_than_its_arrival(value, expected):
    """A message dated year 9999 stopped every send to its number."""
    body = messages(
        statuses=[{"id": "a", "timestamp": value}],
        messages=[{"id": "b", "from": "34600000001", "timestamp": value}],
    )
    for event in parse_webhook(body, RECEIVED):
        assert event.timestamp == expected


@pytest.mark.parametrize(
    ("system", "notice", "new_sender"),
    [
        (
            {"type": "user_changed_number", "wa_id": "34600000002"},
            "other_number",
            "+34600000002",
        ),
        (
            {"type": "customer_changed_number", "new_wa_id": "34600000002"},
            "other_number",
            "+34600000002",
        ),
        ({"new_wa_id": "34600000002"}, "other_number", "+34600000002"),
        ({"type": "user_changed_user_id", "user_id": "ES.2"}, "other_id", "ES.2"),
        ({"type": "customer_identity_changed"}, "customer_identity_changed", ""),
        ({"body": "something else"}, "", ""),
    ],
)
def test_notices_about_a_person(system, notice, new_sender):
    body = messages(messages=[{"id": "a", "type": "system", "system": system}])
    (event,) = parse_webhook(body)
    assert (event.notice, event.new_sender) == (notice, new_sender)


def test_what_is_interactive_goes_by_its_own_name():
    """An allow-list: a type that Meta adds tomorrow is not taken for a tap."""
    rows = [
        {
            "id": kind,
            "type": "interactive",
            "interactive": {"type": kind, kind: {"id": "x", "title": "y"}},
        }
        for kind in ("button_reply", "list_reply", "nfm_reply", "hologram_reply")
    ]
    kinds = [event.type for event in parse_webhook(messages(messages=rows))]
    assert kinds == ["interactive", "interactive", "interactive", "hologram_reply"]


def test_an_edit_names_its_message_and_what_it_answers():
    row = {
        "id": "E",
        "type": "edit",
        "group_id": "G",
        "edit": {
            "original_message_id": "A",
            "message": {
                "type": "text",
                "text": {"body": "new"},
                "context": {"id": "OUT"},
            },
        },
    }
    (event,) = parse_webhook(messages(messages=[row]))
    assert (event.context_wamid, event.edited_context) == ("A", "OUT")
    assert (event.edited_type, event.text, event.group_uid) == ("text", "new", "G")


# === WHAT AN EVENT IS, IN OUR WORDS === #


@pytest.mark.parametrize(
    ("field", "value", "kind", "word"),
    [
        ("account_update", {"event": "PARTNER_REMOVED"}, "removed", ""),
        ("account_update", {"event": "ACCOUNT_DELETED"}, "deleted", ""),
        (
            "account_update",
            {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}},
            "disabled",
            "",
        ),
        (
            "account_update",
            {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}},
            "reinstated",
            "",
        ),
        (
            "account_update",
            {
                "event": "ACCOUNT_VIOLATION",
                "violation_info": {"violation_type": "SCAM"},
            },
            "restricted",
            "SCAM",
        ),
        (
            "account_update",
            {"event": "ACCOUNT_VIOLATION", "ban_info": "x"},
            "restricted",
            "ACCOUNT_VIOLATION",
        ),
        ("account_update", {"event": ["PARTNER_REMOVED"]}, "note", "account_update"),
        ("account_update", {"event": "w" * 900}, "note", "W" * 200),
        ("account_alerts", {"alert_info": {"alert_type": "A"}}, "notice", "A"),
        (
            "account_alerts",
            {"alert_info": "x", "alert_description": "B"},
            "notice",
            "B",
        ),
        ("account_review_update", {"decision": "rejected"}, "refused", ""),
        ("account_review_update", {"decision": 5}, "", ""),
        ("security", {"event": "PIN_CHANGED"}, "security", "PIN_CHANGED"),
        ("errors", {"errors": [{"code": 1}]}, "", ""),
    ],
)
def test_what_happened_to_an_account(field, value, kind, word):
    event = account_event(field, value)
    assert (event.about, event.kind, event.word) == ("account", kind, word)


@pytest.mark.parametrize(
    ("field", "value", "facts"),
    [
        ("phone_number_quality_update", {"event": "THROUGHPUT_UPGRADE"}, ("paced", "")),
        ("phone_number_quality_update", {"event": "FLAGGED"}, ("flagged", "")),
        ("phone_number_quality_update", {"current_limit": "TIER_1K"}, ("", "TIER_1K")),
        ("phone_number_name_update", {"decision": "REJECTED"}, ("name_refused", "")),
        ("phone_number_name_update", {"decision": "APPROVED"}, ("", "")),
    ],
)
def test_what_happened_to_a_number(field, value, facts):
    event = account_event(field, value)
    assert (event.about, event.kind, event.tier) == ("number", *facts)


def test_a_template_is_moved_and_rewritten_only_by_what_says_so():
    moved = template_event("template_category_update", {"new_category": "MARKETING"})
    assert (moved.is_moved, moved.category, moved.status) == (True, "marketing", "")
    status = template_event(
        "message_template_status_update",
        {"event": "FLYING", "message_template_category": "UTILITY"},
    )
    assert (status.is_moved, status.status, status.event) == (
        False,
        "unknown",
        "FLYING",
    )
    assert template_event("message_template_components_update", {}).is_rewritten
