# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What there is on WhatsApp: accounts, numbers, people, messages, templates, files."""

from __future__ import annotations

import hmac
import itertools
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any

from ..timing import Bucket
from .compiled import Compiled, compile_template
from .numbering import bsuid_of, digits_of, is_bsuid, wa_id_of

Json = dict[str, Any]
Told = tuple[str, str, float, int, str]
MESSAGING = "whatsapp_business_messaging"
MANAGEMENT = "whatsapp_business_management"
PACES = {"STANDARD": 80.0, "HIGH": 1000.0, "COEXISTENCE": 20.0}


@dataclass(slots=True)
class App:
    """A Meta app: whose secret signs, and where its webhooks go."""

    uid: str
    secret: str
    name: str = "Simulated app"
    callback_url: str = ""
    verify_token: str = ""
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class Token:
    """An access token and what it may reach."""

    value: str
    app_uid: str
    waba_uids: set[str]
    scopes: set[str] = field(default_factory=lambda: {MESSAGING, MANAGEMENT})
    expires_at: float = 0
    is_valid: bool = True
    is_app: bool = False


@dataclass(slots=True)
class Override:
    """A callback that replaces the app's own."""

    url: str = ""
    verify_token: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Template:
    """One message template in one language."""

    uid: str
    waba_uid: str
    name: str
    language: str
    category: str
    components: list[Json]
    compiled: Compiled
    status: str = "PENDING"
    rejected_reason: str = "NONE"
    parameter_format: str = "POSITIONAL"
    quality: str = "UNKNOWN"
    quality_at: float = 0
    previous_category: str = ""
    correct_category: str = ""
    ttl_seconds: int | None = None
    source: str = ""
    pauses: int = 0
    paused_by_pacing: bool = False
    holds: bool = False
    edits: list[float] = field(default_factory=list)
    held: list[Message] = field(default_factory=list)
    was_approved: bool = False

    def recompile(self) -> None:
        """Prepare the components for sending again, after they changed."""
        self.compiled = compile_template(self.components, self.parameter_format)


@dataclass(slots=True)
class Waba:
    """A WhatsApp Business account."""

    uid: str
    app_uid: str
    name: str
    provider: str = "meta"
    templates: dict[str, Template] = field(default_factory=dict)
    by_name: dict[str, dict[str, Template]] = field(default_factory=dict)
    subscribed: dict[str, Override] = field(default_factory=dict)
    blocked_names: dict[str, float] = field(default_factory=dict)
    creations: deque[float] = field(default_factory=deque)
    template_limit: int = 6000
    calls: deque[float] = field(default_factory=deque)
    health: str = "AVAILABLE"

    def add_template(self, template: Template) -> None:
        """Store a template under its id and under its name and language."""
        self.templates[template.uid] = template
        self.by_name.setdefault(template.name, {})[template.language] = template

    def drop_template(self, template: Template) -> None:
        """Forget a template."""
        self.templates.pop(template.uid, None)
        languages = self.by_name.get(template.name, {})
        if languages.get(template.language) is template:
            del languages[template.language]


@dataclass(slots=True)
class Phone:
    """A business number."""

    uid: str
    number: str
    display: str
    verified_name: str
    waba_uid: str
    is_verified: bool = True
    is_registered: bool = True
    pin: str = ""
    code: str = ""
    throughput: str = "STANDARD"
    quality: str = "GREEN"
    tier: str = "TIER_UNLIMITED"
    status: str = "CONNECTED"
    name_status: str = "APPROVED"
    account_mode: str = "LIVE"
    allowed: set[str] | None = None
    override: Override | None = None
    profile: Json = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)
    registrations: list[float] = field(default_factory=list)
    bucket: Bucket | None = None
    pairs: dict[str, Bucket] = field(default_factory=dict)
    reached: dict[str, float] = field(default_factory=dict)
    service_month: str = ""
    service_delivered: int = 0


@dataclass(slots=True)
class Media:
    """A file that was uploaded, or sent by a customer."""

    uid: str
    waba_uid: str
    phone_uid: str
    mime: str
    found_mime: str
    sha256: str
    size: int
    filename: str
    created: float
    inbound: bool = False


@dataclass(slots=True)
class Upload:
    """A resumable upload of a template sample."""

    uid: str
    app_uid: str
    mime: str
    length: int
    filename: str
    received: bytearray = field(default_factory=bytearray)
    handle: str = ""


@dataclass(slots=True)
class User:
    """A person with a phone."""

    wa_id: str
    user_uid: str
    name: str = ""
    on_whatsapp: bool = True
    online: bool = True
    receipts: bool = True
    username: str = ""
    hides_number: bool = False
    in_experiment: bool = False
    entry_point_until: float = 0
    blocks: set[str] = field(default_factory=set)
    no_marketing: set[str] = field(default_factory=set)
    last_inbound: dict[str, float] = field(default_factory=dict)
    chat: list[Message] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Message:
    """A message in either direction, as the customer's phone shows it."""

    wamid: str
    phone: Phone
    user: User
    type: str
    created: float
    recipient: str = ""
    inbound: bool = False
    template: Template | None = None
    category: str = "service"
    header: Json | None = None
    body: str = ""
    footer: str = ""
    buttons: tuple[Json, ...] = ()
    uuid: str = ""
    context: str = ""
    content: Json = field(default_factory=dict)
    in_window: bool = False
    status: str = "accepted"
    history: list[tuple[str, float, Json | None]] = field(default_factory=list)
    fail_code: int = 0
    fail_details: str = ""
    reactions: dict[str, str] = field(default_factory=dict)
    read_by_business: bool = False


class Blobs:
    """Keep file contents once each, and let the oldest go beyond a total size."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._bytes: OrderedDict[str, bytes] = OrderedDict()

    def put(self, digest: str, content: bytes) -> None:
        """Store contents under their digest."""
        if digest in self._bytes:
            self._bytes.move_to_end(digest)
            return
        self._bytes[digest] = content
        self.size += len(content)
        while self.size > self.limit and len(self._bytes) > 1:
            _digest, old = self._bytes.popitem(last=False)
            self.size -= len(old)

    def get(self, digest: str) -> bytes | None:
        """Return contents, or nothing when they were let go."""
        return self._bytes.get(digest)


class State:
    """Hold every object by its id."""

    def __init__(self, keep_bytes: int = 512 * 1024 * 1024) -> None:
        self.apps: dict[str, App] = {}
        self.tokens: dict[str, Token] = {}
        self.wabas: dict[str, Waba] = {}
        self.phones: dict[str, Phone] = {}
        self.templates: dict[str, Template] = {}
        self.media: dict[str, Media] = {}
        self.uploads: dict[str, Upload] = {}
        self.handles: dict[str, Upload] = {}
        self.users: dict[str, User] = {}
        self.users_by_uid: dict[str, User] = {}
        self.messages: dict[str, Message] = {}
        self.by_uuid: dict[str, list[Message]] = {}
        self.blobs = Blobs(keep_bytes)
        self._serial = itertools.count(1)

    def next_id(self, first: int) -> str:
        """Return a new numeric id of 16 digits that starts with `first`."""
        return str(first * 10**14 + next(self._serial))

    def user(self, number: str) -> User:
        """Return the user with this number or BSUID, making one on first contact."""
        if is_bsuid(number):
            known = self.users_by_uid.get(number)
            return known or self._add_user(User("", number, hides_number=True))
        wa_id = wa_id_of(digits_of(number))
        return self.users.get(wa_id) or self._add_user(User(wa_id, bsuid_of(wa_id)))

    def find_user(self, number: str) -> User | None:
        """Return the user with this number or BSUID if there is one."""
        if is_bsuid(number):
            return self.users_by_uid.get(number)
        return self.users.get(wa_id_of(digits_of(number)))

    def _add_user(self, user: User) -> User:
        if user.wa_id:
            self.users[user.wa_id] = user
        self.users_by_uid[user.user_uid] = user
        return user

    def find_token(self, value: str) -> Token | None:
        """Return a known token, or the token of an app (`id|secret`)."""
        token = self.tokens.get(value)
        if token is not None:
            return token
        app_uid, _bar, secret = value.partition("|")
        app = self.apps.get(app_uid)
        if app is None or not hmac.compare_digest(app.secret.encode(), secret.encode()):
            return None
        return Token(value, app_uid, set(), set(), is_app=True)

    def everyone(self) -> list[User]:
        """Return all users, those without a number too."""
        return list(self.users_by_uid.values())

    def add_message(self, message: Message) -> None:
        """File a message where it will be looked for."""
        self.messages[message.wamid] = message
        message.user.chat.append(message)
        if message.uuid:
            self.by_uuid.setdefault(message.uuid, []).append(message)

    def add_template(self, template: Template) -> None:
        """File a template under its account and its id."""
        self.templates[template.uid] = template
        self.wabas[template.waba_uid].add_template(template)

    def drop_template(self, template: Template) -> None:
        """Forget a template."""
        self.templates.pop(template.uid, None)
        self.wabas[template.waba_uid].drop_template(template)
