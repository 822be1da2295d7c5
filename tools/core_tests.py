# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Odoo's own tests of what the module extends, with and without the module.

Odoo's tests know nothing of the module, so each of them says that it changes nothing
for whoever does not use it. Some fail by themselves on this set-up; what counts is that
the same ones pass.
"""

import re
from pathlib import Path

from . import odoo, postgres
from .check import run_tagged
from .ground import say

PLAIN, OURS = "wab_core_plain", "wab_core_ours"
# Odoo's tests, in pieces of a few minutes each.
PIECES = {
    "send": (
        "/odoo/addons/account/tests/test_account_move_send.py",
        "/snailmail_account",
    ),
    "payment": ("/account_payment", "/payment"),
    "invoice": (
        "/account:TestAccountPayment",
        "/account:TestAccountPaymentRegister",
        "/account:TestAccountPaymentItems",
        "/account:TestAccountPartner",
        "/account:TestPortalInvoice",
        "/account:TestAuditTrail",
        "/account:TestMergePartner",
    ),
}
RESULT = re.compile(
    r"(?m)^\S+ \S+ \d+ (?:INFO|ERROR) \S+ odoo\.addons\.(\S+): "
    r"(Starting|skipped|FAIL:|ERROR:) (?:Subtest )?(setUpClass|tearDownClass|\w+\.\w+)"
)


def run(only: str = "") -> int:
    """Run the pieces, or one of them, in both databases and compare.

    :return: 1 where a test passes in one database and not in the other
    """
    pieces = {only: PIECES[only]} if only else PIECES
    _make_databases()
    return max(_compare(piece, tags) for piece, tags in pieces.items())


def _make_databases() -> None:
    """Make one database with what the module depends on, and one with the module."""
    postgres.drop(PLAIN)
    postgres.create(PLAIN, odoo.ensure_base())
    odoo.copy_filestore(odoo.BASE, PLAIN)
    odoo.make_database(OURS, fresh=True)


def _compare(piece: str, tags: tuple[str, ...]) -> int:
    """Run one piece in both databases and say which tests end differently."""
    plain, ours = (_results(name, piece, tags) for name in (PLAIN, OURS))
    different = sorted(
        test for test in {*plain, *ours} if plain.get(test) != ours.get(test)
    )
    for test in different:
        say(f"{test}: {plain.get(test)} without the module, {ours.get(test)} with it")
    failed = sorted(test for test, result in plain.items() if result == "failed")
    say(
        f"{piece}: {len(plain)} tests, {len(different)} end differently with the module;"
        f" without it fail: {', '.join(failed) or 'none'}"
    )
    return 1 if different or not plain else 0


def _results(name: str, piece: str, tags: tuple[str, ...]) -> dict[str, str]:
    """Run tests of Odoo in a database and return {test: passed, skipped or failed}."""
    say(f"Running {piece} in {name} ...")
    return _read(run_tagged(name, ",".join(tags), f"{name}-{piece}"))


def _read(log: Path) -> dict[str, str]:
    """Return {test: passed, skipped or failed} of a log of Odoo."""
    results = {}
    for module, what, test in RESULT.findall(log.read_text(errors="replace")):
        key = f"{module.replace('.tests.', '/')}: {test}"
        if what == "Starting":
            results.setdefault(key, "passed")
        else:
            results[key] = "skipped" if what == "skipped" else "failed"
    return results
