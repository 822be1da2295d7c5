# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Messages without a template: check the body of each type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..whatsapp.errors import GraphError, Json, invalid
from .template_send import Content, take_media

_MEDIA = ("image", "video", "document", "audio", "sticker")
TYPES = ("text", *_MEDIA, "location", "contacts", "interactive", "reaction", "template")


def session_content(kind: str, payload: Json) -> Content:
    """Return the content of a message that is not a template; raises GraphError."""
    given = payload.get(kind)
    if kind == "contacts":
        return _contacts(given)
    if not isinstance(given, dict):
        raise GraphError(131008, f"{kind} is required")
    if kind in _MEDIA:
        return _media(kind, given)
    return _READERS[kind](given)


def _limited(value: Any, name: str, limit: int, required: bool = True) -> str:
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value.strip()):
        raise GraphError(131008, f"{name} is required")
    if len(value) > limit:
        raise invalid(f"Param {name} must be at most {limit} characters long.")
    return value


def _text(given: Json) -> Content:
    body = _limited(given.get("body"), "text['body']", 4096)
    return Content("text", body=body, raw=given)


def _media(kind: str, given: Json) -> Content:
    caption = _limited(given.get("caption"), f"{kind}['caption']", 1024, False)
    if caption and kind in ("audio", "sticker"):
        raise invalid(f"{kind} cannot have a caption")
    content = Content(kind, body=caption, raw=given)
    take_media(content, kind, given)
    return content


def _location(given: Json) -> Content:
    for name in ("latitude", "longitude"):
        try:
            float(given[name])
        except (KeyError, TypeError, ValueError):
            raise GraphError(131008, f"location['{name}'] is required") from None
    name = str(given.get("name") or "")
    header = {"type": "location", **given}
    return Content("location", body=name, header=header, raw=given)


def _contacts(given: Any) -> Content:
    if not isinstance(given, list) or not given:
        raise GraphError(131008, "contacts is required")
    names = []
    for entry in given:
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, dict) or not name.get("formatted_name"):
            raise GraphError(131008, "contacts[]['name']['formatted_name'] is required")
        names.append(str(name["formatted_name"]))
    return Content("contacts", body=", ".join(names), raw={"contacts": given})


def _reaction(given: Json) -> Content:
    if not given.get("message_id"):
        raise GraphError(131008, "reaction['message_id'] is required")
    return Content("reaction", body=str(given.get("emoji") or ""), raw=given)


def _interactive(given: Json) -> Content:
    kind = given.get("type")
    action = given.get("action")
    if not isinstance(kind, str) or kind not in _ACTIONS:
        raise invalid(
            "Param interactive['type'] must be one of {button, list, cta_url}"
        )
    if not isinstance(action, dict):
        raise GraphError(131008, "interactive['action'] is required")
    content = Content("interactive", raw=given)
    body = given.get("body")
    text = body.get("text") if isinstance(body, dict) else None
    content.body = _limited(text, "interactive['body']['text']", 1024)
    footer = given.get("footer")
    if isinstance(footer, dict):
        content.footer = _limited(footer.get("text"), "interactive['footer']", 60)
    _interactive_header(given.get("header"), content)
    content.buttons = _ACTIONS[kind](action)
    return content


def _interactive_header(header: Any, content: Content) -> None:
    if not isinstance(header, dict):
        return
    kind = str(header.get("type", ""))
    if kind == "text":
        text = _limited(header.get("text"), "interactive['header']['text']", 60)
        content.header = {"type": "text", "text": text}
    elif kind in ("image", "video", "document") and isinstance(header.get(kind), dict):
        take_media(content, kind, header[kind])
    else:
        raise invalid("Param interactive['header']['type'] is not supported")


def _unique(values: list[str], name: str) -> None:
    if len(set(values)) != len(values):
        raise invalid(f"interactive: {name} must be unique")


def _reply_buttons(action: Json) -> tuple[Json, ...]:
    raw = action.get("buttons")
    if not isinstance(raw, list) or not 1 <= len(raw) <= 3:
        raise invalid("interactive['action']['buttons'] must have 1 to 3 buttons")
    buttons = []
    for index, entry in enumerate(raw):
        reply = entry.get("reply") if isinstance(entry, dict) else None
        reply = reply if isinstance(reply, dict) else {}
        uid = _limited(reply.get("id"), "reply['id']", 256)
        title = _limited(reply.get("title"), "reply['title']", 20)
        buttons.append({"index": index, "type": "reply", "text": title, "payload": uid})
    _unique([str(button["payload"]) for button in buttons], "button ids")
    _unique([str(button["text"]) for button in buttons], "button titles")
    return tuple(buttons)


def _list_rows(action: Json) -> tuple[Json, ...]:
    _limited(action.get("button"), "interactive['action']['button']", 20)
    sections = action.get("sections")
    if not isinstance(sections, list) or not 1 <= len(sections) <= 10:
        raise invalid("interactive['action']['sections'] must have 1 to 10 sections")
    rows: list[Json] = []
    for section in sections:
        title = section.get("title") if isinstance(section, dict) else None
        _limited(title, "section['title']", 24, required=len(sections) > 1)
        rows.extend(_row(row) for row in (section or {}).get("rows") or [])
    if not 1 <= len(rows) <= 10:
        raise invalid("interactive list: 1 to 10 rows in total")
    _unique([row["payload"] for row in rows], "row ids")
    return tuple({"index": index, **row} for index, row in enumerate(rows))


def _row(row: Any) -> Json:
    row = row if isinstance(row, dict) else {}
    return {
        "type": "list",
        "text": _limited(row.get("title"), "row['title']", 24),
        "payload": _limited(row.get("id"), "row['id']", 200),
        "description": _limited(
            row.get("description"), "row['description']", 72, False
        ),
    }


def _cta_url(action: Json) -> tuple[Json, ...]:
    parameters = action.get("parameters")
    parameters = parameters if isinstance(parameters, dict) else {}
    if action.get("name") != "cta_url":
        raise invalid("interactive['action']['name'] must be cta_url")
    text = _limited(parameters.get("display_text"), "display_text", 20)
    url = _limited(parameters.get("url"), "url", 2000)
    return ({"index": 0, "type": "url", "text": text, "url": url},)


_ACTIONS: dict[str, Callable[[Json], tuple[Json, ...]]] = {
    "button": _reply_buttons,
    "list": _list_rows,
    "cta_url": _cta_url,
}
_READERS: dict[str, Callable[[Json], Content]] = {
    "text": _text,
    "location": _location,
    "interactive": _interactive,
    "reaction": _reaction,
}
