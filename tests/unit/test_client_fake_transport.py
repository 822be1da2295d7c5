# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import ast
from pathlib import Path

import pytest

import clients
from clients.errors import NotConnectedError
from clients.testing import FakeTransport, json_response
from clients.transport import Response, Transport

OK = json_response({"a": 1}, 201, {"X-Trace": "t"})


def test_first_route_that_matches_answers():
    with FakeTransport(
        [("GET", r"/a\?x=1$", OK), ("GET", "/a", Response(404, {}, b""))]
    ):
        transport = FakeTransport()
        transport.add("GET", r"/a\?x=1$", OK)
        transport.add("GET", "/a", Response(404, {}, b""))
        answer = transport.request("GET", "https://x/a", params={"x": 1})
        assert (answer.status, answer.json()) == (201, {"a": 1})
        assert answer.headers["x-trace"] == "t"
        assert transport.request("GET", "https://x/a").status == 404
        transport.assert_all_called()


def test_call_is_remembered():
    transport = FakeTransport([("POST", ".", OK)])
    transport.request(
        "POST", "https://x/a?b=1", headers={"A": "1"}, params={"c": "d e"}
    )
    (call,) = transport.calls
    assert call.headers["a"] == "1"
    assert call.full_url == "https://x/a?b=1&c=d+e"
    assert (call.json, call.data, call.files, call.timeout) == (None, None, None, None)


def test_list_of_answers_is_used_up():
    transport = FakeTransport([("GET", ".", [OK, NotConnectedError()])])
    transport.request("GET", "https://x/")
    with pytest.raises(AssertionError, match="never called"):
        transport.assert_all_called()
    with pytest.raises(NotConnectedError):
        transport.request("GET", "https://x/")
    transport.assert_all_called()
    with pytest.raises(AssertionError, match="unexpected call: GET https://x/"):
        transport.request("GET", "https://x/")


def test_function_answers_a_call():
    transport = FakeTransport([("PUT", ".", lambda call: json_response(call.json))])
    assert transport.request("PUT", "https://x/", json={"b": 2}).json() == {"b": 2}


def test_unexpected_and_missing_calls_fail():
    transport = FakeTransport([("GET", "/a", OK)])
    with pytest.raises(AssertionError, match="unexpected call: POST"):
        transport.request("POST", "https://x/a")
    with pytest.raises(AssertionError, match="never called: GET /a"):
        transport.assert_all_called()


def test_fake_is_a_transport():
    assert isinstance(FakeTransport(), Transport)


# === LAYERS === #


def imported(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "").split(".")[0]


def test_clients_know_neither_odoo_nor_rules_and_one_of_them_http():
    root = Path(clients.__file__).parent
    for path in root.rglob("*.py"):
        names = set(imported(path))
        assert not names & {"odoo", "rules", "..rules", "...rules"}, path
        if path.name != "transport.py":
            assert not names & {"requests", "urllib3", "http"}, path
        depth = len(path.relative_to(root).parts)
        assert not any(name.startswith("." * (depth + 1)) for name in names), path
