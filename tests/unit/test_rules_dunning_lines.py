# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The last look at a line that a waiting reminder names."""

from datetime import date

import pytest

from rules.dunning import Line
from rules.dunning_lines import find_change


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({}, None),
        ({"is_off": True}, "not_enabled"),
        # What ends it for good is said before what somebody may switch on again.
        ({"is_off": True, "is_cleared": True}, "already_paid"),
        ({"is_off": True, "state": "disputed"}, "disputed"),
        ({"is_off": True, "open_amount": 60.0}, "not_enabled"),
        ({"open_amount": 60.0}, "superseded"),
        ({"no_followup": True}, "no_followup"),
        ({"state": "promised"}, "paused"),
        ({"document": "draft"}, "draft"),
    ],
)
def test_why_a_line_may_not_be_named_any_more(facts, reason):
    line = Line(
        **{
            "line_id": 1,
            "move_id": 1,
            "debtor_id": 1,
            "plan_id": None,
            "due": date(2026, 11, 1),
            "open_amount": 100.0,
            "company_amount": None,
            "currency": "EUR",
            **facts,
        }
    )
    assert find_change(line, 100.0) == reason
