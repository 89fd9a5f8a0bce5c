"""Slots with a world around them: every dial reaches somebody, and every close is reported."""

from collections.abc import Callable, Iterable
from random import Random

from meshchain.p2p.actions import Action, Close, Dial, Endpoint, Peer, Probe
from meshchain.p2p.addresses import AddressBook, group_of
from meshchain.p2p.slots import Held, Slots
from tests.p2p.addresses.crowd import NOW, key_of, v4

OWN = b"\x80" * 32
"""A key in the middle: others are smaller or greater."""


class Yard:
    """One node's slots. ``reach`` tells the key that answers at an endpoint; None: nobody does."""

    def __init__(
        self,
        *,
        configured: Iterable[Endpoint] = (),
        anchors: Iterable[Endpoint] = (),
        heard: Iterable[Endpoint] = (),
        seed: int = 1,
        own: bytes = OWN,
        reach: Callable[[Endpoint], bytes | None] = key_of,
        prompt: bool = True,
    ) -> None:
        """``prompt``: a close is reported at once, not after the goodbye."""
        rng = Random(seed)
        self.book = AddressBook(rng.randbytes(32), rng)
        for n, endpoint in enumerate(heard):
            self.book.add(endpoint, group_of(v4(20, n % 50).ip), NOW, NOW)
        self.slots = Slots(self.book, rng, own_key=own, configured=configured, anchors=anchors)
        self.reach = reach
        self.prompt = prompt
        self.now = 0.0
        self.peers = 0
        self.dials: list[tuple[float, Endpoint, str]] = []
        self.closes: list[Close] = []
        self.probes: list[Probe] = []
        self.most_held = 0

    @property
    def wall(self) -> float:
        return NOW + self.now

    def held(self, purpose: str) -> list[Held]:
        return [held for held in self.slots.held if held.purpose == purpose]

    def run(self, seconds: float, tick: float = 0.25) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += tick
            self.settle(self.slots.tick(self.now))
            for action in self.slots.decide(self.now, self.wall):
                assert isinstance(action, Dial)
                self.dials.append((self.now, action.endpoint, action.purpose))
                self._dial(action)

    def opened(
        self,
        key: bytes,
        endpoint: Endpoint,
        *,
        inbound: bool = True,
        purpose: str = "inbound",
        ready: bool = True,
        block_only: bool = False,
    ) -> tuple[Peer, list[Close]]:
        """A connection to ``key``; what had to go for it, which may be itself."""
        self.peers += 1
        peer = self.peers
        held = Held(
            peer=peer,
            key=key,
            endpoint=endpoint,
            group=group_of(endpoint.ip),
            inbound=inbound,
            purpose=purpose,
            opened=self.now,
        )
        closes = self.settle(self.slots.opened(held, self.now))
        if ready and purpose == "feeler":
            closes += self.settle(self.slots.felt(peer, self.now, self.wall))
        elif ready:
            block_only = block_only or purpose == "block-only"
            closes += self.settle(self.slots.ready(peer, self.now, self.wall, block_only=block_only))
        return peer, closes

    def close(self, peer: Peer) -> None:
        self.slots.closed(peer, self.now)

    def _dial(self, dial: Dial) -> None:
        key = self.reach(dial.endpoint)
        if key is None:
            self.slots.dial_failed(dial.endpoint, self.now)
        else:
            self.opened(key, dial.endpoint, inbound=False, purpose=dial.purpose)

    def settle(self, actions: list[Action]) -> list[Close]:
        """Note what is to be closed or asked."""
        self.probes += [action for action in actions if isinstance(action, Probe)]
        closes = [action for action in actions if isinstance(action, Close)]
        for close in closes if self.prompt else ():
            self.slots.closed(close.peer, self.now)
        self.closes += closes
        self.most_held = max(self.most_held, len(self.slots.held))
        return closes
