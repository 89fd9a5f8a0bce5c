"""stamps.json: anchors, least bits, the challenge and its hashes at the real cost of 1 MiB."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from docs.spec.making.operations import ANCHOR, BITS, MEMORY_KIB, signed_operations
from docs.spec.making.values import Document, Json
from meshchain.crypto import argon2id
from meshchain.ledger import operations, stamps
from meshchain.ledger.errors import RuleError
from meshchain.ledger.operations import Operation
from meshchain.ledger.params import bundled_networks
from meshchain.ledger.stamps import Stamp
from meshchain.ledger.workers import InlineWorkers

_NETWORKS: Final = bundled_networks()
_HEIGHTS: Final = (1, 19, 20, 39, 40, 719, 720, 1439, 1440, 1441, 2159, 2160, 262_800)
_NAMES: Final = ("a", "ab", "alice", "alice2", "a" * 63)


def document() -> Document:
    commit, reveal, *_ = (operation for operation, _, _ in signed_operations())
    assert reveal.stamp is not None
    return {
        "salt": b"meshchain-stamp1".hex(),
        "memory_kib": MEMORY_KIB,
        "anchor_id": ANCHOR[1].hex(),
        "anchors": [_anchors(network, height) for network in _NETWORKS for height in _HEIGHTS],
        "minimum_bits": list(_minima()),
        "valid": [_valid(commit), _valid(reveal)],
        "invalid": [_invalid(reveal, *case) for case in _wrong(reveal, reveal.stamp)],
    }


def _anchors(network: str, height: int) -> Json:
    valid = stamps.anchor_heights(_NETWORKS[network].consensus, height)
    return {"network": network, "height": height, "anchors": list(valid)}


def _minima() -> Iterator[Json]:
    for network, params in _NETWORKS.items():
        for kind in params.consensus.stamp_bits:
            for name in _NAMES if kind == "reveal" else (None,):
                bits = stamps.minimum_bits(params.consensus, kind, name)
                yield {"network": network, "kind": kind, "name": name, "bits": bits}


def _challenge(operation: Operation, stamp: Stamp) -> bytes:
    signature = operation.signature
    return stamps.challenge(stamp.anchor_height, stamp.anchor_hash, operations.body(operation), signature)


def _valid(operation: Operation) -> Document:
    stamp = operation.stamp
    assert stamp is not None
    challenge = _challenge(operation, stamp)
    hashes = [_hash(challenge, index, nonce).hex() for index, nonce in enumerate(stamp.nonces)]
    return {
        "kind": operation.kind,
        "body": operations.body(operation).hex(),
        "signature": operation.signature.hex(),
        "anchor_height": stamp.anchor_height,
        "anchor_hash": stamp.anchor_hash.hex(),
        "bits": stamp.bits,
        "nonces": list(stamp.nonces),
        "challenge": challenge.hex(),
        "hashes": hashes,
    }


def _wrong(operation: Operation, stamp: Stamp) -> Iterator[tuple[str, Stamp]]:
    yield "another anchor hash", replace(stamp, anchor_hash=bytes(8))
    yield "another anchor height", replace(stamp, anchor_height=720)
    yield "nonces in another order", replace(stamp, nonces=stamp.nonces[::-1])
    yield "the last nonce is 2^64 - 1", replace(stamp, nonces=(*stamp.nonces[:7], 2**64 - 1))
    yield "more bits than were found", replace(stamp, bits=BITS + 8)
    short = next(nonce for nonce in range(2**16) if _zero_bits(_challenge(operation, stamp), 7, nonce) == BITS - 1)
    yield "the last hash is one bit short", replace(stamp, nonces=(*stamp.nonces[:7], short))


def _zero_bits(challenge: bytes, index: int, nonce: int) -> int:
    return 256 - int.from_bytes(_hash(challenge, index, nonce), "big").bit_length()


def _hash(challenge: bytes, index: int, nonce: int) -> bytes:
    password = challenge + bytes((index,)) + nonce.to_bytes(8, "big")
    return argon2id(password, b"meshchain-stamp1", memory_kib=MEMORY_KIB)


def _invalid(operation: Operation, why: str, stamp: Stamp) -> Json:
    """With the index of the first nonce that fails."""
    return {
        "why": why,
        "anchor_height": stamp.anchor_height,
        "anchor_hash": stamp.anchor_hash.hex(),
        "bits": stamp.bits,
        "nonces": list(stamp.nonces),
        "code": "stamp-work",
        "index": _first_bad(operation, stamp),
    }


def _first_bad(operation: Operation, stamp: Stamp) -> int:
    try:
        stamps.check_work(stamp, _challenge(operation, stamp), MEMORY_KIB, InlineWorkers())
    except RuleError as error:
        index = error.detail["index"]
        assert isinstance(index, int)
        return index
    raise AssertionError("the stamp is good")
