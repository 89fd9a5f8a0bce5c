"""Death between any two batches: the store reopens as a valid chain and goes on to where it was going.

Every write of a reorg is one batch, so a crash is a point between two of them. In memory all points are tried; on
disk a process is killed (SIGKILL) at a few of them, at many in the slow run.
"""

import random
import signal
import subprocess
import sys
from collections.abc import Mapping
from itertools import count
from pathlib import Path

import pytest

from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Chain, Switch
from meshchain.ledger.chain.check import check_chain
from meshchain.ledger.errors import StoreError
from meshchain.ledger.store import Store
from meshchain.ledger.store.leveldb import LevelStore
from meshchain.ledger.store.memory import MemoryStore
from meshchain.ledger.workers import InlineWorkers
from tests.ledger.chain.histories import rich_lab
from tests.ledger.chain.watching import derived
from tests.ledger.kit import Lab

DEPTH = 6


class CrashError(BaseException):
    """The process is gone."""


class BreakingStore(MemoryStore):
    """Fails at the n-th write: as a dead process (before or after it is done) or as a full disk."""

    def __init__(self, error: BaseException, at: int, *, done: bool = False) -> None:
        super().__init__()
        self.error, self.left, self.done = error, at, done

    def write(self, changes: Mapping[bytes, bytes | None], *, sync: bool = True) -> None:
        self.left -= 1
        if self.left == 0 and not self.done:
            raise self.error
        super().write(changes, sync=sync)
        if self.left == 0:
            raise self.error


def scene() -> tuple[Lab, list[Block], list[Block]]:
    """A lab with a rich history, its blocks, and a rival branch that leaves it ``DEPTH`` blocks below."""
    lab = rich_lab()
    fork = lab.fork(back=DEPTH)
    owner = fork.owner(7)
    fork.register(owner, "eve")
    fork.mine_empty(DEPTH)
    return lab, list(lab.blocks()), list(fork.blocks()[lab.height - DEPTH :])


LAB, OLD, RIVAL = scene()


def start(store: Store) -> Chain:
    return Chain(store, LAB.params, InlineWorkers())


def run(chain: Chain) -> None:
    """Sync the old chain, then all of the rival: headers, bodies from the last to the first, so one switch."""
    for block in OLD:
        chain.add_block(block, None)
    chain.add_headers([block.header for block in RIVAL], None)
    for block in reversed(RIVAL):
        chain.add_block(block, None)


def check_reopened(store: Store) -> None:
    """Valid as it is; after the first tick and the rest of the blocks, the same as if nothing had happened."""
    chain = start(store)
    assert check_chain(store, MemoryStore(), LAB.params, LAB.genesis).difference is None
    chain.tick(0)
    run(chain)
    assert chain.tip.id == RIVAL[-1].header.id
    assert check_chain(store, MemoryStore(), LAB.params, LAB.genesis).difference is None


def writes_before_the_switch() -> int:
    store = BreakingStore(CrashError(), 10**9)
    chain = start(store)
    for block in OLD:
        chain.add_block(block, None)
    return 10**9 - store.left


BEFORE = writes_before_the_switch()


def test_a_crash_at_any_write_of_a_switch_leaves_a_valid_chain() -> None:
    for at in count(BEFORE):
        store = BreakingStore(CrashError(), at, done=bool(at % 2))
        try:
            run(start(store))
        except CrashError:
            check_reopened(store)
        else:
            break
    assert at - BEFORE > 2 * DEPTH + len(RIVAL)


def test_a_crash_at_the_very_first_writes_leaves_a_chain_or_an_empty_store() -> None:
    for at in range(1, 4):
        for done in (False, True):
            store = BreakingStore(CrashError(), at, done=done)
            with pytest.raises(CrashError):
                run(start(store))
            check_reopened(store)


def test_a_failing_disk_in_the_middle_of_a_switch_loses_no_report() -> None:
    """The same chain goes on; all Switches together are one from the old tip to the new."""
    for at in count(BEFORE + 1):
        store = BreakingStore(StoreError("disk-full", "no room"), at)
        chain = start(store)
        reports: list[Switch] = []
        failures = 0
        for block in [*OLD, *RIVAL[::-1]]:
            try:
                reports.append(_offer(chain, block))
            except StoreError:
                failures += 1
                chain.view()
                reports.append(_offer(chain, block))
        assert chain.tip.id == RIVAL[-1].header.id
        assert _walked(reports) == [block.header.id for block in [*OLD[:-DEPTH], *RIVAL]]
        assert check_chain(store, MemoryStore(), LAB.params, LAB.genesis).difference is None
        if not failures:
            break


def _offer(chain: Chain, block: Block) -> Switch:
    if block in RIVAL:
        chain.add_headers([rival.header for rival in RIVAL], None)
    return chain.add_block(block, None)


def _walked(reports: list[Switch]) -> list[bytes]:
    """Where a follower stands who heard nothing but these reports."""
    stack: list[bytes] = []
    for report in reports:
        for block in report.disconnected:
            assert stack.pop() == block.header.id
        stack += [block.header.id for block in report.connected]
    return stack


def test_disconnecting_everything_leaves_nothing_derived() -> None:
    chain = start(MemoryStore())
    for block in OLD:
        chain.add_block(block, None)
    while chain.tip.height:
        chain._moves.disconnect_tip()
    assert derived(chain.store) == {}


# --- with a real process and a real disk -------------------------------------------------------------------


def killed_at(folder: Path, write: int) -> bool:
    """Run the switch in a process that kills itself at that write; False if it reached the end."""
    command = [sys.executable, "-m", "tests.ledger.chain.test_crash", str(folder), str(write)]
    done = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, timeout=60, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
    return done.returncode != 0


def check_kills(folder: Path, points: int, seed: int) -> None:
    chosen = random.Random(seed)
    for number in range(points):
        path = folder / str(number)
        assert killed_at(path, BEFORE + chosen.randrange(3 * DEPTH + 2))
        store = LevelStore(path)
        check_reopened(store)
        store.close()


def test_a_killed_process_leaves_a_valid_chain_on_disk(tmp_path: Path) -> None:
    check_kills(tmp_path, points=2, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_many_killed_processes_leave_valid_chains_on_disk(tmp_path: Path, seed: int) -> None:
    check_kills(tmp_path, points=6, seed=100 + seed)


class DyingStore(LevelStore):
    """Kills its process at the n-th write, before it for even numbers, after it for odd ones."""

    def __init__(self, path: Path, at: int) -> None:
        super().__init__(path)
        self.at = at
        self.left = at

    def write(self, changes: Mapping[bytes, bytes | None], *, sync: bool = True) -> None:
        self.left -= 1
        if self.left == 0 and self.at % 2 == 0:
            signal.raise_signal(signal.SIGKILL)
        super().write(changes, sync=sync)
        if self.left == 0:
            signal.raise_signal(signal.SIGKILL)


if __name__ == "__main__":
    run(start(DyingStore(Path(sys.argv[1]), int(sys.argv[2]))))
