"""The ledger's owner and the stamper, in process: clocks that come and go, disks that are full for a while."""

import random
from collections.abc import Callable, Mapping

import pytest
import trio

from meshchain.ledger import operations
from meshchain.ledger.errors import StoreError
from meshchain.ledger.mempool import Mempool
from meshchain.ledger.queue import Queue
from meshchain.ledger.store import layout
from meshchain.ledger.store.memory import MemoryStore
from meshchain.p2p.standing import PeerStanding
from meshchain.service import stamper
from meshchain.service.alarms import Alarms
from meshchain.service.hashing import HashingPool
from meshchain.service.ledger import LedgerService
from meshchain.service.stamper import Stamper
from tests.ledger.chain.watching import branch
from tests.ledger.kit import Lab, Node


class HandClock:
    """A clock set by the test."""

    def __init__(self, lab: Lab) -> None:
        self.wall = lab.now
        self.credible = True

    def now(self) -> float:
        return self.wall

    def running(self) -> float:
        return self.wall

    def synchronised(self) -> bool:
        return self.credible


class FillingStore(MemoryStore):
    """A disk that may have no room."""

    full = False
    refused = 0

    def write(self, changes: Mapping[bytes, bytes | None], *, sync: bool = True) -> None:
        if self.full:
            self.refused += 1
            raise StoreError("disk-full", "no room")
        super().write(changes, sync=sync)


def service(lab: Lab, peers: PeerStanding | None = None) -> tuple[LedgerService, HandClock]:
    clock, node, chain = HandClock(lab), Node(), lab.chain
    queue = Queue(chain.store, lab.params, chain.genesis_id, node_key=node.key, sign=node.sign, rng=random.Random(1))
    mempool = Mempool(lab.params, chain.workers, chain.stamps_seen)
    ledger = LedgerService(chain, mempool, queue, clock, Alarms(clock.now))
    ledger.set_peers(peers or PeerStanding())
    return ledger, clock


class StumblingStore(MemoryStore):
    """The n-th read of a commitment fails."""

    left = 0

    def get(self, key: bytes) -> bytes | None:
        if key.startswith(layout.COMMITMENT) and self.left:
            self.left -= 1
            if not self.left:
                raise StoreError("io", "cannot read")
        return super().get(key)


async def until(condition: Callable[[], bool]) -> None:
    with trio.fail_after(60):
        while True:
            if condition():
                return
            await trio.sleep(0.01)


async def test_a_time_server_that_goes_away_does_not_stop_the_chain() -> None:
    lab = Lab()
    lab.mine_empty(12)
    ledger, clock = service(lab)
    await ledger.tick()
    news = branch(lab, back=0, count=20)
    clock.credible = False
    for block in news:
        clock.wall = block.header.time
        await ledger.tick()
        await ledger.add_block(block)
    assert ledger.view.tip_id == news[-1].header.id


async def test_a_full_disk_does_not_end_the_stamper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamper, "_RETRY", 0.01)
    store = FillingStore()
    lab = Lab(store=store)
    ledger, _ = service(lab)
    pool = HashingPool(1)
    commit = lab.owner().commit("alice")
    (opid,) = await ledger.submit([operations.encode(commit)])
    await ledger.tick()
    store.full = True
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Stamper(ledger, pool).run)
        await until(lambda: store.refused > 1)
        assert [alarm.code for alarm in ledger.alarms.current] == ["store"]
        store.full = False
        await until(lambda: ledger.mempool.get(opid) is not None)
        nursery.cancel_scope.cancel()
    pool.close()


async def test_operations_that_a_reorg_takes_out_are_not_lost_with_a_failing_read() -> None:
    for at in range(1, 50):
        store = StumblingStore()
        lab = Lab(store=store)
        lab.mine_empty(3)
        ledger, _ = service(lab)
        mined, waiting = (lab.stamp(lab.owner(number).commit("alice")) for number in (1, 2))
        await ledger.add_block(lab.block(mined))
        await ledger.send(operations.encode(waiting))
        await ledger.add_block(branch(lab, back=0, count=1)[0])
        longer = branch(lab, back=2, count=3)
        for block in longer[:-1]:
            await ledger.add_block(block)
        store.left = at
        try:
            await ledger.add_block(longer[-1])
        except StoreError:
            await ledger.tick()
        assert ledger.view.tip_id == longer[-1].header.id
        assert {pending.opid for pending in ledger.pending} == {
            operations.opid(op, lab.genesis) for op in (mined, waiting)
        }
        if store.left:
            return
    raise AssertionError("the reads do not end")
