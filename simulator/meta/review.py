# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Meta's side of a template's life: review, category, quality, pause, webhooks."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from ..whatsapp.compiled import component
from ..whatsapp.errors import Json
from ..whatsapp.state import State, Template
from ..world import World
from .lifecycle import Lifecycle
from .packing import Update
from .settings import Settings
from .webhooks import Webhooks

DAY = 86_400
_PROMOTION = re.compile(
    r"\b(discounts?|promo(tion)?s?|coupons?|special offer|limited offer|offers?|sale|"
    r"renew now|upgrade now|buy now|shop now|cashback|free shipping|descuentos?|ofertas?|"
    r"promoci[oó]n(es)?|rebajas?|cup[oó]n(es)?|renueva ya|compra ya|desconto|"
    r"promo[cç][aã]o|promo[cç][oõ]es|cupom|liquida[cç][aã]o|compre j[aá])\b|\d\s?% off",
    re.IGNORECASE,
)
_THREAT = re.compile(
    r"\b(legal action|lawsuit|sue you|take you to court|court proceedings|public(ly)? "
    r"sham\w*|debtors? list|acciones? (legal(es)?|judicial(es)?)|demanda judicial|"
    r"juzgado|lista de morosos|a[cç][aã]o judicial|a[cç][oõ]es judiciais|processo "
    r"judicial|lista de devedores)\b",
    re.IGNORECASE,
)
_SENSITIVE = re.compile(
    r"\b(send|give|reply with|tell us|enter|env[ií]e?(nos)?|ind[ií]que(nos)?|informe|"
    r"envie)\b[^.]{0,40}\b(card number|bank account number|account number|national id|"
    r"passport number|n[uú]mero de tarjeta|n[uú]mero de cuenta|DNI|CPF|"
    r"n[uú]mero do cart[aã]o|n[uú]mero da conta)\b",
    re.IGNORECASE,
)
_SHORT_LINK = re.compile(
    r"\b(bit\.ly|tinyurl\.com|goo\.gl|t\.co|ow\.ly|wa\.me)/", re.IGNORECASE
)
_LOGIN = re.compile(
    r"\b(one[- ]time (password|code)|verification code|OTP|c[oó]digo de verificaci[oó]n|"
    r"c[oó]digo de verifica[cç][aã]o)\b",
    re.IGNORECASE,
)
_PAUSE_HOURS = (3, 6)
_PAUSE_TITLES = ("FIRST_PAUSE", "SECOND_PAUSE")


def texts(components: list[Json]) -> str:
    """Return every text of a template in one piece."""
    parts = [str(entry.get("text") or "") for entry in components]
    for button in component(components, "BUTTONS").get("buttons") or []:
        parts += [str(button.get("text") or ""), str(button.get("url") or "")]
    return "\n".join(parts)


def judged_category(category: str, components: list[Json]) -> str:
    """Return the category Meta gives: promotional utility becomes marketing."""
    if category != "UTILITY":
        return category
    body = str(component(components, "BODY").get("text") or "")
    words = re.sub(r"\{\{.*?\}\}", " ", body).split()
    unclear = "{{" in body and len(words) < 3
    promotional = _PROMOTION.search(texts(components)) is not None
    return "MARKETING" if promotional or unclear else "UTILITY"


class Review:
    """Decide on templates and tell the business."""

    def __init__(
        self,
        world: World,
        state: State,
        settings: Settings,
        webhooks: Webhooks,
        lifecycle: Lifecycle,
    ) -> None:
        self.world, self.state, self.settings = world, state, settings
        self.webhooks, self.lifecycle = webhooks, lifecycle

    def submit(self, template: Template) -> None:
        """Start a review after a creation or an edit."""
        template.status, template.rejected_reason = "PENDING", "NONE"
        mode = self.settings.review
        if mode == "instant":
            self._decide(template, quiet=True)
        elif mode == "auto":
            self.world.scheduler.soon(
                self.settings.review_ms, partial(self._decide, template)
            )

    def _decide(self, template: Template, quiet: bool = False) -> None:
        if template.status != "PENDING":
            return
        reason = self._fault(template) if self.settings.strict_review else ""
        if reason:
            self.reject(template, reason, quiet=quiet)
        else:
            self.approve(template, quiet=quiet)

    def _fault(self, template: Template) -> str:
        text = texts(template.components)
        if _THREAT.search(text):
            return "ABUSIVE_CONTENT"
        if _SENSITIVE.search(text) or _SHORT_LINK.search(text):
            return "SCAM"
        if template.category != "AUTHENTICATION" and _LOGIN.search(text):
            return "INCORRECT_CATEGORY"
        return "INVALID_FORMAT" if self._is_duplicate(template) else ""

    def _is_duplicate(self, template: Template) -> bool:
        if template.category == "AUTHENTICATION":
            return False
        others = self.state.wabas[template.waba_uid].templates.values()
        mine = (template.language, *_body_and_footer(template))
        return any(
            mine == (other.language, *_body_and_footer(other))
            for other in others
            if other is not template and other.status not in ("REJECTED", "DELETED")
        )

    def approve(self, template: Template, quiet: bool = False) -> None:
        """Approve a template (also: unpause, reinstate)."""
        template.status, template.rejected_reason = "APPROVED", "NONE"
        template.was_approved = True
        template.paused_by_pacing = False
        if not quiet:
            self.tell_status(template, "APPROVED", "NONE")
        self.release_held(template)

    def reject(self, template: Template, reason: str, quiet: bool = False) -> None:
        """Reject a template."""
        template.status, template.rejected_reason = "REJECTED", reason
        if quiet:
            return
        text = f"The template was rejected: {reason}."
        info = {
            "reason": text,
            "recommendation": "Change the text and submit it again.",
        }
        self.tell_status(template, "REJECTED", reason, rejection_info=info)

    def pause(self, template: Template, by_pacing: bool = False) -> None:
        """Pause a template: 3 h, then 6 h, then for good."""
        if not by_pacing and template.pauses >= len(_PAUSE_HOURS):
            self.disable(template)
            return
        template.status = "PAUSED"
        template.paused_by_pacing = by_pacing
        title = "RATE_LIMITING_PAUSE"
        if not by_pacing:
            hours = _PAUSE_HOURS[template.pauses]
            title = _PAUSE_TITLES[template.pauses]
            template.pauses += 1
            self._unpause_after(template, hours)
        info = {"title": title, "description": "Paused because of low quality."}
        self.tell_status(template, "PAUSED", None, other_info=info)
        self.drop_held(template)

    def _unpause_after(self, template: Template, hours: int) -> None:
        until = self.world.clock.now() + hours * 3600
        self.world.alarms.at(until, partial(self._unpause, template))

    def _unpause(self, template: Template) -> None:
        if template.status == "PAUSED" and not template.paused_by_pacing:
            self.approve(template)

    def disable(self, template: Template) -> None:
        """Disable a template for good."""
        template.status = "DISABLED"
        info = {"title": "DISABLED", "description": "Disabled because of low quality."}
        stamp = {"disable_date": str(int(self.world.clock.now()))}
        self.tell_status(
            template, "DISABLED", None, other_info=info, disable_info=stamp
        )
        self.drop_held(template)

    def set_event(self, template: Template, event: str) -> None:
        """Put a template into any other status that Meta knows."""
        template.status = event
        self.tell_status(template, event, None)

    def set_quality(self, template: Template, score: str) -> None:
        """Change the quality score."""
        before, template.quality = template.quality, score
        template.quality_at = self.world.clock.now()
        value = {"previous_quality_score": before, "new_quality_score": score}
        self.tell(template, "message_template_quality_update", value)

    def announce_category(self, template: Template, category: str) -> None:
        """Announce a change of category for 24 hours from now."""
        template.correct_category = category
        at = int(self.world.clock.now()) + DAY
        value = {
            "correct_category": category,
            "new_category": template.category,
            "category_update_timestamp": at,
        }
        self.tell(template, "template_category_update", value)
        self.world.alarms.at(at, partial(self._apply, template, category))

    def _apply(self, template: Template, category: str) -> None:
        if template.correct_category == category != template.category:
            self.change_category(template, category)

    def change_category(self, template: Template, category: str) -> None:
        """Change the category now."""
        before, template.category = template.category, category
        template.previous_category = before
        template.correct_category = category
        value = {"previous_category": before, "new_category": category}
        self.tell(template, "template_category_update", value)

    def release_held(self, template: Template) -> None:
        """Send what was held for quality assessment."""
        held, template.held = template.held, []
        for message in held:
            self.lifecycle.dispatch(message)

    def drop_held(self, template: Template) -> None:
        """Fail what was held for quality assessment."""
        held, template.held = template.held, []
        for message in held:
            self.lifecycle.set_status(message, "failed", 132015, "Template paused")

    def remove(self, template: Template) -> None:
        """Delete a template, and block its name for 30 days if it was approved."""
        state = self.state
        if template.was_approved:
            until = self.world.clock.now() + 30 * DAY
            state.wabas[template.waba_uid].blocked_names[template.name] = until
        template.status = "PENDING_DELETION"
        self.tell_status(template, "PENDING_DELETION", None)
        self.world.scheduler.soon(
            self.settings.review_ms, partial(self._gone, template)
        )

    def _gone(self, template: Template) -> None:
        template.status = "DELETED"
        self.state.drop_template(template)
        self.tell_status(template, "DELETED", None)

    def tell_status(
        self, template: Template, event: str, reason: str | None, **more: Any
    ) -> None:
        """Send message_template_status_update."""
        value = {"event": event, "reason": reason}
        value["message_template_category"] = template.category
        self.tell(template, "message_template_status_update", {**value, **more})

    def tell(self, template: Template, field: str, value: Json) -> None:
        """Send a template webhook."""
        item = {
            "message_template_id": int(template.uid),
            "message_template_name": template.name,
            "message_template_language": template.language.replace("_", "-")
            if self.settings.dashed_languages
            else template.language,
            **value,
        }
        now = self.world.clock.now()
        self.webhooks.emit(Update(field, template.waba_uid, None, "value", item, now))


def _body_and_footer(template: Template) -> tuple[str, str]:
    return template.compiled.footer, str(
        component(template.components, "BODY").get("text") or ""
    )
