"""The difficulty rule as its text reads: from the full list of headers, in fractions, nothing carried along."""

from fractions import Fraction
from math import floor, trunc

from meshchain.ledger.params import Consensus

Block = tuple[int, int]
"""(time, bits) of a header."""


def target_of(bits: int) -> int:
    return floor(Fraction(bits & 0x7FFFFF) * Fraction(256) ** ((bits >> 24) - 3))


def compact_of(target: int) -> int:
    """The smallest exponent whose mantissa stays below the sign bit, the mantissa rounded down."""
    size = 0
    while floor(Fraction(target) / Fraction(256) ** (size - 3)) > 0x7FFFFF:
        size += 1
    while size and floor(Fraction(target) / Fraction(256) ** (size - 4)) <= 0x7FFFFF:
        size -= 1  # no leading zero byte
    return size << 24 | floor(Fraction(target) / Fraction(256) ** (size - 3))


def asert(consensus: Consensus, anchor_target: int, time_delta: int, height_delta: int) -> int:
    """The specification's formula, clipped; a target."""
    limit = target_of(consensus.pow_limit_bits)
    exponent = trunc(Fraction((time_delta - consensus.spacing * height_delta) * 65536, consensus.half_life))
    whole, part = exponent // 65536, exponent % 65536
    if abs(whole) > 600:  # beyond all targets, and beyond what a fraction should be asked to hold
        return limit if whole > 0 else 1
    cubic = 195766423245049 * part + 971821376 * part**2 + 5127 * part**3
    factor = 65536 + floor(Fraction(cubic + 2**47, 2**48))
    target = floor(anchor_target * factor * Fraction(2) ** (whole - 16))
    return min(max(target, 1), limit)


def is_gap(consensus: Consensus, earlier: list[Block], time: int) -> bool:
    return bool(earlier) and time - max(t for t, _ in earlier) > 4 * consensus.half_life


def anchor_index(consensus: Consensus, chain: list[Block]) -> int:
    """Position in ``chain`` (blocks 1 …) of the last block that is an anchor: block 1, or one after a gap."""
    anchors = [i for i, (time, _) in enumerate(chain) if i == 0 or is_gap(consensus, chain[:i], time)]
    return anchors[-1]


def required_bits(consensus: Consensus, chain: list[Block], time: int) -> int:
    """Bits of the block with ``time`` on top of blocks 1 … n - 1 = ``chain``."""
    if not chain or not consensus.retarget:
        return consensus.pow_limit_bits
    at = anchor_index(consensus, chain)
    anchor_time, anchor_bits = chain[at]
    plain = compact_of(asert(consensus, target_of(anchor_bits), time - anchor_time, len(chain) - at))
    if not is_gap(consensus, chain, time):
        return plain
    relieved = compact_of(min(target_of(consensus.pow_limit_bits), 16 * target_of(chain[-1][1])))
    return plain if target_of(plain) <= target_of(relieved) else relieved
