# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What Meta's Cloud API has, asks for and calls things."""

import hmac
from collections.abc import Mapping, Sequence
from typing import ClassVar

from ...errors import ClientError
from ...signatures import verify_meta
from ..base import Event, TokenInfo
from ..error_table import BAD_CREDENTIALS, ErrorTable
from ..profile import Culprit, Link, Profile, Verification, Words
from ..templates import TemplateCodec
from .errors import ERRORS
from .graph import find_header
from .templates import MetaTemplates
from .webhook import parse_webhook
from .words import BEING_VERIFIED, LINKS, NOT_VERIFIED, PARTS, REJECTIONS, WORDS

SIGNATURE = "X-Hub-Signature-256"
MANAGEMENT = "whatsapp_business_management"
_IN_REVIEW = frozenset({"pending", "pending_submission", "pending_need_more_info"})


class MetaProfile(Profile):
    """Meta itself: an app of the customer's own, which signs with its secret."""

    name: ClassVar[str] = "meta"
    label: ClassVar[str] = "Meta (WhatsApp Cloud API)"
    api_url: ClassVar[str] = "https://graph.facebook.com"
    needs: ClassVar[frozenset[str]] = frozenset(
        {"app_uid", "app_secret", "api_version"}
    )
    words: ClassVar[Words] = WORDS
    links: ClassVar[Mapping[str, Link]] = LINKS
    errors: ClassVar[ErrorTable] = ERRORS
    templates: ClassVar[TemplateCodec] = MetaTemplates()
    # One edit of an approved template a day, ten in 30 days ("Template management",
    # 2026-09).
    edits_per_day: ClassVar[int | None] = 1
    edits_per_month: ClassVar[int | None] = 10
    deletes_disabled: ClassVar[bool] = False
    rejections: ClassVar[Mapping[str, str]] = REJECTIONS
    parts: ClassVar[Mapping[str, str]] = PARTS
    # `biz_opaque_callback_data` comes back in every status.
    returns_proof_token: ClassVar[bool] = True
    # Uploaded media lives 30 days; an id is not trusted to the last of them.
    media_days: ClassVar[int] = 25
    required_scopes: ClassVar[tuple[str, ...]] = (
        "whatsapp_business_messaging",
        MANAGEMENT,
    )

    def culprit(self, step: str, error: ClientError, *, has_app: bool) -> Culprit:
        """Return which of the settings a refusal is about.

        Where several may be, Meta's sentence names the one.
        """
        words = f"{error.message} {error.details}".lower()
        found = super().culprit(step, error, has_app=has_app)
        if found.line == "api":
            return found
        if "unknown path components" in words:
            return Culprit("api", self.words.wrong_address)
        is_refused = error.meaning == BAD_CREDENTIALS or (
            error.code == "100" and "app" in words
        )
        is_asked = step in ("token", "webhook") and has_app
        if (is_asked and is_refused) or "appsecret_proof" in words:
            return Culprit("app", self.words.wrong_app)
        return found

    def covers(self, token: TokenInfo, waba_uid: str) -> bool:
        """Tell whether a token was given this account; no list means all of them."""
        targets = token.targets.get(MANAGEMENT) or ()
        return not targets or not waba_uid or waba_uid in targets

    def verification(self, word: str) -> Verification | None:
        """Return whether Meta has verified the business: it decides how many to reach."""
        if not word:
            return None
        if word == "verified":
            return Verification(is_done=True)
        sentence = BEING_VERIFIED if word in _IN_REVIEW else NOT_VERIFIED
        return Verification(is_done=False, sentence=sentence)

    def challenge(self, query: Mapping[str, str], expected: str) -> str | None:
        """Return Meta's challenge where it names the token that it was told."""
        given = str(query.get("hub.verify_token") or "")
        is_genuine = query.get("hub.mode") == "subscribe" and hmac.compare_digest(
            expected.encode(), given.encode()
        )
        return query.get("hub.challenge", "") if is_genuine else None

    def verify_webhook(
        self,
        body: bytes,
        headers: Mapping[str, str],
        secrets: Sequence[str],
        url: str = "",
    ) -> bool:
        """Check Meta's signature over the raw bytes; fails closed."""
        return verify_meta(secrets, body, find_header(headers, SIGNATURE))

    def parse_webhook(self, body: bytes, received: int = 0) -> list[Event]:
        """Return a webhook's events (see `webhook.parse_webhook`)."""
        return parse_webhook(body, received)
