# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A figure beside its baseline."""

import json
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """What we measured, what the same run gave for the baseline, what we want.

    `ratio` is ours/baseline; `at_least` and `at_most` are wishes about it.
    """

    name: str
    ours: float
    baseline: float
    unit: str
    what: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def ratio(self) -> float:
        return self.ours / self.baseline if self.baseline else 0.0

    @property
    def is_reached(self) -> bool:
        """Whether the wish is met; a figure without a wish always is."""
        return (self.at_least is None or self.ratio >= self.at_least) and (
            self.at_most is None or self.ratio <= self.at_most
        )

    def as_text(self) -> str:
        wish = ""
        if self.at_least is not None:
            wish = f", want at least {self.at_least:g}"
        elif self.at_most is not None:
            wish = f", want at most {self.at_most:g}"
        word = "" if not wish else " - reached" if self.is_reached else " - MISSED"
        return (
            f"{self.what}: {_number(self.ours)} against {_number(self.baseline)} "
            f"{self.unit} (ratio {self.ratio:.3g}{wish}{word})"
        )

    def as_json(self) -> str:
        return json.dumps(
            {
                "name": self.name,
                "ours": round(self.ours, 4),
                "baseline": round(self.baseline, 4),
                "ratio": round(self.ratio, 4),
                "unit": self.unit,
            }
        )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def middle(pairs: list[list[float]]) -> tuple[float, float]:
    """Return (ours, baseline) of the round whose ratio is the median.

    Rounds alternate, so that a neighbour on the machine slows both down.
    """
    wanted = median(ours / baseline for ours, baseline in pairs)
    return min(pairs, key=lambda pair: abs(pair[0] / pair[1] - wanted))
