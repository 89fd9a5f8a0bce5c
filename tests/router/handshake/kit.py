"""Two nodes, and one handshake between them."""

from dataclasses import dataclass, field
from functools import cache
from random import Random

from meshchain.crypto.address import node_id
from meshrouter.handshake import Door, Finished, Initiation, Offer
from meshrouter.identity import Identity
from meshrouter.wire.handshake import LinkPayload

PROLOGUE = b"meshp link 1" + bytes(range(32))
SOURCE = b"link 1, somebody"
MINE, THEIRS = 0x01020304, 0xA0B0C0D0


@cache
def identity(name: str) -> Identity:
    return Identity.from_seed(name.encode().ljust(32, b"."))


def payload(who: Identity) -> bytes:
    return LinkPayload(who.key, 3, 4000, 77).encode()


def minus(key: bytes) -> bytes:
    """The Ed25519 key −A: another point, the same X25519 key."""
    return key[:31] + bytes((key[31] ^ 0x80,))


def turned(who: Identity) -> Identity:
    """Who holds A, going by −A."""
    other = node_id(minus(who.key))
    assert other is not None
    return Identity(who.seed, minus(who.key), other, who.static)


@dataclass
class Exchange:
    """A begins, B answers."""

    seed: int = 0
    a: Identity = field(default_factory=lambda: identity("a"))
    b: Identity = field(default_factory=lambda: identity("b"))

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        self.initiation = Initiation(self.a, self.b.key, PROLOGUE, payload(self.a), MINE, self.rng)
        self.door = Door(self.b, PROLOGUE, self.rng)

    def offer(self, body: bytes | None = None, now: float = 0.0) -> Offer:
        offer = self.door.consume(self.initiation.message() if body is None else body, SOURCE, now)
        assert isinstance(offer, Offer)
        return offer

    def finished(self) -> tuple[Finished, bytes, bytes]:
        """What A has, and B's keys to send and to receive with."""
        body, send, receive = self.offer().answer(payload(self.b), THEIRS)
        return self.initiation.finish(body), send, receive
