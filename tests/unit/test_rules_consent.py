# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import datetime, timedelta

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
        # Misspelt, look-alike letters, digits for letters, a signature below.
        *("STOPP", "sttop", "ЅТОР", "ΒΑJΑ", "st0p", "ST0P!", "STOP 1", "un-subscribe"),
        *("STOP\n\nSent from my iPhone", "Baja\n--\nAna Pérez", "cance1ar"),
        *("STOP\nAna Pérez", "Hola\n\nSTOP\n\nAna", "Baja\n\nana\nAcme, S.L."),
        *("Buenos días\nBAJA\nGracias\nAna",),
        *("buenas stop", "good morning stop", "Buenos días, baja", "ok stop"),
        # Sentences that say what the word says.
        *("do not text me", "stop all messages", "stop whatsapp", "stop spam"),
        *("stop this", "stop writing me", "don't write to me", "delete my number"),
        *("please don't ever send me messages again", "never contact me again"),
        *("stop sending me these reminders", "I don't want any more messages"),
        *("me quiero dar de baja", "Baja WhatsApp", "no me escribas", "darme baja"),
        *("deseo darme de baja", "no me escribáis más", "no me molesten"),
        *("no quiero que me escriban", "no me envíes mensajes", "no me llamen más"),
        *("ya no me manden mensajes", "dejen de mandarme mensajes"),
        *("dejad de escribirme", "bórrenme de la lista", "baja de este numero"),
        *("por favor dejen de enviarme recordatorios", "no quiero que me manden nada"),
        *("pare de me mandar mensagens", "para de mandar mensagem"),
        *("parem de me mandar mensagem", "não me mande mensagem"),
        *("não quero mais receber", "me exclua", "me tira da lista"),
        *("me descadastra", "quero parar de receber", "parem de me incomodar"),
        *("não quero que me mandem mensagens", "não me escrevam mais"),
        # The same without saying to whom.
        *("stop sending", "Do not disturb", "don't text", "do not message anymore"),
        *("dejen de molestar", "no molesten más", "No molestar", "sáquenme"),
        *("quiten mi número", "no autorizo el envío de mensajes", "quítenme de la lista"),
        *("no deseo recibir mensajes", "remova meu número", "exclua o meu número"),
        *("tirem meu contato da lista", "apague meu telefone"),
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
        # The same verbs about something else.
        *("Please stop by tomorrow", "stop by", "no pare la producción"),
        *("deja de preocuparte", "para de 10 unidades", "baja de precio"),
        *("dejen de producir", "pare de 10 cajas", "stop the order", "stop 10 boxes"),
        *("delete my order", "remove me from the invoice", "no me mandes la factura"),
        *("no me escribas a este correo", "don't write to this address"),
        *("do not send me the goods on Monday", "no me envíes el pedido"),
        *("não me mande o boleto errado", "quero parar de pagar juros"),
        *("I never received messages", "no me llegan mensajes", "no recibí mensajes"),
        *("não recebi mensagem", "don't stop sending me messages"),
        *("no dejen de escribirme", "no quiero dejar de recibir mensajes"),
        *("não parem de me mandar mensagens", "never stop", "no me molesta"),
        *("me tira uma dúvida", "el precio no baja", "write me", "text me"),
        *("mándame un mensaje", "me exclua da reunião", "Hello\nstop\nby"),
        *("Baja\n3 cajas", "Stop\nthe order of monday please", "Baja\nde precio"),
        *("Alta\n\nBaja", "STOP\nA\nB\nC\nD", "cancelar\nPedido 42"),
        *("quiten", "borra", "me tira", "I don't want this", "do not send it"),
        *("stop sending the goods", "no molesta", "quiten mi pedido", "remova meu pedido"),
        *("no autorizo el pago", "do not disturb my neighbour", "quita mi número de IVA"),
        *("no deseo recibir el pedido", "exclua o meu boleto"),
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


NOON = datetime(2026, 12, 1, 12, 0, 0)


def word(granted, second=0, source="rpc", purpose="billing", number=1, **more):
    """Return a row of the contact itself about the number that it has now."""
    values = {"is_switch": False, "on_number": False, "same_number": True} | more
    said_at = NOON + timedelta(seconds=second)
    return consent.Word(number, purpose, granted, said_at, source, **values)


def stop(second=0, number=1, **more):
    return word(False, second, "keyword", number=number, **({"on_number": True} | more))


def state(words, purpose="billing"):
    return consent.standing(words, purpose).state


def test_consent_without_history_is_none():
    for purpose in consent.PURPOSES:
        assert consent.standing([], purpose) == ("none", 0, "")


def test_billing_covers_collections_until_withdrawn():
    history = [word(True, 1)]
    assert state(history, "collections") == "granted"
    history.append(word(False, 2, purpose="collections"))
    assert state(history, "collections") == "withdrawn"
    assert state(history, "billing") == "granted"
    history.append(word(True, 3, purpose="collections"))
    assert state(history, "collections") == "granted"
    history.append(word(False, 4))
    assert state(history, "collections") == "withdrawn"
    history.append(word(True, 5))
    assert state(history, "collections") == "granted"


def test_collections_and_marketing_cover_nothing_else():
    assert state([word(True, purpose="collections")], "billing") == "none"
    history = [word(True), word(True, purpose="collections")]
    assert state(history, "marketing") == "none"
    assert state([*history, word(True, purpose="marketing")], "marketing") == "granted"


@pytest.mark.parametrize(
    "later",
    [
        word(True, 60, "user", is_switch=True),
        word(True, 60, "import", is_switch=True),
        word(True, 60, "rpc", is_switch=True),
        word(True, 60, "contract"),
        # A START written before the STOP and delivered after it.
        word(True, -60, "keyword", on_number=True, number=9),
        # The same second: WhatsApp tells no more.
        word(True, 0, "keyword", on_number=True, number=9),
        word(True, 0.7, "rpc", number=9),
        # Evidence about another number, before this contact got the stopped one.
        word(True, 60, "rpc", same_number=False, number=9),
    ],
)
def test_a_stop_is_lifted_by_nothing_but_newer_words(later):
    assert state([stop(), later]) == "withdrawn"
    assert state([later, stop()]) == "withdrawn"


@pytest.mark.parametrize("source", ["rpc", "user", "keyword", "portal", "provider"])
def test_newer_words_lift_a_stop(source):
    assert state([stop(), word(True, 1.5, source, number=2)]) == "granted"


def test_the_switch_takes_back_the_switch_and_no_contract_does():
    off = word(False, 10, "user", is_switch=True)
    assert consent.standing([off], "billing").kind == "switch"
    assert state([word(True, 0, "contract"), off]) == "withdrawn"
    assert state([word(True, 20, "contract"), off]) == "withdrawn"
    assert state([off, word(True, 20, "import", is_switch=True)]) == "granted"
    assert state([word(True, 5), off]) == "withdrawn"
    assert state([off, word(True, 15)]) == "granted"


words = st.builds(
    word,
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from(["user", "rpc", "import", "contract", "keyword", "provider"]),
    st.sampled_from(consent.PURPOSES),
    st.integers(1, 99),
    is_switch=st.booleans(),
    on_number=st.booleans(),
    same_number=st.booleans(),
)
histories = st.lists(words, max_size=8, unique_by=lambda one: one.id)


@given(histories, st.sampled_from(consent.PURPOSES), st.randoms())
def test_the_order_in_which_rows_arrive_changes_nothing(history, purpose, random):
    shuffled = list(history)
    random.shuffle(shuffled)
    assert consent.standing(shuffled, purpose) == consent.standing(history, purpose)


@given(histories, st.sampled_from(consent.PURPOSES))
def test_a_newer_stop_always_withdraws(history, purpose):
    last = stop(6, number=100, purpose=purpose)
    assert state([*history, last], purpose) == "withdrawn"


@given(histories, st.sampled_from(consent.PURPOSES))
def test_newer_words_of_the_same_number_always_grant(history, purpose):
    last = word(True, 7, "rpc", purpose, 100)
    assert state([*history, last], purpose) == "granted"
