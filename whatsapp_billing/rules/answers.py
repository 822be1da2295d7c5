# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What a customer answers to a reminder: a tap on a button, or a plain date.

A small grammar on purpose: what is not plainly one of these goes to a person, but for
thanks, which decides nothing. A tap
carries our own word and the message it is about; typed words count only as a whole
message. A date counts when nothing else is in the message but how one says it: "I
will pay on Friday", "el 25/11", "dia 3 de dezembro"; "not on Friday" is for a person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from .consent import fold

# What a button may carry. Typed words may also be "thanks", which changes no case.
KINDS: Final = ("promise", "paid", "problem", "person")
# Subjects of a problem, in the order of the list that the customer taps on.
PROBLEMS: Final = ("amount", "goods", "invoice", "other")
LONGEST: Final = timedelta(days=366)
# Characters of a text that is read at all; a longer one is for a person.
LONGEST_TEXT: Final = 1000
_PAYLOAD: Final = re.compile(
    r"wab:(?P<kind>[a-z]+)(?:@(?P<day>\d{4}-\d\d-\d\d)|~(?P<about>[a-z]+))?"
    r":(?P<uuid>[0-9a-f-]{36})"
)


class Answer(NamedTuple):
    """What was answered; a tap names the message's uuid.

    A promise may name its day, a problem what it is about.
    """

    kind: str
    day: date | None = None
    uuid: str = ""
    about: str = ""


_PHRASES: Final[dict[str, frozenset[str]]] = {
    "promise": frozenset(
        {
            "i will pay on",
            "i will pay",
            "i ll pay",
            "will pay",
            "pagare el",
            "pagare el dia",
            "pagare",
            "voy a pagar",
            "vou pagar no dia",
            "vou pagar em",
            "vou pagar",
            "pagarei",
        }
    ),
    "paid": frozenset(
        {
            "already paid",
            "i already paid",
            "i have already paid",
            "i have paid",
            "i paid",
            "it is paid",
            "paid",
            "ya pague",
            "ya lo pague",
            "ya la pague",
            "ya he pagado",
            "ya esta pagado",
            "ya esta pagada",
            "esta pagado",
            "esta pagada",
            "pagado",
            "pagada",
            "ja paguei",
            "ja esta pago",
            "ja esta paga",
            "ja foi pago",
            "ja foi paga",
            "paguei",
        }
    ),
    "problem": frozenset(
        {
            "there is a problem",
            "problem",
            "hay un problema",
            "tengo un problema",
            "problema",
            "ha um problema",
            "tem um problema",
            "tenho um problema",
        }
    ),
    "person": frozenset(
        {
            "talk to somebody",
            "talk to someone",
            "talk to a person",
            "hablar con alguien",
            "hablar con una persona",
            "quiero hablar con alguien",
            "falar com alguem",
            "falar com uma pessoa",
            "quero falar com alguem",
        }
    ),
}

# Words of thanks: a text is thanks if it has one of these and else only greetings.
# "Listo", "hecho", "feito", "done" are left out: they may mean "paid".
_THANKS: Final = frozenset(
    word
    for words in (
        "thanks thank thankyou thx ty cheers ok okay okey oki great perfect noted received",
        "understood gracias vale perfecto genial entendido recibido enterado bueno",
        "obrigado obrigada obg brigado brigada valeu perfeito otimo entendi recebido",
        "combinado certo beleza blz",
    )
    for word in words.split()
)
_THANKS_AROUND: Final = frozenset(
    word
    for words in (
        "you so very much many a lot for the info message it got all right good day",
        "hi hello dear sir madam muchas muchisimas mil por todo la el informacion mensaje",
        "aviso muy amable amables hola buenos buenas dias tardes noches muito muita pela",
        "pelo informacao mensagem oi ola bom boa dia tarde noite de nada esta bien bem",
        "tudo",
    )
    for word in words.split()
)
# Signs of thanks: a thumb, clapping, folded hands, a heart, a smile, a tick.
_THANKS_SIGNS: Final = frozenset(
    "\U0001f44d\U0001f44c\U0001f64f\U0001f44f\U0001f64c\U0001f91d\U0001f4aa\u2764\U0001f49a\U0001f499"
    "\U0001f60a\U0001f642\U0001f600\U0001f601\U0001f603\U0001f604\U0001f609\u263a\u2705\u2714\U0001fae1"
    "\U0001fae0\U0001f970\U0001f618\U0001faf6"
)
_THANKS_KNOWN: Final = _THANKS | _THANKS_AROUND

_MONTHS: Final[dict[str, int]] = {
    name: number
    for number, names in enumerate(
        (
            "january jan enero ene janeiro",
            "february feb febrero fevereiro fev",
            "march mar marzo marco",
            "april apr abril abr",
            "may mayo maio mai",
            "june jun junio junho",
            "july jul julio julho",
            "august aug agosto ago",
            "september sep sept septiembre setiembre setembro set",
            "october oct octubre outubro out",
            "november nov noviembre novembro",
            "december dec diciembre dic dezembro dez",
        ),
        start=1,
    )
    for name in names.split()
}
_WEEKDAYS: Final[dict[str, int]] = {
    name: number
    for number, names in enumerate(
        (
            "monday mon lunes segunda",
            "tuesday tue tues martes terca",
            "wednesday wed miercoles quarta",
            "thursday thu thurs jueves quinta",
            "friday fri viernes sexta",
            "saturday sat sabado",
            "sunday sun domingo",
        )
    )
    for name in names.split()
}
_NEAR: Final[dict[str, int]] = {
    "today": 0,
    "hoy": 0,
    "hoje": 0,
    "tomorrow": 1,
    "manana": 1,
    "amanha": 1,
}
_DAYS: Final = frozenset({"day", "days", "dia", "dias"})
_WITHIN: Final = frozenset({"in", "within", "en", "dentro", "em", "daqui"})
# "A segunda-feira" is Monday; said without "feira", or by who speaks Spanish, it is the
# second of something.
_ORDINALS: Final = frozenset({"segunda", "terca", "quarta", "quinta", "sexta"})
_PORTUGUESE: Final = frozenset({"vou", "pagarei", "pagaremos", "ate", "obrigado"})
# Morning, and not tomorrow.
_MORNING: Final = re.compile(r"\b(?:esta|la) manana\b")
# Words that may stand around a date in a promise; any other is for a person.
_SAID: Final = (
    "i we will ll ill pay paying can it on the by before this next st nd rd th of ok yes",
    "please hi hello thanks thank you payment",
    "pagare pagaremos pagamos pago voy vamos a pagar lo la el este proximo proxima",
    "para de del hasta antes si por favor hola gracias dia",
    "vou pagarei pagaremos ate o esta proximo sim ola obrigado obrigada feira",
)
_FILLERS: Final = frozenset(word for words in _SAID for word in words.split())
# A lone number is a day only beside one of these: "I can pay 20" names an amount.
_DAY_SAID: Final = frozenset(
    {"on", "the", "by", "before", "st", "nd", "rd", "th"}
    | {"el", "dia", "hasta", "antes", "ate", "o"}
)
# Two numbers that nobody calls a day, "25/11", are one where it is near and where they
# may hardly be anything else: not "1.5", "3 de 5" or the half of what is due.
_DAY_AND_MONTH: Final = re.compile(r"(?<!\d)\d{1,2} ?[/-] ?\d{1,2}(?!\d)")
_SHARES: Final = frozenset({(1, 2), (1, 3), (2, 3), (1, 4), (3, 4)})
_NEAR_DAY: Final = timedelta(days=60)
# Numbers that are no days: a time, an amount with cents, "2 of 3".
_OTHER_NUMBER: Final = re.compile(
    r"\d\s*[:\u066b,]\s?\d|[%\u2030#]|\d of \d", re.IGNORECASE
)


def payload(kind: str, uuid: str, day: date | None = None, about: str = "") -> str:
    """Return what a button carries, so that its tap needs no reading."""
    detail = f"@{day.isoformat()}" if day else f"~{about}" if about else ""
    return f"wab:{kind}{detail}:{uuid}"


def read_payload(text: str) -> Answer | None:
    """Return what a button of ours says, None for anything else."""
    match = _PAYLOAD.fullmatch(text or "")
    if not match or match["kind"] not in KINDS:
        return None
    try:
        day = date.fromisoformat(match["day"]) if match["day"] else None
    except ValueError:
        return None
    about = match["about"] if match["about"] in PROBLEMS else ""
    return Answer(match["kind"], day, match["uuid"], about)


def understand(text: str, today: date, lang: str = "") -> Answer | None:
    """Return what a typed message plainly says, None when it takes a person.

    :param lang: the customer's language; `en_US` writes the month first
    """
    if len(text or "") > LONGEST_TEXT:
        return None
    folded = fold(text or "")
    if is_thanks(text or ""):
        return Answer("thanks")
    if not folded or len(folded) > 80 or any(mark in text for mark in "?¿"):
        # A question says nothing: neither "paid?" nor "on the 20th?".
        return None
    for kind, phrases in _PHRASES.items():
        if folded in phrases:
            return Answer(kind)
    if _names_other_number(text):
        return None
    day = read_date(text, today, lang)
    return Answer("promise", day) if day else None


def _names_other_number(text: str) -> bool:
    """Tell whether a number in a text is a time, an amount, a share or a reference."""
    return bool(_OTHER_NUMBER.search(text)) or any(
        unicodedata.category(char) in {"Sc", "No"} for char in text
    )


def is_thanks(text: str) -> bool:
    """Tell whether a whole message is thanks or taking note, in words or in signs.

    A question is none, whatever its words: "ok?" wants an answer.
    """
    if len(text) > LONGEST_TEXT:
        return False
    folded = fold(text)
    if len(folded) > 80 or any(mark in text for mark in "?¿"):
        return False
    words = folded.split()
    if words:
        return not _THANKS.isdisjoint(words) and _THANKS_KNOWN.issuperset(words)
    signs = [char for char in text if not _is_dressing(char)]
    return bool(signs) and _THANKS_SIGNS.issuperset(signs)


def _is_dressing(char: str) -> bool:
    """Tell what only dresses a sign: spaces, joiners, skin tones, an exclamation."""
    return (
        char.isspace()
        or char in "!.,\u200d\ufe0e\ufe0f"
        or "\U0001f3fb" <= char <= "\U0001f3ff"
    )


def read_date(text: str, today: date, lang: str = "") -> date | None:
    """Return the day that a text is, from today to a year ahead, else None."""
    fillers = _FILLERS | ({"no", "na"} if lang.startswith("pt") else frozenset())
    words = re.sub(r"(?<=\d)(st|nd|rd|th)\b", r" \1", fold(text)).split()
    if _MORNING.search(fold(text)) or _is_ordinal(words, lang):
        return None
    day = _within(words, today)
    if day is None:
        core = [word for word in words if word not in fillers]
        is_said = not _DAY_SAID.isdisjoint(words)
        day = (
            _near(core, today)
            or _written(core, today)
            or _numeric(core, today, lang, is_said)
        )
        if day and not is_said and _is_doubtful(core, text, day - today):
            return None
    if day is None or not today <= day <= today + LONGEST:
        return None
    return day


def _is_ordinal(words: Sequence[str], lang: str) -> bool:
    """Tell whether one counts, "la segunda", and does not name a weekday."""
    places = [place for place, word in enumerate(words) if word in _ORDINALS]
    if not places or "feira" in words:
        return False
    if not lang.startswith("pt") and _PORTUGUESE.isdisjoint(words):
        return True
    return any(words[place - 1] in {"a", "la"} for place in places if place)


def _is_doubtful(core: Sequence[str], text: str, ahead: timedelta) -> bool:
    """Tell whether two numbers may be a share, a reference or a sum as well."""
    if len(core) != 2 or not all(word.isdigit() for word in core):
        return False
    return (
        not _DAY_AND_MONTH.search(text)
        or (int(core[0]), int(core[1])) in _SHARES
        or ahead > _NEAR_DAY
    )


def _within(words: Sequence[str], today: date) -> date | None:
    """Read "in 3 days", "en 3 días", "daqui a 3 dias"."""
    core = [w for w in words if w not in _FILLERS - _DAYS]
    if len(core) == 3 and core[0] in _WITHIN and core[2] in _DAYS:
        if core[1].isdigit() and len(core[1]) <= 3:
            return today + timedelta(days=int(core[1]))
    return None


def _near(core: Sequence[str], today: date) -> date | None:
    if len(core) != 1:
        return None
    if core[0] in _NEAR:
        return today + timedelta(days=_NEAR[core[0]])
    if core[0] in _WEEKDAYS:
        ahead = (_WEEKDAYS[core[0]] - today.weekday()) % 7
        return today + timedelta(days=ahead or 7)
    return None


def _written(core: Sequence[str], today: date) -> date | None:
    """Read a month in words: "25 november", "nov 25 2026"."""
    months = [_MONTHS[word] for word in core if word in _MONTHS]
    numbers = [int(word) for word in core if word.isdigit() and len(word) <= 4]
    if len(months) != 1 or len(months) + len(numbers) != len(core):
        return None
    if len(numbers) == 2 and numbers[1] > 31:
        return _make(numbers[1], months[0], numbers[0])
    if len(numbers) == 1:
        return _next(today, months[0], numbers[0])
    return None


def _numeric(core: Sequence[str], today: date, lang: str, is_said: bool) -> date | None:
    """Read "25/11", "2026-11-25", and "the 25th", but no lone number."""
    if not core or not all(word.isdigit() and len(word) <= 4 for word in core):
        return None
    numbers = [int(word) for word in core]
    if len(core[0]) == 4 and len(numbers) == 3:
        return _make(*numbers)
    if len(numbers) == 1 and is_said and 1 <= numbers[0] <= 31:
        return _next_day(today, numbers[0])
    if len(numbers) not in (2, 3):
        return None
    day, month = numbers[0], numbers[1]
    if (lang == "en_US" and month <= 31 and day <= 12) or month > 12:
        day, month = month, day
    if len(numbers) == 3:
        year = numbers[2] + 2000 if numbers[2] < 100 else numbers[2]
        return _make(year, month, day)
    return _next(today, month, day)


def _make(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _next(today: date, month: int, day: int) -> date | None:
    """Return the next such day: this year, or next where it has passed."""
    found = _make(today.year, month, day)
    if found is None or found < today:
        found = _make(today.year + 1, month, day)
    # "20 October" said in November is a day that has passed, not one in a year.
    if found and found - today > timedelta(days=300):
        return None
    return found


def _next_day(today: date, day: int) -> date | None:
    month = today.replace(day=1)
    for _ in range(3):
        found = _make(month.year, month.month, day)
        if found and found >= today:
            return found
        month = (month + timedelta(days=32)).replace(day=1)
    return None
