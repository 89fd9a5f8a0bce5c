"""A disk that fails for a moment must not leave this node with an opinion of its own about blocks."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count

import pytest

from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.chain.check import check_chain
from meshchain.ledger.chain.index import Flag
from meshchain.ledger.errors import RuleError, StoreError
from meshchain.ledger.pow import check_works
from meshchain.ledger.store import layout
from meshchain.ledger.store.memory import MemoryStore
from meshchain.ledger.workers import InlineWorkers
from tests.ledger.chain.histories import rich_lab
from tests.ledger.chain.watching import branch, spoil
from tests.ledger.kit import Lab


class MoodyStore(MemoryStore):
    """Fails the n-th read of a kind of key, or the n-th write, once (None: never)."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: tuple[bytes, int] | None = None
        self.writes: int | None = None
        self.kept = False
        """Whether a write that fails is there all the same: data in the log, and no answer from fsync."""

    def get(self, key: bytes) -> bytes | None:
        self._read(key)
        return super().get(key)

    def items(
        self, prefix: bytes, start: bytes = b"", end: bytes = b"", *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        self._read(prefix)
        return super().items(prefix, start, end, reverse=reverse)

    def _read(self, key: bytes) -> None:
        if self.reads is not None and key.startswith(self.reads[0]):
            prefix, left = self.reads
            self.reads = (prefix, left - 1) if left > 1 else None
            if self.reads is None:
                raise StoreError("io", "cannot read")

    def write(self, changes: Mapping[bytes, bytes | None], *, sync: bool = True) -> None:
        failing = False
        if self.writes is not None:
            self.writes = self.writes - 1 if self.writes > 1 else None
            failing = self.writes is None
        if not failing or self.kept:
            super().write(changes, sync=sync)
        if failing:
            raise StoreError("io", "cannot write")


def moody(lab: Lab) -> tuple[Chain, MoodyStore]:
    """A chain with the lab's blocks on a store that can fail, opened anew: its caches are cold."""
    store = MoodyStore()
    chain = Chain(store, lab.params, InlineWorkers())
    for block in lab.blocks():
        chain.add_block(block, None)
    return Chain(store, lab.params, InlineWorkers()), store


def stubborn(lab: Lab, chain: Chain, blocks: list[Block]) -> int:
    """Offer every block until it is taken; how often that failed. Whoever follows the reports is not misled."""
    failures = 0
    follower = [block.header.id for block in lab.blocks()]
    for block in blocks:
        for _ in range(3):
            try:
                switch = chain.add_block(block, None)
            except StoreError:
                failures += 1
                continue
            for gone in switch.disconnected:
                assert follower.pop() == gone.header.id
            follower += [new.header.id for new in switch.connected]
            break
    assert follower[-1] == chain.tip.id
    return failures


def check_sound(chain: Chain, lab: Lab, tip: Block) -> None:
    assert chain.tip.id == tip.header.id
    assert check_chain(chain.store, MemoryStore(), lab.params, lab.genesis).difference is None
    assert not any(entry.flags & Flag.FAILED for entry in chain.index.ancestors(chain.tip))
    assert ends(Chain(chain.store, lab.params, InlineWorkers())) == ends(chain)


def ends(chain: Chain) -> tuple[bytes, bytes]:
    return chain.tip.id, chain.best_header.id


@pytest.mark.parametrize("kept", [False, True])
def test_a_write_that_fails_says_nothing_about_the_block(kept: bool) -> None:
    """Also if it was done after all: applied a second time, its operations would be invalid."""
    lab = rich_lab()
    owner = lab.owner(9)
    fork = lab.fork(back=2)
    fork.register(owner, "mallory")
    fork.mine_empty(2)
    news = list(fork.blocks()[lab.height - 2 :])
    for at in range(1, 30):
        chain, store = moody(lab)
        store.writes, store.kept = at, kept
        failures = stubborn(lab, chain, news)
        assert store.writes is None or failures == 0
        check_sound(chain, lab, news[-1])
        if failures == 0:
            return
    pytest.fail("every one of thirty writes was made")


@pytest.mark.parametrize("prefix", [layout.HEADER, layout.CHILD, layout.UNDO, layout.BODY, layout.NODE, layout.ENTRY])
def test_a_read_that_fails_says_nothing_about_the_block(prefix: bytes) -> None:
    lab = rich_lab()
    fork = lab.fork(back=2)
    fork.mine_empty(4)
    news = list(fork.blocks()[lab.height - 2 :])
    for at in range(1, 200):
        chain, store = moody(lab)
        store.reads = prefix, at
        failures = stubborn(lab, chain, news)
        assert failures == (store.reads is None)
        store.reads = None
        check_sound(chain, lab, news[-1])
        if not failures:
            return
    pytest.fail("the reads do not end")


def test_headers_whose_work_was_not_checked_are_not_known() -> None:
    """They wait in the cache for their turn; a failing read must not leave them there, taken for proven."""
    lab = Lab()
    lab.mine_empty(14)
    good, other = branch(lab, back=13, count=1)[0].header, branch(lab, back=1, count=1)[0].header
    nonces = (replace(good, nonce=nonce) for nonce in count())
    unproven = next(h for h in nonces if not check_works([h], lab.params.consensus, lab.workers)[0])
    chain, store = moody(lab)
    store.reads = layout.HEADER + other.id, 1
    with pytest.raises(StoreError):
        chain.add_headers([unproven, other], None)
    with pytest.raises(RuleError) as error:
        chain.add_headers([unproven], None)
    assert error.value.code == "pow"


def test_a_bad_branch_that_could_not_be_marked_is_tried_again() -> None:
    """What was to be taken instead of it is not forgotten."""
    lab = Lab()
    lab.mine_empty(3)
    rival = spoil(lab, branch(lab, back=2, count=4), at=2)
    second = branch(lab, back=2, count=3)
    for at in range(1, 40):
        chain, store = moody(lab)
        chain.add_headers([block.header for block in rival], None)
        for block in (*second[1:], *reversed(rival[1:])):
            if block in second:
                chain.add_headers([b.header for b in second], None)
            chain.add_block(block, None)
        store.writes = at
        failed = 0
        for block in (rival[0], second[0]):
            for _ in range(2):
                try:
                    chain.add_block(block, None)
                except StoreError:
                    failed += 1
                except RuleError:
                    break
                else:
                    break
        chain.tick(0)
        assert chain.tip.id == second[-1].header.id
        assert ends(Chain(store, lab.params, InlineWorkers())) == ends(chain)
        if not failed:
            return
    pytest.fail("the writes do not end")
