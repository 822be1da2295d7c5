# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Read a price list from CSV: one price a line, or one market a line.

The first has the columns market, category, price and, if wanted, in_window, credits,
currency, valid_from; the second, which is how the provider publishes it, has market
and one column for each category.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from .markets import market_named
from .pricing import CATEGORIES, exact, windows_of
from .terms import Problem, _lt

_YES: Final = frozenset({"1", "true", "yes", "y", "x"})
_NO: Final = frozenset({"0", "false", "no", "n"})
_NOTHING: Final = frozenset({"", "-", "n/a", "na"})
MAX_PROBLEMS: Final = 20


@dataclass(frozen=True, slots=True)
class CardRow:
    """One price; None where the file leaves it to the person who imports it."""

    market: str
    category: str
    in_window: bool
    price: Decimal
    credits: Decimal | None = None
    currency: str | None = None
    valid_from: date | None = None


def parse(text: str) -> tuple[list[CardRow], list[Problem]]:
    """Return the prices of a file, and in words what of it cannot be read."""
    table = _table(text.removeprefix("\ufeff").replace("\0", ""))
    if not table:
        return [], [Problem("empty", "file", _lt("There is nothing in the file."))]
    names = [_name(cell) for cell in table[0]]
    if "market" not in names or not _has_prices(names):
        return [], [
            Problem(
                "no_columns",
                "file",
                _lt(
                    "The first line must name the columns: market, category and price,"
                    " or market and one column for each category."
                ),
            )
        ]
    rows: list[CardRow] = []
    problems: list[Problem] = []
    for number, line in enumerate(table[1:], start=2):
        cells = dict(zip(names, (cell.strip() for cell in line), strict=False))
        _read(number, cells, rows, problems)
    return rows, problems[:MAX_PROBLEMS]


def _table(text: str) -> list[list[str]]:
    lines = csv.reader(text.splitlines(), _dialect(text))
    try:
        return [line for line in lines if any(cell.strip() for cell in line)]
    except csv.Error:
        return []


def _dialect(text: str) -> type[csv.Dialect]:
    head = text.split("\n", 1)[0]
    wanted = max(";\t,", key=head.count)

    class Found(csv.excel):
        delimiter = wanted

    return Found


def _name(cell: str) -> str:
    plain = cell.strip().casefold().replace("-", "_").replace(" ", "_")
    return {"country": "market", "effective_from": "valid_from"}.get(plain, plain)


def _has_prices(names: list[str]) -> bool:
    return {"category", "price"} <= set(names) or bool(set(CATEGORIES) & set(names))


def _read(
    number: int, cells: dict[str, str], rows: list[CardRow], problems: list[Problem]
) -> None:
    market = market_named(cells.get("market", ""))
    if market is None:
        problems.append(
            _problem(
                number,
                _lt("Line %(line)s: there is no market called %(value)s."),
                cells.get("market", ""),
            )
        )
        return
    for category, price in _prices(cells):
        try:
            rows.extend(_rows(market, category, price, cells))
        except (InvalidOperation, ValueError):
            problems.append(
                _problem(
                    number,
                    _lt("Line %(line)s: %(value)s cannot be read as a price."),
                    f"{category} {price}",
                )
            )


def _prices(cells: dict[str, str]) -> list[tuple[str, str]]:
    if cells.get("category"):
        return [(_name(cells["category"]), cells.get("price", ""))]
    return [
        (name, cells[name])
        for name in CATEGORIES
        if cells.get(name, "").casefold() not in _NOTHING
    ]


def _rows(
    market: str, category: str, price: str, cells: dict[str, str]
) -> list[CardRow]:
    if category not in CATEGORIES:
        raise ValueError(category)
    amount = _decimal(price)
    given = cells.get("credits", "")
    credit = _decimal(given) if given else None
    day = cells.get("valid_from", "")
    return [
        CardRow(
            market=market,
            category=category,
            in_window=inside,
            price=amount,
            credits=credit,
            currency=cells.get("currency", "").upper() or None,
            valid_from=date.fromisoformat(day) if day else None,
        )
        for inside in _windows(category, cells.get("in_window", ""))
    ]


def _windows(category: str, cell: str) -> tuple[bool, ...]:
    word = cell.casefold()
    if word in _YES:
        return (True,)
    if word in _NO:
        return (False,)
    if word:
        raise ValueError(cell)
    return windows_of(category)


def _decimal(text: str) -> Decimal:
    plain = text.strip().lstrip("$€£₹").replace("\u00a0", "").strip()
    if "," in plain and "." not in plain:
        plain = plain.replace(",", ".")
    amount = exact(plain)
    if not amount.is_finite() or amount < 0:
        raise ValueError(text)
    return amount


def _problem(number: int, sentence: str, value: str) -> Problem:
    return Problem("line", "file", sentence, {"line": number, "value": value[:60]})
