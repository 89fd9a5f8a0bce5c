"""A small network to make blocks on: real rules and real work, argon2id over 8 KiB."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from docs.spec.making.stamping import mined, stamped
from docs.spec.making.values import secret
from meshchain.crypto import ecdsa_public_key, sign_ecdsa
from meshchain.ledger import difficulty, operations, stamps
from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Chain, Switch
from meshchain.ledger.chain.connect import apply_block
from meshchain.ledger.chain.statedb import changes_of
from meshchain.ledger.entry import Record
from meshchain.ledger.header import Header, operations_root
from meshchain.ledger.operations import Commit, Operation, Renew, Reveal, Revoke, Transfer, Update
from meshchain.ledger.params import Params, parse
from meshchain.ledger.store.memory import MemoryStore
from meshchain.ledger.workers import InlineWorkers

Op = TypeVar("Op", bound=Operation)

NETWORK: Final[dict[str, Any]] = {
    "consensus": {
        "name": "vectors",
        "genesis_time": 1_800_000_000,
        "spacing": 120,
        "half_life": 7200,
        "retarget": True,
        "pow_limit_bits": "2007ffff",
        "pow_memory_kib": 8,
        "max_block_size": 4096,
        "max_operation_size": 2048,
        "max_record_size": 1536,
        "commit_depth": 2,
        "commit_life": 6,
        "expiry": 30,
        "grace": 5,
        "max_seq_step": 10,
        "stamp_grid": 5,
        "stamp_bits": {"commit": 1, "reveal": 2, "update": 1, "renew": 1, "transfer": 1, "revoke": 1},
        "stamp_short_name": 3,
    },
    "policy": {
        "future_limit": None,
        "settled_depth": 12,
        "parking_min": 1800,
        "parking_per_block": 30,
        "parking_max": 86400,
        "peer_search": 0,
        "mine_when_pending": False,
        "mine_wait": [0, 0],
        "mesh_bind_depth": 3,
        "assume_valid": None,
        "minimum_chain_work": 0,
    },
    "ports": {"rpc": 1, "dns": 2, "gossip": 3},
}
_STEP: Final = 100
"""Seconds from block to block: a little ahead of schedule, so that bits change."""


@dataclass(frozen=True)
class Person:
    """An owner key and what it signs."""

    word: str
    genesis: bytes

    @property
    def private(self) -> bytes:
        return secret(f"owner {self.word}")

    @property
    def key(self) -> bytes:
        return ecdsa_public_key(self.private)

    def sign(self, operation: Op) -> Op:
        return replace(operation, signature=sign_ecdsa(self.private, operations.opid(operation, self.genesis)))

    def commitment(self, name: str, born: int = 0) -> bytes:
        return operations.commitment(self.genesis, self.salt(name), self.key, born, name)

    def salt(self, name: str) -> bytes:
        return secret(f"salt {self.word} {name}")

    def reg(self, name: str, born: int = 0) -> bytes:
        return self.commitment(name, born)[:16]

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


class Branch:
    """A chain that blocks are made on; another node takes them from here."""

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or parse("vectors", NETWORK)
        self.store = MemoryStore()
        self.chain = Chain(self.store, self.params, InlineWorkers())

    @property
    def genesis(self) -> bytes:
        return self.chain.genesis_id

    @property
    def height(self) -> int:
        return self.chain.tip.height

    def person(self, word: str) -> Person:
        return Person(word, self.genesis)

    def stamp(self, operation: Op, *, bits: int | None = None, anchor: int | None = None) -> Op:
        """Stamped for the next block; ``bits`` and ``anchor`` (height) replace the least and the newest."""
        c = self.params.consensus
        least = stamps.minimum_bits(c, operation.kind, operations.name_of(operation))
        height = stamps.anchor_heights(c, self.height + 1)[0] if anchor is None else anchor
        anchor_id = self.chain.next_block().block_id(height)
        return stamped(operation, height, anchor_id, least if bits is None else bits, c.pow_memory_kib)

    def block(self, *listed: Operation, step: int = _STEP) -> Block:
        """A valid block of (stamped) operations, not yet added."""
        next_block = self.chain.next_block()
        overlay, _ = apply_block(next_block.state, listed, next_block.context)
        _, root = changes_of(overlay, self.chain.state, self.chain.tip.header.state_root)
        return Block(self.header(listed, root, step=step), tuple(listed))

    def header(self, listed: Sequence[Operation], state_root: bytes, *, step: int = _STEP) -> Header:
        """With work, on the tip, whatever the operations and the root are."""
        tip = self.chain.tip
        time = tip.header.time + step
        bits = difficulty.next_bits(self.params.consensus, tip.difficulty, time)
        root = operations_root([operations.wid(operation) for operation in listed])
        return self.worked(Header(1, tip.height + 1, tip.id, root, state_root, time, bits, 0))

    def worked(self, header: Header) -> Header:
        return mined(header, self.params.consensus.pow_memory_kib)

    def add(self, block: Block) -> Switch:
        return self.chain.add_block(block, None)

    def mine(self, *listed: Operation, step: int = _STEP) -> Block:
        block = self.block(*listed, step=step)
        assert self.add(block).connected
        return block
