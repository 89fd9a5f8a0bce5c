"""What the queue asks its node to do now."""

from dataclasses import dataclass, field
from typing import TypeAlias

from meshchain.ledger.operations import Operation
from meshchain.ledger.stamps import StampSearch


@dataclass(frozen=True, slots=True)
class Stamp:
    """Find a stamp: run ``search()`` and hand its result to ``Queue.stamped``."""

    opid: bytes
    challenge: bytes
    bits: int
    anchor_height: int
    anchor_hash: bytes
    memory_kib: int
    start: int = field(compare=False)
    """Where the nonces begin."""
    found: tuple[int | None, ...] = field(compare=False)
    """Nonces of an earlier search, or of a stamp with fewer bits."""
    tried: int = field(compare=False)
    """Hashes made so far."""

    def search(self) -> StampSearch:
        """A search that goes on where an earlier one stopped; costs up to 8 hashes (memory as in consensus)."""
        return StampSearch.resume(self.challenge, self.bits, self.memory_kib, self.start, self.found, self.tried)


@dataclass(frozen=True, slots=True)
class Send:
    """Put a stamped operation into the mempool (and so on its way to the peers)."""

    opid: bytes
    operation: Operation


Action: TypeAlias = Stamp | Send
