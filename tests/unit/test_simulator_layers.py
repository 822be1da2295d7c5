# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The simulator's files know each other in one direction, and no side knows another."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import simulator

ROOT = Path(simulator.__file__).parent
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path
    for path in sorted(ROOT.rglob("*.py"))
}
SIDES = {path.parent.name for path in ROOT.glob("*/side.py")}
# What may know everybody: the wiring, and what starts it.
AT_THE_TOP = {"__init__", "__main__", "testing", "testkit", "wiring"}


def imported(name: str) -> set[str]:
    """Return the simulator's files that a file imports, for types alone too."""
    package = name.split(".")[:-1]
    found = set()
    for node in ast.walk(ast.parse(FILES[name].read_text("utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        start = package[: len(package) - node.level + 1]
        module = [*start, *(node.module or "").split(".")] if node.module else start
        for alias in node.names:
            inner = [*module, alias.name]
            for target in (inner, [*inner, "__init__"], module, [*module, "__init__"]):
                if ".".join(target) in FILES:
                    found.add(".".join(target))
                    break
    return found


def folder(name: str) -> str:
    return name.split(".")[0] if "." in name else ""


IMPORTS = {name: imported(name) for name in FILES}


def test_imports_have_no_circle():
    try:
        TopologicalSorter(IMPORTS).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("name", [name for name in FILES if folder(name) in SIDES])
def test_a_side_knows_no_other_side(name):
    others = SIDES - {folder(name)}
    assert not {found for found in IMPORTS[name] if folder(found) in others}
    assert not IMPORTS[name] & AT_THE_TOP


@pytest.mark.parametrize(
    "name", [name for name in FILES if not folder(name) and name not in AT_THE_TOP]
)
def test_what_all_sides_share_speaks_no_side_s_language(name):
    assert not {found for found in IMPORTS[name] if folder(found)}


@pytest.mark.parametrize(
    "name", [name for name in FILES if folder(name) not in {"", *SIDES}]
)
def test_what_some_sides_share_knows_none_of_them(name):
    assert not {found for found in IMPORTS[name] if folder(found) in SIDES}


def test_every_import_inside_the_simulator_is_relative():
    for name, path in FILES.items():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            level = getattr(node, "level", 0)
            assert level or not any(
                module.split(".")[0] == "simulator" for module in modules
            ), name
