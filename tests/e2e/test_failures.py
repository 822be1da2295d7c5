# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What goes wrong at the provider, on the way to it, and with the document meanwhile.

Whatever it is, every message ends at the phone once or says why it did not.
"""

import pytest

from tests.e2e.world import ACCOUNT, FINAL, MESSAGE, NOTICE, until

ATTEMPT = "whatsapp.billing.message.attempt"
TEMPLATE = "whatsapp.billing.template"


@pytest.fixture(scope="module")
def module_world(by_hand):
    return by_hand


@pytest.fixture
def world(module_world):
    """A simulated world without faults for each test."""
    module_world.reset()
    module_world.parameter("whatsapp_billing.evidence_minutes", 10)
    return module_world


def row(world, message, *fields):
    return world.messages([message], *fields)[message]


def queue(world, number=3):
    """Queue the notice for some customers; return (numbers, message ids)."""
    customers = world.partners(number)
    return list(customers), world.notify(customers.values())


def queue_invoice(world):
    """Queue an invoice whose PDF is not made yet; return (number, move, message)."""
    number, partner = world.partner()
    move = world.invoice(partner)
    (result,) = world.clerk.call("account.move", "wab_send", [move])
    assert result["state"] == "queued", result
    return number, move, result["message_id"]


def waited(world, ids):
    """Let an hour pass, and send and take in what there is."""
    world.let_pass(ids, 3600)
    world.settle()


# --- the way to the provider --------------------------------------------------------------


def test_provider_down_then_back(world):
    """Port closed: evidence that nothing left; queued with a delay, and it goes later."""
    world.phones.stop()
    try:
        numbers, ids = queue(world)
        world.send()
        rows = world.messages(ids, "next_attempt_at", "attempts", "error_detail")
        assert {r["state"] for r in rows.values()} == {"queued"}
        assert all(r["next_attempt_at"] and r["attempts"] == 1 for r in rows.values())
        # Not before its time, and never given up.
        world.send()
        assert {r["attempts"] for r in world.messages(ids, "attempts").values()} == {1}
        for _ in range(7):
            world.let_pass(ids, 3600)
            world.send()
        assert world.are(ids, "queued")
        assert world.account("state")["state"] == "connected"
    finally:
        world.phones.start()
        world.control.post("reset", templates=world.templates(), pair_limit=False)
    world.sql("UPDATE whatsapp_billing_template SET template_uid = NULL")
    world.connect()
    waited(world, ids)
    assert world.are(ids, "delivered")
    assert world.received(numbers) == [1] * 3


def test_slow_provider(world):
    world.control.post("settings", latency_ms=3000)
    numbers, ids = queue(world)
    world.settle()
    assert world.are(ids, *FINAL)
    assert world.received(numbers) == [1] * 3


@pytest.mark.parametrize(
    ("fault", "taken"),
    [
        ({"action": "html", "http_status": 502}, 0),
        ({"action": "html", "http_status": 504, "when": "after"}, 1),
        ({"action": "garbage", "when": "after"}, 1),
        ({"action": "empty", "when": "after"}, 1),
        ({"action": "close"}, 0),
        ({"action": "close", "when": "after"}, 1),
        ({"action": "status", "http_status": 500, "when": "after"}, 1),
    ],
    ids=["502", "504_taken", "garbage", "empty", "reset", "reset_taken", "bare_500"],
)
def test_answer_that_says_nothing_is_unknown(world, fault, taken):
    """Neither failed nor sent again by guessing; a receipt decides, or a person."""
    world.control.post("fault", webhooks={"hold": True})
    world.fault(count=1, **fault)
    (number,), (message,) = queue(world, 1)
    world.send()
    assert row(world, message)["state"] == "unknown"
    waited(world, [message])
    assert row(world, message)["state"] == "unknown"
    assert world.received([number]) == [taken]
    world.control.post("fault", webhooks={"release": True})
    world.take_in()
    if taken:
        assert row(world, message)["state"] == "delivered"
    else:
        # A person looks at the phone and decides: one click.
        assert row(world, message)["state"] == "unknown"
        world.clerk.call(MESSAGE, "action_retry", [message])
        world.settle()
        assert row(world, message)["state"] == "delivered"
    assert world.received([number]) == [1]


def test_person_is_asked_about_unknown_messages(world):
    world.fault(action="html", http_status=502)
    _numbers, (message,) = queue(world, 1)
    world.send()
    waited(world, [message])
    activities = world.admin.search(
        "mail.activity",
        [("res_model", "=", ACCOUNT), ("res_id", "=", world.state["account"])],
        ["summary"],
    )
    assert any("unknown" in row["summary"].lower() for row in activities), activities
    world.clerk.call(MESSAGE, "action_cancel", [message])
    assert row(world, message)["state"] == "canceled"


# --- what the provider answers ----------------------------------------------------------------


def test_too_fast_slows_down_and_all_arrive_once(world):
    """130429: the provider's limit is lower than we thought."""
    world.control.post("settings", pace=10)
    numbers, ids = queue(world, 60)

    def sent():
        world.let_pass(ids, 60)
        world.settle()
        return world.are(ids, "delivered")

    until("all delivered", sent, seconds=90)
    assert world.received(numbers) == [1] * 60
    refused = world.admin.call(
        ATTEMPT, "search_count", domain=[("error_code", "=", "130429")]
    )
    assert refused > 0, "the limit was never met"


def test_too_many_to_one_customer_waits(world):
    """131056: a limit for each pair of numbers."""
    world.fault(code=131056, count=1)
    (number,), (message,) = queue(world, 1)
    world.send()
    found = row(world, message, "next_attempt_at", "error_code")
    assert found["state"] == "queued" and found["next_attempt_at"]
    waited(world, [message])
    assert row(world, message)["state"] == "delivered"
    assert world.received([number]) == [1]


def test_trouble_at_the_provider_is_tried_five_times(world):
    """131016 and the like: later, then failed, with a sentence for people."""
    world.fault(code=131016, count=None)
    (number,), (message,) = queue(world, 1)
    for _ in range(5):
        assert row(world, message)["state"] == "queued"
        world.send()
        world.let_pass([message], 7200)
    found = row(world, message, "attempts", "error_sentence")
    assert (found["state"], found["attempts"]) == ("failed", 5)
    assert found["error_sentence"]
    world.control.post("fault", clear=True)
    world.clerk.call(MESSAGE, "action_retry", [message])
    world.settle()
    assert row(world, message)["state"] == "delivered"
    assert world.received([number]) == [1]


@pytest.mark.parametrize("code", [131026, 131047, 132000, 132012, 100])
def test_final_refusals_fail_with_a_sentence(world, code):
    world.fault(code=code, count=1)
    (number, other), ids = queue(world, 2)
    world.settle()
    states = world.messages(ids, "error_code", "error_sentence")
    failed = [r for r in states.values() if r["state"] == "failed"]
    assert len(failed) == 1 and failed[0]["error_sentence"], states
    assert sorted(world.received([number, other])) == [0, 1]


def test_token_expired_holds_everything_until_there_is_a_new_one(world):
    _number, _move, first = queue_invoice(world)
    numbers, ids = queue(world, 5)
    world.control.post("token", token="simulator-token", expire=True)
    world.send()
    account = world.account("state", "state_detail")
    assert account["state"] == "error" and account["state_detail"]
    rows = world.messages([first, *ids], "reason")
    assert {(r["state"], r["reason"]) for r in rows.values()} == {
        ("held", "account_inactive")
    }
    # What is queued while it is broken waits as well.
    (number, partner) = world.partner()
    (result,) = world.clerk.call(
        "res.partner", "wab_send", [partner], template=f"{NOTICE}:es"
    )
    assert (result["state"], result["reason"]) == ("held", "account_inactive")
    everybody = [*ids, first, result["message_id"]]
    waited(world, everybody)
    assert world.are(everybody, "held")
    world.control.post("token", token="simulator-token", restore=True)
    world.connect()
    until("they go", lambda: world.settle() or world.are(everybody, "delivered"))
    assert world.received([*numbers, number]) == [1] * 6


def test_template_paused_by_webhook_waits(world):
    numbers, ids = queue(world, 2)
    decide = {"name": NOTICE, "language": "es"}
    world.control.post("template", action="pause", **decide)
    world.take_in()
    world.send()
    rows = world.messages(ids, "reason")
    assert {r["reason"] for r in rows.values()} == {"template_not_approved"}
    assert {r["state"] for r in rows.values()} == {"held"}
    assert world.received(numbers) == [0, 0]
    world.control.post("template", action="unpause", **decide)
    world.take_in()
    until("they go", lambda: world.settle() or world.are(ids, "delivered"))
    assert world.received(numbers) == [1, 1]


def test_template_refused_at_sending_waits(world):
    """132015: paused, and the webhook about it never came."""
    world.fault(code=132015, count=2)
    numbers, ids = queue(world, 2)
    world.send()
    assert world.are(ids, "held")
    (template,) = world.admin.search(
        TEMPLATE, [("template_name", "=", NOTICE)], ["status"]
    )
    assert template["status"] == "paused"
    world.control.post("fault", clear=True)
    world.admin.call(ACCOUNT, "action_sync_templates", [world.state["account"]])
    until("they go", lambda: world.settle() or world.are(ids, "delivered"))
    assert world.received(numbers) == [1, 1]


def test_file_that_the_provider_lost_goes_up_again(world):
    number, partner = world.partner()
    move = world.invoice(partner)
    for times in (1, 2):
        (result,) = world.clerk.call("account.move", "wab_send", [move])
        if times == 2:
            world.fault(code=131053, count=1)
        world.settle()
        until(
            "it arrives",
            lambda result=result: (
                world.settle() or world.are([result["message_id"]], "delivered")
            ),
        )
    assert world.received([number]) == [2]


# --- what happens to the document meanwhile ---------------------------------------------------


@pytest.mark.parametrize(
    ("actions", "reason"),
    [
        (["button_draft"], "draft"),
        (["button_draft", "button_cancel"], "cancelled_document"),
    ],
    ids=["draft", "cancelled"],
)
def test_invoice_taken_back_while_queued(world, actions, reason):
    number, move, message = queue_invoice(world)
    for action in actions:
        world.admin.call("account.move", action, [move])
    world.settle()
    found = row(world, message, "reason", "trace")
    assert (found["state"], found["reason"]) == ("canceled", reason), found
    assert world.received([number]) == [0]


def test_stop_while_queued(world):
    numbers, ids = queue(world, 2)
    world.control.post("reply", **{"from": numbers[0], "text": "STOP"})
    world.take_in()
    world.send()
    world.take_in()
    rows = world.messages(ids, "reason")
    assert (rows[ids[0]]["state"], rows[ids[0]]["reason"]) == ("canceled", "opted_out")
    assert rows[ids[1]]["state"] == "delivered"
    assert world.received(numbers) == [0, 1]


def test_number_changed_while_queued(world):
    """It would reach somebody else."""
    (number,), (message,) = queue(world, 1)
    partner = row(world, message, "partner_id")["partner_id"][0]
    world.admin.call("res.partner", "write", [partner], vals={"phone": world.number()})
    world.send()
    found = row(world, message, "reason")
    assert (found["state"], found["reason"]) == ("canceled", "superseded")
    assert world.received([number]) == [0]


def test_canceled_while_queued_and_nothing_is_canceled_twice(world):
    (number,), (message,) = queue(world, 1)
    world.clerk.call(MESSAGE, "action_cancel", [message])
    world.settle()
    assert row(world, message)["state"] == "canceled"
    assert world.received([number]) == [0]
