# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import pytest

from rules import statement, workdays


@pytest.mark.parametrize(
    ("country", "expected"),
    [
        ("ES", {0, 1, 2, 3, 4}),
        ("mx", {0, 1, 2, 3, 4}),
        ("SA", {0, 1, 2, 3, 6}),
        ("IR", {0, 1, 2, 3, 5, 6}),
        ("IN", {0, 1, 2, 3, 4, 5}),
        ("ZZ", {0, 1, 2, 3, 4}),
        ("??", {0, 1, 2, 3, 4}),
    ],
)
def test_weekends_are_the_countrys(country, expected):
    assert workdays.of_country(country) == frozenset(expected)


@pytest.mark.parametrize("country", [None, ""])
def test_without_a_country_nobody_knows(country):
    assert workdays.of_country(country) is None


def test_a_list_is_one_line_with_what_is_left_out_counted():
    entries = [(f"INV/{n}", "€10.00", "1/11") for n in range(40)]
    text = statement.join(entries, longest=100)
    assert len(text) <= 100
    assert "\n" not in text
    shown, rest = text.rsplit(" · +", 1)
    assert shown.count(" · ") + 1 + int(rest) == 40


def test_a_short_list_is_whole():
    assert statement.join([("A", "€1", "1/1"), ("B", "€2", "")]) == "A €1 (1/1) · B €2"
    assert statement.join([]) == ""
    assert statement.join([("A" * 600, "€1", "")]) == "A" * 600 + " €1"
