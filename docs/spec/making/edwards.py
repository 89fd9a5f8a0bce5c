"""Point arithmetic on edwards25519 to craft the signatures that an honest signer never makes (RFC 8032 §5.1.4)."""

from hashlib import sha512
from typing import Final

from meshchain.crypto.curve25519 import BASE, ORDER, PRIME, SMALL_ORDER_YS, decode_point, encode_point

Point = tuple[int, int]
_D: Final = -121665 * pow(121666, -1, PRIME) % PRIME
IDENTITY: Final[Point] = (0, 1)


def add(a: Point, b: Point) -> Point:
    """The affine, complete addition law."""
    product = _D * a[0] * b[0] * a[1] * b[1] % PRIME
    x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + product, -1, PRIME)
    y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - product, -1, PRIME)
    return x % PRIME, y % PRIME


def multiply(factor: int, point: Point) -> Point:
    total = IDENTITY
    while factor:
        total = add(total, point) if factor & 1 else total
        factor, point = factor >> 1, add(point, point)
    return total


def small_order(order: int) -> Point:
    """A point of exactly this order (1, 2, 4 or 8), the one with the least y and then the even x."""
    for y in sorted(SMALL_ORDER_YS):
        point = decode_point(y.to_bytes(32, "little"))
        assert point is not None
        if order_of(point) == order:
            return point
    raise AssertionError("orders are 1, 2, 4 and 8")


def order_of(point: Point) -> int:
    return next(order for order in (1, 2, 4, 8) if multiply(order, point) == IDENTITY)


def challenge(r: bytes, key: bytes, message: bytes) -> int:
    return int.from_bytes(sha512(r + key + message).digest(), "little") % ORDER


def signature(scalar: int, nonce: int, key: bytes, message: bytes, r: bytes | None = None) -> bytes:
    """R ‖ S with S = nonce + h·scalar; ``r`` replaces the encoding of [nonce]B."""
    r = encode_point(*multiply(nonce, BASE)) if r is None else r
    s = (nonce + challenge(r, key, message) * scalar) % ORDER
    return r + s.to_bytes(32, "little")
