# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import ast
import sys
from pathlib import Path

import pytest

import rules

FILES = sorted(Path(rules.__file__).parent.glob("*.py"))
ALLOWED = sys.stdlib_module_names | {"babel", "phonenumbers"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_rules_import_only_themselves_and_pure_libraries(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 1 or node.module.split(".")[0] in ALLOWED
        elif isinstance(node, ast.Import):
            assert {name.name.split(".")[0] for name in node.names} <= ALLOWED


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_marked_sentences_are_literals_that_odoo_can_collect(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_lt":
            (argument,) = node.args
            assert isinstance(argument, ast.Constant)
            # Only named placeholders: what is filled in is known to the translator.
            assert "%" not in argument.value.replace("%(", "")
