# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Overdue lines by the ten thousand, OCA's run and ours over them."""

import json
import resource
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tools import SQL

from . import setup

PER_DEBTOR = 4
ONE = "Hello {{1}}, {{2}} over {{3}} is open. Please have a look."
MANY = "Hello {{1}}, {{2}} invoices are open, {{3}} in all: {{4}}. Please have a look."
PLACES = {
    ONE: ["recipient.name", "name", "wab_open_total"],
    MANY: ["recipient.name", "wab_open_count", "wab_open_total", "wab_open_lines"],
}


def prepare(env, lines):
    """Have so many overdue invoices, four to a customer."""
    env.flush_all()
    partner_ids = _copy_partners(env, lines // PER_DEBTOR)
    _copy_invoices(env, lines)
    env.cr.execute(
        """
        CREATE TEMP TABLE place AS
        SELECT m.id, (%s::int[])[1 + (row_number() OVER (ORDER BY m.id) - 1)
                                 %% %s] AS partner_id
          FROM account_move m
         WHERE m.move_type = 'out_invoice' AND m.state = 'posted' LIMIT %s
        """,
        [partner_ids, len(partner_ids), lines],
    )
    due = fields.Date.today() - timedelta(days=12)
    env.cr.execute(
        """
        UPDATE account_move m
           SET partner_id = p.partner_id, commercial_partner_id = p.partner_id,
               partner_shipping_id = p.partner_id, invoice_date_due = %s
          FROM place p WHERE p.id = m.id
        """,
        [due],
    )
    env.cr.execute(
        """
        UPDATE account_move_line l
           SET partner_id = p.partner_id,
               date_maturity = CASE WHEN l.date_maturity IS NULL THEN NULL
                                    ELSE %s::date END
          FROM place p WHERE p.id = l.move_id
        """,
        [due],
    )
    env.cr.execute(
        """
        UPDATE account_move SET payment_state = 'paid'
         WHERE move_type = 'out_invoice' AND id NOT IN (SELECT id FROM place)
        """
    )
    env.cr.execute(
        """
        UPDATE account_move_line SET reconciled = TRUE, amount_residual = 0,
               amount_residual_currency = 0
         WHERE move_id NOT IN (SELECT id FROM place)
        """
    )
    env.cr.commit()
    setup.vacuum(env)
    return lines


def _copy_partners(env, count):
    """Return so many customers, made from those that there are."""
    partners = setup.invoices(env).partner_id.sorted("id")
    missing = count - len(partners)
    if missing > 0:
        new = _copy_rows(
            env,
            "res_partner",
            SQL("id = ANY(%s)", partners.ids),
            missing,
            {
                "phone": SQL("'+346' || lpad((new_id %% 100000000)::text, 8, '0')"),
                "phone_sanitized": SQL(
                    "'+346' || lpad((new_id %% 100000000)::text, 8, '0')"
                ),
                "wab_person_key": SQL(
                    "'+346' || lpad((new_id %% 100000000)::text, 8, '0')"
                ),
                "wab_recipient": SQL(
                    "'+346' || lpad((new_id %% 100000000)::text, 8, '0')"
                ),
                "name": SQL("'Customer ' || new_id"),
                "commercial_partner_id": SQL("new_id"),
            },
        )
        if "whatsapp.billing.consent" in env:
            env.cr.execute(
                """
                INSERT INTO whatsapp_billing_consent
                       (partner_id, company_id, recipient, person_key, purpose,
                        granted, source, evidence, said_at, create_date)
                SELECT p.id, %(company)s, p.wab_recipient, p.wab_person_key, u.purpose,
                       TRUE, 'user', 'bench', now(), now()
                  FROM res_partner p,
                       (VALUES ('billing'), ('collections')) u (purpose)
                 WHERE p.id = ANY(%(new)s)
                """,
                {"company": env.company.id, "new": new},
            )
        return [*partners.ids, *new]
    return partners.ids[:count]


def _copy_invoices(env, count):
    moves = setup.invoices(env)
    missing = count - len(moves)
    if missing <= 0:
        return
    pairs = _copy_rows(
        env,
        "account_move",
        SQL("move_type = 'out_invoice' AND state = 'posted'"),
        missing,
        {"name": SQL("o.name || '/' || new_id"), "access_token": SQL("NULL")},
        pairs=True,
    )
    env.cr.execute("CREATE TEMP TABLE copied (old int, new int)")
    for at in range(0, len(pairs), 10000):
        values = SQL(", ").join(SQL("(%s, %s)", *p) for p in pairs[at : at + 10000])
        env.cr.execute(SQL("INSERT INTO copied VALUES %s", values))
    columns = _columns(env, "account_move_line") - {"id", "move_id", "move_name"}
    names = SQL(", ").join(SQL.identifier(name) for name in sorted(columns))
    env.cr.execute(
        SQL(
            """
            INSERT INTO account_move_line (id, move_id, move_name, %(names)s)
            SELECT nextval('account_move_line_id_seq'), c.new, m.name, %(o_names)s
              FROM copied c JOIN account_move_line o ON o.move_id = c.old
              JOIN account_move m ON m.id = c.new
             WHERE o.display_type = 'payment_term'
            """,
            names=names,
            o_names=SQL(", ").join(
                SQL("o.%s", SQL.identifier(name)) for name in sorted(columns)
            ),
        )
    )


def _copy_rows(env, table, condition, count, changes, pairs=False):
    """Copy rows until there are so many more; return the new ids."""
    columns = sorted(_columns(env, table) - {"id"})
    values = SQL(", ").join(
        changes.get(name) or SQL("o.%s", SQL.identifier(name)) for name in columns
    )
    env.cr.execute(
        SQL("SELECT id FROM %s WHERE %s ORDER BY id", SQL.identifier(table), condition)
    )
    old = [row[0] for row in env.cr.fetchall()]
    env.cr.execute(
        SQL("SELECT nextval(%s) FROM generate_series(1, %s)", f"{table}_id_seq", count)
    )
    new = [row[0] for row in env.cr.fetchall()]
    sources = [old[n % len(old)] for n in range(count)]
    env.cr.execute(
        SQL(
            """
            INSERT INTO %(table)s (id, %(columns)s)
            SELECT new_id, %(values)s
              FROM unnest(%(sources)s, %(new)s) p (old_id, new_id)
              JOIN %(table)s o ON o.id = p.old_id
            """,
            table=SQL.identifier(table),
            columns=SQL(", ").join(SQL.identifier(name) for name in columns),
            values=values,
            sources=sources,
            new=new,
        )
    )
    return list(zip(sources, new, strict=True)) if pairs else new


def _columns(env, table):
    env.cr.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s",
        [table],
    )
    return {row[0] for row in env.cr.fetchall()}


def credit_control(env):
    """Return seconds, queries and lines of OCA's run."""
    policy = env.ref("account_credit_control.credit_control_3_time")
    receivable = env["account.account"].search(
        [("account_type", "=", "asset_receivable")]
    )
    policy.account_ids = [Command.set(receivable.ids)]
    env.company.credit_policy_id = policy
    env["res.partner"].search([]).write({"credit_policy_id": policy.id})
    # The run takes one line after the other only in these two.
    run = env["credit.control.run"].create(
        {"date": fields.Date.today(), "policy_ids": [Command.set(policy.ids)]}
    )
    env.flush_all()
    env.cr.commit()
    env.invalidate_all()
    cost = _timed(env, run.generate_credit_lines)
    assert run.line_ids, run.report
    return cost | {"lines": len(run.line_ids)}


def run(env):
    """Return seconds, queries and peak memory of our run, messages queued.

    As it is at night: the cron's worker, and another that takes the job it delays. The
    seconds are those of both until the later has ended, the queries are of both.
    """
    plan = _make_plan(env)
    plans = plan.sudo()
    helped = {}
    with _second_worker(env) as end:

        def nightly_run():
            plans._run_company(env.company.id, plan.ids)
            helped.update(end())

        cost = _timed(env, nightly_run)
    cost["queries"] += helped["queries"]
    env.cr.execute(
        """
        SELECT count(*), count(DISTINCT partner_id), count(mail_message_id)
          FROM whatsapp_billing_message WHERE state = 'queued'
           AND document_type = 'payment_reminder'
        """
    )
    messages, partners, noted = env.cr.fetchone()
    env.cr.execute("SELECT count(*) FROM whatsapp_billing_collection_item")
    items = env.cr.fetchone()[0]
    assert messages == partners == noted == items // PER_DEBTOR, (messages, items)
    return cost | {"lines": items, "messages": messages}


@contextmanager
def _second_worker(env):
    """Have a process that takes the job; yields a function that waits for its end."""
    process = subprocess.Popen(
        [*sys.orig_argv[:5], *sys.argv[1:3], "collections.work", "{}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout.readline() == b"ready\n"
        yield lambda: json.loads(process.communicate()[0])
    finally:
        process.kill()


def work(env):
    """Take the job of a run when it comes, as the job runner would have us do it."""
    from odoo.addons.queue_job.job import Job
    from odoo.addons.queue_job.jobrunner import runner

    # By this lock the run knows that a job runner lives.
    env.cr.execute("SELECT pg_advisory_lock(%s)", [runner.PG_ADVISORY_LOCK_ID])
    print("ready", flush=True)
    # The job runner is told by PostgreSQL; asking often is as soon and needs no runner.
    while not (jobs := _find_jobs(env)):
        env.cr.rollback()
        time.sleep(0.005)
    return _timed(env, lambda: [Job.load(env, uid).perform() for uid in jobs])


def _find_jobs(env):
    env.cr.execute(
        "SELECT uuid FROM queue_job WHERE state = 'pending'"
        " AND method_name = '_job_run_share'"
    )
    return [row[0] for row in env.cr.fetchall()]


def preview(env):
    """Return seconds and queries of a preview of 30 days, nothing said yet."""
    plan = _make_plan(env)
    env.cr.execute("DELETE FROM whatsapp_billing_collection_followup")
    env.cr.execute("DELETE FROM whatsapp_billing_collection_case")
    found = {}
    cost = _timed(env, lambda: found.update(plan._preview(days=30)))
    assert found["messages"]
    return cost | {"messages": len(found["messages"])}


def _make_plan(env):
    plan = env["whatsapp.billing.collection.plan"].search([("name", "=", "Bench")])
    if plan:
        return plan
    account = setup.connect(env, "http://127.0.0.1:9")
    for body, paths in PLACES.items():
        _make_template(env, account, body, paths)
    plan = env["whatsapp.billing.collection.plan"].create(
        {
            "name": "Bench",
            "stage": "on",
            "quiet_start": 0.0,
            "quiet_end": 0.0,
            "step_ids": [Command.create({"days": n}) for n in (1, 10, 20)],
        }
    )
    # Posting an invoice opens its cases; these were copied behind Odoo's back.
    env["whatsapp.billing.collection.case"].sudo()._enrol(env.company)
    env.flush_all()
    env.cr.commit()
    setup.vacuum(env)
    return plan


def _make_template(env, account, body, paths):
    template = (
        env["whatsapp.billing.template"]
        .sudo()
        .create(
            {
                "name": body[:20],
                "template_name": f"bench_{uuid.uuid5(uuid.NAMESPACE_OID, body).hex}",
                "lang_code": "en",
                "account_id": account.id,
                "document_type": "payment_reminder",
                "header_type": "none",
                "body": body,
                "variable_ids": [
                    Command.create(
                        {
                            "component": "body",
                            "position": position,
                            "name": path,
                            "field_path": path,
                            "sample": "x",
                        }
                    )
                    for position, path in enumerate(paths, start=1)
                ],
                "status": "approved",
                "raw_status": "APPROVED",
                "is_default": body == ONE,
            }
        )
    )
    template.remote_components = template._components()
    template.template_uid = str(600000000000000 + template.id)


def _timed(env, call):
    """Return seconds, queries and peak memory of a call."""
    from odoo.sql_db import Cursor

    counted = [0]
    original = Cursor.execute

    def execute(self, *args, **kwargs):
        counted[0] += 1
        return original(self, *args, **kwargs)

    def copy_from(self, *args, **kwargs):
        counted[0] += 1
        return self._obj.copy_from(*args, **kwargs)

    Cursor.execute, Cursor.copy_from = execute, copy_from
    started = time.perf_counter()
    try:
        call()
        env.flush_all()
        env.cr.commit()
    finally:
        Cursor.execute = original
        del Cursor.copy_from
    return {
        "seconds": time.perf_counter() - started,
        "queries": counted[0],
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
