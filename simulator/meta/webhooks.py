# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""Send webhooks as Meta does: signed, batched, repeated until somebody answers 200."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import deque
from collections.abc import Callable, Mapping

import aiohttp

from ..timing import iso
from ..whatsapp.state import Override, Phone, State, Waba
from ..world import World
from .packing import OVERRIDABLE, Json, Post, Target, Update, pack, sign, sign_legacy
from .settings import Settings

_KEEP_BODIES = 300
_KEEP_TOLD = 60
_GIVE_UP_AFTER = 7 * 86_400
# The number that an update is about, or None for all -> where it is to go.
Callbacks = Callable[[Phone | None], list[Override]]


class Channel:
    """The queue of one target."""

    def __init__(self, hub: Webhooks, target: Target) -> None:
        self.hub = hub
        self.target = target
        self.pending: deque[Update] = deque()
        self.tasks: set[asyncio.Task[None]] = set()
        self.parked: dict[Post, asyncio.TimerHandle] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, update: Update) -> None:
        """Queue an update; it leaves after the linger, together with its neighbours."""
        self.pending.append(update)
        options = self.hub.options
        busy = len(self.tasks) >= options.connections
        if self._timer is None and not busy and not self.hub.faults.hold:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(options.linger_ms / 1000, self.pump)

    def pump(self) -> None:
        """Start as many POSTs as there are connections."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        options = self.hub.options
        while self.pending and len(self.tasks) < options.connections:
            if self.hub.faults.hold:
                return
            self._start(self._next_post())

    def _next_post(self) -> Post:
        size = min(self.hub.options.batch, len(self.pending))
        if self.hub.faults.reorder or self.hub.options.scramble:
            self._disorder()
        updates = [self.pending.popleft() for _ in range(size)]
        return self.hub.new_post(self.target, updates)

    def _disorder(self) -> None:
        if self.hub.faults.reorder == "reverse":
            self.pending.reverse()
            return
        shuffled = list(self.pending)
        self.hub.random.shuffle(shuffled)
        self.pending = deque(shuffled)

    def _start(self, post: Post) -> None:
        task = asyncio.get_running_loop().create_task(self._send(post))
        self.tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if self.pending and self._timer is None:
            self.pump()

    async def _send(self, post: Post) -> None:
        delays = self.hub.options.retry
        while True:
            good = await self.hub.attempt(post)
            if good:
                return
            tried = len(post.attempts)
            delay = delays[min(tried - 1, len(delays) - 1)] if delays else None
            too_old = self.hub.world.clock.now() - post.created > _GIVE_UP_AFTER
            if delay is None or too_old:
                post.state = "failed"
                return
            if delay > 0:
                self._park(post, delay)
                return

    def _park(self, post: Post, delay: float) -> None:
        post.state = "retrying"
        loop = asyncio.get_running_loop()
        self.parked[post] = loop.call_later(delay, self._unpark, post)

    def _unpark(self, post: Post) -> None:
        handle = self.parked.pop(post, None)
        if handle is not None:
            handle.cancel()
            self._start(post)

    def retry_now(self) -> None:
        """Try again at once what waits for its next attempt."""
        for post in list(self.parked):
            self._unpark(post)

    def close(self) -> None:
        """Forget everything."""
        for handle in self.parked.values():
            handle.cancel()
        if self._timer is not None:
            self._timer.cancel()
        for task in self.tasks:
            task.cancel()
        self.pending.clear()
        self.parked.clear()


class WebhookFaults:
    """What is deliberately wrong with the delivery at the moment."""

    def __init__(self) -> None:
        self.hold = False
        self.reorder = ""
        self.repeat = 0
        self.repeat_posts = 0
        self.drop = 0
        self.only: tuple[str, ...] = ()

    def drops(self, update: Update) -> bool:
        """Tell whether this update gets lost, and count it."""
        if not self.drop:
            return False
        word = str(update.item.get("status", ""))
        if self.only and not {update.field, update.key, word} & set(self.only):
            return False
        self.drop -= 1 if self.drop > 0 else 0
        return True

    def extra_copies(self) -> int:
        """Tell how often this POST is repeated, and count it."""
        if not self.repeat or not self.repeat_posts:
            return 0
        self.repeat_posts -= 1 if self.repeat_posts > 0 else 0
        return self.repeat


class Webhooks:
    """Find who wants an update, and hand it to that target's channel."""

    def __init__(
        self,
        world: World,
        state: State,
        settings: Settings,
        others: Mapping[str, Callbacks],
    ) -> None:
        """Make the hub.

        :param others: who says where webhooks go for accounts at another provider
        """
        self.world, self.state = world, state
        self.options = settings.webhook
        self.random = random.Random(world.settings.seed)
        self._others = others
        self.faults = WebhookFaults()
        self.channels: dict[Target, Channel] = {}
        self.log: deque[Post] = deque(maxlen=2000)
        self.posts = 0
        self.updates = 0
        self.unrouted = 0
        self.dropped = 0
        self._serial = itertools.count(1)
        self._targets: dict[tuple[str, str, str], tuple[Target, ...]] = {}

    def forget_targets(self) -> None:
        """Look subscriptions up again: one of them changed."""
        self._targets.clear()

    def emit(self, update: Update) -> None:
        """Queue an update for everybody who subscribed to it."""
        if self.faults.drop and self.faults.drops(update):
            self.dropped += 1
            return
        uid = update.phone.uid if update.phone else ""
        key = (update.waba_uid, uid, update.field)
        targets = self._targets.get(key)
        if targets is None:
            targets = tuple(self._find_targets(update))
            self._targets[key] = targets
        if not targets:
            self.unrouted += 1
            self._tell(update, 0, "nobody is subscribed")
            return
        for target in targets:
            self.channel(target).add(update)

    def channel(self, target: Target) -> Channel:
        """Return the channel of a target."""
        channel = self.channels.get(target)
        if channel is None:
            channel = self.channels[target] = Channel(self, target)
        return channel

    def _find_targets(self, update: Update) -> list[Target]:
        waba = self.state.wabas[update.waba_uid]
        if waba.provider in self._others:
            return [
                Target(callback.url, "", tuple(callback.headers.items()))
                for callback in self._others[waba.provider](update.phone)
            ]
        found = []
        for app_uid in waba.subscribed:
            target = self._app_target(waba, app_uid, update)
            if target is not None:
                found.append(target)
        return found

    def _app_target(self, waba: Waba, app_uid: str, update: Update) -> Target | None:
        app = self.state.apps[app_uid]
        if update.field in OVERRIDABLE:
            overrides = (
                update.phone.override if update.phone else None,
                waba.subscribed[app_uid],
            )
            for override in overrides:
                if override and override.url:
                    return Target(override.url, app.secret)
        if app.callback_url and update.field in app.fields:
            return Target(app.callback_url, app.secret)
        return None

    def new_post(self, target: Target, updates: list[Update]) -> Post:
        """Pack updates and write them into the log."""
        body = pack(updates, self.options.contacts)
        now = self.world.clock.now()
        post = Post(next(self._serial), target, body, len(updates), now, updates)
        post.summary = [update.words() for update in updates[:10]]
        if len(self.log) > _KEEP_BODIES:
            self.log[-_KEEP_BODIES].body = b""
        self.log.append(post)
        return post

    async def attempt(self, post: Post) -> bool:
        """POST once (and the copies a fault asks for); True when answered with 200."""
        body = post.body or pack(post.updates, self.options.contacts)
        status, error = await self._post(post.target, body)
        post.attempts.append((self.world.clock.now(), status, error))
        self.posts += 1
        for update in post.updates:
            self._tell(update, status, error)
        if status != 200:
            return False
        post.state = "delivered"
        self.updates += post.count
        post.updates = []
        for _ in range(self.faults.extra_copies()):
            status, error = await self._post(post.target, body)
            post.attempts.append((self.world.clock.now(), status, error))
        return True

    async def _post(self, target: Target, body: bytes) -> tuple[int, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
        }
        if target.secret:
            headers["X-Hub-Signature-256"] = sign(target.secret, body)
            headers["X-Hub-Signature"] = sign_legacy(target.secret, body)
        headers.update(target.headers)
        timeout = aiohttp.ClientTimeout(total=self.options.timeout_ms / 1000)
        try:
            async with self.world.http.post(
                target.url, data=body, headers=headers, timeout=timeout
            ) as answer:
                return answer.status, ""
        except asyncio.TimeoutError:
            return 0, "no answer in time"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return 0, str(error) or type(error).__name__

    def _tell(self, update: Update, status: int, error: str) -> None:
        """Write into the user's own log what their business was told."""
        user = update.user
        if user is None:
            return
        about = str(update.item["id"]) if update.key == "statuses" else ""
        now = self.world.clock.now()
        user.told.append((update.words(), about, now, status, error))
        if len(user.told) > _KEEP_TOLD:
            del user.told[0]
        self.world.watchers.changed(user.user_uid)

    async def flush(self) -> Json:
        """Deliver everything that waits, retries too, and say how it ended."""
        before = self.posts
        for channel in list(self.channels.values()):
            channel.retry_now()
        while True:
            ran = self.world.scheduler.run_all()
            for channel in list(self.channels.values()):
                channel.pump()
            tasks = [t for c in self.channels.values() for t in c.tasks]
            if tasks:
                await asyncio.wait(tasks)
            elif not ran and (self.faults.hold or not self._pending()):
                break
        return {"posts": self.posts - before, **self.counts()}

    def _pending(self) -> int:
        return sum(len(channel.pending) for channel in self.channels.values())

    def counts(self) -> Json:
        """Return how many updates are where."""
        return {
            "delivered": self.updates,
            "waiting": self._pending(),
            "retrying": sum(
                post.count for c in self.channels.values() for post in c.parked
            ),
            "failed": sum(post.count for post in self.log if post.state == "failed"),
            "unrouted": self.unrouted,
            "dropped": self.dropped,
        }

    def release(self) -> None:
        """Let held updates go."""
        self.faults.hold = False
        for channel in self.channels.values():
            channel.pump()

    def close(self) -> None:
        """Forget everything that waits."""
        for channel in self.channels.values():
            channel.close()
        self.channels.clear()
        self._targets.clear()


def post_as_json(post: Post, with_body: bool) -> Json:
    """Return one line of the delivery log."""
    last = post.attempts[-1] if post.attempts else (0.0, 0, "")
    shown: Json = {
        "id": post.serial,
        "url": post.target.url,
        "at": iso(post.created),
        "state": post.state,
        "updates": post.count,
        "summary": post.summary,
        "http_status": last[1] or None,
        "error": last[2],
        "attempts": [
            {"at": iso(at), "http_status": status or None, "error": error}
            for at, status, error in post.attempts
        ],
    }
    if with_body:
        shown["body"] = post.body.decode("ascii")
    return shown
