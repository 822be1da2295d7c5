# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A model in several files: no file silently takes another one's method away."""

import ast
from collections import defaultdict
from pathlib import Path

MODULE = Path(__file__).resolve().parents[2] / "whatsapp_billing"


def _model_of(node):
    """Return the model that a class makes or extends, None for other classes."""
    found = {}
    for statement in node.body:
        if not isinstance(statement, ast.Assign):
            continue
        target = statement.targets[0]
        if isinstance(target, ast.Name) and target.id in ("_name", "_inherit"):
            found[target.id] = ast.literal_eval(statement.value)
    inherited = found.get("_inherit", [])
    inherited = [inherited] if isinstance(inherited, str) else inherited
    return found.get("_name") or next(iter(inherited), None)


def _calls_super(function):
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "super"
        for node in ast.walk(function)
    )


def _methods():
    """Return {(model, method): [(file, calls super)]} of the whole module."""
    found = defaultdict(list)
    for path in sorted(MODULE.rglob("*.py")):
        if "tests" in path.relative_to(MODULE).parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ClassDef):
                continue
            model = _model_of(node)
            for item in node.body if model else []:
                if isinstance(item, ast.FunctionDef):
                    place = (str(path.relative_to(MODULE)), _calls_super(item))
                    found[model, item.name].append(place)
    return found


def test_a_method_defined_twice_on_a_model_calls_the_other_one():
    hidden = {
        key: places
        for key, places in _methods().items()
        if len(places) > 1 and sum(not calls for _file, calls in places) > 1
    }
    assert not hidden
