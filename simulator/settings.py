# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""How the simulated world behaves; what `POST /_control/reset` and `/settings` take."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

Json = dict[str, Any]
ASYNC_ERRORS = frozenset({130472, 131026, 131048, 131049, 131053})


class ControlError(Exception):
    """Say in a sentence what is wrong with a control call."""


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
class Settings:
    """Everything that a test may want different."""

    auto: Auto = field(default_factory=Auto)
    webhook: WebhookOptions = field(default_factory=WebhookOptions)
    review: str = "auto"
    review_ms: float = 0
    strict_review: bool = True
    pace: float | None = None
    pair_limit: bool = True
    pair_burst: int = 45
    pair_seconds: float = 6
    latency_ms: float = 0
    window: bool = True
    pricing: str = "2026-10-01"
    free_service: int = 1000
    management_per_hour: int = 5000
    creations_per_hour: int = 100
    async_errors: frozenset[int] = ASYNC_ERRORS
    dashed_languages: bool = False
    seed: int = 1


def _delay(value: Any, name: str) -> float | None:
    if value is None or value is False:
        return None
    if value is True:
        return 0.0
    if isinstance(value, (int, float)) and value >= 0:
        return float(value)
    raise ControlError(f"{name} is true, false or a number of milliseconds.")


def _check_type(name: str, value: Any, example: Any) -> Any:
    if isinstance(example, bool):
        good = isinstance(value, bool)
    elif isinstance(example, (int, float)):
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
    else:
        good = isinstance(value, type(example))
    if not good:
        raise ControlError(f"{name} has the wrong type: {value!r}.")
    return value


def _set_webhook(options: WebhookOptions, values: Json) -> None:
    known = {entry.name for entry in fields(WebhookOptions)}
    for name, value in values.items():
        if name not in known:
            raise ControlError(f"webhook.{name} is not a setting.")
        _check_type(f"webhook.{name}", value, getattr(options, name))
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


def _set_plain(settings: Settings, name: str, value: Any) -> None:
    if name == "pace":
        good = value is None or (isinstance(value, (int, float)) and value >= 0)
        if not good:
            raise ControlError("pace is messages per second, 0 for no limit, or null.")
    elif name == "async_errors":
        value = frozenset(int(code) for code in value)
    elif name == "review" and value not in ("auto", "manual", "instant"):
        raise ControlError("review is auto, manual or instant.")
    else:
        _check_type(name, value, getattr(settings, name))
    setattr(settings, name, value)


def update_settings(settings: Settings, values: Json) -> None:
    """Change settings in place; raises ControlError for what is not one."""
    known = {entry.name for entry in fields(Settings)}
    for name, value in values.items():
        if name == "auto":
            _set_auto(settings.auto, value)
        elif name == "webhook":
            _set_webhook(settings.webhook, dict(value))
        elif name in known:
            _set_plain(settings, name, value)
        else:
            raise ControlError(f"{name} is not a setting.")


def settings_as_json(settings: Settings) -> Json:
    """Return the settings as the control API shows them."""
    shown: Json = {}
    for entry in fields(Settings):
        value = getattr(settings, entry.name)
        if entry.name in ("auto", "webhook"):
            value = {sub.name: getattr(value, sub.name) for sub in fields(value)}
        elif isinstance(value, frozenset):
            value = sorted(value)
        shown[entry.name] = value
    return shown
