"""A chain of real blocks: names that are committed, registered and updated, five operations a block."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from meshchain.ledger.entry import Record
from meshchain.ledger.operations import Operation
from meshchain.ledger.params import Params
from meshchain.ledger.store.leveldb import LevelStore
from tests.ledger.kit import Lab, Node, Owner

OPERATIONS_A_BLOCK: Final = 5
_UPDATES: Final = 3
BLOCKS_A_ROUND: Final = 2 + _UPDATES


class _Unsynced(LevelStore):
    """Made in one go and thrown away: nothing is lost in a power cut that was not to be made anew anyway."""

    def write(self, changes: Mapping[bytes, bytes | None], *, sync: bool = True) -> None:  # noqa: ARG002
        super().write(changes, sync=False)


def build_chain(folder: Path, params: Params, blocks: int) -> list[bytes]:
    """Mine ``blocks`` blocks into a ledger in ``folder``; their encodings, oldest first."""
    folder.parent.mkdir(parents=True)
    store = _Unsynced(folder)
    lab, node = Lab(params, store=store), Node(1)
    rounds = -(-blocks // BLOCKS_A_ROUND)
    listed = (operations for number in range(rounds) for operations in _round(lab, node, number))
    for _, operations in zip(range(blocks), listed, strict=False):
        lab.mine(*(lab.stamp(operation) for operation in operations))
    encoded = [block.encode() for block in lab.blocks()]
    store.close()
    return encoded


def _round(lab: Lab, node: Node, number: int) -> Iterator[list[Operation]]:
    """Five names of one owner from their commits to their third update, a block each."""
    owner, born = lab.owner(number + 1), max(0, lab.height + 1 - lab.params.consensus.commit_life)
    names = [f"name-{number}-{index}" for index in range(OPERATIONS_A_BLOCK)]
    records = {name: _record(lab, node, owner, name) for name in names}
    yield [owner.commit(name, born) for name in names]
    yield [owner.reveal(name, records[name], born) for name in names]
    for seq in range(1, 1 + _UPDATES):
        yield [owner.update(name, owner.reg(name, born), seq, records[name]) for name in names]


def _record(lab: Lab, node: Node, owner: Owner, name: str) -> Record:
    return {"hosts": [node.host(lab.genesis, owner.key, name)], "dns": [["", "TXT", 600, f"hello {name}"]]}
