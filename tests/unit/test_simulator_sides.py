# Copyright 2026 The whatsapp_billing authors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl-3.0)
"""A further side takes part in everything once the wiring builds it."""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson
import pytest
from aiohttp import web

from simulator import wiring
from simulator.faults import Fault
from simulator.settings import Adjustable
from simulator.testing import ControlRefused
from simulator.testkit import World as Playground
from simulator.world import Api, Controls, Json, Side, World


@dataclass(slots=True)
class BookSettings(Adjustable):
    closed_until: str = ""


class Books(Api):
    """The books of a company somewhere else."""

    begins_with = ("invoices",)

    def __init__(self, world: World) -> None:
        self.world = world
        self.options = BookSettings()
        self.invoices: list[Json] = []

    @property
    def settings(self) -> tuple[Adjustable, ...]:
        return (self.options,)

    @property
    def controls(self) -> Controls:
        return {("POST", "books"): self._pay}

    def takes(self, path: str) -> bool:
        return path.startswith("/books/")

    def begin(self, values: Json) -> None:
        self.invoices = list(values.get("invoices", ()))

    def counts(self) -> Json:
        return {"invoices": len(self.invoices)}

    def shown(self) -> Json:
        return {"books": self.invoices}

    async def answer(
        self, request: web.BaseRequest, path: str, body: bytes
    ) -> web.Response:
        self.invoices.append(orjson.loads(body))
        return web.Response(body=orjson.dumps(self.invoices))

    def refuse(self, fault: Fault) -> web.Response:
        return web.Response(status=fault.http_status or 500, text=f"E{fault.code}")

    def _pay(self, values: Json) -> Json:
        return {"paid_at": self.world.clock.now(), "count": len(self.invoices)}


@pytest.fixture
def playground(monkeypatch: pytest.MonkeyPatch) -> Iterator[Playground]:
    build = wiring.build

    def with_books(world: World) -> list[Side]:
        return [Books(world), *build(world)]

    monkeypatch.setattr(wiring, "build", with_books)
    with Playground() as playground:
        yield playground


def test_it_answers_its_paths_and_no_others(playground: Playground) -> None:
    assert playground.call("POST", "/books/invoices", {"no": 1}).json == [{"no": 1}]
    assert playground.call("GET", "me").json["name"] == "Simulated System User"
    assert playground.ask("requests", path="/books/")["count"] == 1


def test_faults_meet_it_in_its_own_words(playground: Playground) -> None:
    playground.control("fault", path="/books/", code=7, http_status=409)
    refused = playground.call("POST", "/books/invoices", {"no": 1})
    assert (refused.status, refused.body) == (409, b"E7")
    assert playground.call("POST", "/books/invoices", {"no": 2}).json == [{"no": 2}]


def test_a_reset_and_the_settings_reach_it(playground: Playground) -> None:
    playground.call("POST", "/books/invoices", {"no": 1})
    playground.control("reset", closed_until="2026-01-31", invoices=[{"no": 8}])
    state = playground.ask("state")
    assert state["settings"]["closed_until"] == "2026-01-31"
    assert state["books"] == [{"no": 8}]
    assert (state["counts"]["invoices"], state["counts"]["messages"]) == (1, 0)
    playground.control("reset")
    assert playground.ask("state")["books"] == []
    with pytest.raises(ControlRefused, match="closed_until has the wrong type"):
        playground.control("settings", closed_until=1)


def test_its_control_calls_are_there(playground: Playground) -> None:
    playground.control("clock", freeze=True)
    first = playground.control("books")["paid_at"]
    playground.control("clock", advance=60)
    assert playground.control("books") == {"paid_at": first + 60, "count": 0}
