# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import consent


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        " Stop. ",
        "STOP!!!",
        "¡STOP!",
        "*STOP*",
        "S.T.O.P.",
        "s t o p",
        "stop stop",
        "STOOOOP",
        "stop 🛑",
        "🛑🛑 STOP 🙏🏽",
        "\u200bSTOP\u200d",
        "ST\u00adOP",
        "\ufeffstop\r\n",
        "\u202astop\u202c",
        "\uff33\uff34\uff2f\uff30",
        "\U0001d412\U0001d413\U0001d40e\U0001d40f",
        "please stop",
        "Stop please, thanks",
        "stopall",
        "STOP ALL",
        "unsubscribe",
        "Unsubscribe me please",
        "END",
        "quit",
        "Cancel",
        "opt-out",
        "OPT OUT",
        "optout",
        "don't message me",
        "don\u2019t message me",
        "don\u00b4t message me",
        "do not contact me",
        "BAJA",
        "bája",
        "baja, por favor",
        "Hola, baja por favor. Gracias",
        "Dar de baja",
        "DARME DE BAJA",
        "quiero darme de baja",
        "PARAR",
        "pare",
        "Alto!",
        "No más",
        "NO MA\u0301S",
        "no mas",
        "cancelar",
        "Cancelar suscripción",
        "CANCELAR SUSCRIPCION",
        "ya no quiero recibir mensajes",
        "sair",
        "SAIR.",
        "cancelar inscrição",
        "CANCELAR INSCRICAO",
        "descadastrar",
        "me descadastre",
        "Remover",
        "não quero receber mensagens",
        "Não quero mais receber mensagens, obrigado",
    ],
)
def test_request_to_stop_is_understood(text):
    assert consent.keyword(text) == "stop"


@pytest.mark.parametrize(
    "text",
    [
        *("START", "start!", "Unstop", "subscribe", "opt in", "ALTA", "alta 👍"),
        *("Dar de alta", "quiero darme de alta por favor", "iniciar", "Reanudar"),
        *("VOLTAR", "retomar", "inscrever-me", "reativar", "suscribirme"),
    ],
)
def test_request_to_start_again_is_understood(text):
    assert consent.keyword(text) == "start"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "🛑",
        "👍",
        "...",
        "please stop by on Monday",
        "please stop by",
        "can you stop the delivery?",
        "I will not stop paying",
        "don't stop",
        "non-stop",
        "end of the month",
        "at the end",
        "cancel the order",
        "cancelar pedido",
        "cancelar la factura",
        "cancelar factura F-42",
        "la bolsa está a la baja",
        "baja el precio",
        "dar baixa",
        "baixa",
        "pode dar baixa no boleto",
        "sin parar",
        "vou sair agora",
        "alto standing",
        "stop promotions",
        "start date?",
        "restart",
        "no",
        "não",
        "nao",
        "para",
        "fim",
        "ok",
        "yes",
        "si",
        "sí",
        "sim",
        "continue",
        "gracias",
        "por favor",
        "Pagado",
        "ya lo pagué",
        "Stop wäre schön, aber " + "lieber nicht " * 20,
    ],
)
def test_other_messages_mean_nothing_special(text):
    assert consent.keyword(text) is None


@given(st.text(max_size=400))
def test_any_text_is_survived(text):
    assert consent.keyword(text) in {None, "stop", "start"}


@given(
    st.sampled_from(["stop", "BAJA", "Sair", "unsubscribe"]),
    st.text(" \t\n.!¡¿?*_~\u200b\u200d\ufe0f🛑🙏", max_size=12),
    st.text(" \t\n.!¡¿?*_~\u200b\u200d\ufe0f🛑🙏", max_size=12),
)
def test_decoration_never_hides_a_stop(word, before, after):
    assert consent.keyword(f"{before}{word}{after}") == "stop"


@given(st.text("abcdefg", min_size=2, max_size=8))
def test_stop_inside_a_sentence_is_no_stop(word):
    assert consent.keyword(f"{word} stop {word}") is None


def test_no_word_both_stops_and_starts_and_all_are_folded():
    assert not consent._STOP & consent._START
    for phrase in consent._STOP | consent._START:
        assert consent.fold(phrase) == phrase
        assert consent._unstretch(phrase) == phrase


def test_consent_without_history_is_none():
    for purpose in consent.PURPOSES:
        assert consent.state([], purpose) == "none"


def test_billing_covers_collections_until_withdrawn():
    history = [consent.Entry("billing", True)]
    assert consent.state(history, "collections") == "granted"
    history.append(consent.Entry("collections", False))
    assert consent.state(history, "collections") == "withdrawn"
    assert consent.state(history, "billing") == "granted"
    history.append(consent.Entry("collections", True))
    assert consent.state(history, "collections") == "granted"
    history.append(consent.Entry("billing", False))
    assert consent.state(history, "collections") == "withdrawn"
    history.append(consent.Entry("billing", True))
    assert consent.state(history, "collections") == "granted"


def test_collections_covers_nothing_else():
    assert consent.state([("collections", True)], "billing") == "none"


def test_marketing_is_covered_by_nothing_but_itself():
    history = [("billing", True), ("collections", True)]
    assert consent.state(history, "marketing") == "none"
    assert consent.state([*history, ("marketing", True)], "marketing") == "granted"


def test_stop_withdraws_everything():
    history = [("billing", True), *((p, False) for p in consent.PURPOSES)]
    assert {consent.state(history, p) for p in consent.PURPOSES} == {"withdrawn"}


entries = st.tuples(st.sampled_from(consent.PURPOSES), st.booleans())


@given(st.lists(entries), st.sampled_from(consent.PURPOSES))
def test_last_row_of_each_purpose_is_enough(history, purpose):
    latest = {}
    for about, granted in history:
        latest.pop(about, None)
        latest[about] = granted
    assert consent.state(latest.items(), purpose) == consent.state(history, purpose)


@given(st.lists(entries), st.sampled_from(consent.PURPOSES), st.booleans())
def test_the_last_word_about_a_purpose_counts(history, purpose, granted):
    expected = "granted" if granted else "withdrawn"
    assert consent.state([*history, (purpose, granted)], purpose) == expected
