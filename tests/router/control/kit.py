"""A router's control part over a small mesh, asked as the node asks it: a question in, time passes, JSON out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meshchain.ledger.errors import LocalError
from meshrouter.control.control import Control, State
from meshrouter.control.overview import Overview
from meshrouter.directory import Role
from meshrouter.links.link import Link
from meshrouter.routing.route import Route
from tests.router.net import Net, Place
from tests.router.trace.kit import Traced


@dataclass
class Pair:
    """A session as the router shows it."""

    key: bytes
    own: bytes
    peer: bytes
    state: str = "up"
    since: float = 0.0
    used: float = 0.0
    rekeyed: float = 0.0
    packet: int = 1392
    packets_in: int = 3
    packets_out: int = 4
    bytes_in: int = 300
    bytes_out: int = 400


class MeshRouter:
    """The router of node a, in a mesh of ``edges``. ``seed``: its node key's; ``claimed``: its claimed address."""

    def __init__(self, *edges: str, seed: bytes = b"a" * 32, claimed: bytes | None = None) -> None:
        self.traced = Traced(*edges, seeds={"a": seed})
        self.net: Net = self.traced.net
        self.me: Place = self.net["a"]
        self.me.claimed = claimed
        for name in self.net.places:
            self.net.teach(name, Role.MEMBER)
        self.pairs: list[Pair] = []
        self.rules: list[tuple[str, int]] = []
        self.answers: dict[int, dict[str, Any]] = {}
        state = State(
            overview=self._overview,
            neighbours=self.me.neighbours.values,
            routes=self._routes,
            sessions=lambda: self.pairs,
            key_of=lambda node: next((p.key for p in self.net.places.values() if p.id == node), None),
        )
        self.control = Control(self.me.env, self.me.directory, state, self._answered, started=-100.0)
        self.control.tracer = self.traced.tracers["a"] = self.traced.tracer(self.me, self.control.finished)

    def ask(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """As the node does: over JSON, an error as LocalError."""
        number = len(self.answers) + 1
        self.control.ask(number, method, json.loads(json.dumps(dict(params))), self.net.now)
        self.traced.settle()
        answer: dict[str, Any] = json.loads(json.dumps(self.answers[number]))
        if "error" in answer:
            raise LocalError(answer["error"]["code"], answer["error"]["message"])
        result: dict[str, Any] = answer["result"]
        return result

    def link(self, name: str) -> Link:
        return self.me.neighbours[name].link

    def _answered(self, number: int, answer: dict[str, Any]) -> None:
        assert number not in self.answers, "one answer a question"
        self.answers[number] = answer

    def _routes(self) -> list[Route]:
        found = (self.me.route(place.id) for name, place in sorted(self.net.places.items()) if name != "a")
        return [route for route in found if route is not None]

    def _overview(self) -> Overview:
        return Overview(
            addresses=self.me.addresses,
            forwards=True,
            tun=None,
            links=[neighbour.link for neighbour in self.me.neighbours.values()],
            neighbours=self.me.neighbours.values(),
            routes=len(self._routes()),
            sessions=len(self.pairs),
            forwarded=12,
            delivered=34,
            rules=self.rules,
            off={"tun": "--tun off"},
        )
