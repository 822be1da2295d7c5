# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import numbers


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("+34 600 11 12 22", None, "+34600111222"),
        ("0034 600 111 222", None, "+34600111222"),
        ("(00) 34 600 111 222", None, "+34600111222"),
        ("600 111 222", "ES", "+34600111222"),
        ("600111222", "es", "+34600111222"),
        ("34600111222", "ES", "+34600111222"),
        ("050 123 4567", "SA", "+966501234567"),
        ("00966501234567", "ES", "+966501234567"),
        ("+966 50 123 4567", "SA", "+966501234567"),
        ("+44 (0)20 8366 1177", None, "+442083661177"),
        ("020 8366 1177", "GB", "+442083661177"),
        ("(870)-931-0505", "US", "+18709310505"),
        ("+55 11 8123-4567", None, "+5511981234567"),
        ("+55 11 98123-4567", None, "+5511981234567"),
        ("+52 1 55 1234 5678", None, "+525512345678"),
        ("55 1234 5678", "MX", "+525512345678"),
        ("011 15 2345-6789", "AR", "+5491123456789"),
        ("+54 9 11 2345 6789", None, "+5491123456789"),
        ("\u202a+34\u00a0600\u2009111\u2009222\u202c", None, "+34600111222"),
        (
            "+\uff13\uff14 \uff16\uff10\uff10\uff11\uff11\uff11\uff12\uff12\uff12",
            None,
            "+34600111222",
        ),
        ("whatsapp:+34600111222", None, "+34600111222"),
        ("+1 555 025 3483", None, "+15550253483"),
        ("(555) 010-0003", "US", "+15550100003"),
        ("+44 7700 900123", None, "+447700900123"),
        ("+39 02 1234 5678", None, "+390212345678"),
    ],
)
def test_number_as_typed_is_read(raw, country, expected):
    assert numbers.normalise(raw, country) == expected


@pytest.mark.parametrize("raw", ["", "  ", "\u200b", "\n"])
def test_nothing_is_no_number(raw):
    with pytest.raises(numbers.InvalidNumber) as caught:
        numbers.normalise(raw, "ES")
    assert caught.value.reason == "no_number"


@pytest.mark.parametrize(
    ("raw", "country"),
    [
        ("600111222", None),
        ("600111222", ""),
        ("600111222", "XX"),
        ("600111222", "US"),
        ("+34 123 456 789", None),
        ("+34 600 11 12", None),
        ("+34 600 111 222 333", None),
        ("600 111 222 / 600 333 444", "ES"),
        ("600111222\n600333444", "ES"),
        ("+999 600111222", None),
        ("12345", "ES"),
        ("abc", "ES"),
        ("ES.1349120865", "ES"),
        ("US.2025550123", "US"),
        ("000", "ES"),
    ],
)
def test_what_cannot_be_dialled_is_invalid(raw, country):
    with pytest.raises(numbers.InvalidNumber) as caught:
        numbers.normalise(raw, country)
    assert caught.value.reason == "invalid_number"


@given(st.text(), st.sampled_from([None, "ES", "US", "BR", "AR", "XX", "é"]))
def test_any_text_is_a_number_or_is_refused(raw, country):
    try:
        number = numbers.normalise(raw, country)
    except numbers.InvalidNumber as error:
        assert error.reason in {"no_number", "invalid_number"}
    else:
        assert numbers.is_e164(number)


@given(st.text("0123456789+-() ", min_size=6, max_size=18), st.sampled_from("ES BR"))
def test_a_number_that_was_read_is_read_the_same_again(raw, country):
    try:
        number = numbers.normalise(raw, country)
    except numbers.InvalidNumber:
        return
    assert numbers.normalise(number, None) == number


digits = st.text("0123456789", min_size=8, max_size=12)
e164s = st.builds(
    "+{}{}".format, st.sampled_from(["55", "52", "54", "34", "1"]), digits
)


@given(e164s)
def test_variants_are_symmetric_and_include_the_number(number):
    found = numbers.variants(number)
    assert number in found
    for other in found:
        assert numbers.variants(other) == found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+5511981234567", "+551181234567"),
        ("+525512345678", "+5215512345678"),
        ("+5491123456789", "+541123456789"),
    ],
)
def test_old_and_new_spelling_are_the_same_person(one, other):
    assert numbers.variants(one) == {one, other}
    assert numbers.variants(other) == {one, other}


@pytest.mark.parametrize("number", ["+551131234567", "+34600111222", "ES.1349", ""])
def test_other_numbers_have_one_spelling(number):
    assert numbers.variants(number) == {number}


@pytest.mark.parametrize(
    "text", ["US.13491208655302741918", "ES.ENT.abcDEF123", "ES." + "9" * 128]
)
def test_user_ids_are_recognised(text):
    assert numbers.is_bsuid(text)


@pytest.mark.parametrize(
    "text", ["", "+34600111222", "es.123", "ESP.123", "ES.", "ES.12 3", "ES.1\n", "ES"]
)
def test_other_texts_are_no_user_ids(text):
    assert not numbers.is_bsuid(text)


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+34600111222", "ES"),
        ("+12025550123", "US"),
        ("+14165550123", "CA"),
        ("+18095550123", "DO"),
        ("+77011234567", "KZ"),
        ("+15550253483", "US"),
        ("+447700900123", "GB"),
        ("ES.1349", "ES"),
        ("+80012345678", ""),
        ("+9996001112", ""),
        ("34600111222", ""),
        ("", ""),
    ],
)
def test_country_of_a_recipient(number, country):
    assert numbers.country_of(number) == country


@given(e164s)
def test_mask_shows_four_digits_at_most(number):
    masked = numbers.mask(number)
    assert len(masked) == len(number)
    assert sum(char.isdigit() for char in masked) == 4


def test_mask_of_other_recipients():
    assert numbers.mask("+34600111222") == "+34*******22"
    assert numbers.mask("ES.1349120865") == "ES.***65"
    assert numbers.mask("ES.1349") == "ES.***"
    assert numbers.mask("600111222") == "***"
    assert numbers.mask("") == ""
