"""A NodeApi over the real chain, rules and codec in memory: what a node is, less threads, disk and network.

Operations wait in a list until a block takes them; blocks are mined on demand with the network's real (tiny)
work. Everything a caller can see of names, blocks and errors comes from the ledger itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from meshchain import crypto
from meshchain.crypto.address import node_address
from meshchain.ledger import operations, params, rules
from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.chain.check import CheckReport, check_chain
from meshchain.ledger.chain.connect import apply_block
from meshchain.ledger.chain.statedb import changes_of
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.errors import LocalError, RuleError
from meshchain.ledger.header import VERSION, Header, operations_root
from meshchain.ledger.operations import Commit, Operation
from meshchain.ledger.params import Params
from meshchain.ledger.pow import search_nonce
from meshchain.ledger.record import proof_message
from meshchain.ledger.rules import stamp
from meshchain.ledger.stamps import PUZZLES, Stamp, anchor_heights
from meshchain.ledger.state import Overlay
from meshchain.ledger.store.memory import MemoryStore
from meshchain.ledger.workers import InlineWorkers
from meshchain.rpc.api import Alarm, Identity, MiningStatus, Pending, QueueStatus, SyncStatus
from tests.router.control.kit import MeshRouter

NODE_SEED = bytes(range(32))


def small_network(expiry: int = 1000, grace: int = 50, commit_life: int = 100) -> Params:
    """The dev network with the smallest argon2 memory."""
    dev = params.load("dev")
    rules_of_it = replace(dev.consensus, pow_memory_kib=8, expiry=expiry, grace=grace, commit_life=commit_life)
    return replace(dev, consensus=rules_of_it)


@dataclass(eq=False)
class LedgerNode:
    """Tests set ``synced``, ``standing`` and ``mesh_name`` as they need."""

    datadir: Path
    params: Params = field(default_factory=small_network)
    started: float = 1_790_000_000.0
    synced: bool = True
    standing: tuple[Alarm, ...] = ()
    peer_rows: tuple[Mapping[str, Any], ...] = ()
    ban_rows: tuple[Mapping[str, Any], ...] = ()
    mesh_name: str | None = None
    router: MeshRouter | None = None

    def __post_init__(self) -> None:
        self.chain = Chain(MemoryStore(), self.params, InlineWorkers())
        self.waiting: list[Operation] = []
        self.promised: list[Operation] = []
        self.stops = 0
        self.checks = 0

    def view(self) -> ChainView:
        return self.chain.view()

    def sync(self) -> SyncStatus:
        height = self.chain.tip.height
        target = height if self.synced else height + 50
        message = "synced" if self.synced else "fetching blocks"
        return SyncStatus(synced=self.synced, height=height, target=target, message=message)

    def pending(self) -> tuple[Pending, ...]:
        return tuple(
            Pending(
                operation=operation,
                opid=self.opid(operation),
                wid=operations.wid(operation),
                size=len(operations.encode(operation)),
                added=1_790_000_100.5,
            )
            for operation in self.waiting
        )

    def queue(self) -> tuple[QueueStatus, ...]:
        return tuple(self._status(operation) for operation in self.promised)

    def mining(self) -> MiningStatus:
        return MiningStatus(
            enabled=True,
            active=False,
            reason="on demand",
            hash_rate=1.0,
            duty=0.0,
            template_operations=len(self.waiting),
        )

    def peers(self) -> tuple[Mapping[str, Any], ...]:
        return self.peer_rows

    def bans(self) -> tuple[Mapping[str, Any], ...]:
        return self.ban_rows

    def identity(self) -> Identity:
        key = crypto.ed25519_public_key(NODE_SEED)
        ip6 = node_address(key)
        assert ip6 is not None
        return Identity(key=key, ip6=ip6, name=self.mesh_name, zone=3, guest=self.mesh_name is None)

    def alarms(self) -> tuple[Alarm, ...]:
        return self.standing

    def sign_node_proof(self, owner: bytes, name: str) -> bytes:
        key = crypto.ed25519_public_key(NODE_SEED)
        return crypto.sign_ed25519(NODE_SEED, proof_message(self.chain.genesis_id, owner, key, name))

    async def send_operation(self, raw: bytes) -> bytes:
        operation = operations.decode(raw, self.params.consensus)
        self._try(operation)
        self.waiting.append(operation)
        return self.opid(operation)

    async def queue_operations(self, drafts: Sequence[bytes]) -> tuple[bytes, ...]:
        decoded = [operations.decode_draft(draft, self.params.consensus) for draft in drafts]
        for operation in decoded:
            if not isinstance(operation, operations.Commit | operations.Reveal):
                self._try(self.stamped(operation))
        self.promised += decoded
        return tuple(self.opid(operation) for operation in decoded)

    async def generate(self, blocks: int) -> tuple[bytes, ...]:
        return tuple(self.mine() for _ in range(blocks))

    async def accept_chain(self, block_id: bytes) -> None:
        self.chain.accept(block_id)

    async def check_chain(self) -> CheckReport:
        self.checks += 1
        return check_chain(self.chain.store.snapshot(), MemoryStore(), self.params, self.chain.genesis_id)

    async def mesh(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.router is None:
            raise LocalError("router-off", "this node runs no router")
        return self.router.ask(method, params)

    def stop(self) -> None:
        self.stops += 1

    # what tests use besides

    def opid(self, operation: Operation) -> bytes:
        return operations.opid(operation, self.chain.genesis_id)

    def stamped(self, operation: Operation) -> Operation:
        """With a stamp of no bits, which this network allows, on a present anchor."""
        if operation.stamp is not None:
            return operation
        height = anchor_heights(self.params.consensus, self.chain.tip.height + 1)[0]
        anchor = self.chain.next_block().block_id(height)
        return replace(operation, stamp=Stamp(height, anchor[:8], 0, (0,) * PUZZLES))

    def mine(self) -> bytes:
        """A block with whatever waits or is promised and is valid in it; its id."""
        self._advance()
        following = self.chain.next_block()
        overlay, _ = apply_block(following.state, self.waiting, following.context)
        _, root = changes_of(overlay, self.chain.state, self.chain.tip.header.state_root)
        block = Block(self.mined(root), tuple(self.waiting))
        self.chain.add_block(block, None)
        self.waiting.clear()
        return block.header.id

    def mined(self, state_root: bytes) -> Header:
        """The next block's header, with work."""
        tip = self.chain.tip
        header = Header(
            version=VERSION,
            height=tip.height + 1,
            previous=tip.id,
            operations_root=operations_root([operations.wid(op) for op in self.waiting]),
            state_root=state_root,
            time=tip.header.time + 120,
            bits=self.params.consensus.pow_limit_bits,
            nonce=0,
        )
        memory = self.params.consensus.pow_memory_kib
        nonce, _ = search_nonce(header.encode(), memory, 0, 10_000, lambda: False)
        assert nonce is not None
        return replace(header, nonce=nonce)

    def _advance(self) -> None:
        for operation in self.promised:
            ready = self.stamped(operation)
            if self.view().locate(self.opid(operation)) is None and ready not in self.waiting:
                try:
                    self._try(ready)
                except RuleError:
                    continue
                self.waiting.append(ready)

    def _try(self, operation: Operation) -> None:
        """RuleError unless the next block may hold ``operation`` after those that wait."""
        following = self.chain.next_block()
        overlay = Overlay(following.state)
        rules.begin_block(overlay, following.context)
        for earlier in self.waiting:
            rules.apply(overlay, earlier, following.context)
        rules.apply(overlay, operation, following.context)
        stamp.check_anchor(operation, following.context, following.block_id)

    def _status(self, operation: Operation) -> QueueStatus:
        located = self.view().locate(self.opid(operation))
        return QueueStatus(
            opid=self.opid(operation),
            kind=operation.kind,
            name=None if isinstance(operation, Commit) else operation.name,
            state="queued" if located is None else "confirmed",
            confirmations=0 if located is None else self.chain.tip.height - located.height + 1,
            reason="waits for a block" if located is None else "in the chain",
            next_change="with the next block",
            stamp=None,
            blocks_to_go=None,
            winner=None,
        )
