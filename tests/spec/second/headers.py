"""Chapters 10 to 12: headers, work, difficulty, time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.spec.second.values import argon, encode, need, tagged

Parameters = dict[str, Any]


@dataclass(frozen=True)
class Head:
    data: bytes

    def _number(self, start: int, end: int) -> int:
        return int.from_bytes(self.data[start:end], "big")

    @property
    def id(self) -> bytes:
        return tagged("block", self.data)

    @property
    def height(self) -> int:
        return self._number(4, 8)

    @property
    def previous(self) -> bytes:
        return self.data[8:40]

    @property
    def operations_root(self) -> bytes:
        return self.data[40:72]

    @property
    def state_root(self) -> bytes:
        return self.data[72:104]

    @property
    def time(self) -> int:
        return self._number(104, 112)

    @property
    def bits(self) -> int:
        return self._number(112, 116)


def genesis(p: Parameters) -> Head:
    committed = p | {"pow_limit_bits": limit(p)}
    numbers = p["genesis_time"].to_bytes(8, "big") + limit(p).to_bytes(4, "big") + bytes(8)
    roots = tagged("ops", bytes(4)) + bytes(32)
    return Head(b"\0\0\0\1" + bytes(4) + tagged("network", encode(committed)) + roots + numbers)


def limit(p: Parameters) -> int:
    return int(p["pow_limit_bits"], 16)


def target(bits: int) -> int:
    if bits & 0x800000:
        return 0
    value = int((bits & 0x7FFFFF) * 2 ** (8 * ((bits >> 24) - 3)) if bits >> 24 > 3 else _shrunk(bits))
    return value if value < 2**256 else 0


def _shrunk(bits: int) -> int:
    return (bits & 0x7FFFFF) >> 8 * (3 - (bits >> 24))


def compact(value: int) -> int:
    size = len(f"{value:x}") + 1 >> 1 if value else 0
    mantissa = value >> 8 * (size - 3) if size > 3 else value << 8 * (3 - size)
    if mantissa & 0x800000:
        mantissa, size = mantissa >> 8, size + 1
    return size << 24 | mantissa


def work(bits: int) -> int:
    return int(2**256 // (target(bits) + 1))


def asert(p: Parameters, anchor_bits: int, dt: int, dh: int) -> int:
    x = (dt - p["spacing"] * dh) * 65536
    e = abs(x) // p["half_life"] * (1 if x >= 0 else -1)
    shift = e >> 16
    f = e - (shift << 16)
    if shift > 272:
        return limit(p)
    factor = 65536 + ((195766423245049 * f + 971821376 * f**2 + 5127 * f**3 + 2**47) >> 48)
    t = target(anchor_bits) * factor
    t = t << shift - 16 if shift > 16 else t >> 16 - shift
    return compact(min(max(t, 1), target(limit(p))))


def expected_bits(p: Parameters, chain: Sequence[Head], time: int) -> int:
    """Of the block after ``chain`` (genesis first), worked out from genesis every time."""
    if not p["retarget"] or len(chain) == 1:
        return limit(p)
    anchor, greatest = chain[1], chain[1].time
    for head in chain[2:]:
        if head.time - greatest > 4 * p["half_life"]:
            anchor = head
        greatest = max(greatest, head.time)
    bits = asert(p, anchor.bits, time - anchor.time, chain[-1].height + 1 - anchor.height)
    if time - greatest > 4 * p["half_life"]:
        relief = compact(min(target(limit(p)), 16 * target(chain[-1].bits)))
        return min(bits, relief, key=target)
    return bits


def check_header(p: Parameters, chain: Sequence[Head], head: Head) -> None:
    """``chain``: the ancestors, genesis first."""
    need(len(head.data) == 124 and head.data[:4] == b"\0\0\0\1")
    need(head.height == chain[-1].height + 1)
    times = sorted(ancestor.time for ancestor in chain[-11:])
    need(head.time > times[len(times) // 2])
    need(head.bits == expected_bits(p, chain, head.time))
    need(0 < target(head.bits) <= target(limit(p)))
    need(argon(head.data, b"meshchain-pow-v1", p["pow_memory_kib"]) <= target(head.bits))
