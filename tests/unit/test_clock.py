# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The product takes the moment from one place: Odoo's clock, which tests can set.

PostgreSQL's `now()` is when the transaction began: minutes ago in a long run, and in a
test never the moment that the test is about.
"""

import re
from pathlib import Path

import pytest

MODULE = Path(__file__).parents[2] / "whatsapp_billing"
FILES = [
    path
    for folder in ("models", "wizard", "report", "controllers")
    for path in sorted((MODULE / folder).rglob("*.py"))
]
SQL_CLOCK = re.compile(
    r"(?<![\w.])now\(\)|current_(date|timestamp)\b|localtimestamp", re.I
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_statement_asks_postgresql_for_the_time(path):
    assert not SQL_CLOCK.search(path.read_text(encoding="utf-8"))
