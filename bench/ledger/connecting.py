"""Operations a second while blocks are connected to a LevelDB store, with and without stamp checks."""

import tempfile
from dataclasses import replace
from pathlib import Path

from bench.measure import Row, stopwatch, time_inside
from meshchain.ledger import record
from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.entry import Record
from meshchain.ledger.operations import Operation
from meshchain.ledger.params import Params, Policy, bundled_networks
from meshchain.ledger.rules import authority
from meshchain.ledger.stamps import rules
from meshchain.ledger.store.leveldb import LevelStore
from meshchain.ledger.workers import InlineWorkers
from tests.ledger.kit import Lab, Node, Owner

NAMES_A_BLOCK = 40
ROUNDS = 6


def connecting() -> list[Row]:
    """The same blocks, mostly reveals and updates with a host proof each, below assume-valid and above it."""
    params = _params(None)
    blocks = _blocks(params)
    operations = sum(len(block.operations) for block in blocks)
    assumed = _params(blocks[-1].header.id)
    fast = max(operations / _connect(assumed, blocks) for _ in range(2))
    with time_inside(rules, "argon2id") as inside:
        slow = _connect(params, blocks)
    share = inside[0] / slow
    kinds = f"{operations} operations in {len(blocks)} blocks"
    return [
        Row(
            "connect below assume-valid",
            f"{fast:,.0f} operations/s, one core ({kinds})",
            "≥ 2,000/s",
            fast >= 2000,
            {"operations_per_second": fast},
        ),
        Row(
            "connect with stamps",
            f"{operations / slow:,.0f} operations/s, {share:.0%} of it argon2",
            "≥ 90 % argon2",
            share >= 0.9,
            {"operations_per_second": operations / slow, "argon2_share": share},
        ),
    ]


def _params(assume_valid: bytes | None) -> Params:
    dev = bundled_networks()["dev"]
    policy: Policy = replace(dev.policy, assume_valid=assume_valid)
    return replace(dev, policy=policy)


def _connect(params: Params, blocks: list[Block]) -> float:
    """Seconds to connect all blocks, headers known before, as in a sync."""
    with tempfile.TemporaryDirectory() as folder:
        store = LevelStore(Path(folder) / "ledger")
        chain = Chain(store, params, InlineWorkers())
        chain.add_headers([block.header for block in blocks], None)
        raw = [block.encode() for block in blocks]
        authority._owner_signed.cache_clear()  # making the blocks has verified all of it
        record._signed.cache_clear()
        with stopwatch() as watch:
            for data in raw:
                chain.add_block(Block.decode(data, params.consensus), None)
        assert chain.tip.id == blocks[-1].header.id
        store.close()
    return watch.wall


def _blocks(params: Params) -> list[Block]:
    lab, node = Lab(params), Node(1)
    for number in range(ROUNDS):
        owner = lab.owner(number + 1)
        names = [f"name-{number}-{index}" for index in range(NAMES_A_BLOCK)]
        records = {name: _record(lab, node, owner, name) for name in names}
        _mine(lab, [owner.commit(name) for name in names])
        _mine(lab, [owner.reveal(name, records[name]) for name in names])
        for seq in range(1, 4):
            _mine(lab, [owner.update(name, owner.reg(name), seq, records[name]) for name in names])
    return list(lab.blocks())


def _mine(lab: Lab, listed: list[Operation]) -> None:
    lab.mine(*(lab.stamp(operation) for operation in listed))


def _record(lab: Lab, node: Node, owner: Owner, name: str) -> Record:
    return {"hosts": [node.host(lab.genesis, owner.key, name)], "dns": [["", "TXT", 600, f"hello {name}"]]}
