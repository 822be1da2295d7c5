# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Control calls that decide on templates, as Meta would."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .compiled import compile_template
from .control_views import template_as_json
from .graph_templates import normalise
from .settings import ControlError
from .state import Template

if TYPE_CHECKING:
    from .engine import Simulator

Json = dict[str, Any]
Action = Callable[["Simulator", Template, Json], object]


def template(sim: Simulator, values: Json) -> Json:
    """POST /_control/template: decide on a template as Meta would."""
    action = str(values.get("action") or "").replace("-", "").replace("ize", "ise")
    if action == "create":
        return {"template": template_as_json(_create_template(sim, values))}
    found = _find_template(sim, values)
    _ACTIONS.get(action, _unknown_action)(sim, found, values)
    return {"template": template_as_json(found)}


def _unknown_action(sim: Simulator, found: Template, values: Json) -> None:
    raise ControlError(f"action is one of create, {', '.join(_ACTIONS)}.")


def _find_template(sim: Simulator, values: Json) -> Template:
    uid, name = values.get("id"), values.get("name")
    found = [
        entry
        for entry in sim.state.templates.values()
        if (uid and entry.uid == str(uid)) or (not uid and entry.name == name)
        if not values.get("language") or entry.language == values["language"]
        if not values.get("waba_uid") or entry.waba_uid == values["waba_uid"]
    ]
    if len(found) != 1:
        raise ControlError(
            f"{len(found)} templates match; give id, or name, language and waba_uid."
        )
    return found[0]


def _create_template(sim: Simulator, values: Json) -> Template:
    components = normalise(values["components"])
    parameter_format = str(values.get("parameter_format") or "POSITIONAL").upper()
    made = Template(
        sim.state.next_id(10),
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
    if made.waba_uid not in sim.state.wabas:
        raise ControlError(f"There is no account {made.waba_uid}.")
    sim.state.add_template(made)
    return made


def _category(values: Json) -> str:
    word = str(values.get("category") or "").upper()
    if word not in ("UTILITY", "MARKETING", "AUTHENTICATION"):
        raise ControlError("category is UTILITY, MARKETING or AUTHENTICATION.")
    return word


def _hold(sim: Simulator, found: Template, values: Json) -> None:
    found.holds = True


def _release(sim: Simulator, found: Template, values: Json) -> None:
    found.holds = False
    sim.review.release_held(found)


_ACTIONS: dict[str, Action] = {
    "approve": lambda sim, t, v: sim.review.approve(t),
    "unpause": lambda sim, t, v: sim.review.approve(t),
    "reject": lambda sim, t, v: sim.review.reject(
        t, str(v.get("reason") or "INVALID_FORMAT")
    ),
    "pause": lambda sim, t, v: sim.review.pause(t, bool(v.get("pacing"))),
    "disable": lambda sim, t, v: sim.review.disable(t),
    "recategorise": lambda sim, t, v: sim.review.change_category(t, _category(v)),
    "announce": lambda sim, t, v: sim.review.announce_category(t, _category(v)),
    "quality": lambda sim, t, v: sim.review.set_quality(
        t, str(v.get("quality") or "").upper()
    ),
    "event": lambda sim, t, v: sim.review.set_event(t, str(v["event"]).upper()),
    "hold": _hold,
    "release": _release,
    "delete": lambda sim, t, v: sim.review.remove(t),
}
