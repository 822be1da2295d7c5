# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""WhatsApp Cloud API at Meta (Graph API).

Evidence (design section 6): a JSON object with an `error.code` proves that the call was
not accepted, and the code decides the class of the error. 502, 504, an answer that is
not a JSON object, or a 200 without a message id prove nothing: outcome unknown.
"""

import json as jsonlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from ..errors import (
    KINDS,
    AccountError,
    ClientError,
    TransientError,
    UnknownOutcomeError,
)
from ..redaction import MASK
from ..signatures import appsecret_proof, verify_meta
from ..transport import Files, Response, Transport
from ..values import number, obj, rows, text
from .base import (
    SUBSCRIBED_FIELDS,
    AccountConfig,
    Event,
    Json,
    Outgoing,
    PhoneInfo,
    SendResult,
    SubmitResult,
    TemplateDraft,
    TemplateInfo,
    TokenInfo,
)
from .meta_errors import ERRORS, ErrorSpec, classify
from .meta_payloads import (
    edit_payload,
    error_details,
    message_payload,
    phone_info,
    template_info,
    template_payload,
    token_info,
)
from .webhook import parse_webhook

PAGE_SIZE = 100
MAX_PAGES = 1000
MAX_RESUMES = 3
NO_EVIDENCE = frozenset({502, 504})

PHONE_FIELDS = (
    "id,verified_name,display_phone_number,quality_rating,code_verification_status,"
    "name_status,status,throughput,platform_type,account_mode,"
    "whatsapp_business_manager_messaging_limit"
)
TEMPLATE_FIELDS = (
    "id,name,status,category,language,components,quality_score,rejected_reason,"
    "parameter_format,previous_category,correct_category,message_send_ttl_seconds,source"
)


class MetaCloudClient:
    """Meta's own API. One client may be used by many threads."""

    provider: ClassVar[str] = "meta"

    def __init__(self, config: AccountConfig, transport: Transport) -> None:
        """Prepare everything that is the same in each call."""
        self._config = config
        self._transport = transport
        self._token = config.access_token.strip()
        self._secrets = tuple(s for s in (self._token, config.app_secret) if s)
        self._base = self._prepare_base()
        self._headers = self._prepare_headers()
        self._proof = ""
        if config.app_secret and self._token:
            proof = appsecret_proof(config.app_secret, self._token)
            self._proof = f"appsecret_proof={proof}"

    def _prepare_base(self) -> str:
        parts = (self._config.api_url.rstrip("/"), self._config.api_version.strip("/"))
        return "/".join(part for part in parts if part)

    def _prepare_headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

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
            raise unknown("no_wamid", 200, "the answer names no message")
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

    def _phone_path(self, phone_uid: str, edge: str) -> str:
        return f"{quote(phone_uid, safe='')}/{edge}"

    # === ACCOUNT === #

    def fetch_token_info(self) -> TokenInfo | None:
        """Ask what the token may do; with the app's own token where it is known."""
        headers = self._app_headers() if self._has_app() else None
        answer = self._call(
            "GET", "debug_token", params={"input_token": self._token}, headers=headers
        )
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
        account webhooks only ever go to the app's callback (fact sheet 1.5).

        :raise AccountError: without app id and app secret
        """
        if not self._has_app():
            raise self._build(ERRORS["no_app"])
        self._call(
            "POST",
            f"{quote(self._config.app_uid, safe='')}/subscriptions",
            headers=self._app_headers(),
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

    def health(self) -> Json:
        """Return whether the account can send, and if not, why (fact sheet 9.2)."""
        params = {"fields": "health_status"}
        path = quote(self._config.waba_uid, safe="")
        return obj(self._call("GET", path, params=params, own=True)["health_status"])

    def _waba_path(self, edge: str) -> str:
        return f"{quote(self._config.waba_uid, safe='')}/{edge}"

    def _has_app(self) -> bool:
        return bool(self._config.app_uid and self._config.app_secret)

    def _app_headers(self) -> Mapping[str, str]:
        token = f"{self._config.app_uid}|{self._config.app_secret}"
        return {"Authorization": f"Bearer {token}"}

    # === TEMPLATES === #

    def list_templates(self) -> Iterator[TemplateInfo]:
        """Iterate over all templates but those that Meta made by itself.

        AUTO_GENERATED ones can be neither sent, edited nor deleted (fact sheet 2.7).
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
        return SubmitResult(
            template_uid=self._identifier(answer, "id"),
            status=text(answer.get("status")).lower() or "pending",
            category=text(answer.get("category")).lower() or draft.category,
        )

    def edit_template(self, template_uid: str, draft: TemplateDraft) -> SubmitResult:
        """Replace a template's content. Leave the draft's category empty to keep it:
        that of an approved template cannot be changed."""
        path = quote(template_uid, safe="")
        answer = self._call("POST", path, json=edit_payload(draft))
        return SubmitResult(
            template_uid=template_uid,
            status=text(answer.get("status")).lower() or "pending",
            category=text(answer.get("category")).lower() or draft.category,
        )

    def delete_template(self, template_uid: str, name: str) -> None:
        """Delete one template: by id and name, as a name alone means all languages."""
        params = {"hsm_id": template_uid, "name": name}
        self._call("DELETE", self._waba_path("message_templates"), params=params)

    def upload_sample(self, content: bytes, filename: str, mime: str) -> str:
        """Upload a header's sample file, resuming where a connection broke.

        Resumable upload of the app, with `OAuth` instead of `Bearer` (fact sheet 3.4).

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
        for _attempt in range(MAX_RESUMES):
            try:
                return self._upload(path, content, self._offset(path, _attempt))
            except UnknownOutcomeError as error:
                last = error
        raise last

    def _offset(self, path: str, attempt: int) -> int:
        if attempt == 0:
            return 0
        return number(self._call("GET", path, headers=self._oauth()).get("file_offset"))

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

    # === WEBHOOKS === #

    @staticmethod
    def verify_webhook(
        body: bytes, headers: Mapping[str, str], secrets: Sequence[str]
    ) -> bool:
        """Check Meta's signature over the raw bytes; fails closed."""
        return verify_meta(secrets, body, find_header(headers, "X-Hub-Signature-256"))

    @staticmethod
    def parse_webhook(body: bytes) -> list[Event]:
        """Return a webhook's events (see `webhook.parse_webhook`)."""
        return parse_webhook(body)

    # === CALLS === #

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        data: Mapping[str, str] | bytes | None = None,
        files: Files | None = None,
        own: bool = False,
    ) -> Json:
        """Make a call and return its answer, a JSON object without an error.

        :param own: the path names the account or its number, so that "not found"
            speaks about our settings and not about a template
        """
        self._check_token()
        response = self._transport.request(
            method,
            self._url(path, proof=headers is None or "OAuth" in str(headers)),
            headers=headers or self._headers,
            params=params,
            json=json,
            data=data,
            files=files,
        )
        return self._accept(response, own)

    def _url(self, path: str, *, proof: bool) -> str:
        url = f"{self._base}/{path}"
        if not proof or not self._proof:
            return url
        return f"{url}{'&' if '?' in path else '?'}{self._proof}"

    def _check_token(self) -> None:
        token = self._token
        if not (token and token.isascii() and token.isprintable()) or " " in token:
            raise self._build(ERRORS["bad_token"])

    def _pages(self, path: str, params: Mapping[str, str | int]) -> Iterator[Json]:
        """Iterate over a list's rows, asking each page by its cursor.

        `next` is never followed: it is an address from outside with a token in it.

        :raise ClientError: rather than end early, as whoever reads the list takes what
            is not in it for deleted
        """
        after = ""
        for _page in range(MAX_PAGES):
            asked = {**params, "after": after} if after else params
            answer = self._call("GET", path, params=asked, own=True)
            data, paging = answer.get("data"), obj(answer.get("paging"))
            if not isinstance(data, list):
                raise unknown("no_answer", 200, "the list has no rows")
            yield from rows(data)
            if not paging.get("next"):
                return
            cursor = text(obj(paging.get("cursors")).get("after"))
            if not cursor or cursor == after:
                break
            after = cursor
        message = "the list does not come to an end"
        raise TransientError(message, sentence=classify("2").sentence)

    def _identifier(self, answer: Json, key: str) -> str:
        value = text(answer.get(key))
        if not value:
            raise unknown("no_answer", 200, f"the answer has no {key}")
        return value

    # === ERRORS === #

    def _accept(self, response: Response, own: bool) -> Json:
        """Return the answer's object, or raise what its error means."""
        status = response.status
        if status in NO_EVIDENCE:
            raise unknown("no_answer", status, "the gateway got no answer")
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise unknown("no_answer", status, "the answer is not a JSON object")
        error = self._refusal(response, answer, own)
        if error is not None:
            raise error
        if not 200 <= status < 300:
            raise unknown("no_answer", status, "the answer names no error")
        return answer

    def _refusal(
        self, response: Response, answer: Json, own: bool
    ) -> ClientError | None:
        """Return the error in a well-formed Graph answer."""
        error = obj(answer.get("error"))
        code = text(error.get("code"))
        if not code:
            return None
        details = error_details(error)
        subcode = text(error.get("error_subcode"))
        transient = error.get("is_transient") is True
        spec = classify(code, response.status, transient, details, subcode=subcode)
        if own and code == "100" and subcode == "33":
            spec = ERRORS["100/33"]
        trace = text(error.get("fbtrace_id")) or response.headers.get("x-fb-trace-id")
        return self._build(
            spec,
            text(error.get("message")),
            code=code,
            subcode=subcode,
            details=details,
            http_status=response.status,
            retry_after=retry_after(response.headers, spec),
            trace_id=trace or "",
        )

    def _build(self, spec: ErrorSpec, message: str = "", **given: Any) -> ClientError:
        """Make the error of a kind; our own secrets never stay in its words."""
        for name in ("message", "details"):
            words = message if name == "message" else given.get(name, "")
            for secret in self._secrets:
                words = words.replace(secret, MASK)
            given[name] = words
        given.setdefault("code", spec.code)
        kind = KINDS.get(spec.kind, AccountError)
        return kind(sentence=spec.sentence, **given)


def unknown(code: str, status: int, details: str) -> UnknownOutcomeError:
    sentence = ERRORS[code].sentence
    return UnknownOutcomeError(
        code=code, http_status=status, details=details, sentence=sentence
    )


def retry_after(headers: Mapping[str, str], spec: ErrorSpec) -> float | None:
    """Return the seconds to wait: the longest that the answer or our table names.

    Meta counts `estimated_time_to_regain_access` in minutes (fact sheet 1.1); it speaks
    about the pace, so other errors do not listen to it.
    """
    waits = [spec.retry_after or 0.0]
    given = headers.get("Retry-After", "")
    if given.isascii() and given.isdigit():
        waits.append(float(given))
    if spec.kind == "pace":
        waits.append(_regain_seconds(headers.get("x-business-use-case-usage", "")))
    return max(waits) or None


def _regain_seconds(usage: str) -> float:
    try:
        accounts = obj(jsonlib.loads(usage)) if usage else {}
    except (ValueError, RecursionError):
        return 0.0
    minutes = [
        number(row.get("estimated_time_to_regain_access"))
        for limits in accounts.values()
        for row in rows(limits)
    ]
    return 60.0 * max(minutes, default=0)


def find_header(headers: Mapping[str, str], name: str) -> str | None:
    """Return a header whatever its case; some servers hand over plain dictionaries."""
    wanted = name.lower()
    return next((headers[key] for key in headers if key.lower() == wanted), None)
