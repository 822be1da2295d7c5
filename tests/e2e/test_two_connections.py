# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Races between a customer's word, the worker, users and the night."""

import pytest

from tests.e2e import scenarios


@pytest.fixture(scope="module")
def found():
    """What came of each scenario."""
    yield from scenarios.played("two_connections", 120)


def test_stop_that_a_user_s_transaction_cannot_see(found):
    """It queues a message all the same; the claim asks again."""
    assert found["stop_while_a_user_queues"] == {
        "queued": ["queued", ""],
        "state": ["canceled", "opted_out"],
        "calls": 0,
        "consent": "withdrawn",
    }


def test_stop_that_is_not_committed_when_the_worker_comes(found):
    """The worker waits for nobody: it leaves the row to the STOP."""
    assert found["stop_before_the_claim"] == {
        "sent": 0,
        "state": ["canceled", "opted_out"],
        "calls": 0,
    }


def test_stop_that_comes_while_the_worker_claims(found):
    """What is on its way goes once; the STOP is kept and nothing else goes."""
    assert found["stop_during_the_claim"] == {
        "error": None,
        "calls": 1,
        "state": ["sent", ""],
        "later": ["canceled", "opted_out"],
        "consent": "withdrawn",
    }


def test_two_receipts_for_one_message(found):
    """In whichever order: the highest rank, both times, one charge."""
    for one in found["receipts_at_once"]:
        assert one == {
            "waited": True,
            "error": None,
            "state": "read",
            "times": [True, True],
            "settled": 1,
            "events": ["done", "done"],
        }


def test_a_number_is_taken_into_use_once(found):
    """Whoever is later is told so in words."""
    one = found["one_number_in_two_accounts"]
    assert one["waited"]
    assert one["active"] == [True, False]
    assert one["error"].startswith(("UserError", "ValidationError")), one
    assert "duplicate key" not in one["error"]


def test_what_is_left_of_a_reminder_is_told_once(found):
    """By the claim or by the night, not by both."""
    assert found["rest_of_a_reminder_and_the_night"] == {
        "error": None,
        "old": ["canceled", "superseded"],
        "new": ["sent"],
        "replaces": True,
        "names": True,
        "calls": 1,
    }


def test_a_key_that_two_callers_use_at_once(found):
    """The later one is repeated and gets the first one's result; it goes once."""
    assert found["one_key_at_once"] == {
        "waited": True,
        "error": None,
        "same": True,
        "calls": 1,
    }


def test_what_we_refuse_ourselves_is_done_once_more(found):
    """Odoo looked for a code that errors of ours did not have: a traceback."""
    assert found["our_own_refusal"] == {"result": "done", "error": None, "tries": 2}


def test_lanes_do_not_wait_for_each_other(found):
    assert found["lanes_at_once"] == {"left": False, "states": ["done", "done"]}


def test_a_lane_has_one_worker_and_forgets_nothing(found):
    assert found["one_worker_in_a_lane"] == {
        "first": 2,
        "second": 0,
        "calls": ["first", "next"],
        "states": ["done", "done"],
    }


def test_what_one_person_writes_is_applied_by_one_worker_at_a_time(found):
    """The edit finds its message, and what came twice is kept and told once."""
    assert found["words_of_one_person_at_once"] == {
        "waited": [True, True],
        "errors": [None, None],
        "kept": ["wamid.said", "wamid.changed"],
        "text": "two",
        "lines": 2,
        "events": ["done", "done", "done"],
    }


def test_receipts_and_texts_are_read_while_a_number_sends(found):
    assert found["inbox_while_a_number_sends"] == {
        "kept": 1,
        "earlier": ["delivered", ""],
        "later": ["sending", ""],
        "error": None,
        "sent": ["sent", ""],
    }


def test_answer_while_the_invoice_is_being_paid(found):
    """What was closed meanwhile stays closed, whatever they answered."""
    closed = [True, None, "done", "paid", False]
    assert found["answer_while_it_is_paid"] == [closed] * 4


def test_two_workers_with_answers_in_the_wrong_order(found):
    """The newer one stands, though the older one was read later."""
    assert found["answers_in_the_wrong_order"] == [
        True,
        None,
        "paused",
        "claims_paid",
    ]


def test_stop_while_its_contact_is_merged(found):
    """It is read at once, as the survivor's: nothing goes in the meantime."""
    assert found["stop_while_its_contact_is_merged"] == {
        "waited": True,
        "error": None,
        "event": "done",
        "by": True,
        "consent": "withdrawn",
        "state": ["canceled", "opted_out"],
        "calls": 0,
    }


def test_what_was_given_up_and_has_left_after_all(found):
    """The provider knows better than we do."""
    assert found["canceled_while_it_is_called"] == {
        "error": None,
        "state": ["sent", ""],
        "calls": 1,
    }
