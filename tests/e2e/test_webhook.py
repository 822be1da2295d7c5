# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The webhook address as the internet sees it: what it takes, refuses and makes of it."""

import base64
import hashlib
import hmac
import json
import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from itertools import count, product
from urllib.parse import urlencode, urlsplit

import psycopg2
import pytest

from tests.e2e import world as worlds
from tests.e2e.world import APP_SECRET, MESSAGE, PHONE_UID, WABA_UID
from tools import odoo, postgres
from tools.ground import PATIENCE
from tools.rpc import until

EVENT = "whatsapp.billing.webhook.event"
LIMIT = 4 * 1024 * 1024
_serial = count(1)


@pytest.fixture(scope="module")
def world(by_hand):
    """The simulator reports nothing by itself: every receipt here is the test's."""
    by_hand.reset(auto={"sent": None, "delivered": None, "read": None})
    return by_hand


@pytest.fixture(scope="module")
def hook(world):
    return Hook(
        world.server.port, urlsplit(world.account("webhook_url")["webhook_url"]).path
    )


class Hook:
    """One webhook address; `post` signs unless told otherwise."""

    def __init__(self, port, path):
        self.port = port
        self.path = path

    def post(self, body, *, headers=None, secret=APP_SECRET, path=None, chunked=False):
        """Return the status of one POST."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": "application/json"}
        if secret:
            given["X-Hub-Signature-256"] = sign(secret, data)
        given.update(headers or {})
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60 * PATIENCE)
        payload = iter([data]) if chunked else data
        try:
            connection.request(
                "POST", path or self.path, payload, given, encode_chunked=chunked
            )
            return connection.getresponse().status
        except (BrokenPipeError, ConnectionResetError):
            # The server answered and closed before it had read everything.
            return connection.getresponse().status
        finally:
            connection.close()

    def get(self, **query):
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60 * PATIENCE)
        connection.request("GET", f"{self.path}?{urlencode(query)}")
        answer = connection.getresponse()
        found = answer.status, answer.read().decode()
        connection.close()
        return found


def sign(secret, data):
    return "sha256=" + hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()


def change(value, field="messages", waba=WABA_UID, phone=PHONE_UID):
    """Return a webhook with one change."""
    if field == "messages":
        value = {
            "messaging_product": "whatsapp",
            "metadata": {
                "display_phone_number": "34910000001",
                "phone_number_id": phone,
            },
            **value,
        }
    entry = {"id": waba, "changes": [{"field": field, "value": value}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def status(message, word, at=None, **values):
    """Return a receipt as Meta writes it."""
    return {
        "id": message["wamid"],
        "status": word,
        "timestamp": str(at or int(time.time())),
        "recipient_id": message["recipient"].lstrip("+"),
        "biz_opaque_callback_data": message["uuid"],
        **values,
    }


def statuses(*items):
    return change({"statuses": list(items)})


def inbound(number, text, **values):
    """Return a customer's message."""
    item = {
        "from": number.lstrip("+"),
        "id": f"wamid.e2e.{next(_serial)}.{number}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": text},
        **values,
    }
    return change({"messages": [{k: v for k, v in item.items() if v is not None}]})


def events(world, *fields):
    """Return the stored events, newest first."""
    return world.admin.search(EVENT, [], ["state", "error", *fields], order="id desc")


@contextmanager
def stored(world, number):
    """Check that a block stores this many events."""
    before = len(events(world))
    yield
    assert len(events(world)) - before == number


def sent(world, number=1):
    """Send messages that nobody has said anything about yet."""
    ids = world.notify(world.partners(number).values())
    world.send()
    assert world.are(ids, "sent")
    return list(world.messages(ids, "wamid", "uuid", "recipient").values())


def state(world, message):
    return world.messages([message["id"]])[message["id"]]["state"]


def process(world):
    world.cron("ir_cron_inbox")


# --- the address --------------------------------------------------------------------------


def test_handshake(world, hook):
    token = world.account("webhook_verify_token")["webhook_verify_token"]
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}
    assert hook.get(**query, **{"hub.verify_token": token}) == (200, "1158201444")
    for wrong in ({"hub.verify_token": "wrong"}, {"hub.verify_token": ""}, {}):
        found, text = hook.get(**query, **wrong)
        assert found == 403 and "1158201444" not in text
    mode = {"hub.mode": "unsubscribe", "hub.verify_token": token}
    assert hook.get(**{**query, **mode})[0] == 403


def test_valid_signature_is_stored_as_it_came(world, hook):
    (message,) = sent(world)
    # Spaces, order and escapes of the sender: bytes are kept, not their meaning.
    body = (
        json.dumps(statuses(status(message, "delivered")), indent=3) + "\n \u00f1"
    ).encode()[:-3]
    with stored(world, 1):
        assert hook.post(body) == 200
    assert events(world, "body_text")[0]["state"] == "new"
    process(world)
    assert state(world, message) == "delivered"


@pytest.mark.parametrize(
    "kind", ["missing", "wrong", "other_app", "empty", "sha1", "bare"]
)
def test_what_is_not_signed_by_us_is_403(world, hook, kind):
    (message,) = sent(world)
    body = json.dumps(statuses(status(message, "failed"))).encode()
    right = sign(APP_SECRET, body)
    headers = {
        "missing": {},
        "wrong": {
            "X-Hub-Signature-256": right[:-1] + ("0" if right[-1] != "0" else "1")
        },
        "other_app": {"X-Hub-Signature-256": sign("simulator-app-secret-2", body)},
        "empty": {"X-Hub-Signature-256": sign("", body)},
        "sha1": {
            "X-Hub-Signature": "sha1="
            + hmac.new(APP_SECRET.encode(), body, hashlib.sha1).hexdigest()
        },
        "bare": {"X-Hub-Signature-256": right.removeprefix("sha256=")},
    }[kind]
    with stored(world, 0):
        assert hook.post(body, secret=None, headers=headers) == 403
    process(world)
    assert state(world, message) == "sent"


def test_signature_over_other_bytes_with_the_same_meaning_is_403(world, hook):
    (message,) = sent(world)
    body = statuses(status(message, "delivered"))
    compact = json.dumps(body, separators=(",", ":")).encode()
    pretty = json.dumps(body, indent=2).encode()
    headers = {"X-Hub-Signature-256": sign(APP_SECRET, compact)}
    with stored(world, 0):
        assert hook.post(pretty, secret=None, headers=headers) == 403
        assert hook.post(compact + b" ", secret=None, headers=headers) == 403


def test_unknown_token_is_403(world, hook):
    body = statuses()
    for path in ("/whatsapp_billing/webhook/unknown", hook.path + "x", hook.path[:-1]):
        with stored(world, 0):
            assert hook.post(body, path=path) == 403


def test_repeat_is_200_and_no_new_row(world, hook):
    (message,) = sent(world)
    body = statuses(status(message, "delivered"))
    with stored(world, 1):
        assert [hook.post(body) for _ in range(3)] == [200] * 3
    process(world)
    with stored(world, 0):
        assert hook.post(body) == 200
    process(world)
    assert state(world, message) == "delivered"


def test_truncated_but_well_signed(world, hook):
    """200, or Meta repeats it for days; kept, and in nobody's way."""
    (message,) = sent(world)
    whole = json.dumps(statuses(status(message, "delivered"))).encode()
    with stored(world, 1):
        assert hook.post(whole[:-20]) == 200
    process(world)
    assert events(world)[0]["state"] in ("error", "ignored")
    assert state(world, message) == "sent"
    assert hook.post(whole) == 200
    process(world)
    assert state(world, message) == "delivered"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'"x"', b"\xff\xfe", b"{}", b"1"]
)
def test_signed_nonsense_is_200(world, hook, body):
    assert hook.post(body) == 200
    process(world)
    assert events(world)[0]["state"] in ("error", "ignored")


@pytest.mark.parametrize("chunked", [False, True])
def test_larger_than_four_mebibytes_is_413(world, hook, chunked):
    filler = {"object": "whatsapp_business_account", "entry": [], "x": "y" * LIMIT}
    with stored(world, 0):
        assert hook.post(filler, chunked=chunked) == 413


@pytest.mark.parametrize("chunked", [False, True])
def test_just_below_four_mebibytes_is_taken(world, hook, chunked):
    (message,) = sent(world)
    body = statuses(status(message, "delivered"))
    body["x"] = "y" * (LIMIT - 2000)
    with stored(world, 1):
        assert hook.post(body, chunked=chunked) == 200
    process(world)
    assert state(world, message) == "delivered"


def test_no_more_is_read_than_may_come(world, hook):
    """A body that announces no length and never ends is refused, not waited for."""
    head = (
        f"POST {hook.path} HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", hook.port), 10 * PATIENCE) as wire:
        wire.sendall(head.encode())
        for _piece in range(LIMIT // 0x10000 + 1):
            wire.sendall(piece)
        assert wire.recv(12) == b"HTTP/1.0 413"


def test_a_genuine_event_repeated_by_odoo_is_taken(world, hook):
    """Another transaction keeps the same event at the same time: PostgreSQL refuses
    ours, and Odoo does the request once more with what had been read of it."""
    (message,) = sent(world)
    body = json.dumps(statuses(status(message, "delivered"))).encode()
    other = psycopg2.connect(**settings(world.database))
    with closing(other), other.cursor() as cr, stored(world, 1):
        cr.execute(
            """
            INSERT INTO whatsapp_billing_webhook_event
                   (app_key, provider, company_id, body, digest, received_at, state)
            SELECT webhook_token, provider, company_id, %s, %s,
                   now() AT TIME ZONE 'UTC', 'new'
              FROM whatsapp_billing_account WHERE webhook_token = %s
            """,
            [
                base64.b64encode(body),
                hashlib.sha256(body).hexdigest(),
                hook.path.rsplit("/", 1)[1],
            ],
        )
        with ThreadPoolExecutor() as pool:
            answer = pool.submit(hook.post, body)
            until("the server waits for us", lambda: is_waited_for(world, other))
            other.commit()
            assert answer.result() == 200


def settings(database):
    """Return what psycopg2 needs to open a connection of our own."""
    found = postgres.settings()
    found["password"] = found["password"] or None
    return {**found, "dbname": database}


def is_waited_for(world, connection):
    pid = connection.get_backend_pid()
    return world.sql(
        "SELECT 1 FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))", [pid]
    )


def test_an_event_that_is_nested_too_deep_can_be_looked_at(world, hook):
    with stored(world, 1):
        assert hook.post(b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}") == 200
    process(world)
    (event, *_older) = world.admin.search(
        EVENT, [], ["state", "body_text"], order="id desc"
    )
    assert event["state"] == "error"
    assert event["body_text"].startswith('{"x":[[[')


# --- whose it is --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"waba": "999", "phone": "999"},
        {"waba": WABA_UID, "phone": "999"},
        {"waba": "200000000000002", "phone": "300000000000003"},
    ],
)
def test_ids_that_we_do_not_have_are_ignored(world, hook, values):
    (message,) = sent(world)
    body = change({"statuses": [status(message, "delivered")]}, **values)
    with stored(world, 1):
        assert hook.post(body) == 200
    process(world)
    assert events(world)[0]["state"] == "ignored"
    assert state(world, message) == "sent"


def test_unknown_message_of_our_number_changes_nothing(world, hook):
    stranger = {
        "wamid": "wamid.unknown",
        "uuid": "nobody's",
        "recipient": "+34600000000",
    }
    assert hook.post(statuses(status(stranger, "delivered"))) == 200
    process(world)
    assert events(world)[0]["state"] in ("done", "ignored")


# --- order, number and doubles --------------------------------------------------------------


def test_every_order_ends_the_same(world, hook):
    """Six orders, each receipt also twice, one POST per receipt."""
    orders = [("sent", "delivered", "read"), ("read", "delivered", "sent")]
    orders += [("delivered", "sent", "read"), ("read", "sent", "delivered")]
    orders += [("delivered", "read", "sent"), ("sent", "read", "delivered")]
    messages = sent(world, len(orders))
    # All in the past: what is said to be later than its arrival counts as arriving.
    now = int(time.time())
    moments = {"sent": now - 3, "delivered": now - 2, "read": now - 1}
    for place, double in product(range(3), range(2)):
        for message, order in zip(messages, orders, strict=True):
            word = order[place]
            extra = {"e2e": double}
            assert (
                hook.post(statuses(status(message, word, moments[word], **extra)))
                == 200
            )
        process(world)
    rows = world.messages([m["id"] for m in messages], "delivered_at", "read_at")
    assert {row["state"] for row in rows.values()} == {"read"}
    assert len({(row["delivered_at"], row["read_at"]) for row in rows.values()}) == 1


def test_read_before_delivered(world, hook):
    (message,) = sent(world)
    hook.post(statuses(status(message, "read")))
    process(world)
    hook.post(statuses(status(message, "delivered")))
    process(world)
    assert state(world, message) == "read"


def failed(message, code=131026, **values):
    error = {
        "code": code,
        "title": "Message undeliverable",
        "message": "Message undeliverable",
        "error_data": {"details": "Message Undeliverable."},
    }
    return status(message, "failed", errors=[error], **values)


def test_failed_after_sent(world, hook):
    (message,) = sent(world)
    hook.post(statuses(status(message, "sent"), failed(message)))
    process(world)
    row = world.messages([message["id"]], "error_code", "error_sentence", "failed_at")
    assert row[message["id"]]["state"] == "failed"
    assert row[message["id"]]["error_code"] == "131026"
    assert row[message["id"]]["error_sentence"] and row[message["id"]]["failed_at"]


def test_delivered_outranks_failed_in_any_order(world, hook):
    first, second = sent(world, 2)
    hook.post(statuses(failed(first)))
    hook.post(statuses(status(second, "delivered")))
    process(world)
    hook.post(statuses(status(first, "delivered")))
    hook.post(statuses(failed(second)))
    process(world)
    assert (state(world, first), state(world, second)) == ("delivered", "delivered")


def test_a_thousand_updates_in_one_post(world, hook):
    messages = sent(world, 250)
    items = [
        status(message, word)
        for message in messages
        for word in ("sent", "delivered", "read", "delivered")
    ]
    random.Random(7).shuffle(items)
    assert len(items) == 1000
    with stored(world, 1):
        assert hook.post(statuses(*items)) == 200
    process(world)
    assert set(world.states([m["id"] for m in messages])) == {"read"}


# --- what may be missing or new -------------------------------------------------------------


def test_by_uuid_without_wamid_and_by_wamid_without_uuid(world, hook):
    first, second = sent(world, 2)
    without = status(second, "delivered")
    del without["biz_opaque_callback_data"]
    hook.post(statuses(status({**first, "wamid": "wamid.other"}, "delivered"), without))
    process(world)
    assert (state(world, first), state(world, second)) == ("delivered", "delivered")


def test_user_id_only(world, hook):
    """A customer with a username shows no number: receipts and answers name an id."""
    (message,) = sent(world)
    user = f"ES.{next(_serial):08d}ABCDEF"
    receipt = status(message, "delivered", recipient_user_id=user)
    del receipt["recipient_id"]
    hook.post(statuses(receipt))
    answer = inbound("+34000", "Gracias", **{"from": None, "from_user_id": user})
    hook.post(answer)
    process(world)
    assert state(world, message) == "delivered"
    found = world.admin.search(
        MESSAGE, [("direction", "=", "in"), ("recipient", "=", user)], ["body"]
    )
    assert [row["body"] for row in found] == ["Gracias"]


@pytest.mark.parametrize(
    "value",
    [
        {"statuses": [{"id": "x", "status": "teleported", "timestamp": "1"}]},
        {"statuses": [{"id": "x", "status": "sent", "timestamp": "soon", "new": {}}]},
        {"statuses": [{}]},
        {"statuses": {}},
        {"messages": [{"from": "34600000000", "id": "w1", "type": "hologram"}]},
        {"messages": [None, 3, "x"]},
        {"statuses": [{"id": "\x00", "status": "sent", "timestamp": "1"}]},
        {"errors": [{"code": 131000, "title": "x"}]},
        {"contacts": "nobody"},
    ],
)
def test_unknown_words_stop_nothing(world, hook, value):
    """What we do not understand is 200, and the receipt beside it still counts."""
    (message,) = sent(world)
    assert hook.post(change({**value, "e2e": message["id"]})) == 200
    body = change(value)
    body["entry"].append(statuses(status(message, "delivered"))["entry"][0])
    body["entry"][0]["changes"].append({"field": "brand_new", "value": {"a": [1]}})
    assert hook.post(body) == 200
    process(world)
    assert state(world, message) == "delivered"


def test_stop_is_honoured_and_start_takes_it_back(world, hook):
    number, partner = world.partner()
    # The customer's own clock decides, so the words are not of one second.
    earlier = str(int(time.time()) - 60)
    hook.post(inbound(number, "Baja", timestamp=earlier))
    process(world)
    read = world.clerk.read("res.partner", [partner], ["wab_opt_in_state"])[0]
    assert set(read["wab_opt_in_state"].values()) == {"withdrawn"}
    hook.post(inbound(number, "Please stop by tomorrow"))
    hook.post(inbound(number, "ALTA"))
    process(world)
    read = world.clerk.read("res.partner", [partner], ["wab_opt_in_state"])[0]
    assert read["wab_opt_in_state"]["billing"] == "granted"


def test_processing_again_changes_nothing(world, hook):
    (message,) = sent(world)
    number, _partner = world.partner()
    hook.post(statuses(status(message, "read")))
    hook.post(inbound(number, "Hola"))
    process(world)
    ids = [row["id"] for row in events(world)][:2]
    before = world.admin.call(MESSAGE, "search_count", domain=[])
    world.admin.call(EVENT, "action_process_again", ids)
    process(world)
    assert state(world, message) == "read"
    assert world.admin.call(MESSAGE, "search_count", domain=[]) == before
    assert {row["state"] for row in events(world)[:2]} == {"done"}


# --- several databases ------------------------------------------------------------------------


NEW_SECRET = f"""
import os
os.environ["WHATSAPP_BILLING_SECRET_KEYS"] = {worlds.SECRET_KEY!r}
env["whatsapp.billing.account"].search([]).app_secret = "another-secret"
env.cr.commit()
env.registry.signal_changes()
"""


def test_two_databases_on_one_server(template, phones):
    """Without a filter the host does not tell which: `?db=` does."""
    names = ["wab_e2e_db_one", "wab_e2e_db_two"]
    for name in names:
        worlds.clone(name)
    server = worlds.Server(
        "wab_e2e_many",
        server_wide_modules="base,web,rpc,whatsapp_billing",
        max_cron_threads=0,
    )
    counted = "SELECT count(*) FROM whatsapp_billing_webhook_event"
    before = [postgres.execute(name, counted)[0][0] for name in names]
    try:
        server.start("/web/health")
        (token,) = postgres.execute(
            names[0],
            "SELECT webhook_token, webhook_verify_token FROM whatsapp_billing_account",
        )
        hook = Hook(server.port, f"/whatsapp_billing/webhook/{token[0]}")
        body = statuses(status({"wamid": "x", "uuid": "y", "recipient": "+1"}, "sent"))
        assert hook.post(body, path=f"{hook.path}?db={names[1]}") == 200
        found = [postgres.execute(name, counted)[0][0] for name in names]
        assert found == [before[0], before[1] + 1]
        query = {"hub.mode": "subscribe", "hub.challenge": "7"}
        query["hub.verify_token"] = token[1]
        assert hook.get(db=names[0], **query) == (200, "7")
        for unknown in ("?db=wab_e2e_none", "?db=postgres", "?db=", ""):
            assert hook.post(body, path=hook.path + unknown) == 403, unknown
        assert hook.post(body, secret="wrong", path=f"{hook.path}?db={names[0]}") == 403
        # Another process changes the secret that this one keeps in memory.
        odoo.shell_script(names[0], NEW_SECRET)
        for number in range(4):
            body = json.dumps([number]).encode()
            path = f"{hook.path}?db={names[0]}"
            assert hook.post(body, secret="another-secret", path=path) == 200
    finally:
        server.kill()
        for name in names:
            postgres.drop(name)
            odoo._drop_filestore(name)
