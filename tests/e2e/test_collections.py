# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Plans that are run by several at once, or cut off: everybody hears of it once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from tests.e2e.world import Call
from tools.rpc import until

CUSTOMERS = 12
PLAN = "whatsapp.billing.collection.plan"
CRON = "ir_cron_collections"
CASE = "whatsapp.billing.collection.case"
# A run that has locked its cases comes here before it has written anything.
FOLLOWUPS = (
    "LOCK TABLE whatsapp_billing_collection_followup IN SHARE ROW EXCLUSIVE MODE"
)


@pytest.fixture
def overdue(by_hand):
    """A plan for the invoices of a dozen customers, due yesterday: {invoice, plan}."""
    by_hand.reset()
    partners = by_hand.partners(CUSTOMERS)
    yesterday = (date.today() - timedelta(days=1)).isoformat()
    invoices = [
        by_hand.invoice(partner, invoice_date=yesterday, invoice_date_due=yesterday)
        for partner in partners.values()
    ]
    plan = by_hand.admin.create(
        PLAN,
        {
            "name": "Overdue",
            "domain": f"[('id', 'in', {invoices})]",
            "stage": "on",
            "quiet_start": 0.0,
            "quiet_end": 0.0,
            "step_ids": [(0, 0, {"days": days}) for days in (1, 8)],
        },
    )
    yield {"plan": plan, "invoices": invoices, "partners": list(partners.values())}
    by_hand.admin.call(PLAN, "write", [plan], vals={"stage": "off"})


def reminders(world, overdue):
    """Return [(partner, state)] of what was made for these customers."""
    return world.sql(
        "SELECT partner_id, state FROM whatsapp_billing_message"
        " WHERE partner_id = ANY(%s) AND document_type = 'payment_reminder'"
        " ORDER BY partner_id, id",
        [overdue["partners"]],
    )


def once_each(overdue):
    return [(partner, "queued") for partner in sorted(overdue["partners"])]


def test_two_people_who_run_a_plan_at_once_remind_once(by_hand, overdue):
    with ThreadPoolExecutor(2) as pool:
        figures = list(
            pool.map(
                lambda _n: by_hand.admin.call(PLAN, "action_run", [overdue["plan"]]),
                range(2),
            )
        )
    assert sum(found.get("messages", 0) for found in figures) == CUSTOMERS, figures
    assert reminders(by_hand, overdue) == once_each(overdue)


def test_a_pause_during_a_run_holds(by_hand, overdue):
    # A dry run opens the cases and says nothing.
    by_hand.admin.call(PLAN, "write", [overdue["plan"]], vals={"stage": "dry_run"})
    by_hand.admin.call(PLAN, "action_run", [overdue["plan"]])
    by_hand.admin.call(PLAN, "write", [overdue["plan"]], vals={"stage": "on"})
    case = by_hand.admin.search(
        CASE, [("move_id", "=", overdue["invoices"][0])], ["id"]
    )[0]["id"]
    with by_hand.holding(FOLLOWUPS) as ours:
        run = Call(by_hand, PLAN, "action_run", overdue["plan"])
        until("the run holds the cases", lambda: by_hand.is_waited_for(ours))
        pause = Call(by_hand, CASE, "action_pause", case)
        until("the pause waits for the run", lambda: _waiting(by_hand) == 2)
    run.join()
    pause.join()
    assert (run.status, pause.status) == (200, 200)
    assert by_hand.admin.read(CASE, [case], ["state"])[0]["state"] == "paused"
    paused, others = overdue["partners"][0], sorted(overdue["partners"][1:])
    assert reminders(by_hand, overdue) == sorted(
        [(paused, "canceled"), *((other, "queued") for other in others)]
    )


def test_a_night_that_is_cut_off_is_made_up_for(by_hand, overdue):
    with by_hand.holding(FOLLOWUPS) as ours, by_hand.running(CRON) as call:
        until("the run holds the cases", lambda: by_hand.is_waited_for(ours))
        call.kill_worker()
    assert reminders(by_hand, overdue) == []
    by_hand.cron(CRON)
    by_hand.cron(CRON)
    assert reminders(by_hand, overdue) == once_each(overdue)


def _waiting(world):
    """Return how many connections wait for a lock."""
    return world.sql(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = %s AND cardinality(pg_blocking_pids(pid)) > 0",
        [world.database],
    )[0][0]
