# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Cursor pages, as Graph cuts lists."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import urlencode

from ..whatsapp.call import Call
from ..whatsapp.errors import GraphError, Json

_DEFAULT_LIMIT = 25
_MAXIMUM = 1000


def _cursor(position: int) -> str:
    return urlsafe_b64encode(f"sim:{position}".encode()).decode("ascii").rstrip("=")


def _position(cursor: str) -> int:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        word, _colon, number = urlsafe_b64decode(padded).decode("ascii").partition(":")
        if word == "sim":
            return int(number)
    except ValueError:
        pass
    raise GraphError(100, message="Invalid cursors values", subcode=1)


def page(call: Call, rows: list[Json]) -> Json:
    """Cut the page that a call asks for out of a list."""
    raw = call.query.get("limit", str(_DEFAULT_LIMIT))
    if not raw.isdigit() or int(raw) < 1:
        raise GraphError(100, message="Param limit must be an integer greater than 0")
    limit = min(int(raw), _MAXIMUM)
    after, before = call.query.get("after"), call.query.get("before")
    start = _position(after) + 1 if after else 0
    if before:
        start = max(_position(before) - limit, 0)
    shown = rows[start : start + limit]
    answer: Json = {"data": shown}
    if not shown:
        return answer
    last = start + len(shown) - 1
    paging: Json = {"cursors": {"before": _cursor(start), "after": _cursor(last)}}
    if last + 1 < len(rows):
        paging["next"] = _link(call, {"after": _cursor(last)})
    if start:
        paging["previous"] = _link(call, {"before": _cursor(start)})
    answer["paging"] = paging
    return answer


def _link(call: Call, cursor: dict[str, str]) -> str:
    """Link to a page; like Meta's it carries the token, so nobody should store it."""
    query = {k: v for k, v in call.query.items() if k not in ("after", "before")}
    if call.token is not None:
        query["access_token"] = call.token.value
    return f"{call.base_url}{call.path}?{urlencode({**query, **cursor})}"
