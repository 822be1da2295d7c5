# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Thousands of rows in one statement, one parameter.

PostgreSQL reads the JSON with the table's own types; the ORM would take a hundred
times as long for rows that need no computing. Callers give every column that the
ORM would fill in.
"""

import json
from datetime import date

from odoo.tools import SQL


def new_ids(env, model, count):
    """Return ids that nobody else gets."""
    rows = env.execute_query(
        SQL(
            "SELECT nextval(%s) FROM generate_series(1, %s)",
            f"{env[model]._table}_id_seq",
            count,
        )
    )
    return [row[0] for row in rows]


def insert(env, model, rows, with_user=True):
    """Insert rows that carry their ids; fills in who and when.

    :param rows: dictionaries with the same keys
    :param with_user: False where another row says who it was
    """
    if not rows:
        return
    now = env.cr.now()
    stamps = {
        "create_uid": env.uid if with_user else None,
        "write_uid": env.uid if with_user else None,
        "create_date": now,
        "write_date": now,
    }
    columns = [*rows[0], *stamps]
    env.cr.execute(
        SQL(
            "INSERT INTO %(table)s (%(columns)s) SELECT %(columns)s"
            " FROM json_populate_recordset(NULL::%(table)s, %(rows)s)",
            table=SQL.identifier(env[model]._table),
            columns=_names(columns),
            rows=_dump([row | stamps for row in rows]),
        )
    )


def update(env, model, rows):
    """Write rows by their ids.

    :param rows: dictionaries with the same keys, `id` among them
    """
    if not rows:
        return
    columns = [name for name in rows[0] if name != "id"]
    env.cr.execute(
        SQL(
            "UPDATE %(table)s AS old SET %(values)s"
            " FROM json_populate_recordset(NULL::%(table)s, %(rows)s) AS new"
            " WHERE old.id = new.id",
            table=SQL.identifier(env[model]._table),
            values=SQL(", ").join(
                SQL("%s = new.%s", SQL.identifier(name), SQL.identifier(name))
                for name in columns
            ),
            rows=_dump(rows),
        )
    )
    env[model].invalidate_model(columns, flush=False)


def _names(columns):
    return SQL(", ").join(SQL.identifier(name) for name in columns)


def _dump(rows):
    """Return JSON; False stands for nothing, as in the ORM, except in booleans."""
    return json.dumps(rows, default=_plain)


def _plain(value):
    if isinstance(value, date):
        return value.isoformat(" ") if hasattr(value, "hour") else value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be stored in bulk")
