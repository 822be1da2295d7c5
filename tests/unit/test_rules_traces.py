# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import json

from hypothesis import given
from hypothesis import strategies as st

from rules import traces

answers = st.fixed_dictionaries(
    {
        "rule": st.sampled_from(["document_posted", "document_unpaid", "step_due"]),
        "value": st.none()
        | st.booleans()
        | st.integers()
        | st.floats(0, 1e9)
        | st.text(),
        "passed": st.booleans(),
    }
)
some_traces = st.lists(answers, max_size=6)


@given(some_traces)
def test_a_packed_trace_comes_back(trace):
    assert traces.unpack(json.loads(json.dumps(traces.pack(trace)))) == trace


@given(some_traces, some_traces, some_traces)
def test_a_trace_beside_a_message_comes_back(base, trace, rest):
    packed = json.loads(json.dumps(traces.pack_beside(base, trace)))
    assert traces.unpack_beside([*base, *rest], packed) == trace


@given(some_traces, st.floats(0, 1e9), some_traces)
def test_only_what_differs_is_kept(base, amount, rest):
    base = [*base, {"rule": "document_unpaid", "value": 5.0, "passed": True}]
    trace = [*base[:-1], {"rule": "document_unpaid", "value": amount, "passed": True}]
    packed = traces.pack_beside(base, trace)
    assert "own" not in packed and len(packed["values"]) <= 1
    assert traces.unpack_beside([*base, *rest], packed) == trace


def test_the_message_is_not_changed_by_reading_it():
    message = [{"rule": "document_unpaid", "value": 1.0, "passed": True}]
    traces.unpack_beside(message, {"rules": 1, "values": {"0": 2.0}})
    assert message[0]["value"] == 1.0


def test_what_was_erased_is_gone():
    assert traces.unpack_beside([], {"rules": 16, "values": {"2": 1}}) == []


def test_a_later_look_adds_what_failed():
    later = [
        {"rule": "document_posted", "value": "posted", "passed": True},
        {"rule": "document_unpaid", "value": "paid", "passed": False},
    ]
    before = [("document_posted", "posted", True)]
    assert traces.pack_after(before, later) == [
        *before,
        ("document_unpaid", "paid", False),
    ]
    assert traces.pack_after(None, later) == [("document_unpaid", "paid", False)]


def test_without_anything_packed_the_message_speaks():
    message = [{"rule": "document_unpaid", "value": 1.0, "passed": True}]
    assert traces.unpack_beside(message, None) == message
