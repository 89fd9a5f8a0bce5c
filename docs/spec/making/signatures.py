"""signatures.json: which keys and signatures are good, with the cases on which libraries differ."""

from collections.abc import Iterator

from docs.spec.making import edwards
from docs.spec.making.values import Document, Json, secret
from meshchain.crypto import (
    ECDSA_ORDER,
    ecdsa_public_key,
    ed25519_public_key,
    is_ecdsa_public_key,
    is_ed25519_public_key,
    sign_ecdsa,
    sign_ed25519,
    verify_ecdsa,
    verify_ed25519,
    x25519_private_from_ed25519,
    x25519_public_from_ed25519,
)
from meshchain.crypto.curve25519 import BASE, ORDER, PRIME, encode_point

_N = ECDSA_ORDER
_P = 2**256 - 2**32 - 977
Case = tuple[str, bytes, bytes, bytes, bool]
"""why, key, digest or message, signature, expected"""


def document() -> Document:
    return {
        "ecdsa": {
            "keys": [_key(why, key, is_ecdsa_public_key(key), good) for why, key, good in _ecdsa_keys()],
            "signing": [_ecdsa_signed(text) for text in ("owner a", "owner b", "owner c")],
            "verifying": [_verdict("digest", case, verify_ecdsa(*case[1:4])) for case in _ecdsa_cases()],
        },
        "ed25519": {
            "keys": [_key(why, key, is_ed25519_public_key(key), good) for why, key, good in _ed25519_keys()],
            "signing": [_ed25519_signed(text) for text in ("node a", "node b", "node c")],
            "verifying": [_verdict("message", case, verify_ed25519(*case[1:4])) for case in _ed25519_cases()],
        },
    }


def _key(why: str, key: bytes, found: bool, expected: bool) -> Json:
    assert found == expected, why
    return {"why": why, "key": key.hex(), "valid": expected}


def _verdict(word: str, case: Case, found: bool) -> Json:
    why, key, message, signature, expected = case
    assert found == expected, why
    return {"why": why, "key": key.hex(), word: message.hex(), "signature": signature.hex(), "valid": expected}


def _ecdsa_signed(text: str) -> Json:
    private, digest = secret(text), secret(text + ": digest")
    signature = sign_ecdsa(private, digest)
    key = ecdsa_public_key(private)
    return {"private": private.hex(), "key": key.hex(), "digest": digest.hex(), "signature": signature.hex()}


def _ed25519_signed(text: str) -> Json:
    seed, message = secret(text), secret(text + ": message")
    return {
        "seed": seed.hex(),
        "key": ed25519_public_key(seed).hex(),
        "message": message.hex(),
        "signature": sign_ed25519(seed, message).hex(),
        "x25519_private": x25519_private_from_ed25519(seed).hex(),
        "x25519_public": x25519_public_from_ed25519(ed25519_public_key(seed)).hex(),
    }


def _ecdsa_keys() -> Iterator[tuple[str, bytes, bool]]:
    key = ecdsa_public_key(secret("owner a"))
    yield "compressed", key, True
    yield "the other root", bytes((key[0] ^ 1,)) + key[1:], True
    yield "x = 1 is on the curve", b"\2" + (1).to_bytes(32, "big"), True
    yield "x = 5 is not on the curve", b"\2" + (5).to_bytes(32, "big"), False
    yield "x = p + 1, not reduced", b"\2" + (_P + 1).to_bytes(32, "big"), False
    yield "x = 0", b"\2" + bytes(32), False
    yield "prefix 04 on a compressed key", b"\4" + key[1:], False
    yield "prefix 00", b"\0" + key[1:], False
    yield "32 bytes", key[:32], False
    yield "34 bytes", key + b"\0", False
    yield "uncompressed form's length", b"\4" + key[1:] * 2, False
    yield "empty", b"", False


def _ecdsa_cases() -> Iterator[Case]:
    private, digest = secret("owner a"), secret("digest")
    key, good = ecdsa_public_key(private), sign_ecdsa(private, digest)
    r, s = int.from_bytes(good[:32], "big"), int.from_bytes(good[32:], "big")
    yield "valid", key, digest, good, True
    yield "valid over a digest of zeros", key, bytes(32), sign_ecdsa(private, bytes(32)), True
    yield "high s: n - s", key, digest, _compact(r, _N - s), False
    yield "r = 0", key, digest, _compact(0, s), False
    yield "s = 0", key, digest, _compact(r, 0), False
    yield "r = n", key, digest, _compact(_N, s), False
    yield "s = n", key, digest, _compact(r, _N), False
    for limit, good_s in ((_N // 2, True), (_N // 2 + 1, False)):
        why = "s = (n - 1)/2, the greatest low one" if good_s else "s = (n + 1)/2, the least high one"
        yield why, key, *_with_s(private, limit), good_s
    yield "r and s swapped", key, digest, good[32:] + good[:32], False
    yield "another digest", key, secret("another digest"), good, False
    yield "another key", ecdsa_public_key(secret("owner b")), digest, good, False
    yield "the other root's key", bytes((key[0] ^ 1,)) + key[1:], digest, good, False
    yield "63 bytes", key, digest, good[:63], False
    yield "65 bytes", key, digest, good + b"\0", False
    yield "empty", key, digest, b"", False
    yield "digest of 31 bytes", key, digest[:31], good, False
    yield "digest of 33 bytes", key, digest + b"\0", good, False
    yield "key no point", b"\2" + (5).to_bytes(32, "big"), digest, good, False
    infinity = -int.from_bytes(digest, "big") * pow(r, -1, _N) % _N
    yield "u1 G + u2 Q is infinity", ecdsa_public_key(infinity.to_bytes(32, "big")), digest, good, False


def _with_s(private: bytes, s: int) -> tuple[bytes, bytes]:
    """(digest, signature): the digest for which this s solves the equation."""
    nonce = secret("nonce")
    r = int.from_bytes(ecdsa_public_key(nonce)[1:], "big") % _N
    digest = (s * int.from_bytes(nonce, "big") - r * int.from_bytes(private, "big")) % _N
    return digest.to_bytes(32, "big"), _compact(r, s)


def _compact(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _little(number: int) -> bytes:
    return number.to_bytes(32, "little")


def _ed25519_keys() -> Iterator[tuple[str, bytes, bool]]:
    key = ed25519_public_key(secret("node a"))
    yield "of a seed", key, True
    yield "with a part of order 8", _mixed(8), True
    yield "the other x", key[:31] + bytes((key[31] ^ 0x80,)), True
    for order in (1, 2, 4, 8):
        yield f"order {order}", encode_point(*edwards.small_order(order)), False
    yield "order 1, x = 0 with the sign bit set", _little(1 | 1 << 255), False
    yield "y = p: zero, not reduced", _little(PRIME), False
    yield "y = p + 1: one, not reduced", _little(PRIME + 1), False
    yield "y = p + 3: a point of large order, not reduced", _little(PRIME + 3), False
    yield "y = 3, the same reduced", _little(3), True
    yield "y = 2 is not on the curve", _little(2), False
    yield "31 bytes", key[:31], False
    yield "33 bytes", key + b"\0", False
    yield "empty", b"", False


def _scalar(seed: bytes) -> int:
    return int.from_bytes(x25519_private_from_ed25519(seed), "little")


def _mixed(order: int) -> bytes:
    """The key of seed "node a" plus a point of small order: its scalar still signs, up to the small part."""
    public = edwards.multiply(_scalar(secret("node a")), BASE)
    return encode_point(*edwards.add(public, edwards.small_order(order)))


def _ed25519_cases() -> Iterator[Case]:
    seed, message = secret("node a"), secret("message")
    key, good = ed25519_public_key(seed), sign_ed25519(seed, message)
    s = int.from_bytes(good[32:], "little")
    yield "valid", key, message, good, True
    yield "valid over an empty message", key, b"", sign_ed25519(seed, b""), True
    yield "S + L", key, message, good[:32] + _little(s + ORDER), False
    yield "S = L", key, message, good[:32] + _little(ORDER), False
    yield "another message", key, b"", good, False
    yield "another key", ed25519_public_key(secret("node b")), message, good, False
    yield "63 bytes", key, message, good[:63], False
    yield "65 bytes", key, message, good + b"\0", False
    yield "key of 31 bytes", key[:31], message, good, False
    yield from _small_key_cases(message)
    yield from _small_r_cases(_scalar(seed), key, message)
    yield from _mixed_key_cases(_scalar(seed))


def _small_key_cases(message: bytes) -> Iterator[Case]:
    """With a key of order 1, R = [S]B verifies for every message, unless the key is refused."""
    signature = encode_point(*edwards.multiply(7, BASE)) + _little(7)
    yield "key of order 1 for which the equation holds", _little(1), message, signature, False
    yield "the same key not reduced (y = p + 1)", _little(PRIME + 1), message, signature, False


def _small_r_cases(scalar: int, key: bytes, message: bytes) -> Iterator[Case]:
    identity = _little(1)
    yield "R the identity: R is only compared", key, message, edwards.signature(scalar, 0, key, message), True
    for why, r in (("not reduced (y = p + 1)", _little(PRIME + 1)), ("with the sign bit set", _little(1 | 1 << 255))):
        yield f"R the identity {why}", key, message, edwards.signature(scalar, 0, key, message, r), False
    torsion = encode_point(*edwards.add(edwards.multiply(9, BASE), edwards.small_order(8)))
    why = "R with a part of order 8: holds only times the cofactor"
    yield why, key, message, edwards.signature(scalar, 9, key, message, torsion), False
    assert edwards.signature(scalar, 0, key, message)[:32] == identity


def _mixed_key_cases(scalar: int) -> Iterator[Case]:
    """[S]B − [h]A leaves −[h]T of a key A with small part T: R again iff the order of T divides h."""
    key = _mixed(8)
    made: dict[int, tuple[bytes, bytes]] = {}
    for number in range(200):
        message = b"mixed order %d" % number
        signature = edwards.signature(scalar, 11, key, message)
        made.setdefault(edwards.challenge(signature[:32], key, message) % 8, (message, signature))
    for rest in range(8):
        message, signature = made[rest]
        yield f"key with a part of order 8, h = {rest} mod 8", key, message, signature, rest == 0
