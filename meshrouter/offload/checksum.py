"""The Internet checksum (RFC 1071), for the few packets that nobody else completes.

A ones' complement sum of 16-bit words is the number that the bytes spell, modulo 65,535; Python's big integers compute
that in C. Zero has two forms; both are right in a sum, and 0xFFFF is what is written, since UDP keeps 0 for "none".
"""

from typing import Final

_ONES: Final = 0xFFFF


def ones_sum(data: bytes) -> int:
    """0 … 65,534. An odd last byte counts as the high half of a word."""
    number = int.from_bytes(data, "big")
    return (number << 8 if len(data) & 1 else number) % _ONES


def pseudo_sum(addresses: bytes, length: int, protocol: int) -> int:
    """Of the IPv6 pseudo-header (RFC 8200 §8.1). ``addresses``: source and destination, 32 bytes."""
    return (ones_sum(addresses) + (length >> 16) + length + protocol) % _ONES


def completed(packet: bytes, start: int, offset: int) -> bytes:
    """``packet`` with the checksum at ``start + offset`` made over everything from ``start`` on.

    The field must hold the pseudo-header's sum (a partial checksum), or have been filled with it.
    """
    field = start + offset
    checksum = _ONES - ones_sum(packet[start:])
    return b"".join((packet[:field], checksum.to_bytes(2, "big"), packet[field + 2 :]))


def with_checksum(packet: bytes, protocol: int, offset: int) -> bytes:
    """A whole IPv6 packet without extension headers; what the field held before does not count."""
    field = 40 + offset
    initial = pseudo_sum(packet[8:40], len(packet) - 40, protocol).to_bytes(2, "big")
    return completed(b"".join((packet[:field], initial, packet[field + 2 :])), 40, offset)
