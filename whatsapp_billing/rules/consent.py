# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""May we write to this person, and did they just say otherwise?

Which words count, and why:

- Only a whole message counts, never a word inside a sentence: "please stop by on
  Monday" is about an appointment. Accents, case, punctuation, emoji, invisible
  characters, letters drawn out, spaced out or doubled, look-alike letters, digits for
  letters, signatures, greetings and politeness do not matter.
- Sentences count where they say just that: no more messages to me (`_ask_to_end`). What
  goes on about anything else is no stop: "no me escribas a este correo" is about
  another way to write, "don't stop" and "no dejen de escribirme" are the opposite.
- A stop that is missed breaks the law and the customer's trust; a stop that was not
  meant is visible, recorded, and undone with one word. So in doubt a word stops. "end",
  "quit" and "cancel" could be about an order, but in the USA they are by rule a
  request to stop (47 CFR 64.1200(a)(10), 2025); "cancelar", "alto", "parar" and "sair"
  are their counterparts and are treated alike. Naming something else to cancel
  ("cancel the order", "cancelar factura") is not a stop.
- Portuguese "baixa", "dar baixa" is left out: said about an invoice it means "mark it
  as paid". So are "no", "nao", "fin", "fim", "para" and "remove it": they answer
  questions. "Stop promotions" is left out: Meta reports that button as a marketing
  preference of its own, and it must not switch the invoices off.
- A word that starts again must be plain: "yes", "si", "sim", "ok", "continue" answer
  questions and grant nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Final, NamedTuple

PURPOSES: Final = ("billing", "collections", "marketing")
# Sources of consent that only customers themselves can be.
BY_CUSTOMER: Final = frozenset({"keyword", "provider", "portal"})
# Longer than WhatsApp lets anybody type: not read, as that would take long.
LONGEST_WISH: Final = 5000

# Folded: lower case, no accents, no punctuation.
_STOP: Final[frozenset[str]] = frozenset(
    {
        # English
        "stop",
        "stopall",
        "stop all",
        "end",
        "quit",
        "cancel",
        "revoke",
        "unsubscribe",
        "unsubscribe me",
        "unsub",
        "cancel subscription",
        "opt out",
        "optout",
        "opt me out",
        "i want to opt out",
        "i want to unsubscribe",
        "remove me",
        "remove me from the list",
        "remove me from this list",
        "remove me from your list",
        "take me off the list",
        "take me off your list",
        "stop it",
        "stop now",
        "stop messages",
        "stop messaging",
        "stop messaging me",
        "stop sending messages",
        "stop sending me messages",
        "stop texting me",
        "stop writing to me",
        "stop contacting me",
        "do not message me",
        "dont message me",
        "do not contact me",
        "dont contact me",
        "no more messages",
        "leave me alone",
        # Spanish
        "baja",
        "de baja",
        "dar de baja",
        "darme de baja",
        "dame de baja",
        "deme de baja",
        "denme de baja",
        "darse de baja",
        "quiero la baja",
        "quiero baja",
        "quiero darme de baja",
        "quiero que me den de baja",
        "solicito la baja",
        "solicito baja",
        "alto",
        "basta",
        "basta ya",
        "parar",
        "pare",
        "paren",
        "detener",
        "detener mensajes",
        "salir",
        "no mas",
        "ya no mas",
        "no mas mensajes",
        "no mas avisos",
        "no quiero mensajes",
        "no quiero mas mensajes",
        "no quiero recibir mensajes",
        "no quiero recibir mas mensajes",
        "ya no quiero recibir mensajes",
        "no me escriban",
        "no me escriban mas",
        "no me escribas mas",
        "no me manden mas mensajes",
        "no me envien mas mensajes",
        "dejen de escribirme",
        "deja de escribirme",
        "cancelar",
        "cancelar suscripcion",
        "cancelar subscripcion",
        "cancelar la suscripcion",
        "cancelar mi suscripcion",
        "cancelar mensajes",
        "anular suscripcion",
        "desuscribir",
        "desuscribirme",
        "desuscribirse",
        "eliminarme",
        "borrarme",
        "borrarme de la lista",
        # Portuguese
        "sair",
        "quero sair",
        "sair da lista",
        "parem",
        "pare de mandar mensagem",
        "pare de mandar mensagens",
        "pare de enviar mensagens",
        "parar de receber",
        "parar de receber mensagens",
        "parar mensagens",
        "cancelar inscricao",
        "cancelar a inscricao",
        "cancelar minha inscricao",
        "cancelar subscricao",
        "cancelar assinatura",
        "cancelar mensagens",
        "descadastrar",
        "descadastrar me",
        "me descadastrar",
        "me descadastre",
        "descadastre me",
        "descadastro",
        "quero me descadastrar",
        "desinscrever",
        "desinscrever me",
        "me desinscrever",
        "desinscrever se",
        "remover",
        "remover me",
        "me remover",
        "me remova",
        "me remova da lista",
        "remover da lista",
        "me tire da lista",
        "nao mais",
        "nao quero mensagens",
        "nao quero mais mensagens",
        "nao quero receber mensagens",
        "nao quero mais receber mensagens",
        "nao quero receber mais mensagens",
        "nao me mande mais mensagens",
        "nao me mandem mais mensagens",
    }
)

_START: Final[frozenset[str]] = frozenset(
    {
        # English
        "start",
        "unstop",
        "resume",
        "subscribe",
        "subscribe me",
        "resubscribe",
        "opt in",
        "optin",
        "opt me in",
        # Spanish
        "alta",
        "de alta",
        "dar de alta",
        "darme de alta",
        "dame de alta",
        "deme de alta",
        "quiero darme de alta",
        "iniciar",
        "reanudar",
        "reactivar",
        "suscribir",
        "suscribirme",
        "suscribirse",
        "quiero suscribirme",
        # Portuguese
        "voltar",
        "retomar",
        "reativar",
        "inscrever",
        "inscrever me",
        "me inscrever",
        "quero me inscrever",
    }
)

# Longer phrases first, so that "por favor" goes as one.
_POLITE: Final[tuple[str, ...]] = (
    *("good morning", "good afternoon", "good evening", "buenas noches", "boa noite"),
    *("buenas", "buen dia", "hey", "ok", "okay", "dear sirs", "senores"),
    *("thank you", "por favor", "bom dia", "buenos dias", "buenas tardes", "boa tarde"),
    *("please", "pls", "plz", "thanks", "thx", "hi", "hello", "porfavor", "porfa"),
    *("favor", "xfa", "gracias", "hola", "obrigado", "obrigada", "oi", "ola"),
)
_POLITE_BEFORE: Final = tuple(f"{phrase} " for phrase in _POLITE)
_POLITE_BEHIND: Final = tuple(f" {phrase}" for phrase in _POLITE)

# Typed, curly, accents used as one.
_NO_APOSTROPHES: Final = str.maketrans("", "", "'\u2019`\u00b4")

# Cyrillic and Greek letters that look like Latin ones.
_LOOK_ALIKES: Final = str.maketrans(
    "АВЕЅІЈКМНОРСТХУасеіјорѕхуΑΒΕΖΗΙΚΜΝΟΡΤΥΧο",
    "ABESIJKMHOPCTXYaceijopsxyABEZHIKMNOPTYXo",
)
_DIGITS: Final = str.maketrans("01345", "oleas")
_SIGNATURES: Final = (
    *("sent from my", "get outlook for", "sent via", "enviado desde", "enviado do"),
    *(
        "enviado de",
        "best regards",
        "kind regards",
        "regards",
        "saludos",
        "atentamente",
    ),
    *("un saludo", "abracos", "atenciosamente"),
)


def _any(*words: str) -> str:
    """Return a pattern of one of these words or patterns."""
    return f"(?:{'|'.join(words)})"


def _ask_to_end() -> re.Pattern[str]:
    """Return the sentences that ask for no more messages, in three languages.

    Built from who is asked to end, which verbs write to somebody, and what is sent; a
    sentence that goes on about anything else is none of them.
    """
    # English
    thing = _any(
        *("messages?", "msgs?", "texts?", "reminders?", "notifications?", "spam"),
        *("whatsapps?", "whatsapp messages?", "sms"),
    )
    things = rf"(?:(?:all|any|more|the|your|these|those|this) )*{thing}"
    more = _any("any ?more", "again", "ever", "ever again", "now", "anymore please")
    write = _any("text", "write", "message", "contact", "bother", "spam", "call")
    texting = _any(
        *("texting", "writing", "messaging", "contacting", "bothering", "spamming"),
        *("calling", "harassing"),
    )
    to_me = r"(?:(?:to )?(?:me|us)|(?:to )?(?:this|my) number)"
    on = r"(?: (?:on|by|over|via) whatsapp| here)?"
    never = r"(?:do not|dont|never|please do not|please dont)(?: ever)?"
    english = (
        rf"{never} {write} {to_me}{on}(?: {more})?",
        rf"{never} (?:text|message|disturb|bother|spam){on}(?: {more})?",
        rf"{never} (?:send|give) {to_me} {things}(?: {more})?",
        rf"{never} send {things}(?: {to_me})?(?: {more})?",
        rf"(?:please )?stop {texting}(?: {to_me})?{on}(?: {more})?",
        rf"(?:please )?stop sending(?: {to_me})?(?: {things})?{on}(?: {more})?",
        rf"(?:please )?stop (?:{things}|this|these|it)(?: {more})?",
        (
            rf"i (?:do not|dont|no longer) (?:want|wish)(?: to (?:get|receive))? {things}"
            rf"(?: from you)?(?: {more})?"
        ),
        (
            r"(?:please )?(?:delete|remove|erase) (?:me|my (?:phone )?number)"
            r"(?: from (?:the|your|this) list)?"
        ),
    )
    # Spanish
    cosa = _any(
        *("mensajes?", "avisos?", "recordatorios?", "whatsapps?", "notificaciones"),
        *("publicidad", "spam", "nada", "sms"),
    )
    cosas = rf"(?:(?:mas|los|sus|tus|estos|esos|ningun) )*{cosa}(?: mas)?"
    escriba = _any(
        *("escrib(?:as?|an|ais)", "contact(?:es?|en|eis)", "molest(?:es|en|eis)"),
        *("llam(?:es?|en|eis)", "moleste"),
    )
    mande = r"(?:mand|envi)(?:es?|en|eis)"
    escribir = _any("escribir", "contactar", "molestar", "llamar")
    dejen = r"(?:deja|deje|dejen|dejad|para|pare|paren|parad)"
    aqui = r"(?: (?:por|al|en) (?:el )?whatsapp| por aqui)?"
    mas = r"(?: mas| nunca mas| nunca)?"
    numero = r"(?:(?:de|a|para) )?(?:este|mi) (?:numero|telefono|movil|celular)"
    yo = r"(?:me|nos)"
    lista = r" de (?:la|su|esta|tu) (?:lista|base de datos|base)"
    spanish = (
        rf"(?:ya )?no {yo} {escriba}{mas}{aqui}",
        rf"(?:ya )?no {yo} {mande}{mas} {cosas}{aqui}",
        rf"(?:ya )?no quiero que {yo} {escriba}{mas}{aqui}",
        rf"(?:ya )?no quiero que {yo} {mande}{mas} {cosas}{aqui}",
        rf"(?:ya )?no quiero (?:recibir )?{cosas}{aqui}",
        rf"{dejen} de {escribir}{yo}{aqui}",
        rf"{dejen} de molestar{aqui}",
        rf"(?:ya )?no molest(?:es|en|eis|ar){mas}{aqui}",
        rf"(?:ya )?no (?:autorizo|deseo) (?:recibir |el envio de )?{cosas}{aqui}",
        rf"{dejen} de (?:mandar|enviar)(?:{yo})? {cosas}{aqui}",
        (
            r"(?:(?:me )?(?:quiero|deseo|quisiera|solicito|necesito) )?"
            rf"(?:dar(?:me)?|la)(?: de)? (?:la )?baja(?: de)?(?: {numero})?"
        ),
        rf"baja (?:{numero}|(?:de |del |en )?whatsapp|(?:de )?(?:los )?{cosas})",
        rf"(?:borr|elimin)(?:ame|eme|enme|adme)(?:{lista})?",
        rf"(?:borr|elimin|quit|sac|saqu)(?:ame|eme|enme|adme){lista}",
        rf"(?:quit|saqu)(?:enme|adme)(?:{lista})?",
        rf"(?:borr|elimin|quit|sac|saqu)(?:a|e|en|ad|ar) mi (?:numero|telefono)(?:{lista})?",
    )
    # Portuguese
    coisa = _any(
        *("mensage(?:m|ns)", "avisos?", "lembretes?", "cobrancas?", "whatsapp", "spam"),
        *("nada", "notificacoes", "zap"),
    )
    coisas = rf"(?:(?:mais|as|os|suas|seus|essas|esses) )*{coisa}(?: mais)?"
    escreva = _any(
        *("escrev(?:a|am)", "contat(?:e|em)", "incomod(?:e|em)", "lig(?:ue|uem)"),
        *("perturb(?:e|em)",),
    )
    mandem = r"(?:mand|envi)(?:e|em|a|am)"
    incomodar = _any("incomodar", "escrever", "contatar", "perturbar", "ligar")
    parem = r"(?:para|pare|parem|parar|quero parar)"
    da_lista = r"(?: (?:da|de sua|dessa|desta) lista| do (?:seu )?cadastro)"
    portuguese = (
        rf"nao me {escreva}(?: mais)?",
        rf"nao me {mandem}(?: mais)? {coisas}",
        rf"nao quero que me {escreva}(?: mais)?",
        rf"nao quero que me {mandem}(?: mais)? {coisas}",
        rf"nao quero(?: mais)? receber(?: (?:mais|{coisas}))?",
        rf"{parem} de (?:me )?(?:mandar|enviar)(?: me)? {coisas}",
        rf"{parem} de me {incomodar}",
        rf"quero parar de receber(?: {coisas})?",
        rf"me (?:exclua|excluam|remova|removam|descadastra|descadastrem){da_lista}?",
        rf"me (?:tira|tire|tirem|apaga|apague){da_lista}",
        (
            r"(?:remov|exclu|apagu|retir|tir)(?:a|am|e|em|ir|ar|er)"
            rf" (?:o )?meu (?:numero|telefone|contato){da_lista}?"
        ),
    )
    return re.compile("|".join((*english, *spanish, *portuguese)))


_SENTENCE_STOP: Final = _ask_to_end()

# Lines below a STOP that may be a signature, and words in each.
_NAME_LINES: Final = 2
_NAME_WORDS: Final = 4

# Longer than any phrase with its politeness; a longer message is a sentence.
_MAX_LENGTH: Final = 120


class Word(NamedTuple):
    """One grant or withdrawal of one purpose, as the ledger keeps it.

    :param said_at: the customer's own time where they said it, else the moment at which
        it was recorded
    :param source: user, rpc, import, contract, keyword, provider or portal
    :param is_switch: whether it is the switch in Odoo alone, without any words
    :param on_number: whether it is about a number, whoever has it
    :param same_number: whether it was said about the number that is asked about
    """

    id: int
    purpose: str
    granted: bool
    said_at: datetime
    source: str
    is_switch: bool
    on_number: bool
    same_number: bool


class Standing(NamedTuple):
    """Tell the state, which row makes it so, and what kind of row that is.

    :param state: granted, withdrawn or none
    :param consent_id: 0 for none
    :param kind: said, switch or contract; "" for none
    """

    state: str
    consent_id: int
    kind: str


# The standing of somebody without any row of consent.
NO_STANDING: Final = Standing("none", 0, "")


def keyword(text: str) -> str | None:
    """Return "stop" or "start" when a whole message asks for it, else None."""
    if len(text) > LONGEST_WISH:
        return None
    for candidate in _candidates(text):
        if candidate in _STOP or _SENTENCE_STOP.fullmatch(candidate):
            return "stop"
        if candidate in _START:
            return "start"
    return "stop" if _is_signed_stop(text) else None


def _is_signed_stop(text: str) -> bool:
    """Tell whether a message is a greeting, one line that says stop, and a name.

    A name is a few words without a digit, with capitals or below an empty line; what
    follows at more length, or goes on in the same breath, is about something.
    """
    lines = text.splitlines()
    if len(lines) < 2:
        return False
    said = [n for n, line in enumerate(lines) if fold(line) and not _is_polite(line)]
    if not 2 <= len(said) <= 1 + _NAME_LINES or fold(lines[said[0]]) not in _STOP:
        return False
    is_apart = any(not lines[n].strip() for n in range(said[0], said[1]))
    return all(_may_be_name(lines[n], is_apart) for n in said[1:])


def _is_polite(line: str) -> bool:
    folded = fold(line)
    return folded in _POLITE or _without_politeness(folded) in _POLITE


def _may_be_name(line: str, is_apart: bool) -> bool:
    words = line.replace(",", " ").replace(".", " ").split()
    return (
        0 < len(words) <= _NAME_WORDS
        and not any(char.isnumeric() for char in line)
        and (is_apart or all(word[0].isupper() for word in words))
    )


def _candidates(text: str) -> Iterator[str]:
    """Yield what a message says, the plainest reading first."""
    for part in dict.fromkeys((text, _without_signature(text))):
        for spelt in dict.fromkeys((part, _latin(part))):
            folded = fold(spelt)
            if not folded or len(folded) > _MAX_LENGTH:
                continue
            plain = _unstretch(folded)
            polite = _without_politeness(plain)
            yield from dict.fromkeys((plain, polite))
            # "STOP 1": the number of a menu is dropped.
            bare = re.sub(r" [0-9]$", "", polite)
            yield from (bare, bare.replace(" ", "", 1), _undouble(bare))


def _latin(text: str) -> str:
    """Replace letters that look Latin, and digits inside words, by what they mean."""
    composed = unicodedata.normalize("NFKC", text).translate(_LOOK_ALIKES)
    return re.sub(
        r"[^\W_]*[A-Za-z][^\W_]*", lambda m: m[0].translate(_DIGITS), composed
    )


def _without_signature(text: str) -> str:
    """Return a text without what a mail program or a person puts below it."""
    lines = text.strip().splitlines()
    for number, line in enumerate(lines[1:], start=1):
        folded = fold(line)
        if folded.startswith(_SIGNATURES) or line.strip() in {"--", "-- "}:
            return "\n".join(lines[:number])
    return text


def _undouble(folded: str) -> str:
    """Undo one doubled letter of a lone word: "stopp", "sttop"."""
    return re.sub(r"(.)\1", r"\1", folded) if " " not in folded else folded


class _Visible(dict[int, str | None]):
    """What a character is in a folded text; each is looked up once.

    Accents and invisible characters vanish, everything else that is no letter or digit
    separates words.
    """

    def __missing__(self, code: int) -> str | None:
        char = chr(code)
        kept: str | None = char if char.isalnum() else " "
        if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
            kept = None
        self[code] = kept
        return kept


_VISIBLE: Final = _Visible()


def fold(text: str) -> str:
    """Reduce a text to lower-case words without accents, signs and emoji."""
    joined = text.translate(_NO_APOSTROPHES)
    decomposed = unicodedata.normalize("NFKD", joined).casefold()
    return " ".join(decomposed.translate(_VISIBLE).split())


def _unstretch(folded: str) -> str:
    """Undo emphasis: "stooop", "s t o p" and "stop stop" all become "stop"."""
    words = [re.sub(r"(.)\1{2,}", r"\1", word) for word in folded.split()]
    if all(len(word) == 1 for word in words):
        words = ["".join(words)]
    return " ".join(word for word, _same in groupby(words))


def _without_politeness(folded: str) -> str:
    """Take greetings and thanks off both ends, as often as there are any."""
    text = folded
    while text.startswith(_POLITE_BEFORE) or text.endswith(_POLITE_BEHIND):
        for phrase in _POLITE:
            text = text.removeprefix(f"{phrase} ").removesuffix(f" {phrase}")
    return text


def standing(words: Iterable[Word], purpose: str) -> Standing:
    """Return what all that was ever said amounts to for one purpose.

    - The customer's own words, and what somebody recorded of them with evidence, come
      first, the latest by the time at which they were said. A withdrawal among them is
      lifted by newer words only: not by the switch, an import or a contract.
    - Where a number was stopped, consent that was given with another number does not
      lift it: the contact may have got a number whose owner told us to stop.
    - Then the switch in Odoo counts: off is a withdrawal that the switch takes back.
    - A contract counts where nobody ever said or switched anything.
    - For collections a word about billing counts as well: an opt-in to billing covers
      them until withdrawn, and who wants no more documents is not reminded of them
      either. Marketing is covered by nothing but itself.

    :param words: rows of the contact and of its number, of one company, in any order
    """
    covering = {purpose, "billing"} if purpose == "collections" else {purpose}
    about = [word for word in words if word.purpose in covering]
    said = [word for word in about if not word.is_switch and word.source != "contract"]
    if any(word.on_number and not word.granted for word in said):
        said = [word for word in said if word.same_number or not word.granted]
    said.sort(key=_when)
    if said and not said[-1].granted:
        return Standing("withdrawn", said[-1].id, "said")
    switched = [word for word in about if word.is_switch]
    last = max([*said[-1:], *switched], key=_when, default=None)
    if last is None:
        last = max(about, key=_when, default=None)
    if last is None:
        return NO_STANDING
    kind = "switch" if last.is_switch else "said"
    return Standing(
        "granted" if last.granted else "withdrawn",
        last.id,
        "contract" if last.source == "contract" else kind,
    )


def _when(word: Word) -> tuple[datetime, bool, int]:
    """Order words; for the same moment the withdrawal is the later one.

    WhatsApp tells the second in which something was written: a STOP counts to the end
    of its second.
    """
    moment = word.said_at
    if not word.granted and word.source in BY_CUSTOMER:
        moment = moment.replace(microsecond=999_999)
    return (moment, not word.granted, word.id)
