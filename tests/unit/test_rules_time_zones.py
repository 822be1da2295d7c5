# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import pytest
import pytz

from rules import time_zones


@pytest.mark.parametrize(
    ("country", "number", "expected"),
    [
        ("US", "+12125551234", "America/New_York"),
        ("US", "+14155552671", "America/Los_Angeles"),
        ("CA", "+16045551234", "America/Vancouver"),
        ("BR", "+5511987654321", "America/Sao_Paulo"),
        ("BR", "+5592991234567", "America/Manaus"),
        ("MX", "+526641234567", "America/Tijuana"),
        ("ES", "+34928123456", "Atlantic/Canary"),
        # Another name of the same zone.
        ("AR", "+5491122223333", "America/Argentina/Buenos_Aires"),
    ],
)
def test_the_area_of_the_number_chooses(country, number, expected):
    zones = pytz.country_timezones[country]
    assert time_zones.choose(zones, number, None) == expected
    # Whoever wrote the customer down sits somewhere else.
    assert time_zones.choose(zones, number, zones[0]) == expected


@pytest.mark.parametrize(
    "number",
    [
        "+34600000001",  # a mobile: anywhere in Spain
        "+12125551234",  # of another country
        "+15551234567",  # of no plan
        "not a number",
        "",
    ],
)
def test_without_an_area_the_first_counts_unless_one_is_proposed(number):
    zones = pytz.country_timezones["ES"]
    assert time_zones.choose(zones, number, None) == "Europe/Madrid"
    assert time_zones.choose(zones, number, "Atlantic/Canary") == "Atlantic/Canary"
    assert time_zones.choose(zones, number, "America/Lima") == "Europe/Madrid"


def test_old_names_are_understood():
    zones = pytz.country_timezones["US"]
    assert time_zones.choose(zones, "", "US/Pacific") == "America/Los_Angeles"


def test_one_zone_or_none_asks_nobody():
    assert time_zones.choose(["Asia/Tokyo"], "", "Europe/Madrid") == "Asia/Tokyo"
    assert time_zones.choose([], "+12125551234", "Europe/Madrid") is None
