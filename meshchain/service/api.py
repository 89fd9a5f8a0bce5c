"""The running node as the RPC server sees it (``meshchain.rpc.api.NodeApi``)."""

import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import trio

from meshchain.ledger.chain.check import CheckReport, check_chain
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.errors import LocalError, RuleError
from meshchain.ledger.mining import waits_for_block
from meshchain.ledger.names import check_name
from meshchain.ledger.params import Params
from meshchain.ledger.record import primary_key, proof_message
from meshchain.ledger.store import Reader
from meshchain.ledger.store.leveldb import LevelStore
from meshchain.rpc.api import Alarm, Identity, MiningStatus, Pending, QueueStatus, SyncStatus
from meshchain.service.alarms import Alarms
from meshchain.service.bridge import Bridge
from meshchain.service.ledger import LedgerService
from meshchain.service.miner import Miner
from meshchain.service.nodekey import NodeKey

AskRouter = Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""(method, parameters) → the router's answer, in the node's loop; LocalError."""


class NodeService:
    """Plain methods read values that the parts have published; async ones cross into the node's loop."""

    def __init__(
        self,
        *,
        params: Params,
        datadir: Path,
        started: float,
        ledger: LedgerService,
        miner: Miner,
        mining_enabled: bool,
        key: NodeKey,
        zone: int,
        alarms: Alarms,
        bridge: Bridge,
        stop: Callable[[], None],
        ask_router: AskRouter | None = None,
    ) -> None:
        """``ask_router``: None if this node runs no router."""
        self.params = params
        self.datadir = datadir
        self.started = started
        self._ledger = ledger
        self._miner = miner
        self._mining_enabled = mining_enabled
        self._key = key
        self._zone = zone
        self._alarms = alarms
        self._bridge = bridge
        self._stop = stop
        self._ask_router = ask_router

    # --- reads, from any thread ----------------------------------------------------------------------------

    def view(self) -> ChainView:
        return self._ledger.view

    def sync(self) -> SyncStatus:
        peers = self._ledger.peers
        synced = self._ledger.first_synced and peers.synced
        return SyncStatus(synced=synced, height=self._ledger.view.height, target=peers.target, message=peers.message)

    def pending(self) -> tuple[Pending, ...]:
        return self._ledger.pending

    def queue(self) -> tuple[QueueStatus, ...]:
        """The queue's own view; what waits for a block is told why this node makes none."""
        miner, statuses = self._miner.status, self._ledger.statuses
        if not miner.held:
            return statuses
        why = f"; this node makes no blocks: {miner.reason}"
        return tuple(replace(s, next_change=s.next_change + why) if waits_for_block(s) else s for s in statuses)

    def mining(self) -> MiningStatus:
        status = self._miner.status
        return MiningStatus(
            enabled=self._mining_enabled,
            active=status.active,
            reason=status.reason,
            hash_rate=status.hash_rate,
            duty=status.duty if status.active else 0.0,
            template_operations=status.template_operations,
        )

    def peers(self) -> tuple[Mapping[str, Any], ...]:
        return self._ledger.peers.table

    def bans(self) -> tuple[Mapping[str, Any], ...]:
        return self._ledger.peers.bans

    def identity(self) -> Identity:
        name = self._own_name()
        return Identity(key=self._key.public, ip6=self._key.address, name=name, zone=self._zone, guest=name is None)

    def alarms(self) -> tuple[Alarm, ...]:
        return self._alarms.current

    def sign_node_proof(self, owner: bytes, name: str) -> bytes:
        check_name(name)
        return self._key.sign(proof_message(self._ledger.view.genesis_id, owner, self._key.public, name))

    # --- writes, from the server's loop --------------------------------------------------------------------

    async def send_operation(self, raw: bytes) -> bytes:
        return await self._bridge.call(self._ledger.send, raw)

    async def queue_operations(self, drafts: Sequence[bytes]) -> tuple[bytes, ...]:
        return await self._bridge.call(self._ledger.submit, drafts)

    async def generate(self, blocks: int) -> tuple[bytes, ...]:
        if not self.params.policy.mine_when_pending:
            raise RuleError("not-dev", "blocks are made on demand on dev networks only", network=self.params.name)
        return await self._bridge.call(self._miner.mine_now, blocks)

    async def accept_chain(self, block_id: bytes) -> None:
        await self._bridge.call(self._ledger.accept, block_id)

    async def check_chain(self) -> CheckReport:
        return await self._bridge.call(self._check)

    async def mesh(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._ask_router is None:
            raise LocalError("router-off", "this node runs no router: it was started without links and without TUN")
        return await self._bridge.call(self._ask_router, method, params)

    def stop(self) -> None:
        self._stop()

    # -------------------------------------------------------------------------------------------------------

    async def _check(self) -> CheckReport:
        reader = self._ledger.chain.store.snapshot()
        check = partial(_check_in, self.datadir, reader, self.params, self._ledger.chain.genesis_id)
        return await trio.to_thread.run_sync(check)

    def _own_name(self) -> str | None:
        """The first living name that this node is the primary host of."""
        view = self._ledger.view
        for name in view.names_with_key(self._key.public):
            entry = view.entry(name)
            if entry is not None and not entry.revoked and primary_key(entry.record) == self._key.public:
                return name
        return None


def _check_in(datadir: Path, reader: Reader, params: Params, genesis_id: bytes) -> CheckReport:
    """Replay into a scratch store beside the ledger: the state of a large chain does not fit into memory."""
    with tempfile.TemporaryDirectory(prefix="check-", dir=datadir) as folder:
        scratch = LevelStore(Path(folder) / "ledger")
        try:
            return check_chain(reader, scratch, params, genesis_id)
        finally:
            scratch.close()
