# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A statement that a worker repeats: read and planned once."""

import itertools

from odoo.tools import SQL

# Names are of a connection, which a process lends to one worker after the other.
_numbers = itertools.count(1)


class Prepared:
    """One statement on one cursor, whose reading and planning PostgreSQL keeps.

    Of a statement that finds its rows by index, that is most of its time. Planned
    without looking at the arguments: a LIMIT that the plan depends on is written out.

    :param types: of its arguments, as PostgreSQL calls them
    """

    def __init__(self, env, types):
        self._env = env
        self._types = SQL(", ").join(map(SQL, types))
        self._query = None
        self._names = []

    def execute(self, query, *arguments):
        """Return the rows as dictionaries, in one round trip, also the first time.

        :param query: SQL with $1, $2, ... for the arguments; another object than last
            time is prepared anew
        """
        is_new = query is not self._query
        name = f"wab_{next(_numbers)}" if is_new else self._names[-1]
        self._env.flush_all()
        rows = self._env.execute_query_dict(
            SQL(
                "%s SET LOCAL plan_cache_mode = force_generic_plan; EXECUTE %s (%s)",
                self._prepare_sql(name, query) if is_new else SQL(),
                SQL.identifier(name),
                SQL(", ").join(arguments),
            )
        )
        if is_new:
            self._query = query
            self._names.append(name)
        return rows

    def _prepare_sql(self, name, query):
        return SQL("PREPARE %s (%s) AS %s;", SQL.identifier(name), self._types, query)

    def close(self):
        """Leave nothing behind on the connection, which goes to others."""
        for name in self._names:
            self._env.cr.execute(SQL("DEALLOCATE %s", SQL.identifier(name)))
        self._query, self._names = None, []
