"""The connections this node wants, has, and gives up.

Theory of operation
-------------------
*Configured* peers are always wanted; one that cannot be reached is tried again after 1 s, 2 s, … 60 s. *Anchors*, the
block-only peers of the last run, are dialled first after a start, so that a restart alone cannot surround a node.
Then the address book fills eight *outbound* and two *block-only* places, each in another position than all others
of ours. A block-only connection carries no operations and no addresses, so nobody can see by traffic which nodes it
joins. Every two minutes a *feeler* tries one address from *new* and hangs up, which is how addresses get into *tried*.

One key has one connection. Of two, the first stays; but where two nodes have dialled each other, the one that the
smaller key has dialled stays, so that both sides give up the same one. Inbound connections are judged in
``inbound``. ``decide`` looks at all of that and says whom to dial.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from meshchain.p2p.actions import Action, Close, Dial, Endpoint, Peer
from meshchain.p2p.addresses import AddressBook, group_of
from meshchain.p2p.slots import inbound as admission
from meshchain.p2p.slots.held import Held

OUTBOUND: Final = 8
BLOCK_ONLY: Final = 2
ANCHORS: Final = 2
FEELER_EVERY: Final = 120.0
_FIRST_RETRY: Final = 1.0
_LAST_RETRY: Final = 60.0
_DIALS_AT_ONCE: Final = 4
_DUPLICATE: Final = ("duplicate", "these two nodes are connected already")


@dataclass(slots=True)
class _Wanted:
    """A configured peer: when to try it next."""

    wait: float = _FIRST_RETRY
    due: float = 0.0


class Slots:
    """Times are running seconds, ``wall`` is unix time. ``own_key``: our node key, never to be connected to."""

    def __init__(
        self,
        book: AddressBook,
        rng: random.Random,
        *,
        own_key: bytes,
        configured: Iterable[Endpoint] = (),
        anchors: Iterable[Endpoint] = (),
    ) -> None:
        self._book = book
        self._rng = rng
        self._own_key = own_key
        self._configured = {endpoint: _Wanted() for endpoint in configured}
        self._anchors = list(anchors)[:ANCHORS]
        self._held: dict[Peer, Held] = {}
        self._dialling: dict[Endpoint, str] = {}
        self._ourselves: dict[Endpoint, None] = {}
        self._next_feeler = FEELER_EVERY

    @property
    def held(self) -> Sequence[Held]:
        return tuple(self._held.values())

    def want(self, endpoint: Endpoint) -> None:
        """Add a configured peer (a name that resolved later)."""
        self._configured.setdefault(endpoint, _Wanted())

    def opened(self, held: Held, now: float) -> list[Action]:
        """A connection is established and its key proven; Close actions for it or for one that makes room."""
        self._dialling.pop(held.endpoint, None)
        refusal = self._refusal(held)
        if refusal is not None:
            return [Close(held.peer, *refusal)]
        twin = next((other for other in self._held.values() if other.key == held.key), None)
        if twin is not None and not self._replaces(held, twin):
            return [Close(held.peer, *_DUPLICATE)]
        self._held[held.peer] = held
        if twin is not None:
            return [Close(twin.peer, *_DUPLICATE)]
        spare = admission.spare(self.held, now)
        return [] if spare is None else [Close(spare.peer, "no-room", "another peer has taken this place")]

    def ready(self, peer: Peer, wall: float) -> list[Action]:
        """The greeting is over: the address answered. A feeler has seen enough."""
        held = self._held.get(peer)
        if held is None:
            return []
        held.ready = True
        if not held.inbound:
            self._book.answered(held.endpoint, wall, held.key)
            if held.endpoint in self._configured:
                self._configured[held.endpoint].wait = _FIRST_RETRY
        return [Close(peer, "feeler", "only looking whether you are there")] if held.purpose == "feeler" else []

    def closed(self, peer: Peer, now: float) -> None:
        held = self._held.pop(peer, None)
        if held is not None and not held.inbound:
            self._postpone(held.endpoint, now)

    def dial_failed(self, endpoint: Endpoint, now: float) -> None:
        self._dialling.pop(endpoint, None)
        self._postpone(endpoint, now)

    def useful(self, peer: Peer, now: float) -> None:
        """The peer brought something new."""
        if peer in self._held:
            self._held[peer].useful = now

    def measured(self, peer: Peer, round_trip: float) -> None:
        if peer in self._held:
            self._held[peer].round_trip = round_trip

    def anchors(self) -> list[Endpoint]:
        """The block-only peers of now, to be dialled first after a restart."""
        return [held.endpoint for held in self._held.values() if held.purpose == "block-only" and held.ready][:ANCHORS]

    def decide(self, now: float, wall: float) -> list[Action]:
        """Whom to dial now."""
        dials: list[Action] = []
        for endpoint, purpose in self._wishes(now, wall):
            if len(self._dialling) >= _DIALS_AT_ONCE + len(self._configured):
                break
            if not self._busy(endpoint):
                self._dialling[endpoint] = purpose
                self._book.attempted(endpoint, wall)
                dials.append(Dial(endpoint, purpose))
        return dials

    # -------------------------------------------------------------------------------------------------------

    def _wishes(self, now: float, wall: float) -> Iterator[tuple[Endpoint, str]]:
        for endpoint, wanted in self._configured.items():
            if now >= wanted.due and endpoint not in self._ourselves:
                yield endpoint, "configured"
        while self._anchors:
            yield self._anchors.pop(0), "block-only"
        for purpose, most in (("outbound", OUTBOUND), ("block-only", BLOCK_ONLY)):
            if self._count(purpose) < most and (found := self._draw(wall)) is not None:
                yield found, purpose
        if now >= self._next_feeler:
            self._next_feeler = now + FEELER_EVERY * (0.5 + self._rng.random())
            known = self._book.select(wall, only_new=True)
            if known is not None:
                yield known.endpoint, "feeler"

    def _draw(self, wall: float) -> Endpoint | None:
        """An address in a position of which we hold none."""
        taken = {group_of(held.endpoint.ip) for held in self._held.values() if not held.inbound}
        taken |= {group_of(endpoint.ip) for endpoint in self._dialling}
        for _ in range(8):  # draws a tick
            known = self._book.select(wall)
            if known is not None and group_of(known.endpoint.ip) not in taken and not self._busy(known.endpoint):
                return known.endpoint
        return None

    def _count(self, purpose: str) -> int:
        return sum(h.purpose == purpose for h in self._held.values()) + sum(
            p == purpose for p in self._dialling.values()
        )

    def _busy(self, endpoint: Endpoint) -> bool:
        if endpoint in self._dialling or endpoint in self._ourselves:
            return True
        return any(not held.inbound and held.endpoint == endpoint for held in self._held.values())

    def _refusal(self, held: Held) -> tuple[str, str] | None:
        if held.key == self._own_key:
            if not held.inbound:
                self._ourselves[held.endpoint] = None
            return "self", "this is the same node"
        return admission.refusal(self.held, held) if held.inbound else None

    def _replaces(self, newcomer: Held, twin: Held) -> bool:
        """Whether the newcomer stays instead of the connection that we hold to the same key."""
        crossed = newcomer.inbound != twin.inbound
        return crossed and newcomer.inbound == (newcomer.key < self._own_key)

    def _postpone(self, endpoint: Endpoint, now: float) -> None:
        wanted = self._configured.get(endpoint)
        if wanted is not None:
            wanted.due, wanted.wait = now + wanted.wait, min(2 * wanted.wait, _LAST_RETRY)
