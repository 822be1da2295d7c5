# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""How much each statement reads, as PostgreSQL counts it: the same on any machine."""

import json
import re
from collections import Counter
from contextlib import contextmanager
from unittest.mock import patch

from odoo.sql_db import Cursor
from odoo.tools import SQL

OURS = re.compile(r"\bwhatsapp_billing_")
EXPLAINED = re.compile(r"\s*(WITH|SELECT|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)


@contextmanager
def count_pages(cr):
    """Count the pages that each statement over our tables reads or writes.

    Each is done once more under EXPLAIN and taken back. Yields a Counter by the text
    of the statement.
    """
    pages = Counter()
    execute = Cursor.execute

    def explain(cursor, query, params=None, **options):
        code = query.code if isinstance(query, SQL) else query
        if OURS.search(code) and EXPLAINED.match(code):
            pages[_name(code)] += _explain(cursor, query, params)
        return execute(cursor, query, params, **options)

    def _explain(cursor, query, params):
        code, values = query, params
        if isinstance(query, SQL):
            code, values = query.code, query.params
        execute(cursor, "SAVEPOINT count_pages")
        try:
            execute(cursor, f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {code}", values)
            (found,) = cursor.fetchone()
        finally:
            execute(cursor, "ROLLBACK TO SAVEPOINT count_pages")
        found = json.loads(found) if isinstance(found, str) else found
        plan = found[0]["Plan"]
        return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]

    with patch.object(Cursor, "execute", explain):
        yield pages


def _name(code):
    """Return a statement without what differs from one call to the next."""
    values = re.sub(r"%s(::\w+)?(, ?%s(::\w+)?)+", "%s", " ".join(code.split()))
    return re.sub(r"\(%s\)(, ?\(%s\))+", "(%s)", values)


# What grows with every document, and refers to nothing that the tests have made.
GROWING = (
    "whatsapp_billing_message",
    "whatsapp_billing_message_attempt",
    "whatsapp_billing_consent",
    "whatsapp_billing_webhook_event",
    "whatsapp_billing_collection_case",
    "whatsapp_billing_collection_followup",
    "whatsapp_billing_collection_item",
)


def forget_statistics(env):
    """Leave the planner what it knows after a restore: our tables are empty.

    They are emptied whole, as PostgreSQL plans by their size on disk, too.
    """
    tables = SQL(", ").join(map(SQL.identifier, GROWING))
    env.flush_all()
    env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
    # The journal of credits refers to messages, and guards itself against this.
    guarded = SQL.identifier("whatsapp_billing_credit_entry")
    env.cr.execute(SQL("ALTER TABLE %s DISABLE TRIGGER USER", guarded))
    env.cr.execute(SQL("TRUNCATE %s CASCADE", tables))
    env.cr.execute(SQL("ALTER TABLE %s ENABLE TRIGGER USER", guarded))
    env.cr.execute(SQL("ANALYZE %s", tables))
    env.invalidate_all()


def copy_rows(env, table, record_id, number, **values):
    """Copy a row so many times by SQL; return the ids in order.

    :param values: columns that differ, as SQL over `n`, the number of the copy
    """
    columns = [
        name
        for (name,) in env.execute_query(
            SQL(
                "SELECT column_name FROM information_schema.columns"
                " WHERE table_name = %s AND column_name != 'id'"
                " AND is_generated = 'NEVER'",
                table,
            )
        )
    ]
    rows = env.execute_query(
        SQL(
            "INSERT INTO %s (%s) SELECT %s FROM %s, generate_series(1, %s) n"
            " WHERE id = %s ORDER BY n RETURNING id",
            SQL.identifier(table),
            SQL(", ").join(map(SQL.identifier, columns)),
            SQL(", ").join(values.get(c) or SQL.identifier(c) for c in columns),
            SQL.identifier(table),
            number,
            record_id,
        )
    )
    return [row[0] for row in rows]
