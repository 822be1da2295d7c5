# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What two transactions do to each other, on two connections and arranged by locks.

Run by `test_two_connections.py` in a process with Odoo, on a database of its own: the
tests in the module share one connection, where nobody ever waits or is refused. A user's
work runs as in a request (REPEATABLE READ), the workers' as they run it (READ COMMITTED).
The provider is answered in memory.
"""

import json
import sys
import threading
import time
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from unittest.mock import patch
from zoneinfo import ZoneInfo

# How long one transaction may keep the other before the arrangement has failed.
PATIENCE_SECONDS = 60


class Beside:
    """Something done by another connection meanwhile."""

    def __init__(self, do):
        self.result = self.error = None
        self.thread = threading.Thread(target=self._run, args=(do,), daemon=True)
        self.thread.start()

    def _run(self, do):
        try:
            self.result = do()
        except Exception as error:  # noqa: BLE001 - told by the scenario
            self.error = f"{type(error).__name__}: {error}"

    def join(self):
        self.thread.join(PATIENCE_SECONDS)
        assert not self.thread.is_alive(), "the two wait for each other"
        return self


class Ground:
    """A connected company with a customer, and the two sides of each race."""

    def __init__(self, registry):
        from odoo.addons.whatsapp_billing.tests import collection_common

        self.registry = registry
        self.calls = []
        self.events = 0
        # What happens while the provider is called next.
        self.meanwhile = None
        with self.request() as env:
            self.common = self._prepare(env, collection_common.CollectionCommon)
            self.account_id = self.common.account.id
            self.phone_id = self.common.account.phone_ids.id
            self.plan_id = self.common.plan.id
            self.plain_id = self.common.plain.id

    def _prepare(self, env, base):
        """Return the tests' own makers, bound to this database."""
        company = env.company
        if not company.chart_template:
            env["account.chart.template"].try_loading(
                "generic_coa", company, install_demo=False
            )
        parameters = env["ir.config_parameter"]
        parameters.set_param("web.base.url", "https://odoo.example.com")
        # What a page of a PDF asks for is refused at once: where no such host is known,
        # wkhtmltopdf once waited a minute for its name.
        parameters.set_param("report.url", "http://127.0.0.1:9")
        company.partner_id.write({"lang": "en_US", "tz": "Europe/Madrid"})
        today = datetime.now(ZoneInfo("Europe/Madrid")).date()
        bound = {"env": env, "company": company, "today": today}
        common = type("Common", (base,), bound)
        common.account = common._make_account(company)
        common.templates = common._make_templates(common.account)
        common.templates["payment_reminder"].is_default = True
        common.many = common._make_many_template()
        common.plain = common._make_template(
            common.account,
            "invoice",
            template_name="plain",
            header_type="none",
            is_default=False,
        )
        common.plan = common._make_plan()
        return common

    # --- two sides ------------------------------------------------------------------

    @contextmanager
    def request(self):
        """Yield what a user's call has; it ends with a commit."""
        from odoo import SUPERUSER_ID, api

        with self.registry.cursor() as cr:
            yield api.Environment(cr, SUPERUSER_ID, {})

    @contextmanager
    def worker(self):
        """Yield what a worker has, committed at the end."""
        with (
            self.request() as env,
            env["whatsapp.billing.message"]._own_transaction() as own,
        ):
            yield own

    def repeated(self, do):
        """Do it as Odoo does a request: again when PostgreSQL asks for that."""
        from odoo.service.model import retrying

        with self.request() as env:
            return retrying(partial(do, env), env)

    def wait_for(self, beside, pid):
        """Wait until the other side waits for a lock of this one, or has ended.

        :return: whether it waits
        """
        until = time.monotonic() + PATIENCE_SECONDS
        while beside.thread.is_alive():
            with self.registry.cursor() as cr:
                cr.execute(
                    "SELECT 1 FROM pg_stat_activity WHERE %s = ANY("
                    "pg_blocking_pids(pid))",
                    [pid],
                )
                if cr.fetchone():
                    return True
            assert time.monotonic() < until, "it neither waits nor ends"
            time.sleep(0.01)
        return False

    # --- what happens -----------------------------------------------------------------

    def customer(self, number):
        """Return the id of a customer with an invoice, and the invoice's."""
        with self.request() as env:
            self.common.env = env
            self.common.company = env.company
            partner = self.common._make_customer("Ana", number)
            return partner.id, self.common._make_invoice(partner).id

    def queue(self, env, move_id):
        """Send an invoice as a user does; return the message's id."""
        (result,) = env["account.move"].browse(move_id).wab_send(self.plain_id)
        return result["message_id"]

    def state(self, message_id):
        with self.request() as env:
            message = env["whatsapp.billing.message"].browse(message_id)
            return [message.state, message.reason or ""]

    def drain(self):
        """Run the number's worker; return how many messages went."""
        with self.request() as env:
            return env["whatsapp.billing.phone"].browse(self.phone_id)._drain()

    def receive(self, **parts):
        """Take in one signed POST; return the event's id."""
        from odoo.addons.whatsapp_billing.clients.signatures import sign_meta
        from odoo.addons.whatsapp_billing.tests import common

        self.events += 1
        value = {
            "messaging_product": "whatsapp",
            "metadata": {"phone_number_id": common.PHONE_UID, "n": self.events},
            **parts,
        }
        change = {"field": "messages", "value": value}
        body = json.dumps(
            {
                "object": "whatsapp_business_account",
                "entry": [{"id": common.WABA_UID, "changes": [change]}],
            }
        ).encode()
        headers = {"X-Hub-Signature-256": sign_meta(common.SECRET, body)}
        with self.request() as env:
            account = env["whatsapp.billing.account"].browse(self.account_id)
            events = env["whatsapp.billing.webhook.event"]
            assert events._receive(account.webhook_token, body, headers)
            return events.search([], order="id desc", limit=1).id

    def take_in(self):
        with self.request() as env:
            env["whatsapp.billing.webhook.event"]._job_process()

    def apply(self, event_id):
        """Apply one event as a worker of the inbox does."""
        with self.worker() as env:
            events = env["whatsapp.billing.webhook.event"]
            events._durably(env, events.browse(event_id)._process_safely)

    def stop(self, number):
        """Have a customer write STOP, and the inbox read it."""
        self.receive(
            messages=[
                {
                    "from": number.lstrip("+"),
                    "id": f"wamid.stop{number}",
                    "timestamp": str(int(time.time())),
                    "type": "text",
                    "text": {"body": "STOP"},
                }
            ]
        )
        self.take_in()

    def transport(self, _pool_size):
        """Accept everything, and remember to whom it went."""
        from odoo.addons.whatsapp_billing.clients.testing import (
            FakeTransport,
            json_response,
        )

        def accept(call):
            meanwhile, self.meanwhile = self.meanwhile, None
            if meanwhile:
                meanwhile()
            self.calls.append(call.json["to"])
            wamid = f"wamid.out{len(self.calls)}"
            return json_response(
                {
                    "messaging_product": "whatsapp",
                    "contacts": [{"wa_id": call.json["to"].lstrip("+")}],
                    "messages": [{"id": wamid, "message_status": "accepted"}],
                }
            )

        return FakeTransport([("POST", r"/messages(\?|$)", accept)])

    def calls_to(self, number):
        return self.calls.count(number)

    def consent(self, partner_id):
        with self.request() as env:
            partner = env["res.partner"].browse(partner_id)
            return partner.wab_opt_in_state["billing"]


# --- scenarios ------------------------------------------------------------------------


def stop_while_a_user_queues(ground):
    """A user's transaction began before the STOP and cannot see it."""
    number = "+34600000101"
    partner_id, move_id = ground.customer(number)
    with ground.request() as env:
        env.cr.execute("SELECT count(*) FROM whatsapp_billing_consent")
        ground.stop(number)
        message_id = ground.queue(env, move_id)
    queued = ground.state(message_id)
    ground.drain()
    return {
        "queued": queued,
        "state": ground.state(message_id),
        "calls": ground.calls_to(number),
        "consent": ground.consent(partner_id),
    }


def stop_before_the_claim(ground):
    """The inbox is at the row and has not committed when the worker comes."""
    from odoo.addons.whatsapp_billing.models.inbox.message_inbound import Heard

    number = "+34600000102"
    partner_id, move_id = ground.customer(number)
    with ground.request() as env:
        message_id = ground.queue(env, move_id)
    with ground.worker() as env:
        inbound = env["whatsapp.billing.message"].create(
            {
                "direction": "in",
                "state": "received",
                "company_id": env.company.id,
                "account_id": ground.account_id,
                "phone_id": ground.phone_id,
                "partner_id": partner_id,
                "recipient": number,
                "body": "STOP",
            }
        )
        inbound._act_on_inbound(Heard(text="STOP"))
        env.flush_all()
        sent = Beside(ground.drain).join().result
    ground.drain()
    return {
        "sent": sent,
        "state": ground.state(message_id),
        "calls": ground.calls_to(number),
    }


def stop_during_the_claim(ground):
    """The worker has read the consent and has not committed when the STOP comes."""
    from odoo.addons.whatsapp_billing.models.claim import drain_claim

    number = "+34600000103"
    partner_id, move_id = ground.customer(number)
    with ground.request() as env:
        message_id = ground.queue(env, move_id)
    prepare, found = drain_claim._prepare, {}

    def prepare_and_hear(drain, rows):
        if rows and "beside" not in found:
            found["beside"] = Beside(partial(ground.stop, number))
            pid = drain.env.cr.connection.info.backend_pid
            found["waited"] = ground.wait_for(found["beside"], pid)
        return prepare(drain, rows)

    with patch.object(drain_claim, "_prepare", prepare_and_hear):
        ground.drain()
    error = found["beside"].join().error
    with ground.request() as env:
        later_id = ground.queue(env, move_id)
    ground.drain()
    return {
        "error": error,
        "calls": ground.calls_to(number),
        "state": ground.state(message_id),
        "later": ground.state(later_id),
        "consent": ground.consent(partner_id),
    }


def receipts_at_once(ground):
    """Two workers apply two receipts of one message, in both orders."""
    found = []
    for number, names in (
        ("+34600000104", ("delivered", "read")),
        ("+34600000105", ("read", "delivered")),
    ):
        _partner_id, move_id = ground.customer(number)
        with ground.request() as env:
            message_id = ground.queue(env, move_id)
        ground.drain()
        with ground.request() as env:
            message = env["whatsapp.billing.message"].browse(message_id)
            receipt = {
                "id": message.wamid,
                "recipient_id": number.lstrip("+"),
                "biz_opaque_callback_data": message.uuid,
                "pricing": {
                    "billable": True,
                    "type": "regular",
                    "category": "utility",
                    "pricing_model": "PMP",
                },
            }
        first, second = (
            ground.receive(
                statuses=[
                    receipt
                    | {"status": name, "timestamp": str(int(time.time()) + place)}
                ]
            )
            for place, name in enumerate(names)
        )

        with ground.worker() as env:
            event = env["whatsapp.billing.webhook.event"].browse(first)
            event._process_safely()
            env.flush_all()
            beside = Beside(partial(ground.apply, second))
            waited = ground.wait_for(beside, env.cr.connection.info.backend_pid)
        error = beside.join().error
        with ground.request() as env:
            message = env["whatsapp.billing.message"].browse(message_id)
            entries = env["whatsapp.billing.credit.entry"].search_count(
                [("message_id", "=", message_id), ("kind", "=", "settle")]
            )
            events = env["whatsapp.billing.webhook.event"].browse((first, second))
            found.append(
                {
                    "waited": waited,
                    "error": error,
                    "state": message.state,
                    "times": [bool(message.delivered_at), bool(message.read_at)],
                    "settled": entries,
                    "events": events.mapped("state"),
                }
            )
    return found


def one_number_in_two_accounts(ground):
    """Two administrators take the same number into use at the same moment."""
    ids = []
    with ground.request() as env:
        for name, uid in (("First", "39001"), ("Second", "39002")):
            account = env["whatsapp.billing.account"].create(
                {
                    "name": name,
                    "company_id": env.company.id,
                    "waba_uid": uid,
                    "app_uid": uid,
                }
            )
            phone = env["whatsapp.billing.phone"].create(
                {
                    "account_id": account.id,
                    "phone_uid": "390000000000009",
                    "number": "+34910000009",
                    "is_verified": True,
                    "active": False,
                }
            )
            ids.append(phone.id)

    def activate(phone_id, env):
        env["whatsapp.billing.phone"].browse(phone_id).active = True
        env.flush_all()

    with ground.request() as env:
        activate(ids[0], env)
        beside = Beside(partial(ground.repeated, partial(activate, ids[1])))
        waited = ground.wait_for(beside, env.cr.connection.info.backend_pid)
    error = beside.join().error
    with ground.request() as env:
        phones = env["whatsapp.billing.phone"].browse(ids)
        return {"waited": waited, "error": error, "active": phones.mapped("active")}


def rest_of_a_reminder_and_the_night(ground):
    """The claim tells what is left of a joint reminder while the plan runs again."""
    from odoo.addons.whatsapp_billing.models.collection import message_reminder

    number = "+34600000106"
    with ground.request() as env:
        common = ground.common
        common.env, common.company = env, env.company
        partner = common._make_customer("Eva", number)
        moves = common.make_due(common, 9, partner, 100.0)
        moves |= common.make_due(common, 5, partner, 40.0)
        partner_id, move_ids = partner.id, moves.ids

    def run():
        with ground.request() as env:
            env["whatsapp.billing.collection.plan"].browse(ground.plan_id).action_run()

    def reminders(env):
        return env["whatsapp.billing.message"].search(
            [
                ("partner_id", "=", partner_id),
                ("document_type", "=", "payment_reminder"),
            ],
            order="id",
        )

    run()
    with ground.request() as env:
        old_id = reminders(env).id
        wizard = env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move_ids[:1]
        )
        wizard.create({})._create_payments()
    messages = message_reminder.WhatsappBillingMessage
    remind, found = messages._remind_of_the_rest, {}

    def remind_beside(self):
        remind(self)
        self.env.flush_all()
        if self and "beside" not in found:
            found["beside"] = Beside(run)
            pid = self.env.cr.connection.info.backend_pid
            found["waited"] = ground.wait_for(found["beside"], pid)

    with patch.object(messages, "_remind_of_the_rest", remind_beside):
        ground.drain()
    error = found["beside"].join().error
    run()
    ground.drain()
    with ground.request() as env:
        new = reminders(env).filtered(lambda message: message.id != old_id)
        return {
            "error": error,
            "old": ground.state(old_id),
            "new": new.mapped("state"),
            "replaces": new.replaces_id.ids == [old_id],
            "names": new.collection_item_ids.move_line_id.move_id.ids == move_ids[1:],
            "calls": ground.calls_to(number),
        }


def one_key_at_once(ground):
    """Two callers send the same with the same key, and neither sees the other."""
    number = "+34600000107"
    _partner_id, move_id = ground.customer(number)

    def send(env):
        move = env["account.move"].browse(move_id)
        (result,) = move.wab_send(ground.plain_id, key="once")
        env.flush_all()
        return result

    with ground.request() as env:
        first = send(env)
        beside = Beside(partial(ground.repeated, send))
        waited = ground.wait_for(beside, env.cr.connection.info.backend_pid)
    second = beside.join()
    ground.drain()
    return {
        "waited": waited,
        "error": second.error,
        "same": second.result == first,
        "calls": ground.calls_to(number),
    }


def our_own_refusal(ground):
    """We see that another transaction was faster where PostgreSQL refuses nothing."""
    from odoo.addons.whatsapp_billing.models.worker.transactions import (
        RepeatTransaction,
    )

    tries = []

    def do(_env):
        tries.append(1)
        if len(tries) == 1:
            raise RepeatTransaction("Somebody else was faster.")
        return "done"

    once_more = Beside(partial(ground.repeated, do)).join()
    return {"result": once_more.result, "error": once_more.error, "tries": len(tries)}


def _toys(ground):
    """Return the toy outbox's lanes and rows, with tables in this database."""
    from odoo.addons.whatsapp_billing.tests import toy_outbox

    if toy_outbox.ToyPush._name not in ground.registry:
        with ground.request() as env:
            toy_outbox.register(ground.registry, env.cr)
    return (model._name for model in toy_outbox.TOYS)


def lanes_at_once(ground):
    """A lane's call ends when the other lane's has begun: in turn neither would."""
    from odoo.addons.whatsapp_billing.models.worker.budget import Budget

    lane_name, push_name = _toys(ground)
    both = threading.Barrier(2)

    def answer(_name, text):
        both.wait(PATIENCE_SECONDS / 2)
        return text

    with ground.request() as env:
        lanes = env[lane_name].create([{"name": "A"}, {"name": "B"}])
        ids = (
            env[push_name]
            .create([{"connection_id": lane.id, "text": lane.name} for lane in lanes])
            .ids
        )
    with (
        patch.object(ground.registry[lane_name], "_answer", staticmethod(answer)),
        ground.request() as env,
    ):
        is_left = env[push_name]._drain_lanes(Budget(PATIENCE_SECONDS))
    with ground.request() as env:
        rows = env[push_name].browse(ids)
        return {"left": is_left, "states": rows.mapped("state")}


def one_worker_in_a_lane(ground):
    """A second worker finds a lane taken; what it was sent for is seen to all the same."""
    lane_name, push_name = _toys(ground)
    under_way, released = threading.Event(), threading.Event()
    calls = []

    def answer(_name, text):
        calls.append(text)
        under_way.set()
        released.wait(PATIENCE_SECONDS / 2)
        return text

    def drain():
        with ground.request() as env:
            return env[lane_name].browse(lane_id)._drain()

    with ground.request() as env:
        lane_id = env[lane_name].create({"name": "C"}).id
        ids = env[push_name].create({"connection_id": lane_id, "text": "first"}).ids
    with patch.object(ground.registry[lane_name], "_answer", staticmethod(answer)):
        first = Beside(drain)
        assert under_way.wait(PATIENCE_SECONDS), "no call was made"
        with ground.request() as env:
            ids += env[push_name].create({"connection_id": lane_id, "text": "next"}).ids
        second = drain()
        released.set()
        first.join()
    with ground.request() as env:
        return {
            "first": first.result,
            "second": second,
            "calls": calls,
            "states": env[push_name].browse(ids).mapped("state"),
        }


def words_of_one_person_at_once(ground):
    """Two workers have what one person wrote: the same message twice, and its edit."""
    number = "+34600000109"
    ground.customer(number)
    said = {
        "from": number.lstrip("+"),
        "id": "wamid.said",
        "timestamp": str(int(time.time()) - 9),
        "type": "text",
        "text": {"body": "one"},
    }
    edit = {
        "original_message_id": "wamid.said",
        "message": {"type": "text", "text": {"body": "two"}},
    }
    changed = said | {"id": "wamid.changed", "type": "edit", "edit": edit}
    first = ground.receive(messages=[said])
    others = [
        ground.receive(messages=[said]),
        ground.receive(messages=[changed | {"timestamp": str(int(time.time()) - 5)}]),
    ]
    with ground.worker() as env:
        env["whatsapp.billing.webhook.event"].browse(first)._process_safely()
        env.flush_all()
        pid = env.cr.connection.info.backend_pid
        beside = [Beside(partial(ground.apply, event_id)) for event_id in others]
        waited = [ground.wait_for(one, pid) for one in beside]
    errors = [one.join().error for one in beside]
    with ground.request() as env:
        messages = env["whatsapp.billing.message"].search(
            [("wamid", "in", ("wamid.said", "wamid.changed"))], order="id"
        )
        events = env["whatsapp.billing.webhook.event"].browse([first, *others])
        return {
            "waited": waited,
            "errors": errors,
            "kept": messages.mapped("wamid"),
            "text": messages[0].edited_body,
            "lines": len(messages.mail_message_id),
            "events": events.mapped("state"),
        }


def inbox_while_a_number_sends(ground):
    """The provider is slow to answer: receipts and texts wait for no call."""
    number = "+34600000110"
    _partner_id, move_id = ground.customer(number)
    with ground.request() as env:
        earlier_id = ground.queue(env, move_id)
    ground.drain()
    with ground.request() as env:
        earlier = env["whatsapp.billing.message"].browse(earlier_id)
        receipt = {
            "id": earlier.wamid,
            "recipient_id": number.lstrip("+"),
            "status": "delivered",
            "timestamp": str(int(time.time())),
            "biz_opaque_callback_data": earlier.uuid,
        }
        later_id = ground.queue(env, move_id)
    text = {
        "from": number.lstrip("+"),
        "id": "wamid.meanwhile",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": "When will it arrive?"},
    }
    seen = {}

    def meanwhile():
        ground.receive(statuses=[receipt])
        ground.receive(messages=[text])
        ground.take_in()
        with ground.request() as env:
            seen["kept"] = env["whatsapp.billing.message"].search_count(
                [("wamid", "=", "wamid.meanwhile")]
            )
        seen["earlier"] = ground.state(earlier_id)
        seen["later"] = ground.state(later_id)

    ground.meanwhile = meanwhile
    error = Beside(ground.drain).join().error
    return seen | {"error": error, "sent": ground.state(later_id)}


def reminded(ground, number):
    """Return the id of an invoice that its customer was just reminded of."""
    with ground.request() as env:
        common = ground.common
        common.env, common.company = env, env.company
        partner = common._make_customer("Eva", number)
        move_id = common.make_due(common, 9, partner, 100.0).id
    with ground.request() as env:
        env["whatsapp.billing.collection.plan"].browse(ground.plan_id).action_run()
    ground.drain()
    return move_id


def said(ground, number, wamid, text, ago=0):
    """Take in what a customer wrote so many seconds ago; return the event's id."""
    return ground.receive(
        messages=[
            {
                "from": number.lstrip("+"),
                "id": wamid,
                "timestamp": str(int(time.time()) - ago),
                "type": "text",
                "text": {"body": text},
            }
        ]
    )


def case_of(ground, move_id):
    with ground.request() as env:
        case = env["whatsapp.billing.collection.case"].search(
            [("move_id", "=", move_id)]
        )
        return [case.state, case.close_reason or case.pause_reason or ""]


def apply_event(ground, event_id):
    """Read one event as the inbox does, in a transaction of its own."""
    with ground.worker() as env:
        events = env["whatsapp.billing.webhook.event"]
        events._durably(env, events.browse(event_id)._process_safely)


def answer_while_it_is_paid(ground):
    """A payment has closed the case and not committed when an answer is read."""
    found = []
    day = (datetime.now() + timedelta(days=3)).date().isoformat()
    for place, text in enumerate((day, "hay un problema", "why this?", "STOP")):
        number = f"+3460000012{place}"
        move_id = reminded(ground, number)
        event_id = said(ground, number, f"wamid.paid{place}", text)
        with ground.request() as env:
            wizard = env["account.payment.register"].with_context(
                active_model="account.move", active_ids=[move_id]
            )
            wizard.create({})._create_payments()
            env.flush_all()
            beside = Beside(partial(apply_event, ground, event_id))
            waited = ground.wait_for(beside, env.cr.connection.info.backend_pid)
        error = beside.join().error
        with ground.request() as env:
            replies = env["whatsapp.billing.message"].search(
                [("recipient", "=", number), ("method", "=", "answer")]
            )
            is_promised = "will pay on" in "".join(replies.mapped("body"))
        found.append([waited, error, *case_of(ground, move_id), is_promised])
    return found


def answers_in_the_wrong_order(ground):
    """The newer answer is read and not committed when another worker has the older."""
    number = "+34600000130"
    day = (datetime.now() + timedelta(days=3)).date().isoformat()
    move_id = reminded(ground, number)
    newer = said(ground, number, "wamid.newer", "ya pagué")
    older = said(ground, number, "wamid.older", day, ago=20)
    with ground.worker() as env:
        env["whatsapp.billing.webhook.event"].browse(newer)._process_safely()
        env.flush_all()
        beside = Beside(partial(apply_event, ground, older))
        waited = ground.wait_for(beside, env.cr.connection.info.backend_pid)
    error = beside.join().error
    return [waited, error, *case_of(ground, move_id)]


def stop_while_its_contact_is_merged(ground):
    """The contact is deleted by a merge that has not committed when STOP is read."""
    number = "+34600000140"
    partner_id, move_id = ground.customer(number)
    with ground.request() as env:
        twin = env["res.partner"].browse(partner_id).copy({"name": "Ana, again"})
        twin_id = twin.id
        message_id = ground.queue(env, move_id)
    event_id = said(ground, number, "wamid.merged", "STOP")
    with ground.request() as env:
        merge = env["base.partner.merge.automatic.wizard"].create({})
        twin = env["res.partner"].browse(twin_id)
        merge._merge([partner_id, twin_id], twin, extra_checks=False)
        env.flush_all()
        beside = Beside(partial(apply_event, ground, event_id))
        waited = ground.wait_for(beside, env.cr.connection.info.backend_pid)
    error = beside.join().error
    ground.drain()
    with ground.request() as env:
        event = env["whatsapp.billing.webhook.event"].browse(event_id)
        said_by = env["whatsapp.billing.message"].search(
            [("wamid", "=", "wamid.merged")]
        )
        return {
            "waited": waited,
            "error": error,
            "event": event.state,
            "by": said_by.partner_id.ids == [twin_id],
            "consent": ground.consent(twin_id),
            "state": ground.state(message_id),
            "calls": ground.calls_to(number),
        }


def canceled_while_it_is_called(ground):
    """A call outlives its lease, somebody gives the message up, and it was accepted."""
    number = "+34600000141"
    _partner_id, move_id = ground.customer(number)
    with ground.request() as env:
        message_id = ground.queue(env, move_id)

    def give_up():
        with ground.request() as env:
            message = env["whatsapp.billing.message"].browse(message_id)
            message.lease_until = datetime.now() - timedelta(days=1)
        with ground.request() as env:
            env["whatsapp.billing.message"]._expire_leases()
        with ground.request() as env:
            env["whatsapp.billing.message"].browse(message_id).action_cancel()

    ground.meanwhile = give_up
    error = Beside(ground.drain).join().error
    ground.drain()
    return {
        "error": error,
        "state": ground.state(message_id),
        "calls": ground.calls_to(number),
    }


SCENARIOS = (
    stop_while_a_user_queues,
    stop_before_the_claim,
    stop_during_the_claim,
    receipts_at_once,
    one_number_in_two_accounts,
    rest_of_a_reminder_and_the_night,
    one_key_at_once,
    our_own_refusal,
    answer_while_it_is_paid,
    answers_in_the_wrong_order,
    lanes_at_once,
    one_worker_in_a_lane,
    words_of_one_person_at_once,
    inbox_while_a_number_sends,
    stop_while_its_contact_is_merged,
    canceled_while_it_is_called,
)


def play(conf, name, make_ground, scenarios):
    """Print one JSON object: what came of each scenario.

    :param make_ground: called with the registry; each scenario gets what it returns
    """
    from odoo.modules.registry import Registry
    from odoo.service.server import load_server_wide_modules
    from odoo.tools import config

    config.parse_config(["-c", conf, "-d", name, "--no-http"], setup_logging=True)
    load_server_wide_modules()
    ground = make_ground(Registry(name))
    accounts = ground.registry["whatsapp.billing.account"]
    found = {}
    with patch.object(accounts, "_make_transport", ground.transport):
        for scenario in scenarios:
            try:
                found[scenario.__name__] = scenario(ground)
            except Exception as error:  # noqa: BLE001 - hides no other's result
                found[scenario.__name__] = {"fault": f"{type(error).__name__}: {error}"}
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    play(*sys.argv[1:], Ground, SCENARIOS)
