# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What customers do: write, tap, send files, say STOP."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from ..settings import ControlError
from ..whatsapp.errors import Json
from ..whatsapp.state import Message, Phone, State, User
from ..world import World
from .lifecycle import contact_of
from .media import Files
from .messages import new_wamid
from .packing import Update
from .webhooks import Webhooks

# What opens the customer service window: what a person sends, not what happens.
OPENING = frozenset(
    [
        "text",
        "button",
        "interactive",
        "image",
        "video",
        "audio",
        "document",
        "sticker",
        "location",
        "contacts",
        "order",
    ]
)


class Inbox:
    """Carry what a customer does to the business."""

    def __init__(
        self, world: World, state: State, files: Files, webhooks: Webhooks
    ) -> None:
        self.world, self.state = world, state
        self.files, self.webhooks = files, webhooks
        # When the next message was written, where that is not now: phones without a
        # connection and outages bring messages late.
        self.written_at: float | None = None

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
        """Record an inbound message, open the window, and send the webhook.

        :param extra: what stands beside the content, such as `group_id` or `errors`
        """
        now = self.world.clock.now()
        written = now if self.written_at is None else min(self.written_at, now)
        message = Message(
            wamid=new_wamid(self.world, user),
            phone=phone,
            user=user,
            type=kind,
            created=now,
            inbound=True,
            body=text,
            header=header,
            context=context,
            content=content,
            status="received",
        )
        if kind in OPENING and not (extra or {}).get("group_id"):
            before = user.last_inbound.get(phone.uid, 0.0)
            user.last_inbound[phone.uid] = max(before, written)
        if user.user_uid in phone.blocked:
            return message
        if kind != "reaction":
            self.state.add_message(message)
        self._emit(message, int(written), extra or {})
        self.world.watchers.changed(user.user_uid)
        return message

    def _emit(self, message: Message, stamp: int, extra: Json) -> None:
        user, phone = message.user, message.phone
        item: Json = {}
        if user.wa_id and not user.hides_number:
            item["from"] = user.wa_id
        item["from_user_id"] = user.user_uid
        item.update(id=message.wamid, timestamp=str(stamp), type=message.type)
        if message.context:
            item["context"] = {"from": phone.number, "id": message.context}
        if message.content is not None and message.type != "unsupported":
            item[message.type] = message.content
        item.update(extra)
        if message.type == "unsupported":
            item["errors"] = [
                {
                    "code": 131051,
                    "title": "Message type unknown",
                    "message": "Message type unknown",
                    "error_data": {
                        "details": "Message type is currently not supported."
                    },
                }
            ]
        self.webhooks.emit(
            Update(
                "messages",
                phone.waba_uid,
                phone,
                "messages",
                item,
                message.created,
                contact_of(user, with_name=True),
                user,
            )
        )

    def write(self, user: User, phone: Phone, text: str, context: str = "") -> Message:
        """Write a text."""
        return self.receive(user, phone, "text", {"body": text}, text, context)

    def tap(self, user: User, phone: Phone, button: Json, target: Message) -> Message:
        """Tap a button of a message; a url button only opens a page."""
        kind, text = str(button["type"]), str(button["text"])
        payload = str(button.get("payload", text))
        if kind == "quick_reply":
            content: Json = {"payload": payload, "text": text}
            return self.receive(user, phone, "button", content, text, target.wamid)
        if kind not in ("reply", "list"):
            raise ControlError(f"A {kind} button tells the business nothing.")
        name = "button_reply" if kind == "reply" else "list_reply"
        reply = {"id": payload, "title": text}
        if kind == "list" and button.get("description"):
            reply["description"] = button["description"]
        content = {"type": name, name: reply}
        return self.receive(user, phone, "interactive", content, text, target.wamid)

    def react(self, user: User, phone: Phone, emoji: str, target: Message) -> Message:
        """React to a message; an empty emoji takes the reaction away."""
        content = {"message_id": target.wamid}
        if emoji:
            content["emoji"] = emoji
            target.reactions["customer"] = emoji
        else:
            target.reactions.pop("customer", None)
        return self.receive(user, phone, "reaction", content, emoji)

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
        """Send a file as the kind that its type says."""
        family = mime.split("/", 1)[0]
        kind = family if family in ("image", "video", "audio") else "document"
        media = self.files.store(phone, content, filename, mime, inbound=True)
        value: Json = {
            "mime_type": mime,
            "sha256": b64encode(bytes.fromhex(media.sha256)).decode("ascii"),
            "id": media.uid,
            "url": self.files.url(media, self.world.base_url),
        }
        if caption and kind != "audio":
            value["caption"] = caption
        if kind == "document":
            value["filename"] = filename
        header = {"type": kind, "filename": filename, "size": media.size, "mime": mime}
        header.update(sha256=media.sha256, media_id=media.uid)
        return self.receive(user, phone, kind, value, caption, context, header)

    def prefer(self, user: User, phone: Phone, value: str) -> None:
        """Stop or resume marketing messages in WhatsApp's own settings."""
        if value == "stop":
            user.no_marketing.add(phone.uid)
        else:
            user.no_marketing.discard(phone.uid)
        now = self.world.clock.now()
        detail = f"User requested to {value} marketing messages"
        item: dict[str, Any] = {
            "user_id": user.user_uid,
            "detail": detail,
            "category": "marketing_messages",
            "value": value,
            "timestamp": int(now),
        }
        if user.wa_id and not user.hides_number:
            item["wa_id"] = user.wa_id
        self.webhooks.emit(
            Update(
                "user_preferences",
                phone.waba_uid,
                phone,
                "user_preferences",
                item,
                now,
                contact_of(user, with_name=True),
                user,
            )
        )
