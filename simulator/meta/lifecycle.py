# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""What becomes of a message after Meta took it: sent, delivered, read, failed."""

from __future__ import annotations

from functools import partial
from time import gmtime, strftime

from ..whatsapp.errors import Json, webhook_error
from ..whatsapp.state import Message, Phone, User
from ..world import World
from .packing import Update
from .settings import Settings
from .webhooks import Webhooks

RANK = {"accepted": 0, "held": 0, "sent": 1, "delivered": 2, "read": 3, "played": 3}
DAY = 86_400
_DEFAULT_TTL = 30 * DAY
_AUTHENTICATION_TTL = 600


def contact_of(user: User, with_name: bool = False) -> Json:
    """Return a user as webhooks name them; without number if they hide it."""
    contact: Json = {}
    if with_name:
        contact["profile"] = {"name": user.name or user.username or "Customer"}
        if user.username:
            contact["profile"]["username"] = user.username
    if user.wa_id and not user.hides_number:
        contact["wa_id"] = user.wa_id
    contact["user_id"] = user.user_uid
    return contact


class Lifecycle:
    """Move outgoing messages through their statuses."""

    def __init__(self, world: World, settings: Settings, webhooks: Webhooks) -> None:
        self.world, self.settings, self.webhooks = world, settings, webhooks
        self._prices: dict[tuple[str, str], Json] = {}

    def accepted(self, message: Message) -> None:
        """Start the life of a message that Meta took."""
        template = message.template
        if message.fail_code:
            self.world.scheduler.after(
                self.settings.auto.sent or 0, partial(self._fail, message)
            )
        elif template is not None and template.holds:
            message.status = "held"
            template.held.append(message)
        else:
            self.dispatch(message)

    def dispatch(self, message: Message) -> None:
        """Let a message leave Meta."""
        auto = self.settings.auto
        if auto.sent is None:
            self._next_delivered(message)
        else:
            self.world.scheduler.after(auto.sent, partial(self._sent, message))

    def _fail(self, message: Message) -> None:
        self.set_status(message, "failed", message.fail_code, message.fail_details)

    def _sent(self, message: Message) -> None:
        if message.status in ("accepted", "held"):
            self.set_status(message, "sent")
        self._next_delivered(message)

    def _next_delivered(self, message: Message) -> None:
        delay = self.settings.auto.delivered
        if delay is not None:
            self.world.scheduler.after(delay, partial(self.deliver, message))

    def deliver(self, message: Message) -> bool:
        """Put a message on the phone if the phone can be reached."""
        user = message.user
        reachable = user.online and user.on_whatsapp
        blocked = message.phone.uid in user.blocks
        if not reachable or blocked or message.status not in ("accepted", "sent"):
            return False
        if self.world.clock.now() - message.created > self.ttl(message):
            return False
        self.set_status(message, "delivered")
        delay = self.settings.auto.read
        if delay is not None and user.receipts:
            self.world.scheduler.after(delay, partial(self.read, message))
        return True

    def read(self, message: Message) -> None:
        """Show a message to its reader; a receipt goes out only if they are on."""
        if message.user.receipts and message.status in ("sent", "delivered"):
            self.set_status(message, "read")

    def read_all(self, user: User, phone_uid: str = "") -> int:
        """Read every delivered message of a chat, and count them."""
        waiting = [
            message
            for message in user.chat
            if not message.inbound and message.status == "delivered"
            if not phone_uid or message.phone.uid == phone_uid
        ]
        for message in waiting:
            self.read(message)
        return len(waiting) if user.receipts else 0

    def came_online(self, user: User) -> None:
        """Deliver what waited at Meta, unless its time to live is over."""
        if self.settings.auto.delivered is None:
            return
        for message in user.chat:
            if not message.inbound and message.status == "sent":
                self.deliver(message)

    def ttl(self, message: Message) -> float:
        """Return for how many seconds Meta keeps trying."""
        template = message.template
        if template is None:
            return _DEFAULT_TTL
        if template.ttl_seconds is not None and template.ttl_seconds > 0:
            return template.ttl_seconds
        is_login = template.category == "AUTHENTICATION"
        return _AUTHENTICATION_TTL if is_login else _DEFAULT_TTL

    def set_status(
        self, message: Message, status: str, code: int = 0, details: str = ""
    ) -> None:
        """Record a status and tell the business."""
        now = self.world.clock.now()
        error = webhook_error(code or 131000, details) if status == "failed" else None
        item = self._item(message, status, int(now), error)
        seen = message.status
        message.history.append((status, now, error))
        if status == "failed" or RANK.get(status, 0) >= RANK.get(seen, 0):
            message.status = status
        if status == "delivered" and message.type != "template":
            _count_service(message.phone, now)
        user = message.user
        self.webhooks.emit(
            Update(
                "messages",
                message.phone.waba_uid,
                message.phone,
                "statuses",
                item,
                now,
                contact_of(user),
                user,
            )
        )

    def _item(
        self, message: Message, status: str, stamp: int, error: Json | None
    ) -> Json:
        user = message.user
        item: Json = {
            "id": message.wamid,
            "status": status,
            "timestamp": str(stamp),
            "recipient_user_id": user.user_uid,
        }
        if user.wa_id and not user.hides_number:
            item["recipient_id"] = user.wa_id
        if message.uuid:
            item["biz_opaque_callback_data"] = message.uuid
        if error is not None:
            item["errors"] = [error]
        elif self._is_priced(message, status):
            item["pricing"] = self._price(message, stamp)
        return item

    def _is_priced(self, message: Message, status: str) -> bool:
        if message.type == "reaction":
            return False
        if status == "sent":
            return True
        seen = {entry[0] for entry in message.history}
        if status == "delivered":
            return "read" not in seen
        return status in ("read", "played") and "delivered" not in seen

    def _price(self, message: Message, now: int) -> Json:
        kind = self._price_kind(message, now)
        key = (kind, message.category)
        price = self._prices.get(key)
        if price is None:
            price = {
                "billable": kind == "regular",
                "pricing_model": "PMP",
                "category": message.category,
                "type": kind,
            }
            self._prices[key] = price
        return price

    def _price_kind(self, message: Message, now: int) -> str:
        if message.user.entry_point_until > now:
            return "free_entry_point"
        before = self.settings.pricing < "2026-10-01"
        free = "free_customer_service"
        if message.type == "template":
            in_window = message.in_window and message.category == "utility"
            return free if before and in_window else "regular"
        used = _service_used(message.phone, now)
        is_free = before or used < self.settings.free_service
        return free if is_free else "regular"


def _month(now: float) -> str:
    return strftime("%Y-%m", gmtime(now))


def _service_used(phone: Phone, now: float) -> int:
    return phone.service_delivered if phone.service_month == _month(now) else 0


def _count_service(phone: Phone, now: float) -> None:
    month = _month(now)
    if phone.service_month != month:
        phone.service_month, phone.service_delivered = month, 0
    phone.service_delivered += 1
