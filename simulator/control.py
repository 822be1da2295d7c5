# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The control API: how tests and people steer the simulated world.

Here is what concerns every side; each side brings the calls about itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence

import orjson
from aiohttp import web

from .faults import fault_as_json
from .settings import (
    Adjustable,
    ControlError,
    change_settings,
    settings_as_json,
)
from .timing import iso
from .world import Controls, Handler, Json, Side, World


class ControlApi:
    """Answer everything under `/_control/`."""

    def __init__(
        self, world: World, sides: Sequence[Side], reset: Callable[[], None]
    ) -> None:
        """Steer a world and its sides.

        :param sides: filled anew by every reset
        :param reset: start the world anew
        """
        self.world, self.sides = world, sides
        self._reset = reset

    @property
    def routes(self) -> Controls:
        """Return every control call that there is."""
        routes: dict[tuple[str, str], Handler] = {
            ("POST", "reset"): self.reset,
            ("POST", "settings"): self.set,
            ("GET", "state"): self.state,
            ("GET", "requests"): self.requests,
            ("POST", "fault"): self.fault,
            ("GET", "fault"): self.list_faults,
            ("POST", "clock"): self.clock,
        }
        for side in self.sides:
            routes.update(side.controls)
        return routes

    @property
    def settings(self) -> list[Adjustable]:
        """Return the settings of the world and of each side."""
        return [
            self.world.settings,
            *(group for side in self.sides for group in side.settings),
        ]

    def reset(self, values: Json) -> Json:
        """Start the world anew with these settings."""
        names = {name for side in self.sides for name in side.begins_with}
        extra = {name: values.pop(name) for name in names & set(values)}
        # What cannot be set is refused before anything is lost.
        change_settings([type(group)() for group in self.settings], values)
        self._reset()
        change_settings(self.settings, values)
        self.world.random.seed(self.world.settings.seed)
        for side in self.sides:
            side.begin(extra)
        return {"settings": settings_as_json(self.settings)}

    def set(self, values: Json) -> Json:
        """Change settings and keep everything else."""
        change_settings(self.settings, values)
        return {"settings": settings_as_json(self.settings)}

    def state(self, query: Json) -> Json:
        """GET /_control/state."""
        shown: Json = {
            "now": iso(self.world.clock.now()),
            "settings": settings_as_json(self.settings),
        }
        for side in self.sides:
            shown.update(side.shown())
        return {**shown, "counts": self._counts()}

    def _counts(self) -> Json:
        counts: Json = {}
        for side in self.sides:
            counts.update(side.counts())
        return {**counts, "requests": self.world.log.total}

    def requests(self, query: Json) -> Json:
        """GET /_control/requests."""
        log = self.world.log
        wanted = str(query.get("path", ""))
        rows = [
            {
                "at": iso(entry.at),
                "method": entry.method,
                "path": entry.path,
                "query": entry.query,
                "http_status": entry.status,
                "fault": entry.fault or None,
                "body": entry.body.decode("utf-8", "replace"),
            }
            for entry in log.recent
            if wanted in entry.path
        ]
        limit = int(query.get("limit", 100))
        total = sum(n for path, n in log.by_path.items() if wanted in path)
        return {"count": total, "requests": rows[-limit:]}

    def fault(self, values: Json) -> Json:
        """POST /_control/fault."""
        if values.get("clear"):
            gone = self.world.faults.clear()
            for side in self.sides:
                side.heal()
            return {"cleared": gone}
        for side in self.sides:
            taken = side.fault(values)
            if taken is not None:
                return taken
        if not values:
            raise ControlError(
                "Say which fault: action, code, token, webhooks or clear."
            )
        return {"fault": fault_as_json(self.world.faults.add(values))}

    def list_faults(self, query: Json) -> Json:
        """GET /_control/fault: the faults since the last clear, with the calls they hit."""
        return {"faults": [fault_as_json(entry) for entry in self.world.faults.made]}

    def clock(self, values: Json) -> Json:
        """POST /_control/clock: let time pass, or stop it."""
        seconds = values.get("advance", 0)
        if not isinstance(seconds, (int, float)):
            raise ControlError("advance is a number of seconds.")
        clock = self.world.clock
        if "freeze" in values:
            clock.freeze(bool(values["freeze"]))
        clock.advance(float(seconds))
        self.world.ring()
        return {"now": iso(clock.now()), "counts": self._counts()}

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer one control call; mistakes are 400 with a sentence."""
        name = request.path.removeprefix("/_control/").strip("/")
        routes = self.routes
        handler = routes.get((request.method, name))
        if handler is None:
            known = ", ".join(f"{method} {path}" for method, path in routes)
            text = f"There is no {request.method} {name}. There are: {known}."
            return _json({"error": text}, 404)
        try:
            answer = handler(await _values(request))
            if inspect.isawaitable(answer):
                answer = await answer
        except ControlError as error:
            return _json({"error": str(error)}, 400)
        except (TypeError, ValueError, KeyError) as error:
            return _json(
                {"error": f"A value is missing or has the wrong form: {error}"}, 400
            )
        return _json(answer, 200)


async def _values(request: web.BaseRequest) -> Json:
    if request.method == "GET":
        return dict(request.query)
    body = await request.content.read() if request.body_exists else b""
    if not body.strip():
        return {}
    try:
        values = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ControlError(f"The body is not JSON: {error}.") from error
    if not isinstance(values, dict):
        raise ControlError("The body is a JSON object.")
    return values


def _json(value: Json, status: int) -> web.Response:
    return web.Response(
        body=orjson.dumps(value), status=status, content_type="application/json"
    )
