"""What a router is given by the world it runs in, real or simulated."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from meshchain.crypto import verify_ed25519
from meshrouter.counters import Counters
from meshrouter.identity import Identity

Verify = Callable[[bytes, bytes, bytes], bool]
"""(key 32, message, signature 64) → whether it holds; never raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Env:
    """``rng`` makes keys, indexes and jitter: SystemRandom in a real node, seeded in a simulation."""

    identity: Identity
    genesis: bytes
    """Id of the network's first block, 32 bytes: prologue of every handshake, part of what announcements sign."""
    rng: random.Random
    zone: int = 0
    verify: Verify = verify_ed25519
    counters: Counters = field(default_factory=Counters)

    @property
    def network(self) -> bytes:
        """The 4 bytes by which frames in clear name the network."""
        return self.genesis[:4]
