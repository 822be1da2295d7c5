# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Meta as the server sees it: calls in, answers out, and how tests steer it."""

from __future__ import annotations

import inspect

import orjson
from aiohttp import web

from ..faults import Fault
from ..settings import Adjustable
from ..whatsapp.answers import (
    ADVERTISED,
    TORN,
    WRONG_KIND,
    graph_headers,
    respond,
    respond_error,
    respond_fault,
    wrong_kind,
)
from ..whatsapp.call import Call
from ..whatsapp.errors import GraphError, Json
from ..whatsapp.state import State
from ..whatsapp.views import state_as_json
from ..world import Api, Controls, World
from .control import MetaControls
from .graph import Graph, parse_path
from .media import DOWNLOADS
from .messages import Messages
from .settings import Settings
from .webhooks import Webhooks

# What a fault is where its values do not say.
USUAL_FAULT: Json = {"path": "/messages$", "code": 131000}


class Meta(Api):
    """Graph at every path that no other side takes."""

    torn = TORN
    begins_with = ("subscribe", "templates")

    def __init__(
        self,
        world: World,
        state: State,
        settings: Settings,
        graph: Graph,
        webhooks: Webhooks,
        messages: Messages,
        control: MetaControls,
    ) -> None:
        self.world, self.state = world, state
        self.graph, self.webhooks, self.messages = graph, webhooks, messages
        self.control = control
        self._settings = settings

    @property
    def settings(self) -> tuple[Adjustable, ...]:
        """Return what of Meta can be set."""
        return (self._settings,)

    @property
    def controls(self) -> Controls:
        """Return the control calls about accounts, templates, tokens and webhooks."""
        return self.control.routes

    def takes(self, path: str) -> bool:
        """Take all that is left."""
        return True

    async def answer(
        self, request: web.BaseRequest, path: str, body: bytes
    ) -> web.Response:
        """Answer a call to Graph, or the download of a file."""
        version = ADVERTISED
        try:
            if path == DOWNLOADS:
                call = Call.read(request, self.state, self.world.base_url, path)
                return respond(self.graph.download(call), {})
            version, object_id, edge = parse_path(path)
            call = Call.read(
                request, self.state, self.world.base_url, path, body, object_id, edge
            )
            answer = self.graph.answer(call)
            if inspect.isawaitable(answer):
                answer = await answer
        except GraphError as error:
            return respond_error(error, version=version)
        except WRONG_KIND as error:
            return respond_error(wrong_kind(path, error), version=version)
        return respond(answer, {**graph_headers(version), **self._use(call.object_id)})

    def _use(self, object_id: str) -> dict[str, str]:
        """Return the header that tells how much of an account's hour is used up."""
        waba = self.state.wabas.get(object_id)
        if waba is None:
            return {}
        limit = max(self._settings.management_per_hour, 1)
        percent = min(100, len(waba.calls) * 100 // limit)
        usage = {
            "type": "whatsapp",
            "call_count": percent,
            "total_cputime": 1,
            "total_time": 1,
            "estimated_time_to_regain_access": 60 if percent >= 100 else 0,
        }
        shown = orjson.dumps({waba.uid: [usage]}).decode()
        return {"x-business-use-case-usage": shown}

    def refuse(self, fault: Fault) -> web.Response:
        """Answer with the Graph error that a fault asks for."""
        return respond_fault(fault)

    def begin(self, values: Json) -> None:
        """Make the templates and the subscription that a reset asks for."""
        self.webhooks.random.seed(self.world.settings.seed)
        self.control.begin(values)

    def fault(self, values: Json) -> Json | None:
        """Take faults of tokens and of the delivery of webhooks."""
        return self.control.fault(values)

    def heal(self) -> None:
        """Deliver webhooks again and let tokens live."""
        self.control.heal()

    def shown(self) -> Json:
        """Return all that there is but messages."""
        return {**state_as_json(self.state), "webhooks": self.webhooks.counts()}

    def counts(self) -> Json:
        """Return how many messages, people and files there are."""
        return {
            "messages": len(self.state.messages),
            "accepted": self.messages.accepted,
            "users": len(self.state.users_by_uid),
            "media": len(self.state.media),
        }

    def close(self) -> None:
        """Forget every webhook that waits."""
        self.webhooks.close()
