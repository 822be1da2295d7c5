# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import csv
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from rules import markets, pricing

DAY = date(2026, 10, 1)
amounts = st.decimals(min_value=0, max_value=10**6, places=6)
dates = st.dates(date(2025, 1, 1), date(2028, 1, 1))


def rate(uid=1, **values):
    defaults = {
        "market": "spain",
        "category": "utility",
        "in_window": False,
        "valid_from": DAY,
        "credits": Decimal(2),
        "price": Decimal("0.02"),
        "currency": "USD",
    }
    return pricing.Rate(uid=uid, **{**defaults, **values})


@pytest.mark.parametrize(
    ("number", "market"),
    [
        ("+34600111222", "spain"),
        ("+442079460000", "united_kingdom"),
        ("+12125551234", "north_america"),
        ("+16135551234", "north_america"),
        ("+15550100003", "north_america"),
        ("+18095551234", "rest_of_latin_america"),
        ("+18295551234", "rest_of_latin_america"),
        ("+18495551234", "rest_of_latin_america"),
        ("+17875551234", "rest_of_latin_america"),
        ("+19395551234", "rest_of_latin_america"),
        ("+16585551234", "rest_of_latin_america"),
        ("+18765551234", "rest_of_latin_america"),
        ("+12425551234", "other"),
        ("+18685551234", "other"),
        ("+79161234567", "russia"),
        ("+77011234567", "kazakhstan"),
        ("+967711234567", "rest_of_middle_east"),
        ("+8801812345678", "bangladesh"),
        ("+35312345678", "rest_of_western_europe"),
        ("+420601123456", "rest_of_central_eastern_europe"),
        ("US.13491208655302741918", "north_america"),
        ("ES.ENT.11815799212886844830", "spain"),
        ("ZZ.1", "other"),
        ("", "other"),
        ("+", "other"),
        ("nonsense", "other"),
    ],
)
def test_a_recipient_belongs_to_the_market_of_its_calling_code(number, market):
    assert markets.market_of(number) == market


@pytest.mark.parametrize("region", sorted(COUNTRY_CODE_TO_REGION_CODE[1]))
def test_every_country_that_shares_plus_one_has_its_own_market(region):
    number = phonenumbers.example_number(region)
    text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    assert markets.market_of(text) == markets.market_of_country(region)


@pytest.mark.parametrize("region", ["RU", "KZ"])
def test_the_two_countries_that_share_plus_seven_are_told_apart(region):
    number = phonenumbers.example_number_for_type(
        region, phonenumbers.PhoneNumberType.MOBILE
    )
    text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    assert markets.market_of(text) == markets.market_of_country(region)


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_a_calling_code_that_is_not_shared_gives_its_countrys_market(region):
    code = phonenumbers.country_code_for_region(region)
    if COUNTRY_CODE_TO_REGION_CODE[code][0] != region or code in (1, 7):
        return
    number = phonenumbers.example_number(region)
    text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    assert markets.market_of(text) == markets.market_of_country(region)


@given(st.text())
def test_any_text_has_a_market(text):
    assert markets.market_of(text) in markets.MARKETS


def test_names_of_price_lists_are_understood():
    for code, label in markets.MARKETS.items():
        assert markets.market_named(label) == markets.market_named(code) == code
    assert markets.market_named("UAE") == "united_arab_emirates"
    assert markets.market_named("Rest of C&E Europe") is not None
    assert markets.market_named("es") == "spain"
    assert markets.market_named("Atlantis") is None


@given(st.lists(dates, min_size=1, unique=True), dates)
def test_the_latest_price_that_has_begun_holds(starts, day):
    rates = [rate(uid=n, valid_from=start) for n, start in enumerate(starts, 1)]
    found = pricing.PriceList(rates).find("spain", "utility", False, day)
    begun = [start for start in starts if start <= day]
    assert (found.valid_from if found else None) == (max(begun) if begun else None)


@given(st.permutations([rate(1), rate(2, priority=1), rate(3, currency="EUR")]))
def test_the_order_of_rows_does_not_matter(rates):
    prices = pricing.PriceList(rates)
    assert prices.find("spain", "utility", False, DAY, "EUR").uid == 3
    assert prices.find("spain", "utility", False, DAY, "USD").uid == 2


def test_a_list_for_all_markets_holds_everywhere():
    prices = pricing.PriceList([rate(market="any", credits=Decimal(1))])
    for market in markets.MARKETS:
        for inside in (False, True):
            assert prices.find(market, "utility", inside, DAY).credits == 1


def test_what_has_no_price_has_none():
    prices = pricing.PriceList([rate(category="marketing")])
    assert prices.find("spain", "utility", False, DAY) is None
    assert prices.find("spain", "marketing", False, DAY - timedelta(days=1)) is None
    assert prices.find("france", "marketing", False, DAY) is None


def test_service_and_authentication_cost_what_utility_does():
    prices = pricing.PriceList([rate()])
    assert prices.find("spain", "service", True, DAY).uid == 1
    assert prices.find("spain", "authentication_international", False, DAY).uid == 1


@given(amounts)
def test_amounts_keep_six_places(amount):
    assert pricing.exact(amount) == amount
    assert pricing.exact(float(amount)) == amount
    assert pricing.exact(amount).as_tuple().exponent == -6


@given(amounts, st.decimals(min_value="0.0001", max_value=1000, places=6))
def test_conversion_is_exact_to_half_of_the_last_place(amount, factor):
    converted = pricing.convert(amount, factor)
    assert abs(converted - amount * factor) <= Decimal("0.0000005")
    assert pricing.convert(amount, 1) == amount


def test_halves_go_up():
    assert pricing.exact("0.0000005") == Decimal("0.000001")


@pytest.mark.parametrize(
    ("told", "category", "is_free"),
    [
        (None, None, False),
        ({}, None, False),
        ("nonsense", None, False),
        ({"type": "regular", "category": "utility"}, "utility", False),
        (
            {"billable": True, "type": "regular", "category": "marketing"},
            "marketing",
            False,
        ),
        (
            {"billable": False, "type": "regular", "category": "utility"},
            "utility",
            True,
        ),
        ({"type": "free_customer_service", "category": "service"}, "service", True),
        ({"type": "free_entry_point", "category": "utility"}, "utility", True),
        ({"type": "free_group_customer_service"}, None, True),
        (
            {"billable": True, "type": "free_entry_point", "category": "utility"},
            "utility",
            False,
        ),
        ({"type": "regular", "category": "marketing_lite"}, "marketing", False),
        (
            {"type": "regular", "category": "authentication-international"},
            "authentication_international",
            False,
        ),
        ({"type": "regular", "category": "group_utility"}, "utility", False),
        (
            {"type": "regular", "subtype": "paid_exempt", "category": "service"},
            "service",
            True,
        ),
        ({"type": "new_type", "category": "general_purpose_ai"}, None, False),
    ],
)
def test_the_providers_words_decide(told, category, is_free):
    found = pricing.settlement(told)
    assert (found.category, found.is_free) == (category, is_free)


@pytest.mark.parametrize(
    ("newest", "today", "outdated"),
    [
        (None, date(2026, 11, 20), True),
        (date(2026, 10, 1), date(2026, 11, 20), False),
        (date(2026, 10, 1), date(2026, 12, 31), False),
        (date(2026, 10, 1), date(2027, 1, 1), True),
        (date(2027, 1, 1), date(2026, 12, 31), False),
    ],
)
def test_a_card_is_old_once_a_quarter_began_without_a_new_one(newest, today, outdated):
    assert pricing.is_outdated(newest, today) is outdated


def test_free_texts_are_limited_since_october():
    assert pricing.free_service_messages(date(2026, 9, 30)) is None
    assert pricing.free_service_messages(date(2026, 10, 1)) == 1000


@given(amounts, amounts, st.integers(1, 400))
def test_credits_last_as_many_days_as_they_cover(available, daily, days):
    today = date(2026, 11, 20)
    end = pricing.lasts_until(available, daily, {}, today, days)
    if end is None:
        assert available >= daily * days
    else:
        covered = (end - today).days + 1
        assert daily * covered <= available < daily * (covered + 1)


def test_planned_messages_shorten_it():
    today = date(2026, 11, 20)
    planned = {today + timedelta(days=3): Decimal(50)}
    end = pricing.lasts_until(Decimal(40), Decimal(0), planned, today)
    assert end == today + timedelta(days=2)


def test_the_shipped_card_prices_every_market_and_category():
    path = Path(pricing.__file__).parents[1] / "data/whatsapp.billing.credit.rate.csv"
    with path.open() as stream:
        rows = list(csv.DictReader(stream))
    assert len({row["id"] for row in rows}) == len(rows)
    assert all(row["source"] and not row["company_id:id"] for row in rows)
    card = pricing.PriceList(
        pricing.Rate(
            uid=number,
            market=row["market"],
            category=row["category"],
            in_window=row["in_window"] == "True",
            valid_from=date.fromisoformat(row["valid_from"]),
            credits=Decimal(row["credits"]),
            price=Decimal(row["price"]),
            currency=row["currency_id:id"].removeprefix("base."),
        )
        for number, row in enumerate(rows)
        if row["pricelist"] == "provider"
    )
    for market in set(markets.MARKETS) - {markets.ANY}:
        for category in ("utility", "marketing", "authentication", "service"):
            for inside in pricing.windows_of(category):
                found = card.find(market, category, inside, DAY, "USD")
                assert (found.market, found.currency) == (market, "USD")
                assert found.credits == pricing.credits_of(found.price) > 0
    spain = card.find("spain", "utility", False, DAY, "USD")
    assert (spain.price, spain.credits) == (Decimal("0.0200"), Decimal(2))
    rupees = card.find("india", "utility", False, DAY, "INR")
    assert rupees.price == Decimal("0.1150")
