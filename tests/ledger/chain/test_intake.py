"""What comes in costs its sender more than us, and is on the disk before anything is built on it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import TypeVar

import pytest

from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.chain.check import check_chain
from meshchain.ledger.errors import RuleError
from meshchain.ledger.header import Header
from meshchain.ledger.pow import check_works
from meshchain.ledger.store.memory import MemoryStore
from meshchain.ledger.workers import InlineWorkers
from tests.ledger.chain.histories import rich_lab
from tests.ledger.chain.watching import branch
from tests.ledger.kit import CONSENSUS, Lab

T = TypeVar("T")
R = TypeVar("R")

LATE = CONSENSUS["genesis_time"] + 100_000


class CountingWorkers(InlineWorkers):
    items = 0

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> list[R]:
        self.items += len(items)
        return super().map(function, items)


@pytest.mark.parametrize("proven", [0, 1, 20])
def test_headers_without_work_are_not_hashed_by_the_thousand(proven: int) -> None:
    """A message of 2,000 headers costs nothing to make if none of them has any work."""
    lab = Lab()
    workers = CountingWorkers()
    chain = Chain(MemoryStore(), lab.params, workers)
    lab.mine_empty(proven)
    headers = [block.header for block in lab.blocks()]
    headers.append(_idle(lab, headers[-1].id if headers else chain.genesis_id, proven + 1))
    while len(headers) < 2000:
        headers.append(replace(headers[-1], height=len(headers) + 1, previous=headers[-1].id, time=LATE + len(headers)))
    with pytest.raises(RuleError) as error:
        chain.add_headers(headers, None)
    assert error.value.code == "pow"
    assert workers.items <= 2 * proven + 1
    assert chain.best_header.height == proven


def _idle(lab: Lab, previous: bytes, height: int) -> Header:
    """A header that is right but for its work."""
    bits = lab.params.consensus.pow_limit_bits
    tries = (Header(1, height, previous, bytes(32), bytes(32), LATE, bits, nonce) for nonce in count())
    return next(header for header in tries if check_works([header], lab.params.consensus, lab.workers) == [False])


def test_headers_alone_are_seen_at_once() -> None:
    lab = Lab()
    lab.mine_empty(2)
    ahead = branch(lab, back=0, count=2)
    before = lab.chain.view()
    lab.chain.add_headers([block.header for block in ahead], None)
    assert [tip.status for tip in lab.chain.view().tips()] == ["headers-only", "active"]
    assert [tip.status for tip in before.tips()] == ["active"]


# --- order on the disk -------------------------------------------------------------------------------------


class LoggedStore(MemoryStore):
    """Keeps every batch. A power cut may lose what was not synced, and spare what was written later: LevelDB syncs
    the log it writes to, not the one before it."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[tuple[dict[bytes, bytes | None], bool]] = []

    def write(self, changes: Mapping[bytes, bytes | None], *, sync: bool = True) -> None:
        self.batches.append((dict(changes), sync))
        super().write(changes, sync=sync)


def after_power_cut(store: LoggedStore, lost: int, upto: int) -> MemoryStore:
    """The first ``upto`` batches without batch ``lost``."""
    left = MemoryStore()
    for number, (changes, _) in enumerate(store.batches[:upto]):
        if number != lost:
            left.write(changes)
    return left


def test_whatever_a_power_cut_loses_what_is_synced_stands_alone() -> None:
    lab = rich_lab()
    fork = lab.fork(back=4)
    fork.mine_empty(7)
    blocks, rival = list(lab.blocks()), list(fork.blocks()[lab.height - 4 :])
    store = LoggedStore()
    _deliver(Chain(store, lab.params, InlineWorkers()), blocks, rival)
    unsynced = [number for number, (_, sync) in enumerate(store.batches) if not sync]
    for lost in unsynced[-12:]:
        for upto in (lost + 2, lost + 4, len(store.batches)):
            _check_left(after_power_cut(store, lost, upto), lab, blocks, rival)
    assert unsynced


def _deliver(chain: Chain, blocks: Sequence[Block], rival: Sequence[Block]) -> None:
    for block in blocks:
        chain.add_block(block, None)
    chain.add_headers([block.header for block in rival], None)
    for block in (rival[1], rival[0], rival[3], rival[2], *rival[4:]):
        chain.add_block(block, None)


def _check_left(store: MemoryStore, lab: Lab, blocks: Sequence[Block], rival: Sequence[Block]) -> None:
    chain = Chain(store, lab.params, InlineWorkers())
    chain.tick(0)
    assert check_chain(store, MemoryStore(), lab.params, lab.genesis).difference is None
    _deliver(chain, blocks, rival)
    assert chain.tip.id == rival[-1].header.id


def test_a_body_on_the_tip_that_is_held_back_is_synced_too() -> None:
    lab = Lab()
    lab.mine_empty(3)
    blocks = list(lab.blocks())
    store = LoggedStore()
    chain = Chain(store, lab.params, InlineWorkers())
    chain.hold_future(blocks[0].header.time)
    for block in blocks:
        chain.add_block(block, None)
    assert chain.tip.id == blocks[0].header.id
    for lost in [number for number, (_, sync) in enumerate(store.batches) if not sync]:
        left = Chain(after_power_cut(store, lost, len(store.batches)), lab.params, InlineWorkers())
        assert left.tick(0).connected == tuple(blocks[1:])
