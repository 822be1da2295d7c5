# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Faults that a test asks for, before or after a call is taken."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from .settings import ControlError

Json = dict[str, Any]

ACTIONS = ("error", "close", "hang", "latency", "html", "garbage", "empty", "status")
_ALIASES: dict[str, Json] = {
    "drop_answer": {"action": "close", "when": "after"},
    "drop_request": {"action": "close", "when": "before"},
    "502": {"action": "html", "when": "before", "http_status": 502},
    "504": {"action": "html", "when": "before", "http_status": 504},
}


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong for the next calls that match."""

    uid: int
    action: str
    path: re.Pattern[str]
    method: str = ""
    when: str = "before"
    count: int = 1
    skip: int = 0
    code: int = 0
    details: str = ""
    subcode: int = 0
    http_status: int = 0
    ms: float = 0
    headers: dict[str, str] = field(default_factory=dict)
    hits: int = 0


class Faults:
    """The faults that wait for their calls."""

    def __init__(self, usual: Json | None = None) -> None:
        """Make a place for faults.

        :param usual: what a fault is where its values do not say: `path`, `code`
        """
        self._usual = usual or {}
        self.rules: list[Fault] = []
        self.made: list[Fault] = []
        self._serial = count(1)
        self._released = asyncio.Event()

    def add(self, values: Json) -> Fault:
        """Add a fault; raises ControlError for what is not one."""
        values = {**values, **_ALIASES.get(str(values.get("action", "")), {})}
        if "action" not in values:
            values["action"] = "error" if "code" in values else "latency"
        fault = _read(next(self._serial), {**self._usual, **values})
        self.rules.append(fault)
        self.made.append(fault)
        return fault

    def clear(self) -> int:
        """Forget all faults and let hanging calls go."""
        gone = len(self.rules)
        self.rules.clear()
        self.made.clear()
        self._released.set()
        self._released = asyncio.Event()
        return gone

    def match(self, method: str, path: str) -> Fault | None:
        """Return the fault for this call, and count it."""
        for fault in self.rules:
            if fault.method and fault.method != method:
                continue
            if not fault.path.search(path):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            return self._hit(fault)
        return None

    def _hit(self, fault: Fault) -> Fault:
        fault.hits += 1
        if fault.count > 0:
            fault.count -= 1
            if not fault.count:
                self.rules.remove(fault)
        return fault

    async def hang(self, milliseconds: float) -> None:
        """Wait until faults are cleared, or for a while."""
        timeout = milliseconds / 1000 if milliseconds else None
        try:
            await asyncio.wait_for(self._released.wait(), timeout)
        except asyncio.TimeoutError:
            return


def _number(values: Json, name: str, default: float) -> Any:
    value = values.get(name, default)
    if value is None and name == "count":
        return -1
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ControlError(f"{name} is a number.")
    return value


def _read(uid: int, values: Json) -> Fault:
    action = str(values["action"])
    if action not in ACTIONS:
        known = ", ".join((*ACTIONS, *_ALIASES))
        raise ControlError(f"action is one of {known}; got {action!r}.")
    when = str(values.get("when", "before"))
    if when not in ("before", "after"):
        raise ControlError("when is before (not taken) or after (taken).")
    try:
        path = re.compile(str(values.get("path", "")))
    except re.error as error:
        raise ControlError(f"path is a regular expression: {error}.") from error
    return Fault(
        uid=uid,
        action=action,
        path=path,
        method=str(values.get("method", "")).upper(),
        when=when,
        count=int(_number(values, "count", 1)),
        skip=int(_number(values, "skip", 0)),
        code=int(_number(values, "code", 0)),
        details=str(values.get("details", "")),
        subcode=int(_number(values, "subcode", 0)),
        http_status=int(_number(values, "http_status", 0)),
        ms=float(_number(values, "ms", 0)),
        headers={str(k): str(v) for k, v in dict(values.get("headers") or {}).items()},
    )


def fault_as_json(fault: Fault) -> Json:
    """Return a fault as the control API shows it."""
    return {
        "id": fault.uid,
        "action": fault.action,
        "when": fault.when,
        "path": fault.path.pattern,
        "method": fault.method,
        "count": fault.count if fault.count > 0 else None,
        "code": fault.code if fault.action == "error" else None,
        "hits": fault.hits,
    }
