# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""WhatsApp's markup as HTML, for previews and for the history."""

from __future__ import annotations

import re
from html import escape
from typing import Final

_TAGS: Final[dict[str, str]] = {"*": "strong", "_": "em", "~": "del"}

# Code comes first: nothing inside it is markup. Three back-ticks may span lines.
_CODE: Final = re.compile(r"```(?P<block>.+?)```|`(?P<inline>[^`\n]+)`", re.DOTALL)

# A pair hugs its text, does not cross a line and stands free of letters outside:
# `2*3*4` and `snake_case_name` stay as they are.
_PAIR: Final = re.compile(
    r"(?<!\w)(?P<mark>[*_~])(?=\S)"
    r"(?P<inner>(?:(?!(?P=mark))[^\n])+)(?<=\S)(?P=mark)(?!\w)"
)


def to_html(text: str) -> str:
    """Return a message as it looks on the phone, as safe HTML.

    Everything is escaped before a tag is added, and the only tags are strong, em,
    del, code and `<br/>`, without attributes.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    parts: list[str] = []
    position = 0
    for match in _CODE.finditer(text):
        parts.append(_marked(text[position : match.start()]))
        code = match["block"] or match["inline"]
        parts.append(f"<code>{_plain(code)}</code>")
        position = match.end()
    parts.append(_marked(text[position:]))
    return "".join(parts)


def _plain(text: str) -> str:
    return escape(text).replace("\n", "<br/>")


def _marked(text: str) -> str:
    """Turn pairs into tags; three kinds of mark, so never more than three deep."""
    parts: list[str] = []
    position = 0
    for match in _PAIR.finditer(text):
        parts.append(_plain(text[position : match.start()]))
        tag = _TAGS[match["mark"]]
        parts.append(f"<{tag}>{_marked(match['inner'])}</{tag}>")
        position = match.end()
    parts.append(_plain(text[position:]))
    return "".join(parts)
