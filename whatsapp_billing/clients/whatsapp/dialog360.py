# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""360dialog: Meta's API behind another door (its pages of 2026-11).

One API key is one number, so paths carry no number. Bodies, answers, errors and
webhooks are Meta's, beside refusals of its own. It does not sign webhooks; a header
that we register proves their origin.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, NoReturn
from urllib.parse import quote, urlsplit

from ..errors import ClientError, ContentError
from ..signatures import verify_header_secret
from ..transport import Response
from ..values import e164, number, obj, rows, text
from .base import (
    CONNECTED,
    Json,
    PhoneInfo,
    SubmitResult,
    TemplateDraft,
    TemplateInfo,
    TokenInfo,
)
from .error_table import ErrorTable
from .meta.client import MetaCloudClient
from .meta.errors import MEANINGS, TABLE, WAITS, MetaErrors
from .meta.graph import MAX_PAGES, PAGE_SIZE, find_header, retry_after, unknown
from .meta.payloads import submit_result, template_info, template_payload
from .meta.profile import MetaProfile
from .meta.words import WORDS
from .profile import Culprit, Link, Profile, Verification, Words

SECRET_HEADER = "Authorization"

# (words in a refusal of 360dialog's own, our code for it); the first found counts.
_REFUSALS = (
    ("api_key", "d360_api_key"),
    ("api key", "d360_api_key"),
    ("rate limit", "d360_rate"),
    ("payment", "d360_payment"),
    ("disabled", "d360_disabled"),
)
_REFUSALS_BY_STATUS = {
    401: "d360_api_key",
    402: "d360_payment",
    403: "d360_forbidden",
    429: "d360_rate",
}


def _lt(sentence: str) -> str:
    """Mark a sentence for the extraction of terms to translate."""
    return sentence


# Refusals of its own, which stand besides Meta's.
_TABLE: dict[str, dict[str, str]] = {
    "account": {
        "d360_api_key": _lt(
            "360dialog does not accept the API key of this account. Ask an"
            " administrator to enter the key from the 360dialog Hub and connect again."
        ),
        "d360_disabled": _lt(
            "360dialog has disabled this number. Look in the 360dialog Hub for the"
            " reason, then activate the account again."
        ),
        "d360_payment": _lt(
            "360dialog has stopped this number because a payment is missing. Settle it"
            " in the 360dialog Hub, then activate the account again."
        ),
        "d360_forbidden": _lt(
            "360dialog does not let this number use the function. Ask 360dialog's"
            " support to open it."
        ),
    },
    "pace": {
        "d360_rate": _lt(
            "We asked 360dialog for too much in a short time. Nothing needs to be"
            " done; we go on by ourselves."
        ),
    },
    "content": {
        "d360_refused": _lt(
            "360dialog did not accept this. Look at the details, correct what they"
            " name, and try again."
        ),
        "d360_unsupported": _lt(
            "This cannot be done through 360dialog from here. Use the 360dialog Hub"
            " for it."
        ),
    },
}
WRONG_KEY = _lt(
    "360dialog does not accept the API key. Copy it again from the 360dialog Hub, enter"
    " it here and press Connect."
)

ERRORS = MetaErrors(
    {
        kind: {**TABLE.get(kind, {}), **_TABLE.get(kind, {})}
        for kind in TABLE.keys() | _TABLE.keys()
    },
    {**WAITS, "d360_rate": 60.0},
    MEANINGS,
)


class Dialog360Profile(MetaProfile):
    """Meta's, but for what stands here."""

    name: ClassVar[str] = "dialog360"
    label: ClassVar[str] = "360dialog"
    api_url: ClassVar[str] = "https://waba-v2.360dialog.io"
    needs: ClassVar[frozenset[str]] = frozenset()
    words: ClassVar[Words] = replace(
        WORDS, token=_lt("API key"), enter_token=_lt("Enter the API key.")
    )
    links: ClassVar[Mapping[str, Link]] = {}
    errors: ClassVar[ErrorTable] = ERRORS
    # An API key has no permissions that could be asked for.
    required_scopes: ClassVar[tuple[str, ...]] = ()
    makes_webhook_secret: ClassVar[bool] = True

    def culprit(self, step: str, error: ClientError, *, has_app: bool) -> Culprit:
        """Return which of the settings a refusal is about; its own are the key's."""
        if error.code == "d360_api_key":
            return Culprit("token", WRONG_KEY)
        return super().culprit(step, error, has_app=has_app)

    def verification(self, word: str) -> Verification | None:
        """Return nothing: 360dialog shows it in its Hub."""
        return None

    def verify_webhook(
        self,
        body: bytes,
        headers: Mapping[str, str],
        secrets: Sequence[str],
        url: str = "",
    ) -> bool:
        """Check the header that we registered; fails closed."""
        return verify_header_secret(secrets, find_header(headers, SECRET_HEADER))


class Dialog360Client(MetaCloudClient):
    """360dialog's differences from Meta."""

    profile: ClassVar[Profile] = Dialog360Profile()

    def _prepare_base(self) -> str:
        return self._config.api_url.rstrip("/")

    def _prepare_headers(self) -> Mapping[str, str]:
        return {"D360-API-KEY": self._token}

    def _url(self, path: str, *, proof: bool) -> str:
        return f"{self._base}/{path}"

    def _phone_path(self, phone_uid: str, edge: str) -> str:
        return edge

    def _media_path(self, media_uid: str, phone_uid: str) -> str:
        return quote(media_uid, safe="")

    def _media_url(self, url: str) -> str:
        """Return where 360dialog hands out what Meta's address names.

        The host is replaced by theirs, the path and the query stay (360dialog, media
        download, 2026-11-20).
        """
        parts, ours = urlsplit(url), urlsplit(self._config.api_url)
        if parts.scheme not in ("http", "https") or not parts.path:
            raise unknown("no_answer", "the file has no address")
        return parts._replace(scheme=ours.scheme, netloc=ours.netloc).geturl()

    # === ACCOUNT === #

    def fetch_token_info(self) -> TokenInfo | None:
        """Return nothing: an API key has no description."""
        return None

    def list_phones(self) -> Iterator[PhoneInfo]:
        """Return the one number of the API key.

        Its id, which webhooks name, is in the health status (360dialog, messaging
        health status, 2026-11-20); the number itself is asked for beside it, on a path
        that 360dialog does not document for every plan.

        :raise UnknownOutcomeError: if no id is found
        """
        answer = self.health()
        try:
            row = self._call("GET", "v1/configs/phone_number")
        except ContentError:
            row = {}
        uid = _entity(answer, "PHONE_NUMBER") or self._identifier(row, "id")
        shown = row.get("display_phone_number") or row.get("phone_number")
        blocked = text(answer.get("can_send_message")).upper() == "BLOCKED"
        yield PhoneInfo(
            phone_uid=uid,
            number=e164(shown),
            verified_name=text(row.get("verified_name")),
            is_verified=not blocked,
            quality=text(row.get("quality_rating")),
            status="BLOCKED" if blocked else CONNECTED,
            raw={**row, "health_status": answer},
        )

    def subscribe(self, webhook_url: str, verify_token: str) -> None:
        """Register the webhook's address and the header that proves its origin."""
        headers = {SECRET_HEADER: f"Bearer {verify_token}"}
        body = {"url": webhook_url, "headers": headers}
        self._call("POST", "v1/configs/webhook", json=body)

    def health(self) -> Json:
        """Return whether the number can send, and if not, why."""
        return obj(self._call("GET", "health_status").get("health_status"))

    def request_code(self, phone_uid: str, method: str, language: str) -> None:
        """Refuse: numbers are verified in the 360dialog Hub."""
        self._unsupported()

    def verify_code(self, phone_uid: str, code: str) -> None:
        """Refuse: numbers are verified in the 360dialog Hub."""
        self._unsupported()

    def register_phone(self, phone_uid: str, pin: str) -> None:
        """Refuse: numbers are registered in the 360dialog Hub."""
        self._unsupported()

    def fetch_business_verification(self) -> str:
        """Return nothing: 360dialog shows it in its Hub."""
        return ""

    # === TEMPLATES === #

    def list_templates(self) -> Iterator[TemplateInfo]:
        """Iterate over all templates, page by page."""
        path, offset = "v1/configs/templates", 0
        for _page in range(MAX_PAGES):
            params = {"limit": PAGE_SIZE, "offset": offset}
            answer = self._call("GET", path, params=params)
            page = answer.get("waba_templates")
            if not isinstance(page, list):
                raise unknown("no_answer", "the list has no rows")
            for info in map(_template, rows(page)):
                if info.name and info.source.upper() != "AUTO_GENERATED":
                    yield info
            offset += len(page)
            if len(page) < PAGE_SIZE or offset >= (
                number(answer.get("total")) or offset + 1
            ):
                return

    def submit_template(self, draft: TemplateDraft) -> SubmitResult:
        """Submit a template."""
        path = "v1/configs/templates"
        answer = self._call("POST", path, json=template_payload(draft))
        info = _template(answer)
        return submit_result(info.template_uid, answer, draft.category)

    def edit_template(self, template_uid: str, draft: TemplateDraft) -> SubmitResult:
        """Refuse: templates can be created and deleted only."""
        self._unsupported()

    def delete_template(self, template_uid: str, name: str) -> None:
        """Delete a template in all its languages: there is no call for one."""
        self._call("DELETE", f"v1/configs/templates/{quote(name, safe='')}")

    def upload_sample(self, content: bytes, filename: str, mime: str) -> str:
        """Refuse: sample files belong to an app of Meta's, which we do not have."""
        self._unsupported()

    def _unsupported(self) -> NoReturn:
        raise self._build(ERRORS["d360_unsupported"])

    # === ERRORS === #

    def _refusal(
        self, response: Response, answer: Json, own: bool
    ) -> ClientError | None:
        """Return Meta's error, or a refusal of 360dialog's own (4xx, JSON object)."""
        error = super()._refusal(response, answer, own)
        if error is not None or not 400 <= response.status < 500:
            return error
        words = _words(answer)
        found = (code for part, code in _REFUSALS if part in words.lower())
        by_status = _REFUSALS_BY_STATUS.get(response.status, "d360_refused")
        spec = ERRORS[next(found, by_status)]
        return self._build(
            spec,
            words,
            http_status=response.status,
            retry_after=retry_after(response.headers, spec),
            trace_id=text(obj(answer.get("meta")).get("360dialog_trace_id")),
        )


def _words(answer: Json) -> str:
    """Find what a refusal says: its shape differs between the services behind it."""
    meta = obj(answer.get("meta"))
    candidates = (
        meta.get("developer_message"),
        answer.get("error"),
        obj(answer.get("error")).get("message"),
        answer.get("message"),
        answer.get("detail"),
        *(row.get("details") or row.get("title") for row in rows(answer.get("errors"))),
    )
    return next((words for words in map(text, candidates) if words), "")


def _entity(health: Json, kind: str) -> str:
    for row in rows(health.get("entities")):
        if text(row.get("entity_type")).upper() == kind:
            return text(row.get("id"))
    return ""


def _template(row: Json) -> TemplateInfo:
    """Read a template; webhooks name Meta's id, which is the external one here."""
    meta_uid = text(row.get("external_id")) or text(row.get("id"))
    return template_info({**row, "id": meta_uid})
