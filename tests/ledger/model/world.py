"""The real chain and the model, side by side, through everything that can happen to names and branches.

Steps: blocks of operations on the tip, on ancestors and on rival branches, bad blocks in the middle, bodies in reverse
order, restarts. The header's state root always comes from the model, so the real rules must arrive at the same
one; ``compare`` demands that the tip and all derived rows of the store are the model's. Who chooses the steps and
what is in them is the caller's matter (``Draw``).
"""

from collections import Counter
from dataclasses import replace

from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.chain.index import Flag
from meshchain.ledger.errors import RuleError
from meshchain.ledger.header import Header
from meshchain.ledger.operations import Operation
from meshchain.ledger.pow import search_nonce
from meshchain.ledger.stamps import Stamp
from meshchain.ledger.store.memory import MemoryStore
from meshchain.ledger.workers import InlineWorkers
from tests.ledger.chain.watching import derived
from tests.ledger.kit import small_params
from tests.ledger.model.people import Draw, People
from tests.ledger.model.rules import CLAIMS, Entry, InvalidError, Rules, State, primary
from tests.ledger.model.tree_of_blocks import BlockTree

SPANS = {"commit_life": 6, "expiry": 12, "grace": 12, "max_seq_step": 10, "stamp_grid": 4, "max_block_size": 32768}
FREE = dict.fromkeys(("commit", "reveal", "update", "renew", "transfer", "revoke"), 0)
BITS = 0x207FFFFF


class World:
    """One network of short lives, its real chain and its model."""

    def __init__(self, depth: int, seen: Counter[str]) -> None:
        self.seen = seen
        """What happened: a world in which names never expire would prove little."""
        self.params = small_params(commit_depth=depth, stamp_bits=FREE, **SPANS)
        self.chain = Chain(MemoryStore(), self.params, InlineWorkers())
        self.tree = BlockTree(Rules(self.params.consensus, self.chain.genesis_id))
        self.people = People(self.chain.genesis_id)
        self.clock = 0

    # --- making blocks -------------------------------------------------------------------------------------

    def mine(self, base: bytes, listed: list[Operation], root: bytes) -> Block:
        self.clock += 1  # no two blocks are alike
        height = self.tree.height(base) + 1
        time = self.params.consensus.genesis_time + 100_000 * height + self.clock
        header = Header(1, height, base, self.tree.rules.operations_root(listed), root, time, BITS, 0)
        nonce, _ = search_nonce(header.encode(), self.params.consensus.pow_memory_kib, 0, 1000, lambda: False)
        assert nonce is not None
        return Block(replace(header, nonce=nonce), tuple(listed))

    def stamped(self, operation: Operation, base: bytes, draw: Draw) -> Operation:
        ids = self.tree.ids(base)
        grid = self.params.consensus.stamp_grid
        k = len(ids) // grid
        at = grid * max(0, k - draw.one([1, 1, 2, 0] if draw.rarely() else [1, 2]))
        at = min(at, len(ids) - 1)
        return replace(operation, stamp=Stamp(at, ids[at][:8], 0, (draw.number(0, 1),) + (0,) * 7))

    def block(self, base: bytes, draw: Draw, most: int) -> Block:
        """On a good base: operations that are valid, and now and then one that is not."""
        before = self.tree.state(base)
        assert before is not None
        rules, ids = self.tree.rules, self.tree.ids(base)
        listed: list[Operation] = []
        state = rules.after(before, len(ids), [], ids)
        refused: list[Operation] = []
        for _ in range(draw.number(0, most)):
            op = self.stamped(self.people.operation(draw, state, len(ids)), base, draw)
            try:
                state = rules.after(before, len(ids), [*listed, op], ids)
                listed.append(op)
            except InvalidError as error:
                refused.append(op)
                self.seen[f"refused: {error}"] += 1
        self.note(len(ids), before, state, listed)
        if refused and draw.number(0, 3) == 3:
            listed.insert(draw.number(0, len(listed)), refused[0])
        return self.mine(base, listed, state.root())

    def note(self, height: int, before: State, after: State, listed: list[Operation]) -> None:
        self.seen.update(op.kind for op in listed)
        self.seen["expired"] += len(before.names.keys() - after.names.keys())
        self.seen["address"] += any(entry["address"] for entry in after.names.values())
        self.seen["grace"] += any(entry["expires"] <= height for entry in after.names.values())
        self.seen["revoked names"] += any(entry["revoked"] for entry in after.names.values())
        self.seen["claims held by others"] += any(_unfulfilled(entry) for entry in after.names.values())

    # --- giving them to the chain --------------------------------------------------------------------------

    def give(self, block: Block) -> None:
        """A block that is refused must be bad, and on top of the tip."""
        code = self.code_of(block)
        self.seen[f"block: {code}"] += 1
        if code == "block-failed" and self.chain.index.get(block.header.id) is None:
            assert self.tree.state(block.header.previous) is None
            return  # the chain does not keep it
        self.tree.add(block)
        assert code == "taken" or self.tree.state(block.header.id) is None, f"a good block was refused: {code}"
        if code == "state-root":  # the root of a block with a bad operation is never right: it must fail before
            assert self.tree.fault(block) == "state root"

    def code_of(self, block: Block) -> str:
        try:
            self.chain.add_block(block, None)
        except RuleError as error:
            return error.code
        return "taken"

    # --- steps ---------------------------------------------------------------------------------------------

    def grow(self, draw: Draw, blocks: int) -> None:
        for _ in range(blocks):
            self.give(self.block(self.chain.tip.id, draw, most=3))

    def wait(self, count: int) -> None:
        """Names expire and commitments go by height alone."""
        for _ in range(count):
            tip = self.chain.tip.id
            state = self.tree.state(tip)
            assert state is not None
            after = self.tree.rules.after(state, self.chain.tip.height + 1, [], self.tree.ids(tip))
            self.note(self.chain.tip.height + 1, state, after, [])
            self.give(self.mine(tip, [], after.root()))

    def rival(self, draw: Draw, back: int, *, reverse: bool) -> None:
        """A branch that leaves the active one some blocks below the tip, a little shorter or longer."""
        ids = self.tree.ids(self.chain.tip.id)
        base = ids[max(0, len(ids) - 1 - back)]
        self.compete(base, min(back, len(ids) - 1) + draw.number(-1, 2), draw, reverse=reverse)

    def grow_elsewhere(self, draw: Draw, length: int) -> None:
        """On any block that is good, wherever it stands."""
        self.compete(draw.one(self.tree.good_ids()), length, draw, reverse=False)

    def compete(self, base: bytes, length: int, draw: Draw, *, reverse: bool) -> None:
        tip, made = self.chain.tip.id, []
        spoilt = draw.number(0, max(0, length - 1)) if draw.number(0, 3) == 3 else None
        kept, self.tree = self.tree, self.tree.copy()
        for index in range(length):
            block = self.block(base, draw, most=2) if self.tree.state(base) is not None else self.mine(base, [], base)
            if index == spoilt:
                block = self.mine(base, list(block.operations), base)  # no state has that root
            self.tree.add(block)
            made.append(block)
            base = block.header.id
        self.tree = kept  # what was made is not known before it is given
        self.offer(made, reverse=reverse)
        self.seen["reorg"] += tip not in self.tree.ids(self.chain.tip.id)
        failed = (entry for entry in map(self.chain.index.get, (block.header.id for block in made)) if entry)
        self.seen["bad branch tried"] += any(entry.flags & Flag.FAILED for entry in failed)

    def offer(self, made: list[Block], *, reverse: bool) -> None:
        if reverse:
            self.chain.add_headers([block.header for block in made], None)
            for block in made:
                self.tree.add(block)
        for block in reversed(made) if reverse else made:
            if block.header.previous in self.tree.blocks or block.header.previous == self.chain.genesis_id:
                self.give(block)

    def reopen(self) -> None:
        """A new Chain on the same store knows all that matters."""
        self.chain = Chain(self.chain.store, self.params, InlineWorkers())

    # --- comparing -----------------------------------------------------------------------------------------

    def compare(self) -> None:
        best = self.tree.best()
        assert self.chain.tip.id == best
        assert derived(self.chain.store) == self.tree.rows()
        assert self.chain.tip.header.state_root == _root(self.tree.state(best))


def _unfulfilled(entry: Entry) -> bool:
    host = primary(entry["record"])
    return host is not None and host["ip6"].startswith(CLAIMS) and entry["address"] != host["ip6"]


def _root(state: State | None) -> bytes:
    assert state is not None
    return state.root()
