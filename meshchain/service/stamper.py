"""Makes the stamps the queue asks for: one search at a time, on every core, at the lowest priority."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVarTuple

import trio

from meshchain.ledger.errors import LocalError
from meshchain.ledger.queue import Stamp
from meshchain.ledger.stamps import StampSearch
from meshchain.service.hashing import HashingPool
from meshchain.service.ledger import LedgerService

Args = TypeVarTuple("Args")

_RETRY = 5.0
"""Seconds until a disk is tried again."""
_SLICE = 256
"""Nonces a slice: at 0.7 ms each long enough to cost nothing to hand out, short enough to show progress."""


@dataclass(slots=True)
class _Rate:
    """Hashes a second since the search began here."""

    began: float
    hashes: int = 0

    def per_second(self, now: float) -> float:
        return self.hashes / max(now - self.began, 0.001)


class Stamper:
    """Follows ``ledger.stamp_job``; a job that the queue no longer lists is dropped within a hash."""

    def __init__(self, ledger: LedgerService, pool: HashingPool) -> None:
        self._ledger = ledger
        self._pool = pool

    async def run(self) -> None:
        while True:
            changed, job = self._ledger.changed, self._ledger.stamp_job
            if job is None:
                await changed.wait()
                continue
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._watch, job, scope)
                    await self._search(job)
                    nursery.cancel_scope.cancel()

    async def _watch(self, job: Stamp, scope: trio.CancelScope) -> None:
        """Cancel the search once the queue wants something else."""
        while True:
            changed = self._ledger.changed
            if self._ledger.stamp_job != job:
                scope.cancel()
                return
            await changed.wait()

    async def _search(self, job: Stamp) -> None:
        search = await trio.to_thread.run_sync(job.search)
        rate = _Rate(self._ledger.clock.running())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._report, job, search, rate)
            async with trio.open_nursery() as workers:
                for _ in range(self._pool.threads):
                    workers.start_soon(self._work, search, rate)
            nursery.cancel_scope.cancel()
        await self._hand_over(job, search)

    async def _hand_over(self, job: Stamp, search: StampSearch) -> None:
        while True:
            if await self._told(self._ledger.stamped, job.opid, search, job):
                return
            await trio.sleep(_RETRY)

    async def _told(self, report: Callable[[*Args], Awaitable[None]], *args: *Args) -> bool:
        """Whether the ledger could take the report; if it cannot, for want of a disk, its alarm stands."""
        try:
            await report(*args)
        except LocalError:
            return False
        return True

    async def _work(self, search: StampSearch, rate: _Rate) -> None:
        while (piece := search.next_slice(_SLICE)) is not None:
            nonce, tried = await self._pool.run(partial(search.run, piece))
            search.feed(piece, nonce, tried)
            rate.hashes += tried

    async def _report(self, job: Stamp, search: StampSearch, rate: _Rate) -> None:
        while True:
            await trio.sleep(0.5)
            pace = rate.per_second(self._ledger.clock.running())
            await self._told(self._ledger.progressed, job.opid, search, pace)
