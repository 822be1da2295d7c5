# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A client that can do nothing yet: what a new provider's begins with.

What a provider has no call for says so to whoever asks for it; what each account is asked
when it is connected has an answer, so that an account with numbers is connected.
"""

from collections.abc import Iterator
from typing import ClassVar, NoReturn

from ..errors import KINDS
from ..transport import Transport
from .base import (
    AccountConfig,
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
from .error_table import UNSUPPORTED
from .profile import Profile


class PlainClient:
    """Every call of `WhatsAppClient`, refused or empty."""

    profile: ClassVar[Profile]

    def __init__(self, config: AccountConfig, transport: Transport) -> None:
        """Keep where to call and how."""
        self._config = config
        self._transport = transport

    def unsupported(self) -> NoReturn:
        """Refuse what the provider has no call for."""
        spec = self.profile.errors[UNSUPPORTED]
        raise KINDS[spec.kind](code=spec.code, sentence=spec.sentence)

    # === MESSAGES === #

    def send(self, phone_uid: str, outgoing: Outgoing) -> SendResult:
        """Refuse."""
        self.unsupported()

    def upload_media(
        self, phone_uid: str, content: bytes, filename: str, mime: str
    ) -> str:
        """Refuse."""
        self.unsupported()

    def download_media(
        self, phone_uid: str, media_uid: str, max_bytes: int
    ) -> MediaFile:
        """Refuse."""
        self.unsupported()

    # === ACCOUNT === #

    def fetch_token_info(self) -> TokenInfo | None:
        """Return nothing: credentials have no description."""
        return None

    def fetch_business_verification(self) -> str:
        """Return nothing: the provider has no word about the business."""
        return ""

    def health(self) -> Json:
        """Return nothing."""
        return {}

    def list_phones(self) -> Iterator[PhoneInfo]:
        """Refuse."""
        self.unsupported()

    def subscribe(self, webhook_url: str, verify_token: str) -> None:
        """Do nothing: a person enters the address at the provider."""

    def request_code(self, phone_uid: str, method: str, language: str) -> None:
        """Refuse: numbers are verified at the provider."""
        self.unsupported()

    def verify_code(self, phone_uid: str, code: str) -> None:
        """Refuse: numbers are verified at the provider."""
        self.unsupported()

    def register_phone(self, phone_uid: str, pin: str) -> None:
        """Refuse: numbers are registered at the provider."""
        self.unsupported()

    # === TEMPLATES === #

    def list_templates(self) -> Iterator[TemplateInfo]:
        """Return none: where none can be submitted, there are none."""
        return iter(())

    def upload_sample(self, content: bytes, filename: str, mime: str) -> str:
        """Refuse."""
        self.unsupported()

    def submit_template(self, draft: TemplateDraft) -> SubmitResult:
        """Refuse."""
        self.unsupported()

    def edit_template(self, template_uid: str, draft: TemplateDraft) -> SubmitResult:
        """Refuse."""
        self.unsupported()

    def delete_template(self, template_uid: str, name: str) -> None:
        """Refuse."""
        self.unsupported()
