# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Calls to the Graph API: credentials, pages, and what an answer proves.

Evidence: a JSON object with an `error.code` proves that the call was
not accepted, and the code decides the class of the error. 502, 504, an answer that is
not a JSON object, or one that says neither yes nor no prove nothing: outcome unknown.
"""

import json as jsonlib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ...errors import KINDS, ClientError, TransientError, UnknownOutcomeError
from ...redaction import MASK
from ...signatures import appsecret_proof
from ...transport import Files, Response, Transport
from ...values import number, obj, rows, text
from ..base import AccountConfig, Json
from ..error_table import ErrorSpec
from ..profile import Profile
from .errors import ERRORS
from .payloads import error_details

PAGE_SIZE = 100
MAX_PAGES = 1000
NO_EVIDENCE = frozenset({502, 504})


class GraphCaller:
    """Make calls as one account. Holds nothing that a call changes."""

    profile: ClassVar[Profile]

    def __init__(self, config: AccountConfig, transport: Transport) -> None:
        """Prepare everything that is the same in each call."""
        self._config = config
        self._transport = transport
        self._token = config.access_token.strip()
        self._secrets = tuple(
            secret for secret in (self._token, config.app_secret) if len(secret) > 5
        )
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

    def _app_headers(self) -> Mapping[str, str]:
        token = f"{self._config.app_uid}|{self._config.app_secret}"
        return {"Authorization": f"Bearer {token}"}

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
        as_app: bool = False,
    ) -> Json:
        """Make a call and return its answer, a JSON object without an error.

        :param own: the path names the account or its number, so that "not found"
            speaks about our settings and not about a template
        :param as_app: call with the app's own token instead of the account's
        """
        self._check_token()
        if as_app:
            headers = self._app_headers()
        try:
            response = self._transport.request(
                method,
                self._url(path, proof=not as_app),
                headers=headers or self._headers,
                params=params,
                json=json,
                data=data,
                files=files,
            )
        except ClientError as error:
            if not error.sentence and error.code in self.profile.errors:
                error.sentence = self.profile.errors[error.code].sentence
            raise
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
        """Iterate over a list's rows, asking for each page by its cursor.

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
                raise unknown("no_answer", "the list has no rows")
            yield from rows(data)
            if not paging.get("next"):
                return
            cursor = text(obj(paging.get("cursors")).get("after"))
            if not cursor or cursor == after:
                break
            after = cursor
        message = "the list does not come to an end"
        raise TransientError(message, sentence=ERRORS["2"].sentence)

    def _identifier(self, answer: Json, key: str) -> str:
        value = text(answer.get(key))
        if not value:
            raise unknown("no_answer", f"the answer has no {key}")
        return value

    # === EVIDENCE === #

    def _accept(self, response: Response, own: bool) -> Json:
        """Return the answer's object, or raise what its error means."""
        status = response.status
        if status in NO_EVIDENCE:
            raise unknown("no_answer", "the gateway got no answer", status)
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise unknown("no_answer", "the answer is not a JSON object", status)
        error = self._refusal(response, answer, own)
        if error is not None:
            raise error
        if not 200 <= status < 300 or answer.get("success") is False:
            raise unknown(
                "no_answer", "the answer says neither yes nor why not", status
            )
        return answer

    def _refusal(
        self, response: Response, answer: Json, own: bool
    ) -> ClientError | None:
        """Return the error of a well-formed Graph answer; it has a whole number."""
        error = obj(answer.get("error"))
        code = text(error.get("code")).strip()
        if not code.lstrip("-").isdigit():
            return None
        details, subcode = error_details(error), text(error.get("error_subcode"))
        transient = error.get("is_transient") is True
        spec = self.profile.errors.classify(
            code, response.status, transient, subcode=subcode
        )
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

    def _build(
        self,
        spec: ErrorSpec,
        message: str = "",
        *,
        details: str = "",
        code: str = "",
        **given: Any,
    ) -> ClientError:
        """Make the error of a kind; our own secrets never stay in its words."""
        return KINDS[spec.kind](
            self._mask(message),
            code=code or spec.code,
            details=self._mask(details),
            sentence=spec.sentence,
            meaning=spec.meaning,
            **given,
        )

    def _mask(self, words: str) -> str:
        for secret in self._secrets:
            words = words.replace(secret, MASK)
        return words


def unknown(code: str, details: str, status: int = 200) -> UnknownOutcomeError:
    """Make the error of an answer that says neither yes nor no."""
    return UnknownOutcomeError(
        code=code,
        http_status=status,
        details=details,
        sentence=ERRORS[code].sentence,
    )


def retry_after(headers: Mapping[str, str], spec: ErrorSpec) -> float | None:
    """Return the seconds to wait: the longest that the answer or our table names.

    Meta counts `estimated_time_to_regain_access` in minutes; it speaks
    about the pace, so other errors do not listen to it.
    """
    waits = [spec.retry_after or 0.0]
    given = headers.get("Retry-After", "").strip()
    if given.isascii() and given.isdigit() and len(given) < 9:
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
    value = headers.get(name)
    if value is not None:
        return value
    wanted = name.lower()
    return next(
        (value for key, value in headers.items() if key.lower() == wanted), None
    )
