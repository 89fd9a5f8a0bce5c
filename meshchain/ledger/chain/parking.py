"""Parked reorgs: a rival that would disconnect many settled blocks waits before it is adopted.

Theory of operation
-------------------
In a coinless chain hash power can be rented for hours, so a deep reorg is delayed and announced, never denied:
hard finality would split the network for good after every long partition. A rival branch is known by its first
block after the fork. While it is heavier than the active chain its clock runs; while it is lighter the clock
stands still, and it never goes back. The rival is adopted once the clock shows max(parking_min,
depth · parking_per_block) seconds, or at once when it is heavier and parking_max seconds have passed since
it first was. An operator can accept it at any moment.

The clock counts the time this node runs, measured monotonically by the caller, so that neither a wrong wall clock
nor a restart cuts the delay short. Records are persisted with every tick.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from meshchain.ledger.chain.statedb import Changes
from meshchain.ledger.errors import StoreError
from meshchain.ledger.params import Policy
from meshchain.ledger.store import Reader, layout


@dataclass(frozen=True, slots=True)
class ParkedRival:
    """One rival's clock, in milliseconds."""

    heavier_ms: int = 0
    """How long it was heavier than the active chain, in total."""
    known_ms: int = 0
    """How long ago, in running time, it first was."""
    accepted: bool = False

    def encode(self) -> bytes:
        return self.heavier_ms.to_bytes(8, "big") + self.known_ms.to_bytes(8, "big") + bytes((self.accepted,))

    @classmethod
    def decode(cls, data: bytes) -> "ParkedRival":
        if len(data) != 17:
            raise StoreError("damaged", "a parking record is damaged")
        return cls(int.from_bytes(data[:8], "big"), int.from_bytes(data[8:16], "big"), data[16] == 1)


class ParkingLot:
    """All rivals that have ever been parked and are still around, by the id of their first block."""

    def __init__(self, reader: Reader, policy: Policy) -> None:
        self._policy = policy
        self.rivals = {key[1:]: ParkedRival.decode(data) for key, data in reader.items(layout.PARKED)}

    def needs_parking(self, settled: int) -> bool:
        """Whether a reorg that disconnects this many settled blocks has to wait."""
        return settled > self._policy.settled_depth

    def required_ms(self, depth: int) -> int:
        return 1000 * max(self._policy.parking_min, depth * self._policy.parking_per_block)

    def may_adopt(self, first: bytes, depth: int) -> bool:
        """For a rival that is heavier now and would disconnect ``depth`` settled blocks."""
        rival = self.rivals.get(first, ParkedRival())
        return rival.accepted or rival.heavier_ms >= self.required_ms(depth) or self._has_run_out(rival)

    def _has_run_out(self, rival: ParkedRival) -> bool:
        return rival.known_ms >= 1000 * self._policy.parking_max

    def park(self, first: bytes) -> Changes:
        """Start the rival's clock; no change if it runs already."""
        return {} if first in self.rivals else self._set(first, ParkedRival())

    def accept(self, first: bytes) -> Changes:
        return self._set(first, replace(self.rivals.get(first, ParkedRival()), accepted=True))

    def tick(self, elapsed_ms: int, heavier: Iterable[bytes]) -> Changes:
        """Let ``elapsed_ms`` of running time pass; ``heavier`` are the rivals now heavier than the active chain."""
        running = set(heavier)
        changes: Changes = {}
        for first, rival in self.rivals.items():
            if self._has_run_out(rival):
                continue  # and need not be written every second for the rest of time
            gained = elapsed_ms if first in running else 0
            aged = replace(rival, heavier_ms=rival.heavier_ms + gained, known_ms=rival.known_ms + elapsed_ms)
            changes |= self._set(first, aged)
        return changes

    def drop(self, first: bytes) -> Changes:
        """Forget a rival that was adopted or found invalid."""
        return {layout.PARKED + first: None} if self.rivals.pop(first, None) else {}

    def _set(self, first: bytes, rival: ParkedRival) -> Changes:
        self.rivals[first] = rival
        return {layout.PARKED + first: rival.encode()}
