"""A station that only syncs: header sync, block sync and answers, connected as the node connects them."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from meshchain.ledger.header import Header
from meshchain.ledger.store import layout
from meshchain.p2p import serving
from meshchain.p2p.actions import Action, CheckHeaders, CheckWork, ConnectBlock, Outcome, Peer, Send, Task
from meshchain.p2p.blocksync import BlockSync
from meshchain.p2p.headersync import HeaderSync
from meshchain.p2p.messages import (
    MAX_HEADERS,
    BlockMessage,
    GetBlocks,
    GetHeaders,
    Headers,
    Message,
    NotFound,
    Version,
)
from tests.ledger.kit import Lab
from tests.p2p.kit import LabFacts, Network, Silent, Station


class Syncer:
    """The machine under test. ``inbound``: names no peer but those that connected to us."""

    def __init__(self, facts: LabFacts, seed: int = 1, *, inbound: bool = False) -> None:
        self.facts = facts
        self.inbound = inbound
        rng = random.Random(seed)
        self.headers = HeaderSync(facts.params, facts, rng)
        self.blocks = BlockSync(facts.params, facts, rng, self.headers.heads)

    def peer_ready(self, peer: Peer, version: Version, now: float) -> list[Action]:
        asked = self.headers.peer_ready(peer, version, now, inbound=self.inbound)
        return asked + self.blocks.peer_ready(peer, now)

    def peer_gone(self, peer: Peer, now: float) -> list[Action]:
        return self.headers.peer_gone(peer, now) + self.blocks.peer_gone(peer, now)

    def message(self, peer: Peer, message: Message, now: float) -> list[Action]:
        match message:
            case GetHeaders():
                return serving.headers(self.facts, peer, message)
            case GetBlocks():
                return serving.blocks(self.facts, peer, message)
            case Headers():
                return self.headers.headers(peer, message, now) + self.blocks.best_header_changed(now)
            case BlockMessage(raw=raw):
                return self.blocks.block(peer, raw, now)
            case NotFound(ids=ids):
                return self.blocks.not_found(peer, ids, now)
        return []

    def completed(self, task: Task, outcome: Outcome, now: float) -> list[Action]:
        match task:
            case CheckHeaders() | CheckWork():
                return self.headers.checked(task, outcome, now) + self.blocks.best_header_changed(now)
            case ConnectBlock():
                return self.blocks.connected(task, outcome, now)
        return []

    def tick(self, now: float) -> list[Action]:
        return self.headers.tick(now) + self.blocks.tick(now)


class Server(Silent):
    """Answers questions about its chain, asks none."""

    def __init__(self, facts: LabFacts) -> None:
        self.facts = facts

    def message(self, peer: Peer, message: Message, now: float) -> list[Action]:
        match message:
            case GetHeaders():
                return self.answer_headers(peer, message)
            case GetBlocks():
                return self.answer_blocks(peer, message)
        return []

    def answer_headers(self, peer: Peer, message: GetHeaders) -> list[Action]:
        return serving.headers(self.facts, peer, message)

    def answer_blocks(self, peer: Peer, message: GetBlocks) -> list[Action]:
        return serving.blocks(self.facts, peer, message)


def syncer(network: Network, name: str, lab: Lab, *, inbound: bool = False) -> tuple[Station, Syncer]:
    facts = LabFacts(lab)
    machine = Syncer(facts, len(network.stations) + 1, inbound=inbound)
    return network.add(name, facts, machine), machine


def server(network: Network, name: str, lab: Lab) -> Station:
    facts = LabFacts(lab)
    return network.add(name, facts, Server(facts))


def sent(station: Station, kind: type[Message]) -> Sequence[Message]:
    """Messages of this type that the station has got."""
    return [message for _, message in station.got if isinstance(message, kind)]


class HeaderServer(Silent):
    """Has headers only, a chain from block 1 on; answers with what follows the locator, and no bodies."""

    def __init__(self, chain: Sequence[Header]) -> None:
        self.chain = chain
        self.heights = {header.id: header.height for header in chain}
        self.given = 0
        """Headers sent in all."""

    def message(self, peer: Peer, message: Message, now: float) -> list[Action]:
        if not isinstance(message, GetHeaders):
            return []
        fork = next((self.heights[at] for at in message.locator if at in self.heights), 0)
        listed = tuple(self.chain[fork : fork + MAX_HEADERS])
        self.given += len(listed)
        return [Send(peer, Headers(listed))]


def claims(height: int, work: int) -> Callable[[Version], Version]:
    """A lie for ``Station.says``."""
    return lambda version: replace(version, height=height, work=work)


def stored_headers(station: Station) -> int:
    """How many headers stand in a station's store, genesis included."""
    return sum(1 for _ in station.facts.lab.chain.store.items(layout.HEADER))
