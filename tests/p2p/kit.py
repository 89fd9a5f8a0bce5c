"""A small gossip network for tests: real chains and mempools, machines under test, a virtual clock.

``LabFacts`` shows a ``Lab`` (tests/ledger/kit.py) to the machines of gossip and does the work that they ask of a
ledger, inline. ``Network`` carries encoded messages between ``Station``s over links with latency and bandwidth; a
station is a ledger and a ``Machine``, the part of gossip under test. An attacker is a station whose machine is a liar.
Running time starts at 0; wall time is the lab's clock, which the network moves along.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from meshchain.ledger import operations
from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Switch
from meshchain.ledger.chain.index import Flag, IndexEntry
from meshchain.ledger.errors import LocalError, RemoteError
from meshchain.ledger.mempool import Mempool, Pending
from meshchain.ledger.params import Params
from meshchain.ledger.pow import check_works
from meshchain.p2p.actions import (
    Action,
    AdmitOperation,
    Blame,
    CheckHeaders,
    CheckWork,
    Close,
    ConnectBlock,
    Do,
    Outcome,
    Peer,
    Send,
    Task,
)
from meshchain.p2p.messages import PROTOCOL, Message, Version, decode, encode
from tests.ledger.kit import Lab


class LabFacts:
    """``Facts`` over a lab's chain and a mempool of its own. ``trusts_clock``: whether times may be too new."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.mempool = Mempool(lab.params, lab.workers, lab.chain.stamps_seen)
        self.trusts_clock = True
        self.fault: LocalError | None = None
        """While set, every task fails with it: a full disk."""
        self.switches: list[Switch] = []
        """What the tasks changed, oldest first."""

    # --- Facts -------------------------------------------------------------------------------------------

    @property
    def params(self) -> Params:
        return self.lab.params

    @property
    def genesis_id(self) -> bytes:
        return self.lab.chain.genesis_id

    def tip(self) -> IndexEntry:
        return self.lab.chain.tip

    def best_header(self) -> IndexEntry:
        return self.lab.chain.best_header

    def header(self, block_id: bytes) -> IndexEntry | None:
        return self.lab.chain.index.get(block_id)

    def ancestors(self, entry: IndexEntry) -> Iterator[IndexEntry]:
        return self.lab.chain.index.ancestors(entry)

    def main_id(self, height: int) -> bytes | None:
        return self.lab.chain.index.main_id(height) if height >= 0 else None

    def is_main(self, entry: IndexEntry) -> bool:
        return self.lab.chain.index.is_main(entry)

    def block_bytes(self, block_id: bytes) -> bytes | None:
        entry = self.header(block_id)
        if entry is None or not entry.flags & Flag.BODY:
            return None
        return self.lab.chain.block(entry).encode()

    def pending(self) -> Sequence[Pending]:
        return self.mempool.pending()

    def pending_by_wid(self, wid: bytes) -> Pending | None:
        return next((pending for pending in self.pending() if pending.wid == wid), None)

    # --- tasks -------------------------------------------------------------------------------------------

    def do(self, task: Task) -> Outcome:
        """Do what a machine asks for, as the node does it in a thread."""
        try:
            if self.fault is not None:
                raise self.fault
            return Outcome(self._do(task))
        except (RemoteError, LocalError) as error:
            return Outcome(error=error)

    def _do(self, task: Task) -> object:
        chain, wall = self.lab.chain, self.lab.now if self.trusts_clock else None
        match task:
            case CheckHeaders(headers=headers):
                return chain.add_headers(headers, wall)
            case CheckWork(headers=headers):
                return check_works(headers, chain.params.consensus, chain.workers)
            case ConnectBlock(raw=raw):
                return self.follow(chain.add_block(Block.decode(raw, chain.params.consensus), wall))
            case AdmitOperation(raw=raw):
                operation = operations.decode(raw, chain.params.consensus)
                return self.mempool.add(operation, chain.next_block(), self.lab.now)

    def follow(self, switch: Switch) -> Switch:
        """Bring the mempool behind the chain; for blocks that the test mines itself, too."""
        if switch.connected or switch.disconnected:
            self.switches.append(switch)
            self.mempool.switched(switch, self.lab.chain.next_block(), self.lab.now)
        return switch


class Machine(Protocol):
    """The part of gossip that a station runs."""

    def peer_ready(self, peer: Peer, version: Version, now: float) -> list[Action]: ...

    def peer_gone(self, peer: Peer, now: float) -> list[Action]: ...

    def message(self, peer: Peer, message: Message, now: float) -> list[Action]: ...

    def completed(self, task: Task, outcome: Outcome, now: float) -> list[Action]: ...

    def tick(self, now: float) -> list[Action]: ...


class Silent:
    """A machine that never says a word; base of those that say only some."""

    def peer_ready(self, peer: Peer, version: Version, now: float) -> list[Action]:
        return []

    def peer_gone(self, peer: Peer, now: float) -> list[Action]:
        return []

    def message(self, peer: Peer, message: Message, now: float) -> list[Action]:
        return []

    def completed(self, task: Task, outcome: Outcome, now: float) -> list[Action]:
        return []

    def tick(self, now: float) -> list[Action]:
        return []


def version_of(facts: LabFacts) -> Version:
    """What a node with this ledger says of itself."""
    return Version(
        protocol=PROTOCOL,
        genesis=facts.genesis_id,
        network=facts.params.name,
        agent="test",
        height=facts.tip().height,
        work=facts.tip().work,
        time=int(facts.lab.now),
        nonce=0,
        listen_port=0,
        block_only=False,
    )


def _the_truth(version: Version) -> Version:
    return version


@dataclass
class Link:
    """One direction of a connection. ``latency`` in s, ``rate`` in bytes/s (None: any)."""

    to: "Station"
    peer: Peer
    """The number by which the receiver knows the sender."""
    latency: float
    rate: float | None
    free: float = 0.0
    """When the last message has left the sender."""
    delivered: int = 0
    """Bytes."""
    open: bool = True


@dataclass(eq=False)
class Station:
    """A node of the test network."""

    name: str
    facts: LabFacts
    machine: Machine
    says: Callable[[Version], Version] = _the_truth
    """What it makes of its Version: a liar changes it."""
    links: dict[Peer, Link] = field(default_factory=dict)
    """By peer; only open ones."""
    blames: list[Blame] = field(default_factory=list)
    closed: list[Close] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    """Everything the machine asked of the ledger."""
    got: list[tuple[Peer, Message]] = field(default_factory=list)
    names: dict[Peer, str] = field(default_factory=dict)
    """Peer → name of the station, closed ones included."""

    @property
    def height(self) -> int:
        return self.facts.tip().height

    @property
    def tip_id(self) -> bytes:
        return self.facts.tip().id

    def points(self, name: str) -> int:
        """Blame so far on the station ``name``."""
        return sum(blame.points for blame in self.blames if self.names[blame.peer] == name)

    def dropped(self, name: str) -> bool:
        return any(self.names[close.peer] == name for close in self.closed)


class Network:
    """Stations, links between them, and the clock. Ticks every second; 100 points close a connection."""

    def __init__(self) -> None:
        self.now = 0.0
        self.stations: list[Station] = []
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = 0
        self._peers = 0

    def add(self, name: str, facts: LabFacts, machine: Machine) -> Station:
        station = Station(name, facts, machine)
        self.stations.append(station)
        self._at(self.now + 1, lambda: self._tick(station))
        return station

    def connect(self, a: Station, b: Station, *, latency: float = 0.02, rate: float | None = None) -> tuple[Peer, Peer]:
        """Join two stations, greeting done; (the number of b at a, of a at b). ``rate`` bytes/s from b to a."""
        peer_b, peer_a = self._peers + 1, self._peers + 2
        self._peers += 2
        a.links[peer_b], b.links[peer_a] = Link(b, peer_a, latency, None), Link(a, peer_b, latency, rate)
        a.names[peer_b], b.names[peer_a] = b.name, a.name
        for one, peer, other in ((a, peer_b, b), (b, peer_a, a)):
            version = other.says(version_of(other.facts))
            self.apply(one, one.machine.peer_ready(peer, version, self.now))
        return peer_b, peer_a

    def disconnect(self, station: Station, peer: Peer) -> None:
        """End a connection; both ends learn of it at once."""
        link = station.links.pop(peer, None)
        if link is None:
            return
        link.open = False
        back = link.to.links.pop(link.peer)
        back.open = False
        self.apply(station, station.machine.peer_gone(peer, self.now))
        self.apply(link.to, link.to.machine.peer_gone(link.peer, self.now))

    def remove(self, station: Station) -> None:
        """Switch a station off."""
        self.stations.remove(station)
        for peer in list(station.links):
            self.disconnect(station, peer)

    def apply(self, station: Station, actions: Sequence[Action]) -> None:
        """Carry out what a machine asked for."""
        for action in actions:
            match action:
                case Send(peer=peer, message=message):
                    self._send(station, peer, message)
                case Close(peer=peer):
                    station.closed.append(action)
                    self.disconnect(station, peer)
                case Blame(peer=peer):
                    station.blames.append(action)
                    if sum(blame.points for blame in station.blames if blame.peer == peer) >= 100:
                        self.disconnect(station, peer)
                case Do(task=task):
                    station.tasks.append(task)
                    self._at(self.now, lambda task=task: self._complete(station, task))  # type: ignore[misc]

    def run(self, seconds: float) -> None:
        self.run_until(lambda: False, seconds)

    def run_until(self, condition: Callable[[], bool], limit: float) -> bool:
        """Run until the condition holds (True) or ``limit`` seconds have passed (False)."""
        end = self.now + limit
        while not condition():
            if not self._events or self._events[0][0] > end:
                self._move_to(end)
                return condition()
            time, _, event = heapq.heappop(self._events)
            self._move_to(time)
            event()
        return True

    # --- inside ------------------------------------------------------------------------------------------

    def _at(self, time: float, event: Callable[[], None]) -> None:
        self._sequence += 1
        heapq.heappush(self._events, (time, self._sequence, event))

    def _move_to(self, time: float) -> None:
        for lab in {id(station.facts.lab): station.facts.lab for station in self.stations}.values():
            lab.now += time - self.now
        self.now = time

    def _send(self, station: Station, peer: Peer, message: Message) -> None:
        link = station.links.get(peer)
        if link is None:
            return
        data = encode(message)
        link.free = max(link.free, self.now) + (len(data) / link.rate if link.rate else 0.0)
        self._at(link.free + link.latency, lambda: self._deliver(link, data))

    def _deliver(self, link: Link, data: bytes) -> None:
        if not link.open:
            return
        link.delivered += len(data)
        message = decode(data, link.to.facts.params.consensus)
        link.to.got.append((link.peer, message))
        self.apply(link.to, link.to.machine.message(link.peer, message, self.now))

    def _complete(self, station: Station, task: Task) -> None:
        if station in self.stations:
            self.apply(station, station.machine.completed(task, station.facts.do(task), self.now))

    def _tick(self, station: Station) -> None:
        if station in self.stations:
            self.apply(station, station.machine.tick(self.now))
            self._at(self.now + 1, lambda: self._tick(station))
