# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Who is told: apps subscribed to an account, and the callback of an app."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp

from ..text import words
from ..whatsapp.call import Call, check_url
from ..whatsapp.errors import GraphError, Json, invalid, missing
from ..whatsapp.state import App, Override, State
from ..world import World
from .settings import Settings
from .webhooks import Webhooks

OBJECT = "whatsapp_business_account"
FIELDS = frozenset(
    words(
        "account_alerts account_review_update account_settings_update account_update "
        "automatic_events business_capability_update business_status_update "
        "business_username_updates calls consumer_profile flows group_lifecycle_update "
        "group_participants_update group_settings_update group_status_update history "
        "message_echoes message_template_components_update "
        "message_template_quality_update message_template_status_update messages "
        "messaging_handovers partner_solutions payment_configuration_update "
        "phone_number_name_update phone_number_quality_update security "
        "smb_app_state_sync smb_message_echoes standby template_category_update "
        "template_correct_category_detection tracking_events user_preferences"
    )
)
_URI_LIMIT = 200


class Subscriptions:
    """Know who is told, and see that it is theirs to hear."""

    def __init__(
        self, world: World, state: State, settings: Settings, webhooks: Webhooks
    ) -> None:
        self.world, self.state, self.settings = world, state, settings
        self.webhooks = webhooks

    async def handshake(self, url: str, verify_token: str) -> None:
        """Ask a callback to prove itself; raises GraphError if not."""
        challenge = str(secrets.randbelow(2**31))
        query = {
            "hub.mode": "subscribe",
            "hub.challenge": challenge,
            "hub.verify_token": verify_token,
        }
        separator = "&" if urlsplit(url).query else "?"
        status, text = await self._get(url + separator + urlencode(query))
        if status == 200 and text.strip() == challenge:
            return
        found = text[:80] or "no answer"
        raise GraphError(
            2200,
            message="Callback verification failed with the following errors: HTTP Status "
            f"Code = {status}; Observed response = {found!r}",
        )

    async def _get(self, url: str) -> tuple[int, str]:
        timeout = aiohttp.ClientTimeout(total=self.settings.webhook.timeout_ms / 1000)
        try:
            async with self.world.http.get(
                url, timeout=timeout, allow_redirects=False
            ) as answer:
                return answer.status, (await answer.content.read(4096)).decode(
                    "latin-1"
                )
        except (
            aiohttp.ClientError,
            OSError,
            asyncio.TimeoutError,
            ValueError,
        ) as error:
            return 0, str(error) or type(error).__name__

    async def read_override(self, values: Json) -> Override:
        """Take an override from a call, after the handshake; empty removes it."""
        raw = values.get("override_callback_uri")
        if not raw:
            return Override()
        url = check_url(raw, "override_callback_uri")
        if len(url) > _URI_LIMIT:
            raise invalid(
                f"Param override_callback_uri: at most {_URI_LIMIT} characters."
            )
        if not values.get("verify_token"):
            raise missing("verify_token")
        await self.handshake(url, str(values["verify_token"]))
        return Override(url, str(values["verify_token"]))

    async def subscribe_app(self, call: Call) -> Json:
        """POST /{WABA}/subscribed_apps: this token's app gets the account's webhooks."""
        assert call.token is not None
        override = await self.read_override(call.payload())
        call.waba().subscribed[call.token.app_uid] = override
        self.webhooks.forget_targets()
        return {"success": True}

    def list_apps(self, call: Call) -> Json:
        """GET /{WABA}/subscribed_apps."""
        data = []
        for app_uid, override in call.waba().subscribed.items():
            app = self.state.apps[app_uid]
            link = f"https://www.facebook.com/games/?app_id={app.uid}"
            shown: Json = {
                "whatsapp_business_api_data": {
                    "link": link,
                    "name": app.name,
                    "id": app.uid,
                }
            }
            if override.url:
                shown["override_callback_uri"] = override.url
            data.append(shown)
        return {"data": data}

    def drop_app(self, call: Call) -> Json:
        """DELETE /{WABA}/subscribed_apps."""
        assert call.token is not None
        call.waba().subscribed.pop(call.token.app_uid, None)
        self.webhooks.forget_targets()
        return {"success": True}

    async def set_callback(self, call: Call) -> Json:
        """POST /{app}/subscriptions with the app's token."""
        values = call.payload()
        if values.get("object") != OBJECT:
            raise invalid(f"Param object must be {OBJECT}")
        url = check_url(call.need("callback_url"), "callback_url")
        names = _field_names(values.get("fields"))
        verify_token = call.need("verify_token")
        await self.handshake(url, verify_token)
        app = call.app()
        app.callback_url, app.verify_token = url, verify_token
        app.fields = tuple(dict.fromkeys((*app.fields, *names)))
        self.webhooks.forget_targets()
        return {"success": True}

    def list_callbacks(self, call: Call) -> Json:
        """GET /{app}/subscriptions."""
        app = call.app()
        if not app.callback_url:
            return {"data": []}
        return {"data": [_callback(app)]}

    def drop_callback(self, call: Call) -> Json:
        """DELETE /{app}/subscriptions: all of it, or the fields named."""
        app = call.app()
        names = call.payload().get("fields")
        if names:
            gone = set(_field_names(names))
            app.fields = tuple(name for name in app.fields if name not in gone)
        else:
            app.callback_url, app.verify_token, app.fields = "", "", ()
        self.webhooks.forget_targets()
        return {"success": True}


def _field_names(value: Any) -> list[str]:
    names = value if isinstance(value, list) else str(value or "").split(",")
    names = [str(name).strip() for name in names if str(name).strip()]
    if not names:
        raise missing("fields")
    for index, name in enumerate(names):
        if name not in FIELDS:
            allowed = ", ".join(sorted(FIELDS))
            text = f"Param fields[{index}] must be one of {{{allowed}}} - got {name!r}"
            raise GraphError(100, message=text)
    return names


def _callback(app: App) -> Json:
    fields = [{"name": name, "version": "v25.0"} for name in app.fields]
    return {
        "object": OBJECT,
        "callback_url": app.callback_url,
        "active": True,
        "fields": fields,
    }
