"""Mines while the policy says so: short slices of hashing, pauses that make the duty, a new template when it pays.

What to do is decided by ``meshchain.ledger.mining``; this loop only carries it out. A template is good until the
chain or the mempool changes, and for ``_TEMPLATE_LIFE`` seconds: difficulty depends on a block's own time and
eases as it waits.
"""

import random
from dataclasses import dataclass, replace
from functools import partial

import structlog
import trio

from meshchain.ledger.block import Block
from meshchain.ledger.errors import LocalError, RemoteError
from meshchain.ledger.mining import Decision, Pace
from meshchain.ledger.pow import search_nonce
from meshchain.ledger.template import Template
from meshchain.service.hashing import HashingPool, Stop
from meshchain.service.ledger import LedgerService
from meshchain.service.outlook import Outlook

_TEMPLATE_LIFE = 10.0


@dataclass(frozen=True, slots=True)
class MinerStatus:
    """What status shows; replaced, never changed."""

    active: bool = False
    held: bool = False
    reason: str = "starting"
    hash_rate: float = 0.0
    duty: float = 0.0
    template_operations: int = 0


class Miner:
    """One low-priority thread of proof of work."""

    def __init__(self, ledger: LedgerService, outlook: Outlook, pool: HashingPool, rng: random.Random) -> None:
        self.status = MinerStatus()
        self._ledger = ledger
        self._outlook = outlook
        self._pool = pool
        self._rng = rng
        self._pace = Pace()
        self._memory_kib = ledger.chain.params.consensus.pow_memory_kib
        self._log = structlog.get_logger("miner")

    async def run(self) -> None:
        while True:
            changed = self._ledger.changed
            decision = self._outlook.decide()
            self._show(active=decision.mine, held=decision.held, reason=decision.reason, duty=decision.duty)
            if not decision.mine:
                with trio.move_on_after(decision.check_again):
                    await changed.wait()
                continue
            try:
                await self._mine(decision)
            except LocalError as error:
                self._log.error("mining pauses", code=error.code, error=error.message)
                await trio.sleep(5)

    async def mine_now(self, blocks: int) -> tuple[bytes, ...]:
        """Mine ``blocks`` blocks one after the other, whatever the policy says (``generate`` on dev networks)."""
        ids: list[bytes] = []
        while len(ids) < blocks:
            template = await self._ledger.build_template()
            block = _sealed(template, await self._search(template, 1.0))
            await self._ledger.add_block(block)
            if self._ledger.chain.index.main_id(block.header.height) == block.header.id:
                ids.append(block.header.id)
        return tuple(ids)

    async def _mine(self, decision: Decision) -> None:
        """Look for one block, until the chain changes, the template is old, or a block is found."""
        tip = self._ledger.view.tip_id
        template = await self._ledger.build_template()
        self._show(template_operations=len(template.operations))
        nonce = None
        with trio.move_on_after(_TEMPLATE_LIFE):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch, tip, nursery.cancel_scope)
                nonce = await self._search(template, decision.duty)
                nursery.cancel_scope.cancel()
        if nonce is not None:
            await self._submit(_sealed(template, nonce))

    async def _watch(self, tip: bytes, scope: trio.CancelScope) -> None:
        """Cancel once the tip moved or other operations wait."""
        pending = self._ledger.pending
        while self._ledger.view.tip_id == tip and self._ledger.pending == pending:
            await self._ledger.changed.wait()
        scope.cancel()

    async def _search(self, template: Template, duty: float) -> int:
        encoded, start, clock = template.header.encode(), self._rng.getrandbits(63), self._ledger.clock
        while True:
            began, count = clock.running(), self._pace.slice()
            nonce, tried = await self._pool.run(partial(_search, encoded, self._memory_kib, start, count))
            worked = clock.running() - began
            self._pace.worked(tried, worked)
            self._show(hash_rate=self._pace.rate)
            if nonce is not None:
                return nonce
            start += count
            await trio.sleep(self._pace.pause(worked, duty))

    async def _submit(self, block: Block) -> None:
        try:
            await self._ledger.add_block(block)
        except RemoteError as error:  # a template is checked before work: this is a defect, and worth a loud line
            self._log.error("own block refused", code=error.code, error=error.message)
            await trio.sleep(1)
        else:
            self._log.info("block mined", height=block.header.height, operations=len(block.operations))

    def _show(self, **changes: bool | str | float) -> None:
        self.status = replace(self.status, **changes)  # type: ignore[arg-type]  # each caller names its fields


def _sealed(template: Template, nonce: int) -> Block:
    return Block(replace(template.header, nonce=nonce), template.operations)


def _search(encoded: bytes, memory_kib: int, start: int, count: int, stop: Stop) -> tuple[int | None, int]:
    return search_nonce(encoded, memory_kib, start, count, stop)
