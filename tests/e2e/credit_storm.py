# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Eight processes reserve, settle, release and buy at random, and die at random.

Run by `test_credits.py` in a process with Odoo. The registry is loaded once and
forked, so that a killed process is replaced at once. Users' work runs as in a request
(REPEATABLE READ, repeated when PostgreSQL asks for it), the inbox's as in a job (READ
COMMITTED). After its commits a process looks at the whole journal, and so does the
parent all the time.
"""

import json
import os
import random
import signal
import sys
import time
from contextlib import suppress

from psycopg2 import errors, extensions

PROCESSES = 8
MESSAGES = 12_000
ATTEMPTS = 20
# How many kills and checks, and which works, a storm has to have seen.
ENOUGH = 10
WORKS = ("reserve", "settle", "fail", "buy", "refund", "release_held")
RETRY = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.LockNotAvailable,
)
WORDS = (
    {"type": "regular", "category": "utility"},
    {"type": "regular", "category": "utility"},
    {"type": "regular", "category": "marketing"},
    {"type": "free_entry_point", "category": "utility"},
)
# What must hold in every snapshot of the database; each query returns offenders.
LAWS = {
    "the totals are the sums of the journal": """
        SELECT w.id, w.total_balance, w.total_reserved, s.*
          FROM whatsapp_billing_credit_wallet w,
               (SELECT COALESCE(sum(amount), 0) AS amount,
                       COALESCE(sum(reserved_amount), 0) AS reserved,
                       COALESCE(sum(shortfall), 0) AS shortfall
                  FROM whatsapp_billing_credit_entry) s,
               (SELECT COALESCE(sum(amount), 0) AS amount,
                       COALESCE(sum(reserved_amount), 0) AS reserved,
                       COALESCE(sum(shortfall), 0) AS shortfall
                  FROM whatsapp_billing_credit_delta) d
         WHERE w.total_balance + d.amount <> s.amount
            OR w.total_reserved + d.reserved <> s.reserved
            OR w.total_shortfall + d.shortfall <> s.shortfall""",
    "nothing is overspent": """
        SELECT sum(amount), sum(reserved_amount) FROM whatsapp_billing_credit_entry
        HAVING sum(amount) < sum(reserved_amount) OR sum(amount) < 0
            OR sum(reserved_amount) < 0""",
    "a message is reserved exactly while it is on its way": """
        SELECT m.id, m.state, e.*
          FROM whatsapp_billing_message m
     LEFT JOIN (SELECT message_id, sum(reserved_amount) AS reserved,
                       count(*) FILTER (WHERE kind = 'reserve')
                       - count(*) FILTER (WHERE kind IN ('settle', 'release')) AS open
                  FROM whatsapp_billing_credit_entry
              GROUP BY message_id) e ON e.message_id = m.id
         -- Failed, released, and then delivered after all: one end more.
         WHERE GREATEST(COALESCE(e.open, 0), 0)
               <> CASE m.state WHEN 'queued' THEN 1 ELSE 0 END
            OR (m.state = 'queued') <> (COALESCE(e.reserved, 0) > 0)""",
    "a delivered message is charged once, or was free": """
        SELECT m.id FROM whatsapp_billing_message m
         WHERE m.state = 'delivered' AND (m.pricing ->> 'type') = 'regular'
           AND (SELECT count(*) FROM whatsapp_billing_credit_entry
                 WHERE message_id = m.id AND kind = 'settle') <> 1""",
    "no limit was lifted": """
        SELECT id FROM whatsapp_billing_credit_entry
         WHERE note = 'Used before there was a limit'""",
}


def prepare(env):
    """Make a limited wallet and messages that nobody has paid for yet."""
    company = env.company
    account = env["whatsapp.billing.account"].create(
        {"name": "Storm", "company_id": company.id, "waba_uid": "1", "app_uid": "1"}
    )
    phone = env["whatsapp.billing.phone"].create(
        {
            "account_id": account.id,
            "phone_uid": "1",
            "number": "+34910000001",
            "is_verified": True,
        }
    )
    wallet = env["whatsapp.billing.credit.wallet"]._for_company(company)
    wallet.is_limited = True
    wallet._give("purchase", 500)
    env.flush_all()
    env.cr.execute(
        """
        INSERT INTO whatsapp_billing_message
               (direction, state, uuid, company_id, account_id, phone_id, recipient,
                template_name, category, audience, purpose, document_state, priority,
                queued_at)
        SELECT 'out', 'canceled', 'storm-' || n, %s, %s, %s,
               (ARRAY['+346', '+4915', '+573'])[1 + n %% 3] || lpad(n::text, 8, '0'),
               'storm', 'utility', 'customer', 'billing', 'none', 10,
               now() at time zone 'utc'
          FROM generate_series(1, %s) n
        """,
        [company.id, account.id, phone.id, MESSAGES],
    )
    env.cr.commit()
    return wallet.id


def check(cr):
    """Return the laws that do not hold in one snapshot, with an offender each."""
    broken = {}
    for law, query in LAWS.items():
        cr.execute(query)
        rows = cr.fetchmany(3)
        if rows:
            broken[law] = [str(row) for row in rows]
    return broken


class Worker:
    """One process: an endless choice of what to do next."""

    def __init__(self, open_env, wallet_id, seed):
        self.open_env = open_env
        self.wallet_id = wallet_id
        self.random = random.Random(seed)
        self.works = (
            *((self.reserve, False),) * 4,
            *((self.settle, True),) * 3,
            *((self.fail, True),) * 2,
            (self.cancel, False),
            (self.buy, False),
            (self.refund, False),
            (self.release_held, True),
            (self.fold, True),
        )

    def run(self, pipe):
        """Work until killed; every commit is told to the parent."""
        while True:
            work, is_job = self.random.choice(self.works)
            retries = self.repeat(work, is_job)
            broken = {}
            if self.random.random() < 0.1:
                with self.open_env(False) as env:
                    broken = check(env.cr)
            line = {"work": work.__name__, "retries": retries, "broken": broken}
            os.write(pipe, (json.dumps(line) + "\n").encode())

    def repeat(self, work, is_job):
        """Do it as Odoo does: again when PostgreSQL could not serialize it."""
        for attempt in range(ATTEMPTS):
            try:
                with self.open_env(is_job) as env:
                    work(env)
                    env.flush_all()
                    env.cr.commit()
                return attempt
            except RETRY:
                continue
        return ATTEMPTS

    def pick(self, env, states, limit):
        """Lock some messages at random that nobody else is at."""
        env.cr.execute(
            """
            SELECT id FROM whatsapp_billing_message
             WHERE state = ANY(%s) AND id %% 97 = %s
             LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
            """,
            [list(states), self.random.randrange(97), limit],
        )
        ids = [row[0] for row in env.cr.fetchall()]
        return env["whatsapp.billing.message"].browse(ids)

    def move(self, messages, state, pricing=None):
        messages.env.cr.execute(
            "UPDATE whatsapp_billing_message SET state = %s, pricing = %s, "
            "reason = NULL WHERE id = ANY(%s)",
            [state, json.dumps(pricing) if pricing else None, messages.ids],
        )
        messages.invalidate_recordset()

    def reserve(self, env):
        messages = self.pick(env, ["canceled", "failed"], self.random.randint(1, 40))
        self.move(messages, "queued")
        messages._reserve_credits()

    def settle(self, env):
        # A failed message that is delivered after all has nothing reserved any more.
        states = ["queued"] if self.random.random() < 0.8 else ["queued", "failed"]
        messages = self.pick(env, states, self.random.randint(1, 20))
        self.move(messages, "delivered", self.random.choice(WORDS))
        messages._after_state_change()
        messages._after_state_change()

    def fail(self, env):
        messages = self.pick(env, ["queued"], self.random.randint(1, 20))
        self.move(messages, "failed")
        messages._after_state_change()

    def cancel(self, env):
        messages = self.pick(env, ["queued", "held"], self.random.randint(1, 5))
        self.move(messages, "canceled")
        messages._after_state_change()

    def buy(self, env):
        amount = self.random.randint(1, 60_000_000) / 1_000_000
        self.wallet(env)._give("purchase", amount)

    def refund(self, env):
        amount = self.random.randint(1, 90_000_000) / 1_000_000
        self.wallet(env)._take("adjust", amount, note="refund")

    def release_held(self, env):
        env["whatsapp.billing.message"]._release_no_credit()

    def fold(self, env):
        self.wallet(env)._fold_free()

    def wallet(self, env):
        return env["whatsapp.billing.credit.wallet"].browse(self.wallet_id)


class Storm:
    """Keep eight workers alive, kill one now and then, and look at the books."""

    def __init__(self, registry, wallet_id, seconds, seed, extra):
        self.registry = registry
        self.wallet_id = wallet_id
        self.deadline = time.monotonic() + seconds
        # A busy machine gets more time until enough has been seen.
        self.last_deadline = self.deadline + extra
        self.random = random.Random(seed)
        self.seeds = iter(range(seed * 1000, sys.maxsize))
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)
        self.rest = b""
        self.workers = []
        self.found = {"works": {}, "retries": 0, "given_up": 0, "kills": 0}
        self.found |= {"checks": 0, "broken": {}}

    def run(self):
        """Return what was done and which laws were broken."""
        self.workers = [self.fork() for _number in range(PROCESSES)]
        try:
            while self.goes_on():
                self.kill(self.random.randrange(PROCESSES))
                self.workers.append(self.fork())
                for _look in range(3):
                    self.look()
                    self.read()
        finally:
            while self.workers:
                self.kill(0)
        self.read()
        self.look()
        return self.found

    def goes_on(self):
        now = time.monotonic()
        if self.found["broken"] or now >= self.last_deadline:
            return False
        seen = self.found["works"]
        is_enough = (
            self.found["kills"] > ENOUGH
            and self.found["checks"] > ENOUGH
            and all(seen.get(work) for work in WORKS)
        )
        return now < self.deadline or not is_enough

    def fork(self):
        child = os.fork()
        if child:
            return child
        try:
            _forget_connections(self.registry)
            Worker(self.open_env, self.wallet_id, next(self.seeds)).run(self.writer)
        except BaseException:  # noqa: BLE001 - told to the parent, then the end
            import traceback

            line = {"broken": {"a process crashed": traceback.format_exc()[-3000:]}}
            os.write(self.writer, (json.dumps(line) + "\n").encode())
        finally:
            os._exit(1)

    def open_env(self, is_job):
        return _Environment(self.registry, is_job)

    def kill(self, index):
        next(self.seeds)
        child = self.workers.pop(index)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        self.found["kills"] += 1

    def look(self):
        with self.open_env(False) as env:
            self.found["broken"] |= check(env.cr)
        self.found["checks"] += 1

    def read(self):
        with suppress(BlockingIOError):
            while chunk := os.read(self.reader, 65536):
                self.rest += chunk
        *lines, self.rest = self.rest.split(b"\n")
        for line in lines:
            # A process that was killed while writing leaves half a line.
            with suppress(ValueError):
                self.note(json.loads(line))

    def note(self, line):
        self.found["broken"] |= line["broken"]
        if "work" in line:
            works = self.found["works"]
            works[line["work"]] = works.get(line["work"], 0) + 1
            self.found["retries"] += line["retries"]
            self.found["given_up"] += line["retries"] >= ATTEMPTS


class _Environment:
    """A transaction as a request (RR) or as a job of ours (RC) has it."""

    def __init__(self, registry, is_job):
        self.cr = registry.cursor()
        if is_job:
            self.cr.connection.set_isolation_level(
                extensions.ISOLATION_LEVEL_READ_COMMITTED
            )

    def __enter__(self):
        from odoo import SUPERUSER_ID, api

        return api.Environment(self.cr, SUPERUSER_ID, {})

    def __exit__(self, *_error):
        self.cr.rollback()
        self.cr.close()


def _forget_connections(registry):
    """Let a fork open connections of its own; the parent's stay the parent's."""
    from odoo import sql_db

    sql_db._Pool = sql_db._Pool_readonly = None
    registry._db = sql_db.db_connect(registry.db_name)
    registry._db_readonly = None


def main(conf, name, seconds, seed, extra="0"):
    """Print one JSON object: what was done, and what did not hold."""
    from odoo import SUPERUSER_ID, api
    from odoo.modules.registry import Registry
    from odoo.service.server import load_server_wide_modules
    from odoo.tools import config

    config.parse_config(["-c", conf, "-d", name, "--no-http"], setup_logging=True)
    load_server_wide_modules()
    registry = Registry(name)
    with registry.cursor() as cr:
        wallet_id = prepare(api.Environment(cr, SUPERUSER_ID, {}))
    storm = Storm(registry, wallet_id, float(seconds), int(seed), float(extra))
    found = storm.run()
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
