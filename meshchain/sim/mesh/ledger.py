"""A ledger made beforehand: one chain in which nodes own names, to begin many simulated nodes with.

Every operation is signed and stamped, every block mined, under the world's rules; it is all done once, and each node
gets a copy of the rows. More blocks can be made later, on top, and given to a node of a world that runs.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeVar

from meshchain.crypto import ecdsa_public_key, ed25519_public_key, sign_ecdsa, sign_ed25519
from meshchain.crypto.address import node_address
from meshchain.ledger import operations, stamps, template
from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.codec import Value
from meshchain.ledger.entry import REG_SIZE, Record
from meshchain.ledger.operations import Commit, Operation, Reveal, Revoke, Transfer, Update
from meshchain.ledger.params import Params
from meshchain.ledger.pow import search_nonce
from meshchain.ledger.record import proof_message
from meshchain.ledger.stamps import StampSearch
from meshchain.ledger.store.memory import MemoryStore
from meshchain.ledger.workers import InlineWorkers
from meshchain.sim.hands import never

Op = TypeVar("Op", bound=Operation)

BLOCK_EVERY: Final = 10
"""Seconds between blocks."""
_TRIES: Final = 1 << 20
_PIECE: Final = 64


class Scribe:
    """The chain and its one owner, who has all names. ``seed``: of his keys, and of where searches begin."""

    def __init__(self, params: Params, seed: int) -> None:
        self.chain = Chain(MemoryStore(), params, InlineWorkers())
        self._consensus = params.consensus
        self._rng = random.Random(f"{seed}/scribe")
        self._private = self._rng.randbytes(31).rjust(32, b"\1")
        self._owner = ecdsa_public_key(self._private)
        self._now = float(params.consensus.genesis_time)
        self._sequences: dict[str, int] = {}

    def store(self) -> MemoryStore:
        """A copy of what a node would have on its disk."""
        own = self.chain.store
        assert isinstance(own, MemoryStore)
        return own.copy()

    # --- names ---------------------------------------------------------------------------------------------

    def register(self, seeds: dict[str, bytes], *, depth: int) -> None:
        """Name → seed of the node key that it is to vouch for; the last of the names is ``depth`` blocks deep then."""
        self.mine_all([Commit(commitment=self._commitment(name)) for name in seeds])
        for _ in range(self._consensus.commit_depth - 1):
            self.mine()
        self.mine_all([self._signed(self._reveal(name, seed)) for name, seed in seeds.items()])
        for _ in range(depth - 1):
            self.mine()

    def revoke(self, name: str) -> Revoke:
        return self._signed(Revoke(name=name, reg=self._reg(name), seq=self._sequence(name)))

    def update(self, name: str, seed: bytes | None) -> Update:
        """Another node, or none, instead of those that the name lists."""
        record = self._record(name, seed)
        return self._signed(Update(name=name, reg=self._reg(name), seq=self._sequence(name), record=record))

    def transfer(self, name: str) -> Transfer:
        """To somebody who does nothing with it."""
        heir = ecdsa_public_key(self._rng.randbytes(31).rjust(32, b"\1"))
        return self._signed(Transfer(name=name, reg=self._reg(name), seq=self._sequence(name), new_owner=heir))

    def _reveal(self, name: str, seed: bytes) -> Reveal:
        record = self._record(name, seed)
        return Reveal(name=name, salt=self._salt(name), owner=self._owner, born=0, record=record)

    def _record(self, name: str, seed: bytes | None) -> Record:
        if seed is None:
            return {}
        key = ed25519_public_key(seed)
        proof = sign_ed25519(seed, proof_message(self.chain.genesis_id, self._owner, key, name))
        host: dict[str, Value] = {"label": "", "key": key, "ip6": node_address(key), "zone": 0, "proof": proof}
        return {"hosts": [host]}

    def _salt(self, name: str) -> bytes:
        return name.encode().ljust(32, b"\0")[:32]

    def _commitment(self, name: str) -> bytes:
        return operations.commitment(self.chain.genesis_id, self._salt(name), self._owner, 0, name)

    def _reg(self, name: str) -> bytes:
        return self._commitment(name)[:REG_SIZE]

    def _sequence(self, name: str) -> int:
        self._sequences[name] = self._sequences.get(name, 0) + 1
        return self._sequences[name]

    def _signed(self, operation: Op) -> Op:
        signature = sign_ecdsa(self._private, operations.opid(operation, self.chain.genesis_id))
        return replace(operation, signature=signature)

    # --- blocks --------------------------------------------------------------------------------------------

    def mine_all(self, drafts: Sequence[Operation]) -> list[Block]:
        """Stamp signed drafts and put them into as few blocks as they fit into."""
        waiting, blocks = list(map(self._stamped, drafts)), list[Block]()
        while waiting:
            blocks.append(self.mine(*waiting))
            taken = {operations.wid(operation) for operation in blocks[-1].operations}
            waiting = [operation for operation in waiting if operations.wid(operation) not in taken]
        return blocks

    def mine(self, *stamped: Operation) -> Block:
        """A block of what fits into it of these, on the tip. RuntimeError: one of them will never be valid."""
        self._now += BLOCK_EVERY
        made = template.build(self.chain, stamped, self._now)
        if stamped and not made.operations:
            raise RuntimeError(f"nothing of this is valid: {made.dropped[0][1]}")
        start = self._rng.getrandbits(32)
        nonce, _ = search_nonce(made.header.encode(), self._consensus.pow_memory_kib, start, _TRIES, never)
        if nonce is None:
            raise RuntimeError("no block within 2^20 hashes: these parameters are not for simulations")
        block = Block(replace(made.header, nonce=nonce), made.operations)
        self.chain.add_block(block, self._now)
        return block

    def _stamped(self, operation: Op) -> Op:
        c, tip = self._consensus, self.chain.tip
        height = stamps.anchor_heights(c, tip.height + 1)[0]
        bits = stamps.minimum_bits(c, operation.kind, operations.name_of(operation))
        block_id = self.chain.next_block().block_id(height)[: stamps.rules.HASH_SIZE]
        challenge = stamps.challenge(height, block_id, operations.body(operation), operation.signature)
        search = StampSearch(challenge, bits, c.pow_memory_kib, 0)
        while (piece := search.next_slice(_PIECE)) is not None:
            search.feed(piece, *search.run(piece, never))
        return replace(operation, stamp=search.stamp(height, block_id))
