"""Operations that wait for a block, and mining."""

from typing import Final

from meshchain.rpc import errors
from meshchain.rpc.json_text import Json
from meshchain.rpc.methods import shapes
from meshchain.rpc.methods.operation_form import OPERATION_FORM, operation_form
from meshchain.rpc.registry import Area, Call, Example, Param

AREA: Final = Area("mempool and mining")


@AREA.method(
    "getrawmempool",
    params=(Param("verbose", shapes.BOOLEAN, "true: whole operations by txid", False),),
    result={
        "anyOf": [
            shapes.listing(shapes.HASH),
            {"type": "object", "additionalProperties": shapes.extended(OPERATION_FORM, {"time": shapes.INTEGER})},
        ]
    },
    scan=True,
    examples=(Example("txids", [], ["4d5e" * 16]), Example("whole operations", [True], {})),
)
def getrawmempool(call: Call, verbose: bool) -> Json:
    """The mempool."""
    pending = call.node.pending()
    if not verbose:
        return [item.opid.hex() for item in pending]
    genesis = call.view.genesis_id
    return {item.opid.hex(): {**operation_form(item.operation, genesis), "time": int(item.added)} for item in pending}


@AREA.method(
    "sendoperation",
    params=(Param("operation", shapes.HEX, "A signed and stamped operation"),),
    result=shapes.HASH,
    result_name="txid",
    access="cookie",
    fails=(errors.BAD_VALUE, errors.REFUSED),
    examples=(Example("bytes that are no operation", ["00"], fails="field-type"),),
)
async def sendoperation(call: Call, operation: str) -> Json:
    """Put a stamped operation into the mempool and tell peers; the queue does not look after it."""
    return (await call.node.send_operation(bytes.fromhex(operation))).hex()


@AREA.method(
    "getmininginfo",
    result=shapes.table(
        {
            "blocks": shapes.HEIGHT,
            "bits": shapes.HEX,
            "pooledtx": {**shapes.INTEGER, "description": "Operations in the mempool"},
            "chain": shapes.TEXT,
            "enabled": shapes.BOOLEAN,
            "active": {**shapes.BOOLEAN, "description": "Hashing right now"},
            "reason": shapes.TEXT,
            "hashrate": {**shapes.NUMBER, "description": "Proof-of-work hashes a second"},
            "duty": {**shapes.NUMBER, "description": "Share of the time spent hashing, 0 to 1"},
            "templateoperations": shapes.INTEGER,
        }
    ),
    examples=(
        Example(
            "an idle miner",
            [],
            {
                "blocks": 1207,
                "bits": "1f00ffff",
                "pooledtx": 0,
                "chain": "mesh",
                "enabled": True,
                "active": False,
                "reason": "duty cycle",
                "hashrate": 410.5,
                "duty": 0.1,
                "templateoperations": 0,
            },
        ),
    ),
)
def getmininginfo(call: Call) -> Json:
    """Whether and how fast this node mines, and why not."""
    view, mining = call.view, call.node.mining()
    return {
        "blocks": view.height,
        "bits": f"{view.tip.bits:08x}",
        "pooledtx": len(call.node.pending()),
        "chain": view.params.name,
        "enabled": mining.enabled,
        "active": mining.active,
        "reason": mining.reason,
        "hashrate": mining.hash_rate,
        "duty": mining.duty,
        "templateoperations": mining.template_operations,
    }
