# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import phonenumbers
import pytest
from hypothesis import given, settings
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


# Numbers as people write them, with something among them: a text drawn from anything is
# none, and what holds for numbers would be tried on none.
written = st.builds(
    lambda text, other, at: text[:at] + other + text[at:],
    st.sampled_from(
        [
            *("+34 600 111 222", "600111222", "0034 600 111 222", "0664/1234567"),
            *(
                "+55 (11) 98123-4567",
                "11 98123 4567",
                "(202) 555-0123",
                "011 15-2345-6789",
            ),
            *(
                "+52 1 55 1234 5678",
                "0049 151 23456789",
                "+241 06 03 12 34",
                "268 464 1234",
            ),
        ]
    ),
    st.text("0123456789 +-/()EVAeva.,x;#\n", max_size=3),
    st.integers(0, 20),
)
COUNTRIES = ["AT", "DE", "US", "ES", "BR", "MX", "AR", "AG", "GA", "XX", "é", None]


def test_any_text_is_a_number_or_is_refused():
    read = set()

    @given(st.text() | written, st.sampled_from(COUNTRIES))
    @settings(max_examples=300)
    def ask(raw, country):
        try:
            number = numbers.normalise(raw, country)
        except numbers.InvalidNumber as error:
            assert error.reason in {"no_number", "invalid_number"}
            read.add(False)
        else:
            assert numbers.is_e164(number)
            read.add(True)

    ask()
    assert read == {True, False}, "all were read, or none"


def each_number_read(check):
    """Call `check(text, number)` for texts that are read as a number; some are."""
    read = set()

    @given(written, st.sampled_from(COUNTRIES))
    @settings(max_examples=300)
    def ask(raw, country):
        try:
            number = numbers.normalise(raw, country)
        except numbers.InvalidNumber:
            return
        read.add(number)
        check(raw, number)

    ask()
    assert len(read) > 10, "next to nothing was read"


def test_a_number_that_was_read_is_read_the_same_again():
    def check(_raw, number):
        assert numbers.normalise(number, None) == number

    each_number_read(check)


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        # GH google/libphonenumber#1302: three letters became "vanity" digits.
        ("0664 1234567 Eva", "AT", "+436641234567"),
        ("0664 1234567 (Oma Eva)", "AT", "+436641234567"),
        ("Mutter 0664 1234567", "AT", "+436641234567"),
        ("Tel.: 0664/1234567", "AT", "+436641234567"),
        ("0664 1234567 ext 12", "AT", "+436641234567"),
        ("0664 1234567 x12", "AT", "+436641234567"),
        ("600 000 001 ext. 4", "ES", "+34600000001"),
        ("tel:+34-600-000-001", None, "+34600000001"),
        ("tel:600000001;phone-context=+34", "FR", "+34600000001"),
        ("tel:+34600000001;ext=12", None, "+34600000001"),
        ("+49 (0) 30 / 123456", None, "+4930123456"),
        ("030/123456", "DE", "+4930123456"),
        (
            "\u0665\u0665 \u0661\u0662\u0663\u0664 \u0665\u0666\u0667\u0668",
            "MX",
            "+525512345678",
        ),
        ("\uff0b\uff13\uff14 600 000 001", None, "+34600000001"),
        # GH twcclegg/libphonenumber-csharp#272: Benin's 01, with its zero.
        ("+229 97 12 34 56", None, "+2290197123456"),
        ("97 12 34 56", "BJ", "+2290197123456"),
        ("+229 01 97 12 34 56", None, "+2290197123456"),
        ("0022997123456", None, "+2290197123456"),
        # GH google/libphonenumber#2693: prefixes that Mexico gave up.
        ("044 55 1234 5678", "MX", "+525512345678"),
        ("045 55 1234 5678", "MX", "+525512345678"),
        ("01 55 1234 5678", "MX", "+525512345678"),
        ("1 55 1234 5678", "MX", "+525512345678"),
        ("+52 1 55 1234 5678", "MX", "+525512345678"),
        ("+52 044 55 1234 5678", None, "+525512345678"),
        ("01 800 123 4567", "MX", "+528001234567"),
        ("07 12 34 56", "CI", "+2250707123456"),
        ("+225 45 12 34 56", None, "+2250545123456"),
        ("+225 01 23 45 67", None, "+2250101234567"),
        ("+241 06 12 34 56", None, "+24166123456"),
        ("07 12 34 56", "GA", "+24177123456"),
        ("(1) 234 5678", "CO", "+576012345678"),
        ("098 123 456", "EC", "+593998123456"),
        ("0168 123 4567", "VN", "+84381234567"),
        ("77 12 34 56", "CM", "+237677123456"),
    ],
)
def test_only_typed_digits_are_used_in_the_spelling_of_today(raw, country, expected):
    assert numbers.normalise(raw, country) == expected


@pytest.mark.parametrize(
    ("raw", "country"),
    [
        ("600 000 001 / 600 000 002", "ES"),
        ("0664 1234567/68", "AT"),
        ("0664 1234567 / 7654321", "AT"),
        ("0664 1234567, 12", "AT"),
        ("0664 1234567\n12345", "AT"),
        ("0664 1234567 oder 664 765", "AT"),
        ("+43 664 1234567 +43 664 12", None),
        ("1-800-FLOWERS", "US"),
        ("0664 EVA 1234567", "AT"),
        ("664 EVA", "AT"),
        ("464 1234", "AG"),
        ("97 12 34 56", None),
        ("044 55 1234 5678", None),
        ("+229 97 12 34", None),
    ],
)
def test_what_is_not_one_typed_number_is_refused(raw, country):
    with pytest.raises(numbers.InvalidNumber) as caught:
        numbers.normalise(raw, country)
    assert caught.value.reason == "invalid_number"


@pytest.mark.parametrize(
    "raw",
    [
        "0664 12345xx",
        "0664 12345 XX",
        "0664 12345 (xx)",
        "0664-12345-XX",
        "0664 12345??",
        "0664 12345**",
        "0664 12345__",
        "0664 12345\N{BULLET}\N{BULLET}",
        "0664 12345\N{HORIZONTAL ELLIPSIS}",
        "0664 12345...",
        "XX0664 12345",
        "?? 0664 12345",
        "0664 12345#",
        "066412345A",
        "0664 12345\N{CIRCLED DIGIT SIX}\N{CIRCLED DIGIT SEVEN}",
        "0664 12345\N{SUPERSCRIPT TWO}",
        "0664 12345 \N{VULGAR FRACTION ONE HALF}",
        "0664 12345\N{ROMAN NUMERAL SEVEN}",
        "0664 12345\N{DIGIT SIX FULL STOP}",
        "0664 12345\u96f6",
        "0664 12345\N{BENGALI DIGIT SIX}\N{BENGALI CURRENCY NUMERATOR ONE}",
    ],
)
def test_a_number_of_which_a_part_is_hidden_is_nobody_s(raw):
    """In a plan of several lengths what is left of it is somebody else's number."""
    assert numbers.normalise("0664 12345", "AT") == "+4366412345"
    with pytest.raises(numbers.InvalidNumber):
        numbers.normalise(raw, "AT")


@pytest.mark.parametrize(
    "raw",
    [
        "0664 1234567 Xaver",
        "Xaver: 0664 1234567",
        "Tel.0664 1234567",
        "0664 1234567 (Eva)",
        "0664 1234567, Eva",
        "0664 1234567. ",
        "0664 1234567 \u738b\u4e00",
        "0664 1234567 ext. 12",
        "0664 1234567 #12",
    ],
)
def test_words_beside_a_number_hide_nothing_of_it(raw):
    assert numbers.normalise(raw, "AT") == "+436641234567"


def test_a_number_never_has_more_digits_than_were_typed():
    def check(raw, number):
        typed = sum(char.isdigit() for char in raw)
        # Country code, and what a country has lengthened every number by.
        assert len(number) - 1 <= typed + 3 + 2

    each_number_read(check)


# Spellings of one subscriber, as (what people and WhatsApp write).
SPELLINGS = [
    ("+5511981234567", "+551181234567"),
    ("+525512345678", "+5215512345678", "+520445512345678", "+52445512345678"),
    ("+5491123456789", "+541123456789"),
    ("+2290197123456", "+22997123456"),
    ("+2250707123456", "+22507123456"),
    ("+2250545123456", "+22545123456"),
    ("+2250101234567", "+22501234567"),
    ("+24166123456", "+24106123456", "+2416123456"),
    ("+24177123456", "+24107123456", "+2417123456"),
    ("+24111712345", "+24101712345"),
    ("+576012345678", "+5712345678"),
    ("+593998123456", "+59398123456"),
    ("+84381234567", "+841681234567"),
    ("+84701234567", "+841201234567"),
    ("+237677123456", "+23777123456"),
    ("+237222123456", "+23722123456"),
]


@pytest.mark.parametrize("spellings", SPELLINGS)
def test_every_spelling_of_one_subscriber_has_one_key(spellings):
    assert len({numbers.person_key(spelling) for spelling in spellings}) == 1
    for spelling in spellings:
        assert numbers.person_key(spelling)


@pytest.mark.parametrize(
    "number", ["+551131234567", "+34600111222", "+15550253483", "ES.1349"]
)
def test_other_recipients_are_their_own_key(number):
    assert numbers.person_key(number) == number


@pytest.mark.parametrize("text", ["", "600111222", "34600111222", "Eva", "+0600", "-"])
def test_what_is_no_recipient_is_nobody(text):
    assert numbers.person_key(text) == ""


REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
digits = st.text("0123456789", min_size=6, max_size=14)
e164s = st.builds("+{}{}".format, st.sampled_from(range(1, 999)), digits).filter(
    numbers.is_e164
)
renumbered = st.builds(
    "+{}{}".format,
    st.sampled_from(["55", "52", "54", "229", "225", "241", "57", "593", "237", "84"]),
    digits,
).filter(numbers.is_e164)


@given(st.one_of(e164s, renumbered))
@settings(max_examples=500)
def test_a_key_is_its_own_key_and_a_number_or_nothing(number):
    key = numbers.person_key(number)
    assert numbers.person_key(key) == key
    assert numbers.is_e164(key)


def neighbours(number):
    """Yield the valid numbers that differ in one of the last digits, six at most."""
    national = str(phonenumbers.parse(number).national_number)
    for place in range(len(number) - min(6, len(national)), len(number)):
        for digit in "0123456789":
            other = f"{number[:place]}{digit}{number[place + 1 :]}"
            if phonenumbers.is_valid_number(phonenumbers.parse(other)):
                yield other


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("kind", ["MOBILE", "FIXED_LINE"])
def test_valid_numbers_of_today_are_never_taken_for_each_other(region, kind):
    """All neighbours of every country's example are subscribers of their own."""
    example = phonenumbers.example_number_for_type(
        region, getattr(phonenumbers.PhoneNumberType, kind)
    )
    if example is None:
        return
    number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    others = {number, *neighbours(number)}
    assert len({numbers.person_key(other) for other in others}) == len(others)


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("kind", ["MOBILE", "FIXED_LINE"])
def test_a_valid_number_of_today_keeps_its_digits(region, kind):
    """Renumbering never makes another subscriber of an example number of any country."""
    example = phonenumbers.example_number_for_type(
        region, getattr(phonenumbers.PhoneNumberType, kind)
    )
    if example is None:
        return
    number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    key = numbers.person_key(number)
    if number.startswith(("+54", "+241")):
        assert key.endswith(number[-6:])
    else:
        assert key == number
    assert numbers.normalise(number, None) in {number, key}


@given(renumbered)
@settings(max_examples=500)
def test_what_is_read_has_the_key_of_what_was_typed(number):
    try:
        read = numbers.normalise(number, None)
    except numbers.InvalidNumber:
        return
    assert numbers.person_key(read) == numbers.person_key(number)


@pytest.mark.parametrize(
    ("number", "fixed"),
    [
        ("+34910000001", True),
        ("+34600000001", False),
        ("+12025550123", False),
        ("+4315130", True),
        ("ES.1349", False),
    ],
)
def test_a_certain_landline_is_known(number, fixed):
    assert numbers.is_fixed_line(number) is fixed


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


@pytest.mark.parametrize(
    ("country", "number"),
    [
        ("AT", "0664 1234567"),
        ("AT", "+43 664 1234567"),
        ("DE", "030 123456"),
        ("DE", "0151 12345678"),
        ("FI", "041 234567"),
        ("NZ", "021 123 4567"),
        ("SO", "+252 71123456"),
        ("ID", "0812 345 678"),
    ],
)
@pytest.mark.parametrize(
    "note",
    [
        *("{} (2)", "{} [2]", "{} (0)", "{} (24)", "{} (12.3.)", "({}) 2", "({}), 34"),
        *("1) {}", "(1) {}", "1. {}", "2: {}", "Tel2 {}", "Tel. 2 {}", "1 - {}"),
    ],
)
def test_a_note_beside_a_number_is_none_of_its_digits(country, number, note):
    """All digits together were somebody else's number, and a valid one."""
    try:
        found = numbers.normalise(note.format(number), country)
    except numbers.InvalidNumber as error:
        assert error.reason == "invalid_number"
    else:
        assert found == numbers.normalise(number, country)


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("8 (029) 491-19-11", "BY", "+375294911911"),
        ("49 (0) 151 12345678", "DE", "+4915112345678"),
        ("+44 (0)7911 123456", "GB", "+447911123456"),
        ("(11) 91234-5678", "BR", "+5511912345678"),
        ("(+43 664) 1234567", "AT", "+436641234567"),
        ("(0664 1234567)", "AT", "+436641234567"),
        ("0664 (1234567)", "AT", "+436641234567"),
        ("1 (212) 555-2368", "US", "+12125552368"),
    ],
)
def test_brackets_and_prefixes_of_a_number_are_its_own(text, country, expected):
    assert numbers.normalise(text, country) == expected
