# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Meta's errors: the codes that we raise, their titles, and the body they travel in."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

# code: (HTTP status, title), as on Meta's page "Error codes" (Cloud API, 2026-09).
SPECS: dict[int, tuple[int, str]] = {
    0: (401, "AuthException"),
    1: (400, "An unknown error occurred"),
    2: (503, "Service temporarily unavailable"),
    3: (500, "API Method"),
    4: (400, "Application request limit reached"),
    10: (403, "Application does not have permission for this action"),
    33: (400, "Parameter value is not valid"),
    100: (400, "Invalid parameter"),
    104: (401, "An access token is required to request this resource."),
    190: (401, "Invalid OAuth access token - Cannot parse access token"),
    200: (403, "You do not have the necessary permissions to send messages on behalf"),
    368: (403, "Temporarily blocked for policies violations"),
    613: (400, "Calls to this api have exceeded the rate limit."),
    803: (404, "Some of the aliases you requested do not exist"),
    2200: (400, "Callback verification failed"),
    2500: (400, "An active access token must be used to query information"),
    80007: (400, "Rate limit issues"),
    130403: (400, "User is blocked by the business"),
    130429: (429, "Rate limit hit"),
    130472: (400, "User's number is part of an experiment"),
    130497: (
        403,
        "Business account is restricted from messaging users in this country",
    ),
    131000: (500, "Something went wrong"),
    131005: (403, "Access denied"),
    131008: (400, "Required parameter is missing"),
    131009: (400, "Parameter value is not valid"),
    131016: (500, "Service unavailable"),
    131021: (400, "Recipient cannot be sender"),
    131026: (400, "Message undeliverable"),
    131030: (400, "Recipient phone number not in allowed list"),
    131031: (403, "Business account has been locked"),
    131037: (400, "WhatsApp provided number needs display name approval"),
    131042: (400, "Business eligibility payment issue"),
    131045: (500, "Incorrect certificate"),
    131047: (400, "Re-engagement message"),
    131048: (400, "Spam rate limit hit"),
    131049: (400, "This message was not delivered to maintain healthy ecosystem"),
    131050: (400, "User has stopped marketing messages from this business"),
    131051: (400, "Unsupported message type"),
    131052: (400, "Media download error"),
    131053: (400, "Media upload error"),
    131055: (400, "Method not allowed"),
    131056: (400, "(Business Account, Consumer Account) pair rate limit hit"),
    131057: (500, "Account in maintenance mode"),
    131061: (400, "Max-price template must use the Marketing Messages API"),
    131062: (400, "Message type not allowed for this recipient"),
    131063: (400, "Marketing templates are disabled on Cloud API"),
    131064: (400, "Messaging cap for template classification violations"),
    131065: (400, "Max price is not available in the recipient's country"),
    132000: (400, "Number of parameters does not match the expected number of params"),
    132001: (404, "Template name does not exist in the translation"),
    132005: (400, "Translated text too long"),
    132007: (400, "Template format character policy violated"),
    132008: (400, "Parameter value is not valid"),
    132012: (400, "Parameter format does not match format in the created template"),
    132015: (400, "Template is paused"),
    132016: (400, "Template is disabled"),
    132018: (400, "Template parameters have an issue"),
    132021: (400, "Template name already exists"),
    132068: (400, "Flow is blocked"),
    132069: (400, "Flow is throttled"),
    133000: (500, "Incomplete deregistration"),
    133004: (503, "Server temporarily unavailable"),
    133005: (400, "Two step verification PIN mismatch"),
    133006: (400, "Phone number re-verification needed"),
    133008: (400, "Too many two step verification PIN guesses"),
    133009: (400, "Two step verification PIN guessed too fast"),
    133010: (400, "The account is not registered"),
    133015: (400, "Phone number was recently deleted"),
    133016: (400, "Account register or deregister rate limit exceeded"),
    134011: (400, "WhatsApp Payments terms not accepted"),
    134100: (400, "Only marketing templates are supported"),
    134101: (400, "Template is still syncing"),
    134102: (500, "Template unavailable"),
    135000: (400, "Generic user error"),
    136025: (400, "Verify code error"),
    137000: (400, "Recipient identity key hash mismatch"),
    139100: (400, "Failed to block or unblock some users"),
    141002: (400, "Blocked by health status"),
}
TRANSIENT = frozenset({1, 2, 4, 613, 131000, 131016, 131057, 133004, 134101})
DOC = "/documentation/business-messaging/whatsapp/support/error-codes"
_PLAIN = frozenset({0, 1, 2, 104, 190, 803, 2500})


class GraphError(Exception):
    """Carry one Graph error from where it is found to the answer."""

    def __init__(
        self,
        code: int,
        details: str = "",
        *,
        message: str = "",
        subcode: int = 0,
        http: int = 0,
        kind: str = "OAuthException",
        user_title: str = "",
        user_msg: str = "",
    ) -> None:
        status, title = SPECS.get(code, (400, "An error occurred"))
        self.code = code
        self.details = details
        self.http = http or status
        self.title = message or title
        self.subcode = subcode
        self.kind = kind
        self.user_title = user_title
        self.user_msg = user_msg
        super().__init__(f"{code} {self.title} {details}")

    def body(self, trace: str) -> Json:
        """Return the JSON body of the answer."""
        plain = self.code in _PLAIN or self.subcode == 33
        text = self.title if plain else f"(#{self.code}) {self.title}"
        error: Json = {"message": text, "type": self.kind, "code": self.code}
        if self.details:
            data = {"messaging_product": "whatsapp", "details": self.details}
            error["error_data"] = data
        if self.subcode:
            error["error_subcode"] = self.subcode
        if self.user_msg:
            error["is_transient"] = False
            error["error_user_title"] = self.user_title
            error["error_user_msg"] = self.user_msg
        elif self.code in TRANSIENT:
            error["is_transient"] = True
        error["fbtrace_id"] = trace
        return {"error": error}


def webhook_error(code: int, details: str = "") -> Json:
    """Return an error as it stands in a failed status."""
    title = SPECS.get(code, (400, "An error occurred"))[1]
    data = {"details": details or title}
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": data,
        "href": DOC,
    }


def not_found(method: str, object_id: str) -> GraphError:
    """Return what Graph says to an id it will not show."""
    text = (
        f"Unsupported {method.lower()} request. Object with ID '{object_id}' does not "
        "exist, cannot be loaded due to missing permissions, or does not support this "
        "operation. Please read the Graph API documentation at "
        "https://developers.facebook.com/docs/graph-api"
    )
    return GraphError(100, message=text, subcode=33, kind="GraphMethodException")


def missing(parameter: str) -> GraphError:
    """Return the error for a required parameter that is absent."""
    return GraphError(100, message=f"The parameter {parameter} is required.")


def invalid(details: str) -> GraphError:
    """Return error 100 with a sentence that says what is wrong."""
    return GraphError(100, details)
