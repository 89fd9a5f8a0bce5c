"""What a block replaced: enough to take it back from the state after it.

An undo holds the old value of every entry and commitment the block changed, None for those that were absent.
Indexes and tree nodes are not in it: they follow from the entries (``statedb``). Undos are kept for
every block, so a reorg of any depth policy permits can be taken.
"""

from dataclasses import dataclass

from meshchain.ledger import codec
from meshchain.ledger.codec import Value
from meshchain.ledger.entry import NameEntry
from meshchain.ledger.errors import CodecError, StoreError
from meshchain.ledger.shape import array
from meshchain.ledger.state import Commitment, Overlay


@dataclass(frozen=True, slots=True)
class Undo:
    entries: dict[str, NameEntry | None]
    commitments: dict[bytes, Commitment | None]

    @classmethod
    def of(cls, overlay: Overlay) -> "Undo":
        """The values that ``overlay`` replaces in its base."""
        return cls(
            {name: overlay.original(name) for name in overlay.entries},
            {commitment: overlay.base.commitment(commitment) for commitment in overlay.commitments},
        )

    def apply(self, overlay: Overlay) -> None:
        for name, entry in self.entries.items():
            overlay.set_entry(name, entry)
        for commitment, value in self.commitments.items():
            overlay.set_commitment(commitment, value)

    def encode(self) -> bytes:
        entries: list[Value] = [[name, None if e is None else e.encode()] for name, e in self.entries.items()]
        commitments: list[Value] = [
            [commitment, None if c is None else [c.height, c.used]] for commitment, c in self.commitments.items()
        ]
        return codec.encode([entries, commitments])

    @classmethod
    def decode(cls, data: bytes) -> "Undo":
        """Raises StoreError "damaged": only this program writes undos."""
        try:
            entries, commitments = array(codec.decode(data), "an undo")
            return cls(
                dict(_entry(item) for item in array(entries, "entries")),
                dict(_commitment(item) for item in array(commitments, "commitments")),
            )
        except (CodecError, ValueError) as error:
            raise StoreError("damaged", f"an undo record is damaged: {error}") from error


def _entry(item: Value) -> tuple[str, NameEntry | None]:
    name, data = array(item, "an entry's undo")
    if not isinstance(name, str) or not (data is None or isinstance(data, bytes)):
        raise ValueError("an entry's undo is [text, bytes or null]")
    return name, None if data is None else NameEntry.decode(data)


def _commitment(item: Value) -> tuple[bytes, Commitment | None]:
    commitment, value = array(item, "a commitment's undo")
    if not isinstance(commitment, bytes):
        raise ValueError("a commitment's undo is [bytes, [height, used] or null]")
    if value is None:
        return commitment, None
    height, used = array(value, "a commitment")
    if not isinstance(height, int) or not isinstance(used, bool):
        raise ValueError("a commitment is [height, used]")
    return commitment, Commitment(height, used)
