# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The main story, as `make story` plays it, on a server like in production."""

from tests.e2e.world import ACCOUNT
from tools.story import Story


def test_story(running):
    # The story begins with a database where nothing is connected yet.
    running.admin.call(ACCOUNT, "unlink", [running.state["account"]])
    seen = Story(running.admin, running.control).play()
    expected = {
        "template_approved",
        "message_sent",
        "pay_link_opens",
        "delivered_shown",
        "read_shown",
        "credit_reserved",
        "credit_settled",
        "held_without_credit",
        "released_when_bought",
        "sent_once",
        "receipt_sent",
        "opt_out_respected",
    }
    assert {key for key in expected if seen.get(key) is True} == expected, seen
    assert seen["pdf_received"]["size"] > 1000
