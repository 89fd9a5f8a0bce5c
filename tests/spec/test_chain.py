"""chain.json: a node that receives the blocks holds what the file says after each, and refuses what it must."""

from typing import Any

import pytest

from meshchain.ledger import operations, tree
from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.entry import NameEntry
from meshchain.ledger.errors import RemoteError
from meshchain.ledger.header import Header
from meshchain.ledger.store.memory import MemoryStore
from meshchain.ledger.workers import InlineWorkers
from tests.spec.reading import load, params_of, raw

VECTORS = load("chain.json")
PARAMS = params_of(VECTORS["parameters"])


def _node() -> Chain:
    return Chain(MemoryStore(), PARAMS, InlineWorkers())


def _receive(chain: Chain, step: dict[str, Any]) -> None:
    chain.add_headers([Header.decode(raw(header)) for header in step["headers"]], None)
    block = Block.decode(raw(step["block"]), PARAMS.consensus)
    assert block.encode() == raw(step["block"])
    assert block.header.id == raw(step["id"])
    assert [operations.opid(op, chain.genesis_id).hex() for op in block.operations] == step["opids"]
    switch = chain.add_block(block, None)
    assert [gone.header.id.hex() for gone in switch.disconnected] == step["disconnected"]
    assert [new.header.id.hex() for new in switch.connected] == step["connected"]


def _check_held(chain: Chain, step: dict[str, Any]) -> None:
    tip = chain.tip
    assert (tip.height, tip.id.hex(), tip.work) == (step["height"], step["tip"], step["work"])
    assert tip.header.state_root.hex() == step["state_root"]
    assert {name: entry.encode().hex() for name, entry in chain.state.names()} == step["entries"]
    for commitment, value in step["commitments"].items():
        known = chain.state.commitment(raw(commitment))
        assert known is not None
        assert (known.height, known.used) == (value["height"], value["used"])
    assert len(list(chain.state.old_commitments(2**32 - 1))) == len(step["commitments"])


def test_genesis() -> None:
    chain = _node()
    assert chain.genesis_id == raw(VECTORS["genesis_id"])
    assert chain.genesis.encode() == raw(VECTORS["genesis_header"])


def test_the_whole_story() -> None:
    chain = _node()
    for step in VECTORS["steps"]:
        _receive(chain, step)
        _check_held(chain, step)


def test_the_story_has_a_reorg_and_a_tie() -> None:
    depths = [len(step["disconnected"]) for step in VECTORS["steps"]]
    assert sorted(depth for depth in depths if depth) == [1, 2]


def test_state_roots_follow_from_the_entries() -> None:
    for step in VECTORS["steps"]:
        leaves = {
            tree.name_key(name): tree.entry_hash(NameEntry.decode(raw(entry)).encode())
            for name, entry in step["entries"].items()
        }
        assert tree.build(sorted(leaves.items()), lambda *_: None).hex() == step["state_root"]


def test_refusals() -> None:
    chain, seen = _node(), 0
    for step in VECTORS["steps"]:
        _receive(chain, step)
        for case in step.get("refused", ()):
            _check_refused(chain, case)
            seen += 1
        _check_held(chain, step)
    assert seen > 40


def _check_refused(chain: Chain, case: dict[str, Any]) -> None:
    code = ""
    for data in case["blocks"]:
        with pytest.raises(RemoteError) as caught:
            chain.add_block(Block.decode(raw(data), PARAMS.consensus), None)
        code = caught.value.code
    assert code == case["code"], case["why"]


@pytest.mark.parametrize("case", VECTORS["undecodable"], ids=lambda case: case["why"])
def test_undecodable_blocks(case: dict[str, Any]) -> None:
    with pytest.raises(RemoteError) as caught:
        Block.decode(raw(case["block"]), PARAMS.consensus)
    assert caught.value.code == case["code"]
