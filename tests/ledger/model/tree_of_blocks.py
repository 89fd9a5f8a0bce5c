"""The chain as ledger.md §6 says it: of all blocks whose branch is valid, the one with most work, then the smaller id.

What is kept between questions are states after blocks, which nothing changes; ``replayed`` does without them.
"""

from collections.abc import Mapping

from meshchain.ledger.block import Block
from meshchain.ledger.operations import Commit
from tests.ledger.model.rules import InvalidError, Rules, State, dump, opid
from tests.ledger.tree.model import model_nodes


class BlockTree:
    """Blocks with their bodies, by id. All have the same work, so height stands for it."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.blocks: dict[bytes, Block] = {}
        self._states: dict[bytes, State | None] = {}

    def copy(self) -> "BlockTree":
        other = BlockTree(self.rules)
        other.blocks, other._states = dict(self.blocks), dict(self._states)
        return other

    def add(self, block: Block) -> None:
        self.blocks[block.header.id] = block

    def branch(self, block_id: bytes) -> list[Block]:
        """From the block after genesis to this one."""
        path: list[Block] = []
        while block_id != self.rules.genesis:
            path.append(self.blocks[block_id])
            block_id = path[-1].header.previous
        return path[::-1]

    def state(self, block_id: bytes) -> State | None:
        """State after the block; None if it or an ancestor is invalid."""
        if block_id not in self._states:
            self._states[block_id] = self._after_parent(block_id)
        return self._states[block_id]

    def _after_parent(self, block_id: bytes) -> State | None:
        if block_id == self.rules.genesis:
            return State()
        block = self.blocks[block_id]
        before = self.state(block.header.previous)
        try:
            return None if before is None else self.rules.step(before, block, self.ids(block.header.previous))
        except InvalidError:
            return None

    def fault(self, block: Block) -> str | None:
        """The first rule that the block breaks on top of its good parent."""
        before = self.state(block.header.previous)
        assert before is not None
        try:
            self.rules.step(before, block, self.ids(block.header.previous))
        except InvalidError as error:
            return str(error)
        return None

    def replayed(self, block_id: bytes) -> State:
        """State after the block, from genesis on."""
        return self.rules.replay(self.branch(block_id))

    def ids(self, block_id: bytes) -> list[bytes]:
        """Of the branch's blocks, genesis first."""
        return [self.rules.genesis, *(block.header.id for block in self.branch(block_id))]

    def good_ids(self) -> list[bytes]:
        return [self.rules.genesis, *(known for known in self.blocks if self.state(known) is not None)]

    def height(self, block_id: bytes) -> int:
        return self.blocks[block_id].header.height if block_id in self.blocks else 0

    def best(self) -> bytes:
        return min(self.good_ids(), key=lambda known: (-self.height(known), known))

    def rows(self) -> Mapping[bytes, bytes]:
        """Every derived row the store must hold (layout.py's table), from the best branch alone."""
        best = self.best()
        state = self.state(best)
        assert state is not None
        rows = state_rows(state)
        for height, block in enumerate(self.branch(best), 1):
            rows |= block_rows(self.rules.genesis, height, block)
        return rows


def state_rows(state: State) -> dict[bytes, bytes]:
    rows = {b"t" + digest: node for digest, node in model_nodes(state.leaves())[1].items()}
    for name, entry in state.names.items():
        key = name.encode()
        rows[b"e" + key] = dump(entry)
        rows[b"x" + entry["expires"].to_bytes(4, "big") + key] = b""
        if entry["address"] is not None:
            assert b"a" + entry["address"] not in rows, "an address has two holders"
            rows[b"a" + entry["address"]] = key
        for host in entry["record"].get("hosts", []):
            rows[b"k" + host["key"] + key] = b""
    for commitment, (height, used) in state.commitments.items():
        rows[b"c" + commitment] = height.to_bytes(4, "big") + bytes((used,))
        rows[b"d" + height.to_bytes(4, "big") + commitment] = b""
    return rows


def block_rows(genesis: bytes, height: int, block: Block) -> dict[bytes, bytes]:
    rows: dict[bytes, bytes] = {}
    for index, op in enumerate(block.operations):
        place = height.to_bytes(4, "big") + index.to_bytes(2, "big")
        rows[b"o" + opid(genesis, op) + place] = b""
        if not isinstance(op, Commit):
            rows[b"h" + op.name.encode() + b"\0" + place] = opid(genesis, op)
    return rows
