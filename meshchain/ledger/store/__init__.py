"""Where the ledger lives: an ordered key-value store with atomic batches and snapshots.

``layout`` holds the table of keys, ``leveldb`` the arm for real nodes, ``memory`` the arm for simulations
and tests. Both pass the same tests.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol


class Reader(Protocol):
    """A consistent view of the store."""

    def get(self, key: bytes) -> bytes | None: ...

    def items(
        self, prefix: bytes, start: bytes = b"", end: bytes = b"", *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """Keys with ``prefix`` in bytewise order, from prefix + start on, those before prefix + end (b"": all).

        ``reverse``: from the last one down."""


class Store(Reader, Protocol):
    """One writer, any number of readers in any threads."""

    @property
    def epoch(self) -> int:
        """Grows when the snapshots taken so far have become useless, as after a failed write."""

    def write(self, changes: Mapping[bytes, bytes | None], *, sync: bool = True) -> None:
        """Apply all of ``changes`` (None deletes) or none of it; on return it is on the disk if ``sync``.

        Raises StoreError (disk-full, io). Nothing of the batch is then visible, as a rule: where the data reached the
        disk and only fsync failed, all of it is.
        """

    def snapshot(self) -> Reader:
        """The state of now, unchanged by later writes; freed when it is collected."""

    def close(self) -> None: ...
