"""The connections this node wants, has, and gives up.

Theory of operation
-------------------
*Configured* peers are always wanted; one that cannot be reached is tried again after 1 s, 2 s, … 60 s, or … 10 s if it
was connected before. Mesh *neighbours*, nodes on our own links, are wanted likewise, eight at most: they are near, and
how gossip reaches a node that knows nobody else. *Anchors*, the block-only peers of the last run, are dialled first
after a start, so that a restart alone cannot surround a node. Then the address book fills eight *outbound* and two
*block-only* places, each in another position than all others of ours. A block-only connection carries no operations and
no addresses, so nobody can see by traffic which nodes it joins. Every two minutes a *feeler* tries one address that has
not proven itself and hangs up, which is how addresses get into *tried*.

One key has one connection; ``duplicates`` says which of several stays, as soon as they are ready. Whoever is connected
already is not dialled: a key counts here only if the address itself has proven it, or if its connection comes from
the same host, for anybody can claim that an address belongs to a key. What another has dialled for blocks only does not
count against a full connection to it.

Inbound connections are judged in ``inbound``. A connection that is given up here is forgotten at once; the report
that it is closed changes nothing any more. ``decide`` looks at all of that and says whom to dial.
"""

import random
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from meshchain.p2p.actions import Action, Close, Dial, Endpoint, Peer, Probe
from meshchain.p2p.addresses import AddressBook, Known, group_of
from meshchain.p2p.slots import inbound as admission
from meshchain.p2p.slots.configured import Configured
from meshchain.p2p.slots.duplicates import Duplicates
from meshchain.p2p.slots.held import Held

NEIGHBOURS: Final = 8
OUTBOUND: Final = 8
BLOCK_ONLY: Final = 2
ANCHORS: Final = 2
FEELER_EVERY: Final = 120.0
_DIALS_AT_ONCE: Final = 4
_LOOK_AGAIN: Final = 5.0
"""Seconds before the book is looked through again after it had nothing that fits."""
_MOST_OURSELVES: Final = 64
_DUPLICATE: Final = ("duplicate", "these two nodes are connected already")
_REPLACED: Final = ("replaced", "silent, while the same node has connected anew")
_FELT: Final = ("feeler", "only looking whether you are there")


class Slots:
    """Times are running seconds, ``wall`` is unix time. ``own_key``: our node key, never to be connected to.

    ``position`` tells the position of a 16-byte address, as for the address book.
    """

    def __init__(
        self,
        book: AddressBook,
        rng: random.Random,
        *,
        own_key: bytes,
        configured: Iterable[Endpoint] = (),
        anchors: Iterable[Endpoint] = (),
        position: Callable[[bytes], bytes] = group_of,
    ) -> None:
        self._book = book
        self._rng = rng
        self._own_key = own_key
        self._position = position
        self._secret = rng.randbytes(32)
        self._configured = Configured(configured)
        self._neighbours = Configured(())
        self._last_anchors = tuple(anchors)[:ANCHORS]
        self._undialled = list(self._last_anchors)
        self._held: dict[Peer, Held] = {}
        self._duplicates = Duplicates(self._held, own_key)
        self._dialling: dict[Endpoint, str] = {}
        self._ourselves: OrderedDict[Endpoint, None] = OrderedDict()
        self._next_feeler: float | None = None
        self._look_again = 0.0

    def renewed(self) -> "Slots":
        """Others, without connections, that want the same."""
        others = Slots(
            self._book,
            self._rng,
            own_key=self._own_key,
            configured=self._configured.endpoints,
            anchors=self.anchors(),
            position=self._position,
        )
        others._neighbours = self._neighbours
        return others

    @property
    def held(self) -> Sequence[Held]:
        return tuple(self._held.values())

    def want(self, endpoint: Endpoint) -> None:
        """Add a configured peer (a name that resolved later)."""
        self._configured.add(endpoint)

    def set_neighbours(self, neighbours: Mapping[Endpoint, bytes]) -> None:
        """The nodes on our links now: where each takes connections, and its key. Who has gone is not hung up on."""
        self._neighbours.replace(dict(islice(neighbours.items(), NEIGHBOURS)))

    def is_configured(self, key: bytes) -> bool:
        """Whether a configured peer has proven this key, whoever dialled this time."""
        return self._configured.is_key(key)

    # --- reports -----------------------------------------------------------------------------------------------

    def opened(self, held: Held, now: float) -> list[Action]:
        """A connection is established and its key proven; Close actions for it or for one that makes room."""
        if not held.inbound:
            self._dialling.pop(held.endpoint, None)
            self._configured.answered(held.endpoint, held.key)
        refusal = self._refusal(held)
        if refusal is not None:
            return [Close(held.peer, *refusal)]
        self._held[held.peer] = held
        spare = admission.spare(self._held.values(), self._secret)
        return [] if spare is None else [self._give_up(spare, now, "no-room", "another peer has taken this place")]

    def felt(self, peer: Peer, now: float, wall: float) -> list[Action]:
        """A feeler's greeting was answered. It has seen enough, before the connection is ready and counts."""
        held = self._held.get(peer)
        if held is None:
            return []
        self._book.answered(held.endpoint, wall, held.key)
        return [self._give_up(held, now, *_FELT)]

    def ready(self, peer: Peer, now: float, wall: float, *, block_only: bool) -> list[Action]:
        """The greeting is over: the address answered. Close for connections that make room, which may be this one."""
        held = self._held.get(peer)
        if held is None:
            return []
        held.ready, held.block_only = True, block_only
        if not held.inbound:
            self._book.answered(held.endpoint, wall, held.key)
        ruling = self._duplicates.ready(held, now)
        asked = [Probe(twin.peer) for twin in ruling.ask]
        return [*self._give_up_all(ruling.give_up, now), *asked]

    def heard(self, peer: Peer, now: float) -> None:
        """A message came."""
        if peer in self._held:
            self._duplicates.heard(self._held[peer], now)

    def answered(self, peer: Peer, now: float) -> list[Action]:
        """The sign of life that a Probe asked for."""
        held = self._held.get(peer)
        return [] if held is None else self._give_up_all(self._duplicates.answered(held), now)

    def tick(self, now: float) -> list[Action]:
        """Give up who was asked for a sign of life and says nothing."""
        actions: list[Action] = []
        while (held := self._duplicates.silent(now)) is not None:
            actions.append(self._give_up(held, now, *_REPLACED))
        return actions

    def closed(self, peer: Peer, now: float) -> None:
        held = self._held.pop(peer, None)
        if held is not None:
            self._ended(held, now)

    def dial_failed(self, endpoint: Endpoint, now: float) -> None:
        self._dialling.pop(endpoint, None)
        self._configured.ended(endpoint, now)
        self._neighbours.ended(endpoint, now)

    def useful(self, peer: Peer, now: float) -> None:
        """The peer brought something new."""
        if peer in self._held:
            self._held[peer].useful = now

    def measured(self, peer: Peer, round_trip: float) -> None:
        if peer in self._held:
            self._held[peer].round_trip = round_trip

    def anchors(self) -> list[Endpoint]:
        """The block-only peers of now, to be dialled first after a restart; those of the last run where they lack."""
        current = [held.endpoint for held in self._held.values() if held.purpose == "block-only" and held.ready]
        return list(dict.fromkeys((*current, *self._last_anchors)))[:ANCHORS]

    # --- decisions ---------------------------------------------------------------------------------------------

    def decide(self, now: float, wall: float) -> list[Action]:
        """Whom to dial now."""
        dials: list[Action] = []
        for endpoint, purpose in self._wishes(now, wall):
            if not self._busy(endpoint):
                self._dialling[endpoint] = purpose
                self._book.attempted(endpoint, wall)
                dials.append(Dial(endpoint, purpose))
        return dials

    def _wishes(self, now: float, wall: float) -> Iterator[tuple[Endpoint, str]]:
        keys = self._keys("configured")
        for wanted, purpose in ((self._configured, "configured"), (self._neighbours, "neighbour")):
            for endpoint, key in wanted.due(now):
                if key not in keys:
                    yield endpoint, purpose
        while self._undialled:
            yield self._undialled.pop(0), "block-only"
        yield from self._from_book(now, wall)
        if self._feeler_due(now):
            known = self._book.to_test(wall, lambda known: self._is_free(known, "feeler"))
            if known is not None:
                yield known.endpoint, "feeler"

    def _from_book(self, now: float, wall: float) -> Iterator[tuple[Endpoint, str]]:
        for purpose, most in (("outbound", OUTBOUND), ("block-only", BLOCK_ONLY)):
            if now < self._look_again or self._count(purpose) >= most or self._dials_of_book() >= _DIALS_AT_ONCE:
                continue
            found = self._draw(purpose, wall)
            if found is None:
                self._look_again = now + _LOOK_AGAIN
            else:
                yield found, purpose

    def _draw(self, purpose: str, wall: float) -> Endpoint | None:
        """An address in a position of which we hold none."""
        taken = {self._position(held.endpoint.ip) for held in self._held.values() if not held.inbound}
        taken |= {self._position(endpoint.ip) for endpoint in self._dialling}
        known = self._book.select(
            wall, lambda known: self._is_free(known, purpose) and self._position(known.endpoint.ip) not in taken
        )
        return None if known is None else known.endpoint

    def _is_free(self, known: Known, purpose: str) -> bool:
        """Neither configured nor a neighbour, which is another matter, nor connected already."""
        wanted = known.endpoint in self._configured or known.endpoint in self._neighbours
        if wanted or self._is_connected(known, purpose):
            return False
        return not self._busy(known.endpoint)

    def _is_connected(self, known: Known, purpose: str) -> bool:
        """By a key that the address has proven, or that came from its own host and told us where it listens."""
        return any(
            held.key == known.proven_key or (held.key == known.key and held.endpoint.ip == known.endpoint.ip)
            for held in self._sufficient(purpose)
        )

    def _keys(self, purpose: str) -> set[bytes]:
        return {held.key for held in self._sufficient(purpose)}

    def _sufficient(self, purpose: str) -> Iterator[Held]:
        """Connections beside which none to the same node is to be made for ``purpose``.

        All, but for those that a peer has made for blocks only: a node that has no other would never get its operations
        out.
        """
        full = purpose in ("configured", "neighbour", "outbound")
        return (held for held in self._held.values() if not (full and held.inbound and held.block_only))

    def _feeler_due(self, now: float) -> bool:
        if self._next_feeler is not None and now < self._next_feeler:
            return False
        first = self._next_feeler is None
        self._next_feeler = now + FEELER_EVERY * (0.5 + self._rng.random())
        return not first

    def _count(self, purpose: str) -> int:
        dialling = sum(one == purpose for one in self._dialling.values())
        return dialling + sum(held.purpose == purpose and not held.inbound for held in self._held.values())

    def _dials_of_book(self) -> int:
        return sum(purpose not in ("configured", "neighbour") for purpose in self._dialling.values())

    def _busy(self, endpoint: Endpoint) -> bool:
        if endpoint in self._dialling or endpoint in self._ourselves:
            return True
        return any(not held.inbound and held.endpoint == endpoint for held in self._held.values())

    # --- coming and going --------------------------------------------------------------------------------------

    def _refusal(self, held: Held) -> tuple[str, str] | None:
        if held.key == self._own_key:
            self._note_ourselves(held)
            return "self", "this is the same node"
        if self._duplicates.is_one_too_many(held):
            return _DUPLICATE
        if held.inbound and not self._duplicates.of(held):
            return admission.refusal(self._held.values(), held)
        return None

    def _note_ourselves(self, held: Held) -> None:
        if not held.inbound:
            self._ourselves[held.endpoint] = None
            if len(self._ourselves) > _MOST_OURSELVES:
                self._ourselves.popitem(last=False)

    def _give_up_all(self, losers: Iterable[Held], now: float) -> list[Action]:
        return [self._give_up(held, now, *_DUPLICATE) for held in losers]

    def _give_up(self, held: Held, now: float, code: str, reason: str) -> Close:
        del self._held[held.peer]
        self._ended(held, now)
        return Close(held.peer, code, reason)

    def _ended(self, held: Held, now: float) -> None:
        self._duplicates.gone(held)
        if not held.inbound:
            lasted = now - held.opened if held.ready else 0.0
            self._configured.ended(held.endpoint, now, lasted)
            self._neighbours.ended(held.endpoint, now, lasted)
