# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Short forms of traces, where a night writes one for every open instalment.

A trace is a list of {rule, value, passed}. The instalments in one message were asked
the same questions and mostly have the same answers, so beside the message's own trace
each keeps only what was otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter, ne
from typing import Any

Trace = list[dict[str, Any]]

_answer = itemgetter("rule", "value", "passed")


def pack(trace: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return a trace without its keys: (rule, value, passed)."""
    return list(map(_answer, trace))


def unpack(packed: Sequence[Sequence[Any]]) -> Trace:
    """Return the trace that was packed."""
    return [
        {"rule": rule, "value": value, "passed": passed}
        for rule, value, passed in packed
    ]


def pack_after(
    before: Sequence[Sequence[Any]] | None, trace: Sequence[dict[str, Any]]
) -> list[Sequence[Any]]:
    """Return a packed trace with what failed in a later look at the same message."""
    return [*(before or []), *pack([a for a in trace if not a["passed"]])]


def pack_beside(base: Trace, trace: Trace) -> dict[str, Any]:
    """Return a trace as what differs from another that begins a message's trace.

    :return: {"rules": how many, "values": {place: value}} where the same questions
        had the same outcome, else {"own": the trace, packed}
    """
    values: dict[str, Any] = {}
    if len(base) != len(trace):
        return {"own": pack(trace)}
    for place, differs in enumerate(map(ne, trace, base)):
        if differs:
            ours, theirs = trace[place], base[place]
            if ours["rule"] != theirs["rule"] or ours["passed"] != theirs["passed"]:
                return {"own": pack(trace)}
            values[str(place)] = ours["value"]
    return {"rules": len(base), "values": values}


def unpack_beside(message_trace: Trace, packed: dict[str, Any] | None) -> Trace:
    """Return the trace that was packed beside the one that a message's begins with.

    Without anything packed it is the message's own.
    """
    if not packed:
        return list(message_trace)
    if "own" in packed:
        return unpack(packed["own"])
    if len(message_trace) < packed["rules"]:
        return list(message_trace)  # the message's was erased, by its age or its person
    trace = [dict(answer) for answer in message_trace[: packed["rules"]]]
    for place, value in packed["values"].items():
        trace[int(place)]["value"] = value
    return trace
