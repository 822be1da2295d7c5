# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Tokens, apps and accounts as Graph shows them."""

from __future__ import annotations

from ..whatsapp.call import Call
from ..whatsapp.errors import GraphError, Json
from ..whatsapp.state import Phone, State, Template, Token, Waba
from ..world import World

_RANK = {"AVAILABLE": 0, "LIMITED": 1, "BLOCKED": 2}


class Accounts:
    """Answer for tokens, apps and accounts."""

    def __init__(self, world: World, state: State) -> None:
        self.world, self.state = world, state

    def read_me(self, call: Call) -> Json:
        """GET /me."""
        token = _token(call)
        if token.is_app:
            raise GraphError(
                2500,
                message="An active access token must be used to query information about "
                "the current user.",
            )
        return {
            "name": "Simulated System User",
            "id": "1220000000000" + token.app_uid[-2:],
        }

    def debug_token(self, call: Call) -> Json:
        """GET /debug_token?input_token= with an app token or the token itself."""
        asking = _token(call)
        value = call.query.get("input_token", "")
        if not value:
            raise GraphError(
                100, message="(#100) The parameter input_token is required"
            )
        token = self.state.find_token(value)
        if token is None:
            error = {"code": 190, "message": "Invalid OAuth access token."}
            return {"data": {"error": error, "is_valid": False, "scopes": []}}
        if not asking.is_app and asking.value != token.value:
            text = "You must provide an app access token, or a user access token"
            raise GraphError(100, message=text)
        if asking.app_uid != token.app_uid:
            text = "The App_id in the input_token did not match the Viewing App"
            raise GraphError(100, message=text)
        return {"data": self._token_data(token)}

    def _token_data(self, token: Token) -> Json:
        expired = bool(token.expires_at) and self.world.clock.now() >= token.expires_at
        data: Json = {
            "app_id": token.app_uid,
            "type": "APP" if token.is_app else "SYSTEM_USER",
            "application": self.state.apps[token.app_uid].name,
            "is_valid": token.is_valid and not expired,
        }
        if token.is_app:
            return {**data, "scopes": []}
        data["data_access_expires_at"] = 0
        data["expires_at"] = int(token.expires_at)
        data["issued_at"] = 1767225600
        data["scopes"] = sorted(token.scopes)
        targets = sorted(token.waba_uids)
        data["granular_scopes"] = [
            {"scope": scope, "target_ids": targets} for scope in sorted(token.scopes)
        ]
        data["user_id"] = "1220000000000" + token.app_uid[-2:]
        if expired:
            text = "Error validating access token: Session has expired."
            data["error"] = {"code": 190, "message": text, "subcode": 463}
        return data

    def read_app(self, call: Call) -> Json:
        """GET /{app}."""
        app = call.app()
        return {
            "name": app.name,
            "link": f"{call.base_url}/apps/{app.uid}",
            "id": app.uid,
        }

    def read_waba(self, call: Call) -> Json:
        """GET /{WABA}?fields=..."""
        waba = call.waba()
        known: Json = {
            "id": waba.uid,
            "name": waba.name,
            "currency": "EUR",
            "timezone_id": "321",
            "message_template_namespace": f"namespace_{waba.uid}",
            "account_review_status": "APPROVED",
            "business_verification_status": "verified",
            "country": "ES",
            "ownership_type": "CLIENT_OWNED",
            "status": "ACTIVE",
            "health_status": health(waba),
        }
        default = [
            "id",
            "name",
            "currency",
            "timezone_id",
            "message_template_namespace",
        ]
        return pick(known, call.fields() or default)


def _token(call: Call) -> Token:
    if call.token is None:
        raise GraphError(104)
    return call.token


def pick(known: Json, names: list[str]) -> Json:
    """Return the fields asked for, and the id always; unknown ones are left out."""
    shown = {name: known[name] for name in names if name in known}
    shown.setdefault("id", known["id"])
    return shown


def health(
    waba: Waba,
    phone: Phone | None = None,
    template: Template | None = None,
) -> Json:
    """Return whether messages can be sent, and which part stands in the way."""
    entities = []
    if template is not None:
        entities.append(
            _entity("MESSAGE_TEMPLATE", template.uid, _template_health(template))
        )
    if phone is not None:
        entities.append(_entity("PHONE_NUMBER", phone.uid, _phone_health(phone)))
    entities.append(_entity("WABA", waba.uid, waba.health))
    entities.append(_entity("BUSINESS", "9" + waba.uid[1:], "AVAILABLE"))
    entities.append(_entity("APP", waba.app_uid, "AVAILABLE"))
    worst = max((str(e["can_send_message"]) for e in entities), key=_RANK.__getitem__)
    return {"can_send_message": worst, "entities": entities}


def _entity(kind: str, uid: str, state: str) -> Json:
    entity: Json = {"entity_type": kind, "id": uid, "can_send_message": state}
    if state == "BLOCKED":
        entity["errors"] = [
            {
                "error_code": 141006 if kind == "WABA" else 141000,
                "error_description": f"This {kind.lower()} cannot send messages.",
                "possible_solution": "Look at the account in WhatsApp Manager.",
            }
        ]
    elif state == "LIMITED":
        entity["additional_info"] = [f"Sending from this {kind.lower()} is limited."]
    return entity


def _phone_health(phone: Phone) -> str:
    if not phone.is_registered or phone.status in ("BANNED", "RESTRICTED"):
        return "BLOCKED"
    return "LIMITED" if phone.quality == "RED" else "AVAILABLE"


def _template_health(template: Template) -> str:
    return "AVAILABLE" if template.status == "APPROVED" else "BLOCKED"
