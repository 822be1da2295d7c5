# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Thousands of rows in one statement.

New rows go in by COPY, as Odoo's own `load` does it: PostgreSQL reads it several times
faster than any INSERT. `create` is for records that other modules may have a say in and
fills in what they add, `insert` for tables of which the caller names every column.
"""

import io
import json
from datetime import date, datetime
from itertools import repeat

from psycopg2 import extensions
from psycopg2.extras import Json

from odoo.models import MAGIC_COLUMNS, BaseModel
from odoo.tools import SQL

# Up to this many records the ORM is as fast as COPY.
FEW = 20
_NULL = "\\N"


def create(model, rows, modules):
    """Create many records, by the ORM where that is as fast or somebody has a say.

    By COPY they get what `create` gives them: who and when, defaults and computed
    fields of whatever module, what depends on them, constraints.

    :param model: an empty recordset with the rights to create them
    :param rows: dictionaries with the same keys: values as columns hold them, None for
        NULL, and therefore as `create` takes them
    :param modules: names of the modules whose overrides of `create` the caller has
        taken into account
    :return: the records, in the same order
    """
    if len(rows) <= FEW:
        return model.create(rows)
    given = rows[0].keys()
    defaults = _read_defaults(model, given)
    if not _can_copy(model, given, defaults, modules):
        return model.create(rows)
    ids = new_ids(model.env, model._name, len(rows))
    full = [
        {"id": record_id, **_make_defaults(model, defaults), **row}
        for record_id, row in zip(ids, rows, strict=True)
    ]
    insert(model.env, model._name, full)
    records = model.browse(ids)
    _follow(records, given)
    return records


def _can_copy(model, given, defaults, modules):
    """Tell whether nobody asks to see each record on its way into the table.

    Other modules inherit `create`; automation rules put theirs on the model itself.
    """
    for cls in type(model).mro():
        if "create" in vars(cls) and cls is not BaseModel:
            if vars(cls).get("_module") not in modules:
                return False
    fields = model._fields
    return all(
        fields[name].store and fields[name].column_type for name in defaults
    ) and (
        not any(f.store and f.precompute and n not in given for n, f in fields.items())
    )


def _read_defaults(model, given):
    """Return {name: default} of the fields that the caller gives no value."""
    names = [n for n in model._fields if n not in given and n not in MAGIC_COLUMNS]
    return model.default_get(names)


def _make_defaults(model, defaults):
    """Return columns of one row for {name: default}; asked anew for each row."""
    if not defaults:
        return {}
    values = model.default_get(list(defaults))
    return {
        name: _plain_column(
            model._fields[name].convert_to_column_insert(value, model, values)
        )
        for name, value in values.items()
    }


def _plain_column(value):
    return value.adapted if isinstance(value, Json) else value


def _follow(records, given):
    """Do for new rows what the ORM does besides: recompute, forget, check."""
    env, own = records.env, records._fields
    inverses = [
        inverse
        for name in given
        if own[name].relational or own[name].type == "many2one_reference"
        for inverse in records.pool.field_inverses[own[name]]
    ]
    for inverse in inverses:
        env[inverse.model_name].invalidate_model([inverse.name], flush=False)
    kept = [f for n, f in own.items() if f.store and f.compute and n in given]
    with env.protecting([(kept, records)]):
        for name, field in own.items():
            if field.store and field.compute and name not in given:
                env.add_to_compute(field, records)
        records.modified(own, create=True)
    records._validate_fields(given)


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
    # psycopg2 refuses COPY while a wait callback (gevent's) is set.
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
