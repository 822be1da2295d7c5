# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What kind of thing came from a customer's side, and what it may decide.

Lists of what counts, never of what does not: Meta adds types without telling, and one
that nobody here knows must not pause a reminder, open a window or stop the invoices.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from .window import SERVICE_WINDOW

# Types that a person addresses to us; only these may change cases and consent.
ANSWERS: Final[frozenset[str]] = frozenset(
    {"text", "button", "interactive", "image", "video", "audio", "document"}
)
# Types that a person sends: they open the 24-hour window.
USER_MESSAGES: Final[frozenset[str]] = ANSWERS | {
    "sticker",
    "location",
    "contacts",
    "order",
}
# Types that nobody wrote: opening a chat, a change of number, a permission.
SILENT: Final[frozenset[str]] = frozenset(
    {"request_welcome", "system", "ephemeral", "call_permission_reply"}
)
# MIME type -> short name of a file whose own name has no ending.
_SHORT: Final[Mapping[str, str]] = {
    "application/pdf": "PDF",
    "image/jpeg": "JPEG",
    "image/png": "PNG",
}


def is_answer(
    kind: str, *, group: bool = False, has_errors: bool = False, has_text: bool = False
) -> bool:
    """Tell whether a message may decide anything about debts or consent.

    :param has_errors: the provider says that it could not be carried; then only what
        can be read all the same counts
    """
    return kind in ANSWERS and not group and (has_text or not has_errors)


def is_user_message(kind: str, *, group: bool = False) -> bool:
    """Tell whether a person wrote to us: that opens the window for free text."""
    return kind in USER_MESSAGES and not group


def is_late(said_at: datetime, now: datetime) -> bool:
    """Tell whether the window of a message had closed before we read it.

    Providers repeat for days what could not be brought (an outage of ours): no free
    text may go out any more, and a day that it names may have passed.
    """
    return now >= said_at + SERVICE_WINDOW


def file_kind(media: Mapping[str, Any]) -> str:
    """Return the short word for a file's type: "PDF", "JPEG", or an empty text."""
    mime = str(media.get("mime_type") or "").split(";")[0].strip().lower()
    return _SHORT.get(mime, "")
