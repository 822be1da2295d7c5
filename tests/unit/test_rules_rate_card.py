# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import rate_card


def test_a_line_for_each_price():
    rows, problems = rate_card.parse(
        "market,category,in_window,price,currency,valid_from,credits\n"
        "Spain,utility,no,0.0200,USD,2027-01-01,2\n"
        "fr,Marketing,,0.0859,,,\n"
    )
    assert not problems
    assert rows[0] == rate_card.CardRow(
        "spain", "utility", False, Decimal("0.02"), Decimal(2), "USD", date(2027, 1, 1)
    )
    assert [(row.market, row.in_window) for row in rows[1:]] == [
        ("france", False),
        ("france", True),
    ]
    assert rows[1].credits is None


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_line_for_each_market_as_the_provider_publishes(mark):
    text = "Market,Currency,Marketing,Utility,Service\nUAE,USD,$0.0576,0.0157,n/a\n"
    rows, problems = rate_card.parse("\ufeff" + text.replace(",", mark))
    assert not problems
    found = {(row.category, row.in_window, row.price) for row in rows}
    assert found == {
        ("utility", False, Decimal("0.0157")),
        ("utility", True, Decimal("0.0157")),
        ("marketing", False, Decimal("0.0576")),
        ("marketing", True, Decimal("0.0576")),
    }


def test_a_decimal_comma():
    rows, _problems = rate_card.parse("market;category;price\nSpain;utility;0,0200\n")
    assert rows[0].price == Decimal("0.02")


def test_every_line_that_cannot_be_read_is_named():
    rows, problems = rate_card.parse(
        "market,category,price\nAtlantis,utility,1\nSpain,utility,free\n"
        "Spain,letters,1\nSpain,utility,-1\nSpain,utility,2\n"
    )
    assert [problem.params["line"] for problem in problems] == [2, 3, 4, 5]
    assert "Atlantis" in problems[0].message
    assert {row.price for row in rows} == {Decimal(2)}


@pytest.mark.parametrize("text", ["", "\n\n", "a,b\n1,2\n", "market\nSpain\n"])
def test_a_file_that_is_no_price_list_says_so(text):
    rows, problems = rate_card.parse(text)
    assert not rows
    assert len(problems) == 1


@given(st.text())
def test_no_file_crashes_it(text):
    rate_card.parse(text)
    rate_card.parse("market,category,price\n" + text)
