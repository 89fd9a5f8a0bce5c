"""A block whose operations are known costs a hop little more than its header."""

import time

import pytest

from meshchain.p2p.messages import CompactBlock, GetBlockOperations, GetBlocks, encode
from tests.p2p.relay.node import Town


def test_a_block_of_100_known_operations_takes_few_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    town = Town("a", "b", "c")
    town.line("a", "b", "c")
    town.net.run(1)
    known = town.commits("a", 100)
    for name in "abc":
        town.put(name, *known, tell=False)
    before = {name: town.received(name) for name in "bc"}
    town.mine("a", *known)
    assert town.net.run_until(lambda: town["c"].height == 3, 5)
    assert town["c"].tip_id == town["a"].tip_id
    for name in "bc":
        cost = town.received(name) - before[name]
        with capsys.disabled():
            print(f"\n100 known operations reach {name} in {cost} bytes", end="")
        assert cost < 1500 + 100 * 8
        assert not town.carried(name, GetBlockOperations, GetBlocks)


def test_taking_and_passing_on_such_a_block_takes_little_time(capsys: pytest.CaptureFixture[str]) -> None:
    town = Town("a", "b")
    town.line("a", "b")
    town.net.run(1)
    known = town.commits("a", 100)
    for name in "ab":
        town.put(name, *known, tell=False)
    town.mine("a", *known)
    spent = 0.0
    while town["b"].height < 3:
        begun = time.process_time()
        assert town.net.run_until(lambda: bool(town["b"].tasks), 5)
        town.net.run(0.001)
        spent += time.process_time() - begun
    (compact,) = town.carried("b", CompactBlock)
    with capsys.disabled():
        print(f"\na hop: {1000 * spent:.1f} ms of CPU with the ledger's part, {len(encode(compact))} bytes", end="")
    assert spent < 0.1
