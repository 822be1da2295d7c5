# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import answers

# A Friday.
TODAY = date(2026, 11, 20)
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    ("text", "lang", "expected"),
    [
        ("25/11", "es_ES", date(2026, 11, 25)),
        ("25/11/2026", "es_ES", date(2026, 11, 25)),
        ("25-11-26", "pt_BR", date(2026, 11, 25)),
        ("2026-11-25", "en_US", date(2026, 11, 25)),
        ("11/25", "en_US", date(2026, 11, 25)),
        ("12/01", "en_US", date(2026, 12, 1)),
        ("01/12", "en_GB", date(2026, 12, 1)),
        ("I will pay on Friday", "en_US", date(2026, 11, 27)),
        ("Pagaré el lunes.", "es_ES", date(2026, 11, 23)),
        ("vou pagar na segunda-feira", "pt_BR", date(2026, 11, 23)),
        ("mañana", "es_MX", date(2026, 11, 21)),
        ("Hoje!", "pt_BR", TODAY),
        ("tomorrow please", "en_US", date(2026, 11, 21)),
        ("el 25", "es_ES", date(2026, 11, 25)),
        ("on the 3rd", "en_US", date(2026, 12, 3)),
        ("dia 3 de dezembro", "pt_BR", date(2026, 12, 3)),
        ("25 de noviembre", "es_ES", date(2026, 11, 25)),
        ("Nov 25th, 2026", "en_US", date(2026, 11, 25)),
        ("en 3 días", "es_ES", date(2026, 11, 23)),
        ("in 10 days", "en_US", date(2026, 11, 30)),
        ("daqui a 2 dias", "pt_BR", date(2026, 11, 22)),
        ("5 de enero", "es_ES", date(2027, 1, 5)),
    ],
)
def test_a_plain_date_is_a_promise(text, lang, expected):
    assert answers.understand(text, TODAY, lang) == answers.Answer("promise", expected)


@pytest.mark.parametrize(
    "text",
    [
        "not on Friday",
        "no pago el viernes",
        "não vou pagar sexta",
        "25/11 or 26/11",
        "20 October",
        "31/02",
        "99/99",
        "I paid on Friday and want it back",
        "invoice 25/11",
        "1",
        "25",
        "call me tomorrow at 5",
        "",
        "hello",
        "x" * 200,
        # Who asks says nothing of the kind.
        *("paid?", "¿Ya está pagado?", "Já está pago?", "mañana?", "¿el 25/11?"),
        # Amounts, shares, times and references are no days.
        *(
            "I can pay $20",
            "voy a pagar 15€",
            "pago 30%",
            "el 30 %",
            "si, 20 £",
            "pay 20",
        ),
        *("I will pay by 5:30", "8:30", "hasta 12:15", "pago 12,5", "pay ½", "½"),
        *("pago #21", "pay 2 of 3", "ok 5", "yes 3", "pago 21", "we can pay 25"),
        *(
            "1/2",
            "pago 1/2",
            "pagare 2/3",
            "3/4",
            "3 de 5",
            "2 de 12",
            "24/7",
            "pago 5/6",
        ),
        *("1.12", "pago 1.12", "12 12", "3 12"),
        # The morning, and the second or the fifth of something.
        *("esta mañana", "pago esta mañana", "por la mañana", "la segunda"),
        *("pago la quinta", "segunda", "pago sexta", "a quarta"),
    ],
)
def test_anything_else_takes_a_person(text):
    assert answers.understand(text, TODAY, "es_ES") is None


@pytest.mark.parametrize(
    ("text", "lang", "day"),
    [
        ("el 1/2", "es_ES", date(2027, 2, 1)),
        ("1/12", "es_ES", date(2026, 12, 1)),
        ("el 3 de 12", "es_ES", date(2026, 12, 3)),
        ("na segunda", "pt_BR", date(2026, 11, 23)),
        ("quinta", "pt_PT", date(2026, 11, 26)),
        ("vou pagar sexta", "en_US", date(2026, 11, 27)),
        ("segunda-feira", "es_ES", date(2026, 11, 23)),
        ("para mañana", "es_AR", date(2026, 11, 21)),
    ],
)
def test_what_names_a_day_beyond_doubt_is_one(text, lang, day):
    assert answers.understand(text, TODAY, lang) == answers.Answer("promise", day)


def test_the_second_one_is_no_monday_to_a_brazilian_either():
    for text in ("pago a segunda", "a quinta"):
        assert answers.understand(text, TODAY, "pt_BR") is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("I will pay on ...", "promise"),
        ("Pagaré el día ...", "promise"),
        ("Vou pagar no dia ...", "promise"),
        ("Already paid", "paid"),
        ("Ya está pagado", "paid"),
        ("Já está pago", "paid"),
        ("There is a problem", "problem"),
        ("Hay un problema", "problem"),
        ("Há um problema", "problem"),
        ("Talk to somebody", "person"),
        ("Hablar con alguien", "person"),
        ("Falar com alguém", "person"),
    ],
)
def test_the_buttons_words_are_understood_when_typed(text, kind):
    assert answers.understand(text, TODAY) == answers.Answer(kind)


@pytest.mark.parametrize("kind", answers.KINDS)
def test_a_payload_comes_back_as_it_went(kind):
    assert answers.read_payload(answers.payload(kind, UUID)) == (kind, None, UUID, "")
    with_day = answers.payload(kind, UUID, TODAY)
    assert answers.read_payload(with_day) == (kind, TODAY, UUID, "")


def test_a_problem_may_say_what_it_is_about():
    for about in answers.PROBLEMS:
        text = answers.payload("problem", UUID, about=about)
        assert answers.read_payload(text) == ("problem", None, UUID, about)
    other = answers.payload("problem", UUID, about="weather")
    assert answers.read_payload(other) == ("problem", None, UUID, "")


@pytest.mark.parametrize(
    "text",
    ["", "STOP", "wab:steal:" + UUID, "wab:paid:1", f"wab:paid@2026-99-99:{UUID}"],
)
def test_a_foreign_payload_says_nothing(text):
    assert answers.read_payload(text) is None


# Days around today as people write them: a text drawn from anything names hardly any.
written_days = st.builds(
    lambda days, way: (TODAY + timedelta(days=days)).strftime(way),
    st.integers(-400, 800),
    st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%y", "%d/%m", "%d %B %Y", "%d"]),
)


def test_nothing_is_promised_for_the_past():
    found = set()

    @given(
        st.text(max_size=60) | written_days,
        st.sampled_from(["", "en_US", "es_ES", "pt_BR"]),
    )
    @settings(max_examples=300)
    def ask(text, lang):
        answer = answers.understand(text, TODAY, lang)
        day = answer.day if answer else None
        found.add(day is not None)
        if day:
            assert TODAY <= day <= TODAY + answers.LONGEST

    ask()
    assert found == {True, False}, "every text names a day, or none does"


@given(st.integers(0, 300))
def test_every_day_ahead_can_be_written(ahead):
    day = TODAY + timedelta(days=ahead)
    for text in (day.isoformat(), day.strftime("%d/%m/%Y"), day.strftime("%d %B %Y")):
        assert answers.read_date(text, TODAY, "es_ES") == day


@pytest.mark.parametrize(
    "text",
    [
        "gracias",
        "Muchas gracias!",
        "ok",
        "OK, gracias",
        "👍",
        "👍🏽👍🏽",
        "🙏 ❤️",
        "obrigado",
        "Muito obrigada!!",
        "valeu",
        "thank you!",
        "Thanks for the info",
        "vale, perfecto",
        "noted, thanks 👍",
    ],
)
def test_thanks_is_thanks(text):
    """Thanks decides nothing: it turned promises into pauses."""
    assert answers.understand(text, TODAY).kind == "thanks"


@pytest.mark.parametrize(
    "text",
    [
        "ok?",
        "¿gracias?",
        "gracias pero ya pagué",
        "thanks, but the amount is wrong",
        "listo",
        "hecho",
        "feito",
        "😡",
        "👍 😡",
        "👎",
        "...",
        "hola",
        "buenos dias",
        "",
    ],
)
def test_what_is_more_than_thanks_goes_to_a_person(text):
    assert answers.understand(text, TODAY) is None


def test_a_day_with_thanks_is_a_promise():
    assert answers.understand("ok, mañana", TODAY).kind == "promise"
    assert answers.understand("gracias, el 25/11", TODAY, "es_ES").kind == "promise"
