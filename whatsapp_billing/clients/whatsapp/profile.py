# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What makes a provider differ, for whoever stands outside of `clients/`.

Nobody there compares a provider's name, or reads its codes and payloads: they ask the
profile. It makes no call and holds no state; calls are the client's (`base.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from ..errors import ClientError
from .error_table import BAD_CREDENTIALS, ErrorTable
from .templates import PlainTemplates, TemplateCodec

if TYPE_CHECKING:
    from .base import Event, TokenInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What people read about a provider: English sentences, marked for translation."""

    # The credential that is typed, and what is said where it is missing or refused.
    token: str
    enter_token: str
    wrong_token: str
    expired_token: str
    # Settings that a refusal may be about; %(address)s is the provider's own.
    wrong_address: str
    wrong_app: str = ""
    # %(scopes)s, on the form and in the list of checks.
    lacks_scopes: str = ""
    missing_scopes: str = ""
    # %(waba)s, on the form and in the list of checks.
    not_assigned: str = ""
    assign: str = ""
    # What became of the account.
    disabled: str
    removed: str
    deleted: str
    restricted: str  # %(event)s
    refused: str


class Link(NamedTuple):
    """A page of the provider's where something is mended."""

    label: str
    address: str


class Culprit(NamedTuple):
    """Which setting a refusal is about, and what to do: "" for the error's own words.

    `line` is app, api or token, else the step that was asked.
    """

    line: str
    sentence: str = ""


class Verification(NamedTuple):
    """Whether a business is verified, and what is said where it is not (yet)."""

    is_done: bool
    sentence: str = ""


class Profile:
    """One provider. What stands here is true of one that has nothing special."""

    # As accounts store it, and as people read it.
    name: ClassVar[str]
    label: ClassVar[str]

    # === SET-UP === #

    api_url: ClassVar[str]
    # Fields of an account that this provider needs: app_uid, app_secret, api_version.
    needs: ClassVar[frozenset[str]] = frozenset()
    words: ClassVar[Words]
    # Links by point of the check list: token, permissions, app, business.
    links: ClassVar[Mapping[str, Link]] = {}

    # === ERRORS === #

    errors: ClassVar[ErrorTable]

    def culprit(self, step: str, error: ClientError, *, has_app: bool) -> Culprit:
        """Return which of the settings a refusal is about.

        :param step: what was asked: token, phones, templates, webhook, business
        :param has_app: whether an app and its secret were typed
        """
        if error.code == "no_answer" and (error.http_status or 500) < 500:
            return Culprit("api", self.words.wrong_address)
        if error.meaning == BAD_CREDENTIALS:
            return Culprit("token", self.words.wrong_token)
        return Culprit(step)

    # === CREDENTIALS === #

    # Scopes that a token must have; none where the provider cannot say.
    required_scopes: ClassVar[tuple[str, ...]] = ()

    def missing(self, token: TokenInfo) -> list[str]:
        """Return what a token may not do and should."""
        return [scope for scope in self.required_scopes if scope not in token.scopes]

    def covers(self, token: TokenInfo, waba_uid: str) -> bool:
        """Tell whether a token was given this account."""
        return True

    def verification(self, word: str) -> Verification | None:
        """Return what the provider's word about the business means; None for nothing."""
        return None

    # === TEMPLATES === #

    templates: ClassVar[TemplateCodec] = PlainTemplates()
    # Most changes of an approved template; None for no limit.
    edits_per_day: ClassVar[int | None] = None
    edits_per_month: ClassVar[int | None] = None
    # Whether a template that it has disabled can be deleted.
    deletes_disabled: ClassVar[bool] = True
    # Its words for why a template was rejected -> what to do, in capitals.
    rejections: ClassVar[Mapping[str, str]] = {}
    # Its words for parts that cannot be filled in -> what they are.
    parts: ClassVar[Mapping[str, str]] = {}

    # === MESSAGES === #

    # Whether each status of a message brings back what we gave it to carry. Without, a
    # call that nobody answered is never proved not to have arrived, nor sent again.
    returns_proof_token: ClassVar[bool] = False
    # Days for which an uploaded file may be sent by its id.
    media_days: ClassVar[int] = 0

    # === WEBHOOKS === #

    # Whether we make the secret that proves a webhook, which the provider then repeats
    # with each; else a person types one that it signs with.
    makes_webhook_secret: ClassVar[bool] = False

    def challenge(self, query: Mapping[str, str], expected: str) -> str | None:
        """Return the answer to a check of the webhook's address; None to refuse it.

        :param query: of the GET request
        :param expected: the token that the provider was told; never empty
        """
        return None

    def verify_webhook(
        self,
        body: bytes,
        headers: Mapping[str, str],
        secrets: Sequence[str],
        url: str = "",
    ) -> bool:
        """Tell whether a webhook is the provider's; fails closed.

        :param secrets: each of which may have signed it
        :param url: that it was sent to, which some providers sign too
        """
        raise NotImplementedError

    def parse_webhook(self, body: bytes, received: int = 0) -> list[Event]:
        """Return a webhook's events.

        :param received: when it came, in unix seconds: nothing in it is younger
        :raise ValueError: if the body is nothing that the provider sends
        """
        raise NotImplementedError
