# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What the sides of WhatsApp need of each other; who plays it is the wiring's affair."""

from __future__ import annotations

from typing import Protocol

from .call import Call, Json, Raw
from .state import Message, Phone, Template, User


class Webhooks(Protocol):
    """Tells businesses what happened."""

    def forget_targets(self) -> None:
        """Look subscriptions up again: one of them changed."""

    def counts(self) -> Json:
        """Return how many updates are where."""


class Messages(Protocol):
    """Takes what businesses send."""

    def send(self, call: Call) -> Json:
        """Answer a send, a read receipt or a refusal."""


class Files(Protocol):
    """Keeps the files of messages."""

    def upload(self, call: Call) -> Json:
        """Take a file."""

    def describe(self, call: Call) -> Json:
        """Tell where a file is."""

    def delete(self, call: Call) -> Json:
        """Forget a file."""

    def download(self, call: Call, waba_uids: set[str]) -> Raw:
        """Serve the bytes to who may have what is of these accounts."""


class Numbers(Protocol):
    """Answers for the numbers of businesses."""

    def shown(self, phone: Phone) -> Json:
        """Return every field of a number."""


class Templates(Protocol):
    """Keeps the templates of accounts."""

    def create(self, call: Call) -> Json:
        """Take a template and have it reviewed."""

    def delete(self, call: Call) -> Json:
        """Delete by name or id."""

    def shown(self, template: Template) -> Json:
        """Return every field of a template."""


class Lifecycle(Protocol):
    """Moves messages on when their reader does something."""

    def read_all(self, user: User, phone_uid: str = "") -> int:
        """Read every delivered message of a chat, and count them."""

    def came_online(self, user: User) -> None:
        """Deliver what waited."""


class Inbox(Protocol):
    """Carries what a customer does to the business."""

    written_at: float | None

    def receive(
        self,
        user: User,
        phone: Phone,
        kind: str,
        content: Json,
        text: str = "",
        context: str = "",
        header: Json | None = None,
        extra: Json | None = None,
    ) -> Message:
        """Carry a message of any kind."""

    def write(self, user: User, phone: Phone, text: str, context: str = "") -> Message:
        """Write a text."""

    def tap(self, user: User, phone: Phone, button: Json, target: Message) -> Message:
        """Tap a button of a message."""

    def react(self, user: User, phone: Phone, emoji: str, target: Message) -> Message:
        """React to a message."""

    def send_file(
        self,
        user: User,
        phone: Phone,
        content: bytes,
        filename: str,
        mime: str,
        caption: str = "",
        context: str = "",
    ) -> Message:
        """Send a file."""

    def prefer(self, user: User, phone: Phone, value: str) -> None:
        """Stop or resume marketing messages."""
