# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Control calls that decide on templates, as Meta would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..settings import ControlError
from ..whatsapp.compiled import compile_template
from ..whatsapp.state import State, Template
from ..whatsapp.views import template_as_json
from .review import Review
from .templates import normalise

Json = dict[str, Any]
Action = Callable[[Template, Json], object]


class TemplateControls:
    """Decide on templates as a test asks."""

    def __init__(self, state: State, review: Review) -> None:
        self.state, self.review = state, review
        self._actions: dict[str, Action] = {
            "approve": lambda found, values: review.approve(found),
            "unpause": lambda found, values: review.approve(found),
            "reject": lambda found, values: review.reject(
                found, str(values.get("reason") or "INVALID_FORMAT")
            ),
            "pause": lambda found, values: review.pause(
                found, bool(values.get("pacing"))
            ),
            "disable": lambda found, values: review.disable(found),
            "recategorise": lambda found, values: review.change_category(
                found, _category(values)
            ),
            "announce": lambda found, values: review.announce_category(
                found, _category(values)
            ),
            "quality": lambda found, values: review.set_quality(
                found, str(values.get("quality") or "").upper()
            ),
            "event": lambda found, values: review.set_event(
                found, str(values["event"]).upper()
            ),
            "hold": self._hold,
            "release": self._release,
            "delete": lambda found, values: review.remove(found),
        }

    def template(self, values: Json) -> Json:
        """POST /_control/template: decide on a template as Meta would."""
        action = str(values.get("action") or "").replace("-", "").replace("ize", "ise")
        if action == "create":
            return {"template": template_as_json(self._create_template(values))}
        found = self._find_template(values)
        self._actions.get(action, self._unknown_action)(found, values)
        return {"template": template_as_json(found)}

    def _unknown_action(self, found: Template, values: Json) -> None:
        raise ControlError(f"action is one of create, {', '.join(self._actions)}.")

    def _find_template(self, values: Json) -> Template:
        uid, name = values.get("id"), values.get("name")
        found = [
            entry
            for entry in self.state.templates.values()
            if (uid and entry.uid == str(uid)) or (not uid and entry.name == name)
            if not values.get("language") or entry.language == values["language"]
            if not values.get("waba_uid") or entry.waba_uid == values["waba_uid"]
        ]
        if len(found) != 1:
            raise ControlError(
                f"{len(found)} templates match; give id, or name, language and waba_uid."
            )
        return found[0]

    def _create_template(self, values: Json) -> Template:
        components = normalise(values["components"])
        parameter_format = str(values.get("parameter_format") or "POSITIONAL").upper()
        made = Template(
            self.state.next_id(10),
            str(values.get("waba_uid") or "200000000000001"),
            str(values["name"]),
            str(values["language"]),
            str(values.get("category") or "UTILITY").upper(),
            components,
            compile_template(components, parameter_format),
            status=str(values.get("status") or "APPROVED").upper(),
            parameter_format=parameter_format,
            ttl_seconds=values.get("ttl_seconds"),
            source=str(values.get("source") or ""),
        )
        made.was_approved = made.status == "APPROVED"
        if made.waba_uid not in self.state.wabas:
            raise ControlError(f"There is no account {made.waba_uid}.")
        self.state.add_template(made)
        return made

    def _hold(self, found: Template, values: Json) -> None:
        found.holds = True

    def _release(self, found: Template, values: Json) -> None:
        found.holds = False
        self.review.release_held(found)


def _category(values: Json) -> str:
    word = str(values.get("category") or "").upper()
    if word not in ("UTILITY", "MARKETING", "AUTHENTICATION"):
        raise ControlError("category is UTILITY, MARKETING or AUTHENTICATION.")
    return word
