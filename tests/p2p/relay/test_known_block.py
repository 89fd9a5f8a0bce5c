"""A block whose operations are known costs a hop little more than its header."""

import time

import pytest

from meshchain.p2p.actions import Do
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
    town.block_arrives("b", "c")
    for name in "bc":
        cost = town.received(name) - before[name]
        with capsys.disabled():
            print(f"\n100 known operations reach {name} in {cost} bytes", end="")
        assert cost < 1500 + 100 * 8
        assert not town.carried(name, GetBlockOperations)
        assert not town.carried(name, GetBlocks)


def test_putting_it_together_and_passing_it_on_takes_little_time(capsys: pytest.CaptureFixture[str]) -> None:
    """The relay's share of the 10 ms for a hop; the ledger's is measured with the ledger."""
    town = Town("a", "b", "c")
    town.line("a", "b", "c")
    town.net.run(1)
    known = town.commits("a", 100)
    town.put("b", *known, tell=False)
    town.net.lies["a"] = lambda _: None
    town.mine("a", *known)
    compact = town.relay("a").blocks._announcer._compact(town["a"].facts.tip())
    assert compact is not None
    town["b"].facts.lab.chain.add_headers([compact.header], None)
    begun = time.process_time()
    (do,) = town.relay("b").blocks.compact(town.peer("a", at="b"), compact, 0)
    taken = time.process_time() - begun
    assert isinstance(do, Do)
    outcome = town["b"].facts.do(do.task)
    assert outcome.error is None
    begun = time.process_time()
    assert town.relay("b").blocks.tip_changed(0)
    passed = time.process_time() - begun
    with capsys.disabled():
        print(f"\nrelay's part of a hop: {1000 * taken:.2f} ms in, {1000 * passed:.2f} ms out", end="")
    assert taken + passed < 0.01


def test_only_what_is_missing_is_fetched_and_sent_along_further_on(capsys: pytest.CaptureFixture[str]) -> None:
    town = Town("a", "b", "c")
    town.line("a", "b", "c")
    town.net.run(1)
    known = town.commits("a", 20)
    for name in "bc":
        town.put(name, *known[:5], *known[8:], tell=False)
    town.mine("a", *known)
    town.block_arrives("b", "c")
    (question,) = town.carried("a", GetBlockOperations)
    assert question.indexes == (5, 6, 7)
    (last,) = town.carried("c", CompactBlock)
    assert [index for index, _ in last.prefilled] == [5, 6, 7]
    assert not town.carried("b", GetBlockOperations), "c had to ask for what b sent along"
    with capsys.disabled():
        print(f"\n3 of 20 operations missing: {town.received('b')} bytes, sent along: {len(encode(last))}", end="")


def test_what_is_sent_along_is_bounded() -> None:
    town = Town("a", "b", "c")
    town.line("a", "b", "c")
    town.net.run(1)
    unknown = town.commits("a", 60)
    town.mine("a", *unknown)
    town.block_arrives("b", "c")
    (last,) = town.carried("c", CompactBlock)
    sizes = [len(raw) for _, raw in last.prefilled]
    assert 0 < sum(sizes) <= 4096
    assert len(sizes) < 60
