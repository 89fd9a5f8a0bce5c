"""The coordinator: takes what connections and the ledger report, asks the machines, returns what is to be done.

Theory of operation
-------------------
The shell owns sockets and time; it reports *opened*, *received*, *closed*, *dial_failed* and *tick*. The ledger's
owner reports *completed* (outcomes of tasks), *switched* (the active chain moved) and *admitted* (operations new to
the mempool). Every report returns actions. ``Blame`` never leaves this module: it is entered in the scores, and a
ban becomes a ``Close``.

The greeting of a peer goes to its session, addresses to the book, all other messages and the outcomes of tasks to the
``machines`` that know the ledger. A message that cannot be decoded is its sender's fault; an answer that nobody asked
for is not.

Unproven operations are paid for from their sender's budget before they are checked (``conduct.budgets``). What the
budget does not cover is dropped as if it had never come, and can be asked for again.

Nothing here raises for what a peer sends.
"""

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from meshchain.ledger.errors import LocalError, RemoteError
from meshchain.ledger.mempool import Pending
from meshchain.p2p import messages
from meshchain.p2p.actions import (
    Action,
    AdmitOperation,
    Blame,
    Close,
    Do,
    Endpoint,
    Outcome,
    Peer,
    Probe,
    Send,
    Task,
)
from meshchain.p2p.addresses import AddressBook, Intake, group_of, is_usable
from meshchain.p2p.conduct import Budgets, Scores
from meshchain.p2p.facts import Facts
from meshchain.p2p.headersync import SyncProgress
from meshchain.p2p.machines import FLOOD, Machines
from meshchain.p2p.messages import Address, Addresses, GetAddresses, Message, Version
from meshchain.p2p.session import Session, Stage
from meshchain.p2p.slots import Held, Slots

MALFORMED: Final = 100
"""Points for bytes that no honest program sends."""
VOTES: Final = 3
"""Peers whose median clock is evidence for or against ours."""
_EARLY: Final = frozenset(("signature", "host-proof", "stamp-bits", "stamp-anchor", "stamp-anchor-fork"))
"""Refusals that come before the stamp is hashed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """Who this node is, for its greetings."""

    key: bytes
    """Ed25519 node key, 32 bytes."""
    agent: str
    listen_port: int
    """0: takes no connections."""


class Gossip:
    """All of gossip but sockets. ``wall`` tells unix time; ``now`` arguments are running seconds."""

    def __init__(
        self,
        *,
        facts: Facts,
        own: Own,
        rng: random.Random,
        wall: Callable[[], float],
        book: AddressBook,
        slots: Slots,
        scores: Scores,
    ) -> None:
        params = facts.params
        self.book = book
        self.slots = slots
        self.scores = scores
        self.budgets = Budgets(lambda kind: kind.LIMIT.size(params.consensus))
        self.sessions: dict[Peer, Session] = {}
        self.machines = Machines(facts, rng)
        self._facts = facts
        self._own = own
        self._rng = rng
        self._wall = wall
        self._intake = Intake()
        self._nonce = rng.getrandbits(64)
        """Of this run: who meets it in a greeting has met itself."""

    def renewed(self) -> "Gossip":
        """Another one, without peers, that remembers addresses, anchors, scores and bans: after a failure in the
        middle of something."""
        return Gossip(
            facts=self._facts,
            own=self._own,
            rng=self._rng,
            wall=self._wall,
            book=self.book,
            slots=self.slots.renewed(),
            scores=self.scores,
        )

    # --- reports of connections ----------------------------------------------------------------------------

    def opened(
        self, peer: Peer, key: bytes, endpoint: Endpoint, *, inbound: bool, purpose: str, now: float
    ) -> list[Action]:
        """A connection is established and the peer's key proven."""
        wall = self._wall()
        spared = purpose == "configured" or self.slots.is_configured(key)
        if spared:
            self.scores.spare(key)
        ban = self.scores.ban(key, wall) or (self.scores.ban(endpoint.ip, wall) if inbound else None)
        if ban is not None and not spared:
            if not inbound:
                self.slots.dial_failed(endpoint, now)
            return [Close(peer, "banned", f"banned: {ban.reason}")]
        group = group_of(endpoint.ip)
        held = Held(peer=peer, key=key, endpoint=endpoint, group=group, inbound=inbound, purpose=purpose, opened=now)
        actions = self.slots.opened(held, now)
        if _ends(peer, actions):
            return actions
        self.budgets.opened(peer)
        session = Session(
            peer=peer,
            key=key,
            endpoint=endpoint,
            inbound=inbound,
            purpose=purpose,
            opened=now,
            ours=self._version(purpose),
        )
        self.sessions[peer] = session
        return actions + session.begin()

    def received(self, peer: Peer, data: bytes, now: float) -> list[Action]:
        """One message of a peer, as the transport delivered it."""
        session = self.sessions.get(peer)
        if session is None or session.stage is Stage.CLOSED:
            return []
        session.traffic.received += len(data)
        if not self.budgets.message(peer, now, len(data)):
            return self._settle([Blame(peer, FLOOD, "more messages than its budget allows")], now)
        try:
            message = messages.decode(data, self._facts.params.consensus)
        except RemoteError as error:
            return self._settle([Blame(peer, MALFORMED, f"malformed message: {error.code}: {error.message}")], now)
        before, was_alive = session.stage, session.alive
        actions = session.received(message, now)
        if actions is None:
            actions = self._dispatch(session, message, now)
        elif session.stage is not before:
            actions = actions + self._greeted(session, now)
        self.slots.heard(peer, now)
        if session.alive and not was_alive:
            actions = actions + self.slots.answered(peer, now)
        if session.round_trip is not None:
            self.slots.measured(peer, session.round_trip)
        return self._settle(actions, now)

    def closed(self, peer: Peer, now: float, *, blame: str | None = None) -> list[Action]:
        """A connection is over; ``blame`` says how the peer broke the transport, if it did."""
        session = self.sessions.pop(peer, None)
        self.slots.closed(peer, now)
        self.budgets.closed(peer)
        self._intake.gone(peer)
        if session is None:
            return []
        if blame is not None:
            self.scores.blame(session.key, session.endpoint.ip, MALFORMED, blame, self._wall())
        return self._settle(self.machines.peer_gone(peer, now), now)

    def dial_failed(self, endpoint: Endpoint, now: float) -> None:
        self.slots.dial_failed(endpoint, now)

    def tick(self, now: float) -> list[Action]:
        """Timers; four times a second is often enough."""
        actions: list[Action] = []
        for session in self.sessions.values():
            actions += session.tick(now, self._rng.getrandbits(64))
        actions += self.machines.tick(now)
        actions += self.slots.tick(now)
        actions += self.slots.decide(now, self._wall())
        return self._settle(actions, now)

    @property
    def ready_peers(self) -> int:
        return sum(session.ready for session in self.sessions.values())

    def clock_offset(self) -> float | None:
        """Median of what the ready peers' clocks were ahead of ours at their greeting (s)."""
        offsets = [session.clock_offset for session in self.sessions.values() if session.ready]
        return median(offsets) if offsets else None

    def height_of(self, peer: Peer) -> int | None:
        """Height of the best header the peer has shown to have, else what it claimed."""
        head = self.machines.header_sync.heads.get(peer)
        if head is not None:
            return head.height
        session = self.sessions.get(peer)
        return session.theirs.height if session is not None and session.theirs is not None else None

    @property
    def progress(self) -> SyncProgress:
        """How far this node is behind its peers, if it is."""
        return self.machines.header_sync.status

    # --- reports of the ledger -----------------------------------------------------------------------------

    def completed(self, task: Task, outcome: Outcome, now: float) -> list[Action]:
        """A task is done or was refused."""
        if outcome.error is None:
            self.slots.useful(task.peer, now)
        if isinstance(task, AdmitOperation):
            self._account(task, outcome)
        return self._settle(self.machines.completed(task, outcome, now), now)

    def switched(self, now: float) -> list[Action]:
        """The active chain has another tip, whoever brought it."""
        return self._settle(self.machines.switched(now), now)

    def admitted(self, pendings: Sequence[Pending], now: float) -> list[Action]:
        """Operations are new in the mempool, whoever brought them."""
        return self._settle(self.machines.admitted(pendings, now), now)

    # --- messages ------------------------------------------------------------------------------------------

    def _greeted(self, session: Session, now: float) -> list[Action]:
        """A step of the greeting is done."""
        if session.stage is Stage.READY:
            return self._ready(session, now)
        if session.stage is Stage.WELCOMED and session.purpose == "feeler":
            return self.slots.felt(session.peer, now, self._wall())
        return []

    def _ready(self, session: Session, now: float) -> list[Action]:
        peer, version, wall = session.peer, session.theirs, self._wall()
        assert version is not None  # Ready comes after Version
        actions = self.slots.ready(peer, now, wall, block_only=self._is_block_only(session))
        if _ends(peer, actions):
            return actions
        session.clock_offset = version.time - wall
        self._note_listener(session, version, wall)
        actions += self.machines.peer_ready(peer, version, now, inbound=session.inbound)
        if self._is_block_only(session):
            return actions
        if not session.inbound:
            self._intake.asked(peer)
            actions.append(Send(peer, GetAddresses()))
        return actions + self.machines.operations.peer_ready(peer, now, outbound=not session.inbound)

    def _dispatch(self, session: Session, message: Message, now: float) -> list[Action]:
        peer = session.peer
        actions = self.machines.of_blocks(peer, message, now)
        if actions is not None:
            return actions
        if self._is_block_only(session):
            return [Blame(peer, FLOOD, f"{type(message).__name__} on a connection for blocks only")]
        actions = self.machines.of_operations(peer, message, now)
        return self._of_addresses(session, message, now) if actions is None else actions

    # --- addresses -----------------------------------------------------------------------------------------

    def _of_addresses(self, session: Session, message: Message, now: float) -> list[Action]:
        match message:
            case GetAddresses():
                return self._tell_addresses(session)
            case Addresses():
                return self._take_addresses(session, message, now)
        return [Blame(session.peer, MALFORMED, f"{type(message).__name__} makes no sense here")]

    def _tell_addresses(self, session: Session) -> list[Action]:
        """Once a connection, and only to those who came in: a list is not to be had again and again."""
        if session.told_addresses or not session.inbound:
            return []
        session.told_addresses = True
        known = self.book.sample(messages.MAX_ADDRESSES, self._wall())
        listed = tuple(Address(k.endpoint.ip, k.endpoint.port, max(0, k.seen), k.key) for k in known)
        return [Send(session.peer, Addresses(listed))]

    def _take_addresses(self, session: Session, message: Addresses, now: float) -> list[Action]:
        allowed = self._intake.allowed(session.peer, len(message.addresses), now)
        source, wall = group_of(session.endpoint.ip), self._wall()
        for address in message.addresses[:allowed]:
            if is_usable(address.ip, address.port, session.endpoint.ip) and address.key != self._own.key:
                self.book.add(Endpoint(address.ip, address.port), source, address.last_seen, wall, address.key)
        return []

    def _note_listener(self, session: Session, version: Version, wall: float) -> None:
        """An inbound peer says at which port it takes connections itself."""
        if session.inbound and version.listen_port and is_usable(session.endpoint.ip, version.listen_port):
            endpoint = Endpoint(session.endpoint.ip, version.listen_port)
            self.book.add(endpoint, group_of(endpoint.ip), int(wall), wall, session.key)

    # --- plumbing ------------------------------------------------------------------------------------------

    def _version(self, purpose: str) -> Version:
        tip = self._facts.tip()
        return Version(
            protocol=messages.PROTOCOL,
            genesis=self._facts.genesis_id,
            network=self._facts.params.name,
            agent=self._own.agent,
            height=tip.height,
            work=tip.work,
            time=int(self._wall()),
            nonce=self._nonce,
            listen_port=self._own.listen_port,
            block_only=purpose == "block-only",
        )

    def _is_block_only(self, session: Session) -> bool:
        return session.ours.block_only or (session.theirs is not None and session.theirs.block_only)

    def _settle(self, actions: list[Action], now: float) -> list[Action]:
        """Enter blame in the scores, hold unproven work against budgets, and hear no more of whoever is closed."""
        settled: list[Action] = []
        waiting = deque(actions)
        while waiting:
            action = waiting.popleft()
            if isinstance(action, Blame):
                waiting.extendleft(self._blame(action))
            elif isinstance(action, Probe):
                waiting.extendleft(self._probe(action, now))
            elif (
                isinstance(action, Do) and isinstance(action.task, AdmitOperation) and not self._paid(action.task, now)
            ):
                waiting.extend(self.machines.operations.dropped(action.task, now))
            else:
                settled.append(action)
            if isinstance(action, Send):
                self.budgets.asked(action.peer, action.message)
            if isinstance(action, Close):
                self._end(action.peer, now)
        return settled

    def _end(self, peer: Peer, now: float) -> None:
        """While the shell says goodbye, the place is free and no other connection has to stand back for this one."""
        self.slots.closed(peer, now)
        self.machines.counter.gone(peer)
        if peer in self.sessions:
            self.sessions[peer].stage = Stage.CLOSED

    def _paid(self, task: AdmitOperation, now: float) -> bool:
        return self.budgets.operation(task.peer, now)

    def _account(self, task: AdmitOperation, outcome: Outcome) -> None:
        """Work that proved good costs nothing, work refused before the stamp was hashed only its share."""
        error = outcome.error
        if error is None or isinstance(error, LocalError):
            self.budgets.proven(task.peer)
        elif error.code in _EARLY:
            self.budgets.refused_early(task.peer)

    def _probe(self, probe: Probe, now: float) -> list[Action]:
        session = self.sessions.get(probe.peer)
        return [] if session is None else session.probe(now, self._rng.getrandbits(64))

    def _blame(self, blame: Blame) -> list[Action]:
        session = self.sessions.get(blame.peer)
        if session is None:
            return []
        ban = self.scores.blame(session.key, session.endpoint.ip, blame.points, blame.reason, self._wall())
        if ban is None:
            return []
        return [Close(blame.peer, "banned", blame.reason)]


def _ends(peer: Peer, actions: Sequence[Action]) -> bool:
    return any(isinstance(action, Close) and action.peer == peer for action in actions)
