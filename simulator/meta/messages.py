# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""POST /{phone}/messages: the door every message goes through."""

from __future__ import annotations

from base64 import b64encode

from ..timing import Bucket
from ..whatsapp.call import Call
from ..whatsapp.errors import SPECS, GraphError, Json, invalid, missing
from ..whatsapp.numbering import (
    SANCTIONED,
    calling_code,
    country_of,
    digits_of,
    is_bsuid,
)
from ..whatsapp.state import PACES, Media, Message, Phone, State, User
from ..world import World
from .lifecycle import DAY, Lifecycle
from .session_send import TYPES, session_content
from .settings import Settings
from .template_send import Content, render

_MEDIA_LIFE = {False: 30 * DAY, True: 7 * DAY}
_TIERS = {"TIER_250": 250, "TIER_2K": 2000, "TIER_10K": 10_000, "TIER_100K": 100_000}
_OPAQUE_LIMIT = 512


class Messages:
    """Take what businesses send, or refuse it."""

    def __init__(
        self, world: World, state: State, settings: Settings, lifecycle: Lifecycle
    ) -> None:
        self.world, self.state, self.settings = world, state, settings
        self.lifecycle = lifecycle
        self.accepted = 0

    def send(self, call: Call) -> Json:
        """Answer a send, a read receipt or a refusal."""
        phone = call.phone()
        payload = call.payload()
        if payload.get("messaging_product") != "whatsapp":
            raise missing("messaging_product")
        if payload.get("status") == "read":
            return self._mark_read(phone, payload)
        now = self.world.clock.now()
        self._check_phone(phone, now)
        user = _recipient(self.state, phone, payload)
        _check_envelope(payload)
        kind = str(payload.get("type") or "text")
        content = self._content(phone, kind, payload)
        message = self._message(phone, user, payload, content)
        self._check_recipient(message)
        self._check_media(message, content)
        self.state.add_message(message)
        if message.type == "reaction":
            _react(self.state, message)
        self.accepted += 1
        self.lifecycle.accepted(message)
        self.world.watchers.changed(user.user_uid)
        return _answer(message, payload)

    def _check_phone(self, phone: Phone, now: float) -> None:
        if not phone.is_registered:
            raise GraphError(133010, "The sender's phone number is not registered")
        pace = self.settings.pace
        rate = PACES.get(phone.throughput, 80.0) if pace is None else pace
        if not rate:
            return
        bucket = phone.bucket
        if bucket is None or bucket.rate != rate:
            bucket = phone.bucket = Bucket(rate, max(rate, 1), now)
        if not bucket.take(now):
            raise GraphError(
                130429,
                "Message failed to send because there were too many messages sent from "
                "this phone number in a short period of time",
            )

    def _content(self, phone: Phone, kind: str, payload: Json) -> Content:
        if kind == "template":
            return render(self.state.wabas[phone.waba_uid], payload.get("template"))
        if kind not in TYPES:
            allowed = ", ".join(name.upper() for name in TYPES)
            raise GraphError(100, message=f"Param type must be one of {{{allowed}}}")
        return session_content(kind, payload)

    def _message(
        self, phone: Phone, user: User, payload: Json, content: Content
    ) -> Message:
        context = payload.get("context")
        last = user.last_inbound.get(phone.uid)
        now = self.world.clock.now()
        return Message(
            wamid=new_wamid(self.world, user),
            phone=phone,
            user=user,
            type=content.type,
            created=now,
            recipient=str(payload.get("to") or payload.get("recipient")),
            template=content.template,
            category=content.category,
            header=content.header,
            body=content.body,
            footer=content.footer,
            buttons=content.buttons,
            uuid=payload.get("biz_opaque_callback_data") or "",
            context=str(context.get("message_id", ""))
            if isinstance(context, dict)
            else "",
            content=content.raw,
            in_window=last is not None and now - last < DAY,
        )

    def _refuse(self, message: Message, code: int, details: str) -> None:
        """Raise now or fail later by webhook, as Meta does for this code."""
        if code not in self.settings.async_errors:
            raise GraphError(code, details)
        if not message.fail_code:
            message.fail_code, message.fail_details = code, details

    def _check_recipient(self, message: Message) -> None:
        phone, user = message.phone, message.user
        if user.wa_id == phone.number:
            raise GraphError(131021, "Sender and recipient phone number is the same")
        if phone.allowed is not None and user.wa_id not in phone.allowed:
            raise GraphError(
                131030, "Add the recipient to the allowed list and try again"
            )
        if user.user_uid in phone.blocked:
            raise GraphError(130403, "You have blocked this user")
        if message.type == "template":
            self._check_template_recipient(message)
        elif not message.in_window and self.settings.window:
            details = (
                "Message failed to send because more than 24 hours have passed since the "
                "customer last replied to this number."
            )
            self._refuse(message, 131047, details)
        if not user.on_whatsapp:
            self._refuse(message, 131026, "Message Undeliverable.")
        if phone.tier in _TIERS:
            self._check_tier(message)
        if self.settings.pair_limit:
            self._check_pair(message)

    def _check_template_recipient(self, message: Message) -> None:
        phone, user = message.phone, message.user
        country = country_of(user.wa_id) if user.wa_id else user.user_uid[:2]
        if country in SANCTIONED:
            raise GraphError(130497, f"Messages to {country} are not allowed")
        if message.category == "authentication" and not user.wa_id:
            raise GraphError(131062, "Authentication templates need a phone number")
        if message.category != "marketing":
            return
        if phone.uid in user.no_marketing:
            self._refuse(message, 131050, SPECS[131050][1])
        if user.in_experiment:
            self._refuse(message, 130472, SPECS[130472][1])
        if country == "US":
            self._refuse(message, 131049, SPECS[131049][1])

    def _check_tier(self, message: Message) -> None:
        phone, user = message.phone, message.user
        if message.in_window:
            return
        now = self.world.clock.now()
        reached = {k: t for k, t in phone.reached.items() if now - t < DAY}
        phone.reached = reached
        if user.user_uid not in reached and len(reached) >= _TIERS[phone.tier]:
            self._refuse(
                message, 131048, "The messaging limit of this account is reached"
            )
            return
        reached[user.user_uid] = now

    def _check_pair(self, message: Message) -> None:
        now = self.world.clock.now()
        pairs = message.phone.pairs
        bucket = pairs.get(message.user.user_uid)
        if bucket is None:
            settings = self.settings
            bucket = Bucket(1 / settings.pair_seconds, settings.pair_burst, now)
            pairs[message.user.user_uid] = bucket
        if not bucket.take(now):
            raise GraphError(
                131056,
                "Message failed to send because there were too many messages sent from "
                "this phone number to the same phone number in a short period of time",
            )

    def _check_media(self, message: Message, content: Content) -> None:
        if content.link and not content.link.startswith("https://"):
            self._refuse(message, 131053, f"Downloading {content.link} failed")
        if not content.media_uid:
            if message.header is not None and content.link:
                message.header.update(link=content.link)
            return
        media = self.state.media.get(content.media_uid)
        if media is None or media.waba_uid != message.phone.waba_uid:
            raise invalid(
                f"Media id {content.media_uid} does not exist for this account"
            )
        if self.world.clock.now() - media.created > _MEDIA_LIFE[media.inbound]:
            self._refuse(
                message, 131053, "Media upload error: the media id has expired"
            )
        if media.mime != media.found_mime:
            details = f"Media file is {media.found_mime}, uploaded as {media.mime}"
            self._refuse(message, 131053, details)
        _check_kind(content, media)
        header = message.header if message.header is not None else {}
        header.update(
            media_id=media.uid,
            mime=media.mime,
            size=media.size,
            sha256=media.sha256,
            filename=header.get("filename") or "",
        )

    def _mark_read(self, phone: Phone, payload: Json) -> Json:
        wamid = payload.get("message_id")
        message = self.state.messages.get(str(wamid))
        if message is None or not message.inbound or message.phone is not phone:
            raise invalid(f"Message {wamid} does not exist or cannot be marked as read")
        for entry in message.user.chat:
            if entry.inbound and entry.phone is phone:
                entry.read_by_business = True
            if entry is message:
                break
        self.world.watchers.changed(message.user.user_uid)
        return {"success": True}


def _recipient(state: State, phone: Phone, payload: Json) -> User:
    to, recipient = payload.get("to"), payload.get("recipient")
    if to:
        user = state.user(_number(phone, str(to)))
        if is_bsuid(str(to)):
            user.on_whatsapp = False
        return user
    if recipient:
        if not is_bsuid(str(recipient)):
            raise invalid("Param recipient must be a business-scoped user id")
        known = state.find_user(str(recipient))
        user = known or state.user(str(recipient))
        if known is None:
            user.on_whatsapp = False
        return user
    raise missing("to")


def _number(phone: Phone, to: str) -> str:
    """Read `to`; short numbers without `+` get the sender's country (sheet 2.1)."""
    if is_bsuid(to):
        return digits_of(to)[:15] or "0"
    digits = digits_of(to)
    if any(c not in "0123456789+-() ." for c in to) or not 5 <= len(digits) <= 15:
        raise GraphError(131009, f"to: {to!r} is not a valid phone number")
    country = calling_code(phone.number)
    if not to.lstrip().startswith("+") and len(digits) <= 10:
        return digits if digits.startswith(country) else country + digits
    return digits


def _check_envelope(payload: Json) -> None:
    opaque = payload.get("biz_opaque_callback_data")
    if opaque is not None:
        if not isinstance(opaque, str):
            raise invalid("Param biz_opaque_callback_data must be a string.")
        if len(opaque) > _OPAQUE_LIMIT:
            raise invalid(
                "Param biz_opaque_callback_data must be at most "
                f"{_OPAQUE_LIMIT} characters long."
            )
    if payload.get("category") not in (None, "service"):
        raise invalid(
            "The 'category' value requires Direct Send, which isn't enabled for this "
            "account. Use an approved message template instead."
        )
    if payload.get("recipient_type") not in (None, "individual"):
        raise invalid("Param recipient_type must be one of {individual}")


def new_wamid(world: World, user: User) -> str:
    """Make a message id that looks like Meta's."""
    raw = f"{user.wa_id or user.user_uid}\x15\x02\x00\x11\x18\x12{next(world.serial):018X}"
    return "wamid.HBgL" + b64encode(raw.encode()).decode("ascii")


def _check_kind(content: Content, media: Media) -> None:
    family = media.mime.split("/", 1)[0]
    kind = content.media_kind
    if kind == "document":
        pdf_only = content.type == "template"
        good = not pdf_only or media.mime == "application/pdf"
    elif kind == "sticker":
        good = media.mime == "image/webp"
    else:
        good = family == kind and media.mime != "image/webp"
    if not good:
        raise GraphError(132012, f"{kind}: media of type {media.mime} cannot be used")


def _react(state: State, message: Message) -> None:
    target = state.messages.get(str(message.content.get("message_id")))
    if target is None:
        return
    if message.body:
        target.reactions["business"] = message.body
    else:
        target.reactions.pop("business", None)


def _answer(message: Message, payload: Json) -> Json:
    user = message.user
    contact: Json = {"input": message.recipient}
    if user.wa_id and payload.get("to") and not user.hides_number:
        contact["wa_id"] = user.wa_id
    contact["user_id"] = user.user_uid
    entry: Json = {"id": message.wamid}
    if message.type == "template":
        held = message.status == "held"
        entry["message_status"] = "held_for_quality_assessment" if held else "accepted"
    return {
        "messaging_product": "whatsapp",
        "contacts": [contact],
        "messages": [entry],
    }
