# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The Graph API's shapes: bodies to send, answers to read (2026-11)."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ...values import e164, number, obj, rows, text
from ..base import (
    ButtonParam,
    ErrorInfo,
    HeaderParam,
    Json,
    ListMessage,
    Outgoing,
    PhoneInfo,
    SubmitResult,
    TemplateDraft,
    TemplateInfo,
    TemplateMessage,
    TextMessage,
    TokenInfo,
)
from .errors import ERRORS

# Messages a second by throughput level. A number that is also used in the phone app
# is slow whatever its level, and a level that we do not know may be.
PACE_BY_LEVEL = {"STANDARD": 80, "HIGH": 1000, "": 80}
PACE_OTHERWISE = 20

# "ES.1349", "US.ENT.1181": a business-scoped user id instead of a number.
_BSUID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9.]{1,132}\Z")


def language(code: object) -> str:
    """Return a language code in REST's form: webhooks may write `en-US` for `en_US`."""
    return text(code).replace("-", "_")


def is_bsuid(recipient: str) -> bool:
    """Tell whether a recipient is a business-scoped user id."""
    return _BSUID.match(recipient) is not None


# === MESSAGES === #


def message_payload(outgoing: Outgoing) -> Json:
    """Build the body of `POST /{phone}/messages`."""
    payload: Json = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **_recipient(outgoing.recipient),
        **_content(outgoing.content),
    }
    if outgoing.uuid:
        payload["biz_opaque_callback_data"] = outgoing.uuid
    if outgoing.context_wamid:
        payload["context"] = {"message_id": outgoing.context_wamid}
    return payload


def _recipient(recipient: str) -> Json:
    # A user id placed in `to` is not delivered; a number without its plus may get the
    # business' own country code.
    if is_bsuid(recipient):
        return {"recipient": recipient}
    return {"to": recipient if recipient.startswith("+") else f"+{recipient}"}


def _content(content: TemplateMessage | TextMessage | ListMessage) -> Json:
    if isinstance(content, ListMessage):
        return {"type": "interactive", "interactive": _list(content)}
    if isinstance(content, TextMessage):
        body = {"body": content.body, "preview_url": content.preview_url}
        return {"type": "text", "text": body}
    template: Json = {
        "name": content.template_name,
        "language": {"code": language(content.lang_code)},
    }
    components = _components(content)
    if components:
        template["components"] = components
    return {"type": "template", "template": template}


def _list(content: ListMessage) -> Json:
    rows = [{"id": payload, "title": title} for payload, title in content.rows]
    return {
        "type": "list",
        "body": {"text": content.body},
        "action": {"button": content.button, "sections": [{"rows": rows}]},
    }


def _components(content: TemplateMessage) -> list[Json]:
    components: list[Json] = []
    if content.header is not None:
        parameters = [_header(content.header)]
        components.append({"type": "header", "parameters": parameters})
    if content.body:
        parameters = [{"type": "text", "text": value} for value in content.body]
        components.append({"type": "body", "parameters": parameters})
    components.extend(_button(button) for button in content.buttons)
    return components


def _header(header: HeaderParam) -> Json:
    if header.kind == "text":
        return {"type": "text", "text": header.text}
    media = {"id": header.media_uid}
    if header.kind == "document" and header.filename:
        media["filename"] = header.filename
    return {"type": header.kind, header.kind: media}


def _button(button: ButtonParam) -> Json:
    key = "payload" if button.kind == "quick_reply" else "text"
    return {
        "type": "button",
        "sub_type": button.kind,
        "index": str(button.index),
        "parameters": [{"type": key, key: button.value}],
    }


# === TEMPLATES === #


def template_payload(draft: TemplateDraft) -> Json:
    """Build the body that creates a template."""
    payload: Json = {
        "name": draft.name,
        "language": language(draft.lang_code),
        **edit_payload(draft),
    }
    return payload


def edit_payload(draft: TemplateDraft) -> Json:
    """Build the body that edits a template: name and language cannot change."""
    payload: Json = {"components": draft.components}
    if draft.category:
        payload["category"] = draft.category.upper()
    if draft.ttl_seconds is not None:
        payload["message_send_ttl_seconds"] = draft.ttl_seconds
    return payload


def template_info(row: Mapping[str, Any]) -> TemplateInfo:
    """Read a template as the list gives it."""
    quality = row.get("quality_score")
    return TemplateInfo(
        template_uid=text(row.get("id")),
        name=text(row.get("name")),
        lang_code=language(row.get("language")),
        category=text(row.get("category")).lower(),
        status=template_status(row.get("status")),
        raw_status=text(row.get("status")),
        rejected_reason=reason(row.get("rejected_reason")),
        quality=text(obj(quality).get("score")) or text(quality),
        previous_category=text(row.get("previous_category")).lower(),
        correct_category=text(row.get("correct_category")).lower(),
        source=text(row.get("source")),
        parameter_format=text(row.get("parameter_format")),
        components=rows(row.get("components")),
        raw=dict(row),
    )


# Meta's words -> ours. Any other is `unknown`, which is never sent.
_STATUSES = {
    "approved": "approved",
    "reinstated": "approved",
    "pending": "pending",
    "in_review": "pending",
    "in_appeal": "pending",
    "rejected": "rejected",
    "paused": "paused",
    "disabled": "disabled",
    "pending_deletion": "deletion_pending",
    "deleted": "deleted",
}


def template_status(word: object) -> str:
    """Return where a template stands, in our words."""
    return _STATUSES.get(text(word).lower(), "unknown")


def submit_result(template_uid: str, answer: Json, category: str) -> SubmitResult:
    """Read what came of submitting; an answer without a status means a review."""
    word = text(answer.get("status")) or "pending"
    return SubmitResult(
        template_uid=template_uid,
        status=template_status(word),
        raw_status=word.lower(),
        category=text(answer.get("category")).lower() or category,
    )


def reason(value: object) -> str:
    """Return a rejection reason; Meta writes NONE where there is none."""
    word = text(value)
    return "" if word.upper() == "NONE" else word


# === ACCOUNT === #


def phone_info(row: Mapping[str, Any]) -> PhoneInfo:
    """Read a sender number.

    Meta lets the verification of a number in use expire without consequence, so
    EXPIRED and CONNECTED together count as verified.
    """
    verification = text(row.get("code_verification_status")).upper()
    status = text(row.get("status"))
    level = text(obj(row.get("throughput")).get("level")).upper()
    tier = row.get("whatsapp_business_manager_messaging_limit")
    return PhoneInfo(
        phone_uid=text(row.get("id")),
        number=e164(row.get("display_phone_number")),
        verified_name=text(row.get("verified_name")),
        is_verified=verification == "VERIFIED"
        or (verification == "EXPIRED" and status.upper() == "CONNECTED"),
        is_registered=_is_registered(row, status),
        quality=text(row.get("quality_rating")),
        tier=text(tier) or text(row.get("messaging_limit_tier")),
        pace=_pace(level, row.get("is_on_biz_app") is True),
        status=_NUMBER_STATES.get(status.upper(), status),
        raw=dict(row),
    )


# Of two lists of words that Meta uses side by side, ours is the first.
_NUMBER_STATES = {"LINKED": "CONNECTED", "UNLINKED": "DISCONNECTED"}

# States of a number from which nothing can be sent until it is registered (again).
_UNREGISTERED = frozenset(
    {"DISCONNECTED", "UNVERIFIED", "UNLINKED", "DELETED", "MIGRATED"}
)


def _is_registered(row: Mapping[str, Any], status: str) -> bool:
    """Tell whether a number was registered for this API; yes where nothing says no.

    Meta names the platform a number was registered for; older answers only have the
    state, where PENDING is a number that was never registered.
    """
    platform = text(row.get("platform_type")).upper()
    word = status.upper()
    if platform:
        return platform == "CLOUD_API" and word not in _UNREGISTERED
    return word not in {"PENDING", *_UNREGISTERED}


def _pace(level: str, is_on_phone: bool) -> int:
    return PACE_OTHERWISE if is_on_phone else PACE_BY_LEVEL.get(level, PACE_OTHERWISE)


def token_info(data: Mapping[str, Any]) -> TokenInfo:
    """Read `debug_token`'s answer."""
    scopes = data.get("scopes")
    return TokenInfo(
        is_valid=data.get("is_valid") is True,
        app_uid=text(data.get("app_id")),
        expires_at=max(number(data.get("expires_at")), 0),
        scopes=_texts(scopes),
        targets={
            text(row.get("scope")): _texts(row.get("target_ids"))
            for row in rows(data.get("granular_scopes"))
        },
    )


def _texts(values: object) -> tuple[str, ...]:
    items: Iterable[object] = values if isinstance(values, list) else ()
    return tuple(found for item in items if (found := text(item)))


# === ERRORS === #


def error_details(error: Mapping[str, Any]) -> str:
    """Return what an error says beyond its message.

    `error_data` may be an object or a plain string.
    """
    data = error.get("error_data")
    details = text(obj(data).get("details")) or text(data)
    return details or text(error.get("error_user_msg"))


def error_infos(errors: object) -> tuple[ErrorInfo, ...]:
    """Read the errors of a webhook."""
    return tuple(_error_info(error) for error in rows(errors))


def _error_info(error: Mapping[str, Any]) -> ErrorInfo:
    code = text(error.get("code"))
    spec = ERRORS.classify(code)
    return ErrorInfo(
        code=code,
        title=text(error.get("title")),
        message=text(error.get("message")),
        details=error_details(error),
        kind=spec.kind,
        meaning=spec.meaning,
    )
