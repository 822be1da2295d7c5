# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Files and names that pages and comments send a reader to are there.

A file that moved, or a method with another name, is found by whoever renames it and not
by whoever gets lost.
"""

import re
from pathlib import Path

import pytest

import clients

MODULE = Path(clients.__file__).parent.parent
ROOT = MODULE.parent
PAGES = (*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("doc/*.md"))
# Names of figures are put together by the benchmarks.
CODE_PAGES = [page for page in PAGES if page.parent.name != "benchmarks"]
CODE = (
    *("whatsapp_billing", "test_whatsapp_billing", "simulator", "tests", "tools"),
    "benchmarks",
)
SOURCES = [path for name in CODE for path in (ROOT / name).rglob("*.py")]
# Files of Odoo and of queue_job, as the pages and comments name them.
ELSEWHERE = frozenset(
    {
        *("service/server.py", "service/model.py", "orm/models.py", "sql_db.py"),
        *("odoo/http.py", "odoo/service/model.py", "odoo/tools/translate.py"),
        *("base/models/ir_default.py", "rpc/controllers/xmlrpc.py"),
        *("account/models/account_move_send.py", "mail/models/mail_thread.py"),
        *("mail_activity_mixin.py", "jobrunner/runner.py", "job.py"),
    }
)
# A file between backticks, or with its folder in a comment.
FILE = re.compile(r"`([\w/]+\.(?:py|md|csv|xml|js))`|# ((?:\w+/)+\w+\.py)\b")
# A name of ours between backticks: a method, a constant, a field; not a plain word.
NAME = re.compile(
    r"`(?:\w+\.)*(_?[a-z]\w*_\w+|_[a-z]+|[A-Z]{2,}(?:_[A-Z]+)+)(?:\(\))?`"
)
MARK_OF_PLANS = "(new)"
ODOO_NAMES = {"bypass_search_access"}


def find_lost_files(text, files):
    """Return the files that a text names and nobody has; lines of plans are left out."""
    lines = [line for line in text.splitlines() if MARK_OF_PLANS not in line]
    named = {a or b for a, b in FILE.findall("\n".join(lines))}
    return sorted(
        name
        for name in named - ELSEWHERE
        if not any(f"/{path}".endswith(f"/{name}") for path in files)
    )


def find_lost_names(text, words):
    """Return the names between backticks that are in no source.

    A test is named by what follows `test_`, or by a part of that.
    """
    tests = " ".join(word for word in words if word.startswith("test_"))
    return sorted(name for name in set(NAME.findall(text)) - words if name not in tests)


@pytest.fixture(scope="module")
def files():
    """Return the paths of all files, from the root."""
    found = (path for name in (*CODE, "doc") for path in (ROOT / name).rglob("*"))
    return [str(path.relative_to(ROOT)) for path in found] + ["README.md"]


@pytest.fixture(scope="module")
def words():
    """Return every word of the sources, data and settings."""
    paths = [
        *SOURCES,
        *MODULE.rglob("*.xml"),
        *MODULE.rglob("*.csv"),
        *MODULE.rglob("*.js"),
        ROOT / "Makefile",
    ]
    found = (re.findall(r"\w+", path.read_text("utf-8")) for path in paths)
    return ODOO_NAMES.union(*found)


@pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}"
)
def test_page_names_files_that_are_there(page, files):
    assert find_lost_files(page.read_text("utf-8"), files) == []


@pytest.mark.parametrize(
    "page", CODE_PAGES, ids=lambda page: f"{page.parent.name}/{page.name}"
)
def test_page_names_what_the_code_has(page, words):
    text = page.read_text("utf-8")
    code = "\n".join(re.findall(r"```.*?```", text, re.DOTALL))
    assert find_lost_names(text, words | set(re.findall(r"\w+", code))) == []


@pytest.mark.parametrize("folder", ["whatsapp_billing", "simulator"])
def test_comment_names_files_that_are_there(folder, files):
    lost = {
        str(path.relative_to(ROOT)): found
        for path in SOURCES
        if path.is_relative_to(ROOT / folder)
        and (found := find_lost_files(path.read_text("utf-8"), files))
    }
    assert lost == {}


def test_what_moved_is_found(files):
    text = '# collection/moved_away.py\n"""See `gone.py` and `message.py`."""'
    assert find_lost_files(text, files) == ["collection/moved_away.py", "gone.py"]


def test_what_was_renamed_is_found():
    text = "`_old_name` of `Drain`, `record._kept`, `MAX_ROWS` and `plain`"
    assert find_lost_names(text, {"_kept"}) == ["MAX_ROWS", "_old_name"]
