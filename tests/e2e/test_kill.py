# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Kill whoever sends, at every step of sending: no message is lost, none goes twice.

The simulator counts what reached each phone. What the worker was doing when it died
is arranged from outside: a lock of ours in PostgreSQL stops it before and while it
writes, a fault of the simulator stops it in the middle of a call.
"""

from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.e2e import world as worlds
from tests.e2e.world import FINAL, until

# Longer than a call takes on a busy machine: a lease that ends while its call is under
# way would make these tests about something else.
LEASE = 6
CUSTOMERS = 3
MESSAGES = r"/messages$"
MEDIA = r"/media$"


@pytest.fixture(scope="module")
def world(by_hand):
    """No job runner, no cron, short leases; an invoice whose PDF exists already."""
    by_hand.parameter("whatsapp_billing.lease_seconds", LEASE)
    _number, partner = by_hand.partner()
    by_hand.document = by_hand.invoice(partner)
    by_hand.clerk.call("account.move", "wab_send", [by_hand.document])
    by_hand.settle()
    return by_hand


@pytest.fixture(autouse=True)
def _fresh(request):
    """Give each test a simulated world without faults, held or lost webhooks."""
    if "world" in request.fixturenames:
        world = request.getfixturevalue("world")
        world.reset()
        world.parameter("whatsapp_billing.evidence_minutes", 10)


# --- how the worker is stopped at a step ----------------------------------------------


@dataclass(frozen=True)
class Step:
    """A point of the worker's life.

    :param arrange: a context manager that yields a function that tells whether the
        worker has come to this point
    :param taken: whether the provider has accepted the messages by then
    :param is_known: whether nothing can have left, so that the rows are still queued
    """

    arrange: object
    taken: bool = False
    is_known: bool = False


def locked(statement):
    """Stop it at the first statement that wants what we have locked."""

    @contextmanager
    def arrange(world, _ids):
        with world.holding(statement) as backend:
            yield lambda: world.is_waited_for(backend)

    return arrange


def hanging(path, when, calls):
    """Stop it in its calls: the provider takes `calls` of them and answers none."""

    @contextmanager
    def arrange(world, ids):
        fault = world.fault(action="hang", path=path, when=when, count=calls)["id"]

        def is_there():
            hits = {f["id"]: f["hits"] for f in world.control.get("fault")["faults"]}
            taken = world.control.get("state")["counts"]["accepted"]
            in_call = hits[fault] == calls and (when == "before" or taken == calls)
            return in_call and world.are(ids, "sending")

        yield is_there

    return arrange


@contextmanager
def answered(world, ids):
    """Let the calls be answered and stop it before it can write the answers down."""
    world.fault(action="latency", ms=1500, count=CUSTOMERS)
    backends = []

    def is_there():
        if not backends and world.are(ids, "sending"):
            holding = world.holding(
                f"SELECT 1 FROM whatsapp_billing_message "
                f"WHERE id IN ({', '.join(map(str, ids))}) FOR UPDATE"
            )
            backends.append((holding, holding.__enter__()))
        return backends and world.is_waited_for(backends[0][1])

    try:
        yield is_there
    finally:
        for holding, _backend in backends:
            holding.__exit__(None, None, None)


STEPS = {
    "before_claim": Step(
        locked("LOCK TABLE whatsapp_billing_message IN EXCLUSIVE MODE"), is_known=True
    ),
    "rows_locked": Step(
        locked("LOCK TABLE whatsapp_billing_consent IN ACCESS EXCLUSIVE MODE"),
        is_known=True,
    ),
    "claim_not_committed": Step(
        locked("LOCK TABLE whatsapp_billing_media IN ACCESS EXCLUSIVE MODE"),
        is_known=True,
    ),
    "uploading": Step(hanging(MEDIA, "before", 1)),
    "calling": Step(hanging(MESSAGES, "before", CUSTOMERS)),
    "accepted": Step(hanging(MESSAGES, "after", CUSTOMERS), taken=True),
    "answered": Step(answered, taken=True),
    "recording": Step(
        locked("LOCK TABLE whatsapp_billing_media IN EXCLUSIVE MODE"), taken=True
    ),
}
UNKNOWN = [name for name, step in STEPS.items() if not step.is_known]


def kill_at(world, name, ids):
    """Send, kill the worker at a step, and let its lease run out."""
    step = STEPS[name]
    with step.arrange(world, ids) as is_there, world.running("ir_cron_outbox") as call:
        until(f"the worker at {name}", is_there, pause=0.02)
        call.kill_worker()
    # PostgreSQL ends what the dead worker had begun once nothing blocks it.
    until("its locks are gone", lambda: not world.is_sending())


def queue(world):
    """Queue the invoice for three customers; return ({number: id}, message ids)."""
    customers = world.partners(CUSTOMERS)
    results = world.clerk.call(
        "account.move",
        "wab_send",
        [world.document],
        partners=list(customers.values()),
    )
    assert [r["state"] for r in results] == ["queued"] * CUSTOMERS, [
        r["detail"] for r in results
    ]
    return list(customers), [r["message_id"] for r in results]


def lease_over(world, ids):
    """Run the outbox until no row says that somebody is sending it."""

    def look():
        world.send()
        return not [s for s in world.states(ids) if s == "sending"]

    until("the leases are over", look, pause=0.5)


def prove_channel(world):
    """Have another message's receipts come in: the number's webhooks work."""
    number, partner = world.partner()
    message = world.notify([partner])
    until(
        "the proof is delivered", lambda: world.settle() or world.are(message, *FINAL)
    )
    assert world.received([number]) == [1]


# --- one worker -----------------------------------------------------------------------


@pytest.mark.parametrize("name", STEPS)
def test_killed_worker_with_webhooks(world, name):
    numbers, ids = queue(world)
    kill_at(world, name, ids)
    step = STEPS[name]
    if step.is_known:
        assert world.are(ids, "queued")
    world.take_in()
    lease_over(world, ids)
    world.take_in()
    if step.is_known or step.taken:
        assert world.are(ids, "delivered")
        assert world.received(numbers) == [1] * CUSTOMERS
        return
    # Nobody can know yet: the calls were never taken, and nothing says so.
    assert world.are(ids, "unknown")
    assert world.received(numbers) == [0] * CUSTOMERS
    world.parameter("whatsapp_billing.evidence_minutes", 0)
    prove_channel(world)
    until("they arrive", lambda: world.settle() or world.are(ids, "delivered"))
    assert world.received(numbers) == [1] * CUSTOMERS


@pytest.mark.parametrize("name", UNKNOWN)
def test_killed_worker_without_webhooks(world, name):
    world.control.post("fault", webhooks={"hold": True})
    numbers, ids = queue(world)
    kill_at(world, name, ids)
    lease_over(world, ids)
    before = [1 if STEPS[name].taken else 0] * CUSTOMERS
    # However often and however late we look: visible, and not sent again.
    world.let_pass(ids, 3600)
    world.send()
    world.send()
    assert world.are(ids, "unknown")
    assert world.received(numbers) == before
    world.control.post("fault", webhooks={"release": True})
    world.take_in()
    if not STEPS[name].taken:
        # Nothing about them although webhooks have come for the configured time.
        prove_channel(world)
        world.send()
        assert world.are(ids, "unknown")
        world.let_pass(ids, 660)
        prove_channel(world)
        until("they arrive", lambda: world.settle() or world.are(ids, "delivered"))
    assert world.are(ids, "delivered")
    assert world.received(numbers) == [1] * CUSTOMERS


def test_recorded_before_the_kill_stays_recorded(world):
    """One of three answers was written down when the worker died at the next two."""
    world.fault(action="hang", when="after", count=2, skip=1)
    numbers, ids = queue(world)
    with world.running("ir_cron_outbox") as call:
        until("one is recorded", lambda: world.states(ids).count("sent") == 1)
        call.kill_worker()
    world.take_in()
    lease_over(world, ids)
    world.take_in()
    assert world.are(ids, "delivered")
    assert world.received(numbers) == [1] * CUSTOMERS


def test_inbox_worker_killed_while_it_applies_receipts(world):
    """A webhook that was answered with 200 is not forgotten by whoever dies next."""
    numbers, ids = queue(world)
    world.send()
    world.control.post("webhooks/flush")
    rows = ", ".join(map(str, ids))
    statement = (
        f"SELECT 1 FROM whatsapp_billing_message WHERE id IN ({rows}) FOR UPDATE"
    )
    with (
        world.holding(statement) as backend,
        world.running("ir_cron_inbox") as call,
    ):
        until("the inbox is at it", lambda: world.is_waited_for(backend), pause=0.02)
        call.kill_worker()
    assert world.are(ids, "sent")
    world.take_in()
    assert world.are(ids, "delivered")
    assert world.received(numbers) == [1] * CUSTOMERS


def test_receipts_that_are_still_being_repeated_are_waited_for(world):
    """One sign of life after a long silence proves nothing yet.

    The server was away for an hour. The provider repeats what it could not deliver,
    later and later, so news of a new message comes before news of the old one.
    """
    world.control.post("settings", webhook={"retry": [600]})
    world.control.post("fault", webhooks={"hold": True})
    numbers, ids = queue(world)
    kill_at(world, "accepted", ids)
    world.server.kill()
    world.control.post("fault", webhooks={"release": True})
    until(
        "the provider could not deliver and waits",
        lambda: world.control.get("webhooks")["retrying"] >= CUSTOMERS,
    )
    world.server.start()
    world.let_pass(ids, 3600)
    _number, partner = world.partner()
    news = world.notify([partner])
    world.send()

    def is_delivered():
        world.cron("ir_cron_inbox")
        return world.are(news, "delivered")

    until("news of the new message", is_delivered)
    world.send()
    assert world.are(ids, "unknown")
    world.take_in()
    assert world.are(ids, "delivered")
    assert world.received(numbers) == [1] * CUSTOMERS


# --- the whole server -----------------------------------------------------------------


def test_whole_server_killed_in_the_middle_of_two_hundred(template, phones):
    with worlds.serving("wab_e2e_power_cut", phones) as world:
        world.parameter("whatsapp_billing.lease_seconds", LEASE)
        # So slow that whoever looks sees it in the middle, on a busy machine, too.
        world.control.post("settings", latency_ms=1500)
        customers = world.partners(200)
        numbers = list(customers)
        ids = world.notify(customers.values())
        until(
            "a third has left",
            lambda: world.control.get("messages", count=1)["count"] >= 60,
            pause=0.02,
        )
        world.server.kill()
        taken = world.received(numbers)
        assert 60 <= sum(taken) < 200
        world.server.start()

        def only_what_was_not_taken_is_unknown():
            world.settle()
            now = world.received(numbers)
            assert max(now) == 1
            unknown = world.states(ids).count("unknown")
            return world.are(ids, *FINAL, "unknown") and unknown == now.count(0)

        until("all sent or unknown", only_what_was_not_taken_is_unknown, 90, 0.5)
        world.parameter("whatsapp_billing.evidence_minutes", 0)
        prove_channel(world)
        until("all delivered", lambda: world.settle() or world.are(ids, "delivered"))
        assert world.received(numbers) == [1] * 200


# --- no job runner ----------------------------------------------------------------------


def test_without_job_runner_the_cron_sends(world):
    """The PDF is made, the message sent and its receipts applied by crons alone."""
    number, partner = world.partner()
    move = world.invoice(partner)
    (result,) = world.clerk.call("account.move", "wab_send", [move])
    ids = [result["message_id"]]
    assert world.states(ids) == ["queued"]
    world.settle()
    assert world.are(ids, "delivered")
    (received,) = world.control.messages(number)
    assert received["header"]["filename"].endswith(".pdf")
    assert received["header"]["size"] > 1000
