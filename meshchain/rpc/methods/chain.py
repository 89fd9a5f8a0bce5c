"""The chain: blocks, headers, tips, and what an operator may tell it."""

import asyncio
from collections.abc import Awaitable
from typing import Final, cast

from meshchain.ledger.chain.check import CheckReport
from meshchain.ledger.header import Header
from meshchain.rpc import errors
from meshchain.rpc.json_text import Json
from meshchain.rpc.methods import shapes
from meshchain.rpc.methods.header_form import HEADER_FORM, difficulty, header_form, work_hex
from meshchain.rpc.methods.operation_form import OPERATION_FORM, operation_form
from meshchain.rpc.registry import Area, Call, Example, Param
from meshchain.rpc.schema import Schema

AREA: Final = Area("chain")

_BLOCK_OR_HEIGHT: Final[Schema] = {"anyOf": [shapes.HASH, shapes.HEIGHT]}
_BLOCK_PARAM: Final = Param("block", _BLOCK_OR_HEIGHT, "Block id, or height on the active chain")
_HEADER_EXAMPLE: Final[dict[str, Json]] = {
    "hash": "b1" * 32,
    "confirmations": 1208,
    "height": 0,
    "version": 1,
    "previousblockhash": "9e" * 32,
    "nextblockhash": "b2" * 32,
    "operationsroot": "0f" * 32,
    "stateroot": "00" * 32,
    "time": 1_790_000_000,
    "bits": "207fffff",
    "difficulty": 1.0,
    "nonce": 0,
    "chainwork": "00" * 32,
}


@AREA.method(
    "getblockchaininfo",
    result=shapes.table(
        {
            "chain": {**shapes.TEXT, "description": "Name of the network"},
            "blocks": {**shapes.HEIGHT, "description": "Height of the tip"},
            "headers": {**shapes.HEIGHT, "description": "Height of the best chain known"},
            "bestblockhash": shapes.HASH,
            "bits": shapes.HEX,
            "difficulty": shapes.NUMBER,
            "time": {**shapes.INTEGER, "description": "In the tip's header, unix seconds"},
            "mediantime": shapes.INTEGER,
            "chainwork": shapes.HASH,
            "initialblockdownload": {**shapes.BOOLEAN, "description": "Not synced: name methods answer -28"},
            "sync": {**shapes.TEXT, "description": "What sync is at, in words"},
            "genesis": shapes.HASH,
            "stateroot": shapes.HASH,
            "warnings": shapes.listing(shapes.TEXT),
        }
    ),
    examples=(
        Example(
            "the state of the chain",
            [],
            {
                "chain": "mesh",
                "blocks": 1207,
                "headers": 1207,
                "bestblockhash": "b1" * 32,
                "bits": "1f00ffff",
                "difficulty": 3.2,
                "time": 1_790_144_840,
                "mediantime": 1_790_144_201,
                "chainwork": "00" * 30 + "04d2",
                "initialblockdownload": False,
                "sync": "synced",
                "genesis": "9e" * 32,
                "stateroot": "5e" * 32,
                "warnings": [],
            },
        ),
    ),
)
def getblockchaininfo(call: Call) -> Json:
    """Network, tip, difficulty, how far synced, warnings."""
    view, sync = call.view, call.node.sync()
    return {
        "chain": view.params.name,
        "blocks": view.height,
        "headers": max(view.height, sync.target or 0),
        "bestblockhash": view.tip_id.hex(),
        "bits": f"{view.tip.bits:08x}",
        "difficulty": difficulty(view, view.tip.bits),
        "time": view.tip.time,
        "mediantime": view.median_time(),
        "chainwork": work_hex(view.work),
        "initialblockdownload": not sync.synced,
        "sync": sync.message,
        "genesis": view.genesis_id.hex(),
        "stateroot": view.tip.state_root.hex(),
        "warnings": [alarm.message for alarm in call.node.alarms()],
    }


@AREA.method("getblockcount", result=shapes.HEIGHT, examples=(Example("the height", [], 1207),))
def getblockcount(call: Call) -> Json:
    """Height of the tip."""
    return call.view.height


@AREA.method("getbestblockhash", result=shapes.HASH, examples=(Example("the tip", [], "b1" * 32),))
def getbestblockhash(call: Call) -> Json:
    """Id of the tip."""
    return call.view.tip_id.hex()


@AREA.method(
    "getblockhash",
    params=(Param("height", shapes.HEIGHT, "Height on the active chain"),),
    result=shapes.HASH,
    fails=(errors.ABSENT,),
    examples=(
        Example("the genesis block", [0], "9e" * 32),
        Example("not mined yet", [2**32 - 1], fails="block-not-found"),
    ),
)
def getblockhash(call: Call, height: int) -> Json:
    """Id of the active chain's block at a height."""
    return _header(call, height).id.hex()


@AREA.method(
    "getblockheader",
    params=(_BLOCK_PARAM, Param("verbose", shapes.BOOLEAN, "false: the 124 bytes in hex", True)),
    result={"anyOf": [HEADER_FORM, shapes.HEX]},
    fails=(errors.ABSENT,),
    examples=(
        Example("the genesis header", [0], _HEADER_EXAMPLE),
        Example("its bytes", [0, False], "00000001" + "00" * 120),
        Example("an unknown block", ["00" * 32], fails="block-not-found"),
    ),
)
def getblockheader(call: Call, block: str | int, verbose: bool) -> Json:
    """A block's header."""
    header = _header(call, block)
    return header_form(call.view, header) if verbose else header.encode().hex()


@AREA.method(
    "getblock",
    params=(
        _BLOCK_PARAM,
        Param(
            "verbosity",
            {"type": "integer", "minimum": 0, "maximum": 2},
            "0: bytes in hex, 1: header and txids, 2: header and operations",
            1,
        ),
    ),
    result={
        "anyOf": [
            shapes.HEX,
            shapes.extended(
                HEADER_FORM,
                {
                    "size": shapes.INTEGER,
                    "nTx": shapes.INTEGER,
                    "tx": shapes.listing({"anyOf": [shapes.HASH, OPERATION_FORM]}),
                },
            ),
        ]
    },
    fails=(errors.ABSENT,),
    examples=(
        Example("the genesis block", [0], {**_HEADER_EXAMPLE, "size": 125, "nTx": 0, "tx": []}),
        Example("with whole operations", [0, 2], {**_HEADER_EXAMPLE, "size": 125, "nTx": 0, "tx": []}),
        Example("its bytes", [0, 0], "00000001" + "00" * 120 + "80"),
    ),
)
def getblock(call: Call, block: str | int, verbosity: int) -> Json:
    """A block and its operations."""
    header = _header(call, block)
    body = call.view.block(header.id)
    if body is None:
        raise errors.absent("block-body-missing", "only the header of this block is here", height=header.height)
    encoded = body.encode()
    if verbosity == 0:
        return encoded.hex()
    operations = [operation_form(operation, call.view.genesis_id) for operation in body.operations]
    listed = operations if verbosity == 2 else [operation["txid"] for operation in operations]
    return {**header_form(call.view, header), "size": len(encoded), "nTx": len(operations), "tx": listed}


@AREA.method(
    "getchaintips",
    result=shapes.listing(
        shapes.table(
            {
                "height": shapes.HEIGHT,
                "hash": shapes.HASH,
                "branchlen": {**shapes.INTEGER, "description": "Blocks that are not on the active chain"},
                "status": {
                    "type": "string",
                    "enum": ["active", "valid-fork", "headers-only", "invalid", "parked"],
                },
                "chainwork": shapes.HASH,
            }
        )
    ),
    examples=(
        Example(
            "one chain, no forks",
            [],
            [{"height": 1207, "hash": "b1" * 32, "branchlen": 0, "status": "active", "chainwork": "00" * 30 + "04d2"}],
        ),
    ),
)
def getchaintips(call: Call) -> Json:
    """All known chain tips; status parked: heavier, but held back because it undoes settled blocks."""
    return [
        {
            "height": tip.height,
            "hash": tip.id.hex(),
            "branchlen": tip.branch_length,
            "status": tip.status,
            "chainwork": work_hex(tip.work),
        }
        for tip in call.view.tips()
    ]


@AREA.method(
    "acceptchain",
    params=(Param("block", shapes.HASH, "Id of the parked chain's tip"),),
    result={"type": "null"},
    access="cookie",
    fails=(errors.REFUSED,),
    examples=(Example("there is no such chain", ["00" * 32], fails="not-parked"),),
)
async def acceptchain(call: Call, block: str) -> Json:
    """Adopt a parked chain at once, whatever it undoes."""
    await call.node.accept_chain(bytes.fromhex(block))
    return None


@AREA.method(
    "generate",
    params=(Param("blocks", {"type": "integer", "minimum": 1, "maximum": 1000}, "How many", 1),),
    result=shapes.listing(shapes.HASH),
    access="cookie",
    fails=(errors.REFUSED,),
    examples=(Example("one block on a dev network", [1], ["b1" * 32]),),
)
async def generate(call: Call, blocks: int) -> Json:
    """Mine blocks at once; dev networks only."""
    return [block.hex() for block in await call.node.generate(blocks)]


_CHECK_FORM: Final = shapes.table(
    {
        "ok": shapes.BOOLEAN,
        "height": shapes.HEIGHT,
        "checked": {**shapes.INTEGER, "description": "Blocks"},
        "difference": {**shapes.nullable(shapes.TEXT), "description": "The first one found"},
    }
)


@AREA.method(
    "checkchain",
    result=_CHECK_FORM,
    examples=(Example("a sound store", [], {"ok": True, "height": 1207, "checked": 1207, "difference": None}),),
)
async def checkchain(call: Call) -> Json:
    """Rebuild state and indexes from the blocks and compare; takes long on a long chain."""
    report = await _check(call)
    return {"ok": report.ok, "height": report.height, "checked": report.checked, "difference": report.difference}


@AREA.method("name_checkdb", result=shapes.BOOLEAN, examples=(Example("a sound store", [], result=True),))
async def name_checkdb(call: Call) -> Json:
    """checkchain under Namecoin's name: whether the store agrees with the blocks."""
    return (await _check(call)).ok


async def _check(call: Call) -> CheckReport:
    """One check at a time: a second caller waits for the running one's result instead of starting another."""
    running = call.running.get("check")
    if running is None or running.done():
        running = call.running["check"] = asyncio.ensure_future(_awaited(call.node.check_chain()))
    return cast("CheckReport", await asyncio.shield(running))


async def _awaited(coroutine: Awaitable[CheckReport]) -> object:
    return await coroutine


def _header(call: Call, block: str | int) -> Header:
    view = call.view
    header = view.header_at(block) if isinstance(block, int) else view.header(bytes.fromhex(block))
    if header is None:
        raise errors.absent("block-not-found", f"no block {block} is known", height=view.height)
    return header
