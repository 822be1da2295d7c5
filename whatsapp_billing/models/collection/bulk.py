# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Thousands of rows in one statement.

New rows go in by COPY, as Odoo's own `load` does it: PostgreSQL reads it several times
faster than any INSERT, and the ORM would take a hundred times as long for rows that
need no computing. Callers give every column that the ORM would fill in.
"""

import io
import json
from datetime import date, datetime
from itertools import repeat

from psycopg2 import extensions

from odoo.tools import SQL

_NULL = "\\N"


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

    :param rows: dictionaries with the same keys; None is NULL
    :param with_user: False where another row says who it was
    """
    if not rows:
        return
    user, now = env.uid if with_user else None, env.cr.now()
    stamps = {"create_uid": user, "write_uid": user}
    stamps |= {"create_date": now, "write_date": now}
    columns = [_column([row[name] for row in rows]) for name in rows[0]]
    columns += [repeat(_text(value), len(rows)) for value in stamps.values()]
    lines = "\n".join(map("\t".join, zip(*columns, strict=True)))
    _copy(env.cr, env[model]._table, [*rows[0], *stamps], lines)


def update(env, model, rows, own=()):
    """Write rows by their ids.

    :param rows: dictionaries with the same keys, `id` among them
    :param own: names of Json columns that differ from row to row; what the others
        have in common is sent once
    """
    if not rows:
        return
    shared = [name for name in rows[0] if name != "id" and name not in own]
    groups, places = {}, []
    for row in rows:
        values = tuple(row[name] for name in shared)
        places.append(groups.setdefault(values, len(groups)))
    env.cr.execute(
        SQL(
            "UPDATE %(table)s AS old SET %(values)s"
            " FROM unnest(%(ids)s::int[], %(places)s::int[] %(own)s)"
            " AS mine (row_id, place %(own_names)s)"
            " JOIN json_populate_recordset(NULL::%(table)s, %(groups)s) AS new"
            " ON new.id = mine.place WHERE old.id = mine.row_id",
            table=SQL.identifier(env[model]._table),
            values=SQL(", ").join(
                [
                    *(
                        SQL("%s = new.%s", *[SQL.identifier(name)] * 2)
                        for name in shared
                    ),
                    *(
                        SQL("%s = mine.%s::jsonb", *[SQL.identifier(name)] * 2)
                        for name in own
                    ),
                ]
            ),
            ids=[row["id"] for row in rows],
            places=places,
            own=SQL().join(
                SQL(", %s::text[]", [_dump(row[name]) for row in rows]) for name in own
            ),
            own_names=SQL().join(SQL(", %s", SQL.identifier(name)) for name in own),
            groups=json.dumps(
                [
                    {"id": place, **dict(zip(shared, values, strict=True))}
                    for values, place in groups.items()
                ],
                default=_plain,
            ),
        )
    )
    env[model].invalidate_model([*shared, *own], flush=False)


def _copy(cr, table, names, lines):
    # COPY and psycopg2's asynchronous waiting (gevent) exclude each other.
    callback = extensions.get_wait_callback()
    extensions.set_wait_callback(None)
    try:
        cr.copy_from(io.StringIO(lines), table, null=_NULL, columns=names)
    finally:
        extensions.set_wait_callback(callback)


def _column(values):
    """Return a column's values as COPY reads them.

    Most are the same all the way or at least of one type: asked once for all.
    """
    kinds, first = set(map(type, values)), values[0]
    if kinds <= {type(None), str, int, bool} and values.count(first) == len(values):
        return repeat(_text(first), len(values))
    if kinds <= {int, float}:
        return map(str, values)
    return map(_escape if kinds == {str} else _text, values)


def _text(value):
    if value is None:
        return _NULL
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return _escape(value if isinstance(value, str) else json.dumps(value))


def _escape(value):
    return (
        value.replace("\\", "\\\\")
        .replace("\t", "\\t")
        .replace("\n", "\\n")
        .replace("\r", "\\r")
    )


def _dump(value):
    return None if value is None else json.dumps(value)


def _plain(value):
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be stored in bulk")
