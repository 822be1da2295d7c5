# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""WhatsApp Cloud API at Meta (Meta's pages of 2026-09)."""

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import ClassVar
from urllib.parse import quote, urlsplit

from ...errors import TransientError, UnknownOutcomeError
from ...values import number, obj, rows, text
from ..base import (
    Json,
    MediaFile,
    Outgoing,
    PhoneInfo,
    SendResult,
    SubmitResult,
    TemplateDraft,
    TemplateInfo,
    TokenInfo,
)
from ..profile import Profile
from .errors import ERRORS
from .events import SUBSCRIBED_FIELDS
from .graph import PAGE_SIZE, GraphCaller, unknown
from .payloads import (
    edit_payload,
    message_payload,
    phone_info,
    submit_result,
    template_info,
    template_payload,
    token_info,
)
from .profile import MetaProfile

MAX_RESUMES = 3

# Where files of customers may be fetched with our token, and by whom: default agents
# of HTTP libraries are refused there (Meta, Cloud API media, 2026-11-20).
MEDIA_HOSTS = ("fbsbx.com", "facebook.com")
PLAIN_AGENT = "curl/8"

PHONE_FIELDS = (
    "id,verified_name,display_phone_number,quality_rating,code_verification_status,"
    "name_status,status,throughput,platform_type,is_on_biz_app,account_mode,"
    "whatsapp_business_manager_messaging_limit"
)
TEMPLATE_FIELDS = (
    "id,name,status,category,language,components,quality_score,rejected_reason,"
    "parameter_format,previous_category,correct_category,message_send_ttl_seconds,source"
)


def _has_hash(content: bytes, announced: str) -> bool:
    """Tell whether a file has its announced SHA-256, in hex or base64, if any."""
    digest = hashlib.sha256(content)
    written = (digest.hexdigest(), b64encode(digest.digest()).decode("ascii"))
    return not announced or announced in written


class MetaCloudClient(GraphCaller):
    """Meta's own API. One client may be used by many threads."""

    profile: ClassVar[Profile] = MetaProfile()

    # === SENDING === #

    def send(self, phone_uid: str, outgoing: Outgoing) -> SendResult:
        """Send one message.

        :raise UnknownOutcomeError: it may have been accepted; wait for its status
        """
        path = self._phone_path(phone_uid, "messages")
        answer = self._call("POST", path, json=message_payload(outgoing), own=True)
        message = next(iter(rows(answer.get("messages"))), {})
        contact = next(iter(rows(answer.get("contacts"))), {})
        wamid = message.get("id")
        if not isinstance(wamid, str) or not wamid:
            raise unknown("no_wamid", "the answer names no message")
        return SendResult(
            wamid=wamid,
            message_status=text(message.get("message_status")),
            wa_id=text(contact.get("wa_id")),
            user_uid=text(contact.get("user_id")),
            raw=answer,
        )

    def upload_media(
        self, phone_uid: str, content: bytes, filename: str, mime: str
    ) -> str:
        """Upload a file for sending; its id lives 30 days, on this number only."""
        answer = self._call(
            "POST",
            self._phone_path(phone_uid, "media"),
            data={"messaging_product": "whatsapp", "type": mime},
            files={"file": (filename, content, mime)},
            own=True,
        )
        return self._identifier(answer, "id")

    def download_media(
        self, phone_uid: str, media_uid: str, max_bytes: int
    ) -> MediaFile:
        """Fetch a file that a person sent: ask where it is, then fetch it there.

        The address lives five minutes and wants the token, so it is followed to Meta's
        own hosts only. What comes must be what was announced: same size, same hash.

        :raise ContentError: it is gone, or larger than `max_bytes`
        """
        answer = self._call("GET", self._media_path(media_uid, phone_uid))
        if number(answer.get("file_size")) > max_bytes:
            raise self._build(ERRORS["131052"])
        url = self._media_url(text(answer.get("url")))
        headers = {**self._headers, "User-Agent": PLAIN_AGENT, "Accept": "*/*"}
        response = self._transport.request("GET", url, headers=headers)
        if response.status in (404, 410):
            # Five minutes are over: the next attempt asks for another address.
            message = "the address of the file has run out"
            raise TransientError(message, sentence=ERRORS["131052"].sentence)
        if response.status != 200:
            raise unknown("no_answer", "the file was not handed out", response.status)
        if len(response.body) > max_bytes:
            raise self._build(ERRORS["131052"])
        if not _has_hash(response.body, text(answer.get("sha256"))):
            raise unknown("no_answer", "the file is not what was announced")
        return MediaFile(response.body, text(answer.get("mime_type")))

    def _media_path(self, media_uid: str, phone_uid: str) -> str:
        path = quote(media_uid, safe="")
        return f"{path}?phone_number_id={quote(phone_uid, safe='')}"

    def _media_url(self, url: str) -> str:
        """Return an address that our token may be shown to.

        :raise UnknownOutcomeError: it is on nobody's host that we know
        """
        parts, ours = urlsplit(url), urlsplit(self._config.api_url)
        host = parts.hostname or ""
        is_metas = parts.scheme == "https" and any(
            host == name or host.endswith(f".{name}") for name in MEDIA_HOSTS
        )
        if is_metas or (parts.scheme, parts.netloc) == (ours.scheme, ours.netloc):
            return url
        raise unknown("no_answer", "the file is on a host that is not the provider's")

    def _phone_path(self, phone_uid: str, edge: str) -> str:
        return f"{quote(phone_uid, safe='')}/{edge}"

    # === ACCOUNT === #

    def fetch_token_info(self) -> TokenInfo | None:
        """Ask what the token may do; with the app's own token where it is known."""
        params = {"input_token": self._token}
        answer = self._call("GET", "debug_token", params=params, as_app=self._has_app())
        return token_info(obj(answer.get("data")))

    def list_phones(self) -> Iterator[PhoneInfo]:
        """Iterate over the account's sender numbers."""
        path = self._waba_path("phone_numbers")
        for row in self._pages(path, {"fields": PHONE_FIELDS, "limit": PAGE_SIZE}):
            info = phone_info(row)
            if info.phone_uid:
                yield info

    def subscribe(self, webhook_url: str, verify_token: str) -> None:
        """Register the app's callback, then the app with this account.

        Meta asks the callback for the verify token before it answers. Template and
        account webhooks only ever go to the app's callback.

        :raise AccountError: without app id and app secret
        """
        if not self._has_app():
            raise self._build(ERRORS["no_app"])
        self._call(
            "POST",
            f"{quote(self._config.app_uid, safe='')}/subscriptions",
            as_app=True,
            data={
                "object": "whatsapp_business_account",
                "callback_url": webhook_url,
                "verify_token": verify_token,
                "fields": ",".join(SUBSCRIBED_FIELDS),
            },
        )
        self._call("POST", self._waba_path("subscribed_apps"), own=True)

    def request_code(self, phone_uid: str, method: str, language: str) -> None:
        """Have a verification code sent to a number, by SMS or VOICE."""
        path = self._phone_path(phone_uid, "request_code")
        data = {"code_method": method.upper(), "language": language}
        self._call("POST", path, data=data, own=True)

    def verify_code(self, phone_uid: str, code: str) -> None:
        """Confirm a number with the code that it received; dashes are left out."""
        digits = "".join(char for char in code if char.isdigit())
        path = self._phone_path(phone_uid, "verify_code")
        self._call("POST", path, data={"code": digits}, own=True)

    def register_phone(self, phone_uid: str, pin: str) -> None:
        """Register a number for the Cloud API (ten times in 72 hours at most)."""
        body = {"messaging_product": "whatsapp", "pin": pin}
        path = self._phone_path(phone_uid, "register")
        self._call("POST", path, json=body, own=True)

    def fetch_business_verification(self) -> str:
        """Return verified, not_verified, pending, rejected, ... in Meta's word."""
        params = {"fields": "business_verification_status"}
        path = quote(self._config.waba_uid, safe="")
        answer = self._call("GET", path, params=params, own=True)
        return text(answer.get("business_verification_status")).lower()

    def health(self) -> Json:
        """Return whether the account can send, and if not, why."""
        params = {"fields": "health_status"}
        path = quote(self._config.waba_uid, safe="")
        answer = self._call("GET", path, params=params, own=True)
        return obj(answer.get("health_status"))

    def _waba_path(self, edge: str) -> str:
        return f"{quote(self._config.waba_uid, safe='')}/{edge}"

    def _has_app(self) -> bool:
        return bool(self._config.app_uid and self._config.app_secret)

    # === TEMPLATES === #

    def list_templates(self) -> Iterator[TemplateInfo]:
        """Iterate over all templates but those that Meta made by itself.

        AUTO_GENERATED ones can be neither sent, edited nor deleted.
        """
        path = self._waba_path("message_templates")
        for row in self._pages(path, {"fields": TEMPLATE_FIELDS, "limit": PAGE_SIZE}):
            info = template_info(row)
            if info.name and info.source.upper() != "AUTO_GENERATED":
                yield info

    def submit_template(self, draft: TemplateDraft) -> SubmitResult:
        """Submit a template; the category in the answer is Meta's, maybe not ours."""
        path = self._waba_path("message_templates")
        answer = self._call("POST", path, json=template_payload(draft), own=True)
        uid = self._identifier(answer, "id")
        return submit_result(uid, answer, draft.category)

    def edit_template(self, template_uid: str, draft: TemplateDraft) -> SubmitResult:
        """Replace a template's content. Leave the draft's category empty to keep it:
        that of an approved template cannot be changed."""
        path = quote(template_uid, safe="")
        answer = self._call("POST", path, json=edit_payload(draft))
        return submit_result(template_uid, answer, draft.category)

    def delete_template(self, template_uid: str, name: str) -> None:
        """Delete one template: by id and name, as a name alone means all languages."""
        params = {"hsm_id": template_uid, "name": name}
        self._call("DELETE", self._waba_path("message_templates"), params=params)

    def upload_sample(self, content: bytes, filename: str, mime: str) -> str:
        """Upload a header's sample file, resuming where a connection broke.

        Resumable upload of the app, with `OAuth` instead of `Bearer`.

        :raise AccountError: without an app id
        """
        if not self._config.app_uid:
            raise self._build(ERRORS["no_app"])
        answer = self._call(
            "POST",
            f"{quote(self._config.app_uid, safe='')}/uploads",
            params={
                "file_name": filename,
                "file_length": len(content),
                "file_type": mime,
            },
        )
        session = self._identifier(answer, "id")
        # The id is "upload:..." and may carry a query of its own.
        path = quote(session, safe=":/?&=%+-_.~")
        offset = 0
        for _attempt in range(MAX_RESUMES):
            try:
                return self._upload(path, content, offset)
            except UnknownOutcomeError:
                answer = self._call("GET", path, headers=self._oauth())
                offset = number(answer.get("file_offset"))
        return self._upload(path, content, offset)

    def _upload(self, path: str, content: bytes, offset: int) -> str:
        headers = {
            **self._oauth(),
            "file_offset": str(offset),
            "Content-Type": "application/octet-stream",
        }
        answer = self._call("POST", path, headers=headers, data=content[offset:])
        return self._identifier(answer, "h")

    def _oauth(self) -> Mapping[str, str]:
        return {"Authorization": f"OAuth {self._token}"}
