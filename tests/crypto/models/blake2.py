"""BLAKE2b and BLAKE2s from RFC 7693, with the personalisation of the BLAKE2 paper's parameter block (§2.8)."""

from dataclasses import dataclass
from typing import Final

SIGMA: Final = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3),
    (11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4),
    (7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8),
    (9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13),
    (2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9),
    (12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11),
    (13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10),
    (6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5),
    (10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0),
)
MIX: Final = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip


def _fraction_of_root(prime: int, bits: int) -> int:
    """The first ``bits`` bits after the point of the square root of a prime."""
    low, high = 0, prime << bits
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle * middle <= prime << 2 * bits else (low, middle - 1)
    return low & (1 << bits) - 1


@dataclass(frozen=True)
class Blake2:
    bits: int
    rounds: int
    rotations: tuple[int, int, int, int]

    @property
    def modulus(self) -> int:
        return 1 << self.bits

    def initial(self) -> list[int]:
        return [_fraction_of_root(prime, self.bits) for prime in (2, 3, 5, 7, 11, 13, 17, 19)]

    def _rotate(self, word: int, count: int) -> int:
        return (word >> count | word << self.bits - count) % self.modulus

    def _mix(self, v: list[int], places: tuple[int, int, int, int], x: int, y: int) -> None:
        a, b, c, d = places
        for word, (first, second) in ((x, self.rotations[:2]), (y, self.rotations[2:])):
            v[a] = (v[a] + v[b] + word) % self.modulus
            v[d] = self._rotate(v[d] ^ v[a], first)
            v[c] = (v[c] + v[d]) % self.modulus
            v[b] = self._rotate(v[b] ^ v[c], second)

    def _compress(self, h: list[int], block: bytes, counted: int, last: bool) -> list[int]:
        size = self.bits // 8
        m = [int.from_bytes(block[i * size : (i + 1) * size], "little") for i in range(16)]
        v = h + self.initial()
        v[12] ^= counted % self.modulus
        v[13] ^= counted >> self.bits
        if last:
            v[14] ^= self.modulus - 1
        for number in range(self.rounds):
            s = SIGMA[number % 10]
            for i, places in enumerate(MIX):
                self._mix(v, places, m[s[2 * i]], m[s[2 * i + 1]])
        return [h[i] ^ v[i] ^ v[i + 8] for i in range(8)]

    def digest(self, data: bytes, person: bytes) -> bytes:
        """32 bytes; the parameter block: digest size, no key, fanout 1, depth 1, zeros, personalisation."""
        size, block_size = self.bits // 8, 2 * self.bits
        block = bytes([32, 0, 1, 1]).ljust(6 * size, b"\0") + person.ljust(2 * size, b"\0")
        words = [int.from_bytes(block[i * size : (i + 1) * size], "little") for i in range(8)]
        h = [one ^ other for one, other in zip(self.initial(), words, strict=True)]
        count = max(1, -(-len(data) // block_size))
        for i in range(count):
            part = data[i * block_size : (i + 1) * block_size].ljust(block_size, b"\0")
            last = i == count - 1
            h = self._compress(h, part, len(data) if last else (i + 1) * block_size, last)
        return b"".join(word.to_bytes(size, "little") for word in h)[:32]


BLAKE2B: Final = Blake2(64, 12, (32, 24, 16, 63))
BLAKE2S: Final = Blake2(32, 10, (16, 12, 8, 7))
