"""A small network for tests: real rules, real work, hashes that cost next to nothing.

``Lab`` is a chain over a MemoryStore with a clock of its own; ``Owner`` holds a key and signs. Everything is
mined, stamped and signed for real: argon2id over 8 KiB, two hashes a block, a few tens a stamp.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from meshchain import crypto
from meshchain.crypto.address import node_address
from meshchain.ledger import difficulty, operations, stamps
from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Chain, Switch
from meshchain.ledger.chain.connect import apply_block
from meshchain.ledger.chain.nextblock import NextBlock
from meshchain.ledger.chain.statedb import changes_of
from meshchain.ledger.entry import REG_SIZE, NameEntry, Record
from meshchain.ledger.header import Header, operations_root
from meshchain.ledger.operations import Commit, Operation, Renew, Reveal, Revoke, Transfer, Update
from meshchain.ledger.params import KINDS, Params, parse
from meshchain.ledger.pow import search_nonce
from meshchain.ledger.record import proof_message
from meshchain.ledger.stamps import StampSearch
from meshchain.ledger.store import Store
from meshchain.ledger.store.memory import MemoryStore
from meshchain.ledger.workers import InlineWorkers

Op = TypeVar("Op", bound=Operation)

CONSENSUS: Final[dict[str, Any]] = {
    "name": "small",
    "genesis_time": 1_800_000_000,
    "spacing": 120,
    "half_life": 7200,
    "retarget": False,
    "pow_limit_bits": "207fffff",
    "pow_memory_kib": 8,
    "max_block_size": 4096,
    "max_operation_size": 2048,
    "max_record_size": 1536,
    "commit_depth": 2,
    "commit_life": 12,
    "expiry": 60,
    "grace": 8,
    "max_seq_step": 1000,
    "stamp_grid": 10,
    "stamp_bits": dict.fromkeys(KINDS, 1),
    "stamp_short_name": 0,
}
POLICY: Final[dict[str, Any]] = {
    "future_limit": 600,
    "settled_depth": 12,
    "parking_min": 1800,
    "parking_per_block": 30,
    "parking_max": 86400,
    "peer_search": 20,
    "mine_when_pending": False,
    "mine_wait": [0, 0],
    "mesh_bind_depth": 3,
    "assume_valid": None,
    "minimum_chain_work": 0,
}


def small_params(**changes: object) -> Params:
    """Parameters of a test network; keywords replace fields of CONSENSUS and POLICY."""
    unknown = changes.keys() - CONSENSUS.keys() - POLICY.keys()
    assert not unknown, unknown
    consensus = {key: changes.get(key, value) for key, value in CONSENSUS.items()}
    policy = {key: changes.get(key, value) for key, value in POLICY.items()}
    return parse("small", {"consensus": consensus, "policy": policy, "ports": {"rpc": 1, "dns": 2, "gossip": 3}})


@dataclass(frozen=True)
class Node:
    """A node key that can stand in records."""

    number: int = 1

    @property
    def seed(self) -> bytes:
        return self.number.to_bytes(32, "little")

    @property
    def key(self) -> bytes:
        return crypto.ed25519_public_key(self.seed)

    def sign(self, message: bytes) -> bytes:
        return crypto.sign_ed25519(self.seed, message)

    def host(self, genesis: bytes, owner: bytes, name: str, *, label: str = "", ip6: bytes | None = None) -> Record:
        """This node as a host of a record; ``ip6`` replaces its own address (a claim)."""
        proof = self.sign(proof_message(genesis, owner, self.key, name))
        address = ip6 or node_address(self.key)
        return {"label": label, "key": self.key, "ip6": address, "zone": 0, "proof": proof}


@dataclass(frozen=True)
class Owner:
    """An owner key, the operations it signs, and the salts of its registrations (all derived from ``number``)."""

    number: int
    genesis: bytes

    @property
    def private(self) -> bytes:
        return self.number.to_bytes(32, "big")

    @property
    def key(self) -> bytes:
        return crypto.ecdsa_public_key(self.private)

    def sign(self, operation: Op) -> Op:
        return replace(operation, signature=crypto.sign_ecdsa(self.private, operations.opid(operation, self.genesis)))

    def salt(self, name: str) -> bytes:
        return self.number.to_bytes(4, "big").ljust(16, b"s") + name.encode()[:16].ljust(16, b"\0")

    def commitment(self, name: str, born: int = 0) -> bytes:
        return operations.commitment(self.genesis, self.salt(name), self.key, born, name)

    def reg(self, name: str, born: int = 0) -> bytes:
        return self.commitment(name, born)[:REG_SIZE]

    def commit(self, name: str, born: int = 0) -> Commit:
        return Commit(commitment=self.commitment(name, born))

    def reveal(self, name: str, record: Record | None = None, born: int = 0) -> Reveal:
        return self.sign(Reveal(name=name, salt=self.salt(name), owner=self.key, born=born, record=record or {}))

    def update(self, name: str, reg: bytes, seq: int, record: Record | None = None) -> Update:
        return self.sign(Update(name=name, reg=reg, seq=seq, record=record or {}))

    def renew(self, name: str, reg: bytes, expires: int) -> Renew:
        return self.sign(Renew(name=name, reg=reg, expires=expires))

    def transfer(self, name: str, reg: bytes, seq: int, new_owner: bytes) -> Transfer:
        return self.sign(Transfer(name=name, reg=reg, seq=seq, new_owner=new_owner))

    def revoke(self, name: str, reg: bytes, seq: int) -> Revoke:
        return self.sign(Revoke(name=name, reg=reg, seq=seq))


class Lab:
    """A chain and whoever mines it. ``now`` (unix s) moves on by the spacing with every block mined here."""

    def __init__(self, params: Params | None = None, *, store: Store | None = None) -> None:
        self.params = params or small_params()
        self.workers = InlineWorkers()
        self.chain = Chain(store or MemoryStore(), self.params, self.workers)
        self.now = float(max(self.params.consensus.genesis_time, self.chain.tip.header.time) + 60)
        self.random = random.Random(7)

    @property
    def genesis(self) -> bytes:
        return self.chain.genesis_id

    @property
    def height(self) -> int:
        return self.chain.tip.height

    def owner(self, number: int = 1) -> Owner:
        return Owner(number, self.genesis)

    def next(self) -> NextBlock:
        return self.chain.next_block()

    def entry(self, name: str) -> NameEntry:
        entry = self.chain.state.entry(name)
        assert entry is not None
        return entry

    # --- work --------------------------------------------------------------------------------------------

    def stamp(self, operation: Op, *, more: int = 0, anchor: int | None = None, start: int = 0) -> Op:
        """Stamped for the next block with ``more`` than the least bits; ``anchor``: its height, newest if None.

        Other values of ``start`` give other nonces, hence another wid for the same opid and bits.
        """
        c = self.params.consensus
        height = stamps.anchor_heights(c, self.height + 1)[0] if anchor is None else anchor
        bits = stamps.minimum_bits(c, operation.kind, operations.name_of(operation)) + more
        block_id = self.chain.next_block().block_id(height)[: stamps.rules.HASH_SIZE]
        challenge = stamps.challenge(height, block_id, operations.body(operation), operation.signature)
        search = StampSearch(challenge, bits, c.pow_memory_kib, start)
        while (piece := search.next_slice(64)) is not None:
            search.feed(piece, *search.run(piece, lambda: False))
        return replace(operation, stamp=search.stamp(height, block_id))

    def block(self, *listed: Operation, time: int | None = None) -> Block:
        """A mined block on the tip, not yet added. The operations must be valid but for their stamps."""
        self.now += self.params.consensus.spacing
        tip, c = self.chain.tip, self.params.consensus
        next_block = self.chain.next_block()
        overlay, _ = apply_block(next_block.state, listed, next_block.context)
        _, root = changes_of(overlay, self.chain.state, tip.header.state_root)
        when = time or max(int(self.now), next_block.median_time + 1)
        bits = difficulty.next_bits(c, tip.difficulty, when)
        roots = operations_root([operations.wid(op) for op in listed]), root
        header = Header(1, tip.height + 1, tip.id, *roots, when, bits, 0)
        nonce, _ = search_nonce(header.encode(), c.pow_memory_kib, self.random.getrandbits(32), 2**20, lambda: False)
        assert nonce is not None
        return Block(replace(header, nonce=nonce), tuple(listed))

    # --- the chain ---------------------------------------------------------------------------------------

    def mine(self, *listed: Operation) -> Switch:
        """Mine a block of these (stamped) operations and connect it."""
        switch = self.chain.add_block(self.block(*listed), self.now)
        assert switch.connected
        return switch

    def mine_empty(self, count: int) -> Switch:
        """Mine ``count`` empty blocks; one Switch for all of them."""
        return Switch(connected=tuple(block for _ in range(count) for block in self.mine().connected))

    def register(self, owner: Owner, name: str, record: Record | None = None) -> NameEntry:
        """Commit, wait, reveal: ``depth`` + 1 blocks; the new entry."""
        born = max(0, self.height + 1 - self.params.consensus.commit_life)
        self.mine(self.stamp(owner.commit(name, born)))
        self.mine_empty(self.params.consensus.commit_depth - 1)
        self.mine(self.stamp(owner.reveal(name, record, born)))
        return self.entry(name)

    # --- other branches ----------------------------------------------------------------------------------

    def fork(self, *, back: int = 0) -> "Lab":
        """Another lab on the same chain without its last ``back`` blocks, to mine a rival branch with."""
        other = Lab(self.params)
        for block in self.blocks()[: self.height - back]:
            other.chain.add_block(block, None)
        other.now = self.now
        other.random = random.Random(self.random.getrandbits(32))
        return other

    def blocks(self) -> Sequence[Block]:
        """The active chain without genesis, oldest first."""
        ancestors = [entry for entry in self.chain.index.ancestors(self.chain.tip) if entry.height]
        return [self.chain.block(entry) for entry in reversed(ancestors)]

    def take(self, other: "Lab") -> Switch:
        """Give the other's blocks to this chain. It changes branch at most once, the Switch says how."""
        left: tuple[Block, ...] = ()
        joined: list[Block] = []
        for block in other.blocks():
            switch = self.chain.add_block(block, None)
            assert not (left and switch.disconnected), "the branch changed twice"
            left = left or switch.disconnected
            joined += switch.connected
        self.now = max(self.now, other.now)
        return Switch(left, tuple(joined))
