"""Connecting a block to the state after its parent, and taking it back: pure, returns the writes.

Order of checks: body size and identities, the rules operation by operation, the state root, and only then the
stamps, eight argon2 hashes each, spread over the workers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from meshchain.ledger import operations, rules
from meshchain.ledger.block import Block
from meshchain.ledger.chain.statedb import Changes, StoredState, changes_of
from meshchain.ledger.chain.undo import Undo
from meshchain.ledger.errors import RuleError, StoreError
from meshchain.ledger.operations import Commit, Operation
from meshchain.ledger.params import Consensus
from meshchain.ledger.rules import stamp
from meshchain.ledger.rules.context import Context
from meshchain.ledger.state import Overlay, StateReader
from meshchain.ledger.store import layout
from meshchain.ledger.workers import InlineWorkers, Workers


@dataclass(frozen=True, slots=True)
class Judge:
    """Who checks stamps, and which need no check."""

    consensus: Consensus
    genesis: bytes
    workers: Workers
    stamp_known: Callable[[bytes], bool]
    """True for wids whose stamp work was checked before (mempool)."""

    def context(self, height: int) -> Context:
        return Context(self.consensus, self.genesis, height)


class Assembly:
    """A block in the making: its operations so far and the state they lead to (blocks, templates).

    An operation that is refused leaves everything as it was.
    """

    def __init__(self, state: StateReader, context: Context) -> None:
        self.context = context
        self.overlay = Overlay(state)
        self.opids: dict[bytes, None] = {}
        """In the order of the block."""
        rules.begin_block(self.overlay, context)

    def add(self, operation: Operation) -> None:
        """RuleError unless the operation is valid after those before it; its stamp is the caller's to check."""
        opid = operations.opid(operation, self.context.genesis)
        if opid in self.opids:
            raise RuleError("operation-repeated", "an operation stands twice in the block", opid=opid.hex())
        rules.apply(self.overlay, operation, self.context)
        self.opids[opid] = None


def apply_block(state: StateReader, listed: Sequence[Operation], context: Context) -> tuple[Overlay, list[bytes]]:
    """State after a block with these operations, as an overlay, and their opids; RuleError if one is invalid."""
    assembly = Assembly(state, context)
    for operation in listed:
        assembly.add(operation)
    return assembly.overlay, list(assembly.opids)


def connect(
    state: StoredState,
    block: Block,
    parent_root: bytes,
    block_id_at: Callable[[int], bytes],
    judge: Judge,
    *,
    stamps: bool,
) -> Changes:
    """The writes that connect ``block`` on top of ``state``; RuleError if it is invalid.

    ``block_id_at`` maps heights below the block's to ancestors. ``stamps`` False: their work is taken as checked
    (below the assumed-valid block); anchors and bits never are.
    """
    context = judge.context(block.header.height)
    overlay, opids = apply_block(state, block.operations, context)
    for operation in block.operations:
        stamp.check_anchor(operation, context, block_id_at)
        stamp.check_bits(operation, context)
    changes, root = changes_of(overlay, state, parent_root)
    if root != block.header.state_root:
        raise RuleError("state-root", "the operations do not lead to the header's state root", expected=root.hex())
    if stamps:
        _check_stamps(block.operations, context, judge)
    changes[layout.UNDO + block.header.id] = Undo.of(overlay).encode()
    changes.update((key, value) for key, value in _index(block, opids))
    return changes


def disconnect(state: StoredState, block: Block, undo: Undo, parent_root: bytes, genesis: bytes) -> Changes:
    """The writes that take ``block``, the tip, back. StoreError "damaged" if they do not lead to the parent's root."""
    overlay = Overlay(state)
    undo.apply(overlay)
    changes, root = changes_of(overlay, state, block.header.state_root)
    if root != parent_root:
        message = f"the undo of block {block.header.id.hex()} does not lead to its parent's state root"
        raise StoreError("damaged", message)
    opids = [operations.opid(op, genesis) for op in block.operations]
    changes.update((key, None) for key, _ in _index(block, opids))
    changes[layout.UNDO + block.header.id] = None
    return changes


def _check_stamps(listed: Sequence[Operation], context: Context, judge: Judge) -> None:
    unknown = [op for op in listed if not judge.stamp_known(operations.wid(op))]
    judge.workers.map(partial(_check_stamp, context), unknown)


def _check_stamp(context: Context, operation: Operation) -> None:
    stamp.check_work(operation, context, InlineWorkers())  # parallel over operations, not within one


def _index(block: Block, opids: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """Rows of the operation and history indexes."""
    height = block.header.height
    rows = [(layout.operation(opid, height, index), b"") for index, opid in enumerate(opids)]
    for index, (operation, opid) in enumerate(zip(block.operations, opids, strict=True)):
        if not isinstance(operation, Commit):
            rows.append((layout.history(operation.name, height, index), opid))
    return rows
