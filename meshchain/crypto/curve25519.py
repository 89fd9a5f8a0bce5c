"""Points of edwards25519 in their 32-byte encoding: RFC 8032 §5.1.2 and §5.1.3, and the map of RFC 7748 §4.1.

Public values only; nothing here is meant to run in constant time.
"""

from typing import Final

PRIME: Final = 2**255 - 19
ORDER: Final = 2**252 + 27742317777372353535851937790883648493
"""L: the order of the base point; the whole group has 8 · L elements."""
_D: Final = -121665 * pow(121666, -1, PRIME) % PRIME
_SQRT_MINUS_ONE: Final = pow(2, (PRIME - 1) // 4, PRIME)
_Y_MASK: Final = 2**255 - 1


def encoded_y(encoding: bytes) -> int:
    """The y of a 32-byte encoding (its low 255 bits), reduced or not."""
    return int.from_bytes(encoding, "little") & _Y_MASK


def _square_root(numerator: int, denominator: int) -> int | None:
    """A root of numerator/denominator, or None (RFC 8032 §5.1.3, step 2 and 3)."""
    u, v = numerator, denominator
    root = u * pow(v, 3, PRIME) * pow(u * pow(v, 7, PRIME), (PRIME - 5) // 8, PRIME) % PRIME
    square = v * root * root % PRIME
    if square == u:
        return root
    return root * _SQRT_MINUS_ONE % PRIME if square == -u % PRIME else None


def decode_point(encoding: bytes) -> tuple[int, int] | None:
    """(x, y) of 32 bytes; None if y ≥ p, the point is not on the curve, or x is 0 and its sign bit set."""
    y, sign = encoded_y(encoding), encoding[31] >> 7
    if y >= PRIME:
        return None
    square = y * y % PRIME
    x = _square_root((square - 1) % PRIME, (_D * square + 1) % PRIME)
    if x is None or (x == 0 and sign):
        return None
    return (x if x & 1 == sign else PRIME - x), y


def encode_point(x: int, y: int) -> bytes:
    """The 32 bytes of (x, y), both reduced (RFC 8032 §5.1.2)."""
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE: Final = decode_point((4 * pow(5, -1, PRIME) % PRIME).to_bytes(32, "little")) or (0, 0)
"""B: y = 4/5, x even."""


def _small_order_ys() -> frozenset[int]:
    """The y of the eight points whose order divides 8.

    Orders 1, 2 and 4 have y = 1, −1, 0. Doubling a point of order 8 gives y = 0, so there y² = −x²; put into
    −x² + y² = 1 + d·x²·y² this is d·y⁴ + 2·y² − 1 = 0, hence y² = (−1 ± √(1 + d))/d.
    """
    root = _square_root(1 + _D, 1)
    assert root is not None
    squares = ((-1 + sign * root) * pow(_D, -1, PRIME) % PRIME for sign in (1, -1))
    ys = [y for square in squares if (y := _square_root(square, 1)) is not None]
    return frozenset({0, 1, PRIME - 1, *ys, *(PRIME - y for y in ys)})


SMALL_ORDER_YS: Final = _small_order_ys()


def montgomery_u(encoding: bytes) -> bytes:
    """The X25519 form of a point: u = (1 + y)/(1 − y), little-endian. y is neither 1 nor ≥ p."""
    y = encoded_y(encoding)
    return ((1 + y) * pow(1 - y, -1, PRIME) % PRIME).to_bytes(32, "little")
