# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What every WhatsApp provider can do, in our words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as default
from typing import Any, ClassVar, Protocol, TypeAlias

from ..transport import Transport
from .profile import Profile

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AccountConfig:
    """Where and as whom to call. The secrets stay out of its text."""

    api_url: str
    api_version: str
    access_token: str = default(repr=False)
    app_secret: str = default(default="", repr=False)
    app_uid: str = ""
    waba_uid: str = ""


# === OUTGOING === #


@dataclass(frozen=True, slots=True)
class HeaderParam:
    """What fills a template's header: a text, or an uploaded file."""

    kind: str  # text, document, image
    text: str = ""
    media_uid: str = ""
    filename: str = ""


@dataclass(frozen=True, slots=True)
class ButtonParam:
    """What fills a button: the end of a URL, or the payload of a quick reply."""

    index: int
    kind: str  # url, quick_reply
    value: str


@dataclass(frozen=True, slots=True)
class TemplateMessage:
    """An approved template with its parameters by position."""

    template_name: str
    lang_code: str
    header: HeaderParam | None = None
    body: tuple[str, ...] = ()
    buttons: tuple[ButtonParam, ...] = ()


@dataclass(frozen=True, slots=True)
class TextMessage:
    """Free text, only inside the service window."""

    body: str
    preview_url: bool = False


@dataclass(frozen=True, slots=True)
class ListMessage:
    """A text with a list to choose from, only inside the service window.

    At most ten rows of (payload, title of 24 characters); `button` opens the list, 20
    characters (Meta's page on interactive lists).
    """

    body: str
    button: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to one person; `uuid` comes back in every status of it."""

    recipient: str  # "+" and digits, or a business-scoped user id
    content: TemplateMessage | TextMessage | ListMessage
    uuid: str
    context_wamid: str = ""


@dataclass(frozen=True, slots=True)
class SendResult:
    """The provider took the message: accepted, which is not delivered."""

    wamid: str
    message_status: str = ""  # accepted, held_for_quality_assessment, paused, or empty
    wa_id: str = ""
    user_uid: str = ""
    raw: Json = default(default_factory=dict)


# === ACCOUNT === #


# The state of a number that can send.
CONNECTED = "CONNECTED"


@dataclass(frozen=True, slots=True)
class PhoneInfo:
    """A sender number; `pace` is in messages a second.

    `status` is CONNECTED, PENDING (never registered), UNVERIFIED, DISCONNECTED, DELETED,
    MIGRATED, FLAGGED, RESTRICTED, BANNED or BLOCKED, `quality` GREEN, YELLOW or RED,
    `tier` a number of people a day (1000, TIER_10K) or TIER_UNLIMITED. Any other word is
    the provider's and shown as it is.
    """

    phone_uid: str
    number: str
    verified_name: str = ""
    is_verified: bool = False
    is_registered: bool = True
    quality: str = ""
    tier: str = ""
    pace: int = 80
    status: str = ""
    raw: Json = default(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What an access token may do; `expires_at` in unix seconds, 0 is never."""

    is_valid: bool
    app_uid: str = ""
    expires_at: int = 0
    scopes: tuple[str, ...] = ()
    targets: Mapping[str, tuple[str, ...]] = default(default_factory=dict)


# === TEMPLATES === #


# Where a template stands at its provider, in our words.
TEMPLATE_STATUSES = (
    *("pending", "approved", "rejected", "paused", "disabled"),
    *("deletion_pending", "deleted", "unknown"),
)


@dataclass(frozen=True, slots=True)
class TemplateInfo:
    """A template as the provider has it; `raw_status` is its word, `status` ours."""

    template_uid: str
    name: str
    lang_code: str
    category: str = ""
    status: str = ""
    raw_status: str = ""
    rejected_reason: str = ""
    quality: str = ""
    previous_category: str = ""
    correct_category: str = ""
    source: str = ""
    parameter_format: str = ""
    components: list[Json] = default(default_factory=list)
    raw: Json = default(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TemplateDraft:
    """A template to submit; components in the Graph API's shape."""

    name: str
    lang_code: str
    category: str
    components: list[Json] = default(default_factory=list)
    ttl_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """The provider's first answer: the status, and the category it decided on."""

    template_uid: str
    status: str = ""
    raw_status: str = ""
    category: str = ""


# === EVENTS === #


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """An error that came by webhook, classified like one that came as an answer."""

    code: str
    title: str = ""
    message: str = ""
    details: str = ""
    kind: str = ""
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """What became of a message that we sent.

    `status` is one that `rules.status` knows, or a word that changes nothing. `pricing`,
    read by `rules.pricing`, has `category`, `billable` and `type` (free_... costs nothing).
    """

    wamid: str
    uuid: str = ""
    status: str = ""
    timestamp: int = 0
    recipient: str = ""
    user_uid: str = ""
    errors: tuple[ErrorInfo, ...] = ()
    pricing: Json | None = None
    waba_uid: str = ""
    phone_uid: str = ""
    raw: Json = default(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """What a person wrote, tapped or sent.

    `type` is ours, for what `rules.inbound` knows: text, button (a template's), interactive
    (any other choice), image, video, audio, document, sticker, location, contacts, order,
    reaction, edit, revoke, system; any other word counts as something that decides
    nothing. `media` has the file's `id`, `mime_type` and `filename`.
    """

    wamid: str
    sender: str = ""
    user_uid: str = ""
    profile_name: str = ""
    timestamp: int = 0
    type: str = ""
    text: str = ""
    payload: str = ""
    context_wamid: str = ""
    media: Json | None = None
    # Written in a group of several people, not to us alone.
    group_uid: str = ""
    # A form of several fields was filled in: neither a message nor a tap.
    is_form: bool = False
    # What an edited message has become: its type, and what it answers.
    edited_type: str = ""
    edited_context: str = ""
    # A system notice about this person, such as another number or user id.
    notice: str = ""
    new_sender: str = ""
    errors: tuple[ErrorInfo, ...] = ()
    waba_uid: str = ""
    phone_uid: str = ""
    raw: Json = default(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file that a person sent, as it was fetched."""

    content: bytes = default(repr=False)
    mime: str = ""


@dataclass(frozen=True, slots=True)
class TemplateEvent:
    """Something happened to a template: review, pause, quality, category.

    `field` and `event` are the provider's words, kept to be shown; nothing is decided by
    them. `category` holds from now on where the template `is_moved`; `correct_category`
    is what the provider will move it to. `is_rewritten`: its content must be read again.
    """

    field: str
    template_uid: str = ""
    name: str = ""
    lang_code: str = ""
    event: str = ""
    status: str = ""  # ours (TEMPLATE_STATUSES), "" where nothing is said of it
    reason: str = ""
    category: str = ""
    is_moved: bool = False
    previous_category: str = ""
    correct_category: str = ""
    quality: str = ""
    is_rewritten: bool = False
    waba_uid: str = ""
    time: int = 0
    raw: Json = default(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """Something happened to the account or a number.

    `kind`, of an account: removed (no longer ours to use), deleted, disabled, reinstated,
    restricted, refused, notice, security, note; of a number: named, name_refused, paced,
    flagged. "" is nothing that anything follows from. `field` and `word` are the
    provider's, `word` for people to read.
    """

    field: str
    waba_uid: str = ""
    phone_uid: str = ""
    number: str = ""
    about: str = "account"  # or number
    kind: str = ""
    word: str = ""
    name: str = ""
    tier: str = ""
    pace: int = 0
    raw: Json = default(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PreferenceEvent:
    """A person stopped or resumed messages of a kind in WhatsApp.

    `category` and `value` are the provider's words, kept as evidence.
    """

    sender: str = ""
    user_uid: str = ""
    category: str = ""
    value: str = ""
    is_marketing: bool = False
    is_granted: bool = False
    is_withdrawn: bool = False
    timestamp: int = 0
    waba_uid: str = ""
    phone_uid: str = ""
    raw: Json = default(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """Something that we do not know; kept as it came."""

    field: str
    waba_uid: str = ""
    phone_uid: str = ""
    raw: Json = default(default_factory=dict)


Event: TypeAlias = (
    StatusUpdate
    | InboundMessage
    | TemplateEvent
    | AccountEvent
    | PreferenceEvent
    | UnknownEvent
)


class WhatsAppClient(Protocol):
    """Calls to a provider. Each raises a `ClientError` for anything but success."""

    profile: ClassVar[Profile]

    def __init__(self, config: AccountConfig, transport: Transport) -> None:
        """Keep where to call and how."""

    def send(self, phone_uid: str, outgoing: Outgoing) -> SendResult:
        """Send one message; thread safe."""
        ...

    def upload_media(
        self, phone_uid: str, content: bytes, filename: str, mime: str
    ) -> str:
        """Upload a file to be sent from this number and return its media id."""
        ...

    def download_media(
        self, phone_uid: str, media_uid: str, max_bytes: int
    ) -> MediaFile:
        """Return a file that a person sent to this number; thread safe.

        :raise ContentError: it is gone, or larger than `max_bytes`
        """
        ...

    def fetch_token_info(self) -> TokenInfo | None:
        """Return what the credentials may do; None where the provider cannot say."""
        ...

    def list_phones(self) -> Iterator[PhoneInfo]:
        """Iterate over the account's sender numbers."""
        ...

    def list_templates(self) -> Iterator[TemplateInfo]:
        """Iterate over all templates, page by page."""
        ...

    def subscribe(self, webhook_url: str, verify_token: str) -> None:
        """Have webhooks sent to this address."""
        ...

    def upload_sample(self, content: bytes, filename: str, mime: str) -> str:
        """Upload a sample file for a template's header and return its handle."""
        ...

    def submit_template(self, draft: TemplateDraft) -> SubmitResult:
        """Submit a new template for review."""
        ...

    def edit_template(self, template_uid: str, draft: TemplateDraft) -> SubmitResult:
        """Replace a template's content; it is reviewed again."""
        ...

    def delete_template(self, template_uid: str, name: str) -> None:
        """Delete one template in one language."""
        ...

    def request_code(self, phone_uid: str, method: str, language: str) -> None:
        """Have a verification code sent to a number, by SMS or VOICE."""
        ...

    def verify_code(self, phone_uid: str, code: str) -> None:
        """Confirm a number with the code that it received."""
        ...

    def register_phone(self, phone_uid: str, pin: str) -> None:
        """Let a verified number send; its PIN is set the first time, else compared."""
        ...

    def fetch_business_verification(self) -> str:
        """Return the provider's word about the business, "" where it has none."""
        ...

    def health(self) -> Json:
        """Return whether the account can send, and if not, why."""
        ...
