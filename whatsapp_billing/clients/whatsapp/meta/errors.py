# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Meta's error codes: what each means for the row, and a sentence for people.

Codes and kinds from Meta's error page as read in 2026; Meta advises to decide on
`code` and `details` only, never on title or HTTP status. A sentence says what happened
and what to do next.
"""

from ..error_table import (
    BAD_CREDENTIALS,
    FILE_LOST,
    FILE_REFUSED,
    OPTED_OUT,
    TEMPLATE_DISABLED,
    TEMPLATE_PAUSED,
    UNREGISTERED,
    UNSPECIFIC,
    ErrorSpec,
    ErrorTable,
)


def _lt(sentence: str) -> str:
    """Mark a sentence for the extraction of terms to translate."""
    return sentence


# kind -> codes -> sentence; "200-299" is every code in between.
TABLE: dict[str, dict[str, str]] = {
    "account": {
        "0 104 190 2500": _lt(
            "Meta no longer accepts the access token of this WhatsApp account, so"
            " nothing can be sent. Ask an administrator to enter a new access token and"
            " connect the account again; waiting messages then go out."
        ),
        "3 10 131005 200-299": _lt(
            "The access token may not use this WhatsApp account. Ask an administrator"
            " to give it access to the account in Meta's business settings, then"
            " connect again."
        ),
        "100/33": _lt(
            "Meta cannot find this WhatsApp account or number, or does not let us use"
            " it. Ask an administrator to check the numbers typed in the account's"
            " settings and the rights of its access token."
        ),
        "368": _lt(
            "Meta has blocked this WhatsApp account for a while because of its"
            " policies. Open Meta's Business Support page to see why and to ask for a"
            " review."
        ),
        "131031": _lt(
            "Meta has locked this WhatsApp account. Open Meta's Business Support page"
            " to see why and to ask for a review."
        ),
        "131042 131044": _lt(
            "Meta could not charge for messages: a payment method is missing, expired"
            " or over its limit. Correct the payment settings of the WhatsApp account"
            " at Meta, then activate the account again."
        ),
        "134011": _lt(
            "The terms of WhatsApp Payments have not been accepted. Accept them in"
            " WhatsApp Manager, then activate the account again."
        ),
        "141002": _lt(
            "Meta reports that this WhatsApp account cannot send at the moment. Check"
            " the account's health in WhatsApp Manager and solve what it lists."
        ),
        "bad_token": _lt(
            "The access token has characters that do not belong into one. Copy it"
            " again from Meta, without spaces or line breaks."
        ),
        "no_app": _lt(
            "The app id or the app secret is missing. Enter both in the WhatsApp"
            " account; you find them in the settings of your app at Meta."
        ),
    },
    "number": {
        "33": _lt(
            "Meta does not know the sender number any more; it was probably deleted."
            " Ask an administrator to connect the account again and choose another"
            " number."
        ),
        "131037": _lt(
            "The sender number has no approved display name yet. Have the name"
            " approved in WhatsApp Manager, then press Test Connection on the account."
        ),
        "131045 133010": _lt(
            "The sender number is not registered for sending. Open the number and press"
            " Register; what waits for it then goes out by itself."
        ),
        "133005": _lt(
            "This is not the PIN of the sender number. Type the PIN that was set when"
            " it was registered before and press Register, or set a new one in WhatsApp"
            " Manager under two-step verification."
        ),
        "133006": _lt(
            "The sender number is not verified yet. Ask for a verification code and"
            " enter it first."
        ),
    },
    "pace": {
        "4 613 80007": _lt(
            "We asked Meta for too much in a short time. Nothing needs to be done; we"
            " go on by ourselves when Meta allows it."
        ),
        "130429": _lt(
            "Messages went out faster than Meta allows for this number. Nothing needs"
            " to be done; the message is sent again by itself, more slowly."
        ),
        "131056": _lt(
            "Too many messages went to this person in a short time. Nothing needs to"
            " be done; the message is sent again by itself."
        ),
        "132069": _lt(
            "The form in this message is limited by Meta to a few sends an hour."
            " Nothing needs to be done; the message is sent again later by itself."
        ),
    },
    "transient": {
        "1 2 131000 131016 133004": _lt(
            "WhatsApp had a problem of its own. Nothing needs to be done; the message"
            " is tried again by itself."
        ),
        "131057 2494100": _lt(
            "Meta is doing maintenance on the sender number. Nothing needs to be done;"
            " the message is tried again by itself in some minutes."
        ),
        "133000 133015": _lt(
            "The sender number was removed at Meta a moment ago and is not free yet."
            " Wait some minutes and try again."
        ),
        "134101": _lt(
            "Meta is still preparing this template. Nothing needs to be done; the"
            " message is tried again by itself in some minutes."
        ),
        "139102 139103": _lt(
            "WhatsApp could not change the list of blocked people right now. Try again"
            " in a minute."
        ),
    },
    "recipient_limit": {
        "131048": _lt(
            "Meta slows this sender number down because too many people blocked or"
            " reported its messages. Check the number's quality in WhatsApp Manager and"
            " send less for some days; this message is tried again later."
        ),
        "131049": _lt(
            "Meta chose not to bring this message to the person, because they get too"
            " much advertising. If this is a bill or a reminder, check whether Meta"
            " turned the template into marketing; the message is tried again tomorrow."
        ),
        "131064": _lt(
            "Meta limits this account for a day because templates were put into the"
            " wrong category. Check the categories of your templates in WhatsApp"
            " Manager; the message is tried again tomorrow."
        ),
        "133008 133009": _lt(
            "A wrong PIN was entered too often. Wait until Meta allows another try and"
            " make sure of the right PIN in the meantime."
        ),
        "133016": _lt(
            "The sender number was registered too often in a short time. Wait up to"
            " three days, then try again."
        ),
    },
    "recipient": {
        "130403": _lt(
            "Your company has blocked this person in WhatsApp. Unblock them first, or"
            " reach them another way."
        ),
        "130472": _lt(
            "Meta does not bring advertising to this person at present because they"
            " are part of a study. Reach them another way, for example by e-mail."
        ),
        "130497": _lt(
            "Meta does not let your company write to people in this country. Reach"
            " them another way, for example by e-mail."
        ),
        "131021": _lt(
            "The message would go from the sender number to itself. Correct the phone"
            " number of the contact."
        ),
        "131026": _lt(
            "The message could not be delivered to this number: it may have no WhatsApp,"
            " an old version of it, or have blocked you. Check the number with the"
            " customer, or send by e-mail."
        ),
        "131030": _lt(
            "The sender is a test number that may only write to a short list of"
            " people. Add this person to the list at Meta, or send from your real"
            " number."
        ),
        "131050": _lt(
            "This person has stopped advertising from your company in WhatsApp."
            " Respect that; bills can still be sent with a template that does not"
            " advertise."
        ),
        "131062": _lt(
            "This kind of message needs the person's phone number, and WhatsApp only"
            " gave us their user name. Ask them for the number and enter it on the"
            " contact."
        ),
        "131065": _lt(
            "A price limit was set for this template, and Meta does not offer that in"
            " the person's country. Use another template for this country."
        ),
        "137000": _lt(
            "The person behind this number may have changed. Confirm with the customer"
            " that the number is still theirs, then send again."
        ),
    },
    "template": {
        "132001": _lt(
            "The template does not exist in this language at Meta, or is not approved."
            " Read the templates again from Meta and choose an approved one."
        ),
        "132007": _lt(
            "Meta says that the template's text is against its policies. Change the"
            " text and submit the template again."
        ),
        "132015": _lt(
            "Meta has paused this template because people did not welcome it. It can"
            " be used again when Meta lifts the pause; consider improving its text."
        ),
        "132016": _lt(
            "Meta has switched this template off for good. Make a new template with a"
            " better text and submit it."
        ),
        "132021": _lt(
            "Another template already has this name. Rename the template and submit it"
            " again."
        ),
        "132068": _lt(
            "The form in this template is blocked by Meta. Correct the form in"
            " WhatsApp Manager or use a template without it."
        ),
        "131061 131063": _lt(
            "Meta does not send this marketing template over the normal way. Use a"
            " template that does not advertise, or change the marketing settings in"
            " WhatsApp Manager."
        ),
        "134100 134102": _lt(
            "This template cannot be sent as marketing. Check its category at Meta and"
            " read the templates again."
        ),
        "2388019": _lt(
            "The account has as many templates as Meta allows. Delete templates that"
            " are no longer used, then submit this one again."
        ),
        "2388023": _lt(
            "Meta keeps the name of a deleted template for about four weeks, in every"
            " language. Give the template another name and submit it again."
        ),
        "2388094": _lt(
            "This is a sample of Meta's own, which cannot be deleted. Archive it here"
            " instead."
        ),
        "2388024": _lt(
            "A template with this name and language already exists at Meta. Choose"
            " another name and submit it again."
        ),
        "2388039 2388040": _lt(
            "A part of the template is too long. Shorten it and submit again."
        ),
        "2388047": _lt(
            "The template's header is not as Meta wants it. Correct it and submit."
        ),
        "2388072": _lt(
            "The template's text is not as Meta wants it. Correct it and submit."
        ),
        "2388073": _lt(
            "The template's footer is not as Meta wants it. Correct it and submit."
        ),
        "2388273": _lt(
            "The header needs a sample file. Add one and submit the template again."
        ),
        "2388293": _lt(
            "The template has too many variables for its text. Write more text or use"
            " fewer variables, then submit again."
        ),
        "2388299": _lt(
            "The text begins or ends with a variable, which Meta does not allow. Put"
            " words before and after it, then submit again."
        ),
        "2388318 2388330": _lt(
            "Meta made this template by itself, so it can be neither changed nor"
            " deleted. Make a template of your own."
        ),
    },
    "content": {
        "100 135000": _lt(
            "Meta did not understand a part of this message. Look at the details,"
            " check the values on the document and the template, and send again."
        ),
        "131008 132008 131009": _lt(
            "A value in this message is missing or not valid. Check the fields that"
            " the template takes from the document, then send again."
        ),
        "2200": _lt(
            "Meta could not reach this Odoo to tell it about messages. Make sure that"
            " its web address is right and open to the internet, then connect again."
        ),
        "131047": _lt(
            "The customer's last message is more than a day old, so free text is not"
            " allowed any more. Send a template instead."
        ),
        "131051 131055": _lt(
            "WhatsApp cannot send or show this kind of message here. Send it in"
            " another form."
        ),
        "131052": _lt(
            "A file that the customer sent could not be fetched; it is too large or"
            " gone. Ask them to send it again."
        ),
        "131053": _lt(
            "WhatsApp could not use the attached file. Make the document's PDF again,"
            " check that it opens, and send again."
        ),
        "132000 132012": _lt(
            "The values do not fit the template as Meta approved it. Read the"
            " templates again from Meta, check the template's variables, and send"
            " again."
        ),
        "132005": _lt(
            "The text became too long with the values filled in. Shorten the values or"
            " the template, then send again."
        ),
        "132018": _lt(
            "A value has a line break or too many spaces, or the template is not made"
            " for sending like this. Correct the value on the document and send again."
        ),
        "2388001": _lt(
            "This number is still used in a WhatsApp app. Delete that account on the"
            " phone first, then register the number again."
        ),
        "2388004 2388091": _lt(
            "Meta does not accept this again so soon. Wait some hours, then try once"
            " more."
        ),
        "136025": _lt(
            "The code was not accepted. Ask for a new code and enter that one."
        ),
        "138000 138018": _lt(
            "Calls are not switched on for this number. Send a message instead."
        ),
        "139000 139001 139002 139003 139004": _lt(
            "WhatsApp could not change this form. Look at it in WhatsApp Manager."
        ),
        "139100 139101": _lt(
            "Not everybody could be blocked or unblocked. Try again with fewer people."
        ),
        "147001 147002 147003 147004 147005": _lt(
            "WhatsApp did not accept this user name for your business. Choose another."
        ),
    },
}

# Seconds to wait at least before the next attempt, where Meta names a time.
WAITS: dict[str, float] = {
    "4": 60.0,
    "613": 60.0,
    "80007": 60.0,
    "132069": 3600.0,
    "131057": 60.0,
    "2494100": 60.0,
    "133000": 300.0,
    "133015": 300.0,
    "134101": 600.0,
    "139102": 60.0,
    "139103": 60.0,
    "133016": 259200.0,
}

MEANINGS: dict[str, str] = {
    # Codes for credentials that Meta does not accept (Graph API, Handling Errors, 2026).
    BAD_CREDENTIALS: "0 101 102 104 190 2500",
    OPTED_OUT: "131050",
    TEMPLATE_PAUSED: "132015",
    TEMPLATE_DISABLED: "132016",
    UNREGISTERED: "131045 133010",
    FILE_REFUSED: "131053",
    FILE_LOST: "131052",
    UNSPECIFIC: "100",
}


class MetaErrors(ErrorTable):
    """Meta's codes, of which the general one says more with its subcode."""

    def classify(
        self,
        code: str,
        http_status: int | None = None,
        is_transient: bool = False,
        *,
        subcode: str = "",
    ) -> ErrorSpec:
        """Return what a code means.

        The provider's words decide nothing: they come in the language of the account,
        and "mediante" is no media.
        """
        if code == "100" and len(subcode) > 2 and subcode in self:
            return self[subcode]
        return super().classify(code, http_status, is_transient, subcode=subcode)


ERRORS = MetaErrors(TABLE, WAITS, MEANINGS)
