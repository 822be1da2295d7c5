# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import inbound

NOON = datetime(2026, 12, 1, 12)


@pytest.mark.parametrize("kind", sorted(inbound.ANSWERS))
def test_what_is_said_to_us_may_decide(kind):
    assert inbound.is_answer(kind)
    assert inbound.is_user_message(kind)
    assert not inbound.is_answer(kind, group=True)
    assert not inbound.is_user_message(kind, group=True)
    assert not inbound.is_answer(kind, has_errors=True)
    assert inbound.is_answer(kind, has_errors=True, has_text=True)


@given(st.text().filter(lambda kind: kind not in inbound.USER_MESSAGES))
def test_a_type_that_nobody_knows_decides_nothing(kind):
    assert not inbound.is_answer(kind, has_text=True)
    assert not inbound.is_user_message(kind)


@pytest.mark.parametrize(
    "kind", ["reaction", "system", "revoke", "edit", "unsupported"]
)
def test_what_is_no_message_decides_nothing(kind):
    assert not inbound.is_answer(kind, has_text=True)
    assert not inbound.is_user_message(kind)


def test_late_is_after_the_window():
    assert not inbound.is_late(NOON, NOON)
    assert not inbound.is_late(NOON, NOON + timedelta(hours=23))
    assert inbound.is_late(NOON, NOON + timedelta(hours=24))


@pytest.mark.parametrize(
    ("media", "word"),
    [
        ({"mime_type": "application/pdf"}, "PDF"),
        ({"mime_type": "IMAGE/JPEG; charset=x"}, "JPEG"),
        ({"mime_type": "application/x-evil"}, ""),
        ({"mime_type": 7}, ""),
        ({}, ""),
    ],
)
def test_files_have_short_words(media, word):
    assert inbound.file_kind(media) == word
