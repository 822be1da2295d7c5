# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""How Meta behaves: what a test may want different about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..settings import Adjustable, ControlError, check_type, names_of

Json = dict[str, Any]
ASYNC_ERRORS = frozenset({130472, 131026, 131048, 131049, 131053})


@dataclass(slots=True)
class Auto:
    """After how many milliseconds each status follows the one before; None: never."""

    sent: float | None = 0
    delivered: float | None = 0
    read: float | None = None


@dataclass(slots=True)
class WebhookOptions:
    """How webhooks leave."""

    batch: int = 1000
    linger_ms: float = 30
    connections: int = 1
    timeout_ms: float = 10_000
    retry: list[float] = field(default_factory=lambda: [0, 1, 2, 5, 10, 30, 60, 300])
    scramble: bool = False
    contacts: bool = True


@dataclass(slots=True)
class Settings(Adjustable):
    """Everything about Meta that can be set."""

    auto: Auto = field(default_factory=Auto)
    webhook: WebhookOptions = field(default_factory=WebhookOptions)
    review: str = "auto"
    review_ms: float = 0
    strict_review: bool = True
    pace: float | None = None
    pair_limit: bool = True
    pair_burst: int = 45
    pair_seconds: float = 6
    window: bool = True
    pricing: str = "2026-10-01"
    free_service: int = 1000
    management_per_hour: int = 5000
    creations_per_hour: int = 100
    async_errors: frozenset[int] = ASYNC_ERRORS
    dashed_languages: bool = False

    def change(self, name: str, value: Any) -> None:
        """Change one setting; raises ControlError for a value that it cannot have."""
        if name == "auto":
            _set_auto(self.auto, value)
        elif name == "webhook":
            _set_webhook(self.webhook, dict(value))
        elif name == "async_errors":
            self.async_errors = frozenset(int(code) for code in value)
        else:
            if name == "pace":
                _check_pace(value)
            elif name == "review" and value not in ("auto", "manual", "instant"):
                raise ControlError("review is auto, manual or instant.")
            else:
                check_type(name, value, getattr(self, name))
            setattr(self, name, value)


def _check_pace(value: Any) -> None:
    if value is not None and not (isinstance(value, (int, float)) and value >= 0):
        raise ControlError("pace is messages per second, 0 for no limit, or null.")


def _delay(value: Any, name: str) -> float | None:
    if value is None or value is False:
        return None
    if value is True:
        return 0.0
    if isinstance(value, (int, float)) and value >= 0:
        return float(value)
    raise ControlError(f"{name} is true, false or a number of milliseconds.")


def _set_webhook(options: WebhookOptions, values: Json) -> None:
    known = names_of(options)
    for name, value in values.items():
        if name not in known:
            raise ControlError(f"webhook.{name} is not a setting.")
        check_type(f"webhook.{name}", value, getattr(options, name))
        setattr(options, name, value)
    if options.batch < 1 or options.connections < 1:
        raise ControlError("webhook.batch and webhook.connections are at least 1.")


def _set_auto(auto: Auto, values: Any) -> None:
    if isinstance(values, bool):
        values = {"sent": values, "delivered": values}
    if not isinstance(values, dict):
        raise ControlError("auto is an object with sent, delivered and read.")
    for name, value in values.items():
        if name not in ("sent", "delivered", "read"):
            raise ControlError(f"auto.{name} is not a status.")
        setattr(auto, name, _delay(value, f"auto.{name}"))
