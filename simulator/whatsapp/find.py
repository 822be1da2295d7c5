# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Find whom and which number a control call means."""

from __future__ import annotations

from typing import Any

from ..settings import ControlError
from .numbering import digits_of, is_bsuid
from .state import Phone, State, User


def find_user(state: State, number: Any) -> User:
    """Return the user a control call names, making one on first contact."""
    text = str(number or "")
    if not is_bsuid(text) and not 5 <= len(digits_of(text)) <= 15:
        raise ControlError("Give a phone number with country code, or a BSUID.")
    return state.user(text)


def find_phone(state: State, uid: Any, user: User | None = None) -> Phone:
    """Return the business number named, else the one the user last heard from."""
    if uid:
        wanted = str(uid)
        for phone in state.phones.values():
            if wanted == phone.uid or digits_of(wanted) == phone.number:
                return phone
        raise ControlError(f"There is no business number {wanted}.")
    if user is not None and user.chat:
        return user.chat[-1].phone
    return next(iter(state.phones.values()))
