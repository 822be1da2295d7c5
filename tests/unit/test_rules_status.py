# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import status

STATES = [*status.RANK, "received", "played", "warning"]


@pytest.mark.parametrize("old", ["queued", "held", "sending", "unknown", "canceled"])
@pytest.mark.parametrize("new", ["sent", "delivered", "read", "played", "failed"])
def test_evidence_advances_what_we_only_believed(old, new):
    assert status.may_advance(old, new)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("sent", "failed", True),
        ("failed", "sent", False),
        ("failed", "delivered", True),
        ("failed", "read", True),
        ("delivered", "failed", False),
        ("read", "failed", False),
        ("delivered", "read", True),
        ("read", "delivered", False),
        ("read", "played", False),
        ("played", "read", False),
        ("delivered", "sent", False),
        ("sent", "queued", False),
        ("unknown", "queued", False),
        ("unknown", "sending", False),
        ("sent", "sent", False),
        ("received", "read", False),
        ("sent", "received", False),
        ("sent", "warning", False),
        ("warning", "sent", True),
    ],
)
def test_rank_decides(old, new, expected):
    assert status.may_advance(old, new) is expected


@given(st.sampled_from(STATES), st.lists(st.sampled_from(STATES), max_size=5))
def test_order_and_repetition_of_news_change_nothing(old, news):
    first = status.merge(old, *news)
    assert status.merge(first, *news) == first
    assert {status.merge(old, *order) for order in permutations(news)} == {first}


@given(st.sampled_from(STATES), st.sampled_from(STATES))
def test_two_news_never_advance_each_other(one, other):
    assert not (status.may_advance(one, other) and status.may_advance(other, one))


def test_played_is_kept_as_read():
    assert status.merge("delivered", "played") == "read"


def test_every_state_of_what_goes_out_has_its_place():
    assert set(status.BEST_FIRST) == set(status.RANK)
    assert status.BEST_FIRST[0] == "read"
    assert status.BEST_FIRST.index("failed") > status.BEST_FIRST.index("queued")
