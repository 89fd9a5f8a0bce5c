"""Finding stamps and nonces deterministically: every search begins at nonce 0."""

from dataclasses import replace
from typing import TypeVar

from meshchain.ledger import operations, stamps
from meshchain.ledger.header import Header
from meshchain.ledger.operations import Operation
from meshchain.ledger.pow import search_nonce
from meshchain.ledger.stamps import Stamp

Op = TypeVar("Op", bound=Operation)
_ENOUGH = 2**24


def stamped(operation: Op, anchor_height: int, anchor_id: bytes, bits: int, memory_kib: int) -> Op:
    """``operation`` with the stamp whose eight nonces are the least that serve."""
    short = anchor_id[:8]
    challenge = stamps.challenge(anchor_height, short, operations.body(operation), operation.signature)
    nonces = tuple(_least(challenge, index, bits, memory_kib) for index in range(stamps.PUZZLES))
    return replace(operation, stamp=Stamp(anchor_height, short, bits, nonces))


def _least(challenge: bytes, index: int, bits: int, memory_kib: int) -> int:
    nonce, _ = stamps.search(challenge, index, 0, _ENOUGH, bits, memory_kib, lambda: False)
    assert nonce is not None
    return nonce


def mined(header: Header, memory_kib: int) -> Header:
    """``header`` with the least nonce that meets its bits."""
    nonce, _ = search_nonce(header.encode(), memory_kib, 0, _ENOUGH, lambda: False)
    assert nonce is not None
    return replace(header, nonce=nonce)
