# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""The one place that builds everything: each part is given what it needs, nothing more."""

from __future__ import annotations

from functools import partial

from .control import ControlApi
from .d360.side import PROVIDER as DIALOG360
from .d360.side import Dialog360, callbacks
from .faults import Faults
from .meta.accounts import Accounts
from .meta.control import MetaControls
from .meta.control_templates import TemplateControls
from .meta.graph import Graph
from .meta.inbox import Inbox
from .meta.lifecycle import Lifecycle
from .meta.media import Files
from .meta.messages import Messages
from .meta.numbers import Numbers
from .meta.review import Review
from .meta.settings import Settings
from .meta.side import USUAL_FAULT, Meta
from .meta.subscriptions import Subscriptions
from .meta.templates import Templates
from .meta.webhooks import Webhooks
from .phone.side import Phones
from .server import Server
from .timing import Clock
from .whatsapp.seed import seed
from .whatsapp.state import State
from .world import Side, World


def build(world: World) -> list[Side]:
    """Build every side anew; of two that take a path, the first one answers."""
    return [*_whatsapp(world)]


def _whatsapp(world: World) -> list[Side]:
    """Build Meta, 360dialog and the phones around what they share."""
    state, settings = State(), Settings()
    seed(state)
    others = {DIALOG360: partial(callbacks, state)}
    webhooks = Webhooks(world, state, settings, others)
    lifecycle = Lifecycle(world, settings, webhooks)
    review = Review(world, state, settings, webhooks, lifecycle)
    files = Files(world, state)
    inbox = Inbox(world, state, files, webhooks)
    messages = Messages(world, state, settings, lifecycle)
    subscriptions = Subscriptions(world, state, settings, webhooks)
    numbers = Numbers(world, state, settings, webhooks, subscriptions)
    templates = Templates(world, state, settings, review)
    graph = Graph(
        world,
        state,
        settings,
        messages=messages,
        files=files,
        accounts=Accounts(world, state),
        numbers=numbers,
        subscriptions=subscriptions,
        templates=templates,
    )
    control = MetaControls(
        world, state, webhooks, lifecycle, TemplateControls(state, review)
    )
    return [
        Phones(world, state, inbox, lifecycle, webhooks),
        Dialog360(
            world,
            state,
            webhooks,
            messages=messages,
            files=files,
            numbers=numbers,
            templates=templates,
        ),
        Meta(world, state, settings, graph, webhooks, messages, control),
    ]


class Simulator:
    """A world, its sides, and the server in front of them."""

    def __init__(self, clock: Clock | None = None) -> None:
        faults = Faults(USUAL_FAULT)
        self.world = World(clock or Clock(), faults)
        self.sides = build(self.world)
        control = ControlApi(self.world, self.sides, self.reset)
        self._server = Server(self.world, control, self.sides)

    @property
    def base_url(self) -> str:
        """Return where it listens, without a slash at the end."""
        return self.world.base_url

    def reset(self) -> None:
        """Start the world anew: no messages, default accounts, default settings."""
        for side in self.sides:
            side.close()
        self.world.reset()
        self.sides[:] = build(self.world)
        self.world.watchers.poke_all()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes a free one."""
        await self._server.start(host, port)

    async def stop(self) -> None:
        """Close every connection."""
        await self._server.stop()
