# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Sending lasts longer than Odoo lets anything run: it goes on run after run.

A night's reminders take hours at a number's pace. Here the limits are seconds and the
reminders hundreds, on a server with the job runner and on one with cron alone, whose
one cron worker must also read the receipts meanwhile.
"""

import json
import re
import threading
import time
from collections import Counter
from contextlib import contextmanager
from datetime import date, timedelta

import pytest

from tests.e2e import world as worlds
from tests.e2e.world import until
from tools import odoo, postgres
from tools.ground import LOGS

# Seconds: `limit_time_real` and `limit_time_cpu` of the servers.
LIMIT = 12
# Messages a second that the number may send.
PACE = 8
# So many that the sending takes longer than two runs, each up to its limit.
CUSTOMERS = 5 * LIMIT * PACE // 2
PLAN = "whatsapp.billing.collection.plan"
SOURCE = "wab_e2e_limits_source"
WORKERS = 3
SERVERS = {"jobs": {}, "cron": {"server_wide_modules": "base,web,rpc"}}
# What Odoo writes when it ends a worker, or a whole server with threads.
ENDED = (" timeout after ", " time limit ")
# `action_run` as of this many days ahead does the second step of the plan.
LATER = 7

SETUP = """
import json
from datetime import date, timedelta
env = env(user=env.ref("base.user_admin"))
yesterday = date.today() - timedelta(days=1)
partners = env["res.partner"].create([
    {"name": f"Customer {n}", "phone": f"+34611{n:06d}", "lang": "es_ES",
     "wab_enabled": True}
    for n in range(%(customers)s)
])
moves = env["account.move"].create([
    {"move_type": "out_invoice", "partner_id": partner.id,
     "invoice_date": yesterday, "invoice_date_due": yesterday,
     "invoice_line_ids": [(0, 0, {"name": "Work", "quantity": 1, "price_unit": 90})]}
    for partner in partners
])
moves.action_post()
plan = env["whatsapp.billing.collection.plan"].create({
    "name": "Overdue", "domain": f"[('id', 'in', {moves.ids})]", "stage": "on",
    "quiet_start": 0.0, "quiet_end": 0.0,
    "step_ids": [(0, 0, {"days": 1}), (0, 0, {"days": 1 + %(later)s})],
})
# What Odoo's own jobs do takes as long as it takes, and is no fault here.
ours = env["ir.model.data"].search([
    ("module", "=", "whatsapp_billing"), ("model", "=", "ir.cron")])
env["ir.cron"].search([("id", "not in", ours.mapped("res_id"))]).active = False
env.cr.commit()
print("MADE " + json.dumps({"plan": plan.id, "numbers": partners.mapped("phone")}))
"""


@pytest.fixture(scope="module")
def made(template):
    """A database with overdue invoices, one to a customer: {plan, numbers}."""
    worlds.clone(SOURCE)
    script = SETUP % {"customers": CUSTOMERS, "later": LATER}
    output = odoo.shell_script(SOURCE, script)
    line = next(row for row in output.splitlines() if row.startswith("MADE "))
    yield json.loads(line.removeprefix("MADE "))
    postgres.drop(SOURCE)
    odoo._drop_filestore(SOURCE)


@pytest.fixture(scope="module", params=SERVERS)
def world(request, made, phones):
    """A server that is allowed little time, and a number that is slow."""
    options = SERVERS[request.param]
    limits = {"limit_time_real": LIMIT, "limit_time_cpu": LIMIT}
    name = f"wab_e2e_limits_{request.param}"
    (LOGS / f"{name}.log").unlink(missing_ok=True)
    with (
        _awake(name),
        worlds.serving(
            name, phones, source=SOURCE, workers=WORKERS, **options, **limits
        ) as world,
    ):
        world.has_jobs = request.param == "jobs"
        world.sql("UPDATE whatsapp_billing_phone SET pace = %s", [PACE])
        yield world


@contextmanager
def _awake(database):
    """Wake the cron worker of a server all the time.

    Odoo 19 lets one sleep for a minute and ends it when it sleeps for longer than its
    limit (`WorkerCron.sleep`, `PreforkServer.process_timeout`): that is no fault here.
    """
    is_over = threading.Event()

    def wake():
        while not is_over.wait(1):
            worlds.wake_cron(database)

    thread = threading.Thread(target=wake, daemon=True)
    thread.start()
    yield
    is_over.set()
    thread.join()


def run_plan(world, plan, ahead=0):
    """Queue the reminders that are due so many days from now; return their ids."""
    before = {row[0] for row in world.sql("SELECT id FROM whatsapp_billing_message")}
    day = (date.today() + timedelta(days=ahead)).isoformat()
    figures = world.admin.call(PLAN, "action_run", [plan], date=day)
    assert figures["messages"] == CUSTOMERS, figures
    if not world.has_jobs:
        world.make_due("ir_cron_outbox")
    rows = world.sql("SELECT id FROM whatsapp_billing_message WHERE direction = 'out'")
    return [row[0] for row in rows if row[0] not in before]


def look(world, ids):
    """Return how many are in which state; where there is only cron its minute ends.

    The limits are a tenth of the usual ones, so the inbox is asked that much oftener.
    """
    if not world.has_jobs:
        world.make_due("ir_cron_inbox")
    return Counter(
        dict(
            world.sql(
                "SELECT state, count(*) FROM whatsapp_billing_message"
                " WHERE id = ANY(%s) GROUP BY state",
                [ids],
            )
        )
    )


def accepted(world):
    """Return how many messages the provider has taken."""
    return world.control.get("state")["counts"]["accepted"]


def ended_workers(world):
    """Return the lines of the server's log that tell of a worker's end."""
    lines = world.server.log.read_text(errors="replace").splitlines()
    return [line for line in lines if any(words in line for words in ENDED)]


def begun_workers(world):
    """Return {kind of worker: how many the server has begun}: more where one ended."""
    text = world.server.log.read_text(errors="replace")
    return Counter(re.findall(r"Worker (WorkerHTTP|WorkerCron) \(\d+\) alive", text))


def test_sending_outlasts_the_limits_and_stops_with_its_plan(world, made):
    everybody_once(world, made)
    stopped_in_the_middle(world, made)
    assert ended_workers(world) == []
    assert begun_workers(world) == {"WorkerHTTP": WORKERS, "WorkerCron": 1}
    was_unknown = "SELECT id FROM whatsapp_billing_message WHERE unknown_at IS NOT NULL"
    assert world.sql(was_unknown) == []


def everybody_once(world, made):
    """Everybody is reminded once, in one attempt, and receipts are not kept waiting."""
    begun = time.monotonic()
    ids = run_plan(world, made["plan"])
    seen = []

    def are_delivered():
        seen.append(look(world, ids))
        return seen[-1]["delivered"] == CUSTOMERS

    until("everybody has theirs", are_delivered, 5 * CUSTOMERS / PACE, pause=1)
    assert time.monotonic() - begun > 2 * LIMIT, "this went faster than the pace"
    assert accepted(world) == CUSTOMERS
    assert set(world.received(made["numbers"])) == {1}
    attempts = (
        "SELECT DISTINCT attempts FROM whatsapp_billing_message WHERE id = ANY(%s)"
    )
    assert world.sql(attempts, [ids]) == [(1,)]
    # While this much was still to be sent some were known to have arrived.
    to_go = max(row["queued"] for row in seen if row["delivered"])
    assert to_go >= CUSTOMERS / 4, seen


def stopped_in_the_middle(world, made):
    """Who switches the plan off is obeyed at once, and sees no error."""
    before = accepted(world)
    ids = run_plan(world, made["plan"], LATER)
    until("it is sending", lambda: accepted(world) >= before + PACE, pause=0.1)
    at_switch = accepted(world)
    # Anything but an answer of 200 is raised here.
    world.admin.call(PLAN, "write", [made["plan"]], vals={"stage": "off"})

    def is_over():
        left = look(world, ids)
        return not left["queued"] + left["sending"] + left["held"]

    until("nothing waits any more", is_over, pause=0.5)
    went = accepted(world) - before
    # What is under way at the switch goes; of what waits not even a run's worth.
    assert accepted(world) - at_switch < LIMIT * PACE
    until("receipts are read", lambda: look(world, ids)["delivered"] == went, pause=1)
    assert look(world, ids) == {"delivered": went, "canceled": CUSTOMERS - went}
    assert Counter(world.received(made["numbers"])) == {2: went, 1: CUSTOMERS - went}
    reasons = (
        "SELECT DISTINCT reason FROM whatsapp_billing_message"
        " WHERE id = ANY(%s) AND state = 'canceled'"
    )
    assert world.sql(reasons, [ids]) == [("paused",)]
