"""The connections this node wants, has, and gives up.

Theory of operation
-------------------
*Configured* peers are always wanted; one that cannot be reached is tried again after 1 s, 2 s, … 60 s. *Anchors*, the
block-only peers of the last run, are dialled first after a start, so that a restart alone cannot surround a node.
Then the address book fills eight *outbound* and two *block-only* places, each in another position than all others
of ours. A block-only connection carries no operations and no addresses, so nobody can see by traffic which nodes it
joins. Every two minutes a *feeler* tries one address that has not proven itself and hangs up, which is how addresses
get into *tried*.

One key has one connection. Of two, the first stays; but where two nodes have dialled each other, the one that the
smaller key has dialled stays, so that both sides give up the same one. (A peer that lost its power and comes back
is taken for a duplicate until the old connection has missed a ping, 150 s at most.) A feeler that wins over an
inbound connection takes its place as an outbound one, because the other side gives up the old one too. Peers that
are connected already are not dialled: a key counts here only if the address itself has proven it, or if its connection
comes from the same host, for anybody can claim that an address belongs to a key.

Inbound connections are judged in ``inbound``. A connection that is given up here is forgotten at once; the report
that it is closed changes nothing any more. ``decide`` looks at all of that and says whom to dial.
"""

import random
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from meshchain.p2p.actions import Action, Close, Dial, Endpoint, Peer
from meshchain.p2p.addresses import AddressBook, Known, group_of
from meshchain.p2p.slots import inbound as admission
from meshchain.p2p.slots.configured import Configured
from meshchain.p2p.slots.held import Held

OUTBOUND: Final = 8
BLOCK_ONLY: Final = 2
ANCHORS: Final = 2
FEELER_EVERY: Final = 120.0
_DIALS_AT_ONCE: Final = 4
_LOOK_AGAIN: Final = 5.0
"""Seconds before the book is looked through again after it had nothing that fits."""
_MOST_OURSELVES: Final = 64
_DUPLICATE: Final = ("duplicate", "these two nodes are connected already")


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
        self._last_anchors = tuple(anchors)[:ANCHORS]
        self._undialled = list(self._last_anchors)
        self._held: dict[Peer, Held] = {}
        self._dialling: dict[Endpoint, str] = {}
        self._ourselves: OrderedDict[Endpoint, None] = OrderedDict()
        self._next_feeler: float | None = None
        self._look_again = 0.0

    def renewed(self) -> "Slots":
        """Others, without connections, that want the same."""
        return Slots(
            self._book,
            self._rng,
            own_key=self._own_key,
            configured=self._configured.endpoints,
            anchors=self.anchors(),
            position=self._position,
        )

    @property
    def held(self) -> Sequence[Held]:
        return tuple(self._held.values())

    def want(self, endpoint: Endpoint) -> None:
        """Add a configured peer (a name that resolved later)."""
        self._configured.add(endpoint)

    def is_configured(self, key: bytes) -> bool:
        """Whether a configured peer has proven this key, whoever dialled this time."""
        return self._configured.is_key(key)

    # --- reports -----------------------------------------------------------------------------------------------

    def opened(self, held: Held, now: float) -> list[Action]:
        """A connection is established and its key proven; Close actions for it or for one that makes room."""
        if not held.inbound:
            self._dialling.pop(held.endpoint, None)
            self._configured.answered(held.endpoint, held.key)
        twin = next((other for other in self._held.values() if other.key == held.key), None)
        refusal = self._refusal(held, twin)
        if refusal is not None:
            return [Close(held.peer, *refusal)]
        self._held[held.peer] = held
        actions: list[Action] = [] if twin is None else [self._replace(twin, held, now)]
        spare = admission.spare(self._held.values(), self._secret)
        if spare is not None:
            actions.append(self._give_up(spare, now, "no-room", "another peer has taken this place"))
        return actions

    def ready(self, peer: Peer, wall: float) -> list[Action]:
        """The greeting is over: the address answered. A feeler has seen enough."""
        held = self._held.get(peer)
        if held is None:
            return []
        held.ready = True
        if not held.inbound:
            self._book.answered(held.endpoint, wall, held.key)
        return [Close(peer, "feeler", "only looking whether you are there")] if held.purpose == "feeler" else []

    def closed(self, peer: Peer, now: float) -> None:
        held = self._held.pop(peer, None)
        if held is not None:
            self._ended(held, now)

    def dial_failed(self, endpoint: Endpoint, now: float) -> None:
        self._dialling.pop(endpoint, None)
        self._configured.ended(endpoint, now)

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
        keys = {held.key for held in self._held.values()}
        for endpoint, key in self._configured.due(now):
            if key not in keys:
                yield endpoint, "configured"
        while self._undialled:
            yield self._undialled.pop(0), "block-only"
        yield from self._from_book(now, wall)
        if self._feeler_due(now):
            known = self._book.to_test(wall, lambda known: self._is_free(known, keys))
            if known is not None:
                yield known.endpoint, "feeler"

    def _from_book(self, now: float, wall: float) -> Iterator[tuple[Endpoint, str]]:
        for purpose, most in (("outbound", OUTBOUND), ("block-only", BLOCK_ONLY)):
            if now < self._look_again or self._count(purpose) >= most or self._dials_of_book() >= _DIALS_AT_ONCE:
                continue
            found = self._draw(wall)
            if found is None:
                self._look_again = now + _LOOK_AGAIN
            else:
                yield found, purpose

    def _draw(self, wall: float) -> Endpoint | None:
        """An address in a position of which we hold none."""
        keys = {held.key for held in self._held.values()}
        taken = {self._position(held.endpoint.ip) for held in self._held.values() if not held.inbound}
        taken |= {self._position(endpoint.ip) for endpoint in self._dialling}
        known = self._book.select(
            wall, lambda known: self._is_free(known, keys) and self._position(known.endpoint.ip) not in taken
        )
        return None if known is None else known.endpoint

    def _is_free(self, known: Known, keys: set[bytes]) -> bool:
        """Neither configured, which is another matter, nor connected already."""
        if known.endpoint in self._configured or known.proven_key in keys or self._came_from(known):
            return False
        return not self._busy(known.endpoint)

    def _came_from(self, known: Known) -> bool:
        """Whether the key is connected from the address's own host: it has told us itself where it listens.

        Dialled all the same, it would often have replaced the connection that it had chosen by one for blocks only, and
        a node that has no other peer would never get its operations out.
        """
        return any(held.key == known.key and held.endpoint.ip == known.endpoint.ip for held in self._held.values())

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
        return sum(purpose != "configured" for purpose in self._dialling.values())

    def _busy(self, endpoint: Endpoint) -> bool:
        if endpoint in self._dialling or endpoint in self._ourselves:
            return True
        return any(not held.inbound and held.endpoint == endpoint for held in self._held.values())

    # --- one key, one connection -------------------------------------------------------------------------------

    def _refusal(self, held: Held, twin: Held | None) -> tuple[str, str] | None:
        if held.key == self._own_key:
            self._note_ourselves(held)
            return "self", "this is the same node"
        if twin is not None:
            return None if self._replaces(held, twin) else _DUPLICATE
        return admission.refusal(self._held.values(), held) if held.inbound else None

    def _note_ourselves(self, held: Held) -> None:
        if not held.inbound:
            self._ourselves[held.endpoint] = None
            if len(self._ourselves) > _MOST_OURSELVES:
                self._ourselves.popitem(last=False)

    def _replaces(self, newcomer: Held, twin: Held) -> bool:
        """Whether the newcomer stays instead of the connection that we hold to the same key."""
        crossed = newcomer.inbound != twin.inbound
        return crossed and newcomer.inbound == (newcomer.key < self._own_key)

    def _replace(self, twin: Held, held: Held, now: float) -> Close:
        if held.purpose == "feeler":
            held.purpose = "outbound"
        return self._give_up(twin, now, *_DUPLICATE)

    def _give_up(self, held: Held, now: float, code: str, reason: str) -> Close:
        del self._held[held.peer]
        self._ended(held, now)
        return Close(held.peer, code, reason)

    def _ended(self, held: Held, now: float) -> None:
        if not held.inbound:
            self._configured.ended(held.endpoint, now, now - held.opened if held.ready else 0.0)
