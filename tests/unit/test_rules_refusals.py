# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import pytest

from rules.refusals import FAILED, Refusal, Verdict, judge

HELD = Verdict("held", "account_inactive")
DAY = 24 * 3600.0


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({"kind": "account"}, HELD),
        ({"kind": "number"}, HELD),
        ({"kind": "account", "life": 1.0}, HELD),
        ({"kind": "account", "life": 0.0}, FAILED),
        ({"kind": "template"}, Verdict("held", "template_not_approved")),
        ({"kind": "template", "life": -1.0}, FAILED),
        # Free text would wait for a template that it does not have.
        ({"kind": "template", "has_template": False}, FAILED),
        ({"kind": "content"}, FAILED),
        ({"kind": "recipient"}, FAILED),
        ({"kind": "never heard of"}, FAILED),
        ({"kind": "pace"}, Verdict("queued", None, 1.0)),
        ({"kind": "pace", "attempts": 0}, Verdict("queued", None, 1.0)),
        ({"kind": "pace", "attempts": 3}, Verdict("queued", None, 16.0)),
        ({"kind": "pace", "retry_after": 90.0}, Verdict("queued", None, 90.0)),
        ({"kind": "pace", "life": 1.0}, FAILED),
        ({"kind": "pace", "life": 1.1}, Verdict("queued", None, 1.0)),
        ({"kind": "transient", "attempts": 4}, Verdict("queued", None, 240.0)),
        ({"kind": "transient", "attempts": 5}, FAILED),
        ({"kind": "recipient_limit"}, Verdict("queued", None, DAY)),
        ({"kind": "recipient_limit", "attempts": 3}, FAILED),
        ({"kind": "recipient_limit", "life": DAY}, FAILED),
        ({"kind": "connection", "attempts": 99}, Verdict("queued", None, 720.0)),
    ],
)
def test_what_becomes_of_a_refused_message(facts, verdict):
    assert judge(Refusal(**{"attempts": 1, "jitter": 0.0, **facts})) == verdict


def test_waiting_is_spread_out():
    one = judge(Refusal("transient", 1, 0.0)).delay
    other = judge(Refusal("transient", 1, 0.99)).delay
    assert one == 30.0
    assert 30.0 < other < 37.5
