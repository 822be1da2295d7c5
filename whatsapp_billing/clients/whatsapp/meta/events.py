# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What Meta's webhooks say about accounts, numbers and templates, in our words.

Fields and their words from Meta's webhook pages of 2026-09. Any of it may be missing or
of another type; what is not known decides nothing.
"""

from typing import Any

from ...values import e164, obj, rows, text
from ..base import AccountEvent, Json, TemplateEvent
from .payloads import language, reason, template_status

# Webhook fields that the app subscribes to (Meta's webhook pages, 2026-09).
SUBSCRIBED_FIELDS = (
    "messages",
    "message_template_status_update",
    "message_template_quality_update",
    "message_template_components_update",
    "template_category_update",
    "phone_number_quality_update",
    "phone_number_name_update",
    "business_capability_update",
    "account_update",
    "account_alerts",
    "account_review_update",
    "user_preferences",
    "security",
)
ACCOUNT_FIELDS = frozenset(
    {
        "phone_number_quality_update",
        "phone_number_name_update",
        "business_capability_update",
        "account_update",
        "account_alerts",
        "account_review_update",
        "security",
    }
)
WORD_LENGTH = 200
# Messages a second of a number whose throughput was raised.
HIGH_PACE = 1000

# account_update: the account is no longer ours to use.
_TAKEN_AWAY = {
    "ACCOUNT_DELETED": "deleted",
    "ACCOUNT_OFFBOARDED": "removed",
    "PARTNER_APP_UNINSTALLED": "removed",
    "PARTNER_REMOVED": "removed",
}


# === ACCOUNTS AND NUMBERS === #


def account_event(
    field: str,
    value: Json,
    *,
    waba_uid: str = "",
    phone_uid: str = "",
    number: str = "",
) -> AccountEvent:
    """Read an event of an account or of one of its numbers."""
    shown = value.get("display_phone_number") or value.get("phone_number")
    is_phone = "PHONE" in text(value.get("entity_type")).upper()
    entity = text(value.get("entity_id")) if is_phone else ""
    # The envelope of such an event may name the owner's business instead.
    named = text(obj(value.get("waba_info")).get("waba_id"))
    return AccountEvent(
        field=field,
        waba_uid=named or waba_uid,
        phone_uid=phone_uid or entity,
        number=number or e164(shown),
        raw=value,
        **_account_facts(field, value),
    )


def _account_facts(field: str, value: Json) -> dict[str, Any]:
    if field == "phone_number_name_update":
        return {"about": "number", "tier": _tier(value), **_name(value)}
    if field == "phone_number_quality_update":
        return {"about": "number", "tier": _tier(value), **_quality(value)}
    if field == "business_capability_update":
        return {"tier": _tier(value)}
    if field == "account_update":
        return _update(value)
    if field == "account_alerts":
        alert = obj(value.get("alert_info")) or value
        words = text(alert.get("alert_description")) or text(alert.get("alert_type"))
        return {"kind": "notice", "word": words}
    if field == "security":
        return {"kind": "security", "word": text(value.get("event"))}
    if _upper(value.get("decision")) == "REJECTED":
        return {"kind": "refused"}
    return {}


def _tier(value: Json) -> str:
    given = value.get("max_daily_conversations_per_business")
    return text(given) or text(value.get("current_limit"))


def _name(value: Json) -> Json:
    decision = _upper(value.get("decision"))
    name = text(value.get("requested_verified_name"))
    if decision == "APPROVED" and name:
        return {"kind": "named", "name": name}
    return {"kind": "name_refused", "name": name} if decision == "REJECTED" else {}


def _quality(value: Json) -> Json:
    event = _upper(value.get("event"))
    if event == "THROUGHPUT_UPGRADE":
        return {"kind": "paced", "pace": HIGH_PACE}
    return {"kind": "flagged"} if event in ("FLAGGED", "DOWNGRADE") else {}


def _update(value: Json) -> Json:
    """Read what became of the account.

    An announced ban is a restriction: the account still sends.
    """
    event = _upper(value.get("event"))
    ban = _upper(obj(value.get("ban_info")).get("waba_ban_state"))
    if event in _TAKEN_AWAY:
        return {"kind": _TAKEN_AWAY[event]}
    if ban == "DISABLE":
        return {"kind": "disabled"}
    if ban == "REINSTATE":
        return {"kind": "reinstated"}
    if ban or event in ("ACCOUNT_RESTRICTION", "ACCOUNT_VIOLATION"):
        return {"kind": "restricted", "word": _restrictions(value) or event}
    return {"kind": "note", "word": event[:WORD_LENGTH] or "account_update"}


def _restrictions(value: Json) -> str:
    """Return in Meta's words what is restricted, why, and from when."""
    ban = obj(value.get("ban_info"))
    words = [
        *(row.get("restriction_type") for row in rows(value.get("restriction_info"))),
        obj(value.get("violation_info")).get("violation_type"),
        ban.get("waba_ban_state"),
        ban.get("waba_ban_date"),
    ]
    return ", ".join(word[:WORD_LENGTH] for word in map(text, words) if word)


def _upper(value: object) -> str:
    return value.upper() if isinstance(value, str) else ""


# === TEMPLATES === #


def template_event(
    field: str, value: Json, *, waba_uid: str = "", time: int = 0
) -> TemplateEvent:
    """Read an event of a template: review, pause, quality, category, content."""
    category = value.get("new_category") or value.get("message_template_category")
    rejection = obj(value.get("rejection_info"))
    event = text(value.get("event"))
    return TemplateEvent(
        field=field,
        template_uid=text(value.get("message_template_id")),
        name=text(value.get("message_template_name")),
        lang_code=language(value.get("message_template_language")),
        event=event,
        status=template_status(event) if event else "",
        reason=reason(value.get("reason")) or reason(rejection.get("reason")),
        category=text(category).lower(),
        is_moved=field == "template_category_update",
        previous_category=text(value.get("previous_category")).lower(),
        correct_category=text(value.get("correct_category")).lower(),
        quality=text(value.get("new_quality_score")),
        is_rewritten=field == "message_template_components_update",
        waba_uid=waba_uid,
        time=time,
        raw=value,
    )
