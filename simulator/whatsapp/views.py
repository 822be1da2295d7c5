# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""How the control API and the pages show what there is on WhatsApp."""

from __future__ import annotations

from typing import Any

from ..timing import iso
from .state import Message, Phone, State, Template, User, Waba

Json = dict[str, Any]


def message_as_json(message: Message) -> Json:
    """Return a message as its phone shows it, with all that became of it."""
    template = message.template
    user = message.user
    return {
        "id": message.wamid,
        "wamid": message.wamid,
        "direction": "in" if message.inbound else "out",
        "to": message.recipient or None,
        "wa_id": user.wa_id or None,
        "user_id": user.user_uid,
        "from": message.phone.number,
        "phone_uid": message.phone.uid,
        "waba_uid": message.phone.waba_uid,
        "type": message.type,
        "template": template.name if template else None,
        "language": template.language if template else None,
        "category": message.category,
        "header": message.header,
        "body": message.body,
        "footer": message.footer,
        "buttons": list(message.buttons),
        "uuid": message.uuid or None,
        "context": message.context or None,
        "reactions": message.reactions,
        "at": iso(message.created),
        "status": message.status,
        "statuses": [
            {"status": status, "at": iso(at), "error": error}
            for status, at, error in message.history
        ],
    }


def user_as_json(user: User) -> Json:
    """Return a user and how their phone is set."""
    return {
        "number": "+" + user.wa_id if user.wa_id else None,
        "wa_id": user.wa_id or None,
        "user_id": user.user_uid,
        "name": user.name,
        "username": user.username,
        "username_only": user.hides_number,
        "on_whatsapp": user.on_whatsapp,
        "online": user.online,
        "receipts": user.receipts,
        "in_experiment": user.in_experiment,
        "blocks": sorted(user.blocks),
        "no_marketing": sorted(user.no_marketing),
        "last_inbound": {uid: iso(at) for uid, at in user.last_inbound.items()},
        "messages": len(user.chat),
    }


def phone_as_json(phone: Phone) -> Json:
    """Return a business number with what only its owner's phone would know."""
    return {
        "phone_uid": phone.uid,
        "number": "+" + phone.number,
        "display": phone.display,
        "verified_name": phone.verified_name,
        "waba_uid": phone.waba_uid,
        "is_verified": phone.is_verified,
        "is_registered": phone.is_registered,
        "code": phone.code or None,
        "throughput": phone.throughput,
        "quality": phone.quality,
        "tier": phone.tier,
        "status": phone.status,
        "callback": phone.override.url if phone.override else None,
        "allowed": None if phone.allowed is None else sorted(phone.allowed),
    }


def template_as_json(template: Template) -> Json:
    """Return a template."""
    return {
        "id": template.uid,
        "waba_uid": template.waba_uid,
        "name": template.name,
        "language": template.language,
        "category": template.category,
        "status": template.status,
        "rejected_reason": template.rejected_reason,
        "quality": template.quality,
        "held": len(template.held),
        "components": template.components,
    }


def _waba(waba: Waba) -> Json:
    return {
        "waba_uid": waba.uid,
        "name": waba.name,
        "app_uid": waba.app_uid,
        "provider": waba.provider,
        "health": waba.health,
        "subscribed": {
            uid: override.url or None for uid, override in waba.subscribed.items()
        },
        "templates": [template_as_json(t) for t in waba.templates.values()],
    }


def state_as_json(state: State) -> Json:
    """Return everything but messages."""
    return {
        "apps": [
            {
                "app_uid": app.uid,
                "callback_url": app.callback_url or None,
                "verify_token": app.verify_token or None,
                "fields": list(app.fields),
            }
            for app in state.apps.values()
        ],
        "tokens": [
            {
                "token": token.value,
                "app_uid": token.app_uid,
                "waba_uids": sorted(token.waba_uids),
                "scopes": sorted(token.scopes),
                "is_valid": token.is_valid,
                "expires_at": iso(token.expires_at) if token.expires_at else None,
            }
            for token in state.tokens.values()
        ],
        "wabas": [_waba(waba) for waba in state.wabas.values()],
        "phones": [phone_as_json(phone) for phone in state.phones.values()],
        "users": [user_as_json(user) for user in state.everyone()[:500]],
    }
