# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Business numbers: reading, verifying, registering, profile, blocked users."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..text import words
from ..whatsapp.call import Call
from ..whatsapp.errors import GraphError, Json, invalid, missing, webhook_error
from ..whatsapp.numbering import digits_of, display, is_bsuid
from ..whatsapp.state import Phone, State, User
from ..world import World
from .accounts import health, pick
from .lifecycle import DAY
from .paging import page
from .settings import Settings
from .subscriptions import Subscriptions
from .webhooks import Webhooks

_DEFAULT = words(
    "verified_name code_verification_status display_phone_number quality_rating "
    "platform_type throughput last_onboarded_time webhook_configuration id"
)
_PIN = re.compile(r"^\d{6}$")
_REGISTRATIONS, _REGISTRATION_SPAN = 10, 72 * 3600
_PROFILE_LIMITS = {"about": 139, "address": 256, "description": 512, "email": 128}


class Numbers:
    """Answer for the numbers of businesses."""

    def __init__(
        self,
        world: World,
        state: State,
        settings: Settings,
        webhooks: Webhooks,
        subscriptions: Subscriptions,
    ) -> None:
        self.world, self.state, self.settings = world, state, settings
        self.webhooks, self.subscriptions = webhooks, subscriptions

    def shown(self, phone: Phone) -> Json:
        """Return every field of a number."""
        waba = self.state.wabas[phone.waba_uid]
        level = "STANDARD" if phone.throughput == "COEXISTENCE" else phone.throughput
        if self.settings.pace is not None:
            level = (
                "HIGH"
                if self.settings.pace > 80 or not self.settings.pace
                else "STANDARD"
            )
        return {
            "id": phone.uid,
            "verified_name": phone.verified_name,
            "display_phone_number": phone.display,
            "quality_rating": phone.quality,
            "code_verification_status": "VERIFIED"
            if phone.is_verified
            else "NOT_VERIFIED",
            "name_status": phone.name_status,
            "new_name_status": "NONE",
            "status": phone.status,
            "throughput": {"level": level},
            "platform_type": "CLOUD_API" if phone.is_registered else "NOT_APPLICABLE",
            "account_mode": phone.account_mode,
            "is_official_business_account": False,
            "is_pin_enabled": bool(phone.pin),
            "is_on_biz_app": phone.throughput == "COEXISTENCE",
            "whatsapp_business_manager_messaging_limit": phone.tier,
            "messaging_limit_tier": phone.tier,
            "last_onboarded_time": "2026-01-01T00:00:00+0000",
            "health_status": health(waba, phone),
            "webhook_configuration": self._webhook_configuration(phone),
        }

    def _webhook_configuration(self, phone: Phone) -> Json:
        waba = self.state.wabas[phone.waba_uid]
        shown: Json = {}
        if phone.override and phone.override.url:
            shown["phone_number"] = phone.override.url
        for app_uid, override in waba.subscribed.items():
            if override.url:
                shown["whatsapp_business_account"] = override.url
            if self.state.apps[app_uid].callback_url:
                shown["application"] = self.state.apps[app_uid].callback_url
        return shown

    def list_phones(self, call: Call) -> Json:
        """GET /{WABA}/phone_numbers."""
        names = call.fields() or list(_DEFAULT)
        rows = [
            pick(self.shown(phone), names)
            for phone in self.state.phones.values()
            if phone.waba_uid == call.object_id
        ]
        return page(call, rows)

    def read_phone(self, call: Call) -> Json:
        """GET /{phone}."""
        return pick(self.shown(call.phone()), call.fields() or list(_DEFAULT))

    async def write_phone(self, call: Call) -> Json:
        """POST /{phone}: a new PIN or a callback of its own."""
        values = call.payload()
        phone = call.phone()
        if "pin" in values:
            phone.pin = _pin(values["pin"])
        configuration = values.get("webhook_configuration")
        if isinstance(configuration, dict):
            phone.override = await self.subscriptions.read_override(configuration)
            self.webhooks.forget_targets()
        elif "pin" not in values:
            raise invalid("Nothing to change")
        return {"success": True}

    def add_phone(self, call: Call) -> Json:
        """POST /{WABA}/phone_numbers."""
        number = digits_of(call.need("cc") + call.need("phone_number"))
        if any(phone.number == number for phone in self.state.phones.values()):
            raise invalid(f"The number {display(number)} is already registered")
        phone = Phone(
            self.state.next_id(30),
            number,
            display(number),
            call.need("verified_name"),
            call.object_id,
            is_verified=False,
            is_registered=False,
            status="PENDING",
            quality="UNKNOWN",
            name_status="PENDING_REVIEW",
        )
        self.state.phones[phone.uid] = phone
        return {"id": phone.uid}

    def request_code(self, call: Call) -> Json:
        """POST /{phone}/request_code: the code is in GET /_control/state."""
        method = call.need("code_method").upper()
        if method not in ("SMS", "VOICE"):
            raise GraphError(
                100, message="Param code_method must be one of {SMS, VOICE}"
            )
        call.need("language")
        call.phone().code = f"{self.world.random.randrange(10**6):06d}"
        return {"success": True}

    def verify_code(self, call: Call) -> Json:
        """POST /{phone}/verify_code."""
        phone = call.phone()
        code = call.need("code")
        if not phone.code or code != phone.code:
            raise GraphError(
                136025,
                "The code you entered is incorrect",
                subcode=2388093,
                user_title="Incorrect code",
                user_msg="The code you entered is incorrect. Please try again.",
            )
        phone.is_verified, phone.code = True, ""
        return {"success": True}

    def _count_registration(self, phone: Phone) -> None:
        now = self.world.clock.now()
        recent = [at for at in phone.registrations if now - at < _REGISTRATION_SPAN]
        if len(recent) >= _REGISTRATIONS:
            raise GraphError(133016, "Registration was attempted too many times")
        phone.registrations = [*recent, now]

    def register(self, call: Call) -> Json:
        """POST /{phone}/register."""
        phone = call.phone()
        if call.payload().get("messaging_product") != "whatsapp":
            raise missing("messaging_product")
        pin = _pin(call.need("pin"))
        self._count_registration(phone)
        if not phone.is_verified:
            raise GraphError(
                133006, "Phone number needs to be verified before registering"
            )
        if phone.pin and phone.pin != pin:
            raise GraphError(133005, "Two step verification PIN mismatch")
        phone.pin, phone.is_registered, phone.status = pin, True, "CONNECTED"
        return {"success": True}

    def deregister(self, call: Call) -> Json:
        """POST /{phone}/deregister."""
        phone = call.phone()
        if phone.throughput == "COEXISTENCE":
            raise GraphError(100, "The number is in use in the WhatsApp Business app")
        self._count_registration(phone)
        phone.is_registered, phone.status = False, "DISCONNECTED"
        return {"success": True}

    def read_profile(self, call: Call) -> Json:
        """GET /{phone}/whatsapp_business_profile."""
        profile = {"messaging_product": "whatsapp", **call.phone().profile}
        names = call.fields()
        if names:
            wanted = {*names, "messaging_product"}
            profile = {name: profile[name] for name in profile if name in wanted}
        return {"data": [profile]}

    def write_profile(self, call: Call) -> Json:
        """POST /{phone}/whatsapp_business_profile."""
        values = call.payload()
        if values.get("messaging_product") != "whatsapp":
            raise missing("messaging_product")
        for name, limit in _PROFILE_LIMITS.items():
            if len(str(values.get(name, ""))) > limit:
                raise GraphError(
                    100, message=f"Param {name} must be at most {limit} long."
                )
        if len(values.get("websites") or []) > 2:
            raise GraphError(
                100, message="Param websites must have at most 2 elements."
            )
        known = (*_PROFILE_LIMITS, "websites", "vertical")
        call.phone().profile.update({k: v for k, v in values.items() if k in known})
        return {"success": True}

    def list_blocked(self, call: Call) -> Json:
        """GET /{phone}/block_users."""
        rows = []
        for uid in sorted(call.phone().blocked):
            user = self.state.users_by_uid[uid]
            row = {"messaging_product": "whatsapp", "user_id": uid}
            rows.append({**row, "wa_id": user.wa_id} if user.wa_id else row)
        return page(call, rows)

    def block_users(self, call: Call) -> Json:
        """POST /{phone}/block_users: only people who wrote in the last 24 hours."""
        phone, now = call.phone(), self.world.clock.now()

        def block(user: User) -> bool:
            if now - user.last_inbound.get(phone.uid, 0) >= DAY:
                return False
            phone.blocked.add(user.user_uid)
            return True

        return self._each_user(call, block, "added_users")

    def unblock_users(self, call: Call) -> Json:
        """DELETE /{phone}/block_users."""

        def unblock(user: User) -> bool:
            call.phone().blocked.discard(user.user_uid)
            return True

        return self._each_user(call, unblock, "removed_users")

    def _each_user(self, call: Call, change: Callable[[User], bool], key: str) -> Json:
        rows = call.payload().get("block_users")
        if not isinstance(rows, list) or not rows:
            raise missing("block_users")
        done, failed = [], []
        for row in rows:
            text = str((row or {}).get("user") or (row or {}).get("user_id") or "")
            number = text if is_bsuid(text) else digits_of(text)
            user = self.state.find_user(number) if number else None
            if user is not None and change(user):
                done.append(
                    {"input": text, "wa_id": user.wa_id, "user_id": user.user_uid}
                )
            else:
                error = webhook_error(
                    139100, "The user did not write in the last 24 hours"
                )
                failed.append({"input": text, "errors": [error]})
        if failed and not done:
            raise GraphError(139100, "The user did not write in the last 24 hours")
        result: Json = {key: done}
        if failed:
            result["failed_users"] = failed
        return {"messaging_product": "whatsapp", "block_users": result}


def _pin(value: Any) -> str:
    if not _PIN.match(str(value)):
        raise GraphError(100, message="Param pin must be 6 characters long.")
    return str(value)
