# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""One reading of every address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from clients.addresses import check_api_url, origin, split

REFUSED = [
    "http://evil.example.com:8901\\@graph.facebook.com",
    "https://user@graph.facebook.com",
    "https://a:b@graph.facebook.com/",
    "https://graph.facebook.com:0",
    "https://graph.facebook.com:65536",
    "https://graph.facebook.com:80:80",
    "https://graph.face book.com",
    "https://graph.facebook.com\r\nHost: evil",
    "https://graph%2efacebook.com",
    "https://gr\u0430ph.facebook.com",
    "https://[::1]evil.example.com",
    "https://[fe80::1%25eth0]",
    "https://[1:2]",
    "https://-evil.example.com",
    "https://",
    "https:///path",
    "javascript://graph.facebook.com",
    "",
]


@pytest.mark.parametrize("address", REFUSED)
def test_what_could_be_read_in_two_ways_is_refused(address):
    with pytest.raises(ValueError, match=r"."):
        split(address)
    assert origin(address) == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://Graph.Facebook.com", "https://graph.facebook.com:443/v25.0?x=1#y"),
        ("http://[::1]", "http://[0:0:0:0:0:0:0:1]:80/"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
    ],
)
def test_spellings_of_one_origin_are_one(one, other):
    assert origin(one) == origin(other) != ""


@pytest.mark.parametrize(
    "other",
    [
        "http://graph.facebook.com:443",
        "https://graph.facebook.com:444",
        "https://graph.facebook.com.",
        "https://graph.facebook.com.evil.example.com",
    ],
)
def test_other_origins_are_others(other):
    assert origin(other) not in ("", origin("https://graph.facebook.com"))


@pytest.mark.parametrize(
    "address",
    [
        "https://graph.facebook.com/?a=b",
        "https://graph.facebook.com?a=b",
        "https://graph.facebook.com/#a",
        "https://graph.facebook.com/a%2fb",
        "https://graph.facebook.com/../b",
        "https://graph.facebook.com/a;b",
    ],
)
def test_an_api_address_is_a_plain_path(address):
    with pytest.raises(ValueError, match=r"."):
        check_api_url(address)


def test_this_machine_is_known():
    for address in (
        "http://127.0.0.1",
        "http://127.8.8.8",
        "http://[::1]:8",
        "http://localhost.",
    ):
        assert check_api_url(address).is_loopback, address
    for address in ("http://10.0.0.1", "http://localhost.example.com"):
        assert not check_api_url(address).is_loopback, address


@given(st.text(alphabet="htps:/\\@?#[]%.-_~ab1:\t\n \u0430", max_size=40))
def test_what_is_accepted_is_read_alike_by_the_library_that_connects(tail):
    address = f"https://{tail}"
    try:
        found, _target = split(address)
    except ValueError:
        return
    try:
        theirs = parse_url(address)
    except LocationParseError:
        return
    assert theirs.host.lower() == found.host
    assert (theirs.port or 443) == found.port
    assert theirs.auth is None
