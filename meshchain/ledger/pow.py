"""Proof of work: argon2id over the encoded header (RFC 9106, v1.3, one pass, one lane, 32 bytes out).

The digest, read as a big-endian integer, must not exceed the target of the header's bits. Whether those
bits are the right ones is ``difficulty``'s matter and is checked first: it costs a millionth of a hash.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from meshchain.crypto import argon2id
from meshchain.ledger import compact
from meshchain.ledger.errors import RuleError
from meshchain.ledger.header import Header
from meshchain.ledger.params import Consensus
from meshchain.ledger.workers import Workers

_SALT: Final = b"meshchain-pow-v1"
_NONCE_SIZE: Final = 8
_BITS_FIELD: Final = slice(112, 116)


def pow_hash(encoded_header: bytes, memory_kib: int) -> bytes:
    """The 32-byte digest that has to be small; takes about 0.7 ms at 1 MiB."""
    return argon2id(encoded_header, _SALT, memory_kib=memory_kib)


def check_work(header: Header, consensus: Consensus) -> None:
    """Raise RuleError (pow) unless the header's hash meets its own bits, and these are within the limit."""
    if not _has_work(consensus, header):
        raise RuleError("pow", f"the header's hash does not meet bits {header.bits:08x}", bits=header.bits)


def check_works(headers: Sequence[Header], consensus: Consensus, workers: Workers) -> list[bool]:
    """For each header whether ``check_work`` would pass."""
    return workers.map(partial(_has_work, consensus), headers)


def search_nonce(
    encoded_header: bytes, memory_kib: int, start: int, count: int, stop: Callable[[], bool]
) -> tuple[int | None, int]:
    """Try the nonces start … start + count - 1 (below 2^64) in the last 8 bytes of ``encoded_header``.

    Returns (nonce or None, hashes made). ``stop`` is asked before every hash.
    """
    target = compact.to_target(int.from_bytes(encoded_header[_BITS_FIELD], "big"))
    fixed = encoded_header[:-_NONCE_SIZE]
    tried = 0
    for nonce in range(start, min(start + count, 1 << 64)):
        if stop():
            break
        tried += 1
        if _value(fixed + nonce.to_bytes(_NONCE_SIZE, "big"), memory_kib) <= target:
            return nonce, tried
    return None, tried


def _has_work(consensus: Consensus, header: Header) -> bool:
    target = compact.to_target(header.bits)
    if not 0 < target <= compact.to_target(consensus.pow_limit_bits):
        return False
    return _value(header.encode(), consensus.pow_memory_kib) <= target


def _value(encoded_header: bytes, memory_kib: int) -> int:
    return int.from_bytes(pow_hash(encoded_header, memory_kib), "big")
