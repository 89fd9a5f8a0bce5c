"""ECDSA on secp256k1 by SEC 1 §4.1.4 on affine points, with the ledger's one accepted form."""

from typing import Final

Point = tuple[int, int] | None
"""None: the point at infinity."""

P: Final = 2**256 - 2**32 - 977
N: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
BASE: Final[Point] = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)


def add(one: Point, other: Point) -> Point:
    if one is None or other is None:
        return one or other
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    rise, run = (3 * x1 * x1, 2 * y1) if one == other else (y2 - y1, x2 - x1)
    slope = rise * pow(run, -1, P)
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def negate(point: Point) -> Point:
    return None if point is None else (point[0], -point[1] % P)


def multiply(scalar: int, point: Point) -> Point:
    total: Point = None
    for bit in f"{scalar % N:b}":
        total = add(total, total)
        if bit == "1":
            total = add(total, point)
    return total


def lift(x: int) -> Point:
    """The point with this x and an even y, or None."""
    square = (x**3 + 7) % P
    y = pow(square, (P + 1) // 4, P)
    if y * y % P != square:
        return None
    return x, (y if y % 2 == 0 else P - y)


def encode(point: Point) -> bytes:
    assert point is not None
    return bytes([2 + point[1] % 2]) + point[0].to_bytes(32, "big")


def decode(key: bytes) -> Point:
    """None for every other length, prefix or x, and for an x that is on no point."""
    if len(key) != 33 or key[0] not in (2, 3):
        return None
    x = int.from_bytes(key[1:], "big")
    point = lift(x) if x < P else None
    return point if key[0] == 2 else negate(point)


def verify(key: bytes, digest: bytes, signature: bytes) -> bool:
    point = decode(key)
    if point is None or len(digest) != 32 or len(signature) != 64:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (1 <= r < N and 1 <= s <= N // 2):
        return False
    e, w = int.from_bytes(digest, "big"), pow(s, -1, N)
    total = add(multiply(e * w, BASE), multiply(r * w, point))
    return total is not None and total[0] % N == r
