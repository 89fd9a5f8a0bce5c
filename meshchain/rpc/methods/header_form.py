"""How blocks and headers look in JSON."""

from typing import Final

from meshchain.ledger import compact
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.header import Header
from meshchain.rpc.json_text import Json
from meshchain.rpc.methods import shapes
from meshchain.rpc.schema import Schema

HEADER_FORM: Final[Schema] = shapes.table(
    {
        "hash": shapes.HASH,
        "confirmations": {**shapes.INTEGER, "description": "-1: not on the active chain"},
        "height": shapes.HEIGHT,
        "version": shapes.INTEGER,
        "previousblockhash": shapes.HASH,
        "nextblockhash": shapes.nullable(shapes.HASH),
        "operationsroot": shapes.HASH,
        "stateroot": shapes.HASH,
        "time": shapes.INTEGER,
        "bits": shapes.HEX,
        "difficulty": {**shapes.NUMBER, "description": "Work relative to the easiest block of the network"},
        "nonce": {"type": "integer", "minimum": 0},
        "chainwork": shapes.HASH,
    }
)


def header_form(view: ChainView, header: Header) -> dict[str, Json]:
    main = view.is_main(header.id)
    following = view.header_at(header.height + 1) if main else None
    return {
        "hash": header.id.hex(),
        "confirmations": view.height - header.height + 1 if main else -1,
        "height": header.height,
        "version": header.version,
        "previousblockhash": header.previous.hex(),
        "nextblockhash": None if following is None else following.id.hex(),
        "operationsroot": header.operations_root.hex(),
        "stateroot": header.state_root.hex(),
        "time": header.time,
        "bits": f"{header.bits:08x}",
        "difficulty": difficulty(view, header.bits),
        "nonce": header.nonce,
        "chainwork": work_hex(view.work_of(header.id) or 0),
    }


def difficulty(view: ChainView, bits: int) -> float:
    """Expected hashes of a block with ``bits``, in units of the network's easiest block."""
    return compact.work(bits) / compact.work(view.params.consensus.pow_limit_bits)


def work_hex(work: int) -> str:
    return f"{work:064x}"
