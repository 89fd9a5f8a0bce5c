"""gossip-compact.json: a block, its short ids, and how it crosses a hop where most of it is known."""

from typing import Final

from docs.spec.making.values import Document, Json, secret
from meshchain.ledger import operations
from meshchain.ledger.block import Block
from meshchain.ledger.header import Header, operations_root
from meshchain.ledger.operations import Commit, Operation
from meshchain.ledger.stamps import Stamp
from meshchain.p2p.messages import BlockOperations, CompactBlock, GetBlockOperations, encode, short_id

_SALT: Final = 0x0123456789ABCDEF
_PREFILLED: Final = (2,)
_MISSING: Final = (0, 4)


def document() -> Document:
    block = _block(5)
    wids = [operations.wid(operation) for operation in block.operations]
    raws = [operations.encode(operation) for operation in block.operations]
    short = [short_id(block.header.id, _SALT, wid) for wid in wids]
    sent = CompactBlock(
        block.header,
        _SALT,
        tuple(found for at, found in enumerate(short) if at not in _PREFILLED),
        tuple((at, raws[at]) for at in _PREFILLED),
    )
    return {
        "salt": _SALT,
        "block": block.encode().hex(),
        "id": block.header.id.hex(),
        "wids": [wid.hex() for wid in wids],
        "short_ids": [found.hex() for found in short],
        "prefilled": [*_PREFILLED],
        "compact_block": encode(sent).hex(),
        "missing": [*_MISSING],
        "get_block_operations": encode(GetBlockOperations(block.header.id, _MISSING)).hex(),
        "block_operations": encode(BlockOperations(block.header.id, tuple(raws[at] for at in _MISSING))).hex(),
        "others": [_other(number) for number in range(3)],
    }


def _block(count: int) -> Block:
    """Stamps and work are not looked at here, nor is the state."""
    listed: list[Operation] = [_commit(number) for number in range(count)]
    root = operations_root([operations.wid(operation) for operation in listed])
    return Block(Header(1, 5, secret("parent"), root, secret("state"), 1_795_306_200, 0x1F2AAAAA, 1), tuple(listed))


def _commit(number: int) -> Commit:
    stamp = Stamp(0, secret("anchor")[:8], 8, (*range(number, number + 8),))
    return Commit(commitment=secret(f"commitment {number}"), stamp=stamp)


def _other(number: int) -> Json:
    block_id, wid, salt = secret(f"block {number}"), secret(f"wid {number}"), (0, 1, 2**64 - 1)[number]
    found = short_id(block_id, salt, wid)
    return {"block_id": block_id.hex(), "salt": salt, "wid": wid.hex(), "short_id": found.hex()}
