# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A database, an Odoo server, a simulator, and hands to stop time or kill them.

Everything is done from outside: the server runs the same code with the same options
as anywhere else. A process is held at a step by a lock of ours in PostgreSQL or by
the simulator, found by the connection of our own call, and killed by its id.
"""

import itertools
import json
import os
import signal
import subprocess
import threading
import xmlrpc.client
from contextlib import ExitStack, contextmanager, suppress
from datetime import date, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psycopg2

from tools import odoo, postgres
from tools.ground import LOGS, PATIENCE, WORK, free_port, python
from tools.rpc import Control, Json2, WireError, fetch, until

TEMPLATE = "wab_e2e_template"
STATE_KEY = "e2e.state"
# Encrypts the simulator's public example secrets in databases made for these tests.
SECRET_KEY = "d2hhdHNhcHAtYmlsbGluZy1lMmUtdGVzdHMtb25seSE="
MESSAGE = "whatsapp.billing.message"
ACCOUNT = "whatsapp.billing.account"
PHONE_UID = "300000000000001"
WABA_UID = "200000000000001"
APP_SECRET = "simulator-app-secret"
NOTICE = "e2e_notice"
FINAL = ("sent", "delivered", "read")
WAITING = ("queued", "sending", "held", "unknown")

# Nothing happens by itself: no job runner, no cron. The test says when.
BY_HAND = {"server_wide_modules": "base,web,rpc", "max_cron_threads": 0}


class Server:
    """One Odoo server of ours, that can be ended in every way."""

    def __init__(self, name, arguments=(), workers=2, **options):
        self.name = name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = LOGS / f"{name}.log"
        self._arguments = list(arguments)
        self._conf = odoo.write_conf(name, self.port, workers=workers, **options)
        self.process = None

    def start(self, ready="/web/login"):
        """Start, and wait until it answers."""
        LOGS.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as stream:
            self.process = subprocess.Popen(
                [python(), odoo.launcher(), "-c", str(self._conf), *self._arguments],
                env={**odoo.environment(), "WHATSAPP_BILLING_SECRET_KEYS": SECRET_KEY},
                cwd=WORK,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        odoo.wait_for(self.url + ready, self.process, self.log)
        return self

    def stop(self):
        """End it gently."""
        if self.process is not None:
            odoo.stop(self.process)

    def kill(self):
        """End every process of it at once, as a power cut does."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def children(self):
        """Return the ids of its worker processes."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return {int(pid) for pid in path.read_text().split()}

    def kill_worker(self, pid):
        """Kill exactly this worker, which must be a child of this server."""
        assert pid in self.children(), f"{pid} is not a worker of {self.name}"
        os.kill(pid, signal.SIGKILL)
        until(f"worker {pid} gone", lambda: pid not in self.children())


class Phones:
    """The simulator as a process, on a port that stays when it is restarted."""

    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.control = Control(self.url)
        self._stack = ExitStack()

    def start(self):
        self._stack.enter_context(odoo.simulator(self.port))
        return self

    def stop(self):
        self._stack.close()


class World:
    """One database with everything around it."""

    _numbers = itertools.count(1)

    def __init__(self, database, server, phones):
        self.database = database
        self.server = server
        self.phones = phones
        self.control = phones.control
        self.state = saved_state(database)
        self.admin = self.rpc("admin")
        self.clerk = self.rpc("clerk")
        self.outsider = self.rpc("outsider")

    # --- connecting -----------------------------------------------------------------

    def rpc(self, login, **context):
        """Return JSON-2 with the key of a user: admin, clerk or outsider."""
        return Json2(self.server.url, self.state["keys"][login], context)

    def reset(self, **settings):
        """Start the simulated world anew and connect the account to it again."""
        settings.setdefault("pair_limit", False)
        self.control.post("reset", templates=self.templates(), **settings)
        self.control.post("phone", phone_uid=PHONE_UID, tier="TIER_UNLIMITED")
        # The new world numbers its templates and files from the start again.
        self.sql("UPDATE whatsapp_billing_template SET template_uid = NULL")
        self.sql("DELETE FROM whatsapp_billing_media")
        # What an earlier test left waiting is none of the next one's business.
        self.sql(
            "UPDATE whatsapp_billing_message SET state = 'canceled' "
            "WHERE state IN ('queued', 'sending', 'held', 'unknown')"
        )
        self.connect()

    def templates(self):
        """Return what was approved, with buttons that lead to this server."""
        text = json.dumps(self.state["templates"])
        return json.loads(text.replace(self.state["base"], self.server.url))

    def connect(self):
        """Confirm that this copy is the one to work with, and connect the account."""
        account = self.state["account"]
        self.admin.call(
            ACCOUNT,
            "write",
            [account],
            # Another address forgets the secrets of the one before.
            vals={
                "api_url": self.phones.url,
                "access_token": "simulator-token",
                "app_secret": APP_SECRET,
            },
        )
        self.admin.call(ACCOUNT, "action_confirm_binding", [account])
        self.admin.call(ACCOUNT, "action_connect", [account])
        found = self.account("state", "state_detail")
        assert found["state"] == "connected", found

    def fault(self, **values):
        """Ask the simulator for a fault; see its control API."""
        return fetch(f"{self.phones.url}/_control/fault", values)["fault"]

    # --- making things ----------------------------------------------------------------

    def number(self):
        """Return a number that nobody has yet."""
        return f"+346{next(self._numbers):08d}"

    def partners(self, count, **values):
        """Make customers with WhatsApp; return {number: id} in order."""
        numbers = [self.number() for _ in range(count)]
        ids = self.admin.call(
            "res.partner",
            "create",
            vals_list=[
                {
                    "name": f"Customer {number[-6:]}",
                    "phone": number,
                    "lang": "es_ES",
                    "wab_enabled": True,
                    **values,
                }
                for number in numbers
            ],
        )
        return dict(zip(numbers, ids, strict=True))

    def partner(self, **values):
        """Make one customer; return (number, id)."""
        return next(iter(self.partners(1, **values).items()))

    def invoice(self, partner_id, post=True, **values):
        """Make a customer invoice over the wire; return its id."""
        today = date.today()
        move = self.admin.create(
            "account.move",
            {
                "move_type": "out_invoice",
                "partner_id": partner_id,
                "invoice_date": today.isoformat(),
                "invoice_date_due": (today + timedelta(days=15)).isoformat(),
                "invoice_line_ids": [
                    (0, 0, {"name": "Consulting", "quantity": 2, "price_unit": 60.25})
                ],
                **values,
            },
        )
        if post:
            self.admin.call("account.move", "action_post", [move])
        return move

    def notify(self, partner_ids, **kwargs):
        """Queue the notice (a text without a file); return the message ids."""
        results = self.clerk.call(
            "res.partner",
            "wab_send",
            list(partner_ids),
            template=f"{NOTICE}:es",
            **kwargs,
        )
        assert all(r["state"] == "queued" for r in results), results
        return [r["message_id"] for r in results]

    # --- reading ------------------------------------------------------------------------

    def account(self, *fields):
        return self.admin.read(ACCOUNT, [self.state["account"]], list(fields))[0]

    def messages(self, ids, *fields):
        """Return {id: row} of messages."""
        rows = self.admin.read(MESSAGE, list(ids), ["state", *fields])
        return {row["id"]: row for row in rows}

    def states(self, ids):
        """Return the states of messages, sorted."""
        return sorted(row["state"] for row in self.messages(ids).values())

    def are(self, ids, *states):
        """Tell whether all these messages are in one of these states."""
        return set(self.states(ids)) <= set(states)

    def received(self, numbers):
        """Return how many messages the simulator took for each number."""
        return [self.control.get("messages", to=n, count=1)["count"] for n in numbers]

    # --- making things happen -------------------------------------------------------------

    def cron(self, name):
        """Run one of our crons by hand, when nobody else is at it."""
        cron = self.state["crons"][name]

        def run():
            try:
                self.admin.call("ir.cron", "method_direct_trigger", [cron])
            except WireError as error:
                if "already executing" not in error.text:
                    raise
                return False
            return True

        until(f"{name} could run", run)

    def make_due(self, name):
        """Make one of our crons due now, for the server's own cron worker."""
        self.sql(
            "INSERT INTO ir_cron_trigger (cron_id, call_at)"
            " VALUES (%s, now() AT TIME ZONE 'UTC')",
            [self.state["crons"][name]],
        )
        wake_cron(self.database)

    def send(self):
        """Run the outbox once."""
        self.cron("ir_cron_outbox")

    def take_in(self):
        """Have every webhook delivered and processed."""
        self.control.post("webhooks/flush")
        self.cron("ir_cron_inbox")

    def settle(self):
        """Send what is due and take in what is said about it."""
        self.send()
        self.take_in()

    def parameter(self, key, value):
        """Set a system parameter, for every worker."""
        self.admin.call("ir.config_parameter", "set_param", key=key, value=str(value))

    def let_pass(self, ids, seconds):
        """Let time pass for these messages and all numbers.

        What was set for later comes nearer, what has happened goes farther away.
        """
        self.sql(
            """
            UPDATE whatsapp_billing_message
               SET next_attempt_at = next_attempt_at - %(time)s,
                   lease_until = lease_until - %(time)s,
                   unknown_at = unknown_at - %(time)s,
                   channel_seen_at = channel_seen_at - %(time)s
             WHERE id = ANY(%(ids)s)
            """,
            {"time": timedelta(seconds=seconds), "ids": list(ids)},
        )
        self.sql(
            """
            UPDATE whatsapp_billing_phone
               SET last_status_at = last_status_at - %(time)s,
                   last_webhook_at = last_webhook_at - %(time)s
            """,
            {"time": timedelta(seconds=seconds)},
        )
        self.sql(
            "UPDATE whatsapp_billing_webhook_event "
            "SET received_at = received_at - %(time)s",
            {"time": timedelta(seconds=seconds)},
        )

    def sql(self, statement, parameters=None):
        return postgres.execute(self.database, statement, parameters)

    @contextmanager
    def running(self, cron):
        """Run a cron in a call of its own, which may be cut off by killing its worker.

        Yields the `Call`; it is over at the end of the block.
        """
        call = Call(self, "ir.cron", "method_direct_trigger", self.state["crons"][cron])
        yield call
        call.join()

    # --- holding and killing -----------------------------------------------------------------

    @contextmanager
    def holding(self, statement, parameters=None):
        """Hold the locks of a statement in a transaction of our own."""
        options = postgres.settings()
        connection = psycopg2.connect(
            host=options["host"],
            port=options["port"],
            user=options["user"],
            password=options["password"] or None,
            dbname=self.database,
        )
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
            yield connection.info.backend_pid
        finally:
            connection.close()

    def is_waited_for(self, backend):
        """Tell whether somebody waits for a lock of ours."""
        return bool(
            self.sql(
                "SELECT 1 FROM pg_stat_activity "
                "WHERE datname = %s AND %s = ANY(pg_blocking_pids(pid))",
                [self.database, backend],
            )
        )

    def is_sending(self):
        """Tell whether a worker holds the lock of a number: it is the one that sends."""
        rows = self.sql(
            """
            SELECT DISTINCT a.pid FROM pg_locks l
              JOIN pg_stat_activity a ON a.pid = l.pid
             WHERE l.locktype = 'advisory' AND l.granted AND a.datname = %s
               AND l.classid = hashtext('whatsapp_billing_phone')::oid
            """,
            [self.database],
        )
        assert len(rows) <= 1, "one worker at a time holds a number"
        return bool(rows)


class Call(threading.Thread):
    """One JSON-2 call in a thread, whose worker can be found and killed."""

    def __init__(self, world, model, method, record_id):
        super().__init__(daemon=True)
        self._server = world.server
        self._connection = HTTPConnection(
            "127.0.0.1", world.server.port, timeout=60 * PATIENCE
        )
        self._connection.connect()
        self._port = self._connection.sock.getsockname()[1]
        self._request = (
            "POST",
            f"/json/2/{model}/{method}",
            json.dumps({"ids": [record_id]}),
            {
                "Authorization": f"Bearer {world.state['keys']['admin']}",
                "Content-Type": "application/json",
            },
        )
        self.status = None
        self.start()

    def run(self):
        try:
            self._connection.request(*self._request)
            self.status = self._connection.getresponse().status
        except (OSError, HTTPException):
            return  # its worker was killed
        finally:
            self._connection.close()

    def kill_worker(self):
        """Kill the worker that answers this call, at once."""
        self._server.kill_worker(self._worker())

    def join(self, timeout=60 * PATIENCE):
        super().join(timeout)
        assert not self.is_alive(), "the call neither ended nor was cut off"

    def _worker(self):
        """Return which worker holds the other end of the connection."""
        here, there = f"{self._server.port:04X}", f"{self._port:04X}"
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[1].endswith(f":{here}") and columns[2].endswith(f":{there}"):
                return self._owner(f"socket:[{columns[9]}]")
        raise AssertionError("the connection is gone")

    def _owner(self, socket_name):
        for pid in self._server.children():
            for link in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(FileNotFoundError):
                    if os.readlink(link) == socket_name:
                        return pid
        raise AssertionError("no worker has accepted the connection")


def saved_state(database):
    """Return what was noted when the template database was made."""
    rows = postgres.execute(
        database, "SELECT value FROM ir_config_parameter WHERE key = %s", [STATE_KEY]
    )
    return json.loads(rows[0][0]) if rows else None


def wake_cron(database):
    """Have the cron worker that serves a database look for what is due."""
    postgres.execute("postgres", "SELECT pg_notify('cron_trigger', %s)", [database])


def clone(name, source=TEMPLATE):
    """Make a database from the template or another one, with its files."""
    odoo._drop_filestore(name)
    postgres.drop(name)
    postgres.create(name, source)
    odoo.copy_filestore(source, name)


@contextmanager
def serving(name, phones, arguments=(), database=None, source=TEMPLATE, **options):
    """Serve a fresh copy of the template; yields its `World`, connected.

    :param source: a copy of the template with more in it
    """
    database = database or name
    clone(database, source)
    server = Server(
        name, arguments, db_name=database, dbfilter=f"^{database}$", **options
    )
    for key, value in {
        "web.base.url": server.url,
        "web.base.url.freeze": "True",
    }.items():
        odoo.set_parameter(database, key, value)
    try:
        server.start()
        world = World(database, server, phones)
        world.reset()
        yield world
    finally:
        # Nothing of it is kept, so nobody waits for its workers to end in peace.
        server.kill()
        postgres.drop(database)
        odoo._drop_filestore(database)


class XmlRpc:
    """The same calls over XML-RPC, which has no null."""

    def __init__(self, world, login):
        self._object = xmlrpc.client.ServerProxy(
            f"{world.server.url}/xmlrpc/2/object", allow_none=False
        )
        self._who = (
            world.database,
            world.state["uids"][login],
            world.state["keys"][login],
        )

    def call(self, model, method, ids, *arguments, **kwargs):
        return self._object.execute_kw(
            *self._who, model, method, [ids, *arguments], kwargs
        )


__all__ = [
    "ACCOUNT",
    "APP_SECRET",
    "BY_HAND",
    "FINAL",
    "MESSAGE",
    "NOTICE",
    "PHONE_UID",
    "TEMPLATE",
    "WABA_UID",
    "WAITING",
    "Phones",
    "Server",
    "WireError",
    "World",
    "XmlRpc",
    "clone",
    "fetch",
    "serving",
    "until",
    "wake_cron",
]
