"""The state that operations read and change: entries, claimed addresses, commitments.

``StateReader`` is what a rule may ask. ``Overlay`` lays uncommitted changes over any reader, so a block, a
template or a mempool is tried out without touching the store: applying writes into dictionaries that are
either turned into one atomic batch or dropped.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from meshchain.ledger.entry import NameEntry


@dataclass(frozen=True, slots=True)
class Commitment:
    """A commitment in the index: the height of its commit, and whether a reveal has used it."""

    height: int
    used: bool


class StateReader(Protocol):
    """The state after some block."""

    def entry(self, name: str) -> NameEntry | None: ...

    def holder(self, address: bytes) -> str | None:
        """The living name that holds the claimed 16-byte address."""

    def commitment(self, commitment: bytes) -> Commitment | None: ...

    def expired_names(self, height: int, grace: int) -> Iterator[str]:
        """Names whose expires + grace ≤ height."""

    def old_commitments(self, below: int) -> Iterator[bytes]:
        """Commitments whose commit stands in a block below height ``below``."""


class EmptyState:
    """The state of the genesis block."""

    def entry(self, name: str) -> NameEntry | None:  # noqa: ARG002 - nothing is in it
        return None

    def holder(self, address: bytes) -> str | None:  # noqa: ARG002
        return None

    def commitment(self, commitment: bytes) -> Commitment | None:  # noqa: ARG002
        return None

    def expired_names(self, height: int, grace: int) -> Iterator[str]:  # noqa: ARG002
        return iter(())

    def old_commitments(self, below: int) -> Iterator[bytes]:  # noqa: ARG002
        return iter(())


class Overlay:
    """Changes over a reader; itself a reader. Not thread-safe."""

    def __init__(self, base: StateReader) -> None:
        self.base = base
        self.entries: dict[str, NameEntry | None] = {}
        self.commitments: dict[bytes, Commitment | None] = {}
        self.holders: dict[bytes, str | None] = {}
        self._read: dict[str, NameEntry | None] = {}

    def entry(self, name: str) -> NameEntry | None:
        return self.entries[name] if name in self.entries else self.original(name)

    def original(self, name: str) -> NameEntry | None:
        """The base's entry, read once."""
        if name not in self._read:
            self._read[name] = self.base.entry(name)
        return self._read[name]

    def holder(self, address: bytes) -> str | None:
        return self.holders[address] if address in self.holders else self.base.holder(address)

    def commitment(self, commitment: bytes) -> Commitment | None:
        if commitment in self.commitments:
            return self.commitments[commitment]
        return self.base.commitment(commitment)

    def expired_names(self, height: int, grace: int) -> Iterator[str]:
        """Of the base alone: expiry is the first step of a block, when nothing has changed yet."""
        return self.base.expired_names(height, grace)

    def old_commitments(self, below: int) -> Iterator[bytes]:
        return self.base.old_commitments(below)

    def set_entry(self, name: str, entry: NameEntry | None) -> None:
        """Replace or delete an entry; the address index follows."""
        before = self.entry(name)
        freed = before.address if before else None
        granted = entry.address if entry else None
        if freed is not None and freed != granted and self.holder(freed) == name:
            self.holders[freed] = None
        if granted is not None:
            self.holders[granted] = name
        self.entries[name] = entry

    def set_commitment(self, commitment: bytes, value: Commitment | None) -> None:
        self.commitments[commitment] = value
