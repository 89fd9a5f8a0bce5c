"""Targets as 32-bit "bits": base-256 scientific notation with a 24-bit mantissa (Bitcoin's nBits)."""

from typing import Final

MAX_TARGET: Final = (1 << 256) - 1


def to_target(bits: int) -> int:
    """The target that ``bits`` stands for; 0 for the encodings that are negative or overflow 256 bits."""
    exponent, mantissa = bits >> 24, bits & 0x7FFFFF
    if bits & 0x800000:
        return 0
    target = mantissa << 8 * (exponent - 3) if exponent > 3 else mantissa >> 8 * (3 - exponent)
    return target if target <= MAX_TARGET else 0


def to_bits(target: int) -> int:
    """The canonical bits of ``target`` (0 ≤ target < 2^256), rounded down to 24 significant bits."""
    size = (target.bit_length() + 7) // 8
    mantissa = target >> 8 * (size - 3) if size > 3 else target << 8 * (3 - size)
    if mantissa & 0x800000:  # the top bit is a sign: move one byte up
        mantissa >>= 8
        size += 1
    return size << 24 | mantissa


def work(bits: int) -> int:
    """Expected number of hashes a block with these bits stands for: ⌊2^256 / (target + 1)⌋."""
    return (1 << 256) // (to_target(bits) + 1)
