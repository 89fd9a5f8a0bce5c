"""The durable queue: what this node promised to bring into the chain."""

from collections.abc import Sequence
from typing import Final

from meshchain.rpc import errors
from meshchain.rpc.json_text import Json
from meshchain.rpc.methods import shapes
from meshchain.rpc.registry import Area, Call, Example, Param

AREA: Final = Area("queue")

_STAMP: Final = shapes.table(
    {
        "bits": shapes.INTEGER,
        "rate": {**shapes.NUMBER, "description": "Hashes a second"},
        "percent": shapes.NUMBER,
        "expected_s": {**shapes.nullable(shapes.NUMBER), "description": "Seconds still to go on average"},
        "bound95_s": {**shapes.nullable(shapes.NUMBER), "description": "With 95 % probability it takes no longer"},
    }
)
_STATUS: Final = shapes.table(
    {
        "txid": shapes.HASH,
        "kind": shapes.TEXT,
        "name": shapes.nullable(shapes.TEXT),
        "state": {
            "type": "string",
            "enum": ["queued", "committed", "pending", "confirmed", "conflict-lost", "expired", "refused"],
        },
        "confirmations": shapes.INTEGER,
        "reason": shapes.TEXT,
        "next_change": shapes.TEXT,
        "stamp": shapes.nullable(_STAMP),
        "blocks_to_go": shapes.nullable(shapes.INTEGER),
        "winner": {**shapes.nullable(shapes.HASH), "description": "The operation that won, if conflict-lost"},
    }
)
_STATUS_EXAMPLE: Final[dict[str, Json]] = {
    "txid": "4d5e" * 16,
    "kind": "reveal",
    "name": "alice",
    "state": "queued",
    "confirmations": 0,
    "reason": "its commit has 1 of 3 blocks",
    "next_change": "in 2 blocks, about 4 minutes",
    "stamp": {"bits": 14, "rate": 410.0, "percent": 37.5, "expected_s": 95.1, "bound95_s": 180.2},
    "blocks_to_go": 2,
    "winner": None,
}


@AREA.method(
    "queueoperation",
    params=(
        Param(
            "operations",
            {"anyOf": [shapes.HEX, {**shapes.listing(shapes.HEX), "minItems": 1, "maxItems": 100}]},
            "One signed operation, or several in order; stamps are not needed",
        ),
    ),
    result=shapes.listing(shapes.HASH),
    result_name="txids",
    access="cookie",
    fails=(errors.BAD_VALUE, errors.REFUSED, errors.LOCAL_FAULT),
    examples=(Example("bytes that are no operation", [["00"]], fails="field-type"),),
)
async def queueoperation(call: Call, operations: str | Sequence[str]) -> Json:
    """Promise to bring operations into the chain: all or none are taken, and on disk before the answer."""
    drafts = [operations] if isinstance(operations, str) else operations
    opids = await call.node.queue_operations([bytes.fromhex(draft) for draft in drafts])
    return [opid.hex() for opid in opids]


@AREA.method(
    "listqueue",
    result=shapes.listing(_STATUS),
    scan=True,
    examples=(Example("a registration under way", [], [_STATUS_EXAMPLE]),),
)
def listqueue(call: Call) -> Json:
    """Every operation of the queue: its state, why, and when that will change."""
    return [item.to_json() for item in call.node.queue()]
