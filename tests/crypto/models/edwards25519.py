"""Ed25519 by the formulas of RFC 8032 §5.1 on affine points; the verification rule is the ledger's."""

from hashlib import sha512
from typing import Final

Point = tuple[int, int]

P: Final = 2**255 - 19
L: Final = 2**252 + 0x14DEF9DEA2F79CD65812631A5CF5D3ED
D: Final = -121665 * pow(121666, -1, P) % P
IDENTITY: Final[Point] = (0, 1)
BASE: Final[Point] = (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
)


def add(one: Point, other: Point) -> Point:
    """The complete addition law of −x² + y² = 1 + d·x²·y²."""
    (x1, y1), (x2, y2) = one, other
    cross = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + cross, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - cross, -1, P) % P
    return x, y


def negate(point: Point) -> Point:
    return -point[0] % P, point[1]


def multiply(scalar: int, point: Point) -> Point:
    total = IDENTITY
    for bit in f"{scalar:b}":
        total = add(total, total)
        if bit == "1":
            total = add(total, point)
    return total


def is_on_curve(point: Point) -> bool:
    x, y = point
    return (y * y - x * x - 1 - D * x * x * y * y) % P == 0


def encode(point: Point) -> bytes:
    x, y = point
    return (y + (x % 2) * 2**255).to_bytes(32, "little")


def decode(encoding: bytes) -> Point | None:
    """The point, or None for y ≥ p, off the curve, or x = 0 with the sign bit set."""
    value = int.from_bytes(encoding, "little")
    y, sign = value % 2**255, value // 2**255
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    for x in (root, root * pow(2, (P - 1) // 4, P) % P):
        if x * x % P == square:
            if x == 0 and sign == 1:
                return None
            return (x if x % 2 == sign else P - x), y
    return None


def has_small_order(point: Point) -> bool:
    return multiply(8, point) == IDENTITY


def is_public_key(key: bytes) -> bool:
    if len(key) != 32:
        return False
    point = decode(key)
    return point is not None and not has_small_order(point)


def challenge(r: bytes, key: bytes, message: bytes) -> int:
    return int.from_bytes(sha512(r + key + message).digest(), "little") % L


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Refuse S ≥ L, y ≥ p, small-order A; accept iff encode([S]B − [h]A) equals R bytewise."""
    if len(signature) != 64 or not is_public_key(key):
        return False
    point = decode(key)
    assert point is not None
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    h = challenge(r, key, message)
    return s < L and encode(add(multiply(s, BASE), negate(multiply(h, point)))) == r


def verify_with_cofactor(key: bytes, message: bytes, signature: bytes) -> bool:
    """The other rule that RFC 8032 §5.1.7 allows, [8][S]B = [8]R + [8][h]A; for comparison only."""
    point, r = decode(key), decode(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if point is None or r is None or s >= L:
        return False
    h = challenge(signature[:32], key, message)
    return multiply(8 * s, BASE) == add(multiply(8, r), multiply(8 * h, point))


def secret_scalar(seed: bytes) -> int:
    half = int.from_bytes(sha512(seed).digest()[:32], "little")
    return half % 2**254 // 8 * 8 + 2**254


def public_key(seed: bytes) -> bytes:
    return encode(multiply(secret_scalar(seed), BASE))


def sign(seed: bytes, message: bytes) -> bytes:
    nonce = int.from_bytes(sha512(sha512(seed).digest()[32:] + message).digest(), "little") % L
    r = encode(multiply(nonce, BASE))
    s = (nonce + challenge(r, public_key(seed), message) * secret_scalar(seed)) % L
    return r + s.to_bytes(32, "little")


def small_order_points() -> list[Point]:
    """The eight points whose order divides 8: multiples of a point of order 8, found by trying y = 2, 3, …"""
    y = 2
    while True:
        point = decode(y.to_bytes(32, "little"))
        if point is not None and multiply(4, generator := multiply(L, point)) != IDENTITY:
            return [multiply(factor, generator) for factor in range(8)]
        y += 1
