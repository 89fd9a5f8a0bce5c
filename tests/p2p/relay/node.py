"""Both relay machines as one machine of the test network, with just enough beside them to take whole blocks."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, TypeAlias, TypeVar

from meshchain.ledger import operations
from meshchain.ledger.header import Header
from meshchain.ledger.mempool import Pending
from meshchain.ledger.operations import Operation
from meshchain.ledger.params import Params
from meshchain.p2p import serving
from meshchain.p2p.actions import (
    Action,
    AdmitOperation,
    CheckHeaders,
    ConnectBlock,
    Do,
    Outcome,
    Peer,
    Task,
)
from meshchain.p2p.messages import (
    MAX_INVENTORY,
    BlockMessage,
    BlockOperations,
    CompactBlock,
    GetBlockOperations,
    GetBlocks,
    GetOperations,
    Headers,
    Inventory,
    Message,
    NotFound,
    Operations,
    SendCompact,
    Version,
)
from meshchain.p2p.relay import BlockRelay, OperationRelay
from tests.ledger.kit import Lab, small_params
from tests.p2p.kit import LabFacts, Network, Station

ROOMY: Final = {"max_block_size": 32768}

M = TypeVar("M", bound=Message)


@dataclass
class Relay:
    """The machine under test."""

    facts: LabFacts
    seed: int = 1
    handed: list[tuple[Peer, Header]] = field(default_factory=list)
    """What BlockRelay gave to the header machine, announcements by Headers included."""

    def __post_init__(self) -> None:
        rng, params = random.Random(self.seed), self.facts.params
        self.operations = OperationRelay(params, self.facts, rng)
        self.blocks = BlockRelay(params, self.facts, rng, announced=self._announced)
        self._pending: dict[bytes, Pending] = {}

    def _announced(self, peer: Peer, header: Header, now: float) -> list[Action]:
        self.handed.append((peer, header))
        return []

    def peer_ready(self, peer: Peer, version: Version, now: float) -> list[Action]:
        outbound = peer % 2 == 1  # the network gives odd numbers to the ends that dial
        ready = self.operations.peer_ready(peer, now, outbound=outbound)
        return ready + self.blocks.peer_ready(peer, now, outbound=outbound)

    def peer_gone(self, peer: Peer, now: float) -> list[Action]:
        return self.operations.peer_gone(peer, now) + self.blocks.peer_gone(peer, now)

    def message(self, peer: Peer, message: Message, now: float) -> list[Action]:  # noqa: C901 - one line a type
        match message:
            case Inventory():
                return self.operations.inventory(peer, message, now)
            case GetOperations():
                return self.operations.wanted(peer, message, now)
            case Operations():
                return self.operations.operations(peer, message, now)
            case NotFound():
                return self.operations.not_found(peer, message, now) + self.blocks.not_found(peer, message, now)
            case SendCompact():
                return self.blocks.send_compact(peer, message, now)
            case CompactBlock():
                return self.blocks.compact(peer, message, now)
            case GetBlockOperations():
                return self.blocks.operations_wanted(peer, message, now)
            case BlockOperations():
                return self.blocks.block_operations(peer, message, now)
            case Headers(headers=headers):
                return [action for header in headers for action in self._announced(peer, header, now)]
            case GetBlocks():
                return serving.blocks(self.facts, peer, message)
            case BlockMessage(raw=raw):
                return [Do(ConnectBlock(peer, Header.decode(raw[: Header.SIZE]).id, raw))]
        return []

    def completed(self, task: Task, outcome: Outcome, now: float) -> list[Action]:
        actions: list[Action] = []
        match task:
            case AdmitOperation():
                actions = self.operations.done(task, outcome, now)
            case CheckHeaders():
                actions = self.blocks.header_checked(task, outcome, now)
            case ConnectBlock():
                actions = self.blocks.connected(task, outcome, now)
        return actions + self.changed(now)

    def changed(self, now: float) -> list[Action]:
        """The chain or the mempool may be another."""
        pending = {item.wid: item for item in self.facts.pending()}
        fresh = [item for wid, item in pending.items() if wid not in self._pending]
        self._pending = pending
        tips = self.operations.tip_changed(now) + self.blocks.tip_changed(now)
        return tips + self.operations.admitted(fresh, now)

    def tick(self, now: float) -> list[Action]:
        return self.operations.tick(now) + self.blocks.tick(now)


Lie: TypeAlias = Callable[[Message], Message | None]
"""What a dishonest station makes of a message it should send; None: it keeps silent."""


class Liars(Network):
    """The test network, in which some stations do not say what their machine tells them to."""

    def __init__(self) -> None:
        super().__init__()
        self.lies: dict[str, Lie] = {}

    def _send(self, station: Station, peer: Peer, message: Message) -> None:
        lie = self.lies.get(station.name)
        said = message if lie is None else lie(message)
        if said is not None:
            super()._send(station, peer, said)


class Town:
    """A network of relaying stations that share their first blocks. Ticks every second, as the network does."""

    def __init__(self, *names: str, params: Params | None = None, blocks: int = 2) -> None:
        self.net = Liars()
        first = Lab(params or small_params(**ROOMY))
        first.mine_empty(blocks)
        self.stations = {name: self._add(name, first.fork(), seed) for seed, name in enumerate(names, 1)}

    def _add(self, name: str, lab: Lab, seed: int) -> Station:
        facts = LabFacts(lab)
        return self.net.add(name, facts, Relay(facts, seed))

    def __getitem__(self, name: str) -> Station:
        return self.stations[name]

    def relay(self, name: str) -> Relay:
        machine = self[name].machine
        assert isinstance(machine, Relay)
        return machine

    def lab(self, name: str) -> Lab:
        return self[name].facts.lab

    def line(self, *names: str, latency: float = 0.02) -> None:
        for a, b in pairwise(names):
            self.net.connect(self[a], self[b], latency=latency)

    def commits(self, name: str, count: int, *, first: int = 1) -> list[Operation]:
        """Stamped commits for the station's next block; the same at every station with the same tip."""
        lab = self.lab(name)
        return [lab.stamp(lab.owner(first + number).commit("name")) for number in range(count)]

    def put(self, name: str, *listed: Operation, tell: bool = True) -> None:
        """Into a station's mempool, as its own queue would."""
        facts, lab = self[name].facts, self.lab(name)
        for operation in listed:
            facts.mempool.add(operation, lab.next(), lab.now)
        if tell:
            self.told(name)
        else:
            self.relay(name)._pending = {item.wid: item for item in facts.pending()}

    def mine(self, name: str, *listed: Operation) -> None:
        """A block of these at a station, announced."""
        facts = self[name].facts
        facts.follow(self.lab(name).mine(*listed))
        self.told(name)

    def told(self, name: str) -> None:
        self.net.apply(self[name], self.relay(name).changed(self.net.now))

    def has(self, name: str, operation: Operation) -> bool:
        return self[name].facts.pending_by_wid(operations.wid(operation)) is not None

    def carried(self, name: str, kind: type[M]) -> list[M]:
        """Messages of this kind that the station has received."""
        return [message for _, message in self[name].got if isinstance(message, kind)]

    def received(self, name: str) -> int:
        """Bytes that have reached a station."""
        return sum(link.to.links[link.peer].delivered for link in self[name].links.values())

    def block_arrives(self, *names: str, limit: float = 5.0) -> float:
        """Run until these stations have the tip of the first of all; how long it took."""
        begun, tip = self.net.now, next(iter(self.stations.values())).tip_id
        assert self.net.run_until(lambda: all(self[name].tip_id == tip for name in names), limit)
        return self.net.now - begun

    def peer(self, name: str, *, at: str) -> Peer:
        """The number by which the station ``at`` knows another."""
        return next(peer for peer, known in self[at].names.items() if known == name)

    def announce(self, sender: str, receiver: str, *listed: Operation) -> None:
        """An Inventory of these, whether the sender has them or not."""
        wids = tuple(map(operations.wid, listed))
        for at in range(0, len(wids), MAX_INVENTORY):
            self.net._send(self[sender], self.peer(receiver, at=sender), Inventory(wids[at : at + MAX_INVENTORY]))

    def offer(self, sender: str, receiver: str, *listed: Operation) -> None:
        """Announce operations that the sender's own mempool does not take, and answer for them."""
        raws = {operations.wid(operation): operations.encode(operation) for operation in listed}

        def lie(message: Message) -> Message:
            if isinstance(message, NotFound) and message.ids[0] in raws:
                return Operations(tuple(raws[wid] for wid in message.ids))
            return message

        self.net.lies[sender] = lie
        self.announce(sender, receiver, *listed)

    def questions(self, name: str, operation: Operation) -> int:
        """How often the station was asked for it."""
        wid = operations.wid(operation)
        return sum(wid in message.wids for message in self.carried(name, GetOperations))

    def points_of_all(self) -> int:
        """Blame by anybody on anybody."""
        return sum(blame.points for station in self.stations.values() for blame in station.blames)
