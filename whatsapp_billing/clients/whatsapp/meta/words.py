# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What people read about an account at Meta, and where Meta keeps what is asked for."""

from ..profile import Link, Words


def _lt(sentence: str) -> str:
    """Mark a sentence for the extraction of terms to translate."""
    return sentence


WORDS = Words(
    token=_lt("Access token"),
    enter_token=_lt("Enter the access token."),
    wrong_token=_lt(
        "WhatsApp does not accept the access token. Make a new one for the system user"
        " in Meta's business settings, enter it here and press Connect."
    ),
    expired_token=_lt(
        "WhatsApp does not accept the token. Make a new one for the system user in"
        " Meta's business settings, enter it and press Connect."
    ),
    wrong_address=_lt(
        "There is no WhatsApp at this API address. Leave it at %(address)s, under"
        " Advanced, unless your provider told you another one, and press Connect."
    ),
    wrong_app=_lt(
        "The App ID or the App Secret is wrong. Copy both again from App settings,"
        " Basic of the app that the access token was made for, and press Connect."
    ),
    lacks_scopes=_lt(
        "The access token lacks the permission %(scopes)s. Make a new token"
        " with it in Meta's business settings, enter it here and press"
        " Connect."
    ),
    missing_scopes=_lt(
        "Missing: %(scopes)s. Make a token with them in Meta's business"
        " settings, enter it and press Connect."
    ),
    not_assigned=_lt(
        "The access token may not use the WhatsApp Business account %(waba)s."
        " Assign that account to the system user in Meta's business settings"
        " and press Connect."
    ),
    assign=_lt(
        "Assign the WhatsApp Business account to the system user in Meta's"
        " business settings and press Connect."
    ),
    disabled=_lt(
        "WhatsApp has disabled this account. Open Meta's Business Support page to see"
        " why and to ask for a review."
    ),
    removed=_lt(
        "The connection between this account and the app was removed at Meta, so"
        " nothing can be sent; what waits is held. Give the app access to the account"
        " again in Meta's business settings and press Connect."
    ),
    deleted=_lt(
        "The WhatsApp Business account was deleted at Meta, so nothing can be sent;"
        " what waits is held. Enter the id of another account and press Connect."
    ),
    restricted=_lt(
        "WhatsApp has restricted this account (%(event)s). Open Meta's"
        " Business Support page to see why and for how long."
    ),
    refused=_lt(
        "WhatsApp did not approve this business account. Open Meta's"
        " Business Support page to see why."
    ),
)

_USERS = Link(
    _lt("Open Meta's system users"),
    "https://business.facebook.com/latest/settings/system_users",
)
LINKS = {
    "token": _USERS,
    "permissions": _USERS,
    "app": Link(_lt("Open Meta's apps"), "https://developers.facebook.com/apps"),
    "business": Link(
        _lt("Open Meta's Security Center"),
        "https://business.facebook.com/latest/settings/security_center",
    ),
}

BEING_VERIFIED = _lt("Meta is looking at it.")
NOT_VERIFIED = _lt(
    "Meta has not verified this business, so only few people a day can be"
    " written to first. Verify it in Meta's business settings, Security"
    " Center."
)

# Why Meta rejects a template ("Template review", 2026-09), and what helps.
REJECTIONS = {
    "ABUSIVE_CONTENT": _lt(
        "WhatsApp finds the text abusive or threatening. Keep to what is owed, since"
        " when and how to pay, and submit it again."
    ),
    "CATEGORY_NOT_AVAILABLE": _lt(
        "WhatsApp does not offer this category here. Choose another one."
    ),
    "INCORRECT_CATEGORY": _lt(
        "WhatsApp thinks that the text belongs to another category. Remove everything"
        " that sounds like an offer, or choose Marketing."
    ),
    "INVALID_FORMAT": _lt(
        "Variables or formatting are not as WhatsApp wants them: an example for each,"
        " words around them, no special characters inside."
    ),
    "PROMOTIONAL": _lt(
        "WhatsApp finds the text promotional. Remove what sounds like an offer, or"
        " choose Marketing."
    ),
    "SCAM": _lt(
        "WhatsApp thinks that the text could deceive people. Name your company and do"
        " not ask for card numbers, identity documents or passwords."
    ),
    "TAG_CONTENT_MISMATCH": _lt(
        "The text is not in the chosen language, or does not fit the chosen category."
    ),
}

# Parts of templates that are not filled in from here, as Meta calls them.
PARTS = {
    "AUTO_GENERATED": _lt("made by WhatsApp itself"),
    "CAROUSEL": _lt("a carousel"),
    "CATALOG": _lt("a catalogue button"),
    "COPY_CODE": _lt("a button that copies a code"),
    "FLOW": _lt("a form button"),
    "IMAGE": _lt("a picture in the header"),
    "LIMITED_TIME_OFFER": _lt("a limited-time offer"),
    "LOCATION": _lt("a place in the header"),
    "MPM": _lt("a button with several products"),
    "NAMED": _lt("variables with names"),
    "ORDER_DETAILS": _lt("an order to pay in WhatsApp"),
    "OTP": _lt("a one-time code"),
    "PRODUCT": _lt("a product in the header"),
    "REQUEST_CONTACT_INFO": _lt("a button that asks for contact details"),
    "SPM": _lt("a button with a product"),
    "UNKNOWN": _lt("a part without a kind"),
    "VIDEO": _lt("a video in the header"),
    "VOICE_CALL": _lt("a call button of WhatsApp"),
}
