# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What there is after a reset: accounts, numbers, tokens and one sample template."""

from __future__ import annotations

from .compiled import compile_template
from .state import App, Phone, State, Template, Token, Waba

HELLO = [
    {"type": "HEADER", "format": "TEXT", "text": "Hello World"},
    {
        "type": "BODY",
        "text": "Welcome and congratulations!! This message demonstrates your ability "
        "to send a WhatsApp message notification from the Cloud API, hosted by Meta. "
        "Thank you for taking the time to test with us.",
    },
    {"type": "FOOTER", "text": "WhatsApp Business Platform sample message"},
]


def seed(state: State) -> None:
    """Fill an empty state with the documented defaults."""
    state.apps["100000000000001"] = App("100000000000001", "simulator-app-secret")
    state.apps["100000000000002"] = App("100000000000002", "simulator-app-secret-2")
    state.apps["100000000000003"] = App("100000000000003", "simulator-app-secret-3")
    _account(state, "1", "Simulated Company", "simulator-token")
    _account(state, "2", "Second Company", "simulator-token-2")
    _account(state, "3", "Company at 360dialog", "")
    state.wabas["200000000000003"].provider = "dialog360"
    _phone(state, "1", "34910000001", "+34 910 00 00 01", "1")
    _phone(state, "2", "34910000002", "+34 910 00 00 02", "1", verified=False)
    _phone(state, "3", "15550100003", "+1 555 010 0003", "2")
    _phone(state, "4", "34910000004", "+34 910 00 00 04", "3")


def _account(state: State, digit: str, name: str, token: str) -> None:
    app_uid, waba_uid = "10000000000000" + digit, "20000000000000" + digit
    state.wabas[waba_uid] = Waba(waba_uid, app_uid, name)
    if token:
        state.tokens[token] = Token(token, app_uid, {waba_uid})
    hello = Template(
        state.next_id(10),
        waba_uid,
        "hello_world",
        "en_US",
        "UTILITY",
        [dict(entry) for entry in HELLO],
        compile_template(HELLO, "POSITIONAL"),
        status="APPROVED",
        was_approved=True,
    )
    state.add_template(hello)


def _phone(
    state: State, digit: str, number: str, shown: str, waba: str, verified: bool = True
) -> None:
    waba_uid = "20000000000000" + waba
    phone = Phone(
        "30000000000000" + digit,
        number,
        shown,
        state.wabas[waba_uid].name,
        waba_uid,
        is_verified=verified,
        is_registered=verified,
        status="CONNECTED" if verified else "PENDING",
    )
    state.phones[phone.uid] = phone
