"""The name rules as ledger.md §1, §3, §4 and §5 say them: plain dicts, no index, nothing remembered between blocks.

Nothing of the product's rules, state, store or codec is used: bytes come from cbor2, hashes from hashlib, the tree
from its own model. Operations and headers are only read, field by field.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import cbor2

from meshchain.crypto import is_ecdsa_public_key, verify_ecdsa, verify_ed25519
from meshchain.ledger.block import Block
from meshchain.ledger.operations import Operation
from meshchain.ledger.params import Consensus
from tests.ledger.codec.values import ordered
from tests.ledger.tree.model import model_nodes, tagged

FIELDS = {
    "commit": ["commitment"],
    "reveal": ["name", "salt", "owner", "born", "record"],
    "update": ["name", "reg", "seq", "record"],
    "renew": ["name", "reg", "expires"],
    "transfer": ["name", "reg", "seq", "new_owner"],
    "revoke": ["name", "reg", "seq"],
}
CLAIMS = b"\xee\xee" + bytes(8)

Entry = dict[str, Any]


class InvalidError(Exception):
    """The block breaks a rule (which one is not the model's business)."""


@dataclass
class State:
    """After some block: the names, and the commitments as (height, used)."""

    names: dict[str, Entry] = field(default_factory=dict)
    commitments: dict[bytes, tuple[int, bool]] = field(default_factory=dict)

    def leaves(self) -> dict[bytes, bytes]:
        return {tagged("key", name.encode()): tagged("entry", dump(entry)) for name, entry in self.names.items()}

    def root(self) -> bytes:
        return model_nodes(self.leaves())[0]


def dump(value: Any) -> bytes:  # noqa: ANN401
    return cbor2.dumps(ordered(value))


def body(op: Any) -> bytes:  # noqa: ANN401
    return dump({"kind": op.kind, **{field: getattr(op, field) for field in FIELDS[op.kind]}})


def opid(genesis: bytes, op: Operation) -> bytes:
    return tagged("op", genesis + body(op))


def wid(op: Operation) -> bytes:
    full = cbor2.loads(body(op))
    if op.kind != "commit":
        full["signature"] = op.signature
    stamp = op.stamp
    assert stamp is not None
    full["stamp"] = [stamp.anchor_height, stamp.anchor_hash, stamp.bits, list(stamp.nonces)]
    return tagged("wop", dump(full))


ecdsa = lru_cache(maxsize=None)(verify_ecdsa)
ed25519 = lru_cache(maxsize=None)(verify_ed25519)


class Rules:
    """The rules of one network."""

    def __init__(self, consensus: Consensus, genesis: bytes) -> None:
        self.c = consensus
        self.genesis = genesis

    def replay(self, blocks: Sequence[Block]) -> State:
        """State after these blocks on genesis. InvalidError if one is invalid."""
        state = State()
        ids = [self.genesis]
        for block in blocks:
            state = self.step(state, block, ids)
            ids.append(tagged("block", block.header.encode()))
        return state

    def step(self, before: State, block: Block, ids: Sequence[bytes]) -> State:
        """State after one block on a branch of blocks ``ids``; ``before`` is not changed."""
        state = self.after(before, len(ids), block.operations, ids)
        require(state.root() == block.header.state_root, "state root")
        require(self.operations_root(block.operations) == block.header.operations_root, "operations root")
        return state

    def operations_root(self, listed: Sequence[Operation]) -> bytes:
        return tagged("ops", len(listed).to_bytes(4, "big") + b"".join(map(wid, listed)))

    def after(self, before: State, height: int, listed: Sequence[Operation], ids: Sequence[bytes]) -> State:
        """State after a block at ``height`` with these operations, on a branch of blocks ``ids`` (genesis first)."""
        state = self.begun(before, height)
        if len({opid(self.genesis, op) for op in listed}) != len(listed):
            raise InvalidError("repeated")
        for op in listed:
            self.apply(state, height, op)
            self.check_stamp(height, op, ids)
        return state

    def begun(self, before: State, height: int) -> State:
        state = deepcopy(before)
        for name, entry in before.names.items():
            if entry["expires"] + self.c.grace <= height:
                del state.names[name]
        for commitment, (committed, _) in before.commitments.items():
            if committed + self.c.commit_life < height:
                del state.commitments[commitment]
        return state

    def check_stamp(self, height: int, op: Operation, ids: Sequence[bytes]) -> None:
        grid = self.c.stamp_grid
        k = height // grid
        stamp = op.stamp
        require(stamp is not None, "stamp")
        assert stamp is not None
        require(stamp.anchor_height in (grid * max(0, k - 1), grid * max(0, k - 2)), "anchor height")
        require(ids[stamp.anchor_height][:8] == stamp.anchor_hash, "anchor hash")
        require(stamp.bits == 0, "bits (the machine stamps with none)")

    def apply(self, state: State, height: int, op: Any) -> None:  # noqa: ANN401
        """One operation at its turn; ``state`` is changed."""
        if op.kind == "commit":
            require(op.commitment not in state.commitments, "known")
            state.commitments[op.commitment] = (height, False)
        elif op.kind == "reveal":
            self.reveal(state, height, op)
        else:
            self.change(state, height, op)

    def reveal(self, state: State, height: int, op: Any) -> None:  # noqa: ANN401
        c = self.c
        commitment = tagged("commit", self.genesis + op.salt + op.owner + op.born.to_bytes(4, "big") + op.name.encode())
        require(commitment in state.commitments, "no commitment")
        committed, used = state.commitments[commitment]
        require(not used, "used")
        require(c.commit_depth <= height - committed <= c.commit_life, "window")
        require(0 <= committed - op.born <= c.expiry + c.grace - c.commit_life, "born")
        require(op.name not in state.names, "taken")
        require(ecdsa(op.owner, opid(self.genesis, op), op.signature), "signature")
        self.check_proofs(op.owner, op)
        state.commitments[commitment] = (committed, True)
        state.names[op.name] = {
            "owner": op.owner,
            "reg": commitment[:16],
            "record": op.record,
            "address": self.granted(state, op.name, op.record, None),
            "seq": 0,
            "registered": height,
            "expires": height + c.expiry,
            "revoked": False,
        }

    def change(self, state: State, height: int, op: Any) -> None:  # noqa: ANN401
        require(op.name in state.names, "absent")
        entry = state.names[op.name]
        require(op.reg == entry["reg"], "reg")
        require(not entry["revoked"], "revoked")
        digest = opid(self.genesis, op)
        by_owner = ecdsa(entry["owner"], digest, op.signature)
        if op.kind == "renew":
            require(op.expires == entry["expires"], "expires")
            require(height + self.c.expiry > entry["expires"], "no gain")
            host = primary(entry["record"])
            require(by_owner or (host is not None and ed25519(host["key"], digest, op.signature)), "signature")
            entry["expires"] = height + self.c.expiry
            return
        require(by_owner, "signature")
        require(height < entry["expires"], "grace")
        require(entry["seq"] < op.seq <= entry["seq"] + self.c.max_seq_step, "seq")
        entry["seq"] = op.seq
        if op.kind == "update":
            self.check_proofs(entry["owner"], op)
            entry["address"] = self.granted(state, op.name, op.record, entry["address"])
            entry["record"] = op.record
        elif op.kind == "transfer":
            require(is_ecdsa_public_key(op.new_owner), "key")
            entry["owner"], entry["record"] = op.new_owner, {}
        else:
            entry["revoked"], entry["address"] = True, None

    def check_proofs(self, owner: bytes, op: Any) -> None:  # noqa: ANN401
        for host in op.record.get("hosts", []):
            message = tagged("host", self.genesis + owner + host["key"] + op.name.encode())
            require(ed25519(host["key"], message, host["proof"]), "proof")

    def granted(self, state: State, name: str, record: Any, current: bytes | None) -> bytes | None:  # noqa: ANN401
        host = primary(record)
        if host is None or not host["ip6"].startswith(CLAIMS):
            return None
        others = [entry["address"] for other, entry in state.names.items() if other != name]
        return current if host["ip6"] in others else host["ip6"]


def require(holds: bool, what: str) -> None:
    if not holds:
        raise InvalidError(what)


def primary(record: Any) -> Any:  # noqa: ANN401
    return next((host for host in record.get("hosts", []) if host["label"] == ""), None)
