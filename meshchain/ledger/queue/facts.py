"""The chain at one tip, as the queue asks it: the next block's state, where operations stand, who won."""

from collections.abc import Iterator
from functools import cached_property
from itertools import islice

from meshchain.ledger import codec, operations, rules, shape, stamps
from meshchain.ledger.chain.nextblock import NextBlock
from meshchain.ledger.entry import REG_SIZE, NameEntry
from meshchain.ledger.errors import RemoteError, StoreError
from meshchain.ledger.operations import Operation, Renew, Reveal, Revoke, Transfer, Update
from meshchain.ledger.params import Consensus
from meshchain.ledger.queue.item import Ended
from meshchain.ledger.queue.status import FinalState
from meshchain.ledger.rules.stamp import ANCHOR_HASH_SIZE
from meshchain.ledger.stamps import Stamp
from meshchain.ledger.state import Commitment, Overlay
from meshchain.ledger.store import Reader, layout

_LOOK_BACK = 256
"""Operations of one name that are read to find a winner; more than anybody makes in a reorg's span."""


class Facts:
    """Reads the live store: good until the tip moves."""

    def __init__(self, store: Reader, next_block: NextBlock) -> None:
        self._store = store
        self._next = next_block
        self.tip = next_block.parent.id
        self.tip_height = next_block.parent.height
        self.state = Overlay(next_block.state)
        rules.begin_block(self.state, next_block.context)

    @property
    def consensus(self) -> Consensus:
        return self._next.context.consensus

    @property
    def context(self) -> rules.Context:
        return self._next.context

    @property
    def height(self) -> int:
        """Of the next block."""
        return self._next.context.height

    def entry(self, name: str) -> NameEntry | None:
        """The name's entry as the next block's operations will find it."""
        return self.state.entry(name)

    def commitment(self, commitment: bytes) -> Commitment | None:
        return self.state.commitment(commitment)

    def life_end(self, entry: NameEntry) -> int:
        """The height at which the entry is deleted."""
        return entry.expires + self.consensus.grace

    def is_main(self, height: int, block: bytes) -> bool:
        return height <= self.tip_height and self._next.block_id(height) == block

    @cached_property
    def anchors(self) -> dict[int, bytes]:
        """Height → 8 bytes of the id, of the anchors valid in the next block, the newest first."""
        heights = stamps.anchor_heights(self.consensus, self.height)
        return {height: self._next.block_id(height)[:ANCHOR_HASH_SIZE] for height in heights}

    def accepts(self, stamp: Stamp, minimum: int) -> bool:
        """Whether the stamp's anchor and bits are good in the next block."""
        return stamp.bits >= minimum and self.anchors.get(stamp.anchor_height) == stamp.anchor_hash

    # --- where operations stand -------------------------------------------------------------------------

    def located(self, opid: bytes) -> int | None:
        """Height at which ``opid`` was confirmed last, on the active chain."""
        prefix = layout.OPERATION + opid
        for key, _ in self._store.items(prefix, reverse=True):
            return int.from_bytes(key[len(prefix) :][:4], "big")
        return None

    def registering(self, name: str, entry: NameEntry) -> bytes | None:
        """opid of the reveal that began the life of ``entry``."""
        prefix = layout.HISTORY + name.encode() + b"\0"
        for _, opid in self._store.items(prefix, layout.u32(entry.registered)):
            return opid
        return None

    def owner_operation(self, name: str, entry: NameEntry) -> bytes | None:
        """opid of the update, transfer or revoke that set the entry's seq."""
        for opid, operation in self._back(name, entry.registered):
            if isinstance(operation, Update | Transfer | Revoke):
                return opid
        return None

    def renewal(self, name: str, entry: NameEntry) -> bytes | None:
        """opid of the renewal, else of the reveal, that set the entry's expiry."""
        for opid, operation in self._back(name, entry.registered):
            if isinstance(operation, Renew | Reveal):
                return opid
        return None

    def transfer_from(self, owner: bytes, name: str, entry: NameEntry) -> bytes | None:
        """opid of the transfer by which ``owner`` lost this life of the name, or of the latest if it never had it."""
        lost_by: bytes | None = None
        for opid, operation in self._back(name, entry.registered):
            if isinstance(operation, Transfer) and (lost_by is None or operation.new_owner != owner):
                lost_by = opid
            elif isinstance(operation, Transfer):
                break
        return lost_by

    def was_registered(self, name: str, reg: bytes) -> bool:
        """Whether the chain holds the reveal that began the life ``reg``, be that life over or not."""
        for _, operation in self._back(name, 0):
            if isinstance(operation, Reveal) and self._reg(operation) == reg:
                return True
        return False

    def _reg(self, o: Reveal) -> bytes:
        return operations.commitment(self.context.genesis, o.salt, o.owner, o.born, o.name)[:REG_SIZE]

    def _back(self, name: str, height: int) -> Iterator[tuple[bytes, Operation]]:
        """Operations of the name, newest first, back to ``height``."""
        prefix = layout.HISTORY + name.encode() + b"\0"
        rows = self._store.items(prefix, layout.u32(height), reverse=True)
        for key, opid in islice(rows, _LOOK_BACK):
            place = key[len(prefix) :]
            yield opid, self._read(int.from_bytes(place[:4], "big"), int.from_bytes(place[4:6], "big"))

    def _read(self, height: int, index: int) -> Operation:
        body = self._store.get(layout.BODY + self._next.block_id(height))
        try:
            data = shape.array(codec.decode(body or b""), "a block's operations")[index]
            if isinstance(data, bytes):
                return operations.decode(data, self.consensus)
        except (RemoteError, IndexError) as error:
            raise StoreError("damaged", f"operation {index} of block {height} is damaged: {error}") from error
        raise StoreError("damaged", f"operation {index} of block {height} is not a byte string")

    # --- verdicts ---------------------------------------------------------------------------------------

    def lost(self, code: str, message: str, winner: bytes | None) -> Ended:
        return self.ended("conflict-lost", code, message, winner)

    def ended(self, state: FinalState, code: str, message: str, winner: bytes | None = None) -> Ended:
        return Ended(state=state, code=code, message=message, winner=winner, height=self.tip_height, block=self.tip)
