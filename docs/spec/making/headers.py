"""headers.json: networks and their genesis headers, encodings, ids, proof of work, compact bits."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Final

from docs.spec.making.stamping import mined
from docs.spec.making.values import Document, Json, secret
from meshchain.ledger import codec, compact
from meshchain.ledger.header import Header, genesis, operations_root
from meshchain.ledger.params import Params, bundled_networks
from meshchain.ledger.pow import pow_hash

_MEMORY_KIB: Final = 1024
_LIMIT: Final = 0x207FFFFF
_EMPTY_ROOT: Final = operations_root(())
_HEADERS: Final = (
    Header(1, 1, secret("parent"), _EMPTY_ROOT, bytes(32), 1_795_305_720, _LIMIT, 0),
    Header(1, 1000, secret("parent 2"), secret("operations"), secret("state"), 1_795_425_600, 0x201FFFFF, 0),
    Header(1, 2**32 - 1, bytes(32), bytes(32), b"\xff" * 32, 2**64 - 1, 0x200FFFFF, 0),
)
_BITS: Final = (
    0, 0x01003456, 0x01123456, 0x02008000, 0x05009234, 0x04923456, 0x04123456, 0x1D00FFFF, 0x1B0404CB, 0x1F2AAAAA,
    0x207FFFFF, 0x2100FFFF, 0x22000001, 0x220000FF, 0x21010000, 0x22000100, 0xFF7FFFFF, 0x20FFFFFF, 0x03000001,
)  # fmt: skip
_TARGETS: Final = (
    0, 1, 0x7F, 0x80, 0xFFFF, 0x800000, 0x123456, 0x12345678, 2**255 - 1, 2**255, 2**256 - 1, 2**240, 2**239 - 1,
)  # fmt: skip


def document() -> Document:
    return {
        "networks": [network(params) for params in bundled_networks().values()],
        "headers": [_shown(mined(header, _MEMORY_KIB), meets=True) for header in _HEADERS],
        "without_work": list(_without_work()),
        "refused": [{"why": why, "code": code, "bytes": data.hex()} for why, code, data in _refused()],
        "bits": [{"bits": bits, "target": _hex(compact.to_target(bits))} for bits in _BITS],
        "targets": [{"target": _hex(target), "bits": compact.to_bits(target)} for target in _TARGETS],
        "work": [{"bits": bits, "work": _hex(compact.work(bits))} for bits in _BITS if compact.to_target(bits)],
        "operations_roots": [_root(count) for count in (0, 1, 2, 3)],
    }


def network(params: Params) -> Json:
    """The consensus parameters as the genesis header commits to them, and that header."""
    c = params.consensus
    table: dict[str, codec.Value] = {field.name: getattr(c, field.name) for field in fields(c)}
    table["stamp_bits"] = dict(c.stamp_bits)
    header = genesis(params)
    return {
        "name": params.name,
        "parameters": codec.encode(table).hex(),
        "network_hash": params.network_hash().hex(),
        "genesis_header": header.encode().hex(),
        "genesis_id": header.id.hex(),
    }


def _shown(header: Header, *, meets: bool) -> Json:
    digest = pow_hash(header.encode(), _MEMORY_KIB)
    assert (int.from_bytes(digest, "big") <= compact.to_target(header.bits)) == meets
    return {
        "version": header.version,
        "height": header.height,
        "previous": header.previous.hex(),
        "operations_root": header.operations_root.hex(),
        "state_root": header.state_root.hex(),
        "time": header.time,
        "bits": header.bits,
        "nonce": header.nonce,
        "bytes": header.encode().hex(),
        "id": header.id.hex(),
        "pow_hash": digest.hex(),
        "meets": meets,
    }


def _without_work() -> Iterator[Json]:
    """Under the limit 207fffff: a hash above the target, bits easier than the limit, bits that are no target."""
    hard = replace(mined(_HEADERS[0], _MEMORY_KIB), bits=0x1F00FFFF)
    yield {"why": "the hash is above the target", "code": "pow", "bytes": hard.encode().hex()}
    for bits, why in ((0x2100FFFF, "easier than the limit"), (0x20FFFFFF, "negative bits"), (0, "target 0")):
        yield {"why": why, "code": "pow", "bytes": replace(_HEADERS[0], bits=bits).encode().hex()}


def _refused() -> Iterator[tuple[str, str, bytes]]:
    good = _HEADERS[0].encode()
    yield "123 bytes", "header-size", good[:-1]
    yield "125 bytes", "header-size", good + b"\0"
    yield "empty", "header-size", b""
    yield "version 0", "header-version", replace(_HEADERS[0], version=0).encode()
    yield "version 2", "header-version", replace(_HEADERS[0], version=2).encode()


def _root(count: int) -> Json:
    wids = [secret(f"wid {index}") for index in range(count)]
    return {"wids": [wid.hex() for wid in wids], "root": operations_root(wids).hex()}


def _hex(number: int) -> str:
    return f"{number:064x}"
