# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Files of messages: where they are kept, and how they are made."""

import pytest

from tests.e2e import scenarios


@pytest.fixture(scope="module")
def found():
    """What came of each scenario."""
    yield from scenarios.played("documents", 180)


def test_files_are_read_wherever_odoo_keeps_them(found):
    went = {"state": "sent", "attempts": [], "words": "", "calls": 1, "same": True}
    assert found["file_on_another_storage"] == went
    assert found["file_that_a_storage_changes_on_our_disk"] == went


def test_a_file_that_is_lost_is_made_anew(found):
    assert found["file_that_is_lost"] == {
        "state": "sent",
        "attempts": ["file"],
        "words": "",
        "calls": 1,
        "same": True,
        "in_place": True,
        "is_pdf": True,
    }


def test_a_file_that_stays_lost_fails_in_words(found):
    one = found["file_that_stays_lost"]
    assert one["words"].startswith("The file INV"), one
    del one["words"]
    assert one == {
        "state": "failed",
        "attempts": ["file"] * 3,
        "calls": 0,
        "uploads": 0,
    }


def test_a_storage_that_is_down_is_not_tried_without_end(found):
    one = found["storage_that_is_down"]
    assert "bucket not reachable" in one["words"], one
    del one["words"]
    assert one == {"state": "failed", "attempts": ["transient"] * 5, "calls": 0}


READY = ["queued", "ready"]


def test_documents_are_made_side_by_side(found):
    assert found["documents_side_by_side"] == [READY] * 4


def test_the_first_goes_while_the_next_is_made(found):
    """Without a job runner it has gone; with one its job is there."""
    went = {"gone_first": True, "states": [["sent", "ready"]] * 2}
    assert found["messages_go_while_documents_are_made"] == went
    waits = {"gone_first": True, "states": [READY] * 2}
    assert found["jobs_begin_while_documents_are_made"] == waits


def test_a_program_that_hangs_is_ended(found):
    one = found["program_that_hangs"]
    assert one["words"].startswith("Making the PDF took longer than 2 seconds"), one
    del one["words"]
    states = [["failed", "failed"], READY]
    assert one == {"states": states, "in_time": True, "left": 0}


def test_an_invoice_that_somebody_works_on_is_left_to_another_run(found):
    assert found["invoice_that_somebody_works_on"] == {
        "meanwhile": [["queued", "pending"], READY],
        "later": [READY, READY],
    }


def test_one_pdf_where_odoo_makes_it_at_the_same_time(found):
    assert found["pdf_that_odoo_makes_meanwhile"] == {
        "theirs": [None],
        "pdfs": 1,
        "is_it": True,
        "states": [READY],
    }


def test_a_qr_code_is_on_what_goes_out(found):
    one = found["qr_code_of_a_payment_link"]
    assert one.get("images", 0) > 0, one
    assert one["outcome"]["state"] == "sent"
