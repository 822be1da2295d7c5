# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Message templates as Graph manages them."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from ..text import words
from ..whatsapp.call import Call
from ..whatsapp.compiled import compile_template
from ..whatsapp.errors import GraphError, Json, missing
from ..whatsapp.state import State, Template, Waba
from ..world import World
from .accounts import health, pick
from .paging import page
from .review import DAY, Review, judged_category
from .settings import Settings
from .template_rules import (
    ComponentCheck,
    check_category,
    check_language,
    check_name,
    check_ttl,
    refuse,
)

_DEFAULT = words("name parameter_format components language status category id")
_EDITABLE = ("APPROVED", "REJECTED", "PAUSED")
_CDN = "https://scontent.whatsapp.net/v/t61.29466-34/sample?ccb=1-7&oe=6A000000"
_UPPER = ("type", "format")


def normalise(components: Any) -> list[Json]:
    """Return components with types and formats in upper case, as Graph stores them."""
    shown = deepcopy(components)
    for entry in shown:
        buttons = entry.get("buttons") or []
        for part in (entry, *(b for b in buttons if isinstance(b, dict))):
            for key in _UPPER:
                if isinstance(part.get(key), str):
                    part[key] = part[key].upper()
    return list(shown)


class Templates:
    """Keep the templates of accounts and have them reviewed."""

    def __init__(
        self, world: World, state: State, settings: Settings, review: Review
    ) -> None:
        self.world, self.state, self.settings = world, state, settings
        self.review = review

    def shown(self, template: Template) -> Json:
        """Return every field of a template."""
        shown: Json = {
            "id": template.uid,
            "name": template.name,
            "parameter_format": template.parameter_format,
            "components": _shown_components(template.components),
            "language": template.language,
            "status": template.status,
            "category": template.category,
            "rejected_reason": template.rejected_reason,
            "quality_score": {
                "score": template.quality,
                "date": int(template.quality_at),
            },
            "health_status": health(
                self.state.wabas[template.waba_uid], None, template
            ),
        }
        optional = {
            "previous_category": template.previous_category,
            "correct_category": template.correct_category,
            "message_send_ttl_seconds": template.ttl_seconds,
            "source": template.source,
        }
        shown.update({name: value for name, value in optional.items() if value})
        return shown

    def list_templates(self, call: Call) -> Json:
        """GET /{WABA}/message_templates."""
        names = call.fields() or list(_DEFAULT)
        found = [t for t in call.waba().templates.values() if _matches(t, call.query)]
        answer = page(call, [{"uid": template.uid} for template in reversed(found)])
        answer["data"] = [
            pick(self.shown(self.state.templates[row["uid"]]), names)
            for row in answer["data"]
        ]
        if "summary" in call.query:
            answer["summary"] = _summary(call.waba(), len(found), call.query["summary"])
        return answer

    def read(self, call: Call) -> Json:
        """GET /{template}."""
        template = self.state.templates[call.object_id]
        return pick(self.shown(template), call.fields() or list(_DEFAULT))

    def create(self, call: Call) -> Json:
        """POST /{WABA}/message_templates."""
        waba, values = call.waba(), call.payload()
        name, language = call.need("name"), call.need("language")
        check_name(name)
        check_language(language)
        category = check_category(call.need("category"))
        self._check_room(waba, name, language)
        template = self.new_template(waba.uid, name, language, category, values)
        waba.creations.append(self.world.clock.now())
        self.state.add_template(template)
        self.review.submit(template)
        answer = {"id": template.uid, "status": template.status}
        return {**answer, "category": template.category}

    def new_template(
        self, waba_uid: str, name: str, language: str, category: str, values: Json
    ) -> Template:
        """Check the rest of a creation and make the template, in Meta's category."""
        parameter_format = str(values.get("parameter_format") or "POSITIONAL").upper()
        if parameter_format not in ("POSITIONAL", "NAMED"):
            text = "Param parameter_format must be one of {POSITIONAL, NAMED}"
            raise GraphError(100, message=text)
        ComponentCheck(
            self.state, values.get("components"), parameter_format, category
        ).run()
        components = normalise(values["components"])
        return Template(
            self.state.next_id(10),
            waba_uid,
            name,
            language,
            judged_category(category, components),
            components,
            compile_template(components, parameter_format),
            parameter_format=parameter_format,
            ttl_seconds=check_ttl(category, values.get("message_send_ttl_seconds")),
        )

    def _check_room(self, waba: Waba, name: str, language: str) -> None:
        now = self.world.clock.now()
        if language in waba.by_name.get(name, {}):
            raise refuse(
                2388024,
                "Content in this language already exists",
                f"There is already {language} content for this template. You can create a "
                "new template and try again.",
            )
        if waba.blocked_names.get(name, 0) > now:
            raise refuse(
                2388023,
                "Message template language is being deleted",
                f"New content can't be added while {name} is being deleted. Try again in "
                "4 weeks or consider creating a new template.",
            )
        while waba.creations and now - waba.creations[0] >= 3600:
            waba.creations.popleft()
        too_fast = len(waba.creations) >= self.settings.creations_per_hour
        if too_fast or len(waba.templates) >= waba.template_limit:
            text = "You have reached the limit of message templates for this account."
            raise refuse(2388019, "Message template limit exceeded", text)

    def edit(self, call: Call) -> Json:
        """POST /{template}: new components, category or time to live, and a new review."""
        template, values = self.state.templates[call.object_id], call.payload()
        self._check_editable(template, values)
        category = check_category(str(values.get("category") or template.category))
        if "message_send_ttl_seconds" in values:
            template.ttl_seconds = check_ttl(
                category, values["message_send_ttl_seconds"]
            )
        if "components" in values:
            named = str(
                values.get("parameter_format") or template.parameter_format
            ).upper()
            ComponentCheck(self.state, values["components"], named, category).run()
            template.components = normalise(values["components"])
            template.parameter_format = named
            template.recompile()
        if "components" in values or "category" in values:
            if template.status == "APPROVED":
                template.edits.append(self.world.clock.now())
            template.category = judged_category(category, template.components)
            self.review.submit(template)
        return {"success": True}

    def _check_editable(self, template: Template, values: Json) -> None:
        if not {"components", "category", "message_send_ttl_seconds"} & set(values):
            raise missing("components")
        if template.source == "AUTO_GENERATED":
            text = "Templates that Direct Send generated can't be edited."
            raise refuse(2388318, "Template can't be edited", text)
        title = "Message template can't be edited"
        if template.status not in _EDITABLE:
            text = f"A template that is {template.status} can't be edited."
            raise GraphError(100, user_title=title, user_msg=text)
        if template.status != "APPROVED":
            return
        if (
            str(values.get("category") or template.category).upper()
            != template.category
        ):
            text = "The category of an approved template can't be changed."
            raise GraphError(100, user_title=title, user_msg=text)
        now = self.world.clock.now()
        recent = [at for at in template.edits if now - at < 30 * DAY]
        if len(recent) >= 10 or any(now - at < DAY for at in recent):
            text = "An approved template can be edited once in 24 hours and 10 times in 30 days."
            raise GraphError(100, user_title=title, user_msg=text)

    def delete(self, call: Call) -> Json:
        """DELETE /{WABA}/message_templates by name, by id and name, or by ids."""
        waba, values = call.waba(), call.payload()
        found = _to_delete(waba, values)
        for template in found:
            if template.status == "DISABLED":
                raise GraphError(100, message="A disabled template cannot be deleted")
            if template.source == "AUTO_GENERATED":
                text = "Templates that Direct Send generated can't be deleted."
                raise refuse(2388330, "Template can't be deleted", text)
        for template in found:
            self.review.remove(template)
        return {"success": True}

    def unpause(self, call: Call) -> Json:
        """POST /{template}/unpause: only after a pause that came from pacing."""
        template = self.state.templates[call.object_id]
        if template.status != "PAUSED" or not template.paused_by_pacing:
            reason = "The template is not paused by pacing"
            return {"success": False, "reason": reason}
        self.review.approve(template)
        return {"success": True}


def _shown_components(components: list[Json]) -> list[Json]:
    shown = deepcopy(components)
    for entry in shown:
        example = entry.get("example")
        if isinstance(example, dict) and "header_handle" in example:
            example["header_handle"] = [_CDN]
    return shown


def _summary(waba: Waba, found: int, wanted: str) -> Json:
    counts = {
        "total_count": found,
        "message_template_count": len(waba.templates),
        "message_template_limit": waba.template_limit,
        "are_translations_complete": True,
    }
    return {name: value for name, value in counts.items() if name in wanted.split(",")}


def _matches(template: Template, query: dict[str, str]) -> bool:
    for key in ("name", "status", "category", "language", "source"):
        wanted = query.get(key)
        if wanted and str(getattr(template, key)).lower() != wanted.lower():
            return False
    content = query.get("content", "")
    return content.lower() in json.dumps(template.components).lower()


def _to_delete(waba: Waba, values: Json) -> list[Template]:
    ids, name = values.get("hsm_ids"), values.get("name")
    if ids:
        wanted = json.loads(ids) if isinstance(ids, str) else ids
        if len(wanted) > 100:
            raise GraphError(
                100, message="Param hsm_ids must have at most 100 elements"
            )
        found = [waba.templates.get(str(uid)) for uid in wanted]
    elif not name:
        raise missing("name")
    elif values.get("hsm_id"):
        one = waba.templates.get(str(values["hsm_id"]))
        found = [one if one is not None and one.name == name else None]
    else:
        found = list(waba.by_name.get(str(name), {}).values()) or [None]
    good = [template for template in found if template is not None]
    if len(good) != len(found):
        raise refuse(
            2593002,
            "Message template not found",
            "There is no such template to delete.",
        )
    return good
