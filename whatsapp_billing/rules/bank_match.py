# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Which open invoice does money at the bank belong to that nobody has reconciled yet?

A pure function of bank transactions and open instalments. What it promises:

- amounts are compared in one currency only, the transaction's own;
- a reference counts where it stands as a whole: F/12 is not in F/123, 14 not in 1814;
- a transaction that names a document belongs to that document and to no other;
- one that names none belongs to its customer's oldest instalment of that amount;
- one transaction pays one instalment, or one invoice as a whole.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise

# A name of fewer digits, and nothing else, is too common to tell an invoice.
_TELLING_DIGITS = 5
# From this length a reference is found however the bank groups its characters.
_REGROUPED = 10
_RUN = re.compile(r"[^\W_]+")
# Signs that join digits to a longer number: a date, an amount, a year.
_JOINS_DIGITS = frozenset("/.,-:")
_MINUS = "\N{MINUS SIGN}"
_SLASHES = "\N{FRACTION SLASH}\N{DIVISION SLASH}"
# "N\N{MASCULINE ORDINAL INDICATOR}14" is number 14, and no word "no14".
_NUMBER_SIGNS = str.maketrans(
    dict.fromkeys(
        "\N{MASCULINE ORDINAL INDICATOR}\N{FEMININE ORDINAL INDICATOR}"
        "\N{DEGREE SIGN}\N{NUMERO SIGN}",
        " ",
    )
)


@dataclass(frozen=True, slots=True)
class Transaction:
    """Money that came in at the bank and is not reconciled.

    :param label: what whoever paid wrote
    :param debtor_id: whose bank account it came from, None where nobody knows
    :param amount: rounded to the currency
    """

    transaction_id: int
    label: str
    debtor_id: int | None
    currency: int
    amount: float
    day: date


@dataclass(frozen=True, slots=True)
class Instalment:
    """A receivable line that a transaction may be for, or whose document it may name.

    :param names: the document's number and payment reference
    :param amount: open on the line, `document_amount` on the whole document
    :param is_open: False for what is settled: money that names it is not others'
    """

    line_id: int
    document_id: int
    debtor_id: int
    names: tuple[str, ...]
    currency: int
    amount: float
    document_amount: float
    due: date | None = None
    is_open: bool = True


def match(
    transactions: Iterable[Transaction], instalments: Iterable[Instalment]
) -> dict[int, int]:
    """Return {line id: transaction id} of what seems to be paid already."""
    known = sorted(instalments, key=lambda one: (one.due or date.max, one.line_id))
    found: dict[int, int] = {}
    taken: set[tuple[int, float, int]] = set()
    unnamed = []
    for money in sorted(transactions, key=lambda one: (one.day, one.transaction_id)):
        named = {one.document_id for one in known if _is_named(one, money)}
        if named:
            _take(money, [o for o in known if o.document_id in named], taken, found)
        else:
            unnamed.append(money)
    for money in unnamed:
        if money.debtor_id is not None:
            mine = [one for one in known if one.debtor_id == money.debtor_id]
            _take(money, mine, taken, found)
    return found


def _take(
    money: Transaction,
    instalments: list[Instalment],
    taken: set[tuple[int, float, int]],
    found: dict[int, int],
) -> None:
    """Give the money to the first that fits and has none of that amount yet."""
    documents: dict[int, list[Instalment]] = defaultdict(list)
    for one in instalments:
        if one.is_open and one.currency == money.currency:
            documents[one.document_id].append(one)
    for one in instalments:
        lines = documents.get(one.document_id, [])
        if not one.is_open or one not in lines:
            continue
        if one.document_amount == money.amount:
            paid = lines
        elif one.amount == money.amount:
            paid = [one]
        else:
            continue
        places = {(money.currency, money.amount, line.line_id) for line in paid}
        if not places & taken:
            taken |= places
            for line in paid:
                found.setdefault(line.line_id, money.transaction_id)
            return


def _is_named(one: Instalment, money: Transaction) -> bool:
    for name in one.names:
        if not names(money.label, name):
            continue
        # A common name like 14 counts only in a payment of the same debtor, or of
        # nobody.
        if _is_telling(name) or money.debtor_id in (None, one.debtor_id):
            return True
    return False


def _is_telling(name: str) -> bool:
    plain = "".join(_RUN.findall(_plain(name)))
    return not plain.isdecimal() or len(plain) >= _TELLING_DIGITS


def names(label: str, reference: str) -> bool:
    """Tell whether a text of a bank names a reference as a whole.

    Case, full-width forms, kinds of dashes and the separators that banks leave out or
    put in do not matter. What is part of a longer number does not count.
    """
    wanted = _runs(_plain(reference))
    if not wanted:
        return False
    text = _plain(label)
    runs = _runs(text)
    target = "".join(run for run, _start, _end in wanted)
    cuts = _cuts(wanted)
    own = {
        _plain(reference)[end:start]
        for (_r, _s, end), (_r2, start, _e) in pairwise(wanted)
    }
    for first in range(len(runs)):
        joined = ""
        for last in range(first, len(runs)):
            joined += runs[last][0]
            if len(joined) >= len(target):
                break
        if joined != target:
            continue
        here = runs[first : last + 1]
        if len(target) < _REGROUPED and _cuts(here) != cuts:
            continue
        if _stands_alone(text, runs, first, last, own, target.isdecimal()):
            return True
    return False


def _cuts(runs: list[tuple[str, int, int]]) -> set[int]:
    """Return where a separator stands between two digits, counted without separators."""
    found, at = set(), 0
    for (run, _s, _e), (following, _s2, _e2) in pairwise(runs):
        at += len(run)
        if run[-1].isdecimal() and following[0].isdecimal():
            found.add(at)
    return found


def _stands_alone(
    text: str,
    runs: list[tuple[str, int, int]],
    first: int,
    last: int,
    own: set[str],
    is_number: bool,
) -> bool:
    """Tell whether what stands beside it does not make it part of something longer."""
    joins = {"/", *own} - {"", " "}
    if is_number:
        joins |= _JOINS_DIGITS
    if first:
        before, _start, end = runs[first - 1]
        gap = text[end : runs[first][1]]
        # A word before it says what it is ("Invoice/12"); something shorter, or with
        # digits, is part of a longer number ("F/12").
        if gap in joins and (len(before) < 3 or not before.isalpha()):
            return False
    if last + 1 < len(runs):
        after, start, _end = runs[last + 1]
        gap = text[runs[last][2] : start]
        if gap in joins and not after.isalpha():
            return False
    return True


def _runs(text: str) -> list[tuple[str, int, int]]:
    return [(m.group(), m.start(), m.end()) for m in _RUN.finditer(text)]


@lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    """Return a text in one spelling of letters, digits, dashes and blanks."""
    text = _compatible(text).casefold()
    letters = []
    for letter in text:
        if letter.isdecimal():
            letters.append(str(unicodedata.decimal(letter)))
        elif unicodedata.category(letter) == "Pd" or letter == _MINUS:
            letters.append("-")
        elif letter in _SLASHES:
            letters.append("/")
        elif unicodedata.category(letter) != "Cf":
            letters.append(" " if letter.isspace() else letter)
    return " ".join("".join(letters).split())


def _compatible(text: str) -> str:
    return unicodedata.normalize("NFKC", text.translate(_NUMBER_SIGNS))


def candidates(label: str) -> set[str]:
    """Return the words of a text that may be a document's number, as it is stored."""
    words = set()
    for word in re.split(r"[\s,;()+]+", _compatible(label)):
        bare = word.strip("/.:-_#*'\"")
        if any(letter.isdecimal() for letter in bare):
            words |= {bare, bare.upper()}
    return words
